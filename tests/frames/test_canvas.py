"""To the network's frame and back."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clear_runtime.frames.canvas import Canvas, filled_up


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 90), st.integers(1, 90), st.integers(1, 9), st.sampled_from([8, 16]), st.sampled_from([600, 10**6])
)
def test_sizes_fit_the_codec_and_come_back(height, width, count, multiple, max_pixels):
    canvas, frame = Canvas((height, width), max_pixels, multiple), torch.rand(height, width, 3)
    working = canvas.enter(frame)
    assert working.shape == (*canvas.padded, 3) and all(side % multiple == 0 for side in canvas.padded)
    assert canvas.working[0] * canvas.working[1] <= max(max_pixels, height, width)
    back = canvas.leave(working)
    assert back.shape == frame.shape
    if height * width <= max_pixels:
        assert torch.equal(back, frame)
    mask = (torch.rand(height, width) > 0.9).float()
    assert canvas.enter_mask(mask).shape == canvas.padded
    assert canvas.leave_mask(torch.zeros(*canvas.padded)).shape == mask.shape
    filled = filled_up(frame.expand(count, -1, -1, -1), 4)
    assert len(filled) % 4 == 1 and 0 <= len(filled) - count < 4


def test_padding_repeats_edges_and_the_last_frame():
    frames = torch.rand(2, 5, 7, 3)
    canvas = Canvas((5, 7), multiple=8)
    working = filled_up(torch.stack([canvas.enter(frame) for frame in frames]), 4)
    assert working.shape == (5, 8, 8, 3)
    assert torch.equal(working[1, :5, :7], frames[1]) and torch.equal(working[4], working[1])
    assert torch.equal(working[0, 7, :7], frames[0, 4])
    assert filled_up(frames, 1) is frames


def test_large_frames_keep_their_shape_and_picture():
    smooth = torch.linspace(0, 1, 400).view(1, 400, 1).expand(200, 400, 3)
    canvas = Canvas((200, 400), 20000, 16)
    assert canvas.working == (100, 200)
    assert (canvas.leave(canvas.enter(smooth)) - smooth).abs().max() < 0.01


def test_thin_strokes_survive_scaling_down():
    mask = torch.zeros(200, 400)
    mask[77, :] = 1
    canvas = Canvas((200, 400), 20000, 16)
    assert canvas.enter_mask(mask)[:, : canvas.working[1]].any(0).all()
