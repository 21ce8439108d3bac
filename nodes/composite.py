"""Composite Subtitles: frames that any other model cleaned, and the source, become the source without its subtitles."""

from __future__ import annotations

import logging

import comfy.model_management
import torch
from comfy_api.latest import io

from ..clear_runtime.catalogue import COMPOSITE
from ..clear_runtime.engines.fit import FITS, FITS_HELP, SCALED
from .choices import BUNDLED
from .comfy.files import CLEAR_FOLDER, stamp
from .comfy.flow import comfy_flow, optical_flow_input
from .comfy.frames import require_frames
from .comfy.inputs import OptionInputs
from .comfy.live import Teller
from .comfy.managed import ComfyPrior
from .comfy.removal import FINDING, found_in, removal, shown_found
from .prior import chosen_prior, trained_input
from .remove import area_inputs, prior_input, result_outputs

log = logging.getLogger(__name__)


class Composite(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        options = OptionInputs(COMPOSITE)
        return io.Schema(
            node_id="CLEAR_Composite",
            display_name="Composite Subtitles",
            category="CLEAR",
            description="For frames that any other model has cleaned: takes from them the subtitle's pixels alone, in "
            "the source's colours and at its size, and looks whether something can still be read. Everything else is "
            "the source's own.",
            inputs=[
                io.Image.Input("source", tooltip="The frames with subtitles, in order, of any size."),
                io.Image.Input(
                    "cleaned",
                    tooltip="The same frames without, from whatever model: of any size, one for each frame of the "
                    "source. At most 8 may be missing or too many at the end.",
                ),
                io.Combo.Input("fit", options=list(FITS), default=SCALED, tooltip=FITS_HELP),
                *options.take("mask_from", "grow", "feather"),
                prior_input(),
                *area_inputs(),
                trained_input(),
                *options.rest("fps", "mask_jumps"),
                optical_flow_input("what the cleaned frames do not show is filled"),
            ],
            outputs=result_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def fingerprint_inputs(cls, prior=BUNDLED, **other):
        words = sorted((name, value) for name, value in other.items() if isinstance(value, (int, float, str)))
        return f"{stamp(prior, CLEAR_FOLDER)} {words}"

    @classmethod
    def execute(
        cls,
        source,
        cleaned,
        prior=BUNDLED,
        trained=None,
        limit=None,
        protect=None,
        subtitle=None,
        optical_flow=None,
        **given,
    ):
        # the runtime, which start-up does without
        from ..clear_runtime.engines.given import GivenFrames
        from ..clear_runtime.find.report import Report
        from ..clear_runtime.pipeline import remove

        require_frames(source, "source")
        require_frames(cleaned, "cleaned")
        count, *size = source.shape[:3]
        fit = given.pop("fit", SCALED)
        flow = comfy_flow(optical_flow)
        engine = GivenFrames(cleaned.cpu(), count, tuple(size), fit, flow)
        limit, protect, subtitle = (area if area is None else area.cpu() for area in (limit, protect, subtitle))
        place, report = dict(device=comfy.model_management.intermediate_device()), Report()
        frames = torch.empty(count, *size, 3, dtype=source.dtype, **place)
        masks = torch.empty(count, *size, **place)
        with Teller(cls, FINDING) as tell:
            results = remove(
                source[..., :3],
                engine,
                ComfyPrior(chosen_prior(prior, trained)),
                COMPOSITE.options(given),
                limit,
                protect,
                total=count,
                on_progress=removal(tell, count, source.__getitem__),
                subtitle=subtitle,
                report=report,
                optical_flow=flow,
            )
            for i, (frame, mask) in enumerate(results):
                frames[i], masks[i] = frame, mask
            report.notes += engine.notes()
            found = found_in(report)
            tell.say(report.summary(), found)
        log.info("%s", report.text())
        return io.NodeOutput(frames, masks, report.text(), report.json(), ui=shown_found(found, report.text()))
