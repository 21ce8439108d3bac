"""True pixels from other frames: taken where the scene stands still, left where it moves."""

import torch
from hidden_backgrounds import error, lines, subtitled, texture

from clear_runtime.fill.harmonic import harmonic
from clear_runtime.fill.plain import fill


def spatial(frames, mask):
    """The fill without borrowing."""
    known = (mask == 0)[:, None]
    return harmonic(frames.permute(0, 3, 1, 2), known).permute(0, 2, 3, 1)


def test_a_still_background_comes_back():
    mask = lines()
    clean = texture().expand(24, -1, -1, -1) + 0.005 * torch.randn(
        24, 72, 160, 3, generator=torch.Generator().manual_seed(1)
    )
    frames = subtitled(clean.clamp(0, 1), mask)
    assert error(fill(frames, mask), clean, mask) < 0.02 < 0.08 < error(spatial(frames, mask), clean, mask)


def test_a_panned_background_comes_back():
    mask = lines()
    clean = torch.stack([texture(width=400)[:, 7 * t : 7 * t + 160] for t in range(24)])
    frames = subtitled(clean, mask)
    assert error(fill(frames, mask), clean, mask) < 0.4 * error(spatial(frames, mask), clean, mask)


def test_what_changes_without_moving_keeps_the_smooth_fill():
    mask = lines()
    clean = torch.stack([texture(seed=t) for t in range(24)])
    frames = subtitled(clean, mask)
    smooth = spatial(frames, mask)
    assert error(fill(frames, mask, texture=False), smooth, mask) < 0.03
    assert error(fill(frames, mask, texture=False), clean, mask) < 1.01 * error(smooth, clean, mask)


def test_a_cut_is_not_borrowed_across():
    mask = lines()
    clean = torch.cat([texture().expand(20, -1, -1, -1), texture(seed=5).expand(4, -1, -1, -1)])
    mask[:20, 30:46, 20:90] = 1  # hidden in the whole first shot, to be seen only in the second
    frames = subtitled(clean, mask)
    left = mask.clone()
    left[:, :, 70:] = 0
    assert error(fill(frames, mask, texture=False, network=False), spatial(frames, mask), left) < 0.03


def test_what_is_always_hidden_is_filled_from_around():
    mask = torch.zeros(6, 72, 160)
    mask[:, 30:40, 20:90] = 1
    frames = subtitled(texture().expand(6, -1, -1, -1), mask)
    assert error(fill(frames, mask, texture=False, network=False), spatial(frames, mask), mask) < 1e-3


def test_a_frame_that_is_all_mask_lends_nothing():
    mask = torch.zeros(3, 72, 160)
    mask[0, 30:40, 20:90] = mask[2, 30:40, 20:90] = 1
    mask[1] = 1
    frames = subtitled(texture().expand(3, -1, -1, -1), mask)
    assert torch.equal(fill(frames, mask)[1], frames[1])
    assert (
        error(fill(frames, mask, texture=False, network=False)[::2], spatial(frames[::2], mask[::2]), mask[::2]) < 1e-3
    )


def test_nothing_flickers_on_a_still_background():
    mask = lines()
    noise = 0.01 * torch.randn(24, 72, 160, 3, generator=torch.Generator().manual_seed(1))
    clean = texture().expand(24, -1, -1, -1).add(noise).clamp(0, 1)
    out = fill(subtitled(clean, mask), mask)
    both = (mask[1:] * mask[:-1]) > 0
    assert out.diff(dim=0).abs()[both].mean() < clean.diff(dim=0).abs()[both].mean()


def test_what_is_painted_goes_on_from_what_was_lent():
    """An edge stands in the lent part of a hole: the rest beside it is dark, not on its way to the bright side."""
    mask = torch.zeros(6, 72, 160)
    mask[:, 20:56, 40:70] = 1  # never shown
    mask[::2, 20:56, 70:110] = 1  # shown in every second frame
    clean = 0.3 * texture()
    clean[:, 90:] += 0.6
    clean = clean.expand(6, -1, -1, -1)
    out = fill(subtitled(clean, mask), mask, texture=False, network=False)
    never = torch.zeros_like(mask)
    never[::2, 24:52, 50:70] = 1
    assert (out - clean)[never > 0].mean().abs() < 0.02
