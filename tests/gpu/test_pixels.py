"""What works on pixels alone, given tensors of the device: the same as on the CPU, and on the device."""

import pytest
import torch
from tiny_pairs import clip

from clear_runtime.composite import composite_, match
from clear_runtime.fill.boxes.lift import lift_boxes
from clear_runtime.fill.harmonic import harmonic
from clear_runtime.fill.plain import fill
from clear_runtime.fill.propagate import Borrower
from clear_runtime.find.marks import marks_of
from clear_runtime.frames.masks import feather, grow

NEAR = 1e-4


@pytest.fixture(scope="module")
def video():
    """frames [9, 96, 192, 3] and a mask [9, 96, 192] whose lower part moves."""
    torch.manual_seed(0)
    frames = torch.rand(1, 24, 48, 3).repeat(9, 1, 1, 1).repeat_interleave(4, 1).repeat_interleave(4, 2)
    mask = torch.zeros(9, 96, 192)
    for t in range(9):
        mask[t, 60:72, 40 + 4 * t : 120 + 4 * t] = 1
    return frames, mask


def on(device, *tensors):
    return [tensor.to(device) for tensor in tensors]


def test_harmonic(video, device, near):
    frames, mask = video
    pixels, known = frames[:2].permute(0, 3, 1, 2), mask[:2, None] == 0
    out = harmonic(*on(device, pixels, known))
    assert out.device.type == device.type
    near(out, harmonic(pixels, known), NEAR)


def test_propagate(video, device, near):
    frames, mask = video
    pixels, known = frames.permute(0, 3, 1, 2), mask[:, None] == 0
    filled = torch.rand(3, 96, 192)
    there = Borrower(pixels, known)(3, filled)
    pixels, known, filled = on(device, pixels, known, filled)
    near(Borrower(pixels, known)(3, filled), there, NEAR)


def test_fill(video, device, near):
    """The network apart: it runs in bfloat16 (test_engines has it)."""
    out = fill(*on(device, *video), network=False)
    assert out.device.type == device.type
    near(out, fill(*video, network=False), NEAR)


def test_match_and_composite(video, device, near):
    frames, mask = video
    new, soft = torch.rand_like(frames), feather(mask, 2)
    there = composite_(frames.clone(), match(frames, new, soft), soft)
    frames, new, soft = on(device, frames, new, soft)
    near(composite_(frames.clone(), match(frames, new, soft), soft), there, NEAR)


def test_masks(video, device, near):
    mask = video[1]
    near(grow(mask.to(device), 3), grow(mask, 3), 0, "grow")
    near(feather(mask.to(device), 3), feather(mask, 3), NEAR, "feather")


def test_boxes(device, near):
    torch.manual_seed(0)
    scene = torch.rand(9, 12, 24, 3).cumsum(2).div(24).repeat_interleave(8, 1).repeat_interleave(8, 2)
    frames, mask = scene.clone(), torch.zeros(9, 96, 192)
    frames[:, 58:82, 30:160] *= 0.5
    mask[:, 64:76, 44:146:2] = 1
    frames[mask > 0] = 1
    there, here = lift_boxes(frames, mask), lift_boxes(*on(device, frames, mask))
    assert bool(here.lifted.any()) == bool(there.lifted.any())
    near(here.frames, there.frames, NEAR)


def test_marks(device, near):
    frames = torch.from_numpy(clip(9, "Rain falls here")[1]).float() / 255
    white = lambda frames: (frames > 0.9).all(-1).float().cpu()
    soft, marks = marks_of(frames, white)
    here_soft, here_marks = marks_of(frames.to(device), white)
    near(here_soft, soft, NEAR)
    assert torch.equal(here_marks.cpu(), marks)
