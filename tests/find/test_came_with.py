"""What a prior leaves out of letters is told by what changes as they come."""

import numpy as np
import pytest
import torch
from drawn_rows import at, letters, partly, scene, video, white

from clear_runtime.find.came_with import came_with
from clear_runtime.find.marks import marked
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.rules import Rules

LINE = at(letters(1, 14), 150, 70)
HALF = LINE & (np.arange(320) < 150)
WHITE = (255.0, 255.0, 255.0)


def frame(shown=None, seed=0):
    return (video(scene(1, seed=seed), *([(shown, slice(0, 1))] if shown is not None else []))[0] * 255).byte().numpy()


@pytest.fixture
def row():
    return partly(LINE, HALF)


def test_what_has_the_letters_colour_and_comes_with_them_is_theirs(row):
    more = came_with(row, WHITE, frame(LINE), frame(), 1.0)
    rest = row.region.of(torch.from_numpy(LINE & ~HALF)[None])[0].numpy()
    assert np.array_equal(more, rest)


@pytest.mark.parametrize(
    "there, empty, colour",
    [(frame(LINE), frame(seed=3), WHITE), (frame(LINE), frame(LINE), WHITE), (frame(LINE), frame(), (200.0, 0.0, 0.0))],
    ids=["another scene", "it was there before", "letters of another colour"],
)
def test_nothing_is_where_that_does_not_tell(row, there, empty, colour):
    assert not came_with(row, colour, there, empty, 1.0).any()


@pytest.mark.parametrize("rules", [Rules(), Rules().without("completes")])
def test_a_line_of_which_a_prior_sees_a_part_goes_whole(rules):
    frames = video(scene(48), (LINE, slice(10, 35)))

    def blind(batch):
        soft = white(batch)
        soft[:, :, 119:127] = 0  # before a white wall, say
        return soft

    marks = torch.stack([one.marks for one in marked(frames, blind, MarkOptions(grow=0), rules=rules)])
    line = torch.from_numpy(LINE)
    whole = bool((marks[10:35] & line).sum() == 25 * line.sum())
    assert whole == rules.ends.completes
    assert not (marks & ~line).any() and not marks[:10].any() and not marks[35:].any()
