"""What an opaque box is in one frame: an area of one colour, close around letters, with straight ends on all sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from ...frames.hull import hull
from ...frames.region import Region
from .options import OpaqueOptions

Place = tuple[slice, slice]
_SQUARE = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class PlainBox:
    """A box in a frame. shape [h, w] bool: what of its region belongs to it, softened edges included. plain [h, w]
    bool: what of that has its colour [3], in levels of 255. whole: no letter is on its edges, as one may be while it
    moves from word to word. jumps: levels by which its colour may change meanwhile."""

    region: Region
    shape: np.ndarray
    plain: np.ndarray
    colour: np.ndarray
    whole: bool
    jumps: int

    @property
    def size(self) -> int:
        """Pixels of its rectangle."""
        return self.region.height * self.region.width

    def meets(self, other: PlainBox) -> bool:
        """Whether they overlap by more than their soft edges do where they stand side by side."""
        a, b = self.region, other.region
        down, across = min(a.bottom, b.bottom) - max(a.top, b.top), min(a.right, b.right) - max(a.left, b.left)
        return down > 0.3 * min(a.height, b.height) and across > 0.3 * min(a.width, b.width)

    def follows(self, other: PlainBox) -> bool:
        """Whether both may be one box in frames that follow one another: of one colour, at one height."""
        a, b = self.region, other.region
        beside = min(a.bottom, b.bottom) - max(a.top, b.top) > 0.5 * min(a.height, b.height)
        return bool(beside and np.abs(self.colour - other.colour).max() <= self.jumps)


@dataclass(frozen=True)
class View:
    """A window of a frame. planes [3, h, w] uint8: its levels. marks [h / step, w / step] bool: in every `step`-th
    pixel of every `step`-th row, which is enough to find a box. size: of the whole frame."""

    planes: np.ndarray
    marks: np.ndarray
    step: int
    window: Region
    size: tuple[int, int]
    options: OpaqueOptions

    @cached_property
    def coarse(self) -> np.ndarray:
        return np.ascontiguousarray(self.planes[:, :: self.step, :: self.step])

    @property
    def smallest(self) -> int:
        return max(4, self.options.smallest // self.step)

    def goes_on(self, place: Place) -> bool:
        """Whether a thing goes on beyond the window, or ends with the frame on more than one side."""
        down, across = place
        height, width = self.marks.shape
        beyond = (down.start == 0, across.start == 0, down.stop == height, across.stop == width)
        window = self.window
        at_frame = (window.top == 0, window.left == 0, window.bottom == self.size[0], window.right == self.size[1])
        return sum(beyond) > 1 or any(out and not at for out, at in zip(beyond, at_frame))


def alike(planes: np.ndarray, colour: np.ndarray, levels: int) -> np.ndarray:
    """Which pixels of planes [3, ...] uint8 are within so many levels of a colour [3]: [...] bool."""
    low, high = (np.clip(colour + by, 0, 255).astype(np.uint8) for by in (-levels, levels))
    red, green, blue = ((plane >= a) & (plane <= b) for plane, a, b in zip(planes, low, high))
    return red & green & blue


def boxes_in(view: View, near: Region) -> Iterator[PlainBox]:
    """The boxes in a window of a frame, of the colours in `near`, its part with the marks."""
    for colour in colours_of(view.planes[:, near.rows, near.columns], view.options, view.options.seen):
        labels, count = ndimage.label(alike(view.coarse, colour, view.options.alike))
        large = np.bincount(labels.ravel(), minlength=count + 1)[1:] >= view.smallest**2
        places = ndimage.find_objects(labels)
        for n in np.flatnonzero(large):
            area = labels[places[n]] == n + 1
            box = _box(area, places[n], colour, view) or _body_box(area, places[n], colour, view)
            if box is not None:
                yield box


def colours_of(planes: np.ndarray, options: OpaqueOptions, seen: float) -> Iterator[np.ndarray]:
    """The most frequent colours [3] of planes [3, h, w] uint8, in levels of 255: those of at least a share `seen`."""
    step = max(1, round((planes[0].size / 8192) ** 0.5))  # so many pixels tell enough
    pixels = planes[:, ::step, ::step].reshape(3, -1)
    total = pixels.shape[1]
    for _ in range(options.colours):
        if pixels.shape[1] < seen * total:
            return
        bins = []
        for shift in (0, 8):  # bins of 16 levels: what lies on a boundary of one grid is in the middle of the other's
            code = np.ravel_multi_index(tuple((pixels.astype(np.int32) + shift) >> 4), (17, 17, 17))
            counts = np.bincount(code)
            bins.append((counts.max(), code == counts.argmax()))
        within = max(bins, key=lambda one: one[0])[1]
        colour = np.median(pixels[:, within], 1)
        same = alike(pixels, colour, options.alike)
        colour = np.median(pixels[:, same], 1).astype(np.int32) if same.any() else colour
        if same.sum() >= seen * total:
            yield colour
        pixels = pixels[:, ~(same | within)]


def _box(plain: np.ndarray, place: Place, colour: np.ndarray, view: View) -> PlainBox | None:
    """The box that a connected area [h, w] bool of one colour is, or None. place: in the coarse window."""
    options = view.options
    if min(plain.shape) < view.smallest or plain.mean() < options.hollow or view.goes_on(place):
        return None
    if plain.shape[1] < options.glyph[0] * plain.shape[0] and not _as_high_as_marks(place, view):
        return None  # a letter
    if not (_edged(plain, 0.3) and _edged(plain.T, 0.15)):
        return None  # most of a scene ends here, at little cost
    shape = hull(plain)  # letters too, also those that reach its edge
    letters = shape & ~plain
    marked = letters & view.marks[place]
    if marked.sum() < max(options.letters * shape.sum(), (1 - options.unmarked) * letters.sum()):
        return None
    row = _highest(marked)
    free = _free(plain, shape, max(1, int(options.margin * row)), options.ragged)
    if min(free[:2]) < options.free or not _close(marked, options.around * row):
        return None
    if not _straight(shape, row, False, view):
        return None
    whole = min(free) >= options.free and _straight(shape, row, True, view)
    return _ended(plain, shape, place, colour, view, whole)


def _body_box(area: np.ndarray, place: Place, colour: np.ndarray, view: View) -> PlainBox | None:
    """The box that the body of an area is, without the strokes that touch it: a box may stand half on other letters of
    its own colour."""
    marked = view.marks[place] & ~area
    if not marked.any():
        return None
    thick = max(3, round(view.options.stroke * _highest(marked)))
    body = ndimage.binary_opening(_with_letters(area, marked), np.ones((thick, thick)))
    parts, count = ndimage.label(body)
    if not count:
        return None
    largest = parts == 1 + int(np.bincount(parts.ravel())[1:].argmax())
    if (area & largest).sum() > (1 - view.options.attached) * area.sum():
        return None  # nothing touches it
    down, across = ndimage.find_objects(largest.astype(np.uint8))[0]
    own = area[down, across] & largest[down, across]
    top, left = place[0].start + down.start, place[1].start + across.start
    return _box(own, (slice(top, top + len(own)), slice(left, left + own.shape[1])), colour, view)


def _with_letters(area: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """An area [h, w] bool without its holes, as far as they are marked."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(area) & ~area)
    shares = ndimage.mean(marked, holes, np.arange(count + 1))
    letters = np.asarray(shares) > 0.5
    letters[0] = False
    return area | letters[holes]


