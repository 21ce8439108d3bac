"""Masks of the user's that jump: a segmenter follows an object, takes another one for it over a few frames, and comes
back. Over those frames the object is put where its own movement before and after says that it is, and the other one is
left alone.

Judged are the masks themselves, object by object, small; and the frames, where they are at hand, for another shot shows
another object rightly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from ..frames.checks import checked
from ..frames.region import Region
from .align import overlap
from .look import resized, to_levels
from .shots import is_cut

SIDE = 256
"""Pixels of the longer side at which masks are judged."""
TOGETHER = 6
"""Pixels of these within which parts are one object: the letters of a word."""
NEAR = 0.5
"""Of an object's shorter side: how far it may be from where it is expected."""
ALIKE = 2.0
"""How many times the size of an object it has at most when it comes back."""
MANY = 32
"""Objects in a frame, of which more are no objects that anybody follows."""
PAST = 5
"""Frames that tell an object's movement."""


@dataclass(frozen=True)
class _Object:
    """label: its number in the frame's map of objects."""

    label: int
    region: Region
    size: int

    @property
    def centre(self) -> np.ndarray:
        """(down, right)."""
        at = self.region
        return np.array([at.top + at.height / 2, at.left + at.width / 2])

    def at(self, centre: np.ndarray) -> Region:
        """Its rectangle around another centre, with the room that it is searched for in."""
        room = 1 + round(NEAR * min(self.region.height, self.region.width))
        top, left = (round(x) for x in centre - self.centre)
        at = Region(self.region.top + top, self.region.left + left, self.region.height, self.region.width)
        return Region.between(at.top - room, at.left - room, at.bottom + room, at.right + room)


@dataclass(frozen=True)
class _Gap:
    """Frames first <= t < stop without an object. before, after: the object in the frame before, and in frame stop."""

    first: int
    stop: int
    before: _Object
    after: _Object

    def centre(self, t: float) -> np.ndarray:
        """Where it is at frame t, between the two."""
        share = (t - self.first + 1) / (self.stop - self.first + 1)
        return self.before.centre + share * (self.after.centre - self.before.centre)


def without_jumps(
    mask: Tensor, most: int, cut: Callable[[int], bool] = lambda t: False
) -> tuple[Tensor, list[tuple[int, int]]]:
    """A mask [T, H, W] in 0..1 without its jumps, and where these were: (first, stop) of frames. As it came where there
    is none. most: frames that a jump lasts at most; 0 looks for none. cut: whether another shot begins with frame t.

    What appears, ends, moves evenly or stays where it went is no jump: the object has to be gone, another one there
    instead in half of the frames at least, and both back as they were. A mask of many specks is left alone.
    """
    if mask.dim() != 3 or len(mask) < 3 or not most:
        return mask, []
    maps = [_map_of(one) for one in mask]
    objects = [_objects(one) for one in maps]
    if max(map(len, objects)) > MANY:
        return mask, []
    out, found = mask, []
    for first in range(1, len(mask)):
        for gone in _missing(objects[first - 1], objects[first]):
            gap = _gap(objects, first, gone, most)
            if gap is None or cut(gap.first) or cut(gap.stop):
                continue
            strays = [_strays(objects[t], gap, t, objects) for t in range(gap.first, gap.stop)]
            if 2 * sum(map(bool, strays)) < len(strays):
                continue
            out = mask.clone() if out is mask else out
            for t, others in zip(range(gap.first, gap.stop), strays):
                out[t] *= ~_part(maps[t], others, mask.shape[1:])
                out[t] = out[t].maximum(_held(mask, maps, gap, t))
            found.append((gap.first, gap.stop))
    return out, _joined(found)


def cuts_of(frames: Iterable[Tensor]) -> Callable[[int], bool]:
    """Whether another shot begins with a frame, of a video of frames [H, W, 3] that any can be taken from; of others
    nothing is known."""

    def cut(t: int) -> bool:
        if not isinstance(frames, Tensor | Sequence) or not 0 < t < len(frames):
            return False
        before, after = (_small(frame) for frame in checked(frames[t - 1 : t + 1]))
        return is_cut(before, after)

    return cut


def _small(frame: Tensor) -> np.ndarray:
    ratio = min(1.0, SIDE / max(frame.shape[:2]))
    height, width = (max(1, round(side * ratio)) for side in frame.shape[:2])
    return to_levels(resized(frame, (height, width)))


