"""The median over a frame and its two neighbours in time."""

import torch
from torch import Tensor


def temporal_median(masks: Tensor) -> Tensor:
    """The median of each frame's mask and its neighbours': single dropouts and flashes go, switching on and off stays
    sharp."""
    around = torch.cat([masks[:1], masks, masks[-1:]])
    return median_of_three(around[:-2], masks, around[2:])


def median_of_three(before: Tensor, now: Tensor, after: Tensor) -> Tensor:
    """Element by element, the middle one of three tensors of a shape."""
    return torch.maximum(torch.minimum(before, after), torch.minimum(torch.maximum(before, after), now))
