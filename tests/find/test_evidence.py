"""Temporal evidence: what stands still and switches stays marked, what moves with the scene does not."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from clear_runtime.data.synthetic.burn import Style, burn, render
from clear_runtime.find.evidence import SHORTEST, Evidence, Look, keep_lasting, refine, refine_stream
from clear_runtime.frames.median import temporal_median

HEIGHT, WIDTH, FRAMES = 96, 208, 24


def scene(speed=1.0, frames=FRAMES, sign="OPEN", seed=0):
    """A picture with a sign in it that drifts by `speed` pixels a frame: frames [T, H, W, 3] uint8, sign's mask [T, H,
    W]."""
    rng = np.random.default_rng(seed)
    wide = WIDTH + int(abs(speed) * frames) + 8
    ground = np.kron(rng.integers(40, 200, (HEIGHT // 8, wide // 8 + 1, 3)), np.ones((8, 8, 1))).astype(np.uint8)[
        :, :wide
    ]
    pictures, masks = burn(
        ground[None], [(0, 1, render([sign], Style(size=22), wide, HEIGHT, (wide / 2, 26)))] if sign else []
    )
    starts = [int(speed * t) for t in range(frames)]
    return (
        np.stack([pictures[0][:, s : s + WIDTH] for s in starts]),
        np.stack([masks[0][:, s : s + WIDTH] for s in starts]),
    )


def with_lines(frames, spans, **style):
    layers = [
        render([text], Style(size=18, **style), WIDTH, HEIGHT, (WIDTH / 2, 76))
        for text in ("It rained all day.", "Then it was night.", "Nobody came.")
    ]
    return burn(frames, [(a, b, layers[i % 3]) for i, (a, b) in enumerate(spans)], fade=style.get("fade", 0))


def soft(*masks):
    """What a prior that sees both letters and signs would say, with some noise."""
    marked = torch.from_numpy(np.logical_or.reduce(masks))
    return torch.where(marked, 0.93, 0.02) + torch.rand(marked.shape, generator=torch.Generator().manual_seed(0)) * 0.05


def kept(refined, mask):
    return (refined > 0.5)[torch.from_numpy(mask)].float().mean().item()


@pytest.mark.parametrize("speed", [0.5, 1, 3])
def test_moving_signs_go_and_subtitles_stay(speed):
    frames, sign = scene(speed)
    frames, line = with_lines(frames, [(-9, 8), (8, 16), (18, 99)])
    refined = refine(soft(line, sign), torch.from_numpy(frames) / 255)
    assert kept(refined, sign & ~line) < 0.25
    assert kept(refined, line) > 0.95


def test_a_still_scene_keeps_every_mark():
    frames, sign = scene(0)
    refined = refine(soft(sign), torch.from_numpy(frames) / 255)
    assert kept(refined, sign) > 0.98


def test_each_line_is_sharp_in_time():
    frames, _ = scene(1, sign=None)
    frames, line = with_lines(frames, [(5, 12), (12, 20)])
    refined = refine(soft(line), torch.from_numpy(frames) / 255) > 0.5
    assert torch.equal(refined.flatten(1).any(1), torch.from_numpy(line.any((1, 2))))
    assert (refined & ~torch.from_numpy(line)).float().mean() < 1e-4


def test_lines_that_fade_and_boxes_that_shine_through_stay():
    frames, _ = scene(2, sign=None)
    layer = render(["Slowly"], Style(size=18, box=(0, 0, 0, 0.6), stroke=0), WIDTH, HEIGHT, (WIDTH / 2, 70))
    frames, line = burn(frames, [(3, 22, layer)], fade=3)
    assert kept(refine(soft(line), torch.from_numpy(frames) / 255), line) > 0.9


def test_dropouts_and_flashes_are_smoothed():
    masks = torch.zeros(7, 2, 2)
    masks[1:6, 0, 0] = 0.9
    masks[3, 0, 0] = 0.1  # a dropout
    masks[4, 1, 1] = 0.9  # a flash
    out = temporal_median(masks)
    assert torch.equal(out[:, 0, 0], torch.tensor([0, 0.9, 0.9, 0.9, 0.9, 0.9, 0])) and out[:, 1, 1].max() == 0


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 5])
def test_short_clips_come_back_whole(frames):
    clip, sign = scene(0, frames=max(frames, 1))
    clip, line = with_lines(clip, [(0, 99)])
    masks = soft(line)[:frames]
    refined = refine(masks, torch.from_numpy(clip[:frames]) / 255)
    assert refined.shape == masks.shape
    assert not frames or kept(refined, line[:frames]) > 0.98


def test_large_frames_are_judged_small_and_answered_large():
    frames, sign = scene(1)
    frames, line = with_lines(frames, [(-9, 99)])
    big = torch.from_numpy(frames).repeat_interleave(2, 1).repeat_interleave(2, 2) / 255
    masks = soft(line, sign).repeat_interleave(2, 1).repeat_interleave(2, 2)
    refined = refine(masks, big, Evidence(long_side=WIDTH))
    assert refined.shape == masks.shape
    double = lambda m: m.repeat(2, 1).repeat(2, 2)
    assert kept(refined, double(line)) > 0.95 and kept(refined, double(sign & ~line)) < 0.25


def test_nothing_marked_is_nothing():
    frames = torch.rand(5, 20, 30, 3)
    assert refine(torch.full((5, 20, 30), 0.04), frames).sum() == 0


def test_marks_that_last_stay_to_the_frame_and_others_go():
    mask = torch.zeros(30, 2, 2)
    mask[10 : 10 + SHORTEST, 0, 0] = 1
    mask[10 : 9 + SHORTEST, 0, 1] = 1
    mask[:2, 1, 0] = 1
    mask[-2:, 1, 1] = 1
    expected = mask.bool()
    expected[:, 0, 1] = 0
    assert torch.equal(keep_lasting(mask), expected)
    assert torch.equal(keep_lasting(mask[:1]), mask[:1].bool())


@settings(max_examples=12, deadline=None)
@given(
    total=st.integers(0, 40),
    chunk=st.integers(1, 20),
    long_side=st.integers(16, 80),
    reach=st.sampled_from([0.03, 0.15, 0.3]),
)
def test_the_stream_gives_what_the_whole_gives(total, chunk, long_side, reach):
    evidence = Evidence(looks=(Look(2, 0.7, 0.9), Look(4, 0.5, 0.75)), hold=1, long_side=long_side, reach=reach)
    generator = torch.Generator().manual_seed(total)
    frames = torch.rand(total, 48, 64, 3, generator=generator) * 0.2
    masks = torch.rand(total, 48, 64, generator=generator)
    for t, mask in enumerate(masks):  # marks here and there
        mask[: max(0, 40 - t)] = 0
        mask[:, : 3 * t % 50] = 0
    pulled = []
    source = ((pulled.append(t) or frames[t], masks[t]) for t in range(total))
    out = []
    for frame, mask in refine_stream(source, evidence, chunk):
        assert len(pulled) <= len(out) + chunk + evidence.context + 1
        assert torch.equal(frame, frames[len(out)])
        out.append(mask)
    assert len(out) == total
    if total:
        assert torch.allclose(torch.stack(out), refine(masks, frames, evidence), atol=1e-5)


class Largest(TorchDispatchMode):
    """The most values that any tensor made inside holds."""

    values = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for part in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(part, torch.Tensor):
                self.values = max(self.values, part.untyped_storage().nbytes() // part.element_size())
        return out


def test_large_frames_are_not_copied():
    frames, marks = torch.rand(1, 480, 640, 3), torch.zeros(480, 640)
    marks[400:430, 200:400] = 0.9
    with Largest() as largest:
        out = list(refine_stream((frames[0], marks) for _ in range(60)))
    assert len(out) == 60 and all(frame.data_ptr() == frames.data_ptr() for frame, _ in out)
    assert largest.values <= frames.numel() * 2, "more than the frames' part around the marks was gathered"
