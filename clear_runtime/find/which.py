"""Which of the overlaid text is the subtitle: a decision of its own, about whole rows, from all that is known of them.

No single frame tells a sign from a line, nor a channel's name from a caption. Over time they part: a subtitle changes
its words in one look at one place, comes and goes; lettering of the scene moves with it, and a logo stands all the
time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import dist

from ..frames.region import Region
from .align import overlap
from .blocks import with_blocks
from .case import ANYWHERE, Case, Verdict, WhichRules, of_one_colour, one_kind
from .in_turn import words_in_turn
from .track import Track

CORNERED = "stands in a corner"


def which(cases: Sequence[Case], rules: WhichRules = WhichRules()) -> list[Verdict]:
    """A verdict on each row of a video, or of what of it has been seen so far."""
    cases = with_blocks(_joined(cases, rules), rules)
    first = [_alone(case, rules) for case in cases]
    words = words_in_turn(cases, first, rules)
    first = [None if id(case) in words else verdict for case, verdict in zip(cases, first)]
    moving = [case for case, verdict in zip(cases, first) if verdict is not None and verdict.moves]
    first = [
        verdict or (None if id(case) in words else _carried(case, moving, rules)) for case, verdict in zip(cases, first)
    ]
    asked = [case for case, verdict in zip(cases, first) if verdict is None]
    told = [case for case in asked if id(case) in words or _tells(case, asked, rules)]
    told = [case for case in told if id(case) in words or not _stands_by(case, told, rules)]
    cornered = (case for case, verdict in zip(cases, first) if verdict is not None and verdict.why == CORNERED)
    flush = {id(case) for case in cornered if _goes_on(case, told, rules)}
    first = [None if id(case) in flush else verdict for case, verdict in zip(cases, first)]
    lasts = (case for case in asked if case.cut_off or not case.short(rules))
    kindred = {id(case) for case in lasts if _is_like(case, told, rules)}
    kin = {id(case) for case in told} | flush | kindred
    # a standing row is known for lettering once words have changed where a subtitle is as likely to stand
    clear = min((case.rank(rules) for case in told if _changes(case, told, rules)), default=ANYWHERE)
    best = min((case.rank(rules) for case in asked if id(case) in kin or case.sure >= rules.sure), default=ANYWHERE)
    second = [verdict or _among(case, id(case) in kin, clear, best, rules) for case, verdict in zip(cases, first)]
    second = _with_their_rows(cases, second, rules)
    gone = [case for case, verdict in zip(cases, second) if verdict.goes]
    kept = [case for case, verdict in zip(cases, second) if not verdict.goes and not case.short(rules)]
    return [
        Verdict(True, "subtitle") if not verdict.goes and _part_of(case, gone, kept, rules) else verdict
        for case, verdict in zip(cases, second)
    ]


def _joined(cases: Sequence[Case], rules: WhichRules) -> list[Case]:
    """The same, each with how long its words stand at its place in all: what breaks off for a moment because something
    passed behind it has not gone, and a name that comes back with its shot has not changed."""
    order = sorted(range(len(cases)), key=lambda n: cases[n].track.first)
    lives = [case.life for case in cases]
    for at, n in enumerate(order):
        for m in order[at + 1 :]:
            if cases[m].track.first - cases[n].track.stop > rules.returns:
                break
            if cases[n].same_words(cases[m]):
                lives[n] = lives[m] = lives[n].joined(lives[m])
    return [replace(case, known=life) for case, life in zip(cases, lives)]


def _goes_on(case: Case, told: Sequence[Case], rules: WhichRules) -> bool:
    """Whether a row in a corner is the next one, or the one before, of lines that are set flush left or right."""
    if case.short(rules) or not case.comes_or_goes or case.track.sure < rules.sure:
        return False
    if any(case.track.first < other.track.stop and other.track.first < case.track.stop for other in told):
        return False
    return any(_follows(case, other, rules) and _flush(case, other) for other in told)


def _flush(case: Case, other: Case) -> bool:
    """Whether two rows stand on one line of writing, and begin or end at one place."""
    a, b = case.track, other.track
    near = 0.5 * max(a.letter, b.letter)
    sides = min(abs(a.place.left - b.place.left), abs(a.place.right - b.place.right))
    middle = abs(a.place.top + a.place.bottom - b.place.top - b.place.bottom) / 2
    return sides <= near and middle <= near


def _is_like(case: Case, told: Sequence[Case], rules: WhichRules) -> bool:
    """Whether a row is like one that is a subtitle for sure, or takes the place of one."""
    return _is_kin(case, told, rules) or (rules.dots and any(_in_its_place(case, other, rules) for other in told))


def _in_its_place(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether what is lower than letters, dots or a dash, comes where a line goes, or goes where one comes: within its
    height, about its middle, in its colour."""
    a, b = case.track, other.track
    if a.letter >= b.letter or not case.comes_or_goes or a.sure < rules.sure:
        return False
    apart = max(a.first, b.first) - min(a.stop, b.stop)
    inside = b.place.top <= a.place.top and a.place.bottom <= b.place.bottom
    aside = abs(a.place.left + a.place.right - b.place.left - b.place.right) / 2
    colour = dist(a.colour, b.colour)
    return inside and 0 <= apart <= rules.pause and aside <= 0.5 * b.letter and colour <= rules.colour


