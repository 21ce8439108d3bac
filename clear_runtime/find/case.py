"""A row of text of which it is decided whether it is the subtitle: what is known of it, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import dist

from ..frames.region import Region
from .align import SAME, alike
from .movement import Movement
from .pace import Pace
from .track import Track

ANYWHERE = 3
"""The rank of a place that is none of a subtitle's."""


@dataclass(frozen=True)
class WhichRules:
    """In frames, at the usual rate: shortest, that a row stands at least; what shows for less is carried by the scene.
    beside: between a row and a part of it that shows for a moment. pause: for which a camera stands still between two
    pans. words: from one word to the next but one, where they are shown one by one. returns: after which words that are
    seen again at their place are others, and others at one place no more the next ones.

    looks: in which a row is seen, at least, that tells of others.

    corner: shares of the height and width of a corner; a score, a clock, a logo stands wholly inside one. look,
    place: how much two rows' letters differ in height at most, and how far apart they stand, in their height, to be
    of one kind; line: how far apart two are, in that, of one line of writing, whose colours may differ twice as
    much (below 0: none's may). scripts, outlasts, slides: the first for rows of one line, for one that stands while
    others change, and for one that is on its way to its place (0: none is). aside: how far the middles of words
    stand apart that are shown one by one, in their height. passed: lines of another kind that come and go while what
    stands by does (0: nothing stands by). gap: how far apart two parts of one row stand at most,
    in their height. colour: the distance of their letters in RGB. middle, lower, bottom, rim: shares of the frame.
    Where nothing else tells, a subtitle stands no further than the first from the middle and below the third, or
    else below the second, or else in the middle, and never further than the last from it; sure: and this is how
    sure the prior must be. usual: the same, in most looks, of what tells of others. standing: share of its looks in
    which a line that slides in stands at its place; steady: how alike the picture is, at the letters of what
    stands, half a second later; keeps: share of its looks in which what stands is at one place, whatever the
    picture shows, where the scene moves behind it or its letters change less than `change` of what is beside them
    (0: the picture alone tells); grain: the mean of so many frames counts as the picture. paragraph: rows of a
    block, which goes as a whole, at least; 0 for none. pitch: how far its rows stand off one pitch, as a share of
    it. moment: what shows for less than one tells of others only where it kept its place and was seen whole.
    about: what grows about its own middle, or shakes, stands, although no pixel of it does. dots: what takes a
    line's place may be lower than letters: dots, a dash.
    """

    shortest: int = 7
    looks: int = 3
    beside: int = 6
    pause: int = 25
    words: int = 12
    returns: int = 250
    corner: tuple[float, float] = (0.25, 0.28)
    look: float = 1.4
    outlasts: float = 1.15
    scripts: float = 2.2
    slides: float = 1.25
    place: float = 2.6
    line: float = 0.15
    aside: float = 0.6
    passed: int = 3
    gap: float = 2.0
    colour: float = 70.0
    middle: float = 0.12
    lower: float = 0.5
    bottom: float = 0.65
    rim: float = 0.35
    sure: float = 0.8
    usual: float = 0.9
    standing: float = 0.35
    steady: float = 0.83
    keeps: float = 0.9
    change: float = 0.9
    grain: int = 3
    paragraph: int = 4
    pitch: float = 0.15
    moment: bool = True
    about: bool = True
    dots: bool = True

    def at(self, pace: Pace) -> WhichRules:
        """The same lengths of time at another rate."""
        return replace(
            self,
            shortest=pace.frames(self.shortest, 2),
            beside=pace.frames(self.beside, 2),
            pause=pace.frames(self.pause),
            words=pace.frames(self.words, 3),
            returns=pace.frames(self.returns),
        )


@dataclass(frozen=True)
class Verdict:
    """Whether a row goes, and why, in words that the report can say. certain: False where the video did not tell.
    moves: whether it is left because it moves."""

    goes: bool
    why: str
    certain: bool = True
    moves: bool = False


