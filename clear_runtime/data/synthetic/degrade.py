"""What happens to a frame after the text was burned in: scaling, sharpening, compression, few colours."""

import io
import random
from fractions import Fraction

import numpy as np
from PIL import Image, ImageFilter

try:  # an encoder's own blocks and blurs where there is one; JPEG's are near enough where there is none
    import av
except ImportError:
    av = None  # type: ignore[assignment]  # said by its being None

_RESAMPLINGS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def degraded(frame: Image.Image, rng: random.Random, smallest: float = 32.0) -> Image.Image:
    """An RGB frame as it is seen in the end. smallest: em in pixels of the smallest letters, which must stay
    letters."""
    if rng.random() < 0.25:
        least = 0.75 if smallest < 14 else 0.55 if smallest < 24 else 0.35 if smallest < 50 else 0.2
        frame = _rescaled(frame, rng, rng.uniform(least, 0.95))
    if rng.random() < 0.1:
        frame = frame.filter(ImageFilter.UnsharpMask(rng.uniform(0.6, 1.6), rng.randrange(60, 180), 0))
    if rng.random() < 0.03:
        return _few_colours(frame, rng)
    if rng.random() < 0.04 and av and min(frame.size) >= 32:
        return encoded(frame, rng.randrange(26, 39))
    if rng.random() < 0.55:
        low = 30 if smallest < 14 else 12
        frame = compressed(frame, round(low + (95 - low) * rng.random() ** 0.8), rng.choice((2, 2, 2, 0)))
    return frame


def _rescaled(frame: Image.Image, rng: random.Random, factor: float) -> Image.Image:
    small = max(8, round(frame.width * factor)), max(8, round(frame.height * factor))
    return frame.resize(small, rng.choice(_RESAMPLINGS)).resize(frame.size, rng.choice(_RESAMPLINGS))


def compressed(frame: Image.Image, quality: int, subsampling: int) -> Image.Image:
    """JPEG. subsampling: 0 for full colour, 2 for colour at half the size, as in video."""
    buffer = io.BytesIO()
    frame.save(buffer, "jpeg", quality=quality, subsampling=subsampling)
    return Image.open(buffer).convert("RGB")


def _few_colours(frame: Image.Image, rng: random.Random) -> Image.Image:
    """As GIFs have them, with dither."""
    dither = rng.choice((Image.Dither.FLOYDSTEINBERG, Image.Dither.NONE))
    return frame.quantize(rng.choice((32, 64, 128, 256)), Image.Quantize.FASTOCTREE, dither=dither).convert("RGB")


def encoded(frame: Image.Image, crf: int) -> Image.Image:
    """x264's key frame at a constant rate factor."""
    width, height = frame.width // 2 * 2, frame.height // 2 * 2
    coder = av.CodecContext.create("libx264", "w")
    coder.width, coder.height, coder.pix_fmt, coder.time_base = width, height, "yuv420p", Fraction(1, 25)
    coder.options, coder.thread_count = {"crf": str(crf), "preset": "ultrafast", "tune": "zerolatency"}, 1
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.asarray(frame)[:height, :width]), format="rgb24")
    packets = [*coder.encode(picture), *coder.encode(None)]
    reader = av.CodecContext.create("h264", "r")
    reader.extradata, reader.thread_count = coder.extradata, 1
    shown = [f for p in packets for f in reader.decode(p)] + list(reader.decode(None))
    out = frame.copy()
    out.paste(Image.fromarray(shown[0].to_ndarray(format="rgb24")))
    return out
