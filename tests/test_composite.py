"""Growing, feathering, limiting and compositing."""

import pytest
import torch
from allocations import Copies
from torch.nn import functional as F

from clear_runtime import composite as composite_module
from clear_runtime.composite import BLUR, MARGIN, composite_, match
from clear_runtime.errors import ClearError
from clear_runtime.fill.harmonic import harmonic
from clear_runtime.frames.masks import cut, feather, grow, restrict
from clear_runtime.frames.region import bounds
from clear_runtime.frames.windows import Window


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def dots(seed=0):
    return (random(3, 40, 60, seed=seed) > 0.995).float()


@pytest.mark.parametrize("pixels", [0, 1, 4, 100])
def test_growth_is_the_largest_value_in_a_square(pixels):
    size = 2 * pixels + 1
    assert torch.equal(grow(dots(), pixels), F.max_pool2d(F.pad(dots(), (pixels,) * 4), size, 1))


def test_a_feather_falls_evenly_outside_and_keeps_what_was_one():
    mask = torch.zeros(1, 40, 60)
    mask[0, 18:22, 20:40] = 1
    soft = feather(mask, 4)
    assert torch.equal(soft[mask == 1], mask[mask == 1])
    assert soft[0, 20, 40:46].tolist() == pytest.approx([0.8, 0.6, 0.4, 0.2, 0, 0])
    assert soft[0, 12:19, 30].tolist() == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 1])
    assert torch.equal(soft > 0, grow(mask, 4) > 0)
    assert torch.equal(feather(mask, 0), mask)


def test_empty_masks_stay_empty_and_inputs_are_left_alone():
    empty = torch.zeros(2, 10, 10)
    assert torch.equal(grow(empty, 3), empty) and torch.equal(feather(empty, 3), empty)
    mask = dots()
    before = mask.clone()
    grow(mask, 2), feather(mask, 2)
    assert torch.equal(mask, before)


def test_restrict_is_an_upper_bound():
    mask, limit, protect = random(2, 5, 5), random(2, 5, 5, seed=1), random(2, 5, 5, seed=2)
    out = restrict(mask, limit, protect)
    assert (out <= mask).all() and (out <= limit).all() and (out <= 1 - protect).all()
    assert torch.equal(out, torch.minimum(torch.minimum(mask, limit), 1 - protect))
    assert restrict(mask, None, None) is mask


def test_cut_goes_by_absolute_frame_and_repeats_a_single_one():
    area = random(20, 6, 8)
    assert torch.equal(cut(area, "limit", Window(8, 17), (6, 8)), area[8:17])
    assert torch.equal(cut(area[:1], "limit", Window(8, 17), (6, 8)), area[:1].repeat(9, 1, 1))
    assert cut(None, "limit", Window(0, 5), (6, 8)) is None
    with pytest.raises(ClearError, match="20 frames, the video has at least 21"):
        cut(area, "limit", Window(12, 21), (6, 8))
    with pytest.raises(ClearError, match="8x6 pixels, the frames are 8x7"):
        cut(area, "limit", Window(0, 5), (7, 8))


def test_composite_is_exact_at_both_ends():
    source, new = random(2, 10, 12, 3), random(2, 10, 12, 3, seed=1)
    alpha = torch.tensor([0.0, 0.5, 1.0]).repeat_interleave(4).expand(2, 10, 12)
    out = composite_(source.clone(), new, alpha)
    assert torch.equal(out[:, :, :4], source[:, :, :4]) and torch.equal(out[:, :, 8:], new[:, :, 8:])
    assert torch.allclose(out[:, :, 4:8], (source + new)[:, :, 4:8] / 2)


def test_what_is_not_a_number_outside_alpha_stays_outside():
    new = torch.full((1, 2, 2, 3), float("nan"))
    assert torch.equal(composite_(torch.ones(1, 2, 2, 3), new, torch.zeros(1, 2, 2)), torch.ones(1, 2, 2, 3))


def test_match_takes_a_colour_shift_away_and_the_text_does_not_leak_in():
    mask = torch.zeros(2, 80, 120)
    mask[:, 30:50, 20:100] = 1
    clean = (
        torch.linspace(0.2, 0.6, 120).view(1, 1, 120, 1).expand(2, 80, 120, 3) + 0.05 * random(2, 80, 120, 3)
    ).contiguous()
    source = torch.where(mask[..., None] > 0, torch.ones(()), clean)
    shift = torch.tensor([0.08, -0.05, 0.03]) + torch.linspace(-0.03, 0.03, 120).view(120, 1)
    drifted = clean + shift + 0.02 * (random(2, 80, 120, 3, seed=3) - 0.5)
    before, after = ((x - clean)[mask > 0].abs().mean() for x in (drifted, match(source, drifted, mask)))
    assert after < 0.008 < 0.04 < before


