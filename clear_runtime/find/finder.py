"""Looks at a video frame by frame and follows its rows of text; says at any time what of each frame is subtitle.

looks (look.py) -> rows (rows.py) -> tracks (tracks.py), widened to their ends (ends.py) -> which go (which.py)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from ..frames.region import Region
from .apart import Seen, has_run_into, taken_apart
from .bars import are_bars
from .between import Between
from .case import Case, Verdict
from .edges import FADE, Pattern
from .ends import Ends, Scenes
from .growth import GrowthRules, growth
from .kept_looks import KeptLooks
from .look import Looker, Scales, resized, to_levels
from .movement import Movement
from .pace import Pace
from .place import Place
from .rows import Row, rows_of
from .rules import Rules
from .shots import HALF_WAY, Shots
from .spool import Spool
from .steady import Standing, standing, steady
from .strokes import with_strokes
from .track import Look, Track, laid
from .tracks import GREY, PATIENCE, Tracker
from .which import which

BATCH = 8
"""Looks that a prior is given at a time."""
SMALL = 640
"""Pixels of the longer side of the frames in which a row's pattern is followed, at most."""
AGAIN = 1.1
"""How much more of a row a look must show to be learnt from again."""
MOMENT = 15
"""Frames, at the usual rate, after which it is asked whether a row still stands where it stood: half a second."""
RULES, GROWTH = Rules(), GrowthRules()
OnSeen = Callable[[Tensor, np.ndarray], None]
"""Given a frame [H, W, 3], and how sure the prior is of its text [h, w] uint8."""
OnLook = Callable[[int, np.ndarray], None]
"""Given the number of a frame that was looked at, and how sure the prior is of its text [h, w] uint8."""


@dataclass(frozen=True, eq=False)
class Found:
    """A row of text that has been judged."""

    track: Track
    verdict: Verdict


@dataclass
class _Learnt:
    """What is known of a track from the frames in which it shows most. row: of the look that this comes from; worth:
    what that was worth then. pattern: until the track has ended; movement: from then on. begun: whether its first
    frames are known."""

    row: Row
    worth: float
    pattern: Pattern | None
    movement: Movement | None = None
    begun: bool = False


