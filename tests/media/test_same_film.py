"""The same film, only cleaned: what a copy by reader and writer keeps of a source, compared by machine."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from films import Film, flash_and_click, make, packets, picture

from clear_runtime.errors import ClearError
from clear_runtime.media import before_after, beside, steady, video
from clear_runtime.media.audio_track import unpacked
from clear_runtime.media.colour import BT709, UNTAGGED, Colour, converter, to_rgb, to_stored
from clear_runtime.media.steady import FileFrames
from clear_runtime.media.untouched import with_touched
from clear_runtime.media.writer import VideoWriter

av = pytest.importorskip("av")

UNEVEN = tuple(range(0, 720, 30)) + tuple(range(720, 2880, 90))
"""Milliseconds: 24 frames 30 apart, then 24 that are 90 apart."""


def copied(source, target, crf=4):
    """A film read and written as the remover does it, every frame as it is."""
    facts = video.read_facts(source)
    frames = FileFrames(source, facts)
    with VideoWriter(
        target, facts.width, facts.height, facts.fps, crf, facts.colour, beside=source, like=facts
    ) as writer:
        for frame in frames:
            writer.write(frame, frames.times.popleft())
    return target


def times(path):
    return [float(when) for when, _ in video.read_timed_frames(path)]


def test_frames_of_uneven_length_keep_their_times_and_the_flash_comes_with_its_click(tmp_path):
    source = make(tmp_path / "a.mp4", Film(UNEVEN, flash=36))
    copy = copied(source, tmp_path / "b.mp4")
    assert times(copy) == pytest.approx(times(source), abs=1e-3) and len(times(copy)) == len(UNEVEN)
    flash, click = flash_and_click(copy)
    assert flash == pytest.approx(UNEVEN[36] / 1000, abs=0.002) and click == pytest.approx(flash, abs=0.002)


@pytest.mark.parametrize("told, shown", [
    ((None, None, 20, 60, 100), (-60, -20, 20, 60, 100)),  # as Matroska has what begins before 0
    ((0, 40, 40, 40, 80, 120), (0, 40, 41, 42, 80, 120)),  # twice at one time: those behind keep theirs
    ((0, 40, 80, 40, 80, 120), (0, 40, 80, 81, 82, 120)),  # recordings that overlap
    ((5000, 5040, 0, 40, 80), (5000, 5040, 5080, 5120, 5160)),  # a clock that begins anew
    ((None,) * 50, range(0, 2000, 40)),
    ((0, None, None, 120), (0, 40, 80, 120)),
])  # fmt: skip
def test_times_rise_whatever_the_file_says(tmp_path, monkeypatch, told, shown):
    source = make(tmp_path / "a.mp4", Film((0, 40), tracks=0))
    (_, stored, colour), *_ = video.read_stored_frames(source)
    given = [(None if when is None else Fraction(when, 1000), stored, colour) for when in told]
    monkeypatch.setattr(steady, "read_stored_frames", lambda *_: iter(given))
    found = steady.steady_frames(source, video.read_facts(source))
    assert [one.time * 1000 for one in found] == list(shown)


def test_a_second_picture_keeps_the_times_of_frames_that_refer_ahead(tmp_path):
    small = make(tmp_path / "small.mkv", Film(size=(64, 48), tracks=0))
    both, large = tmp_path / "both.mkv", make(tmp_path / "large.mkv", Film(tracks=0))
    with av.open(str(both), "w") as container, av.open(str(small)) as one, av.open(str(large)) as other:
        new = [container.add_stream_from_template(given.streams.video[0]) for given in (one, other)]
        for given, stream in zip((one, other), new):
            for packet in given.demux():
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
    kept = packets(copied(both, tmp_path / "copy.mkv"), "video")[1]
    assert kept == packets(both, "video")[0] and kept != sorted(kept), "stored in another order than they are shown in"


def test_what_begins_before_0_begins_at_0_with_its_sound(tmp_path):
    early = make(tmp_path / "a.mkv", Film(flash=40, clock=-0.5))
    with av.open(str(early)) as container:
        assert container.start_time < -400_000
    flash, click = flash_and_click(copied(early, tmp_path / "b.mkv"))
    assert flash == pytest.approx(1.6, abs=0.03) and click == pytest.approx(flash, abs=0.03)


@pytest.mark.parametrize("begin", [400, 1000])
def test_a_picture_that_starts_late_stays_late(tmp_path, begin):
    source = make(tmp_path / "a.mkv", Film(tuple(range(begin, begin + 2000, 40)), flash=20))
    copy = copied(source, tmp_path / "b.mp4")
    flash, click = flash_and_click(copy)
    assert click == pytest.approx(flash, abs=0.005)
    assert times(copy)[0] == pytest.approx(begin / 1000, abs=0.002)


def test_a_pixel_that_is_not_square_stays_so(tmp_path):
    copy = copied(make(tmp_path / "a.mp4", Film(aspect=Fraction(64, 45))), tmp_path / "b.mp4")
    assert video.read_facts(copy).aspect == Fraction(64, 45)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_film_comes_upright(tmp_path, degrees):
    source = make(tmp_path / "a.mp4", Film(rotation=degrees, aspect=Fraction(4, 3)))
    facts, copy = video.read_facts(source), video.read_facts(copied(source, tmp_path / "b.mp4"))
    assert (copy.rotation, copy.width, copy.height) == (0, *((64, 96) if degrees != 180 else (96, 64)))
    assert copy.aspect == facts.aspect == (Fraction(4, 3) if degrees == 180 else Fraction(3, 4))
    shown, kept = (torch.stack(list(video.read_frames(tmp_path / name))) for name in ("a.mp4", "b.mp4"))
    assert (shown - kept).abs().mean() < 0.01


@pytest.mark.parametrize("height, matrix", [(64, 6), (720, 1)])
def test_a_film_without_tags_is_read_as_players_do_and_stays_without(tmp_path, height, matrix):
    film = Film(tuple(range(0, 120, 40)), (96, height), tracks=0)
    source = make(tmp_path / "a.mp4", film)
    copy = copied(source, tmp_path / "b.mp4", crf=1)
    assert video.read_facts(copy).colour == video.read_facts(source).colour == UNTAGGED
    with av.open(str(source)) as a, av.open(str(copy)) as b:
        stored = [next(one.decode(video=0)).to_ndarray().astype(float) for one in (a, b)]
    assert np.abs(stored[0] - stored[1]).mean() < 0.6, "the samples themselves, whatever matrix a player takes"
    told = make(tmp_path / "c.mp4", Film(film.times, film.size, tags=(matrix, matrix, matrix), tracks=0))
    untold, named = (next(video.read_frames(one)) for one in (source, told))
    assert (untold - named).abs().mean() < 1 / 255


def test_high_dynamic_range_keeps_its_bits_and_tags(tmp_path):
    tags = Colour(9, 9, 16)
    film = Film(codec="libx265", pixel_format="yuv420p10le", tags=(9, 9, 16))
    copy = copied(make(tmp_path / "a.mp4", film), tmp_path / "b.mp4", crf=1)
    facts = video.read_facts(copy)
    assert facts.colour == tags and facts.colour.hdr and (facts.depth, facts.chroma) == (10, "420")
    with av.open(str(tmp_path / "a.mp4")) as a, av.open(str(copy)) as b:
        first, second = (next(one.decode(video=0)).to_ndarray().astype(float) for one in (a, b))
    assert np.abs(first - second).mean() < 2.4, "0.6 levels of 8 bits"


@pytest.mark.parametrize("pixel_format, colour", [("yuv420p", BT709), ("yuv420p", UNTAGGED), ("yuv420p10le", BT709)])
def test_ten_generations_do_not_drift(pixel_format, colour):
    given = av.VideoFrame.from_ndarray(picture(3, (320, 180)), "rgb24")
    frame = first = given.reformat(format=pixel_format)
    there, back = converter(), converter()
    for _ in range(10):
        frame = to_stored(to_rgb(frame, colour, there), pixel_format, colour, back)
    levels = 4 if pixel_format.endswith("10le") else 1
    drift = (frame.to_ndarray().astype(float) - first.to_ndarray()) / levels
    assert abs(drift.mean()) < 0.02 and np.abs(drift).mean() < 0.2


@pytest.mark.parametrize("size", [(98, 134), (64, 50)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le"])
def test_what_nothing_touched_keeps_its_samples_and_the_rest_is_what_the_whole_picture_gives(pixel_format, size):
    """Only the part around what changed is converted; a sample of colour is kept where none of its pixels changed, nor
    one beside them."""
    draws, there = torch.Generator().manual_seed(0), converter()
    source = to_stored(torch.rand(*size, 3, generator=draws), pixel_format, UNTAGGED, there)
    frame, mask = torch.rand(*size, 3, generator=draws).half(), torch.zeros(size)
    mask[21:30, 5:18], mask[-1, -1] = 0.3, 1
    mixed = with_touched(frame, source, mask, pixel_format, UNTAGGED, converter()).to_ndarray()
    whole, before = to_stored(frame, pixel_format, UNTAGGED, there).to_ndarray(), source.to_ndarray()
    assert ((mixed == whole) | (mixed == before)).all()
    lines = size[0]  # the first of the planes' rows are the brightness
    luma = (mixed[0] if mixed.ndim == 3 else mixed[:lines])[:, : size[1]]
    own, old = ((of[0] if of.ndim == 3 else of[:lines])[:, : size[1]] for of in (whole, before))
    assert np.array_equal(luma, np.where(mask.numpy() > 0, own, old))
    assert 0 < (mixed != before).mean() < 0.2


def test_every_track_of_sound_and_subtitles_goes_over_packet_by_packet(tmp_path):
    source = make(tmp_path / "a.mkv", Film(tracks=2, subtitles=True, title="A film", chapters=("one", "two")))
    copy = copied(source, tmp_path / "b.mkv")
    for kind in ("audio", "subtitles"):
        assert packets(copy, kind) == packets(source, kind) and packets(copy, kind)
    with av.open(str(copy)) as container:
        assert container.metadata["title"] == "A film"
        assert [one["metadata"]["title"] for one in container.chapters()] == ["one", "two"]


def test_what_the_container_cannot_hold_is_told(tmp_path):
    source = make(tmp_path / "a.mkv", Film(subtitles=True))
    told = []
    with av.open(str(tmp_path / "b.mp4"), "w") as container:
        list(beside.everything_else(container, source, told.append))
    assert len(told) == 1 and "subtitle, subrip" in told[0] and ".mkv" in told[0]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])  # Matroska does not say here that it is a cover, and has it first
def test_the_film_is_taken_and_not_its_cover(tmp_path, name):
    source = make(tmp_path / name, Film(cover_first=True))
    assert (video.read_facts(source).width, video.count_frames(source)) == (96, 50)
    if name != "a.mp4":
        return
    copy = copied(source, tmp_path / "b.mp4")
    with av.open(str(copy)) as container:
        covers = [stream for stream in container.streams.video if video.is_cover(stream)]
        assert len(container.streams.video) == 2 and len(covers) == 1


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_of_a_file_that_was_cut_what_can_be_read_is_given_and_told(tmp_path, share):
    source = make(tmp_path / "a.mkv", Film())
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(source.read_bytes()[: round(share * source.stat().st_size)])
    assert 0 < len(list(video.read_frames(cut))) < 50


def test_damage_in_the_middle_is_told_and_the_rest_is_read(tmp_path):
    source = make(tmp_path / "a.avi", Film(codec="ffv1", tracks=0))
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 6000] = bytes(6000)
    (tmp_path / "b.avi").write_bytes(data)
    told = []
    read = list(video.read_timed_frames(tmp_path / "b.avi", on_damage=told.append))
    assert 20 < len(read) < 50 and len(told) == 1 and "b.avi" in told[0] and "damaged" in told[0]


def test_a_film_that_is_read_from_its_middle_on_is_not_called_damaged(tmp_path):
    """As a run that goes on after a stop reads it: fewer frames come than there are."""
    source, told = make(tmp_path / "a.mp4", Film(tracks=0)), []
    assert list(video.read_timed_frames(source, Fraction(8, 5), told.append)) and not told
    assert list(video.read_timed_frames(source, None, told.append)) and not told


@pytest.mark.parametrize("since", [0.0, 0.39, 0.4, 1.21, 1.96, 5.0])
def test_frames_from_a_time_on_are_those_of_a_whole_reading(tmp_path, since):
    for name, codec in (("a.mp4", "libx264"), ("a.webm", "libvpx-vp9")):
        source = make(tmp_path / name, Film(codec=codec, tracks=0))
        whole = [(when, frame) for when, frame in video.read_timed_frames(source) if when >= since]
        part = list(video.read_timed_frames(source, Fraction(since)))
        assert [when for when, _ in part] == [when for when, _ in whole]
        assert all(torch.equal(a, b) for (_, a), (_, b) in zip(part, whole))


@pytest.mark.parametrize("codec, name, pixel_format", [
    ("libx265", "a.mp4", "yuv420p"), ("libvpx-vp9", "a.webm", "yuv420p"), ("libsvtav1", "a.mkv", "yuv420p"),
    ("prores_ks", "a.mov", "yuv422p10le"),
])  # fmt: skip
def test_whatever_it_is_coded_with(tmp_path, codec, name, pixel_format):
    source = make(tmp_path / name, Film(codec=codec, pixel_format=pixel_format))
    copy = copied(source, tmp_path / "b.mkv")
    a, b = (video.read_facts(one) for one in (source, copy))
    assert (a.depth, a.chroma, a.fps) == (b.depth, b.chroma, b.fps) and len(times(copy)) == 50
    (heard,), (given,) = (packets(one, "audio") for one in (copy, source))
    assert [data for _, data in heard] == [data for _, data in given]
    late = [sound[0][0] - times(one)[0] for sound, one in ((heard, copy), (given, source))]
    assert late[0] == pytest.approx(late[1], abs=0.002), "sound against picture"


def test_a_cover_is_attached_to_a_matroska_file(tmp_path):
    source = make(tmp_path / "a.mp4", Film((0, 40, 80), cover_first=True, tracks=0))
    once = copied(source, tmp_path / "b.mkv")
    twice = copied(once, tmp_path / "c.mkv")
    pictures = []
    for path in (source, once, twice):
        with av.open(str(path)) as container:
            (cover,) = (stream for stream in container.streams.video if video.is_cover(stream))
            pictures.append(next(bytes(packet) for packet in container.demux(cover) if packet.size))
        assert len(times(path)) == 3
    assert len(set(pictures)) == 1 and pictures[0]


def test_sound_with_a_cover_is_no_film(tmp_path):
    with av.open(str(tmp_path / "s.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 32, 32, "yuvj420p", video.ATTACHED_PICTURE
        sound = container.add_stream("aac", rate=48000)
        sound.codec_context.layout = "mono"
        still = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24").reformat(format="yuvj420p")
        still.pts = 0
        container.mux(cover.encode(still))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        silence.sample_rate, silence.pts = 48000, 0
        for stream, frame in ((cover, None), (sound, silence), (sound, None)):
            container.mux(stream.encode(frame))
    with pytest.raises(ClearError, match="cover picture"):
        video.read_facts(tmp_path / "s.mp4")


@pytest.mark.parametrize(
    "form", ["float", "16 bits", "16 bits as floats", "24 bits", "8 bits", "packed 16 bits", "packed floats"]
)
def test_sound_in_every_form_that_it_is_handed_out_in(tmp_path, form):
    seconds, rate = 2.0, 48000
    t = torch.arange(int(seconds * rate)) / rate
    left, right = 0.5 * torch.sin(2 * torch.pi * 440 * t), 0.3 * torch.sin(2 * torch.pi * 660 * t)
    sound = torch.stack([left, right])
    given = {
        "float": sound,
        "16 bits": (sound * 32767).to(torch.int16),
        "16 bits as floats": (sound * 32767).round(),
        "24 bits": (sound.double() * (2**31 - 256)).to(torch.int32),
        "8 bits": (sound * 127 + 128).to(torch.uint8),
        "packed 16 bits": (sound * 32767).to(torch.int16).T.reshape(1, -1),
        "packed floats": sound.T.reshape(1, -1),
    }[form]
    frames = torch.zeros(50, 64, 96, 3)
    clean = before_after.save(tmp_path, "x", frames, frames, None, Fraction(25), (given, rate))[1]
    with av.open(str(clean)) as container:
        heard = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], 1)
    assert heard.shape[0] == 2 and heard.shape[1] / rate == pytest.approx(seconds, abs=0.05)
    for channel, pitch, loud in ((0, 440, 0.5), (1, 660, 0.3)):
        middle = heard[channel, 9600:57600]
        assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(pitch, abs=2)
        assert np.abs(middle).max() == pytest.approx(loud, abs=0.05)


def test_sound_of_one_channel_that_lasts_twice_as_long_stays_one_channel(tmp_path):
    tone = torch.sin(torch.arange(4 * 48000) * 0.05)[None] * 0.5
    assert unpacked(tone, 48000, 2.0) is tone
