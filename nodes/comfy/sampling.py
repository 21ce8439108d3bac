"""A MODEL of Wan's shape, sampled through ComfyUI with the runtime's own sigmas and samplers."""

from __future__ import annotations

import comfy.model_management
import comfy.model_sampling
import comfy.sample
import comfy.samplers
import torch
from torch import Tensor

from ...clear_runtime.engines.options import EULER
from ...clear_runtime.engines.sampling import Known, OnStep, sample
from ...clear_runtime.engines.schedule import SHIFT
from ...clear_runtime.wan import TIMESTEPS

_OTHER_CONDITIONS = ("concat_mask", "reference_latents", "time_dim_concat", "context_latents")
"""What other Wan nodes put into a CONDITIONING and ComfyUI's Wan would read beside our own channels."""


class ComfySampling:
    """A MODEL, on a clone whose timesteps are Wan's. positive, negative: CONDITIONING. shift: of the schedule that the
    sigmas are from, for patches that hold for a share of it. extra: what goes into both conditionings beside the
    channels."""

    def __init__(self, model, positive, cfg: float = 1.0, negative=None, shift: float = SHIFT, **extra):
        self.model, self.positive, self.cfg, self.extra = model.clone(), positive, cfg, extra
        self.negative = positive if negative is None else negative  # with cfg 1 ComfyUI skips the negative
        self.model.add_object_patch("model_sampling", _flow_sampling(self.model.model.model_config, shift))
        self.latent_format = self.model.get_model_object("latent_format")

    def sample(
        self,
        noise: Tensor,
        condition: Tensor,
        sigmas: Tensor,
        sampler: str = EULER,
        on_step: OnStep | None = None,
        known: Known | None = None,
    ) -> Tensor:
        """Clean latents [1, 16, t, h, w], all in model space. condition [1, c, t, h, w]: the network's further
        channels, c a multiple of 16. sampler: one of sampling.SAMPLERS; the rest as sampling.sample has it."""

        def callback(step, x0, x, total):
            comfy.model_management.throw_exception_if_processing_interrupted()
            if on_step is not None:
                on_step(step + 1, total)

        # ComfyUI brings each 16 channels to model space itself, so they are handed over in the VAE's own space
        raw = torch.cat([self.latent_format.process_out(part) for part in condition.split(noise.shape[1], 1)], 1)
        latents = comfy.sample.sample_custom(
            self.model,
            noise,
            self.cfg,
            _sampler(sampler, known),
            sigmas,
            self._conditioned(self.positive, raw),
            self._conditioned(self.negative, raw),
            torch.zeros_like(noise),
            callback=callback,
            disable_pbar=True,
            seed=0,
        )
        return self.latent_format.process_in(latents.float().cpu())

    def _conditioned(self, conditioning, condition: Tensor):
        """The CONDITIONING with the further channels, in the VAE's own space."""
        return [
            [
                text,
                {
                    **{key: value for key, value in extra.items() if key not in _OTHER_CONDITIONS},
                    "concat_latent_image": condition.clone(),
                    **self.extra,
                },
            ]
            for text, extra in conditioning
        ]


def _sampler(name: str, known: Known | None):
    """One of the runtime's samplers as ComfyUI calls them."""

    def run(model, x, sigmas, extra_args=None, callback=None, disable=None):
        each = x.new_ones([len(x)])
        velocity = lambda latents, sigma: (latents - model(latents, sigma * each, **(extra_args or {}))) / sigma
        noise = x / sigmas[0]  # which ComfyUI has scaled by it
        return sample(
            velocity,
            noise,
            sigmas,
            name,
            None if known is None else known.to(x),
            lambda step, _: callback({"i": step - 1, "x": x, "denoised": x}),
        )

    return comfy.samplers.KSAMPLER(run)


def _flow_sampling(config, shift: float):
    class FlowSampling(comfy.model_sampling.ModelSamplingDiscreteFlow, comfy.model_sampling.CONST):
        pass

    sampling = FlowSampling(config)
    sampling.set_parameters(shift=shift, multiplier=TIMESTEPS)
    return sampling
