"""A small MiniMax-Remover with known weights, and known inputs for it. Made of a counter-based generator, so that they
are the same wherever the published code is run to be compared with."""

import numpy as np
import torch

WIDTH, FFN, BLOCKS, CHANNELS, FREQUENCIES = 256, 384, 2, 48, 256
SHIFT, STEPS = 3.0, 6


def state(seed: int = 0, width: int = WIDTH, ffn: int = FFN, blocks: int = BLOCKS) -> dict[str, torch.Tensor]:
    """Weights in Wan's own names, float32."""
    shapes = {
        "patch_embedding.weight": (width, CHANNELS, 1, 2, 2),
        "patch_embedding.bias": (width,),
        **_linear("time_embedding.0", FREQUENCIES, width),
        **_linear("time_embedding.2", width, width),
        **_linear("time_projection.1", width, 6 * width),
        **_linear("head.head", width, 64),
        "head.modulation": (1, 2, width),
    }
    for i in range(blocks):
        block = f"blocks.{i}"
        for part in "qkvo":
            shapes |= _linear(f"{block}.self_attn.{part}", width, width)
        shapes |= {f"{block}.self_attn.norm_{part}.weight": (width,) for part in "qk"}
        shapes |= _linear(f"{block}.ffn.0", width, ffn) | _linear(f"{block}.ffn.2", ffn, width)
        shapes[f"{block}.modulation"] = (1, 6, width)
    return {name: _value(seed, number, name, shape) for number, (name, shape) in enumerate(sorted(shapes.items()))}


def inputs(seed: int = 1, frames: int = 3, height: int = 8, width: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise [1, 16, t, h, w] and the 32 further channels, in model space."""
    return _normal(seed, 0, (1, 16, frames, height, width)), _normal(seed, 1, (1, 32, frames, height, width))


def _linear(name: str, inside: int, outside: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outside, inside), f"{name}.bias": (outside,)}


def _value(seed: int, number: int, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    noise = _normal(seed, number, shape)
    if ".norm_" in name:
        return 1 + 0.2 * noise
    return noise * (0.1 if len(shape) == 1 or "modulation" in name else 1.5 * np.prod(shape[1:]) ** -0.5)


def _normal(seed: int, number: int, shape: tuple[int, ...]) -> torch.Tensor:
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, number], np.uint64)))
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))
