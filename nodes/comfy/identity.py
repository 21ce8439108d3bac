"""Words that change when the weights behind ComfyUI's objects do: a film's run that was stopped goes on only with the
same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from .kinds import MINIMAX_MARK

SAMPLES = 16
"""Values that are read of each tensor: another file, another LoRA or another strength changes some."""


def model_identity(model) -> str:
    """Of a MODEL's weights, of the patches on them, and of what was chosen where it was loaded."""
    if model is None:
        return "none"
    network = getattr(model.model, "diffusion_model", None)
    weights = {} if network is None else dict(network.named_parameters())
    return _digest(weights, getattr(model, "patches", {}), model.get_attachment(MINIMAX_MARK))


def vae_identity(vae) -> str:
    network = getattr(vae, "first_stage_model", None)
    return "none" if network is None else network_identity(network)


def network_identity(network) -> str:
    return _digest(dict(network.named_parameters()))


def conditioning_identity(*conditionings) -> str:
    return _digest(*conditionings)


def _digest(*values) -> str:
    digest = hashlib.sha256()
    for value in values:
        _feed(digest, value)
    return digest.hexdigest()[:16]


def _feed(digest, value) -> None:
    if isinstance(value, torch.Tensor):
        _feed_tensor(digest, value)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            digest.update(str(key).encode())
            _feed(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(f"[{len(value)}".encode())
        for one in value:
            _feed(digest, one)
    elif isinstance(value, (str, int, float, bool, type(None))):
        digest.update(repr(value).encode())
    else:  # an adapter of ComfyUI's
        digest.update(type(value).__name__.encode())
        _feed(digest, getattr(value, "weights", None))


def _feed_tensor(digest, tensor: torch.Tensor) -> None:
    digest.update(f"{tuple(tensor.shape)}{tensor.dtype}".encode())
    if tensor.device.type == "meta" or not tensor.numel():
        return
    flat = tensor.detach().reshape(-1)
    some = flat[:: max(1, flat.numel() // SAMPLES)][:SAMPLES]
    digest.update(some.float().cpu().numpy().tobytes())