def test_match_leaves_alone_what_it_knows_nothing_about():
    new = random(2, 20, 20, 3)
    assert torch.equal(match(torch.zeros_like(new), new, torch.zeros(2, 20, 20)), new)
    all_masked = torch.ones(2, 20, 20)
    all_masked[1, :5] = 0
    out = match(torch.zeros_like(new), new, all_masked)
    assert torch.equal(out[0], new[0]) and not torch.equal(out[1], new[1])


# -- several lines -----------------------------------------------------------------------------------------------------


def two_lines(count=3, height=256, width=320):
    """One at the top and one at the bottom, 192 rows and 128 columns apart: the cells of all scales that match needs
    fit both."""
    mask = torch.zeros(count, height, width)
    mask[:, 24:28, 24:100] = mask[:, 216:220, 152:228] = 1
    return mask


def in_one_box(source, new, mask):
    """What match gives when it looks at the whole frame."""
    known = (mask == 0)[:, None]
    average = lambda x: F.avg_pool2d(x, BLUR, 1, BLUR // 2, count_include_pad=False)
    smooth = average((source - new).permute(0, 3, 1, 2) * known) / average(known.float()).clamp_min(1e-8)
    return torch.where(known.permute(0, 2, 3, 1), new, new + harmonic(smooth, known).permute(0, 2, 3, 1))


def test_match_gives_by_blocks_what_one_box_around_all_gives():
    mask, source, new = two_lines(), random(3, 256, 320, 3), random(3, 256, 320, 3, seed=1)
    assert torch.equal(match(source, new, mask), in_one_box(source, new, mask))


def test_match_does_not_work_on_what_lies_between_two_lines(monkeypatch):
    mask, work = two_lines(), []
    monkeypatch.setattr(
        composite_module, "harmonic", lambda pixels, known: work.append(known.numel()) or harmonic(pixels, known)
    )
    match(torch.zeros(3, 256, 320, 3), torch.zeros(3, 256, 320, 3), mask)
    line = (4 + 2 * MARGIN) * (76 + 2 * MARGIN)
    assert 0 < sum(work) <= 3 * 2 * line


@pytest.mark.parametrize("step", [grow, feather])
def test_masks_grow_by_blocks_as_they_do_as_a_whole(step, monkeypatch):
    work, pool = [], F.max_pool2d
    monkeypatch.setattr(F, "max_pool2d", lambda x, *rest: work.append(x.numel()) or pool(x, *rest))
    parts = step(two_lines(), 3)
    assert max(work) <= 3 * (4 + 6) * (76 + 6)
    monkeypatch.setattr("clear_runtime.composite.blocks", lambda mask, pixels: [bounds(mask, pixels)])
    assert torch.equal(parts, step(two_lines(), 3))


@pytest.mark.parametrize(
    "mask", [two_lines(20), torch.ones(20, 64, 80)], ids=["at the top and the bottom", "everywhere"]
)
@pytest.mark.parametrize("step, copied", [(composite_, 0), (match, 1)])
def test_frames_are_not_copied_more_than_they_must(step, copied, mask):
    mask = mask.clone()
    mask[:, 40, 40] = 0.5
    source, new = torch.zeros(*mask.shape, 3), torch.ones(*mask.shape, 3)
    with Copies(source) as copies:
        step(source, new, mask)
    assert copies.made == copied


def test_inputs_are_left_alone_but_for_what_is_made_in_place():
    source, new, mask = random(3, 256, 320, 3), random(3, 256, 320, 3, seed=1), two_lines()
    before = source.clone(), new.clone(), mask.clone()
    match(source, new, mask)
    assert all(torch.equal(a, b) for a, b in zip(before, (source, new, mask)))
    assert composite_(source, new, mask) is source
    assert all(torch.equal(a, b) for a, b in zip(before[1:], (new, mask)))


def test_match_keeps_what_is_outside_the_mask():
    source, new, mask = random(3, 256, 320, 3), random(3, 256, 320, 3, seed=1), two_lines()
    assert torch.equal(match(source, new, mask)[mask == 0], new[mask == 0])
