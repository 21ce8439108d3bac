"""Letters' colour that has run into the picture around them."""

import pytest
import torch
from torch.nn import functional as F

from clear_runtime.fill.bleed import LUMA, without_bleed
from clear_runtime.frames.masks import grow
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

SCENE = torch.tensor([0.50, 0.45, 0.20])
HEIGHT, WIDTH = 96, 200


def letters(count=3):
    mask = torch.zeros(count, HEIGHT, WIDTH)
    for x in range(40, 160, 14):
        mask[:, 40:56, x : x + 5] = 1
    return mask


def scene(count=3, texture=0.1):
    """Olive, brighter and darker in places, of one colour."""
    light = F.interpolate(torch.rand(count, 1, 24, 50, generator=torch.Generator().manual_seed(0)), (HEIGHT, WIDTH))
    return SCENE + texture * (light - 0.5).permute(0, 2, 3, 1)


def subtitled(clean, mask, run):
    """White letters; run: pixels over which colour is smoothed, as at a lower resolution, brightness is not."""
    sharp = torch.where(mask[..., None] > 0, torch.ones(3), clean)
    bright = (sharp @ torch.tensor(LUMA))[..., None]
    colour = (sharp - bright).permute(0, 3, 1, 2)
    smooth = F.avg_pool2d(F.pad(colour, (run,) * 4, mode="replicate"), 2 * run + 1, 1) if run else colour
    return bright + smooth.permute(0, 2, 3, 1)


@pytest.mark.parametrize("run", [2, 3])
def test_the_scene_s_colour_comes_back_at_its_own_brightness(run):
    mask, clean = letters(), scene()
    seen = subtitled(clean, mask, run)
    holes = grow(mask, 1) > 0
    mended, where = without_bleed(seen, holes)
    ring = (grow(holes.float(), 1) > 0) & ~holes
    off = lambda frames: (frames - clean)[ring].abs().mean()
    assert off(seen) > 0.01 and off(mended) < 0.1 * off(seen)
    bright = torch.tensor(LUMA)
    assert torch.allclose(mended @ bright, seen @ bright, atol=1e-5)
    assert where[ring].all() and torch.equal(mended[~where], seen[~where])


def test_where_nothing_has_run_nothing_changes():
    mask, clean = letters(), scene()
    seen = subtitled(clean, mask, 0)
    mended, where = without_bleed(seen, grow(mask, 1) > 0)
    assert mended is seen and not where.any()


def test_a_scene_of_many_colours_is_left_alone():
    mask = letters()
    rough = torch.rand(3, 3, 12, 25, generator=torch.Generator().manual_seed(1))
    clean = F.interpolate(rough, (HEIGHT, WIDTH), mode="bicubic").clamp(0, 1).permute(0, 2, 3, 1)
    assert not without_bleed(subtitled(clean, mask, 0), grow(mask, 1) > 0)[1].any()


def test_what_stands_in_the_holes_does_not_matter():
    mask, clean = letters(), scene()
    holes, seen = grow(mask, 1) > 0, subtitled(clean, mask, 3)
    other = torch.where(holes[..., None], torch.rand(seen.shape, generator=torch.Generator().manual_seed(2)), seen)
    (one, where), (two, there) = without_bleed(seen, holes), without_bleed(other, holes)
    assert where.any() and torch.equal(where, there) and torch.equal(one[~holes], two[~holes])


@pytest.mark.parametrize("holes", [torch.zeros(2, 9, 9, dtype=torch.bool), torch.ones(2, 9, 9, dtype=torch.bool)])
def test_nothing_marked_or_everything(holes):
    seen = torch.rand(2, 9, 9, 3)
    assert without_bleed(seen, holes)[0] is seen


def test_a_removal_has_the_scene_s_colour_says_where_and_keeps_to_its_limit():
    mask, clean = letters(16), scene(16)
    seen, limit = subtitled(clean, mask, 3).clamp(0, 1), torch.zeros(1, HEIGHT, WIDTH)
    limit[:, :, :100] = 1
    options = RemoveOptions.of(output="preview", second_look=False, subtitles_only=False, grow=1, feather=0)
    pairs = list(remove(iter(seen), None, lambda frames: mask[: len(frames)], options, limit))
    out, where = (torch.stack(part) for part in zip(*pairs))
    ring = (grow(mask, 2) > 0) & (grow(mask, 1) == 0)
    ring[:, :, 96:] = False
    assert (where[ring] == 1).all() and (out - clean)[ring].abs().mean() < 0.2 * (seen - clean)[ring].abs().mean()
    assert torch.equal(out[where == 0], seen[where == 0]) and not where[:, :, 100:].any()
