"""What the Train CLEAR LoRA node is given in tests: small, in memory."""

import tiny_wan
import torch
from tiny_pairs import clip


class Pairs:
    """Two short clips in memory; the second is the one with more letters."""

    def __init__(self, frames=5, count=2):
        from clear_pack.clear_runtime.data.clips import Clip

        made = [clip(frames, text, seed) for seed, text in zip(range(count), ("Rain", "Thunder", "Hail"))]
        self.clips = [
            Clip(*(torch.from_numpy(part).float() / 255 for part in (subtitled, clean))) for clean, subtitled in made
        ]
        self.identities = [f"{i} {frames}" for i in range(count)]
        self.sizes, self.held_back = [tuple(self.clips[0].clean.shape[:3])], 1

    def read(self, wanted):
        for i in wanted:
            yield i, self.clips[i]

    def __str__(self):
        return f"{len(self.clips)} clips in memory"


class Vae:
    """Wan2.1's VAE with few channels."""

    def __new__(cls):
        import comfy.sd

        return comfy.sd.VAE(sd=tiny_wan.vae_state(), dtype=torch.float32)
