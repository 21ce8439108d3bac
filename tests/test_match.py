"""New pixels join the source without a seam: the remover's own step for controls that the network answers in its own
colours."""

import pytest
import torch
from toy_parts import FakeDenoiser, run

SHIFT = 0.06
"""What the toy network and its codec add to every colour."""


BACKGROUND = 0.4


def subtitled():
    """A white bar over an even background."""
    frames = torch.full((9, 64, 96, 3), BACKGROUND)
    frames[:, 28:36, 16:80] = 1
    return frames


def removed(**given):
    """By a network that takes the bar away, but shifts all colours."""
    denoiser = FakeDenoiser(lambda noise, control: control.clamp(max=BACKGROUND) + SHIFT)
    out, masks = run(subtitled(), denoiser, control="as is", feather=3, **given)
    assert (masks > 0).any()
    return out, masks


def test_a_shift_of_all_colours_leaves_no_seam():
    out, _ = removed()
    assert (out - BACKGROUND).abs().max() < 1e-4


def test_a_raw_picture_keeps_the_networks_colours():
    out, _ = removed(output="raw")
    assert (out - BACKGROUND)[:, :20].mean() == pytest.approx(SHIFT, abs=1e-4)


@pytest.mark.parametrize("side", ["limit", "protect"])
def test_a_subtitle_that_stays_beyond_the_limit_does_not_shine_into_what_is_replaced(side):
    area = torch.zeros(1, 64, 96)
    area[:, :, :48] = 1
    out, masks = removed(**{side: area if side == "limit" else 1 - area})
    changed = masks > 0
    assert changed.any() and not changed[:, :, 48:].any()
    # were the seam measured beside what may change, instead of beside all that may be subtitle, the bar's white would
    # come over the cut
    assert (out - BACKGROUND)[changed].abs().max() < 1e-3
    assert torch.equal(out[:, :, 48:], subtitled()[:, :, 48:])
