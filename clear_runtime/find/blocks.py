"""Rows that are set below one another as one text: a poem, a quotation, a list.

Half of it may stand in the lower part of the frame and half above; it goes as a whole or stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from .case import Block, Case, WhichRules


def with_blocks(cases: Sequence[Case], rules: WhichRules) -> list[Case]:
    """The same, and those that are rows of one block know it: of one look and one time, on one side or in the middle of
    one another, at one pitch, and of at least so many as a paragraph has."""
    if not rules.paragraph:
        return list(cases)
    group = list(range(len(cases)))
    lasting = (n for n in group if cases[n].life.stop - cases[n].life.first >= min(rules.shortest, cases[n].total))
    order = sorted(lasting, key=lambda n: cases[n].track.place.top)
    for at, n in enumerate(order):
        for m in order[at + 1 :]:
            if group[n] != group[m] and _below(cases[n], cases[m], rules):
                old, new = group[m], group[n]
                group = [new if one == old else one for one in group]
    out = list(cases)
    for name in {group[n] for n in order}:
        members = [n for n in order if group[n] == name]
        block = _block([cases[n] for n in members], rules)
        for n in members if block is not None else ():
            out[n] = replace(cases[n], block=block)
    return out


def _below(case: Case, other: Case, rules: WhichRules) -> bool:
    """Whether two rows, the first of them the upper one, may be neighbours in a block, or one row seen twice."""
    a, b = case.track, other.track
    if a.fullest.row.upright or b.fullest.row.upright:
        return False
    if max(abs(case.life.first - other.life.first), abs(case.life.stop - other.life.stop)) > rules.beside:
        return False
    low, tall = sorted((a.letter, b.letter))
    if tall > rules.scripts * low or b.place.top - a.place.bottom > rules.place * tall:
        return False
    one, two = a.place, b.place
    sides = (one.left - two.left, one.right - two.right, (one.left + one.right - two.left - two.right) / 2)
    inside = min(one.right, two.right) - max(one.left, two.left) >= 0.8 * min(one.width, two.width)
    return inside and (min(map(abs, sides)) <= tall or min(one.width, two.width) <= 0.3 * max(one.width, two.width))


def _block(members: Sequence[Case], rules: WhichRules) -> Block | None:
    """What rows from above to below are together; None where they are too few, or not at one pitch."""
    middles = sorted(case.track.place.top + case.track.place.height / 2 for case in members)
    letter = float(np.median([case.track.letter for case in members]))
    heights = [middles[0]]
    for middle in middles[1:]:
        if middle - heights[-1] > 0.5 * letter:  # else it is a part of the same row
            heights.append(middle)
    if len(heights) < rules.paragraph:
        return None
    steps = np.array([b - a for a, b in pairwise(heights)])
    pitch = float(np.median(steps[steps <= 1.4 * steps.min()]))
    rows = steps / pitch
    if (np.abs(rows - np.round(rows)) > rules.pitch).mean() > 0.25:  # else some paragraphs stand further apart
        return None
    region = members[0].track.place
    for case in members[1:]:
        region = region.joined(case.track.place)
    return Block(region, max(case.track.sure for case in members))