def _is_kin(case: Case, told: Sequence[Case], rules: WhichRules) -> bool:
    """Whether a row is like one that is a subtitle for sure. One that stands while several of these come and go may be
    the second row of them all, or a name below: then only the very size of letters counts."""
    kin = [other for other in told if one_kind(case, other, rules)]
    life = case.life
    if sum(life.first < other.track.first and other.track.stop < life.stop for other in told) < 2:
        return bool(kin)
    sizes = (sorted((case.track.letter, other.track.letter)) for other in kin)
    return any(tall <= rules.outlasts * low for low, tall in sizes)


def _alone(case: Case, rules: WhichRules) -> Verdict | None:
    """The verdict that a row's own behaviour allows; None where the others must be asked."""
    movement = case.movement
    if case.asked:
        return Verdict(True, "asked for")
    if movement.with_scene > movement.against_scene:
        return Verdict(False, "moves with the scene", moves=True)
    about = rules.about and (movement.grows or movement.shakes)
    if movement.standing < rules.standing and movement.travelled >= 4 and not about:
        return Verdict(False, "moves", moves=True)
    steady = None if about or _stands(case, rules) else case.track.steady
    if case.track.moves or steady is not None and steady < rules.steady:
        return Verdict(False, "moves", moves=True)
    if case.cornered(rules):
        return Verdict(False, CORNERED)
    return None


def _stands(case: Case, rules: WhichRules) -> bool:
    """Whether a row keeps its place to the pixel in all its looks, while the scene moves on or what is beside its
    letters changes more than they do: of thin or faint ones the picture is never like a moment before."""
    movement, change = case.movement, case.track.change
    keeps = movement.standing >= rules.keeps and movement.travelled < 2 and len(case.track.looks) > rules.looks
    if not rules.keeps or not keeps:
        return False
    passes = movement.against_scene > rules.looks and not movement.with_scene
    return passes or change is not None and change < rules.change


def _carried(case: Case, moving: Sequence[Case], rules: WhichRules) -> Verdict | None:
    """The verdict on a row that stands for less than a second where lettering of its size moved just before or after:
    the camera has paused. It has not where the scene moves behind the row."""
    own = case.track
    if case.asked or own.stop - own.first >= rules.pause or case.movement.against_scene > 1:
        return None
    near = (
        other
        for other in moving
        if _is_carried(other, rules)
        and own.first <= other.track.stop + rules.beside
        and other.track.first <= own.stop + rules.beside
    )
    if any(_covers(other.track.place, own.place, 0.5) and _sizes_alike(own, other.track, rules) for other in near):
        return Verdict(False, "stands while the camera pauses", moves=True)
    return None


def _is_carried(case: Case, rules: WhichRules) -> bool:
    """Whether a row that moves may do so with the scene: not one that slides in before a scene that stands, and a
    single look sees no movement."""
    slides = case.movement.standing < rules.standing and case.movement.travelled >= 4
    return case.movement.with_scene > 0 or (not slides and len(case.track.looks) > 1)


