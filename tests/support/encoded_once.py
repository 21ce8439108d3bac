"""Training clips that many tests encode are encoded once."""

import hashlib

import torch

_KNOWN: dict = {}
"""Of all tests of a process: what a clip became, by its frames and by what encoded it."""


def remember(monkeypatch, cache) -> None:
    """The module train/lora/cache.py encodes no clip twice with one kind of codec and of prior, wherever it is to be
    kept; in the inference mode of a node, once more. What that gives is tested in tests/train/lora/test_cache.py;
    others are about what is done with it."""
    encode = cache._encoded

    def encoded(clip, codec, prior, seed=None):
        frames = b"".join(part.contiguous().numpy().tobytes() for part in (clip.subtitled, clip.clean))
        made_by = type(codec), type(prior), seed, torch.is_inference_mode_enabled()
        key = hashlib.sha256(frames).hexdigest(), tuple(clip.subtitled.shape), made_by
        if key not in _KNOWN:
            _KNOWN[key] = encode(clip, codec, prior, seed)
        return dict(_KNOWN[key])

    monkeypatch.setattr(cache, "_encoded", encoded)