def _as_high_as_marks(place: Place, view: View, share: float = 0.95) -> bool:
    """Whether something is as high as the marks in its place: they reach beyond letters, and boxes beyond these."""
    down, across = place
    rows = np.flatnonzero(~view.marks[:, across].any(axis=1))
    middle = (down.start + down.stop) // 2
    gaps = np.array([-1, *rows, view.marks.shape[0]])  # rows without marks, and what is beyond the window
    at = int(np.searchsorted(gaps, middle))
    return bool(down.stop - down.start >= share * (gaps[at] - gaps[at - 1] - 1))


def _edged(plain: np.ndarray, least: float, depth: int = 3) -> bool:
    """Whether there is something of an edge in the first and last rows of a box's plain pixels."""
    return all(np.count_nonzero(rows.any(0)) >= least * plain.shape[1] for rows in (plain[:depth], plain[-depth:]))


def _highest(marked: np.ndarray) -> int:
    """Height of the highest row of letters [h, w]."""
    ends = np.flatnonzero(np.diff(np.pad(marked.any(1), 1).astype(np.int8)))
    return int((ends[1::2] - ends[::2]).max())


def _free(plain: np.ndarray, shape: np.ndarray, deep: int, ragged: int) -> list[float]:
    """How free of letters so many lines along the top, bottom, left and right edges of a shape are: the plain share of
    the worst of them. The edge itself is ragged where it is soft: so many lines of it may be left out."""
    shares = []
    for axis in (1, 0):
        lines = plain.sum(axis) / np.maximum(shape.sum(axis), 1)
        for ends in (lines, lines[::-1]):
            shares.append(max(ends[skip : skip + deep].min() for skip in range(min(ragged, len(ends) - 1) + 1)))
    return shares


