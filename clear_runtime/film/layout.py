"""Where a film is worked on, and where it may be cut: decided from the plan alone, so that a run that was stopped goes
on as one that was not.

    stretches with text -> pieces: frames that are cleaned, and frames that only pass through; none reaches over a cut
    pieces -> borders: where one segment of the result may end and the next begin
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..frames.windows import Window, plan
from ..wan import GROUP


@dataclass(frozen=True)
class Piece:
    """Frames first <= t < stop, stop None where nobody knows the film's end. works: whether something is replaced in
    them; what does not work passes through. in_one_go: whether each of its windows goes on from the one before, so that
    it is painted from its first frame to its last."""

    first: int
    stop: int | None
    works: bool
    in_one_go: bool = False

    def windows(self, window: int, overlap: int) -> list[Window]:
        """The windows that a piece with a known end is cleaned in."""
        assert self.stop is not None
        length = self.stop - self.first
        return [Window(self.first + one.start, self.first + one.stop) for one in plan(length, window, overlap)]


def pieces_of(
    texts: Iterable[tuple[int, int]],
    shots: Sequence[int],
    around: int,
    known: int,
    goes_on: bool = False,
    in_one_go: bool = False,
) -> list[Piece]:
    """A film in pieces that follow one another without a gap. texts: first and stop of stretches with something to
    replace, in any order. shots: frames with which one begins. around: frames before and after, of the same shot, that
    are shown with a stretch: what is hidden in it may be seen there. known: frames that the film has for certain;
    goes_on: whether it may have more. in_one_go: as Piece has it.

    A piece that works begins at a multiple of four where its shot allows it: there latent frames lie on the grid of the
    whole film's.
    """
    pieces, at = [], 0
    for first, stop in _joined(part for text in texts for part in _within_shots(text, shots, around, known)):
        if first > at:
            pieces.append(Piece(at, first, False))
        pieces.append(Piece(first, stop, True, in_one_go))
        at = stop
    return pieces if at == known and not goes_on else [*pieces, Piece(at, None if goes_on else known, False)]


def _within_shots(text: tuple[int, int], shots: Sequence[int], around: int, known: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch in each of its shots, with what is shown around them."""
    first, stop = text
    while first < stop:
        number = bisect_right(shots, first)
        begins = shots[number - 1] if number else 0
        ends = shots[number] if number < len(shots) else known
        part = min(stop, ends)
        yield max(begins, (first - around) // GROUP * GROUP), min(ends, part + around)
        first = part


def _joined(parts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Parts in order, those that share frames as one. Parts of two shots share none, and stay two."""
    held: tuple[int, int] | None = None
    for first, stop in sorted(parts):
        if held is not None and first < held[1]:
            held = held[0], max(held[1], stop)
            continue
        if held is not None:
            yield held
        held = first, stop
    if held is not None:
        yield held


def next_border(piece: Piece, after: int, window: int, overlap: int) -> int | None:
    """The first frame of a piece, or its stop, at or after frame `after`, at which a segment may end; None where it
    may not in this piece.

    A piece that works is cut where a window ends: what comes after is reached by later windows alone, so that one
    window at most is painted again when a run goes on from there. One that is painted in one go is cut at its end.
    """
    if not piece.works:
        at = max(after, piece.first)
        return at if piece.stop is None or at <= piece.stop else None
    assert piece.stop is not None
    if piece.in_one_go:
        return piece.stop if piece.stop >= after else None
    return next((one.stop for one in piece.windows(window, overlap) if one.stop >= after), None)


def windows_from(piece: Piece, at: int, window: int, overlap: int) -> list[Window]:
    """The windows of a piece that have to be painted for frame `at` and later ones."""
    windows = piece.windows(window, overlap)
    if piece.in_one_go:
        return windows if windows[-1].stop > at else []
    return [one for one in windows if one.stop > at]
