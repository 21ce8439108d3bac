"""Text that stands is parted from text that moves behind it, and nothing else is."""

import numpy as np
from drawn_rows import letters
from scipy import ndimage

from clear_runtime.find.apart import Seen, by_itself, known_apart, taken_apart
from clear_runtime.find.rows import rows_of
from clear_runtime.find.steady import steady
from clear_runtime.find.track import Look, Track

SIZE = (120, 640)


def seen(score_at=20, sign_at=194, words=1):
    """Small words at one place, taller ones beside them at another, that the prior marks as one."""
    grey = ndimage.gaussian_filter(np.random.default_rng(0).normal(110, 60, SIZE), 4)
    soft = np.zeros(SIZE, np.uint8)
    for text, left in ((letters(words, 14), score_at), (letters(2, 14), sign_at)):
        place = slice(40, 40 + text.shape[0]), slice(left, left + text.shape[1])
        grey[place][text] = 250
        soft[place][text] = 255
    return Seen(soft, np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, 2))


def parts(now, before, after):
    rows_in = lambda soft: rows_of(soft, 0.5)
    return taken_apart(rows_in(now.soft), now, [before, after], rows_in)


def test_what_moves_is_parted_from_what_stands():
    before, now, after = (seen(sign_at=left) for left in (214, 194, 174))
    assert len(rows_of(now.soft, 0.5)) == 1
    stands, moves = sorted(parts(now, before, after), key=lambda row: row.region.left)
    assert moves.moves and not stands.moves
    for row, where in ((stands, slice(0, 194)), (moves, slice(194, None))):
        whole = np.zeros(SIZE, bool)
        row.region.of(whole[None])[0] = row.soft > 0
        assert whole[:, where].sum() > 0.9 * whole.sum()
    assert np.count_nonzero(stands.soft) + np.count_nonzero(moves.soft) == np.count_nonzero(now.soft)


def test_a_row_that_stands_or_moves_as_a_whole_is_left_alone():
    assert len(parts(seen(), seen(), seen())) == 1
    before, now, after = (seen(20 + step, 194 + step) for step in (-20, 0, 20))
    assert len(parts(now, before, after)) == 1


def test_a_word_that_comes_or_goes_is_no_movement():
    full, empty = seen(), seen()
    empty.soft[:, 190:] = 0
    empty.small[:, 190:] = 110
    assert len(parts(full, empty, full)) == 1 and len(parts(full, full, empty)) == 1
    assert len(parts(full, empty, empty)) == 1


def test_letters_are_steady_where_the_scene_behind_them_is_not():
    one = seen()
    row = rows_of(one.soft, 0.5)[0]
    other = ndimage.gaussian_filter(np.random.default_rng(5).normal(110, 60, SIZE), 4)[..., None].repeat(3, 2)
    other[one.soft > 0] = 250
    assert steady(row, [one.small], [other], 1.0) > 0.9
    assert steady(row, [one.small], [np.roll(one.small, 9, 1)], 1.0) < 0.6


def test_a_row_is_known_within_what_it_has_run_into():
    soft = np.zeros((200, 640), np.uint8)
    line = letters(3, 20)
    soft[150 : 150 + line.shape[0], 60 : 60 + line.shape[1]][line] = 255
    (alone,) = rows_of(soft, 0.5)
    soft[20:149, 40 : 90 + line.shape[1] : 30] = 255  # a car's stripes, down to the letters
    soft[148:152, 40 : 90 + line.shape[1]] = 255
    (blob,) = rows_of(soft, 0.5)
    row, rest = known_apart(blob, [alone])
    assert row.region.joined(alone.region) == alone.region and row.letter == alone.letter
    assert np.count_nonzero(row.soft) >= np.count_nonzero(alone.soft)
    assert np.count_nonzero(row.soft) + np.count_nonzero(rest.soft) == np.count_nonzero(blob.soft)
    other = rows_of(np.roll(soft * (np.arange(200) >= 152)[:, None].astype(np.uint8), 9, 1), 0.5)[0]
    assert known_apart(blob, [other]) == [blob], "other letters"
    assert known_apart(alone, [alone]) == [alone], "and a row is no more than itself"
    assert by_itself(blob, alone).region == row.region and by_itself(blob, other) is blob


def test_of_looks_in_which_a_row_has_run_into_something_the_row_is_kept():
    """Also of those before it has stood by itself, and of what was seen between looks."""
    line = letters(1, 14)
    soft = np.zeros((200, 640), np.uint8)
    soft[150 : 150 + line.shape[0], 50 : 50 + line.shape[1]][line] = 255
    (alone,) = rows_of(soft, 0.5)
    soft[20:151, 60 : 60 + line.shape[1] : 30] = 255
    soft[20:26, 60 : 50 + line.shape[1]] = 255
    (blob,) = rows_of(soft, 0.5)
    elsewhere = rows_of(np.roll(soft, 100, 1), 0.5)[0]
    track = Track()
    for t, row in enumerate((blob, alone, alone)):
        track.add(3 * t, row)
    track.between = [Look(1, blob), Look(2, elsewhere)]
    track.by_itself()
    assert track.region == alone.region and [look.t for look in track.looks] == [0, 3, 6]
    assert [look.t for look in track.between] == [1]
    assert track.between[0].row.region.joined(alone.region) == alone.region
