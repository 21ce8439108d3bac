"""The fill: what it may touch, and how close it comes."""

import pytest
import torch
from allocations import Copies

from clear_runtime.errors import ClearError
from clear_runtime.fill import propagate
from clear_runtime.fill.harmonic import harmonic
from clear_runtime.fill.plain import fill


def scene(count=3, height=48, width=80, seed=0):
    """Noise blurred until it looks like a background."""
    noise = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))
    for _ in range(8):
        noise = torch.nn.functional.avg_pool2d(noise, 5, 1, 2, count_include_pad=False)
    return ((noise - noise.min()) / (noise.max() - noise.min())).permute(0, 2, 3, 1)


def strokes(count=3, height=48, width=80):
    mask = torch.zeros(count, height, width)
    mask[:, 20:30, 10:70:12] = mask[:, 20:30, 11:71:12] = mask[:, 24:27, 10:70] = 1
    return mask


def test_a_constant_background_comes_back():
    frames, mask = torch.full((2, 40, 40, 3), 0.3), torch.zeros(2, 40, 40)
    mask[:, 5:35, 8:30] = 1
    text = torch.where(mask[..., None] > 0, torch.ones(()), frames)
    assert (fill(text, mask) - frames).abs().max() < 1e-5


def test_a_gradient_goes_on_through_thin_strokes():
    frames = torch.linspace(0, 1, 80).view(1, 1, 80, 1).expand(3, 48, 80, 3).clone()
    text = torch.where(strokes()[..., None] > 0, torch.ones(()), frames)
    assert (fill(text, strokes()) - frames).abs().max() < 0.01


def test_what_is_under_the_mask_does_not_matter():
    a, b, mask = scene(), scene(), strokes()
    b[mask > 0] = 1 - b[mask > 0]
    assert torch.equal(fill(a, mask), fill(b, mask))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_pixels_outside_the_mask_stay_bit_for_bit(dtype):
    frames, mask = scene().to(dtype), strokes()
    text = torch.where(mask[..., None] > 0, torch.ones((), dtype=dtype), frames)
    out = fill(text, mask)
    assert out.dtype == dtype and torch.equal(out[mask == 0], frames[mask == 0])
    assert (out[mask > 0] - frames[mask > 0]).abs().mean() < 0.02 < (text[mask > 0] - frames[mask > 0]).abs().mean()


def test_the_input_is_left_alone():
    frames = scene()
    before = frames.clone()
    fill(frames, strokes())
    assert torch.equal(frames, before)


def test_holes_at_the_edge_and_in_the_corner():
    frames, mask = torch.full((1, 30, 30, 3), 0.6), torch.zeros(1, 30, 30, dtype=torch.bool)
    mask[:, 20:, :12] = True
    frames[mask] = 0
    assert (fill(frames, mask) - 0.6).abs().max() < 1e-5


def test_one_known_pixel_is_enough():
    frames, mask = scene(1, 33, 47), torch.ones(1, 33, 47)
    mask[0, 5, 6] = 0
    assert (fill(frames, mask) - frames[0, 5, 6]).abs().max() < 1e-5


def test_a_frame_without_a_known_pixel_stays_as_it_is():
    frames, mask = scene(2, 10, 10), torch.zeros(2, 10, 10)
    mask[1] = 1
    assert torch.equal(fill(frames, mask), frames)


def test_no_mask_no_change():
    assert torch.equal(fill(scene(), torch.zeros(3, 48, 80)), scene())


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ClearError, match="48, 79"):
        fill(scene(), torch.zeros(3, 48, 79))


# -- several lines -----------------------------------------------------------------------------------------------------


def two_lines(count=3, height=256, width=320):
    """One at the top and one at the bottom, whose places differ by 192 rows and 128 columns: multiples of the coarsest
    scale that letters of two pixels need, so that the surfaces of a box around both are built of the same cells."""
    top, bottom = torch.zeros(count, height, width), torch.zeros(count, height, width)
    for mask, y, x in ((top, 32, 32), (bottom, 224, 160)):
        for stroke in range(x, x + 60, 12):
            mask[:, y : y + 10, stroke : stroke + 2] = 1
    return top, bottom


def test_a_line_far_away_changes_nothing():
    frames, (top, bottom) = scene(3, 256, 320), two_lines()
    both = fill(frames, top + bottom)
    assert torch.equal(both[:, :128], fill(frames, top)[:, :128]) and torch.equal(
        both[:, 128:], fill(frames, bottom)[:, 128:]
    )


def test_blocks_give_what_one_box_around_all_gives():
    frames, mask = scene(3, 256, 320), sum(two_lines())
    whole = harmonic(frames.permute(0, 3, 1, 2), (mask == 0)[:, None]).permute(0, 2, 3, 1)
    assert torch.equal(fill(frames, mask, motion=False, texture=False, network=False), whole) and not torch.equal(
        whole, frames
    )


def test_what_lies_between_two_lines_is_not_worked_on(monkeypatch):
    top, bottom = two_lines()
    work = []
    monkeypatch.setattr(
        propagate, "harmonic", lambda pixels, known: work.append(known.numel()) or harmonic(pixels, known)
    )
    frames = scene(3, 256, 320)
    spent = {}
    for name, mask in (("top", top), ("bottom", bottom), ("both", top + bottom)):
        work.clear()
        fill(frames, mask)
        spent[name] = sum(work)
    assert 0 < spent["both"] <= spent["top"] + spent["bottom"]


def test_frames_that_are_not_wanted_lend_and_stay():
    draws = torch.Generator().manual_seed(0)
    scene = torch.rand(24, 60, 3, generator=draws)
    frames = torch.stack([scene[:, 2 * t : 2 * t + 40] for t in range(6)])
    mask = torch.zeros(6, 24, 40)
    mask[:, 8:14, 10:30] = 1
    all_of_them, some = fill(frames, mask), fill(frames, mask, unpainted=4)
    assert torch.equal(some[:4], frames[:4])
    # but for texture, which goes on from the frame before
    assert (some[4:] - all_of_them[4:]).abs().mean() < 0.01
    assert torch.equal(fill(frames, mask, texture=False, unpainted=4)[4:], fill(frames, mask, texture=False)[4:])


def test_frames_without_a_mask_cost_nothing(monkeypatch):
    mask, seen = strokes(), []
    mask[1] = 0
    monkeypatch.setattr(
        propagate, "harmonic", lambda pixels, known: seen.append(known.numel()) or harmonic(pixels, known)
    )
    fill(scene(), mask)
    assert seen.count(max(seen)) == 2


@pytest.mark.parametrize(
    "mask",
    [sum(two_lines(6)), torch.rand(33, 64, 80, generator=torch.Generator().manual_seed(1)) > 0.5],
    ids=["at the top and the bottom", "everywhere"],
)
def test_frames_are_copied_once(mask):
    mask[4:, :, 40:] = mask[8:] = 0
    frames = torch.zeros(*mask.shape, 3)
    with Copies(frames) as copies:
        fill(frames, mask)
    assert copies.made == 1
