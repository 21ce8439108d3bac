"""Write weights as they are shipped: half precision, whole files only, nothing stored that is constant."""

import json
from pathlib import Path

import torch

from ...checkpoint import write_tensors

LARGE = 1024  # elements from which on a constant tensor is worth leaving out


def save_fp16(path: Path, state: dict[str, torch.Tensor], drop_constants: bool = False) -> None:
    """Floating tensors become float16, counters stay; the file appears under its name only when it is complete.

    drop_constants: large tensors of one value go into the metadata as shape and value (nano.load puts them back): Wan's
    loaders insist on layers that a model with a constant prompt does not use.
    """
    tensors = {k: (v.half() if v.is_floating_point() else v).contiguous().cpu() for k, v in state.items()}
    constants = {}
    if drop_constants:
        for key, value in list(tensors.items()):
            if value.numel() >= LARGE and bool((value == value.flatten()[0]).all()):
                constants[key] = (list(value.shape), value.flatten()[0].item())
                del tensors[key]
    write_tensors(path, tensors, {"constants": json.dumps(constants)} if constants else None)
