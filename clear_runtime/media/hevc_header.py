"""HEVC's sequence parameter set, up to where its colour samples lie (ITU-T H.265, 7.3.2.2, 7.3.3, 7.3.4, 7.3.7 and
E.2.1)."""

from __future__ import annotations

from .bits import Bits, of_vui

_FINEST = 3
"""chroma_format_idc of 4:4:4."""
_LONGEST = 64
"""Sets of reference pictures at most."""


def chroma_location(bits: Bits) -> int | None:
    """chroma_sample_loc_type, from behind the unit's header on; None where it is not said. Raises IndexError for a
    header that is cut, or none."""
    bits.take(4)
    layers = bits.take(3) + 1
    bits.take()
    _skip_profile(bits, layers)
    bits.golomb()
    if bits.golomb() == _FINEST:
        bits.take()
    bits.golomb(2)
    if bits.take():  # cropped
        bits.golomb(4)
    bits.golomb(2)
    counted = bits.golomb() + 4
    bits.golomb(3 * (layers if bits.take() else 1))
    bits.golomb(6)
    if bits.take() and bits.take():
        _skip_scaling_lists(bits)
    bits.take(2)
    if bits.take():  # samples as they are
        bits.take(8)
        bits.golomb(2)
        bits.take()
    _skip_reference_sets(bits)
    if bits.take():  # long-term references
        for _ in range(bits.golomb()):
            bits.take(counted + 1)
    bits.take(2)
    return of_vui(bits) if bits.take() else None


def _skip_profile(bits: Bits, layers: int) -> None:
    bits.take(96)
    there = [(bits.take(), bits.take()) for _ in range(layers - 1)]
    if layers > 1:
        bits.take(2 * (9 - layers))
    for profile, level in there:
        bits.take(88 * profile + 8 * level)


def _skip_scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not bits.take():
                bits.golomb()
                continue
            bits.golomb((size > 1) + min(64, 1 << (4 + 2 * size)))  # signed ones are as long


def _skip_reference_sets(bits: Bits) -> None:
    """Each lists how far its pictures are, those before and those after from the nearest on, or how it follows from the
    set in front of it."""
    count, distances = bits.golomb(), list[int]()
    if count > _LONGEST:
        raise IndexError("no sequence parameter set")
    for number in range(count):
        followed = number and bits.take()
        distances = _following(bits, distances) if followed else _listed(bits)


def _listed(bits: Bits) -> list[int]:
    before, after = bits.golomb(), bits.golomb()
    found: list[int] = []
    for sign, many in ((-1, before), (1, after)):
        at = 0
        for _ in range(many):
            at += sign * (bits.golomb() + 1)
            bits.take()
            found.append(at)
    return found


def _following(bits: Bits, distances: list[int]) -> list[int]:
    back = bits.take()
    moved = (bits.golomb() + 1) * (-1 if back else 1)
    # of each picture, and of the one that refers to them: whether it is used, else whether it is kept
    kept = [one + moved for one in (*distances, 0) if bits.take() or bits.take()]
    return sorted((one for one in kept if one < 0), reverse=True) + sorted(one for one in kept if one > 0)
