"""The pictures of Stage I show what they are given."""

import numpy as np
import pytest
import torch
from PIL import ImageDraw

from clear_runtime.media import pictures as shared
from clear_runtime.train.prior import pictures


def test_heat_lies_where_the_mask_is():
    frames, masks = torch.full((2, 4, 6, 3), 0.5), torch.zeros(2, 4, 6)
    masks[0, 1, 2], masks[1, 0, 0] = 1.0, 0.5
    out = shared.overlay(frames, masks)
    assert torch.equal(out[masks == 0], frames[masks == 0])
    assert (
        torch.allclose(out[0, 1, 2], torch.tensor([0.85, 0.85, 0.15]))
        and out[1, 0, 0, 0] > out[1, 0, 0, 1] > out[1, 0, 0, 2]
    )
    assert shared.overlay(frames.half(), masks).dtype == torch.float16


def orange(picture):
    """Mean row of the curve's pixels in each column that has some."""
    hit = (np.asarray(picture) == shared.SHARE).all(-1)
    return {x: np.flatnonzero(hit[:, x]).mean() for x in range(60, hit.shape[1]) if hit[40:, x].any()}


def test_the_plot_rises_where_there_is_more_subtitle():
    rows = orange(shared.share_plot([0.0] * 20 + [0.04] * 20))
    left, right = (np.mean([y for x, y in rows.items() if lo < x < hi]) for lo, hi in ((80, 400), (600, 940)))
    assert right + 100 < left


def test_one_frame_is_a_line_at_its_value():
    two = orange(shared.share_plot([0.05, 0.05]))
    assert orange(shared.share_plot([0.05])) == two and len(two) > 800


@pytest.mark.parametrize(
    "shares, marks",
    [
        ([0.0], ["0", "0.25", "0.5", "0.75", "1"]),
        ([0.012], ["0", "0.5", "1", "1.5", "2"]),
        ([0.052], ["0", "1.5", "3", "4.5", "6"]),
        ([0.08], ["0", "2.5", "5", "7.5", "10"]),
        ([1.0], ["0", "25", "50", "75", "100"]),
    ],
)
def test_the_numbers_at_the_plot_s_lines_are_exact(shares, marks, monkeypatch):
    written = []
    draw = ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        ImageDraw.ImageDraw,
        "text",
        lambda self, xy, text, **k: (written.append((xy, text)), draw(self, xy, text, **k))[1],
    )
    shared.share_plot(shares * 2)
    assert [text for (x, y), text in written if x == 4 and y > 4] == marks


def test_plots_of_nothing_are_drawn():
    assert shared.share_plot([]).size == (960, 240)
    assert pictures.curves({}).size == pictures.curves({"region": [1.0]}).size == (640, 280)


def test_the_first_step_is_a_dot():
    hit = (np.asarray(pictures.curves({"region": [1.0]})) == shared.SHARE).all(-1)
    assert hit[20:].sum() > 8, "below the names"
    assert not (np.asarray(pictures.curves({"region": [None]})) == shared.SHARE).all(-1)[20:].any()


def test_steps_without_a_loss_leave_gaps():
    steps = list(np.geomspace(1, 0.5, 60))
    whole = orange(pictures.curves({"region": steps}))
    for missing in (None, float("nan"), float("inf")):
        broken = orange(pictures.curves({"region": [*steps[:20], *[missing] * 10, *steps[30:]], "adv": [missing] * 60}))
        gaps = [x for x in whole if x not in broken]
        assert len(gaps) > 80 and max(gaps) - min(gaps) < len(gaps) + 3, (
            "one gap, as wide as the steps that are missing"
        )


def test_steps_are_counted_from_one(monkeypatch):
    written = []
    monkeypatch.setattr(shared.ImageDraw.ImageDraw, "text", lambda self, at, text, **how: written.append(text))
    pictures.curves({"region": [1.0] * 60})
    assert "1" in written and "step 60" in written and "step 59" not in written


def test_curves_fall_as_the_loss_does():
    rows = orange(pictures.curves({"region": list(np.geomspace(1, 0.01, 3000)), "adv": [0.7] * 3000}))
    columns = sorted(x for x in rows)
    assert rows[columns[5]] < rows[columns[len(columns) // 2]] < rows[columns[-5]], "rows grow downwards"


def test_what_a_history_holds_beside_losses_is_no_curve():
    losses = {"total": [0.5, 0.4], "recon": [0.2, 0.1]}
    assert pictures.curves({**losses, "seconds": [30.0, 40.0]}).tobytes() == pictures.curves(losses).tobytes()


def test_examples_stand_side_by_side_and_stack_under_the_curves():
    frame, label, mask = torch.zeros(32, 64, 3), torch.ones(32, 64), torch.zeros(32, 64)
    panel = pictures.example_panel(frame, label, mask, width=192)
    assert panel.size == (192, 32)
    assert np.asarray(panel)[:, 70:120].min() > 250 and np.asarray(panel)[:, :60].max() < 5
    assert shared.stacked([panel, panel]).size == (192, 64)
    assert shared.to_frames(panel).shape == (1, 32, 192, 3)


def test_the_mean_of_the_last_steps_is_of_those_that_are_there():
    assert shared.trailing_mean(np.array([1.0, 3.0, 5.0, 1.0]), 2).tolist() == [1, 2, 4, 3]
    assert shared.trailing_mean(np.array([2.0, 4.0]), 9).tolist() == [2, 3]


def test_a_missing_value_has_no_mean_and_counts_in_none():
    means = shared.trailing_mean(shared.numbers([1.0, None, 3.0, float("inf"), 5.0]), 3)
    assert np.array_equal(means, [1, np.nan, 2, np.nan, 4], equal_nan=True)


@pytest.mark.parametrize("height, width, size", [(1, 4096, (512, 1)), (720, 1280, (512, 288)), (48, 64, (64, 48))])
def test_a_preview_has_at_least_a_pixel_on_each_side(height, width, size):
    assert shared.to_preview(torch.zeros(height, width, 3), 512).size == size
