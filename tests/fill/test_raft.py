"""An optical flow that is given takes the place of the fill's own: RAFT as torchvision calls it, and any callable."""

import pytest
import torch
from hidden_backgrounds import error, lines, subtitled, texture

from clear_runtime.engines.engine import Needs, Painted
from clear_runtime.engines.plain_fill import PlainFill
from clear_runtime.fill.flow import continued
from clear_runtime.fill.motion import Motion
from clear_runtime.fill.plain import fill
from clear_runtime.fill.raft import Raft
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove


@pytest.fixture(scope="module")
def network():
    flows = pytest.importorskip("torchvision.models.optical_flow")
    torch.manual_seed(0)
    return flows.raft_large(weights=None).eval()


def pictures(count, height, width, seed=0):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_raft_is_torchvision_s_own_call(network):
    first, second = pictures(2, 128, 136), pictures(2, 128, 136, seed=1)
    with torch.no_grad():
        theirs = network(first * 2 - 1, second * 2 - 1)[-1]
    ours = Raft(network)(first, second)
    assert ours.shape == (2, 2, 128, 136) and theirs.abs().mean() > 0.1
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_any_size_is_padded_at_its_edge(network):
    first, second = pictures(1, 45, 131), pictures(1, 45, 131, seed=1)
    pad = torch.nn.ReplicationPad2d((0, 5, 0, 83))
    with torch.no_grad():
        theirs = network(pad(first) * 2 - 1, pad(second) * 2 - 1)[-1][..., :45, :131]
    assert torch.allclose(Raft(network)(first, second), theirs, atol=1e-5)


def test_the_fill_follows_it(network):
    """Without holes, the motion between all frames is the network's, there and back."""
    frames = pictures(3, 256, 272)
    motion = Motion(frames, torch.ones(3, 1, 256, 272, dtype=torch.bool), optical_flow=Raft(network))
    with torch.no_grad():
        for at, one, other in ((motion.ahead, 0, 1), (motion.back, 1, 0)):
            pair = [motion.colours[t : t + 1] * 2 - 1 for t in (one, other)]
            assert torch.allclose(at[:1, :2], network(*pair)[-1], atol=1e-4)


def pan(step):
    """A flow that knows of a pan to the left by so many pixels a frame of half the size; and its calls."""
    calls = []

    def optical_flow(first, second):
        calls.append(first)
        # which way: by where the first picture is found again
        ahead = (first[..., step:] - second[..., :-step]).abs().mean((1, 2, 3))
        back = (first[..., :-step] - second[..., step:]).abs().mean((1, 2, 3))
        sign = torch.where(ahead < back, -1.0, 1.0)
        return torch.stack([sign * step, torch.zeros_like(sign)], 1)[..., None, None].expand(-1, -1, *first.shape[-2:])

    return optical_flow, calls


def test_true_motion_brings_the_true_pixels():
    mask = lines()
    clean = torch.stack([texture(width=400)[:, 8 * t : 8 * t + 160] for t in range(24)])
    frames, (optical_flow, calls) = subtitled(clean, mask), pan(4)
    by_it, by_own = fill(frames, mask, optical_flow=optical_flow), fill(frames, mask)
    assert calls and not torch.equal(by_it, by_own)
    assert error(by_it, clean, mask) < 0.9 * error(by_own, clean, mask)
    still = lambda first, second: torch.zeros(len(first), 2, *first.shape[-2:])
    assert error(fill(frames, mask, optical_flow=still), clean, mask) > 1.5 * error(by_it, clean, mask)
    assert torch.equal(fill(frames, mask, optical_flow=None), by_own)


def test_a_hole_s_flow_is_its_surroundings():
    field = torch.full((1, 2, 24, 40), 2.0)
    shown = torch.ones(1, 1, 24, 40)
    shown[..., 8:16, 10:24] = 0
    wrong = field.masked_fill(shown == 0, -7.0)
    assert (continued(wrong, shown, torch.ones_like(shown)) - field).abs().max() < 1e-4
    nothing = torch.zeros_like(shown)
    assert torch.equal(continued(wrong, nothing, nothing), wrong), "there is nothing to continue"


@pytest.mark.parametrize("output", ["preview", "composite"])
def test_a_removal_hands_it_on(output):
    mask = lines()
    clean = torch.stack([texture(width=400)[:, 8 * t : 8 * t + 160] for t in range(24)])
    optical_flow, calls = pan(4)
    asked = dict(subtitle_use="only", boxes="keep", mask_from="prior", output=output)
    engine = None if output == "preview" else Prefilled()
    done = remove(
        subtitled(clean, mask), engine, None, RemoveOptions.of(**asked), subtitle=mask, optical_flow=optical_flow
    )
    assert len(list(done)) == 24 and calls


class Prefilled(PlainFill):
    """An engine that takes the pipeline's fill as it is."""

    needs = Needs(control="prefilled")

    def paint(self, piece, seed, on_stage):
        return Painted(piece.frames)
