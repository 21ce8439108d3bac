"""Burn Subtitles: clean frames in, the same with subtitles and the exact mask out."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..clear_runtime.errors import ClearError
from .comfy.files import resolved, stamped
from .comfy.frames import require_frames
from .comfy.progress import progress_bar

StyleType = io.Custom("CLEAR_BURN_STYLE")
_FONTS = (".ttf", ".otf", ".ttc", ".otc")


def _text_inputs() -> list[io.Input]:
    """What is burned into what."""
    return [
        io.Image.Input("images", tooltip="Clean frames in order, 1 to any number, of any size."),
        io.Float.Input(
            "fps",
            default=24.0,
            min=0.01,
            max=1000.0,
            step=0.01,
            tooltip="Frames per second: turns the times of lines into frames. Connect fps of Get Video Components.",
        ),
        io.String.Input(
            "file",
            default="",
            tooltip="A subtitle file (.srt, .ass, .ssa, .vtt): its path, or its name in ComfyUI's input "
            "folder. Empty: random lines.",
        ),
        io.String.Input(
            "scripts",
            default="latin",
            tooltip="Of random lines; several with commas between: latin, cyrillic, arabic, chinese, japanese, "
            "korean, devanagari, thai.",
        ),
    ]


def _letter_inputs() -> list[io.Input]:
    """How the letters look."""
    share = {"min": 0.0, "max": 40.0, "step": 0.5}
    return [
        io.Combo.Input(
            "look",
            options=["as set", "random"],
            default="as set",
            tooltip="as set: as below, and for an .ass file as the file says. random: font, colours, outline, "
            "shadow, box, opacity and size within a quarter are drawn from the seed.",
        ),
        io.String.Input(
            "font",
            default="",
            tooltip="A font file, or the family name of an installed font. Empty: an installed font that has "
            "the letters is found.",
        ),
        io.Float.Input(
            "size",
            default=5.5,
            min=1.0,
            max=40.0,
            step=0.1,
            tooltip="Size of the letters in per cent of the frame's height. Films have 5 to 6.",
        ),
        io.String.Input("colour", default="#ffffff", tooltip="Of the letters, as #rrggbb."),
        io.Float.Input(
            "outline", default=7.0, **share, tooltip="Width of the outline in per cent of the letters' size. 0: none."
        ),
        io.String.Input("outline_colour", default="#000000", tooltip="Of the outline, as #rrggbb."),
        io.Float.Input(
            "shadow",
            default=0.0,
            **share,
            tooltip="Distance of a soft black shadow in per cent of the letters' size. 0: none.",
        ),
        io.Float.Input(
            "box_opacity",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="Of a box behind the letters, 0 to 1. 0: none.",
        ),
        io.String.Input("box_colour", default="#000000", tooltip="Of the box, as #rrggbb."),
        io.Float.Input("opacity", default=1.0, min=0.05, max=1.0, step=0.05, tooltip="Of all of it, up to 1."),
    ]


def _place_inputs() -> list[io.Input]:
    """Where they stand, and how they come and go."""
    return [
        io.Combo.Input(
            "position",
            options=["bottom", "middle", "top"],
            default="bottom",
            tooltip="Where in the frame the lines stand.",
        ),
        io.Float.Input(
            "margin",
            default=5.0,
            min=0.0,
            max=45.0,
            step=0.5,
            tooltip="Distance from the edge in per cent of the frame's height.",
        ),
        io.Float.Input(
            "fade",
            default=0.0,
            min=0.0,
            max=10.0,
            step=0.05,
            tooltip="Seconds in which a line comes, and in which it goes. 0: at once.",
        ),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=2**31 - 1,
            control_after_generate=False,
            tooltip="Of random lines and of a random look. The same seed gives the same pixels.",
        ),
    ]


class BurnSubtitles(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_BurnSubtitles",
            display_name="Burn Subtitles",
            category="CLEAR",
            description="Burns subtitles into clean frames, and gives the exact mask of what they cover: text from a "
            "file or random lines, in the look of the subtitles "
            "that you want to remove. For a VIDEO, put Get Video Components before it.",
            inputs=[*_text_inputs(), *_letter_inputs(), *_place_inputs()],
            outputs=[
                io.Image.Output(display_name="subtitled", tooltip="The frames with subtitles."),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="Every pixel that a subtitle covers, 0 or 1. Outside it the frames are bit for bit the "
                    "clean ones.",
                ),
                StyleType.Output(display_name="style", tooltip="These settings, for Load Training Pairs."),
                io.String.Output(
                    display_name="report",
                    tooltip="Fonts and lines that were burned, with their times, and how many rows lie outside the "
                    "frame.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, file
    ):  # the file alone: ComfyUI reports what comes back once for every input that is named here
        # what nodes run is imported when they run: ComfyUI starts without it
        from ..clear_runtime.data.synthetic.burn_style import BurnStyle

        try:
            BurnStyle(file=_existing(file or ""))  # None: connected, and not known yet
        except ClearError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, file, font, **other):
        return (
            f"{stamped([resolved(file or '')], ())} {stamped([resolved(font or '')], _FONTS)} {font} "
            f"{sorted(other.items(), key=str)}"
        )

    @classmethod
    def execute(cls, images, fps, file, scripts, font, **look):
        # what nodes run is imported when they run: ComfyUI starts without it
        from ..clear_runtime.data.synthetic.burn_style import BurnStyle
        from ..clear_runtime.data.synthetic.burner import Burner

        named = resolved(font)
        style = BurnStyle(
            file=_existing(file),
            scripts=scripts,
            font=str(named) if named and named.suffix.lower() in _FONTS else font.strip(),
            **look,
        )
        require_frames(images)
        frames, height, width = images.shape[:3]
        burner = Burner(style, width, height, fps, frames)
        out, mask = torch.empty(frames, height, width, 3, dtype=images.dtype), torch.empty(frames, height, width)
        advance = progress_bar(frames)
        for i, frame in enumerate(images):
            out[i], mask[i] = burner.burn(frame[..., :3].cpu(), i)
            advance(i + 1)
        return io.NodeOutput(out, mask, style, burner.report())


def _existing(file: str) -> str:
    path = resolved(file)
    if path is None:
        return ""
    if not path.is_file():
        raise ClearError(
            f"There is no file {path}. Check the path of the subtitle file, or leave it empty for random lines."
        )
    return str(path)
