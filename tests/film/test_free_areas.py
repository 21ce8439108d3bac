"""Areas that stay free of text: where they lie, for how long, and of which frames."""

import random

import numpy as np
import pytest
import torch

from clear_runtime.data.clips import fitted
from clear_runtime.errors import ClearError
from clear_runtime.film.free_areas import MARGIN, FreeAreas, MarkedCells
from clear_runtime.film.plan import Plan, PlannedLine
from clear_runtime.frames.region import Region

SIZE, STOP = (180, 320), 120
BOTTOM = Region(140, 60, 24, 200)
LETTER = 0.06


def plan(*lines, shots=(0,)):
    texts = [PlannedLine(first, stop, region, goes) for first, stop, region, goes in lines]
    return Plan({}, {}, 0, STOP, True, list(shots), texts)


@pytest.fixture
def areas(tmp_path):
    def made(texts, seen=(), apart=6, size=SIZE, shots=(0, STOP)):
        cells = MarkedCells(size, apart)
        for t, soft in seen:
            cells.see(t, soft)
        cells.add(texts)
        cells.write(tmp_path / "marked.npz")
        return FreeAreas(tmp_path / "marked.npz", size, shots)

    return made


def test_a_line_in_every_frame_leaves_what_is_above_it(areas):
    found = areas(plan((0, STOP, BOTTOM, True))).clips(17, 6, 320, LETTER, ())
    assert len(found) == 6 and {len(area.frames) for area in found} == {17}
    assert len({(area.region.height, area.region.width) for area in found}) == 1
    # the picture's rows 2 to 177 are in clips
    assert all(area.region.bottom + 2 <= BOTTOM.top - MARGIN for area in found)
    assert all(area.region.height % 16 == 0 and area.region.width % 16 == 0 for area in found)
    starts = [area.frames.start for area in found]
    assert found[0].region.width == 320 and starts == sorted(starts)


@pytest.mark.parametrize("long_side", [320, 208])
@pytest.mark.parametrize("seed", range(4))
def test_no_area_has_a_pixel_that_was_marked_in_any_of_its_frames(areas, long_side, seed):
    rng = random.Random(seed)
    lines, marked = [], torch.zeros(STOP, *SIZE)
    for _ in range(5):
        first, top, left = rng.randrange(STOP - 30), rng.randrange(150), rng.randrange(220)
        line = first, first + rng.randrange(5, 30), Region(top, left, 20, 90), rng.random() < 0.7
        lines.append(line)
        line[2].of(marked[line[0] : line[1]])[:] = 1
    seen = []
    for t in range(0, STOP, 3):  # what the prior saw and no line came of
        soft = np.zeros((360, 640), np.uint8)
        top, left = rng.randrange(350), rng.randrange(600)
        soft[top : top + 8, left : left + 30] = rng.choice((60, 255))
        seen.append((t, soft))
        marked[t, top // 2 : top // 2 + 4, left // 2 : left // 2 + 15] = 1
    found = areas(plan(*lines), seen).clips(9, 12, long_side, 0.05, ())
    assert len(found) >= 4, "there is room beside them"
    for frames, region in found:
        shown = [fitted(marked[t][..., None], long_side) for t in frames]
        assert not any(region.of(one[None]).any() for one in shown), (frames, region)


def test_what_stays_is_text_too_and_so_is_what_is_there_shortly_before_and_after(areas):
    beside = Region(0, 0, 180, 150)
    stays = areas(plan((0, STOP, beside, False))).clips(17, 4, 320, LETTER, ())
    assert stays and all(area.region.left >= beside.right + MARGIN for area in stays)
    whole = Region(0, 0, *SIZE)
    found = areas(plan((40, 60, whole, True))).clips(17, 9, 320, LETTER, ())
    assert found and all(area.frames.stop <= 40 - 6 or area.frames.start >= 60 + 6 for area in found)


def test_no_area_goes_over_a_cut_and_none_is_in_a_stretch_that_is_taken(areas):
    shots = 0, 30, 40, STOP
    found = areas(plan((0, STOP, BOTTOM, True)), shots=shots).clips(17, 20, 320, LETTER, [(70, STOP)])
    within = list(zip(shots, shots[1:]))
    of = [[n for n, (a, b) in enumerate(within) if a <= one.frames.start and one.frames.stop <= b] for one in found]
    assert all(of) and {n for (n,) in of} == {0, 2}, "the shot between them is too short"
    assert all(one.frames.start < 70 for one in found)


def test_short_shots_give_short_clips_and_few_frames_several_places(areas):
    texts = plan((0, STOP, BOTTOM, True))
    short = areas(texts, shots=(0, 12, 24)).clips(81, 30, 320, LETTER, ())
    assert {len(one.frames) for one in short} == {9}, "the longest 4k + 1 of twelve frames"
    few = areas(texts, shots=(0, 20)).clips(17, 3, 320, LETTER, ())
    assert [one.frames for one in few] == [range(17)] * 3 and len({one.region for one in few}) == 3
    assert areas(texts, shots=(0, 4)).clips(17, 4, 320, LETTER, ()) == []


def test_there_is_none_where_all_is_marked_or_the_rest_is_too_small_for_letters(areas):
    assert areas(plan((0, STOP, Region(0, 0, *SIZE), True))).clips(17, 4, 320, LETTER, ()) == []
    beside = areas(plan((0, STOP, Region(60, 0, 120, 320), True)))
    assert beside.clips(17, 4, 320, 0.04, ()) and beside.clips(17, 4, 320, 0.2, ()) == []


def test_a_file_that_is_damaged_is_said_in_words(areas):
    found = areas(plan())
    found.marked.write_bytes(b"junk")
    with pytest.raises(ClearError, match="marked.npz cannot be read"):
        found.clips(17, 4, 320, LETTER, ())
