"""How long a row is there that the picture still shows."""

import numpy as np
import pytest
from drawn_rows import at, letters, scene

from clear_runtime.find.ends import EndRules, Ends, Scenes
from clear_runtime.find.pace import Pace
from clear_runtime.find.rows import Row
from clear_runtime.find.track import Look, Track
from clear_runtime.frames.region import Region

PLACE, FRAMES = Region(150, 70, 14, 120), 60
WORDS, OTHER = letters(1, 10), letters(2, 10)


def track(words, *times):
    looks = [Look(t, Row(PLACE, words.astype(np.uint8) * 255, 1.0, 14.0)) for t in times]
    return Track(looks, times[0], times[-1] + 1)


def stop_of(*others, rules=EndRules()):
    """When a row ends that was seen in one look at frame 18, and that the picture shows in all frames."""
    frames = np.where(at(WORDS, PLACE.top, PLACE.left), 1.0, scene(FRAMES))
    small = [(t, (255 * frame[..., None].repeat(3, 2)).astype(np.uint8)) for t, frame in enumerate(frames)]
    own = track(WORDS, 18)
    ends = Ends(Scenes(small, 1.0, frames.shape[1:], [0], FRAMES, 3), Pace(25), [own, *others], lambda one: True, rules)
    ends.end(own, ends.pattern(own.last))
    return own.stop, own.went


def test_a_row_lasts_as_long_as_the_picture_shows_it():
    assert stop_of() == (49, False)
    assert stop_of(track(WORDS, 36)) == (49, False)
    assert stop_of(rules=EndRules(holds=False)) == (21, False)


@pytest.mark.parametrize("first", [24, 42])
def test_it_does_not_where_other_words_are_seen_at_its_place(first):
    assert stop_of(track(OTHER, first, first + 3))[0] == 21


def test_without_asking_the_picture_it_has_gone_where_the_prior_sees_it_no_more():
    assert stop_of(rules=EndRules(asks=False)) == (21, True)
