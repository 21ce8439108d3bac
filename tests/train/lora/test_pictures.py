"""The pictures of Stage II show what they are given."""

import numpy as np
import torch

from clear_runtime.train.lora import pictures
from clear_runtime.train.lora.pictures import Figures

FIGURES = Figures(step=40, steps=100, left=125.0, memory=3 * 2**30, skipped=0, share=0.0543)


def history(steps):
    return {
        "total": np.geomspace(1, 0.02, steps).tolist(),
        "gen": np.geomspace(0.5, 0.01, steps).tolist(),
        "distill": [0.1] * steps,
        "sparse": [0.3] * steps,
        "temporal": [0.2] * steps,
        "alpha": [5 + 10 * (1 - abs(k % 40 / 20 - 1)) for k in range(steps)],
        "rate": [1e-4] * steps,
        "seconds": [1.5] * steps,
    }


def rows_of(picture, colour):
    """Mean row of a colour's pixels in each column of the plots."""
    hit = (np.asarray(picture) == colour).all(-1)
    return {x: np.flatnonzero(hit[:, x]).mean() for x in range(200, hit.shape[1]) if hit[:, x].any()}


def test_figures_in_words():
    assert str(FIGURES) == "step 40 of 100   2 min left   3.0 GiB   5.43 % of the weights train"
    assert str(Figures(1, 1, 0.4, 2**29, 2, 0.05)).endswith("2 skipped")
    assert [pictures.time_left(s) for s in (12, 600, 7200)] == ["12 s", "10 min", "2.0 h"]


def test_losses_fall_and_alpha_swings():
    picture = pictures.curves(history(80), FIGURES)
    gen, alpha = rows_of(picture, pictures.LOSSES["gen"]), rows_of(picture, pictures.STRIPS["alpha"][0])
    assert gen[min(gen)] < gen[max(gen)], "rows grow downwards"
    tops = [alpha[x] for x in sorted(alpha)]
    assert max(tops) - min(tops) > 25 and min(alpha.values()) > max(gen.values()), (
        "alpha stands in a plot of its own, below"
    )


def test_every_plot_has_its_own_line():
    picture = pictures.curves(history(30), FIGURES)
    for colour in [*pictures.LOSSES.values(), *(colour for colour, _ in pictures.STRIPS.values())]:
        assert len(rows_of(picture, colour)) > 300
    assert picture.width == 640


def test_no_step_and_one_step_are_drawn():
    empty, one = pictures.curves({}, FIGURES), pictures.curves(history(1), FIGURES)
    assert empty.size == one.size
    assert all((np.asarray(one) == colour).all(-1)[60:].sum() > 8 for colour in pictures.LOSSES.values()), "dots"


def test_a_skipped_step_leaves_a_gap():
    broken = history(30)
    for name in (*pictures.LOSSES, "alpha"):
        broken[name][10] = broken[name][29] = None
    picture, whole = pictures.curves(broken, FIGURES), pictures.curves(history(30), FIGURES)
    for colour in (pictures.LOSSES["gen"], pictures.STRIPS["alpha"][0]):
        there, before = rows_of(picture, colour), rows_of(whole, colour)
        assert max(there) < max(before) - 10 and len(there) < len(before) - 40
    assert pictures.curves({name: [None] * 3 for name in history(1)}, FIGURES).size == picture.size


def test_the_frame_with_the_most_subtitle_is_shown_and_decoded_from_two_before_it():
    masks = torch.zeros(6, 4, 5)
    masks[1, 0, 0], masks[4, 1, :3] = 1, 1
    assert pictures.most_subtitle(masks) == (4, slice(2, 5)) and pictures.most_subtitle(masks[:4]) == (1, slice(0, 2))


def test_an_example_is_before_after_and_heat():
    before, after, m_pred = torch.zeros(32, 48, 3), torch.ones(32, 48, 3), torch.zeros(4, 6)
    m_pred[3] = 1.0
    panel = np.asarray(pictures.example_panel(before, after, m_pred, width=144))
    assert panel.shape == (32, 144, 3)
    assert panel[:, 2:46].max() < 5 and panel[:, 50:94].min() > 250
    assert panel[:20, 100:].max() < 5 and panel[28:, 100:, 0].min() > 150, "heat lies in the lowest row of cells"
