"""The pack's own networks under ComfyUI's memory manager, which moves them to the GPU when they are called and off it
when it must."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor

_ROOM = 2**30
"""Bytes that a batch of the prior's frames may take, where one frame alone does not take more: larger ones would push
other models off the card."""


def managed(module: torch.nn.Module):
    """A ModelPatcher around a module of our own. Looked up at each call, because newer ComfyUI versions rebind the
    class."""
    return comfy.model_patcher.ModelPatcher(
        module,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


def to_device(patcher, memory: int) -> torch.device:
    """Bring a whole module to its device with so many bytes free beside it; returns the device."""
    comfy.model_management.load_models_gpu([patcher], memory_required=memory, force_full_load=True)
    return torch.device(patcher.load_device)


@contextmanager
def passing(patcher, kept) -> Iterator[None]:
    """While a module is needed for a moment beside others that compute: it leaves its device at the end, and `kept`
    does not leave it in between.

    patcher, kept: ModelPatchers. ComfyUI makes room for what it loads out of its list of loaded models; what is not on
    the list stays where it is. Whose weights somebody else is using would free nothing by leaving, and have a second
    copy.
    """
    loaded = comfy.model_management.current_loaded_models
    aside = [one for one in loaded if one.model is not None and (one.model is kept or kept.is_clone(one.model))]
    _leave_out(loaded, aside)
    try:
        yield
    finally:
        gone = [one for one in loaded if one.model is patcher]
        for one in gone:
            one.model_unload()
        _leave_out(loaded, gone)
        loaded.extend(aside)
        comfy.model_management.soft_empty_cache()


def _leave_out(loaded: list, ones: list) -> None:
    """Take entries off ComfyUI's list in place; they compare by their model, which may be gone."""
    loaded[:] = [entry for entry in loaded if not any(entry is one for one in ones)]


class ComfyPrior:
    """The runtime's Prior, moved to its device when it sees frames [T, H, W, 3] -> soft masks [T, H, W] on the CPU."""

    def __init__(self, prior):
        self.prior, self.patcher, self.most, self.long_side = prior, managed(prior.model), prior.batch, prior.long_side

    def __call__(self, frames: Tensor) -> Tensor:
        """One look at frames of any size."""
        from ...clear_runtime.find.priors.predict import at_own_scale  # torch modules that start-up does without

        return at_own_scale(self.sees, frames, self.long_side, self.most)

    def sees(self, frames: Tensor) -> Tensor:
        """The same at the size that the frames have."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        each = self.prior.memory(*frames.shape[1:3])
        wanted = max(1, min(self.most, _ROOM // each))
        self.prior.device = to_device(self.patcher, wanted * each)
        # where more could not be freed, smaller batches do
        self.prior.batch = max(1, min(wanted, int(comfy.model_management.get_free_memory(self.prior.device) // each)))
        return self.prior.sees(frames)
