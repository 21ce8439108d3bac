"""Films of kinds that cameras, recorders and other programs leave, cleaned from file to file."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from films import RATE, Film, cleaned, flash_and_click, make, packets, picture
from tiny_film import Grey, job

from clear_runtime.errors import ClearError
from clear_runtime.film.run import clean
from clear_runtime.media import before_after, video


def with_sound(path, codec, form, size=(96, 64), count=4):
    """A few frames with 16-bit sound, whose container names no layout of its channels."""
    with av.open(str(path), "w") as container:
        stream, sound = container.add_stream(codec, rate=25), container.add_stream("pcm_s16le", rate=RATE)
        stream.width, stream.height = size
        stream.pix_fmt, sound.codec_context.layout = form, "stereo"
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 1920 * count), np.int16), "s16", "stereo")
        samples.sample_rate, samples.pts, samples.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(sound.encode(samples))
        for t in range(count):
            frame = av.VideoFrame.from_ndarray(picture(t, size), "rgb24").reformat(format=form)
            frame.pts = t
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_sound_of_an_avi_goes_into_each_container_as_it_is(tmp_path, ending):
    source = with_sound(tmp_path / "a.avi", "mjpeg", "yuvj422p")
    done = cleaned(source, tmp_path / f"b{ending}")
    sounds = []
    for path in (source, done.output):
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            assert (stream.codec_context.name, stream.codec_context.channels) == ("pcm_s16le", 2)
            sounds.append(b"".join(bytes(packet) for packet in container.demux(stream)))
    assert sounds[0] == sounds[1] and len(sounds[0]) == 4 * 1920 * 4
    assert done.notes == ["The result is H.264, for mjpeg cannot be written here."] and done.frames == 4


def test_a_tape_of_dv_is_taken_at_the_rate_that_its_pictures_say(tmp_path):
    facts = video.read_facts(with_sound(tmp_path / "a.dv", "dvvideo", "yuv420p", (720, 576), 2))
    assert (facts.fps, facts.codec, facts.audio) == (25, "dvvideo", "pcm_s16le")


def test_a_picture_that_is_a_line_is_refused_before_it_is_looked_at(tmp_path):
    source = make(tmp_path / "a.mkv", Film((0, 40), (4096, 1), "ffv1", "yuv444p", tracks=0))
    with pytest.raises(ClearError, match="4096x1 video .* cannot be written. Use sides of 2 pixels or more"):
        clean(job(source, tmp_path / "b.mkv", prior=lambda frames: pytest.fail("it is looked at")))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


TEN = tuple(range(0, 400, 40))
HDR = dict(codec="libx265", pixel_format="yuv420p10le", tags=(9, 9, 16))


@pytest.mark.parametrize("ending, film", [
    (".mp4", Film((*range(0, 240, 30), *range(240, 960, 90)), flash=12)),
    (".mp4", Film(tuple(range(400, 800, 40)), flash=6)),
    (".mp4", Film(TEN, aspect=Fraction(64, 45))),
    (".mp4", Film(TEN, rotation=90)),
    (".mp4", Film((0, 40), size=(96, 720), tracks=0)),
    (".mp4", Film(TEN, **HDR)),
    (".mkv", Film(TEN, tracks=2, subtitles=True, chapters=("a", "b"), flash=5)),
    (".mp4", Film(TEN, cover_first=True)),
], ids=["uneven", "late", "aspect", "turned", "untagged", "hdr", "tracks", "cover"])  # fmt: skip
def test_the_demo_s_before_and_after_shows_it_as_the_film_is(tmp_path, ending, film):
    source, target, both = make(tmp_path / f"a{ending}", film), tmp_path / f"b{ending}", tmp_path / "both.mp4"
    height, width = film.size if film.rotation else film.size[::-1]
    place = torch.zeros(1, height, width)
    place[:, height // 2 : 3 * height // 4, width // 4 : width // 2] = 1
    clean(job(source, target, Grey(), subtitle=place, subtitle_use="only", prior=None))
    before_after.save_of_files(source, target, both, tmp_path / "both.png")
    was, now, shown = (video.read_facts(path) for path in (source, target, both))
    assert (was.rotation, now.rotation, shown.rotation) == (*[film.rotation or 0] * 2, 0)
    assert (shown.width, shown.height) == (2 * width + before_after.LINE, height)
    assert was.aspect == now.aspect == shown.aspect and was.depth == now.depth == shown.depth
    assert was.colour == now.colour == shown.colour
    (told, first), (again, pair) = (zip(*video.read_timed_frames(path)) for path in (source, both))
    assert again == pytest.approx(told, abs=0.001) and len(told) == len(film.times)
    below = slice(height // 3, None)  # the labels
    assert (torch.stack(pair)[:, below, :width] - torch.stack(first)[:, below]).abs().mean() < 0.01
    assert packets(source, "audio") == packets(target, "audio") == packets(both, "audio")
    if film.flash is not None:
        flash, click = flash_and_click(both)
        assert click == pytest.approx(flash, abs=0.002) and flash == pytest.approx(film.times[film.flash] / 1000)


def test_an_avi_with_uneven_times_keeps_them_and_is_not_called_damaged(tmp_path):
    """What its head counts are places a frame apart: where one is shown for longer, those behind it are empty."""
    times = (*range(0, 800, 40), *range(800, 1600, 120))
    source = make(tmp_path / "a.avi", Film(times, codec="mpeg4", tracks=0))
    done = cleaned(source, tmp_path / "b.mkv")
    assert done.frames == len(times) == video.read_facts(source).frames
    assert [round(1000 * when) for when, _ in video.read_timed_frames(done.output)] == list(times)
    uneven = [note for note in done.notes if "until the next" in note]
    assert len(uneven) == 1 and "a.avi: its AVI has 27 frames in 1560 places" in uneven[0]
    assert not [note for note in done.notes if "damaged" in note]
    data = source.read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: data.index(b"idx1") * 2 // 3])
    cut = cleaned(tmp_path / "cut.avi", tmp_path / "c.mkv")
    assert [note for note in cut.notes if "cut.avi: the video is damaged" in note]
