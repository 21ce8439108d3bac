"""ComfyUI's optical flow, a RAFT network under its memory manager, as the runtime's."""

from __future__ import annotations

import comfy.model_management
import torch
from comfy_api.latest import io
from torch import Tensor

from ...clear_runtime.errors import ClearError
from .identity import network_identity
from .managed import to_device

PARTS = ("feature_encoder", "context_encoder", "update_block")
"""Of torchvision's RAFT, which is all that ComfyUI's loader takes."""
_ROOM = 2**30
"""Bytes that a batch may take, where one pair of frames alone does not take more."""


def optical_flow_input(use: str = "the fill then borrows pixels of other frames"):
    """use: what is done along it."""
    return io.Custom("OPTICAL_FLOW").Input(
        "optical_flow",
        optional=True,
        tooltip=f"From Load Optical Flow Model (ComfyUI 0.33 or later): {use} along this network's flow instead of the "
        "fill's own.",
    )


def comfy_flow(patcher) -> ComfyFlow | None:
    """The runtime's OpticalFlow of what is linked, or None of nothing. Raises ClearError for what is no RAFT."""
    if patcher is None:
        return None
    network = getattr(patcher, "model", None)
    if not all(hasattr(network, part) for part in PARTS):
        raise ClearError(
            f"optical_flow is a {type(network or patcher).__name__}, not torchvision's RAFT. Connect Load Optical Flow "
            "Model with raft_large, or leave it unconnected."
        )
    return ComfyFlow(patcher)


def flow_identity(patcher) -> dict[str, str]:
    """What a result depends on of it; of none where none is linked. Raises ClearError as comfy_flow does."""
    flow = comfy_flow(patcher)
    return {} if flow is None else {"optical flow": network_identity(flow.patcher.model)}


class ComfyFlow:
    """(first, second) [N, 3, h, w] in 0..1 -> flow [N, 2, h, w] on the CPU; moved to its device when it is asked."""

    def __init__(self, patcher):
        self.patcher = patcher

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        # torch modules that start-up does without
        from ...clear_runtime.fill.raft import Raft, memory

        each = memory(*first.shape[-2:])
        count = max(1, min(len(first), _ROOM // each))
        raft = Raft(self.patcher.model, to_device(self.patcher, count * each))
        done = []
        for pairs in zip(first.split(count), second.split(count)):
            comfy.model_management.throw_exception_if_processing_interrupted()
            done.append(raft(*pairs))
        return torch.cat(done)
