"""Specks that an encoder leaves around letters."""

import pytest
import torch
from torch.nn import functional as F

from clear_runtime.fill.ringing import without_ringing
from clear_runtime.frames.masks import grow
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

HEIGHT, WIDTH, COUNT = 96, 200, 3


def letters(count=COUNT):
    mask = torch.zeros(count, HEIGHT, WIDTH)
    for x in range(40, 160, 14):
        mask[:, 40:56, x : x + 5] = 1
    return mask


def scene(count=COUNT, grain=0.004):
    """Brighter and darker in places, with a camera's grain and one edge."""
    draws = torch.Generator().manual_seed(0)
    light = F.interpolate(torch.rand(1, 1, 6, 12, generator=draws), (HEIGHT, WIDTH), mode="bicubic")[0, 0]
    light = 0.3 + 0.2 * light + grain * torch.randn(count, HEIGHT, WIDTH, generator=draws)
    light[:, :, 98:] += 0.3
    return light[..., None].expand(-1, -1, -1, 3).clamp(0, 1).contiguous()


def specked(clean, holes, strength=0.06):
    """White letters, and specks of either sign in the pixels beside them, weaker further away."""
    draws, seen, inner = torch.Generator().manual_seed(1), clean.clone(), holes.float()
    for share in (1.0, 0.5):
        outer = grow(inner, 1)
        noise = share * strength * torch.randn(*holes.shape, 1, generator=draws)
        seen += noise * (outer - inner)[..., None]
        inner = outer
    return torch.where(holes[..., None], torch.ones(3), seen).clamp(0, 1)


def ring(holes, reach=2):
    return (grow(holes.float(), reach) > 0) & ~holes


def test_specks_go_and_the_scene_s_edge_stays():
    clean, holes = scene(), grow(letters(), 1) > 0
    seen = specked(clean, holes)
    mended, where = without_ringing(seen, holes)
    beside = ring(holes)
    off = lambda frames, at: (frames - clean)[at].square().mean()
    assert off(mended, beside) < 0.4 * off(seen, beside)
    edge = beside.clone()
    edge[:, :, :97] = edge[:, :, 99:] = False
    assert off(mended, edge) < 1.5 * off(seen, edge)
    assert torch.equal(where, beside) and torch.equal(mended[~where], seen[~where])


@pytest.mark.parametrize("grain", [0.0, 0.004, 0.05])
def test_where_nothing_rings_nothing_changes(grain):
    clean, holes = scene(grain=grain), grow(letters(), 1) > 0
    seen = specked(clean, holes, 0)
    mended, where = without_ringing(seen, holes)
    assert mended is seen and not where.any()


@pytest.mark.parametrize("below", [0.0, 0.75])
def test_an_edge_along_the_row_is_none_of_the_letters(below):
    """A letterbox bar's, or a table's, that the letters stand across."""
    clean, holes = scene(), grow(letters(), 1) > 0
    clean[:, 48:] = below
    mended, where = without_ringing(specked(clean, holes, 0), holes)
    assert not where.any()
    seen = specked(clean, holes)
    mended, _ = without_ringing(seen, holes)
    across = ring(holes)
    across[:, :46] = across[:, 50:] = False
    assert (mended - clean)[across].square().mean() < 1.5 * (seen - clean)[across].square().mean()


def test_what_stands_in_the_holes_does_not_matter():
    clean, holes = scene(), grow(letters(), 1) > 0
    seen = specked(clean, holes)
    other = torch.where(holes[..., None], torch.rand(seen.shape, generator=torch.Generator().manual_seed(2)), seen)
    (one, where), (two, there) = without_ringing(seen, holes), without_ringing(other, holes)
    assert where.any() and torch.equal(where, there) and torch.allclose(one[~holes], two[~holes], atol=1e-6)


@pytest.mark.parametrize("holes", [torch.zeros(2, 9, 9, dtype=torch.bool), torch.ones(2, 9, 9, dtype=torch.bool)])
def test_nothing_marked_or_everything(holes):
    seen = torch.rand(2, 9, 9, 3)
    assert without_ringing(seen, holes)[0] is seen


def test_a_removal_has_no_specks_says_where_and_keeps_to_its_limit():
    mask, clean, limit = letters(8), scene(8), torch.zeros(1, HEIGHT, WIDTH)
    limit[:, :, :90] = 1
    holes = grow(mask, 1) > 0
    seen = specked(clean, holes)
    options = RemoveOptions.of(output="preview", second_look=False, subtitles_only=False, grow=1, feather=0)
    pairs = list(remove(iter(seen), None, lambda frames: mask[: len(frames)], options, limit))
    out, where = (torch.stack(part) for part in zip(*pairs))
    beside = ring(holes)
    beside[:, :, 86:] = False
    assert (where[beside] == 1).all()
    assert (out - clean)[beside].square().mean() < 0.5 * (seen - clean)[beside].square().mean()
    assert torch.equal(out[where == 0], seen[where == 0]) and not where[:, :, 90:].any()
