"""WebM, chosen by the result's name: VP9 or AV1, with sound that it can hold, and nothing lost without a word."""

from fractions import Fraction

import av
import numpy as np
import pytest
from films import Film, cleaned, frames, make

from clear_runtime.cli import main as command_line
from clear_runtime.errors import ClearError
from clear_runtime.film.output import masks_of
from clear_runtime.film.store import Store
from clear_runtime.media import beside, video
from launch import demo


def sound_packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio) if packet.size]


def click_after_flash(path):
    """Seconds from the brightest frame to the loudest sample of the first track."""
    with av.open(str(path)) as container:
        shown = max(container.decode(video=0), key=lambda frame: frame.to_ndarray(format="gray").mean())
        flash = float(shown.pts * shown.time_base)
    with av.open(str(path)) as container:
        heard = [
            (np.abs(frame.to_ndarray()).max(), frame.pts * frame.time_base, frame)
            for frame in container.decode(audio=0)
        ]
        _, begins, loud = max(heard, key=lambda one: one[0])
        samples = np.abs(loud.to_ndarray()).max(0)
        return float(begins) + samples.argmax() / loud.sample_rate - flash


def test_a_webm_keeps_its_codec_and_its_sound_packet_by_packet(tmp_path, monkeypatch):
    monkeypatch.setattr("clear_runtime.film.segments.SECONDS", 1)
    source = make(tmp_path / "a.webm", Film(codec="libvpx-vp9", flash=30))
    done = cleaned(source, tmp_path / "b.webm")
    with av.open(done.output) as container:
        assert container.streams.video[0].codec_context.name == "vp9" and done.notes == []
    assert video.read_facts(done.output).audio == "opus"
    assert sound_packets(done.output) == sound_packets(source) != []
    assert click_after_flash(done.output) == pytest.approx(click_after_flash(source), abs=0.002)
    assert (frames(done.output) - frames(source)).abs()[:, :32].mean() < 0.01 and done.changed == 50
    assert (tmp_path / "b.webm").read_bytes()[:64].find(b"webm") > 0


def test_the_demo_shows_a_webm_beside_its_source(tmp_path):
    film = Film(range(0, 400, 40), codec="libvpx-vp9")
    source, clean = (make(tmp_path / f"{name}.webm", film) for name in ("a", "clean"))
    made = demo.beside_the_source(source, clean)
    assert list(made) == ["clean.webm", "before_after.mkv", "before_after.png"]
    both = video.read_facts(made["before_after.mkv"])
    assert (both.width, both.frames or 10, both.audio) == (2 * 96 + 2, 10, "opus")


@pytest.mark.parametrize("ending, codec, said", [
    (".mkv", "h264", "The result is H.264, for vp9 in .mkv does not say that pixels are 4:3."),
    (".mp4", "vp9", ""),
    (".webm", "vp9", "The pixels of a.mp4 are 4:3, which the result cannot say: players show it with square ones. .mp4 "
     "keeps it."),
])  # fmt: skip
def test_the_shape_of_pixels_stays_or_that_is_said(tmp_path, ending, codec, said):
    film = Film(range(0, 400, 40), codec="libvpx-vp9", tracks=0, aspect=Fraction(4, 3))
    done = cleaned(make(tmp_path / "a.mp4", film), tmp_path / f"b{ending}")
    facts = video.read_facts(done.output)
    assert done.notes == ([said] if said else []) and facts.codec == codec
    assert facts.aspect == (1 if ending == ".webm" else Fraction(4, 3))


def test_transparency_beside_the_pictures_is_said(tmp_path):
    source = make(tmp_path / "a.webm", Film((0, 40), codec="libvpx-vp9", pixel_format="yuva420p", tracks=0))
    done = cleaned(source, tmp_path / "b.webm")
    assert done.notes == ["a.webm has a channel of transparency; the result has none."]