@dataclass(frozen=True)
class Life:
    """How long words stand: the first frame, and the one after the last; and whether they came then, and went."""

    first: int
    stop: int
    came: bool
    went: bool

    @property
    def changes(self) -> bool:
        """Whether the picture tells that they came or went, and not the prior alone."""
        return self.came or self.went

    def joined(self, other: Life) -> Life:
        """Of the same words, lost and found again."""
        begins, ends = min(self, other, key=lambda one: one.first), max(self, other, key=lambda one: one.stop)
        return Life(begins.first, ends.stop, begins.came, ends.went)


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that are one text (blocks.py): the rectangle around them, and how sure the prior is of the surest."""

    region: Region
    sure: float


@dataclass(frozen=True)
class Case:
    """A track with what is needed to judge it. size: (height, width) of the masks. total: frames of the video. cuts:
    frames at which all of the picture becomes another, 0 among them. asked: whether the user has pointed at it. known:
    how long its words stand in all. block: that it is a row of."""

    track: Track
    movement: Movement
    size: tuple[int, int]
    total: int
    cuts: Sequence[int]
    asked: bool = False
    known: Life | None = None
    block: Block | None = None

    @property
    def place(self) -> Region:
        """Of all that is one text with it."""
        return self.block.region if self.block else self.track.place

    @property
    def sure(self) -> float:
        """Of the surest row of that."""
        return self.block.sure if self.block else self.track.sure

    @property
    def life(self) -> Life:
        """Of its words at its place: a track that was lost and found again is several."""
        return self.known or Life(self.track.first, self.track.stop, self.track.came, self.track.went)

    @property
    def comes_or_goes(self) -> bool:
        """Whether it appears or disappears within a shot."""
        cut = lambda t: t <= 1 or t >= self.total - 1 or any(abs(t - one) <= 3 for one in self.cuts)
        life = self.life
        return (life.came and not cut(life.first)) or (life.went and not cut(life.stop))

    def same_words(self, other: Case) -> bool:
        """Whether it is the same letters at the same place as another."""
        a, b = self.track.place, other.track.place
        near = 0.5 * min(self.track.letter, other.track.letter)
        if max(abs(a.left - b.left), abs(a.top - b.top), abs(a.right - b.right), abs(a.bottom - b.bottom)) > near:
            return False
        one, two = self.track.fullest.row, other.track.fullest.row
        return alike(one.soft, one.region, two.soft, two.region) >= SAME

    def short(self, rules: WhichRules) -> bool:
        """Whether it shows for too few frames to say anything by itself."""
        there = self.track.stop - self.track.first
        # one look says nothing of how long it stood, but where there was time for no more
        lasts = there if len(self.track.looks) > 1 or there >= self.total else 1
        return lasts < min(rules.shortest, self.total)

    @property
    def cut_off(self) -> bool:
        """Whether it may have stood before the video begins, or may stand after it ends."""
        return self.track.first == 0 or self.track.stop >= self.total

    @property
    def whole(self) -> bool:
        """Whether all of it is inside of the frame."""
        region, (height, width) = self.track.place, self.size
        return region.top > 0 and region.left > 0 and region.bottom < height and region.right < width

    def cornered(self, rules: WhichRules) -> bool:
        region, (height, width) = self.place, self.size
        down, along = rules.corner
        return (region.bottom <= down * height or region.top >= (1 - down) * height) and (
            region.right <= along * width or region.left >= (1 - along) * width
        )

    def rank(self, rules: WhichRules) -> int:
        """How like a subtitle's its place is: 0 at the middle of the bottom, 1 elsewhere in the lower part, 2 in the
        middle of what is above, ANYWHERE else."""
        region, (height, width) = self.place, self.size
        down, aside = region.top + region.height / 2, abs(region.left + region.width / 2 - width / 2)
        centred = aside <= rules.middle * width
        if aside > rules.rim * width and not self.track.fullest.row.upright:
            return ANYWHERE  # columns stand there
        if down >= rules.lower * height:
            return 0 if centred and down >= rules.bottom * height else 1
        return 2 if centred else ANYWHERE


def one_kind(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether two rows share a look and a place."""
    a, b = case.track, other.track
    taller, lower = max(a.letter, b.letter), max(1.0, min(a.letter, b.letter))
    apart = max(a.place.top, b.place.top) - min(a.place.bottom, b.place.bottom)
    aside = max(a.place.left, b.place.left) - min(a.place.right, b.place.right)
    near = max(apart, aside) <= rules.place * taller
    return taller / lower <= rules.look and near and of_one_colour(case, other, rules)


def of_one_colour(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether the letters of two rows are of one colour. Thin ones take on the scene's, but those of one line of
    writing keep its height to the pixel."""
    a, b = case.track, other.track
    off = max(abs(a.place.top - b.place.top), abs(a.place.bottom - b.place.bottom))
    on_a_line = off <= rules.line * max(a.letter, b.letter)
    return dist(a.colour, b.colour) <= rules.colour * (2 if on_a_line else 1)
