"""Burn Subtitles: clean frames in, the same with subtitles and the exact mask out."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..clear_runtime.catalogue import BURN
from ..clear_runtime.errors import ClearError
from .comfy.files import resolved, stamped
from .comfy.frames import require_frames
from .comfy.inputs import OptionInputs
from .comfy.live import PICTURE_SIDE, Teller

StyleType = io.Custom("CLEAR_BURN_STYLE")
_FONTS = (".ttf", ".otf", ".ttc", ".otc")


class BurnSubtitles(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        options = OptionInputs(BURN)
        return io.Schema(
            node_id="CLEAR_BurnSubtitles",
            display_name="Burn Subtitles",
            category="CLEAR",
            description="Burns subtitles into clean frames, and gives the exact mask of what they cover: text from a "
            "file or random lines, in the look of the subtitles "
            "that you want to remove. For a VIDEO, put Get Video Components before it.",
            inputs=[
                io.Image.Input("images", tooltip="Clean frames in order, 1 to any number, of any size."),
                io.Float.Input(
                    "fps",
                    default=24.0,
                    min=0.01,
                    max=1000.0,
                    step=0.01,
                    tooltip="Frames per second: turns the times of lines into frames. Connect fps of Get Video "
                    "Components.",
                ),
                *options.take("file", "scripts", "look", "font", "size", "colour", "outline", "outline_colour"),
                *options.take("shadow", "box_opacity", "box_colour", "opacity", "position", "margin", "fade", "seed"),
                *options.rest(),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
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
        from ..clear_runtime.media.pictures import to_preview

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
        with Teller(cls, "Burning lines") as tell:
            for i, frame in enumerate(images):
                out[i], mask[i] = burner.burn(frame[..., :3].cpu(), i)
                tell.tell(i + 1, frames, picture=to_preview(out[i], PICTURE_SIDE) if tell.wants_picture() else None)
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
