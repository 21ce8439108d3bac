"""The command behind Prior Mask: masks, heat and a curve of a whole video, however long it is."""

import logging
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_pairs import clip, write

from clear_runtime.cli import mask
from clear_runtime.cli.mask import write_masks
from clear_runtime.data.synthetic.burn import Style
from clear_runtime.errors import ClearError
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.media import steady
from clear_runtime.media.video import read_frames, read_timed_frames
from clear_runtime.media.writer import VideoWriter


def bright(frames):
    """Stands for a prior: sure of what is white."""
    return (frames.amin(-1) > 0.9).float() * 0.8


def film(path, frames=12, height=64, width=96, marked=range(0)):
    """Grey frames, with a white bar of 32x8 pixels in those that are `marked`."""
    pictures = np.full((frames, height, width, 3), 90, np.uint8)
    for t in marked:
        pictures[t, 40:48, 32:64] = 255
    return write(path, pictures)


def pictures_of(folder):
    return [np.asarray(Image.open(path)) for path in sorted((folder / "mask").iterdir())]


def test_a_video_s_masks_heat_and_plot(tmp_path):
    subtitled = clip(
        frames=14, text="Nobody saw it coming.", height=352, width=640, spans=[(3, 11)], style=Style(size=24), at=0.86
    )[1]
    video = write(tmp_path / "film.mp4", subtitled)
    made = write_masks(video, tmp_path / "out", load_prior())
    assert made == tmp_path / "out" / "film" and sorted(p.name for p in made.iterdir()) == [
        "mask",
        "overlay.mp4",
        "plot.png",
        "report.txt",
    ]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["film"], "nothing half-written"
    masks, frames = pictures_of(made), list(read_frames(video))
    assert sorted(p.name for p in (made / "mask").iterdir()) == [f"{n:06d}.png" for n in range(14)]
    assert all(picture.shape == (352, 640) and set(np.unique(picture)) <= {0, 255} for picture in masks)
    assert [bool(picture.mean() > 255 * 0.005) for picture in masks] == [3 <= t < 11 for t in range(14)]
    heat = list(read_frames(made / "overlay.mp4"))
    assert len(heat) == 14 and heat[0].shape == (352, 640, 3)
    assert (heat[0] - frames[0]).abs().mean() < 0.01 and (heat[5] - frames[5])[masks[5] > 0].abs().mean() > 0.1
    assert Image.open(made / "plot.png").size == (960, 240)


def test_threshold_growth_and_time(tmp_path):
    video = film(tmp_path / "film.mp4", marked=[5])  # a flash
    area = lambda name, **options: sum(
        (picture > 0).sum()
        for picture in pictures_of(
            write_masks(video, tmp_path / name, bright, MarkOptions(**{"grow": 0, "subtitles_only": False, **options}))
        )
    )
    alone = area("alone")
    assert 0.7 * 256 < alone <= 256
    assert area("grown", grow=2) > alone + 2 * 2 * (32 + 8) - 32
    assert area("sure", threshold=0.8) == 0, "over the threshold, not on it"
    assert area("time", subtitles_only=True) == 0


def test_frames_keep_their_times(tmp_path):
    times = [Fraction(n, 25) for n in (0, 1, 2, 10, 11, 30)]
    with VideoWriter(tmp_path / "film.mp4", 96, 64, 25) as writer:
        for when in times:
            writer.write(torch.full((64, 96, 3), 0.4), when)
    made = write_masks(tmp_path / "film.mp4", tmp_path, bright)
    assert [when for when, _ in read_timed_frames(made / "overlay.mp4")] == times


def test_frames_without_a_time_of_their_own_follow_each_other(tmp_path, monkeypatch):
    video, stuck = film(tmp_path / "film.mp4", frames=4), [Fraction(0), None, Fraction(0), Fraction(1)]
    real = steady.read_stored_frames
    without = lambda *of: ((when, stored, colour) for when, (_, stored, colour) in zip(stuck, real(*of)))
    monkeypatch.setattr(steady, "read_stored_frames", without)
    made = write_masks(video, tmp_path, bright)
    assert [when for when, _ in read_timed_frames(made / "overlay.mp4")] == [
        Fraction(0),
        Fraction(1, 25),
        Fraction(1, 25) + steady.SOONEST,
        Fraction(1),
    ]


def test_nothing_is_overwritten_and_nothing_half_written_stays(tmp_path):
    video, out = film(tmp_path / "film.mp4"), tmp_path / "out"

    def stop(done, total):
        assert total == 12
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_masks(video, out, bright, MarkOptions(subtitles_only=False), stop)
    assert not list(out.iterdir())
    (out / "film").mkdir()
    with pytest.raises(ClearError, match="film exists already.*choose another folder"):
        write_masks(video, out, bright)
    video.write_bytes(video.read_bytes()[:1500])
    with pytest.raises(ClearError, match="film.mp4"):
        write_masks(video, tmp_path / "other", bright)
    (tmp_path / "a file").touch()
    with pytest.raises(ClearError, match="could not be written.*choose a folder"):
        write_masks(film(tmp_path / "whole.mp4"), tmp_path / "a file", bright)


def test_a_video_that_changes_its_size_is_refused(tmp_path, monkeypatch):
    video, real = film(tmp_path / "film.mp4", frames=2), steady.read_stored_frames

    def smaller(*of):
        for number, (when, stored, colour) in enumerate(real(*of)):
            yield when, stored.reformat(96, 32) if number else stored, colour

    monkeypatch.setattr(steady, "read_stored_frames", smaller)
    with pytest.raises(ClearError, match=r"from frame 1 \(.* s\) on it is 96x32 pixels instead of 96x64"):
        write_masks(video, tmp_path, bright)


def test_the_command_says_what_it_does(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(mask, "_SAY_EVERY", 0.0)
    video = film(tmp_path / "film.mp4", frames=3)
    with caplog.at_level(logging.INFO):
        mask.main([str(video), "--out", str(tmp_path / "out"), "--no-temporal", "--device", "cpu"])
    assert "a light prior" in caplog.text and f"the masks are in {tmp_path / 'out' / 'film'}" in caplog.text
    assert "2 frames of 3, 0.0 min left" in caplog.text and "a second" in caplog.text
    assert len(pictures_of(tmp_path / "out" / "film")) == 3


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["gone.mp4"], "error: gone.mp4: there is no such file"),
        (["film.mp4", "--out", "masks.MP4"], "error: .*masks.MP4 is named like a film.*Name a folder.*remove --mask"),
        (["film.mp4", "--threshold", "2"], "error: threshold is 2"),
        (["film.mp4", "--prior", "gone.safetensors"], "error: There is no file gone.safetensors"),
    ],
)
def test_the_command_ends_in_words(tmp_path, arguments, words):
    film(tmp_path / "film.mp4", frames=1)
    with pytest.raises(SystemExit, match=words):
        mask.main(
            [
                str(tmp_path / arguments[0]),
                "--out",
                str(tmp_path / "out"),
                *(str(tmp_path / a) if "." in a else a for a in arguments[1:]),
                "--device",
                "cpu",
            ]
        )
