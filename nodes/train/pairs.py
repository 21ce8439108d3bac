"""Load Training Pairs: which clips of which videos a LoRA is trained on. They are read when the training asks for
them."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import comfy.model_management
from comfy_api.latest import io

from ...clear_runtime.errors import ClearError
from ..burn import StyleType
from ..comfy.files import resolved, stamped
from ..comfy.live import Teller
from ..comfy.managed import ComfyPrior

PairsType = io.Custom("CLEAR_PAIRS")
BY_NAME, BY_ORDER = "by name", "by order"


class LoadPairs(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_LoadPairs",
            display_name="Load Training Pairs",
            category="CLEAR",
            description="Training clips from pairs of videos, subtitled and clean; from clean videos alone, into which "
            "a Burn Subtitles style is burned; or from one subtitled film alone, by its own stretches and areas "
            "without text. All files are looked through first, and read again, a clip at a time, while training asks "
            "for them.",
            inputs=[*_videos(), *_clips()],
            outputs=_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def validate_inputs(cls, clean):
        """clean alone: ComfyUI reports what comes back once for every input that is named here. With a style, frames
        are burned before this node runs, and clean is all that it reads; without one nothing comes before it."""
        try:
            _existing("clean", clean or "")  # None: connected, and not known yet
        except ClearError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, subtitled, clean, **other):
        # imported here and below: ComfyUI's start need not wait for what reads videos
        from ...clear_runtime.data.pairs_on_disk import VIDEOS
        from ...clear_runtime.data.synthetic.subtitle_file import FORMATS

        return (
            f"{stamped([resolved(subtitled or ''), resolved(clean or '')], {*VIDEOS, *FORMATS})} "
            f"{sorted(other.items(), key=str)}"
        )

    @classmethod
    def execute(cls, subtitled, clean, match, frames, per_video, long_side, seed, style=None, own_film=False):
        # imported here, as above
        from ...clear_runtime.data.clips import check_settings

        with_text, without = _existing("subtitled", subtitled), _existing("clean", clean)
        check_settings(frames, per_video, long_side)
        with Teller(cls, "Looking through the videos") as tell:
            if own_film:
                clips, found = _of_own_film(with_text, without, style, frames, per_video, long_side, seed, tell)
            elif style is not None:
                clips, found = _burned(with_text, without, style, frames, per_video, long_side, seed, tell), ""
            else:
                by_order = match == BY_ORDER
                clips, found = _paired(with_text, without, by_order, frames, per_video, long_side, tell), ""
            tell.say(str(clips).splitlines()[0])
        return io.NodeOutput(clips, "\n".join(filter(None, [str(clips), found])))


def _existing(name: str, value: str) -> Path | None:
    path = resolved(value)
    if path is not None and not path.exists():
        raise ClearError(
            f"{name}: there is no {path}. Give the whole path of a folder, or its name in ComfyUI's input folder."
        )
    return path


def _burned(subtitled, clean, style, frames, per_video, long_side, seed, tell: Teller):
    # imported here, as above
    from ...clear_runtime.data.clips import BurnedClips

    if subtitled is not None or clean is None:
        raise ClearError(
            "With a style, name the clean videos (a folder, or one video) in clean and leave subtitled empty; without "
            "one, disconnect it."
        )
    return BurnedClips(clean, style, frames, per_video, long_side, seed, tell.frames())


def _of_own_film(film, clean, style, frames, per_video, long_side, seed, tell: Teller):
    """The clips, and what was found of the film in words."""
    # imported here, as above
    from ...clear_runtime.data.synthetic.burn_style import BurnStyle
    from ...clear_runtime.film.own_pairs import own_pairs
    from ...clear_runtime.find.priors.checkpoints import load_prior
    from ...clear_runtime.media.video import read_facts

    if film is None or not film.is_file() or clean is not None:
        raise ClearError("With own_film, name one subtitled film, a file, in subtitled, and leave clean empty.")
    total = read_facts(film).frames
    found = own_pairs(
        film,
        ComfyPrior(load_prior()),
        _kept_for(film),
        style or BurnStyle(),
        lambda done: tell.tell(done, max(done, total or 0), detail=f"frame {done}"),
    )
    return found.clips(frames, per_video, long_side, seed), found.text()


def _kept_for(film: Path) -> Path:
    """Where what was found of a film lies until ComfyUI starts again."""
    import folder_paths  # ComfyUI's own, as it is when the node runs

    return Path(folder_paths.get_temp_directory()) / f"clear_film_{hashlib.sha256(str(film).encode()).hexdigest()[:10]}"


def _paired(subtitled, clean, by_order, frames, per_video, long_side, tell: Teller):
    # imported here, as above
    from ...clear_runtime.data.clips import PairClips
    from ...clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
    from ...clear_runtime.find.priors.checkpoints import load_prior

    if subtitled is None:
        raise ClearError(
            "Name the folder with the pairs in subtitled: NAME.mp4 beside NAME_with_subtitle.mp4. For clean videos "
            "alone, connect a style of Burn Subtitles."
        )
    pairs = find_pairs(subtitled, clean, by_order)
    done = itertools.count(1)
    report = check_pairs(
        pairs,
        lambda pair: tell.tell(next(done), len(pairs)),
        comfy.model_management.throw_exception_if_processing_interrupted,
        ComfyPrior(load_prior()),
    )
    return PairClips(report, frames, per_video, long_side)


def _videos() -> list:
    """Which videos."""
    return [
        io.String.Input(
            "subtitled",
            default="",
            tooltip="Folder with pairs NAME.mp4 and NAME_with_subtitle.mp4, or with the subtitled videos if "
            "clean is given; or one subtitled video. Leave empty with a style.",
        ),
        io.String.Input(
            "clean",
            default="",
            tooltip="Folder with the clean videos; empty: they are in the first folder. Also one video. Either "
            "is a path, or a name in ComfyUI's input folder.",
        ),
        io.Combo.Input(
            "match",
            options=[BY_NAME, BY_ORDER],
            default=BY_NAME,
            tooltip="Which files of two folders belong together: those of the same name (endings such as "
            "_with_subtitle aside), or the first of each, the second of each, and so on.",
        ),
    ]


def _clips() -> list:
    """Which clips of them."""
    return [
        io.Int.Input(
            "frames",
            default=81,
            min=5,
            max=1001,
            step=4,
            tooltip="Frames of a clip, rounded down to 4k + 1. A shorter video gives one clip of what it has, "
            "if that is 5 or more.",
        ),
        io.Int.Input(
            "per_video",
            default=4,
            min=1,
            max=1000,
            tooltip="Clips of each video, at most: spread evenly, overlapping by half at most, each with a "
            "subtitle in it.",
        ),
        io.Int.Input(
            "long_side",
            default=832,
            min=32,
            max=4096,
            step=16,
            tooltip="Pixels: larger frames are scaled down until their longer side has this many. Sides are "
            "cut to multiples of 16.",
        ),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=2**31 - 1,
            control_after_generate=False,
            tooltip="With a style: other lines and looks in every clip.",
        ),
        StyleType.Input(
            "style",
            optional=True,
            tooltip="From Burn Subtitles: subtitles are burned into clean videos, in each clip others.",
        ),
        io.Boolean.Input(
            "own_film",
            default=False,
            optional=True,
            tooltip="Pairs from one subtitled film alone, named in subtitled: onto its stretches without text, lines "
            "are burned in the size, colour, outline and place of its own; where these are too few, onto areas that "
            "stay free of text in other frames. A style gives their script and font.",
        ),
    ]


def _outputs() -> list:
    return [
        PairsType.Output(display_name="pairs", tooltip="For Train CLEAR LoRA."),
        io.String.Output(display_name="report", tooltip="Clips and videos, what was left out and why."),
    ]
