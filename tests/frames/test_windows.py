"""Plans of windows: every frame is covered, and blending what agrees changes nothing."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clear_runtime.errors import ClearError
from clear_runtime.frames.windows import Window, blend, iter_windows, normalise, plan, ramp

SETTINGS = [(81, 16), (21, 5), (17, 4), (5, 1), (49, 20), (33, 0)]


def check(total, window, overlap):
    """What must hold for every plan; and blending a constant video over it gives it back."""
    windows = plan(total, window, overlap)
    window, stride = normalise(window, overlap)
    assert windows[0].start == 0 and windows[-1].stop == total
    for w in windows:
        assert w.start % 4 == 0 and 0 < len(w) <= window
    for w in windows[:-1]:
        assert len(w) == window and w.start % stride == 0
    for a, b in zip(windows, windows[1:]):
        assert a.start < b.start <= a.stop and a.stop < b.stop
        assert a.stop - b.start >= window - stride or b is windows[-1]
    if total >= window:
        assert len(windows[-1]) > window - 4  # moved back until it is full, as far as the grid of four allows

    constant = 0.1  # not a round number in binary
    video, seen = torch.full((total, 2), float("nan")), 0
    for w in windows:
        new, shared = torch.full((len(w), 2), constant), seen - w.start
        new[:shared] = blend(video[w.start : seen], new[:shared])
        video[w.start : w.stop], seen = new, w.stop
    assert torch.equal(video, torch.full((total, 2), constant))
    return windows


@pytest.mark.parametrize("window, overlap", SETTINGS)
def test_every_length_from_1_to_400(window, overlap):
    for total in range(1, 401):
        windows = check(total, window, overlap)
        streamed = list(iter_windows(range(total), window, overlap))
        assert [w for w, _ in streamed] == windows
        for w, frames in streamed:
            assert frames == list(range(w.start, w.stop))


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 3000), st.integers(5, 200), st.data())
def test_any_length_and_setting(total, window, data):
    overlap = data.draw(st.integers(0, (window - 1) // 4 * 4 + 1 - 4))
    check(total, window, overlap)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 500), st.integers(5, 100), st.data())
def test_streaming_reads_no_further_than_it_must(total, window, data):
    overlap = data.draw(st.integers(0, (window - 1) // 4 * 4 + 1 - 4))
    pulled = 0

    def source():
        nonlocal pulled
        for index in range(total):
            pulled = index + 1
            yield index

    got = []
    for w, frames in iter_windows(source(), window, overlap):
        assert pulled == w.stop and frames == list(range(w.start, w.stop))
        got.append(w)
    assert got == plan(total, window, overlap)


def test_the_papers_numbers():
    assert normalise(81, 16) == (81, 64)  # an overlap of 17
    assert plan(217, 81, 16) == [Window(0, 81), Window(64, 145), Window(128, 209), Window(136, 217)]
    assert plan(60, 81, 16) == [Window(0, 60)]
    assert plan(0, 81, 16) == []


@pytest.mark.parametrize(
    "window, overlap, numbers",
    [(4, 0, "4"), (0, 0, "0"), (16, 16, "16"), (17, 20, "20"), (9, -1, "-1"), (8, 2, "2"), (5, 2, "2")],
)
def test_settings_that_cannot_work_are_refused(window, overlap, numbers):
    with pytest.raises(ClearError, match=numbers):
        normalise(window, overlap)


def test_the_overlap_that_is_named_works():
    for window, overlap in ((81, 81), (81, 80), (80, 200), (16, 14), (5, 4)):
        with pytest.raises(ClearError) as refused:
            normalise(window, overlap)
        most = int(re.search(r"at most (\d+)", str(refused.value))[1])
        assert normalise(window, most)[1] == 4
        with pytest.raises(ClearError):
            normalise(window, most + 1)


def test_the_newer_window_fades_in():
    weights = ramp(17)
    assert (weights.diff() > 0).all() and weights[0] > 0 and weights[-1] < 1
    assert torch.allclose(weights + weights.flip(0), torch.ones(17))
    old, new = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    assert blend(old, new)[:, 0, 0].tolist() == pytest.approx([0.25, 0.5, 0.75])
