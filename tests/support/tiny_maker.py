"""The generator of random pairs with one picture and the font inside Pillow, for tests that need no downloaded data."""

import numpy as np
from PIL import Image

from clear_runtime.data.synthetic import sources
from clear_runtime.data.synthetic.pairs import PairMaker
from clear_runtime.data.synthetic.scripts import TRAINED


def tiny_maker(folder, monkeypatch, scripts=TRAINED) -> PairMaker:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8))
    coarse.resize((640, 360), Image.Resampling.BICUBIC).save(folder / "picture.png")
    sprite = np.zeros((40, 40, 4), np.uint8)
    sprite[8:32, 8:32] = (200, 60, 20, 255)
    Image.fromarray(sprite).save(folder / "sprite.png")
    monkeypatch.setattr(sources, "pictures", lambda *_: [folder / "picture.png"])
    monkeypatch.setattr(sources, "sprites", lambda *_: [folder / "sprite.png"])
    monkeypatch.setattr(sources, "fonts", lambda *_: [])
    maker = PairMaker(folder, scripts=scripts)
    maker.fonts = {script: [(None, 0)] for script in TRAINED}
    return maker
