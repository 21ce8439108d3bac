"""What HDR was mastered on: the display's primaries and luminance (SMPTE ST 2086), and how bright the film gets (CTA
861.3). Decoders hand it out with frames, FFmpeg's encoders take it as words of their own."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_DISPLAY = "20i2i"
"""AVMasteringDisplayMetadata: ten fractions (red, green, blue, white, each x and y; luminance at least and at most),
then whether the first eight are said, and the last two."""
_CHROMATICITY, _LUMINANCE = 50_000, 10_000
"""Steps of 1, and of a candela per square metre, in the bitstream."""


@dataclass(frozen=True)
class Mastering:
    """red, green, blue, white: x and y; luminance: at most and at least, cd/m2; None where nothing is said of the
    display. brightest: of a pixel, and of a frame on average, cd/m2; None where that is not said."""

    red: tuple[float, float] = (0, 0)
    green: tuple[float, float] = (0, 0)
    blue: tuple[float, float] = (0, 0)
    white: tuple[float, float] = (0, 0)
    luminance: tuple[float, float] | None = None
    brightest: tuple[int, int] | None = None

    def told(self, encoder: str) -> str:
        """As an encoder takes it among its parameters; "" for one that does not."""
        words = _WORDS.get(encoder)
        if words is None:
            return ""
        display, light, whole = words
        said = []
        if self.luminance is not None:
            named = (("G", self.green), ("B", self.blue), ("R", self.red), ("WP", self.white), ("L", self.luminance))
            steps = [_LUMINANCE if name == "L" else _CHROMATICITY for name, _ in named]
            shown = [
                (name, *(str(round(one * step)) if whole else f"{one:.6g}" for one in pair))
                for (name, pair), step in zip(named, steps)
            ]
            said.append(f"{display}={''.join(f'{name}({x},{y})' for name, x, y in shown)}")
        if self.brightest is not None:
            said.append(f"{light}={self.brightest[0]},{self.brightest[1]}")
        return ":".join(said)


_WORDS = {
    "libx264": ("mastering-display", "cll", True),
    "libx265": ("master-display", "max-cll", True),
    "libsvtav1": ("mastering-display", "content-light", False),
}
"""Encoder -> its words for the display and the light, and whether it counts the display in the bitstream's steps."""


def mastering_of(frame) -> Mastering | None:
    """What a decoded frame says; None where it says nothing."""
    kept = {one.type.name: bytes(one) for one in frame.side_data}
    display, light = kept.get("MASTERING_DISPLAY_METADATA"), kept.get("CONTENT_LIGHT_LEVEL")
    places, brightest = [(0.0, 0.0)] * 4, None
    luminance: tuple[float, float] | None = None
    if display is not None and len(display) >= struct.calcsize(_DISPLAY):
        *numbers, has_places, has_luminance = struct.unpack_from(_DISPLAY, display)
        values = [top / (bottom or 1) for top, bottom in zip(numbers[::2], numbers[1::2])]
        if has_places and has_luminance:
            places = list(zip(values[:8:2], values[1:8:2]))
            luminance = values[9], values[8]
    if light is not None and len(light) >= 8:
        most, average = struct.unpack_from("2I", light)
        brightest = (most, average) if most or average else None
    if luminance is None and brightest is None:
        return None
    red, green, blue, white = places
    return Mastering(red, green, blue, white, luminance, brightest)
