"""The same letters are one track, others at the same place another; what moves is followed and said to move."""

import numpy as np
import pytest
from drawn_rows import at, letters, scene

from clear_runtime.find.movement import shakes
from clear_runtime.find.rows import rows_of
from clear_runtime.find.steady import Standing
from clear_runtime.find.tracks import Tracker

SIZE = (360, 640)


def follow(masks, pan=0.0, **more):
    """A tracker that has looked at one mask [H, W] bool every third frame, over a scene that pans."""
    tracker = Tracker(max(SIZE) / 1280, **more)
    for n, grey in enumerate(scene(len(masks), pan, SIZE)):
        soft = np.where(masks[n], 255, 0).astype(np.uint8)
        tracker.add(3 * n, rows_of(soft, 0.5), 255 * grey[::2, ::2], 2.0)
    return tracker


def test_a_line_is_one_track_and_the_next_at_its_place_another():
    first, second = at(letters(1, 14), 300, 200, SIZE), at(letters(2, 9), 300, 230, SIZE)
    tracker = follow([first] * 4 + [second] * 5)
    spans = [(track.looks[0].t, track.last.t) for track in tracker.tracks]
    assert spans == [(0, 9), (12, 24)]


def noisy(line, seed):
    """A line's mask on a pattern like letters: half of its pixels, and as much beside them."""
    rng = np.random.default_rng(seed)
    out = np.where(rng.random(line.shape) < 0.5, line, rng.random(line.shape) < 0.4)
    out[:, [0, -1]] = out[[0, -1]] = True
    return out


@pytest.mark.parametrize(("shows", "tracks"), [((0.7, 1.0), 1), ((0.4, 0.5), 1), ((0.4, 1.2), 5), ((0.4, None), 5)])
def test_a_row_whose_masks_differ_is_known_by_its_ends_and_what_it_shows(shows, tracks):
    masks = [at(noisy(letters(1, 20), n), 300, 200, SIZE) for n in range(5)]
    assert len(follow(masks, standing_at=lambda look, t: Standing(*shows)).tracks) == tracks


def test_letters_that_come_one_by_one_are_one_track():
    line = letters(1, 12)
    tracker = follow([at(line[:, : 12 * n], 300, 200, SIZE) for n in range(2, 13)])
    assert len(tracker.tracks) == 1 and tracker.tracks[0].region.width >= line.shape[1] - 2


def test_a_row_that_was_not_seen_for_a_moment_goes_on():
    line, none = at(letters(1, 12), 300, 200, SIZE), np.zeros(SIZE, bool)
    assert len(follow([line, line, none, none, line]).tracks) == 1
    assert len(follow([line, line] + [none] * 6 + [line]).tracks) == 2


def test_a_short_word_is_no_part_of_a_longer_one_elsewhere():
    word, longer = letters(1, 3), np.concatenate([letters(2, 4), letters(1, 3)], 1)
    tracker = follow([at(word, 300, 300, SIZE)] * 3 + [at(longer, 300, 240, SIZE)] * 3)
    assert [(track.looks[0].t, track.last.t) for track in tracker.tracks] == [(0, 6), (9, 15)]


def test_a_row_whose_place_others_took_does_not_come_back():
    one, two = (at(letters(seed, 8), 300, 250, SIZE) for seed in (1, 2))
    tracker = follow([one] * 3 + [two] * 3 + [one] * 3)
    assert len(tracker.tracks) == 3


def test_what_stands_while_the_scene_moves_and_what_moves_with_it():
    row = letters(1, 12)
    tracker = follow([at(row, 300, 200, SIZE)] * 10, pan=6)
    standing = tracker.movement(tracker.tracks[0])
    assert standing.against_scene >= 5 and not standing.with_scene and standing.standing == 1
    tracker = follow([at(row, 100, 300 - 6 * n, SIZE) for n in range(10)], pan=6)
    assert len(tracker.tracks) == 1
    moving = tracker.movement(tracker.tracks[0])
    assert moving.with_scene >= 5 and not moving.against_scene and moving.travelled > 50


def test_a_slow_roll_over_a_still_scene_moves():
    tracker = follow([at(letters(1, 12), 300 - 2 * n, 200, SIZE) for n in range(12)])
    movement = tracker.movement(tracker.tracks[0])
    assert len(tracker.tracks) == 1 and movement.travelled > 20 and movement.standing < 0.5


def test_a_row_shakes_where_it_goes_to_and_fro_and_not_where_it_moves_on_or_stands():
    line, draws = letters(1, 14, 4), np.random.default_rng(0)
    jumps = draws.integers(-5, 6, (12, 2))
    shaken = follow([at(line, 280 + down, 100 + right, SIZE) for down, right in jumps])
    (track,) = shaken.tracks
    assert shaken.movement(track).shakes and shakes(track)
    for places in ([(280, 100)] * 12, [(280, 100 + 4 * n) for n in range(12)]):
        tracker = follow([at(line, *place, SIZE) for place in places])
        assert not tracker.movement(tracker.tracks[0]).shakes and not shakes(tracker.tracks[0])
