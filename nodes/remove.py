"""Remove Subtitles: frames in, cleaned frames and the mask of what was replaced out."""

from __future__ import annotations

import logging
import time

import comfy.model_management
import torch
from comfy_api.latest import io

from .choices import AUTO, BUNDLED
from .comfy.backend import comfy_engine
from .comfy.files import CLEAR_FOLDER, prior_files, stamp
from .comfy.frames import require_frames
from .comfy.managed import ComfyPrior
from .comfy.progress import progress_bar
from .prior import chosen_prior, trained_input

log = logging.getLogger(__name__)

_PREVIEW_SIDE = 512
"""Longest side in pixels of the picture on the node while it runs."""


class SubtitleRemove(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_SubtitleRemove",
            display_name="Remove Subtitles",
            category="CLEAR",
            description="Removes burned-in subtitles from frames. Every frame comes back, at its own size; with output "
            "composite nothing outside the "
            "subtitle changes. For output preview, MODEL, VAE and CONDITIONING may stay unconnected.",
            inputs=[
                io.Image.Input("images", tooltip="The frames of the video in order: 1 to any number, of any size."),
                io.Model.Input(
                    "model",
                    optional=True,
                    tooltip="From Load CLEAR Nano, or Wan2.1 Fun-Control with a CLEAR LoRA (Load CLEAR, Apply CLEAR "
                    "LoRA).",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="From Load CLEAR Nano for its MODEL; wan_2.1_vae.safetensors for Wan2.1.",
                ),
                io.Conditioning.Input(
                    "positive",
                    optional=True,
                    tooltip="From Load CLEAR Nano for its MODEL; from CLEAR Prompt for Wan2.1.",
                ),
                io.Conditioning.Input(
                    "negative", optional=True, tooltip="Only for cfg other than 1: what should not appear."
                ),
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
                io.Int.Input(
                    "steps",
                    default=5,
                    min=1,
                    max=100,
                    tooltip="Sampling steps a window; time grows with them. 5 for Wan2.1 with CLEAR; 1 for nano, which "
                    "more steps make worse.",
                ),
                io.Float.Input(
                    "cfg",
                    default=1.0,
                    min=0.0,
                    max=20.0,
                    step=0.1,
                    tooltip="Classifier-free guidance, no unit. 1 is off and twice as fast; any other value needs a "
                    "negative CONDITIONING.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**64 - 1,
                    control_after_generate=False,
                    tooltip="Noise of a frame depends on this number and the frame's place in the video alone.",
                ),
                io.Int.Input(
                    "window",
                    default=81,
                    min=5,
                    max=1001,
                    step=4,
                    tooltip="Frames that are cleaned together. Rounded down to 4k + 1. Memory grows with it.",
                ),
                io.Int.Input(
                    "overlap",
                    default=16,
                    min=0,
                    max=996,
                    tooltip="Frames, at least, that neighbouring windows share and are blended over. At most the "
                    "window less 4.",
                ),
                io.Combo.Input(
                    "output",
                    options=["composite", "raw", "preview"],
                    default="composite",
                    tooltip="composite: only the subtitle's pixels are replaced. raw: the model's whole picture. "
                    "preview: the fill alone, "
                    "no sampling, to see in seconds where pixels will change.",
                ),
                io.Combo.Input(
                    "control",
                    options=[AUTO, "as is", "prefilled"],
                    default=AUTO,
                    tooltip="What the model is shown: the frames as is (the paper's way), or with the subtitle filled "
                    "in beforehand. "
                    "auto: prefilled with nano, as is with Wan2.1.",
                ),
                io.Combo.Input(
                    "region",
                    options=[AUTO, "whole frame", "subtitle band"],
                    default=AUTO,
                    tooltip="What of the frame goes through the model. The band around the subtitle is many times "
                    "faster. "
                    "auto: subtitle band with nano, whole frame with Wan2.1, for raw output and for a mask from the "
                    "difference.",
                ),
                io.Combo.Input(
                    "mask_from",
                    options=["prior", "difference"],
                    default="prior",
                    tooltip="Where the replaced pixels are found: by the subtitle prior that is chosen below, or by "
                    "what the model changed.",
                ),
                io.Int.Input(
                    "grow",
                    default=2,
                    min=0,
                    max=64,
                    tooltip="Pixels by which the mask is widened, so that outlines and shadows go too.",
                ),
                io.Int.Input(
                    "feather", default=2, min=0, max=64, tooltip="Pixels over which the mask's edge fades out."
                ),
                io.Combo.Input(
                    "prior",
                    options=[BUNDLED, *prior_files()],
                    default=BUNDLED,
                    optional=True,
                    tooltip="What finds the subtitles: the light prior that comes with the pack, or a file in "
                    "models/clear, such as Train Prior makes.",
                ),
                io.Boolean.Input(
                    "subtitles_only",
                    default=True,
                    optional=True,
                    tooltip="Leave what is marked but does not behave like a subtitle: moves with the scene, lies "
                    "wholly in a corner of the frame, "
                    "or stands under 7 frames. Off: all that the prior marks goes; also for frames that do not follow "
                    "each other.",
                ),
                trained_input(),
            ],
            outputs=[
                io.Image.Output(
                    display_name="IMAGE", tooltip="As many frames as came in, of the same size and number format."
                ),
                io.Mask.Output(
                    display_name="MASK",
                    tooltip="How much of each pixel was replaced, 0 to 1; one mask a frame. With output raw: where the "
                    "subtitle is.",
                ),
            ],
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
        steps,
        cfg,
        seed,
        window,
        overlap,
        output,
        control,
        region,
        mask_from,
        grow,
        feather,
        model=None,
        vae=None,
        positive=None,
        negative=None,
        limit=None,
        protect=None,
        prior=BUNDLED,
        subtitles_only=True,
        trained=None,
    ):
        from ..clear_runtime.options import PREVIEW, RemoveOptions
        from ..clear_runtime.pipeline import remove

        require_frames(images)
        options = RemoveOptions.of(
            steps=steps,
            seed=seed,
            window=window,
            overlap=overlap,
            output=output,
            control=control,
            region=region,
            mask_from=mask_from,
            grow=grow,
            feather=feather,
            subtitles_only=subtitles_only,
        )
        engine = None if output == PREVIEW else comfy_engine(model, vae, positive, negative, cfg, options.engine)
        count, height, width = images.shape[:3]
        device = comfy.model_management.intermediate_device()
        cleaned = torch.empty(count, height, width, 3, dtype=images.dtype, device=device)
        masks = torch.empty(count, height, width, device=device)
        # with --gpu-only ComfyUI keeps images and masks on the card; the runtime joins them with its own, which are not
        # there
        frames = (frame.cpu() for frame in images[..., :3])
        limit, protect = (area if area is None else area.cpu() for area in (limit, protect))
        results = remove(
            frames,
            engine,
            ComfyPrior(chosen_prior(prior, trained)),
            options,
            limit,
            protect,
            total=count,
            on_progress=_on_progress(),
        )
        started = time.monotonic()
        for i, (frame, mask) in enumerate(results):
            cleaned[i], masks[i] = frame, mask
        log.info("%d frames of %dx%d in %.1f s", count, width, height, time.monotonic() - started)
        return io.NodeOutput(cleaned, masks)


def _on_progress():
    """A callback for the remover: one bar over windows and steps, with the frame being cleaned on the node."""
    from ..clear_runtime.media.pictures import to_picture

    advance = progress_bar()

    def on_progress(progress) -> None:
        picture = None if progress.preview is None else ("JPEG", to_picture(progress.preview), _PREVIEW_SIDE)
        advance(progress.done, progress.total, picture)

    return on_progress
