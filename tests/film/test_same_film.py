"""All of a file comes through the whole run: times, tracks, shape of pixels, colour; what is damaged is told."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from films import Film, cleaned, flash_and_click, make, packets
from tiny_film import Grey, job

from clear_runtime.errors import ClearError
from clear_runtime.film.run import clean
from clear_runtime.film.source import Source
from clear_runtime.film.store import Store
from clear_runtime.media import video

av = pytest.importorskip("av")

UNEVEN = tuple(range(0, 720, 30)) + tuple(range(720, 2880, 90))


def frames(path):
    return torch.stack([frame for _, frame in video.read_timed_frames(path)])


@pytest.mark.parametrize("ending", [".mkv", ".mp4"])
def test_times_tracks_names_and_tags(tmp_path, ending):
    film = Film(
        UNEVEN, tracks=2, subtitles=ending == ".mkv", title="A film", chapters=("one",), aspect=Fraction(64, 45)
    )
    source, target = make(tmp_path / f"a{ending}", film), tmp_path / f"b{ending}"
    place = torch.zeros(1, 64, 96)
    place[:, 40:50, 20:60] = 1
    done = clean(job(source, target, Grey(), subtitle=place, subtitle_use="only", prior=None))
    assert (done.frames, done.changed, done.notes) == (48, 48, [])
    times = [[when for when, _ in video.read_timed_frames(path)] for path in (source, target)]
    later = {round(float(b - a), 3) for a, b in zip(*times)}
    assert len(later) == 1
    for kind in ("audio", "subtitles"):
        sounds = [[data for _, data in track] for track in packets(target, kind)]
        assert sounds == [[data for _, data in track] for track in packets(source, kind)]
    for path in (source, target):
        with av.open(str(path)) as container:
            assert int(container.streams.video[0].disposition) == 1, "the default"
    facts, before = video.read_facts(target), video.read_facts(source)
    assert (facts.aspect, facts.colour, facts.depth) == (before.aspect, before.colour, before.depth)
    difference = (frames(target) - frames(source)).abs()
    assert difference[:, 42:48, 24:56].mean() > 5 * difference[:, :32].mean() and difference[:, :32].mean() < 0.01


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_broadcast_whose_clock_has_gone_for_hours_begins_at_0(tmp_path, ending):
    source, target = make(tmp_path / "a.ts", Film(flash=36, clock=40_000)), tmp_path / f"b{ending}"
    with av.open(str(source)) as container:
        assert container.start_time > 39_999_000_000
    store = Store(container=ending)
    asked = dict(subtitle=torch.ones(1, 64, 96), subtitle_use="only", prior=None, store=store, start="1.0", end="1.2")
    done = clean(job(source, target, Grey(), **asked))
    assert (done.frames, done.changed, done.copied) == (50, 5, 0)
    flash, click = flash_and_click(target)
    assert flash == pytest.approx(36 * 0.04, abs=0.03) and click == pytest.approx(flash, abs=0.03)
    times = [when for when, _ in video.read_timed_frames(source)]
    assert [when for when, _ in video.read_timed_frames(target)] == pytest.approx(times, abs=0.0011)
    assert len(packets(target, "audio")[0]) == len(packets(source, "audio")[0])


def test_a_turned_film_of_ten_bits(tmp_path):
    film = Film(codec="libx265", pixel_format="yuv420p10le", rotation=90, tracks=1)
    source, target = make(tmp_path / "a.mp4", film), tmp_path / "b.mp4"
    clean(job(source, target, Grey(), subtitle_use="only", subtitle=torch.zeros(1, 96, 64), prior=None))
    facts = video.read_facts(target)
    assert (facts.width, facts.height, facts.depth, facts.rotation) == (64, 96, 10, 90)
    assert (frames(target) - frames(source)).abs().mean() < 0.01


@pytest.mark.parametrize("degrees, ending", [(90, ".mp4"), (180, ".mkv"), (270, ".mov")])
def test_a_turned_film_lies_as_it_did_and_is_painted_upright(tmp_path, degrees, ending):
    source = make(tmp_path / f"a{ending}", Film(range(0, 400, 40), rotation=degrees, aspect=Fraction(4, 3), tracks=0))
    before = video.read_facts(source)
    place = torch.zeros(1, before.height, before.width)
    place[:, 8:16, 4:40] = 1
    store = Store(container=ending, masks=True)
    more = dict(subtitle=place, subtitle_use="only", prior=None, store=store)
    done = clean(job(source, tmp_path / f"b{ending}", Grey(), **more))
    after = video.read_facts(done.output)
    assert (after.matrix, after.aspect) == (before.matrix, before.aspect) and after.rotation == degrees
    old, new = frames(source), frames(done.output)
    assert old.shape == new.shape and (new[:, 10:14, 8:36] - 0.5).abs().max() < 0.1
    assert (old - new)[:, 24:].abs().mean() < 0.003, "samples that nobody touched are the source's own"
    masks = frames(done.masks)
    assert masks.shape == new.shape and masks[:, 10:14, 8:36].min() > 0.9 and masks[:, 24:].max() < 0.1


def test_broadcasts_one_behind_the_other_keep_step_and_are_found_again(tmp_path):
    one, other = (make(tmp_path / f"{n}.ts", Film(range(0, n, 40), flash=20)) for n in (1200, 2000))
    source = tmp_path / "a.ts"
    source.write_bytes(one.read_bytes() + other.read_bytes())
    done = cleaned(source, tmp_path / "b.mkv")
    assert done.frames == 80 and done.notes == []
    with av.open(done.output) as container:
        flashes = [float(f.time) for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 180]
    with av.open(done.output) as container:
        clicks = [
            float(f.time) + np.abs(f.to_ndarray()[0]).argmax() / f.sample_rate
            for f in container.decode(audio=0)
            if np.abs(f.to_ndarray()).max() > 0.4
        ]
    assert flashes == pytest.approx([0.8, 2.0], abs=0.03) and len(clicks) >= 2
    assert all(min(abs(click - flash) for flash in flashes) < 0.03 for click in clicks)
    film = Source(source)
    shown = [(one.number, one.time, one.pixels.mean()) for one in film.frames()]
    number, when, _ = shown[50]
    assert [(one.number, one.time, one.pixels.mean()) for one in film.frames(number, when)] == shown[50:]


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_sound_whose_times_do_not_rise_is_taken_over(tmp_path, ending):
    source, odd = make(tmp_path / "a.mp4", Film(range(0, 400, 40))), tmp_path / "odd.mkv"
    with av.open(str(source)) as given, av.open(str(odd), "w") as container:
        streams = [container.add_stream_from_template(stream) for stream in given.streams]
        for packet in given.demux():
            if packet.dts is not None:
                if packet.stream.type == "audio":  # two at a time
                    packet.pts = packet.dts = packet.pts // 2048 * 2048
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    done = cleaned(odd, tmp_path / f"b{ending}")
    sounds = [[data for _, data in packets(path, "audio")[0]] for path in (odd, done.output)]
    assert sounds[0] == sounds[1] and len(sounds[0]) > 15


def test_a_last_frame_is_shown_for_as_long_as_it_was(tmp_path):
    source = make(tmp_path / "a.mp4", Film((0, 40, 80, 20_000, 20_040, 20_080), tracks=0))
    assert video.read_facts(source).fps < 1
    done = cleaned(source, tmp_path / "b.mp4")
    assert video.read_facts(done.output).seconds == pytest.approx(video.read_facts(source).seconds, abs=0.002)


def test_a_rate_that_no_film_has_is_refused_in_words(tmp_path):
    source = make(tmp_path / "a.avi", Film((0, 40), codec="mpeg4", tracks=0))
    data = bytearray(source.read_bytes())
    at = data.index(b"strh") + 8 + 20  # scale, then rate
    data[at : at + 8] = (1).to_bytes(4, "little") + (1_000_000).to_bytes(4, "little")
    source.write_bytes(data)
    with pytest.raises(ClearError, match=r"shows 1e\+06 frames a second, and 1000 is the most"):
        cleaned(source, tmp_path / "b.mkv")


def test_a_cover_that_is_damaged_is_left_out_and_said(tmp_path):
    source = tmp_path / "a.mkv"
    plain = make(tmp_path / "plain.mp4", Film((0, 40)))
    with av.open(str(plain)) as given, av.open(str(source), "w") as container:
        streams = [container.add_stream_from_template(stream) for stream in given.streams]
        container.add_attachment("cover.jpg", "image/jpeg", b"\xff\xd8\xff" + bytes(500))
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    assert cleaned(source, tmp_path / "b.mp4").notes == [
        "a.mkv: track 2 (video, mjpeg) cannot be in .mp4; .mkv holds more."
    ]


def test_of_a_damaged_film_what_can_be_read_is_cleaned_and_the_rest_told(tmp_path):
    source = make(tmp_path / "a.avi", Film(codec="ffv1", tracks=0))
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 6000] = bytes(6000)
    (tmp_path / "damaged.avi").write_bytes(data)
    done = clean(job(tmp_path / "damaged.avi", tmp_path / "b.mkv", Grey()))
    assert 20 < done.frames < 50 and len(frames(tmp_path / "b.mkv")) == done.frames
    assert [note for note in done.notes if "damaged" in note]


@pytest.mark.parametrize("first", ["tff", "bff"])
def test_an_interlaced_film_stays_so_in_h264_and_elsewhere_it_is_said(tmp_path, first):
    source = make(tmp_path / "a.mp4", Film(interlaced=first, tracks=0))
    before = video.read_facts(source)
    assert before.interlaced and before.bottom_first == (first == "bff")
    done = cleaned(source, tmp_path / "b.mp4")
    after = video.read_facts(done.output)
    assert (after.interlaced, after.bottom_first, done.notes) == (True, before.bottom_first, [])
    assert (frames(done.output) - frames(source)).abs()[:, :32].mean() < 0.01
    other = cleaned(source, tmp_path / "c.mkv", Store(codec="hevc", container=".mkv"))
    assert len(other.notes) == 1 and "a.mp4 is interlaced" in other.notes[0]


def test_transparency_that_is_lost_is_said(tmp_path):
    source = make(tmp_path / "a.mkv", Film((0, 40, 80), codec="ffv1", pixel_format="yuva420p", tracks=0))
    notes = cleaned(source, tmp_path / "b.mkv").notes
    assert notes == [
        "The result is H.264, for ffv1 cannot be written here.",
        "a.mkv has a channel of transparency; the result has none.",
    ]


def test_bits_that_are_lost_are_said(tmp_path):
    source = make(tmp_path / "a.mov", Film(codec="prores_ks", pixel_format="yuv444p10le", tracks=0))
    assert video.read_facts(source).depth == 12
    assert cleaned(source, tmp_path / "b.mov").notes == ["a.mov has 12 bits a sample; the result has 10."]


def test_what_a_list_of_edits_hides_stays_hidden_and_is_no_damage(tmp_path):
    source, trimmed = make(tmp_path / "a.mp4", Film(flash=30)), tmp_path / "trimmed.mp4"
    with av.open(str(source)) as given, av.open(str(trimmed), "w") as container:
        streams = [container.add_stream_from_template(stream) for stream in given.streams]
        for packet in given.demux():
            if packet.dts is not None:  # all half a second earlier: what comes before 0 is hidden
                earlier = round(Fraction(1, 2) / packet.time_base)
                packet.pts, packet.dts = packet.pts - earlier, packet.dts - earlier
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    shown = len(frames(trimmed))
    assert 35 < shown < 40 and video.read_facts(trimmed).frames in (shown, shown + 1)
    done = cleaned(trimmed, tmp_path / "b.mp4")
    assert (done.frames, done.notes) == (shown, [])
    flash, click = flash_and_click(done.output)
    assert click == pytest.approx(flash, abs=0.025) and (flash, click) == pytest.approx(
        flash_and_click(trimmed), abs=0.002
    )
