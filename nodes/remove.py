"""Remove Subtitles: frames in, cleaned frames and the mask of what was replaced out."""

from __future__ import annotations

import logging
import time

import comfy.model_management
import torch
from comfy_api.latest import io

from ..clear_runtime.catalogue import REMOVE
from .choices import BUNDLED
from .comfy import pace
from .comfy.files import CLEAR_FOLDER, prior_files, stamp
from .comfy.flow import comfy_flow, optical_flow_input
from .comfy.frames import require_frames
from .comfy.inputs import OptionInputs
from .comfy.live import Teller
from .comfy.managed import ComfyPrior
from .comfy.removal import FINDING, found_in, painter, removal, shown_found
from .prior import chosen_prior, trained_input

log = logging.getLogger(__name__)


def parts_and_areas() -> list:
    """What is linked to a node that removes, beside the video: the parts of a model, and masks for the whole video."""
    return [
        io.Model.Input(
            "model",
            optional=True,
            tooltip="From Load CLEAR Nano, Wan2.1 Fun-Control with a CLEAR LoRA (Load CLEAR, Apply CLEAR LoRA), or "
            "Load MiniMax-Remover.",
        ),
        io.Vae.Input(
            "vae", optional=True, tooltip="From Load CLEAR Nano for its MODEL; wan_2.1_vae.safetensors for Wan2.1."
        ),
        io.Conditioning.Input(
            "positive",
            optional=True,
            tooltip="From Load CLEAR Nano for its MODEL; from CLEAR Prompt for Wan2.1; none for MiniMax-Remover.",
        ),
        io.Conditioning.Input("negative", optional=True, tooltip="Only for cfg other than 1: what should not appear."),
        *_limits(),
    ]


def _limits() -> list:
    return [
        io.Mask.Input(
            "limit",
            optional=True,
            tooltip="Pixels may change only where this mask is white. One mask for all frames, or one a frame.",
        ),
        io.Mask.Input(
            "protect",
            optional=True,
            tooltip="Text that must stay (signs, logos): white pixels never change. One mask for all frames, "
            "or one a frame.",
        ),
    ]


def cfg_input():
    return io.Float.Input(
        "cfg",
        default=1.0,
        min=0.0,
        max=20.0,
        step=0.1,
        tooltip="Classifier-free guidance, no unit. 1 is off and twice as fast; any other value needs a negative "
        "CONDITIONING.",
    )


def prior_input():
    return io.Combo.Input(
        "prior",
        options=[BUNDLED, *prior_files()],
        default=BUNDLED,
        optional=True,
        tooltip="What finds the subtitles: the light prior that comes with the pack, or a file in models/clear, such "
        "as Train Prior makes.",
    )


def subtitle_input():
    return io.Mask.Input(
        "subtitle",
        optional=True,
        tooltip="Where a subtitle is, whatever the prior finds: drawn, or from a segmenter. One mask for all frames, "
        "or one a frame. What it does: see subtitle_use.",
    )


def area_inputs() -> list:
    """Masks of where pixels may change, must not, and do."""
    return [*_limits(), subtitle_input()]


def result_outputs() -> list:
    """Frames, the mask of what was replaced, and the report."""
    return [
        io.Image.Output(display_name="IMAGE", tooltip="As many frames as came in, of the same size and number format."),
        io.Mask.Output(
            display_name="MASK",
            tooltip="How much of each pixel was replaced, 0 to 1; one mask a frame. With output raw: where the "
            "subtitle is.",
        ),
        io.String.Output(
            display_name="report",
            tooltip="What was found and what became of it: lines with their frames, rows, size and certainty; "
            "what can still be read afterwards.",
        ),
        io.String.Output(display_name="report_json", tooltip="The same for other nodes and programs."),
    ]


class SubtitleRemove(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        options = OptionInputs(REMOVE)
        return io.Schema(
            node_id="CLEAR_SubtitleRemove",
            display_name="Remove Subtitles",
            category="CLEAR",
            description="Removes burned-in subtitles from frames. Every frame comes back, at its own size; with output "
            "composite nothing outside the "
            "subtitle changes. For output preview, MODEL, VAE and CONDITIONING may stay unconnected.",
            inputs=[
                io.Image.Input("images", tooltip="The frames of the video in order: 1 to any number, of any size."),
                *parts_and_areas(),
                *options.take("steps"),
                cfg_input(),
                *options.take(
                    "seed", "window", "overlap", "output", "control", "region", "mask_from", "grow", "feather"
                ),
                prior_input(),
                *options.take("subtitles_only", optional=True),
                subtitle_input(),
                trained_input(),
                optical_flow_input(),
                *options.rest("fps", "mask_jumps", "clean_overlap"),
            ],
            outputs=result_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def fingerprint_inputs(cls, prior=BUNDLED, **other):
        return (
            f"{stamp(prior, CLEAR_FOLDER)} "
            f"{sorted((name, value) for name, value in other.items() if isinstance(value, (int, float, str)))}"
        )

    @classmethod
    def execute(
        cls,
        images,
        model=None,
        vae=None,
        positive=None,
        negative=None,
        limit=None,
        protect=None,
        subtitle=None,
        cfg=1.0,
        prior=BUNDLED,
        trained=None,
        optical_flow=None,
        **given,
    ):
        # the runtime, which start-up does without
        from ..clear_runtime.find.report import Report
        from ..clear_runtime.options import PREVIEW
        from ..clear_runtime.pipeline import remove
        from .comfy.engines import comfy_engine

        require_frames(images)
        options, flow = REMOVE.options(given), comfy_flow(optical_flow)
        preview = options.output.output == PREVIEW
        engine = None if preview else comfy_engine(model, vae, positive, negative, cfg, options.engine)
        count, height, width = images.shape[:3]
        device = comfy.model_management.intermediate_device()
        cleaned = torch.empty(count, height, width, 3, dtype=images.dtype, device=device)
        masks = torch.empty(count, height, width, device=device)
        # with --gpu-only ComfyUI keeps images and masks on the card; the runtime joins them with its own, which are not
        # there
        limit, protect, subtitle = (area if area is None else area.cpu() for area in (limit, protect, subtitle))
        report = Report()
        started = time.monotonic()
        with Teller(cls, FINDING) as tell:
            results = remove(
                images[..., :3],
                engine,
                ComfyPrior(chosen_prior(prior, trained)),
                options,
                limit,
                protect,
                total=count,
                on_progress=removal(tell, count, images.__getitem__),
                subtitle=subtitle,
                report=report,
                optical_flow=flow,
            )
            for i, (frame, mask) in enumerate(results):
                cleaned[i], masks[i] = frame, mask
            found = found_in(report)
            tell.say(report.summary(), found)
        seconds = time.monotonic() - started
        pace.remember(painter(None if preview else model, options.engine.steps), count, height * width, seconds)
        log.info("%d frames of %dx%d in %.1f s", count, width, height, seconds)
        log.info("%s", report.text())
        return io.NodeOutput(cleaned, masks, report.text(), report.json(), ui=shown_found(found, report.text()))
