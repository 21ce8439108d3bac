"""Prior Mask: where the subtitles are, as masks, as heat over the frames, and as a curve over time."""

from __future__ import annotations

import os

import comfy.model_management
import torch
from comfy_api.latest import io

from ..clear_runtime.catalogue import MASK
from .choices import BUNDLED
from .comfy.files import CLEAR_FOLDER, full_path, prior_files, stamp
from .comfy.frames import require_frames
from .comfy.inputs import OptionInputs
from .comfy.live import PICTURE_SIDE, Teller
from .comfy.managed import ComfyPrior

_BATCH = 8  # frames between two looks at Cancel


def trained_input():
    """A choice among files is made before the graph runs; a prior that the same graph trains can only come over a
    link."""
    return io.String.Input(
        "trained",
        optional=True,
        force_input=True,
        tooltip="The prior output of Train Prior: its file is used as soon as it is made, in place of the choice in "
        "prior.",
    )


def chosen_prior(name: str, trained: str | None = None):
    """The runtime's Prior behind a choice of the nodes: the bundled one, or a Stage I file in models/clear. `trained`,
    the path of such a file or its name there, goes before the choice."""
    # the runtime, which start-up does without
    from ..clear_runtime.find.priors.checkpoints import load_prior

    if trained is None and name == BUNDLED:
        return load_prior()
    file = name if trained is None else trained
    return load_prior(file if os.path.isabs(file) else full_path(file, CLEAR_FOLDER))


class PriorMask(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        options = OptionInputs(MASK)
        return io.Schema(
            node_id="CLEAR_PriorMask",
            display_name="Prior Mask",
            category="CLEAR",
            description="Marks subtitles, of any script, without being told where they are. Frames of any size; the "
            "masks have the frames' own size.",
            inputs=[
                io.Image.Input("images", tooltip="The frames of the video in order, 1 to any number, of any size."),
                io.Combo.Input(
                    "prior",
                    options=[BUNDLED, *prior_files()],
                    default=BUNDLED,
                    tooltip="The light prior that comes with the pack, or a Stage I checkpoint in models/clear: of "
                    "Train Prior, or of CLEAR's published trainer.",
                ),
                *options.take("threshold", "grow", "temporal"),
                trained_input(),
                *options.rest(),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
            outputs=[
                io.Mask.Output(display_name="soft", tooltip="How sure the prior is of each pixel, 0 to 1."),
                io.Mask.Output(
                    display_name="binary",
                    tooltip="0 or 1: what counts, and is removed by Remove Subtitles with the same settings.",
                ),
                io.Image.Output(display_name="overlay", tooltip="The soft mask as heat over the frames."),
                io.Image.Output(
                    display_name="plot",
                    tooltip="Per cent of each frame that is marked in the binary mask, over the frames.",
                ),
                io.String.Output(
                    display_name="report",
                    tooltip="What kind of prior the file is and, of a published checkpoint, which keys were missing or "
                    "unexpected; then what was found: lines with their frames, rows, size and certainty.",
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, prior, **other):
        return f"{stamp(prior, CLEAR_FOLDER)} {sorted(other.items())}"

    @classmethod
    def execute(cls, images, prior, trained=None, **given):
        # the runtime, which start-up does without
        from ..clear_runtime.find.marks import marked
        from ..clear_runtime.find.report import Report
        from ..clear_runtime.frames.checks import checked
        from ..clear_runtime.media.pictures import overlay, share_plot, to_frames, to_preview

        require_frames(images)
        count, *size = images.shape[:3]
        place = dict(device=comfy.model_management.intermediate_device())
        soft, binary, shown = (
            torch.empty(count, *size, **place),
            torch.empty(count, *size, **place),
            torch.empty(count, *size, 3, dtype=images.dtype, **place),
        )
        shares = []
        loaded = chosen_prior(prior, trained)
        options = MASK.options(given)
        report = Report(removes=False)
        found = marked(checked(images[..., :3]), ComfyPrior(loaded), options, with_soft=True, report=report)
        with Teller(cls, "Finding subtitles") as tell:
            for i, one in enumerate(found):  # one at a time: a clip in 4K leaves no room for copies of all
                counted = one.marks.float()
                soft[i], binary[i] = one.soft, counted
                shown[i] = overlay(one.frame[None], one.soft[None])[0]
                shares.append(counted.mean().item())
                tell.tell(i + 1, count, picture=to_preview(shown[i], PICTURE_SIDE) if tell.wants_picture() else None)
            tell.say(report.summary())
        return io.NodeOutput(soft, binary, shown, to_frames(share_plot(shares)), f"{loaded.report}\n{report.text()}")