def _sizes_alike(a: Track, b: Track, rules: WhichRules) -> bool:
    """Whether the letters of two rows may be the same ones, in a picture that zooms or was seen in part, or two scripts
    of one line."""
    low, tall = sorted((a.letter, b.letter))
    return tall <= rules.scripts * low


def _tells(case: Case, others: Sequence[Case], rules: WhichRules) -> bool:
    """Whether a row is a subtitle for sure: other words take its place in the same look, or it comes and goes while the
    shot goes on. Lettering that drives past may be one shape in two looks."""
    if case.track.usual < rules.usual or case.short(rules) or len(case.track.looks) < rules.looks:
        return False
    if not _has_stood(case, rules):
        return False
    return case.comes_or_goes or _changes(case, others, rules)


def _has_stood(case: Case, rules: WhichRules) -> bool:
    """Whether a row kept its place, as far as can be told: of one that shows for less than a moment only where it was
    seen tells, and that none of it is outside of the frame, as of lettering that passes."""
    movement = case.movement
    about = rules.about and (movement.grows or movement.shakes)
    if about or not rules.moment or case.track.steady is not None:
        return True
    return movement.standing >= rules.keeps and case.whole


def _stands_by(case: Case, told: Sequence[Case], rules: WhichRules) -> bool:
    """Whether a row stays while several lines come and go that it is no kin of, where a subtitle is as likely to stand,
    and no other words take its own place: a title, or a card, of which the video shows the beginning or the end."""
    if _changes(case, told, rules):
        return False
    life, rank = case.life, case.rank(rules)
    lines = [
        other
        for other in told
        if life.first < other.life.first and other.life.stop < life.stop
        if other.comes_or_goes and not other.short(rules) and other.rank(rules) <= rank
        if not one_kind(case, other, rules)
    ]
    return any(sum(one_kind(one, other, rules) for other in lines) >= rules.passed > 0 for one in lines)


def _changes(case: Case, others: Sequence[Case], rules: WhichRules) -> bool:
    """Whether other words of the same kind stand before or after a row, each for long enough to be read."""
    long = [other for other in others if other is not case and not other.short(rules)]
    return not case.short(rules) and any(_follows(case, other, rules) for other in long)


