"""Films of kinds that cameras, recorders and other programs leave, cleaned from file to file."""

from fractions import Fraction

import av
import numpy as np
import pytest
from films import RATE, cleaned, picture

from clear_runtime.media import video


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
