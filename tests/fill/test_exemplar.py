"""Texture from beside the hole, and that no part of the fill shows what was marked."""

import pytest
import torch
from torch.nn import functional as F

from clear_runtime.fill.detail import with_detail
from clear_runtime.fill.plain import fill
from clear_runtime.metrics import masked_psnr, texture_energy


def stripes(height=96, width=160):
    """Slanted stripes, three pixels wide and brighter to the right [height, width, 3]."""
    y, x = torch.arange(height)[:, None], torch.arange(width)[None]
    return (0.3 + 0.3 * (((x + y) // 4) % 2) + 0.2 * x / width)[..., None].expand(-1, -1, 3).contiguous()


def letters(count, height=96, width=160, top=40, rows=16):
    """Strokes of four pixels with gaps of six, under one another by a bar."""
    mask = torch.zeros(count, height, width)
    for x in range(24, width - 24, 10):
        mask[:, top : top + rows, x : x + 4] = 1
    mask[:, top + rows // 2 : top + rows // 2 + 3, 24 : width - 24] = 1
    return mask


def over(clean, mask, colour=1.0):
    return torch.where(mask[..., None] > 0, torch.full((), colour), clean)


def alone(frames, mask, texture=True):
    return fill(frames, mask, still=False, motion=False, texture=texture)


def test_what_repeats_itself_goes_on():
    mask = letters(2)
    clean = stripes().expand(2, -1, -1, -1)
    with_it, smooth = (alone(over(clean, mask), mask, texture) for texture in (True, False))
    assert masked_psnr(with_it, clean, mask) > masked_psnr(smooth, clean, mask) + 3
    assert texture_energy(with_it, clean, mask) > 0.6 > texture_energy(smooth, clean, mask)


def test_a_flat_place_stays_smooth():
    mask = letters(1)
    noise = 0.004 * torch.randn(1, 96, 160, 3, generator=torch.Generator().manual_seed(0))
    clean = 0.5 + noise
    assert alone(over(clean, mask), mask)[mask > 0].std() < 0.004


def test_detail_is_made_stronger_where_the_surroundings_have_more_of_it_and_nowhere_else():
    """A fill that is half as strong as the truth, and one in a flat place."""
    mask, clean = letters(1), stripes()[None]
    weak = clean.mean((1, 2), keepdim=True) + 0.5 * (clean - clean.mean((1, 2), keepdim=True))
    known = mask[0] == 0
    for truth, filled, more in ((clean, over(clean, mask, 0.0) + weak * mask[..., None], 1.5), (weak, weak, 1.0)):
        made = with_detail(filled[0].permute(2, 0, 1), known[None]).permute(1, 2, 0)[None]
        assert torch.equal(made[0][known], filled[0][known])
        gained = (texture_energy(made, truth, mask) / texture_energy(filled, truth, mask)) ** 0.5
        assert 0.85 * more < gained < 1.05 * more
    flat = torch.full((3, 40, 40), 0.5)
    hole = torch.ones(1, 40, 40, dtype=torch.bool)
    hole[:, 15:25, 15:25] = False
    assert torch.equal(with_detail(flat, hole), flat)


def test_the_edge_of_a_letterbox_stays_straight():
    """A line half on the bar: neither side of the edge is smeared into the other (CASES 9)."""
    generator = torch.Generator().manual_seed(0)
    scene = F.interpolate(torch.rand(1, 3, 12, 20, generator=generator), (96, 160), mode="bicubic")[0].permute(1, 2, 0)
    clean = (0.4 + 0.5 * scene).clamp(0, 1)[None].repeat(2, 1, 1, 1)
    clean[:, 48:] = 0
    mask = letters(2)
    filled, smooth = (alone(over(clean, mask), mask, texture) for texture in (True, False))
    on_bar, on_picture = mask.clone(), mask.clone()
    on_bar[:, :48], on_picture[:, 48:] = 0, 0
    assert filled[on_bar > 0].max() < 0.02 and smooth[on_bar > 0].max() < 0.02
    for result in (filled, smooth):
        assert masked_psnr(result, clean, on_picture) > 25


def test_a_choice_stays_while_nothing_changes():
    clean = stripes()[None] + 0.01 * torch.randn(6, 96, 160, 3, generator=torch.Generator().manual_seed(0))
    mask = letters(6)
    filled = alone(over(clean, mask), mask)
    assert filled.diff(dim=0).abs()[mask[1:] > 0].mean() < 2.5 * clean.diff(dim=0).abs().mean()


@pytest.mark.parametrize("seed", range(3))
def test_no_pixel_comes_from_a_marked_place(seed):
    """Whatever stands under the marks, the result is the same, bit for bit: also where the picture moves, the marks
    move, and other words follow (CASES 4)."""
    generator = torch.Generator().manual_seed(seed)
    scene = F.interpolate(torch.rand(1, 3, 30, 70, generator=generator), (96, 260), mode="bicubic")[0].permute(1, 2, 0)
    clean = torch.stack([scene[:, 2 * t : 2 * t + 160] for t in range(10)]).clamp(0, 1)
    mask = letters(10)
    mask[5:] = mask[5:].roll((seed, 5), (1, 2))
    black, noisy = over(clean, mask, 0.0), over(clean, mask)
    noisy[mask > 0] = torch.rand(int(mask.sum()), 3, generator=generator)
    assert torch.equal(fill(black, mask), fill(noisy, mask))


def test_a_block_is_filled_with_what_is_around():
    """A mark that is one solid block over a texture (CASES 10) keeps some of it, and no more of it than there was."""
    mask = torch.zeros(2, 96, 160)
    mask[:, 40:56, 30:130] = 1
    clean = stripes().expand(2, -1, -1, -1)
    filled, smooth = (alone(over(clean, mask), mask, texture) for texture in (True, False))
    assert texture_energy(smooth, clean, mask) < 0.3 < texture_energy(filled, clean, mask) < 1.2
    assert masked_psnr(filled, clean, mask) > masked_psnr(smooth, clean, mask)


@pytest.mark.parametrize(("height", "width"), [(96, 160), (97, 161), (41, 33), (9, 7), (2, 300)])
def test_any_size_is_filled(height, width):
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(3, height, width, 3, generator=generator)
    mask = (torch.rand(3, height, width, generator=generator) < 0.3).float()
    filled = fill(over(frames, mask, 2.0), mask)
    assert filled.isfinite().all() and filled.max() <= 1.0 + 1e-5
