"""The bench of the fill: its generated cases, and what the parts are worth on them."""

from dataclasses import replace

import pytest
import torch

from clear_runtime.bench.fill import PARTS, run, scores
from clear_runtime.bench.moving import KINDS, Size, drawn_scene, moving_case
from clear_runtime.frames.masks import grow
from clear_runtime.metrics import masked_psnr, texture_cost, texture_energy

SIZE = Size(17, 120, 214)


@pytest.mark.parametrize("kind", KINDS)
def test_a_generated_case_is_clean_but_for_its_letters(kind):
    case = moving_case(kind, drawn_scene(height=200, width=450), SIZE)
    assert case.subtitled.shape == (*SIZE, 3) and case.subtitled.min() >= 0 and case.subtitled.max() <= 1
    assert case.mask.flatten(1).any(1).all()
    assert torch.equal(case.subtitled[~case.mask].mul(255).round(), case.clean[~case.mask].mul(255).round())


def test_the_same_seed_makes_the_same_case():
    one, other = (moving_case("shake", drawn_scene(height=200, width=450), SIZE, seed=3) for _ in range(2))
    assert torch.equal(one.subtitled, other.subtitled)


@pytest.mark.parametrize(("kind", "gain"), [("pan", 0.3), ("zoom", 1.5), ("still", -0.01)])
def test_motion_is_worth_something_where_something_moves(kind, gain):
    case = moving_case(kind, drawn_scene(height=200, width=450), SIZE)
    without, along = (scores(case, **PARTS[part]) for part in ("+ still", "+ motion"))
    assert along.psnr > without.psnr + gain and along.texture >= without.texture - 0.01


def test_the_tables_are_printed(caplog, tmp_path):
    with caplog.at_level("INFO"):
        run([], [], ["still"], figures_in=tmp_path / "figures.json", size=SIZE)
    assert all(part in caplog.text for part in PARTS) and (tmp_path / "figures.json").exists()
    assert "LPIPS" not in caplog.text


def test_what_the_letters_colour_costs_is_told_by_how_it_was_encoded(caplog):
    with caplog.at_level("INFO"):
        run([], [], ["still"], size=Size(3, 96, 160), crfs=[23, 35], columns=["harmonic", "+ colour"])
    assert "| still, crf 23 |" in caplog.text and "| still, crf 35 |" in caplog.text
    assert "| harmonic | + colour |" in caplog.text and "+ texture" not in caplog.text


def test_the_letters_colour_is_taken_out_where_that_is_asked_for():
    case = moving_case("still", drawn_scene(height=200, width=450), Size(3, 96, 160))
    olive = torch.tensor([0.5, 0.45, 0.2]).expand_as(case.clean)
    grey = olive.mean(-1, keepdim=True).expand_as(olive)
    ran = grow(case.mask.float(), 3)[..., None]
    subtitled = torch.where(case.mask[..., None], 1.0, torch.where(ran > 0, grey, olive))
    case = replace(case, clean=olive, subtitled=subtitled)
    without, taken = (scores(case, network=False, texture=False, colour=colour) for colour in (False, True))
    assert taken.psnr > without.psnr + 6


def test_a_weights_file_adds_the_learned_distance(caplog, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("clear_runtime.bench.fill.Lpips", lambda weights: asked.append(weights) or (lambda *of: 0.125))
    with caplog.at_level("INFO"):
        run([], [], ["still"], size=SIZE, lpips_weights=tmp_path)
    assert asked == [tmp_path] and "LPIPS of the subtitle's box" in caplog.text and "| 0.1250 |" in caplog.text


def test_texture_of_a_smear_is_less_than_the_truths():
    truth = torch.rand(2, 20, 20, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(2, 20, 20)
    assert texture_energy(truth, truth, mask) == 1 and texture_energy(truth * 0 + 0.5, truth, mask) < 0.01


def test_unrelated_detail_costs_what_is_said():
    """Noise is added to a smooth picture until it has 0.8 of the truth's texture."""
    draws = torch.Generator().manual_seed(0)
    mask = torch.zeros(2, 64, 96)
    mask[:, 8:56, 8:88] = 1
    truth = 0.5 + 0.05 * torch.randn(2, 64, 96, 1, generator=draws).expand(-1, -1, -1, 3)
    smooth = torch.full_like(truth, 0.6)
    noise = torch.randn(2, 64, 96, 1, generator=draws).expand(-1, -1, -1, 3)
    noisy = smooth + noise * (0.8 / texture_energy(smooth + noise, truth, mask)) ** 0.5
    assert abs(texture_energy(noisy, truth, mask) - 0.8) < 0.01
    lost = masked_psnr(smooth, truth, mask) - masked_psnr(noisy, truth, mask)
    assert texture_cost(smooth, truth, mask) <= lost < 1.15 * texture_cost(smooth, truth, mask)
    assert texture_cost(noisy, truth, mask) < 0.05 and texture_cost(truth, truth, mask) == 0