def _close(marked: np.ndarray, most: float) -> bool:
    """Whether letters [h, w] in a box reach so near to its edges."""
    for axis in (0, 1):
        at = np.flatnonzero(marked.any(1 - axis))
        if max(at[0], marked.shape[axis] - 1 - at[-1]) > most:
            return False
    return True


def _straight(shape: np.ndarray, row: int, sides: bool, view: View) -> bool:
    """Whether a shape is a rectangle, or some on top of each other that are at least nearly as high as a row. sides:
    whether the left and right ends must be straight too."""
    left, right = shape.argmax(1), shape.shape[1] - shape[:, ::-1].argmax(1)
    parts = _parts(left, right, max(view.smallest // 2, round(view.options.row * row)))
    return all(
        _is_rectangle(shape[top:bottom, left[top:bottom].min() : right[top:bottom].max()], sides, view.options)
        for top, bottom in parts
    )


def _is_rectangle(shape: np.ndarray, sides: bool, options: OpaqueOptions) -> bool:
    """Whether a shape [h, w] fills that, and its ends lie on straight lines, but for its corners."""
    if shape.mean() < options.full:
        return False
    near = max(1.0, options.uneven * len(shape))
    for turned in (shape, shape.T) if sides else (shape,):
        middle = turned[:, turned.shape[1] // 4 : -(-3 * turned.shape[1] // 4)]
        for ends in (middle.argmax(0), middle[::-1].argmax(0)):
            if (np.abs(ends - np.median(ends)) <= near).mean() < options.even:
                return False
    return True


def _parts(left: np.ndarray, right: np.ndarray, least: int) -> list[tuple[int, int]]:
    """Top and bottom of rectangles on top of each other, each at least so high, by the steps in the ends of rows."""
    cuts = [0, len(left)]
    steps = np.maximum(np.abs(np.diff(left)), np.abs(np.diff(right)))
    for at in np.argsort(-steps) + 1:
        if steps[at - 1] > 2 and all(abs(at - cut) >= least for cut in cuts):
            cuts.append(int(at))
    cuts.sort()
    return list(zip(cuts, cuts[1:]))


def _ended(
    plain: np.ndarray, shape: np.ndarray, place: Place, colour: np.ndarray, view: View, whole: bool
) -> PlainBox | None:
    """A box with its soft edges, or None where it does not end there, or is a letter with a hole."""
    options, step = view.options, view.step
    (top, left), (height, width) = (step * side.start for side in place), (step * side for side in shape.shape)
    room = options.soft + step
    around = Region(top, left, height, width).grown(room, *view.planes.shape[1:])
    inside = Region(top, left, min(height, around.bottom - top), min(width, around.right - left)).within(around)
    wide, mine = np.zeros((2, around.height, around.width), dtype=bool)
    for large, small in ((wide, shape), (mine, plain)):
        fine = small.repeat(step, 0).repeat(step, 1)[: inside.height, : inside.width]
        large[inside.rows, inside.columns] = fine
    part = view.planes[:, around.rows, around.columns].astype(np.int16)
    differs = np.abs(part - colour[:, None, None]).max(0)
    letters = wide & ~mine
    shapes, rims = [wide], []
    if step > 1:  # its edge may lie between two pixels that were looked at
        shapes[0] = ndimage.binary_dilation(wide, _SQUARE, iterations=step - 1)
    for _ in range(options.soft):
        shapes.append(ndimage.binary_dilation(shapes[-1], _SQUARE))
        rims.append(shapes[-1] & ~shapes[-2])
    steps = [np.quantile(differs[rim], options.softest) for rim in rims]
    over = next(n for n, one in enumerate(steps) if one >= options.faded * max(steps))
    rim = rims[over]
    if (differs[rim] > options.alike).mean() < options.ends:
        return None
    if width < options.glyph[0] * height:
        hole, beyond = (np.median(part[:, where], 1) for where in (letters, rim))
        if np.abs(hole - beyond).max() <= options.glyph[1]:
            return None
    mine &= differs <= options.alike
    ended = shapes[over + 1]  # a pixel more, for the edge is not equally soft all around
    down, across = ndimage.find_objects(ended.view(np.uint8))[0]
    region = Region.between(
        view.window.top + around.top + down.start,
        view.window.left + around.left + across.start,
        view.window.top + around.top + down.stop,
        view.window.left + around.left + across.stop,
    )
    return PlainBox(region, ended[down, across], mine[down, across], colour, whole, options.jumps)