@dataclass
class Finder:
    """See every frame of a video in order, then finish; judge and marks may be asked at any time.

    prior: frames [T, h, w, 3] -> soft masks [T, h, w]. threshold: 0..1, how sure it must be. pace: of the video. every:
    frames from look to look, if not the pace's own. place: where the user says that there is text. on_batch is called
    with the number of frames that have been looked at. on_seen is shown the frame of each batch in which most was seen,
    on_look every look.
    keep_soft: hold the soft masks of all looks. spool: where the masks of rows lie that are past; without, in memory.
    looks: a file for what the prior has seen, for a pass that goes on after a stop. rules: of what a row is, when it is
    there, and whether it goes. shots: frames with which one begins.
    """

    prior: Callable
    threshold: float = 0.5
    pace: Pace = Pace()
    every: int = 0
    place: Place | None = None
    on_batch: Callable[[int], None] = lambda frames: None
    keep_soft: bool = False
    spool: Spool | None = None
    looks: Path | None = None
    on_seen: OnSeen = lambda frame, soft: None
    on_look: OnLook = lambda t, soft: None
    rules: Rules = RULES
    seen: int = 0  # frames that have been looked at
    count: int = 0  # frames that have been given
    soft: dict[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.every = self.every or self.pace.every
        self._fade, self._patience, self._moment = map(self.pace.frames, (FADE, PATIENCE, MOMENT))
        self._half_way = self.pace.frames(HALF_WAY)
        self._rules = self.rules.which.at(self.pace)
        self._waiting: list[tuple[int, Tensor]] = []
        self._kept = 2 * self._fade + self._patience + self.every * BATCH
        self._small: deque[tuple[int, np.ndarray]] = deque(maxlen=self._kept)
        self._looked: deque[tuple[int, Tensor, Seen]] = deque()
        self._before: Seen | None = None
        self._learnt: dict[Track, _Learnt] = {}
        self._shots = Shots(self.rules.shots)

    def see(self, frame: Tensor) -> None:
        """The next frame [H, W, 3] in 0..1."""
        if self.count == 0:
            self._begin(*frame.shape[:2])
        self._small.append((self.count, to_levels(frame[:: self._step, :: self._step])))
        if self.count % self.every == 0:
            self._waiting.append((self.count, frame))
        elif self.rules.ends.between:
            self.between.hold(self.count, frame)
        self.count += 1
        if len(self._waiting) == BATCH:
            self._look()

    def finish(self) -> None:
        """There are no more frames."""
        if self._waiting:
            self._look()
        if self._looked:
            self._follow(self._looked.popleft(), None)
        for track in self.tracks:
            self._close(track)
        self.seen = self.count
        self.on_batch(self.count)

    @property
    def shots(self) -> list[int]:
        return self._shots.first

    @property
    def tracks(self) -> list[Track]:
        return self._tracker.tracks if self.count else []

    def judge(self) -> list[Found]:
        """All rows so far with their verdicts."""
        cases = [
            Case(track, self._movement(track), self.scales.fine, self.count, self._shots.changes, track.asked)
            for track in self.tracks
            if track.peak > self.threshold or track.asked
        ]
        return [Found(case.track, verdict) for case, verdict in zip(cases, which(cases, self._rules))]

    def _movement(self, track: Track) -> Movement:
        learnt = self._learnt.get(track)
        return (learnt and learnt.movement) or self._tracker.movement(track)

    def _begin(self, height: int, width: int) -> None:
        self.scales = Scales.of(height, width, getattr(self.prior, "long_side", None))
        looker = Looker(self.prior, self.scales)
        self._looker = looker if self.looks is None else KeptLooks(looker, self.looks)
        self.between = Between(self._looker, self.every)
        self._scale = max(self.scales.fine) / 1280
        self._step = max(1, -(-max(height, width) // SMALL))
        self._tracker = Tracker(self._scale, self._patience, self._standing_at)

    def _look(self) -> None:
        """Look at the frames that wait, and follow what is in all but the last: its neighbours are not all known."""
        frames = dict(self._small)
        softs = self._looker([frame for _, frame in self._waiting])
        most = max(range(len(softs)), key=lambda n: int(softs[n].sum()))
        self.on_seen(self._waiting[most][1], softs[most])
        for (t, frame), soft in zip(self._waiting, softs):
            self._looked.append((t, frame, Seen(soft, frames[t])))
            self.on_look(t, soft)
            if self.keep_soft:
                self.soft[t] = soft
        self._waiting = []
        while len(self._looked) > 1:
            self._follow(self._looked.popleft(), self._looked[0][2])
        self.on_batch(self.seen)
        for track in self.tracks:
            if self.seen - track.last.t > self._fade + self._patience:
                self._close(track)
                continue
            if self.count - track.looks[0].t > self._kept - self._fade - self.every * BATCH:
                self._begin_of(track)  # its first frames will soon not be at hand
            if self.spool is not None:
                self._spool(track)
        if len(self._learnt) > len(self.tracks):  # of some, two have become one
            self._learnt = {track: self._learnt[track] for track in self.tracks if track in self._learnt}
        going_on = (track.looks[0].t for track in self.tracks if not self._closed(track))
        self._tracker.forget(min(going_on, default=self.seen))

    def _spool(self, track: Track) -> None:
        """Have the masks of a track that goes on out of memory, but for those that the next looks are compared with:
        a logo stands for the whole film."""
        for look in reversed(track.looks[: -1 - self._moment // self.every]):
            if look.row.is_packed:
                break
            look.row.pack(self.spool)

    def _closed(self, track: Track) -> bool:
        learnt = self._learnt.get(track)
        return learnt is not None and learnt.movement is not None

    def _follow(self, look: tuple[int, Tensor, Seen], after: Seen | None) -> None:
        t, frame, now = look
        grey, factor = self._grey(frame)
        rows, asked = self._rows(t, now, after)
        rows = [row for row in rows if id(row) in asked or not self._are_bars(row, frame)]
        self._note_shot(t, now.small, [row.region for row in rows])
        for row in rows:
            self._complete(row, frame, now)
        found = []
        for track, row in self._tracker.add(t, rows, grey, factor):
            track.asked |= id(row) in asked
            track = self._of_new_words(track)
            self._compare(track)
            self._learn(track, frame, now)
            found.append((track, row))
        self.between.follow(t, found, self._rules.sure, self._rows_between)
        self.seen, self._before = t + 1, now

    def _rows(self, t: int, now: Seen, after: Seen | None):
        """The rows in a look, and the ids of those that the user has asked for: there the prior may be half as sure."""
        threshold = self.threshold if self.place is None else 0.5 * self.threshold
        rows_in = lambda soft: rows_of(soft, threshold, self.rules.rows)
        beside = [seen for seen in (self._before, after) if seen is not None]
        rows = rows_in(now.soft)
        if self.rules.rows.apart:
            rows = taken_apart(rows, now, beside, rows_in)
        if self.place is None:
            return rows, set()
        asked = {id(row) for row in rows if self.place.holds(t, row, self.scales)}
        return [row for row in rows if id(row) in asked or row.peak >= self.threshold * self.rules.rows.clear], asked

    def _rows_between(self, t: int, frame: Tensor, soft: np.ndarray) -> list[Row]:
        """The rows in a frame that no look is at."""
        seen = Seen(soft, dict(self._small)[t])
        rows = [row for row in rows_of(soft, self.threshold, self.rules.rows) if row.peak > self.threshold]
        for row in rows:
            self._complete(row, frame, seen)
        return rows

    def _are_bars(self, row: Row, frame: Tensor) -> bool:
        long = row.region.width >= self.rules.rows.bars * row.letter / 2
        return long and not row.upright and are_bars(self._crop(frame, row.region), self.rules.rows)

    def _grey(self, frame: Tensor) -> tuple[np.ndarray, float]:
        """A frame in grey, small, and how much smaller than the masks."""
        step = max(1, max(frame.shape[:2]) // GREY)
        grey = frame[::step, ::step].float().mean(-1).cpu().numpy()
        return grey, step * max(self.scales.fine) / max(self.scales.source)

    def _note_shot(self, t: int, small: np.ndarray, rows: list[Region]) -> None:
        near = {at: frame for at, frame in self._small if t - 2 * self.every <= at <= t}
        scale = max(small.shape[:2]) / max(self.scales.fine)
        text = [region.scaled(scale) for region in rows]
        self._shots.look(t, near, text)
        frames = {at: frame for at, frame in self._small if at <= t}
        self._shots.look_back(self._half_way, frames, text)

    def _of_new_words(self, track: Track) -> Track:
        """Note how alike a row's place is to the look before. The track, or that of words which have taken its
        place."""
        if len(track.looks) < 2:
            return track
        track.steps.append(steady(*self._moments(track.looks[-2], track.last.t)))
        if not track.is_replaced:
            return track
        new, learnt = self._tracker.part(track), self._learnt.get(track)
        if learnt is not None and learnt.pattern is not None:
            learnt.pattern = self._ends.pattern(track.last) or learnt.pattern  # it may have been made of the new words
        return new

    def _standing_at(self, look: Look, t: int) -> Standing:
        return standing(*self._moments(look, t))

    def _moments(self, look: Look, t: int):
        """What `steady` is given to compare a look with a later frame."""
        frames = dict(self._small)
        return look.row, [frames[look.t]], [frames[t]], self._to_small

    def _compare(self, track: Track) -> None:
        """Note whether a row still stands where it stood a moment before."""
        now, since = track.last, track.last.t - self._moment
        recent = track.looks[-2 - self._moment // self.every :]  # of thousands at a logo
        then = next(look for look in recent if look.t >= since)
        frames = dict(self._small)
        if now.t - then.t > self._moment - self.every and then.t in frames:
            some = range(min(self._rules.grain, self.every))
            before, after = ([frames[t + way * n] for n in some] for t, way in ((then.t, 1), (now.t, -1)))
            track.standings.append(standing(then.row, before, after, self._to_small))

    def _complete(self, row: Row, frame: Tensor, now: Seen) -> None:
        """Add what of its strokes the prior has left out."""
        around = row.region.grown(GROWTH.room, *self.scales.fine)
        own = laid(row, around)
        others = (now.soft[around.rows, around.columns] > 127) & (own == 0)
        whole = with_strokes(own, self._crop(frame, around), self._scale, others)
        lines, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
        inside = Region.between(lines[0], columns[0], lines[-1] + 1, columns[-1] + 1).joined(row.region.within(around))
        row.region = inside.out_of(around)
        row.soft = whole[inside.rows, inside.columns]

    def _learn(self, track: Track, frame: Tensor, now: Seen) -> None:
        """What is to be known of a row that only its frames show."""
        row, known = track.last.row, self._learnt.get(track)
        if known is not None and not _shows_more(row, known, track.place):
            return
        around = row.region.grown(GROWTH.room * GROWTH.step(row.letter), *self.scales.fine)
        crop, soft = self._crop(frame, around), laid(row, around)
        track.growth = growth(crop, soft > 127, now.soft[around.rows, around.columns] > 127, row.letter)
        letters = crop[soft > 200]
        track.colour = tuple(np.median(letters, axis=0).tolist()) if len(letters) else track.colour
        movement = known.movement if known else None
        pattern = Pattern.of(row, now.small, self._to_small)
        self._learnt[track] = _Learnt(row, row.worth, pattern, movement, known is not None and known.begun)

    def _crop(self, frame: Tensor, region: Region) -> np.ndarray:
        """The part of a frame in a rectangle of the masks, at their size, uint8."""
        ratio = frame.shape[0] / self.scales.fine[0]
        sides = (region.top, region.left, region.bottom, region.right)
        top, left, bottom, right = (round(side * ratio) for side in sides)
        # small frames are enlarged for the masks: of these, a row may be less than half a pixel
        top, left = min(top, frame.shape[0] - 1), min(left, frame.shape[1] - 1)
        at = Region.between(top, left, max(top + 1, bottom), max(left + 1, right))
        return to_levels(resized(at.of(frame[None])[0], (region.height, region.width)))

    def _close(self, track: Track) -> None:
        """A track has ended: know of it what only its frames show, as far as they are still at hand."""
        learnt = self._learnt.get(track)
        if learnt is None or learnt.pattern is None:
            return
        self._begin_of(track)
        track.by_itself()
        self._ends.end(track, learnt.pattern)
        learnt.movement, learnt.pattern = self._tracker.movement(track), None
        for look in (*track.looks, *track.passing, *track.between):
            look.row.pack(self.spool)

    def _begin_of(self, track: Track) -> None:
        """The same of its first frames, once."""
        learnt = self._learnt.get(track)
        if learnt is None or learnt.pattern is None or learnt.begun:
            return
        track.by_itself()
        self._ends.begin(track, learnt.pattern)
        learnt.begun = True

    @property
    def _ends(self) -> Ends:
        scenes = Scenes(self._small, self._to_small, self.scales.fine, self.shots, self.count, self.every)
        return Ends(scenes, self.pace, self.tracks, self._closed, self.rules.ends)

    @property
    def _to_small(self) -> float:
        """The size of the small frames over the masks'."""
        return max(self.scales.source) / self._step / max(self.scales.fine)


def _shows_more(row: Row, known: _Learnt, place: Region) -> bool:
    """Whether a look at a row that is mostly at a place tells more of it than the one that it is known from."""
    if has_run_into(row, place):
        return False
    return has_run_into(known.row, place) or row.worth > AGAIN * known.worth
