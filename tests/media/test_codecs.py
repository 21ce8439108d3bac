"""The codec of the source where it can be written, on one scale of quality; and what is said where it cannot."""

import os

import pytest
import torch
from films import Film, cleaned, frames, make
from PIL import Image

from clear_runtime.errors import ClearError
from clear_runtime.film.store import Store
from clear_runtime.media import codecs, video
from clear_runtime.media.writer import VideoWriter

KINDS = {
    "hevc": ("libx265", "yuv420p10le", ".mp4"),
    "vp9": ("libvpx-vp9", "yuv420p", ".mkv"),
    "av1": ("libsvtav1", "yuv420p10le", ".mkv"),
    "prores": ("prores_ks", "yuv422p10le", ".mov"),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_result_has_the_source_s_codec_and_bits(tmp_path, monkeypatch, name):
    encoder, form, ending = KINDS[name]
    monkeypatch.setattr("clear_runtime.film.segments.SECONDS", 1)
    source = make(tmp_path / f"a{ending}", Film(codec=encoder, pixel_format=form))
    done = cleaned(source, tmp_path / f"b{ending}")
    facts, before = video.read_facts(done.output), video.read_facts(source)
    assert (facts.codec, facts.depth, facts.chroma) == (name, before.depth, before.chroma) and done.notes == []
    times = [[float(when) for when, _ in video.read_timed_frames(path)] for path in (source, done.output)]
    assert times[1] == pytest.approx(times[0], abs=1e-3) and len(times[1]) == 50
    assert (frames(done.output) - frames(source)).abs()[:, :32].mean() < 0.01 and done.changed == 50


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no scheduling policies")
def test_writing_av1_leaves_the_process_its_priority(tmp_path):
    before = os.sched_getscheduler(0)
    with VideoWriter(tmp_path / "a.mkv", 96, 64, 25, codec=codecs.AV1) as writer:
        writer.write(torch.zeros(64, 96, 3))
    assert os.sched_getscheduler(0) == before


def test_what_cannot_be_written_becomes_h264_and_is_said(tmp_path):
    source = make(tmp_path / "a.mkv", Film(codec="ffv1"))
    done = cleaned(source, tmp_path / "b.mkv")
    assert video.read_facts(done.output).codec == "h264"
    assert done.notes == ["The result is H.264, for ffv1 cannot be written here."]


def test_a_picture_under_a_film_s_name_is_called_one(tmp_path):
    Image.new("RGB", (96, 64)).save(tmp_path / "a.mp4", format="png")
    done = cleaned(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert done.frames == 1 and done.notes[-1].startswith("a.mp4 is a picture: the result is a film of one frame.")


def test_what_is_asked_for_and_cannot_be_is_refused_before_any_work(tmp_path):
    source = make(tmp_path / "a.mp4", Film())
    with pytest.raises(ClearError, match="prores does not go into .mp4"):
        cleaned(source, tmp_path / "b.mp4", Store(codec="prores"))
    assert not (tmp_path / "b.mp4.unfinished").exists()


@pytest.mark.parametrize("codec", codecs.SOFTWARE.values(), ids=list(codecs.SOFTWARE))
def test_every_codec_s_scale_rises_and_has_its_ends(codec):
    values = [float(codec.coding(crf, False)[codec.quality]) for crf in (0, 3, 7, 20, 51)]
    assert values == sorted(values) and values[0] == codec.least
    assert values[2] == codec.close and values[-1] == codec.largest
