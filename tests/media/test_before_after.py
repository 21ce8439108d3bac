"""Before / After files: all or none, the right frame, the right length of sound."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from clear_runtime.errors import ClearError
from clear_runtime.media import before_after, video
from clear_runtime.media.writer import VideoWriter

av = pytest.importorskip("av")


@pytest.fixture
def clip():
    generator = torch.Generator().manual_seed(1)
    after = torch.rand(6, 4, 6, 3, generator=generator).repeat_interleave(16, 1).repeat_interleave(16, 2)
    mask = torch.zeros(6, 64, 96)
    mask[1:, 40:50, 20:40] = 1
    mask[4, 40:50, 20:80] = 1
    before = torch.where(mask[..., None] > 0, torch.ones(()), after)
    return before, after, mask


def test_three_whole_files(tmp_path, clip):
    before, after, mask = clip
    sound = torch.zeros(2, 44100 * 9), 44100
    files = before_after.save(tmp_path, "x", before, after, mask, Fraction(24000, 1001), sound, crf=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x_before_after.mp4", "x_before_after.png", "x_clean.mp4"]
    assert [f.name for f in files] == ["x_before_after.png", "x_clean.mp4", "x_before_after.mp4"]
    facts = video.read_facts(tmp_path / "x_clean.mp4")
    assert (facts.frames, facts.width, facts.height, facts.fps, facts.audio) == (
        6,
        96,
        64,
        Fraction(24000, 1001),
        "aac",
    )
    clean = torch.stack(list(video.read_frames(tmp_path / "x_clean.mp4")))
    both = torch.stack(list(video.read_frames(tmp_path / "x_before_after.mp4")))
    assert (clean - after).abs().mean() < 0.02
    assert both.shape == (6, 64, 96 * 2 + before_after.LINE, 3)
    rows = slice(24, None)  # below the labels
    assert (
        both[:, rows, :96] - before[:, rows]
    ).abs().mean() < 0.025  # colour is stored at half the fineness, and blends across hard edges
    assert (
        both[:, rows, -96:] - after[:, rows]
    ).abs().mean() < 0.025  # colour is stored at half the fineness, and blends across hard edges
    with av.open(str(tmp_path / "x_clean.mp4")) as container:
        heard = sum(f.samples for f in container.decode(audio=0)) / 44100
    assert heard == pytest.approx(6 * 1001 / 24000, abs=0.05)


def test_the_picture_shows_the_frame_with_the_largest_mask(tmp_path, clip):
    before, after, mask = clip
    before_after.save(tmp_path, "x", before, after, mask, Fraction(25))
    shown = torch.from_numpy(np.array(Image.open(tmp_path / "x_before_after.png"))).float() / 255
    assert (shown[24:, :96] - before[4, 24:]).abs().max() < 0.01


def test_without_a_mask_the_frame_that_changed_most(clip):
    before, after, mask = clip
    assert before_after.telling_frame(before, after, None) == 4
    assert before_after.telling_frame(before, after, mask[:1]) == 4


def test_the_labels_are_drawn_and_leave_the_rest_alone():
    grey = torch.full((88, 120, 3), 0.5)
    joined = before_after.join(grey, grey, before_after.labels(88, 120))
    assert (joined[:, 120:122] == 1).all()
    assert (joined[40:, :120] == 0.5).all()
    assert (joined[:20, :60] != 0.5).any() and (joined[:20, 122:180] != 0.5).any()


def test_stopping_leaves_nothing(tmp_path, clip):
    def stop(done):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        before_after.save(tmp_path, "x", *clip, Fraction(25), on_frame=stop)
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_refused(tmp_path, clip):
    before, after, mask = clip
    for bad, why in (
        ((before[:0], after[:0], None), "no frames"),
        ((before[:3], after, None), "same number of frames"),
        ((before, after, mask[:, :30]), "mask"),
    ):
        with pytest.raises(ClearError, match=why):
            before_after.save(tmp_path, "x", *bad, Fraction(25))
    with pytest.raises(ClearError, match="choose a folder"):
        before_after.save(tmp_path / "nowhere", "x", before, after, mask, Fraction(25))
    assert not list(tmp_path.iterdir())


def test_two_files_side_by_side_keep_times_and_sound_and_show_the_frame_that_changed_most(tmp_path, clip):
    before, after, _ = clip
    times = [Fraction(n * n, 20) for n in range(6)]
    sound = torch.zeros(2, 48000), 48000
    for name, frames in (("before.mp4", before), ("after.mp4", after)):
        with VideoWriter(tmp_path / name, 96, 64, 25, crf=1, audio=sound) as writer:
            for frame, time in zip(frames, times):
                writer.write(frame, time)
    files = [tmp_path / name for name in ("before.mp4", "after.mp4", "both.mp4", "both.png")]
    before_after.save_of_files(*files, crf=1)
    told, both = zip(*video.read_timed_frames(files[2]))
    assert list(told) == times and video.read_facts(files[2]).audio == "aac"
    rows = slice(24, None)  # below the labels
    left = torch.stack(list(video.read_frames(files[0])))
    assert (torch.stack(both)[:, rows, :96] - left[:, rows]).abs().mean() < 0.025
    shown = torch.from_numpy(np.array(Image.open(files[3]))).float() / 255
    assert (shown[rows, -96:] - after[4, rows]).abs().mean() < 0.025, "the frame with the longest line"
