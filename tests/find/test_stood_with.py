"""What a prior leaves out of letters is told by what stands with them while the scene moves on."""

import numpy as np
import pytest
import torch
from drawn_rows import at, letters, partly, scene, video, white

from clear_runtime.find.marks import marked
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.rules import Rules
from clear_runtime.find.stood_with import LEAST, stood_with

LINE = at(letters(1, 14, 3), 140, 30)
SEEN = LINE & ((np.arange(320) < 100) | (np.arange(320) > 107))


def frames(count=12, pan=7.0, shown=LINE):
    return (video(scene(count, pan), (shown, slice(0, count))) * 255).byte().numpy()


@pytest.fixture
def row():
    return partly(LINE, SEEN)


def test_what_stands_with_letters_while_the_scene_moves_is_theirs(row):
    more = stood_with(row, list(frames()), 1.0)
    rest = row.region.of(torch.from_numpy(LINE & ~SEEN)[None])[0].numpy()
    assert more[rest].all() and (more & ~rest).sum() < 0.02 * more.size


@pytest.mark.parametrize(
    "shown",
    [frames(pan=0.0), frames(LEAST - 1), frames(shown=SEEN), frames(shown=np.zeros_like(LINE))],
    ids=["the scene stands", "too few frames", "there is no more", "the letters do not stand"],
)
def test_nothing_is_told_where_it_cannot_be(row, shown):
    rest = row.region.of(torch.from_numpy(LINE & ~SEEN)[None])[0].numpy()
    assert not (stood_with(row, list(shown), 1.0) & rest).any()


@pytest.mark.parametrize("stood", [True, False])
def test_a_piece_that_the_prior_misses_is_marked_in_every_look(stood):
    rules = Rules() if stood else Rules().without("stood")
    shown = video(scene(40, 7.0), (LINE, slice(0, 40)))
    blind = lambda batch: white(batch) * torch.from_numpy(SEEN | ~LINE)
    marks = torch.stack([one.marks for one in marked(shown, blind, MarkOptions(grow=0), rules=rules)]).numpy()
    assert marks[:, SEEN].mean() > 0.99
    assert (marks[:, LINE & ~SEEN].mean() > 0.9) == stood