def _follows(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether other words of the same kind stand before or after a row, and the picture changes between them: soon, if
    both stand from cut to cut, as the headings of slides do."""
    before, after = sorted((case, other), key=lambda one: one.track.first)
    if before.track.stop > after.track.first + 3 or not (before.track.went or after.track.came):
        return False
    soon = after.track.first - before.track.stop <= rules.returns
    if not (soon or case.comes_or_goes or other.comes_or_goes):
        return False
    return one_kind(case, other, rules) and not case.same_words(other)


def _with_their_rows(cases: Sequence[Case], verdicts: list[Verdict], rules: WhichRules) -> list[Verdict]:
    """The same, and the rows that stand beside one that goes, above it or below, as long as it does, go too."""
    verdicts = list(verdicts)
    more = True
    while more:
        more = False
        for i, (case, verdict) in enumerate(zip(cases, verdicts)):
            if verdict.goes or verdict.moves or not case.block and case.short(rules):
                continue
            other = next((v for c, v in zip(cases, verdicts) if v.goes and _of_one_text(case, c, rules)), None)
            if other is not None:
                verdicts[i], more = other, True
    return verdicts


def _of_one_text(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether two rows are of one block, or come and go together as parts of one row or of one line. In a corner a row
    may be a name."""
    cornered = case.cornered(rules)
    if not cornered and case.block is not None and case.block is other.block:
        return True
    a, b = case.track, other.track
    if case is other or max(abs(a.first - b.first), abs(a.stop - b.stop)) > rules.beside:
        return False
    if cornered:
        return case.comes_or_goes and _of_one_row(case, other, rules)
    return _of_one_row(case, other, rules) or _of_one_line(a, b, rules)


def _of_one_row(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether two rows stand beside one another as parts of one, letters set wide apart."""
    a, b = case.track, other.track
    low, tall = sorted((a.letter, b.letter))
    level = max(abs(a.place.top - b.place.top), abs(a.place.bottom - b.place.bottom))
    aside = max(a.place.left, b.place.left) - min(a.place.right, b.place.right)
    near = level <= 0.25 * tall and aside <= rules.gap * tall
    return tall <= rules.outlasts * low and near and of_one_colour(case, other, rules)


def _of_one_line(a: Track, b: Track, rules: WhichRules) -> bool:
    """Whether two rows stand close above one another: two scripts of one line may differ in size."""
    apart = max(a.place.top, b.place.top) - min(a.place.bottom, b.place.bottom)
    shared = min(a.place.right, b.place.right) - max(a.place.left, b.place.left)
    return (
        _sizes_alike(a, b, rules)
        and apart <= max(a.letter, b.letter)
        and shared >= 0.5 * min(a.place.width, b.place.width)
    )


def _part_of(case: Case, gone: Sequence[Case], kept: Sequence[Case], rules: WhichRules) -> bool:
    """Whether a row shows for a moment where one that goes stands just before or after, or is on its way: a word of it
    lights up, or it slides in. Or it is what the video has of the line before it, or a part of a block of rows, which a
    prior hardly sees."""
    own, short = case.track, case.short(rules)
    beside = [one for one in gone if _beside(case, one, rules)]
    if any(_covers(place, own.place, 0.7) for other in beside for place in _places(other, short)):
        return True
    if short and case.cut_off and any(one_kind(case, other, rules) for other in beside):
        return True
    if any(_beside(case, one, rules) and _covers(one.track.place, own.place, 0.7) for one in kept):
        return False  # what stays there has begun with it
    return any(_slides(case, other, rules) for other in beside)


def _beside(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether one of two rows stands while the other does, or just before or after."""
    a, b = case.track, other.track
    return a.first <= b.stop + rules.beside and b.first <= a.stop + rules.beside


def _slides(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether a row that shows for a moment is another one on its way along the frame, or up and down: of its size and
    colour, at its height or between its sides, just before it stands or just after. It may be half outside yet."""
    a, b = case.track, other.track
    if not rules.slides or not case.short(rules) or other.short(rules) or a.fullest.row.upright:
        return False
    if max(a.first, b.first) < min(a.stop, b.stop):
        return False  # both are there
    low, tall = sorted((a.letter, b.letter))
    colour = dist(a.colour, b.colour)
    if tall > rules.slides * low or colour > rules.colour:
        return False
    level = abs(a.place.top + a.place.bottom - b.place.top - b.place.bottom) / 2
    sides = max(abs(a.place.left - b.place.left), abs(a.place.right - b.place.right))
    return level <= 0.3 * tall or sides <= 0.5 * tall


def _places(case: Case, short: bool) -> Iterator[Region]:
    """Where parts of a row may stand; short: that show for a moment."""
    if case.block is not None:
        yield case.block.region
    if short:
        yield case.track.place
        yield from (look.row.region for look in case.track.passing)


def _covers(place: Region, part: Region, share: float) -> bool:
    """Whether a share of one rectangle lies in another."""
    shared = overlap(place, part)
    return shared is not None and shared.height * shared.width >= share * part.height * part.width


def _among(case: Case, of_the_kind: bool, clear: int, best: int, rules: WhichRules) -> Verdict:
    """The verdict where others had to be asked. of_the_kind: a subtitle, or like one. clear: the rank of the place of
    one whose words change. best: the rank of the place that is most like a subtitle's, of those where one may be."""
    if of_the_kind:
        return Verdict(True, "subtitle")
    if case.short(rules):
        return Verdict(False, "shows for less than 0.3 seconds")
    if clear <= case.rank(rules) and clear < ANYWHERE:
        return Verdict(False, "stands all the time, and other rows are the subtitle")
    if case.sure >= rules.sure and case.rank(rules) <= best and best < ANYWHERE:
        return Verdict(True, "stands all the time; taken for a subtitle by its place", certain=False)
    return Verdict(False, "stands all the time; taken for lettering by its place", certain=False)