def test_of_a_film_with_other_codecs_all_that_is_changed_or_lost_is_said(tmp_path):
    film = Film(tracks=2, subtitles=True, flash=30, title="A film", chapters=("one", "two"))
    source = make(tmp_path / "a.mkv", film)
    done = cleaned(source, tmp_path / "b.webm")
    assert done.notes == [
        "The result is VP9, for h264 does not go into .webm.",
        "a.mkv: track 1 (audio, aac) cannot be in .webm; its sound was encoded anew, as opus.",
        "a.mkv: track 2 (audio, aac) cannot be in .webm; its sound was encoded anew, as opus.",
        "a.mkv: track 3 (subtitle, subrip) cannot be in .webm; .mkv holds more.",
    ]
    with av.open(done.output) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["opus", "opus"]
        assert container.metadata["title"] == "A film" and len(container.chapters()) == 2
    assert click_after_flash(done.output) == pytest.approx(click_after_flash(source), abs=0.003)
    assert (frames(done.output) - frames(source)).abs()[:, :32].mean() < 0.01


def test_ten_bits_become_av1_and_what_no_codec_of_it_takes_is_refused_before_any_work(tmp_path):
    ten = make(tmp_path / "a.mp4", Film(codec="libx265", pixel_format="yuv420p10le", tracks=0))
    done = cleaned(ten, tmp_path / "b.webm")
    facts = video.read_facts(done.output)
    assert (facts.codec, facts.depth) == ("av1", 10)
    assert done.notes == ["The result is AV1, for hevc does not go into .webm."]
    fine = make(tmp_path / "c.mov", Film(codec="prores_ks", pixel_format="yuv422p10le", tracks=0))
    with pytest.raises(ClearError, match="prores does not go into .webm, nor H.264 or VP9 or AV1. Choose .mkv"):
        cleaned(fine, tmp_path / "d.webm")
    with pytest.raises(ClearError, match="h264 does not go into .webm"):
        cleaned(ten, tmp_path / "d.webm", Store(codec="h264", container=".webm"))
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.parametrize("layout, rate", [("mono", 44100), ("2.1", 48000), ("4.0", 48000), ("5.1", 32000)])
def test_sound_of_any_layout_and_rate_becomes_opus_of_the_same_length(tmp_path, layout, rate):
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("flac", rate=rate)
        stream.codec_context.layout = layout
        channels = stream.codec_context.layout.nb_channels
        for start in range(0, rate, rate // 10):
            wave = np.sin(np.arange(start, start + rate // 10) * 2 * np.pi * 440 / rate)
            block = np.repeat(np.int16(8000 * wave), channels)[None]
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    told = []
    with av.open(str(tmp_path / "b.webm"), "w") as container:
        for _, some in list(beside.everything_else(container, source, told.append)):
            container.mux(some)
    assert len(told) == 1 and "as opus" in told[0]
    with av.open(str(tmp_path / "b.webm")) as container:
        heard = list(container.decode(audio=0))
    assert heard[0].layout.nb_channels == channels
    samples = np.concatenate([frame.to_ndarray() for frame in heard], 1)
    assert samples.shape[1] / 48000 == pytest.approx(1, abs=0.03)
    strength = np.abs(np.fft.rfft(samples.mean(0)[4800:43200]))
    assert strength.argmax() * 48000 / 38400 == pytest.approx(440, abs=2), "the same note"


def test_the_video_of_masks_is_no_webm(tmp_path):
    assert masks_of(tmp_path / "a.webm").name == "a_mask.mkv" and masks_of(tmp_path / "a.mp4").name == "a_mask.mp4"
    source = make(tmp_path / "a.webm", Film(codec="libvpx-vp9", tracks=0))
    more = ["--engine", "fill", "--mask", str(tmp_path / "m.webm")]
    with pytest.raises(SystemExit, match="m.webm: the output has to end in .mp4, .mov or .mkv"):
        command_line.main(["remove", str(source), "-o", str(tmp_path / "b.webm"), *more])