def _map_of(mask: Tensor) -> np.ndarray:
    """The objects of a mask [H, W], small: 0 for none, and a number for each."""
    ratio = SIDE / max(mask.shape)
    size = tuple(max(1, round(side * ratio)) for side in mask.shape)
    small = F.adaptive_max_pool2d((mask > 0.5)[None].float(), size)[0] if ratio < 1 else (mask > 0.5).float()
    there = small.numpy() > 0
    wide = ndimage.maximum_filter(there, TOGETHER + 1)
    return np.asarray(ndimage.label(wide)[0], dtype=np.uint16) * there


def _objects(labels: np.ndarray) -> list[_Object]:
    sizes = np.bincount(labels.ravel())
    return [
        _Object(n, Region.between(at[0].start, at[1].start, at[0].stop, at[1].stop), int(sizes[n]))
        for n, at in enumerate(ndimage.find_objects(labels), 1)
        if at is not None
    ]


def _same(one: _Object, other: _Object, centre: np.ndarray) -> bool:
    """Whether an object that is expected around `centre` is the other one."""
    return overlap(one.at(centre), other.region) is not None


def _missing(before: Sequence[_Object], after: Sequence[_Object]) -> list[_Object]:
    return [one for one in before if not any(_same(one, other, one.centre) for other in after)]


def _gap(objects: Sequence[list[_Object]], first: int, gone: _Object, most: int) -> _Gap | None:
    """From frame `first` on an object is gone: until where it is back."""
    move = _movement(objects, first - 1, gone)
    for t in range(first, min(first + most + 1, len(objects))):
        expected = gone.centre + (t - first + 1) * move
        back = [one for one in objects[t] if _same(gone, one, expected)]
        if back:
            alike = max(back, key=lambda one: one.size)
            fits = max(alike.size, gone.size) <= ALIKE * min(alike.size, gone.size)
            return _Gap(first, t, gone, alike) if fits and t > first else None
    return None


def _movement(objects: Sequence[list[_Object]], t: int, one: _Object) -> np.ndarray:
    """(down, right) a frame of an object of frame t, in the frames before it."""
    first = last = one
    frames = 0
    for earlier in range(t - 1, max(-1, t - 1 - PAST), -1):
        same = [other for other in objects[earlier] if _same(last, other, last.centre)]
        if not same:
            break
        last, frames = max(same, key=lambda other: other.size), frames + 1
    return (first.centre - last.centre) / max(1, frames)


def _strays(here: Sequence[_Object], gap: _Gap, t: int, objects: Sequence[list[_Object]]) -> list[_Object]:
    """What stands in frame t of a gap alone: neither in the frame before the gap nor in the one after it."""
    beside = [*objects[gap.first - 1], *objects[gap.stop]]
    return [one for one in here if not any(_same(one, other, one.centre) for other in beside)]


def _part(labels: np.ndarray, objects: Sequence[_Object], size: tuple[int, ...]) -> Tensor:
    """The pixels around some objects of a map, at the masks' own size [H, W] bool."""
    chosen = ndimage.maximum_filter(np.isin(labels, [one.label for one in objects]), 3)  # with their soft edges
    return F.interpolate(torch.from_numpy(chosen)[None, None].float(), tuple(size))[0, 0] > 0


def _held(mask: Tensor, maps: Sequence[np.ndarray], gap: _Gap, t: int) -> Tensor:
    """The object's mask [H, W] in frame t of its gap: that of the nearer end, moved to where it is."""
    nearer_first = t - gap.first + 1 <= gap.stop - t
    frame, one = (gap.first - 1, gap.before) if nearer_first else (gap.stop, gap.after)
    alone = mask[frame] * _part(maps[frame], [one], mask.shape[1:])
    ratio = np.array(mask.shape[1:]) / maps[frame].shape
    down, right = (round(x) for x in (gap.centre(t) - one.centre) * ratio)
    return _moved(alone, down, right)


def _moved(mask: Tensor, down: int, right: int) -> Tensor:
    height, width = mask.shape
    out = torch.zeros_like(mask)
    if abs(down) < height and abs(right) < width:
        to, of = (
            (slice(max(0, d), size + min(0, d)), slice(max(0, -d), size - max(0, d)))
            for d, size in ((down, height), (right, width))
        )
        out[to[0], of[0]] = mask[to[1], of[1]]
    return out


def _joined(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in order, those that touch or overlap as one."""
    out: list[tuple[int, int]] = []
    for first, stop in sorted(found):
        if out and first <= out[-1][1]:
            out[-1] = out[-1][0], max(stop, out[-1][1])
        else:
            out.append((first, stop))
    return out
