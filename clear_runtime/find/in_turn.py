"""Words that are shown one by one: none stands long enough to be told by itself, all of them together are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .case import Case, Verdict, WhichRules, one_kind


def words_in_turn(cases: Sequence[Case], verdicts: Sequence[Verdict | None], rules: WhichRules) -> set[int]:
    """The ids of words that are shown one by one, for too short a time to tell each by itself: first those of which two
    looks have seen that they stand, by two others of these; then what one look has seen among them, even if it took the
    words before and after for its own movement."""
    short = [(case, verdict) for case, verdict in zip(cases, verdicts) if case.short(rules) and case.life.changes]
    short.sort(key=lambda one: one[0].track.first)
    seen = [case for case, verdict in short if verdict is None and len(case.track.looks) > 1]
    stand = [case for case in seen if _stands_among(case, seen, rules)]
    once = [case for case, _ in short if len(case.track.looks) == 1 and _stands_among(case, stand, rules)]
    return {id(case) for case in (*stand, *once)}


def _stands_among(case: Case, words: Sequence[Case], rules: WhichRules) -> bool:
    """Whether it is one of these words, which are in order of time, by two others."""
    begins, reach = lambda one: one.track.first, rules.words + 2 * rules.shortest
    near = slice(
        bisect_left(words, begins(case) - reach, key=begins), bisect_right(words, begins(case) + reach, key=begins)
    )
    return sum(_one_by_one(case, other, rules) for other in words[near] if other is not case) >= 2


def _one_by_one(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether two rows are words of one size at one place, of which one goes as the other comes, or nearly so: set to
    one middle, or to one side."""
    a, b = case.track, other.track
    aside = a.place.left - b.place.left, a.place.right - b.place.right
    if min(abs(aside[0] + aside[1]) / 2, *map(abs, aside)) > rules.aside * min(a.letter, b.letter):
        return False
    apart = max(a.first, b.first) - min(a.stop, b.stop)
    shared = min(a.place.bottom, b.place.bottom) - max(a.place.top, b.place.top)
    low, tall = sorted((a.place.height, b.place.height))
    return (
        apart <= rules.words
        and shared >= 0.6 * low
        and tall <= rules.look * low
        and min(a.sure, b.sure) >= rules.sure
        and one_kind(case, other, rules)
    )
