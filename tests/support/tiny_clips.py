"""Small training clips in memory, and the latents that the bundled codec and prior make of them."""

import torch
from tiny_pairs import clip

from clear_runtime.data.clips import Clip
from clear_runtime.data.synthetic.burn import Style
from clear_runtime.engines.nano.load import load_bundled_codec
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.lora.cache import LatentClips, encode_clips

HEIGHT, WIDTH, STYLE = 96, 192, Style(size=22, stroke=2)
CONTEXT = torch.zeros(1, 1, 4096)


class MemoryClips:
    """Clips of 5 frames of 192x96 pixels, one for each seed, in letters that the bundled prior knows."""

    sizes, held_back = ((5, HEIGHT, WIDTH),), 1

    def __init__(self, count=1, text="Rain falls here"):
        self.text, self.identities, self.reads = text, [f"{text} {n}" for n in range(count)], []

    def read(self, wanted):
        for n in wanted:
            self.reads.append(n)
            clean, subtitled = (
                torch.from_numpy(frames).float() / 255
                for frames in clip(5, self.text, seed=n, height=HEIGHT, width=WIDTH, style=STYLE)
            )
            yield n, Clip(subtitled, clean)


def encoded(folder, count=1):
    return encode_clips(folder, MemoryClips(count), load_bundled_codec(), load_prior(), "test")


def latent_clips(folder, count=1, crop=(5, HEIGHT, WIDTH), control="as is", **options):
    return LatentClips(encoded(folder, count), 4, crop, control, **options)
