"""What counts as a subtitle: each rule alone decides, and `subtitles_only` switches off those that are about subtitles."""
import pytest
import torch

from clear_runtime.prior.marks import mark
from clear_runtime.prior.temporal import SHORTEST

FRAMES, HEIGHT, WIDTH = 12, 96, 160


def shown(top, left, frames=slice(None), strength=0.9):
    """Soft masks with one mark of 8 x 40 pixels, and grey frames in which it stands as white."""
    soft = torch.zeros(FRAMES, HEIGHT, WIDTH)
    soft[frames, top:top + 8, left:left + 40] = strength
    return soft, 0.4 + 0.6 * (soft > 0)[..., None].float().expand(-1, -1, -1, 3)


def test_a_line_counts():
    soft, frames = shown(80, 60)
    for strict in (True, False):
        assert torch.equal(mark(soft, frames, 0.5, strict), (soft > 0).float())


@pytest.mark.parametrize("strict", [True, False])
def test_the_threshold_itself_does_not_count(strict):
    soft, frames = shown(80, 60, strength=0.5)
    assert not mark(soft, frames, 0.5, strict).any() and mark(soft, frames, 0.49, strict).any()


@pytest.mark.parametrize("place", [dict(top=0, left=0), dict(top=80, left=60, frames=slice(3, 3 + SHORTEST - 2))])
def test_what_sits_in_a_corner_or_passes_by_counts_only_where_all_does(place):
    soft, frames = shown(**place)
    assert not mark(soft, frames, 0.5).any() and torch.equal(mark(soft, frames, 0.5, subtitles_only=False), (soft > 0).float())


def test_what_moves_counts_only_where_all_does():
    rng = torch.Generator().manual_seed(0)
    scene = torch.rand(1, HEIGHT, WIDTH + FRAMES * 4, 3, generator=rng)
    frames = torch.cat([scene[:, :, 4 * t:4 * t + WIDTH] for t in range(FRAMES)])
    soft = torch.zeros(FRAMES, HEIGHT, WIDTH)
    soft[:, 80:88, 40:120] = 0.9
    assert not mark(soft, frames, 0.5).any() and mark(soft, frames, 0.5, subtitles_only=False).any()


def test_specks_never_count():
    soft = torch.zeros(FRAMES, HEIGHT, WIDTH)
    soft[:, 40, 80] = 1
    assert not mark(soft, torch.zeros(FRAMES, HEIGHT, WIDTH, 3), 0.5, subtitles_only=False).any()
