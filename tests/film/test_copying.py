"""Where nothing changes from one keyframe to another, the source's own packets are the result's."""

import json
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import tiny_film
import torch
from backwards import Backwards
from films import Film, make, packets
from tiny_film import HEIGHT, LINES, WIDTH, Noisy, Stopped, job, letters

from clear_runtime.errors import ClearError
from clear_runtime.film import copying, store
from clear_runtime.film.run import clean, make_plan
from clear_runtime.film.store import Store
from clear_runtime.media import video
from clear_runtime.media.groups import read_packets

av = pytest.importorskip("av")

FRAMES = 130
KINDS = {
    "h264": ("libx264", {"x264-params": "keyint=20:bframes=3", "crf": "8"}, "yuv420p"),
    "fields": ("libx264", {"x264-params": "keyint=20:bframes=3:bff=1", "crf": "8"}, "yuv420p"),
    "hevc": ("libx265", {"x265-params": "keyint=20:min-keyint=20:open-gop=0:log-level=none"}, "yuv420p"),
    "hevc open": ("libx265", {"x265-params": "keyint=20:min-keyint=20:log-level=none"}, "yuv420p10le"),
    "vp9": ("libvpx-vp9", {"g": "20", "lag-in-frames": "12", "auto-alt-ref": "1"}, "yuv420p"),
    "av1": ("libsvtav1", {"g": "20", "preset": "10"}, "yuv420p10le"),
    "prores": ("prores_ks", {}, "yuv422p10le"),
}
CLOSED, EVERY = [(0, 20), (100, FRAMES)], [(0, 36), (94, FRAMES)]
"""First and stop of what is copied: of the film, frames 36 to 94 are painted; where each is a keyframe, all others."""

_WRITTEN: dict = {}
"""A film's bytes, by what it was asked for as."""


def film(path, kind, tag=None, encoders=1, turned=None):
    """The first line of tiny_film, in groups of 20 pictures; encoders: how many make its frames, in turn. turned: how
    far players turn it, degrees. What several tests ask for is encoded once."""
    made_by = kind, path.suffix, tag, encoders, turned
    if made_by in _WRITTEN:
        path.write_bytes(_WRITTEN[made_by])
        return path
    codec, options, form = KINDS[kind]
    with av.open(str(path), "w") as container:
        stream = _stream(container, codec, options, form)
        if turned:
            stream.set_display_rotation(turned)
        if tag:
            stream.codec_context.codec_tag = tag
        for number in range(encoders):
            writer = stream if not number else _stream(av.open(str(path) + ".h264", "w"), codec, {"crf": "30"}, form)
            for t in range(number * FRAMES // encoders, (number + 1) * FRAMES // encoders):
                frame = av.VideoFrame.from_ndarray(_levels(t), "rgb24").reformat(format=form)
                frame.pts = t
                _mux(container, stream, writer.encode(frame))
            _mux(container, stream, writer.encode(None))
    _WRITTEN[made_by] = path.read_bytes()
    return path


@cache
def _levels(t):
    return (tiny_film.frame(t) * 255).to(torch.uint8).numpy()


def _stream(container, codec, options, form):
    stream = container.add_stream(codec, rate=25, options=options)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, form
    return stream


def _mux(container, stream, some):
    for packet in some:
        packet.stream = stream
        container.mux(packet)


def stored(path):
    """(time, samples) of every frame as they are decoded by one thread, and what the decoder said."""
    with av.logging.Capture() as said, av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        found = [(float(frame.time), frame.to_ndarray()) for frame in container.decode(video=0)]
    return found, said


def cleaned(source, target, **more):
    return clean(job(source, target, **{"store": Store(container=target.suffix), **more}))


@pytest.mark.parametrize("kind, begins, ends", [
    ("h264", ".mp4", ".mp4"), ("h264", ".mkv", ".mov"), ("h264", ".ts", ".mkv"), ("hevc", ".mp4", ".mp4"),
    ("fields", ".mp4", ".mkv"), ("fields", ".ts", ".mp4"), ("hevc hvc1", ".mp4", ".mkv"),
    ("hevc", ".mkv", ".mkv"), ("hevc open", ".mkv", ".mkv"), ("hevc open", ".mp4", ".mov"), ("vp9", ".webm", ".webm"),
    ("vp9", ".mkv", ".mp4"), ("av1", ".mp4", ".mp4"), ("av1", ".mkv", ".webm"), ("prores", ".mov", ".mov"),
    ("prores", ".mov", ".mkv"),
])  # fmt: skip
def test_what_is_not_touched_is_the_sources_bit_for_bit_and_decodes_from_anywhere(tmp_path, kind, begins, ends):
    kind, _, tag = kind.partition(" hvc")
    source, target = film(tmp_path / f"a{begins}", kind, tag and f"hvc{tag}"), tmp_path / f"b{ends}"
    done = cleaned(source, target)
    kept = EVERY if kind == "prores" else CLOSED
    if kind == "hevc open":  # pictures in front of a keyframe, stored behind it, are not copied without it
        kept = [(0, done.copied - 30), CLOSED[1]]
        assert 12 < kept[0][1] < 20
    assert done.copied == sum(stop - first for first, stop in kept) and done.notes == []
    (before, _), (after, said) = stored(source), stored(target)
    assert len(after) == len(before) == done.frames == FRAMES and not said
    if kind == "fields":
        assert all(frame.interlaced_frame for _, frame, _ in video.read_stored_frames(target))
        assert video.read_facts(source).bottom_first and video.read_facts(target).bottom_first
    assert video.read_facts(target).seconds == pytest.approx(video.read_facts(source).seconds, abs=0.0025)
    start = before[0][0] - after[0][0]
    assert max(abs(a - b - start) for (a, _), (b, _) in zip(before, after)) < 0.0011
    for first, stop in kept:
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(before[first:stop], after[first:stop]))
    assert not any(np.array_equal(before[t][1], after[t][1]) for t in range(*LINES[0]))
    pictures = torch.stack([frame for _, frame in video.read_timed_frames(target)])
    first, stop = LINES[0]
    assert (pictures[first:stop][:, letters(0)].mean((1, 2)) < 0.6).all()
    times = [when for when, _ in video.read_timed_frames(target)]
    for t in (0, 5, 19, 20, 21, 36, 60, 93, 94, 99, 100, 101, FRAMES - 1):
        when, frame, _ = next(video.read_stored_frames(target, times[t]))
        assert when == times[t] and np.array_equal(frame.to_ndarray(), after[t][1]), "sought in from outside"
    assert packets(source, "audio") == packets(target, "audio")


@pytest.mark.parametrize("kind, ending, tag", [
    ("h264", ".mp4", None), ("hevc", ".mp4", None), ("hevc", ".mov", "hvc1"), ("av1", ".mkv", None),
    ("prores", ".mov", None),
])  # fmt: skip
def test_a_film_without_text_is_copied_whole(tmp_path, kind, ending, tag):
    source, target = film(tmp_path / f"a{ending}", kind, tag), tmp_path / f"b{ending}"
    done = cleaned(source, target, prior=lambda frames: torch.zeros(frames.shape[:3]))
    assert (done.copied, done.changed, done.notes) == (FRAMES, 0, [])
    streams = []
    for path in (source, target):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            times = [
                (bytes(packet), packet.pts * packet.time_base) for packet in container.demux(stream) if packet.size
            ]
            streams.append((stream.codec_context.codec_tag, stream.codec_context.extradata, times))
    assert streams[0] == streams[1]


def test_after_a_stop_and_from_workers_it_is_the_same_file(tmp_path):
    source = film(tmp_path / "a.mkv", "h264")
    whole = cleaned(source, tmp_path / "whole.mp4")

    def stop(now):
        if now.stage == "cleaning" and now.done > 60:
            raise Stopped

    with pytest.raises(Stopped):
        clean(job(source, tmp_path / "b.mp4"), stop)
    assert list((tmp_path / "b.mp4.unfinished").glob("*.copy"))
    engine, workers = Noisy(), Backwards()
    again = cleaned(source, tmp_path / "b.mp4", engine=engine)
    assert again.copied == whole.copied and len(engine.windows) < 5
    cleaned(source, tmp_path / "c.mp4", workers=workers)
    assert workers.made and all(20 <= first < stop <= 100 for first, stop in workers.made)
    for name in ("b.mp4", "c.mp4"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_stretch_that_nobody_looked_at_is_copied_too(tmp_path):
    source, target = film(tmp_path / "a.mp4", "h264"), tmp_path / "b.mp4"
    done = cleaned(source, target, start="2.0", end="3.0")  # frames 50 to 75, of which all have the line
    assert (done.frames, done.changed) == (FRAMES, 25) and done.copied == 40 + 50
    (before, _), (after, said) = stored(source), stored(target)
    same = [np.array_equal(a, b) for (_, a), (_, b) in zip(before, after)]
    assert all(same[:40]) and all(same[80:]) and not any(same[50:75]) and not said


def full(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("where, name", [
    (copying, "write_text"), (store.SegmentWriter, "write"), (store.Store, "join"),
])  # fmt: skip
def test_a_full_disk_then_room_gives_the_same_file(tmp_path, monkeypatch, where, name):
    source = film(tmp_path / "a.mp4", "h264")
    with monkeypatch.context() as patch:
        patch.setattr(where, name, full)
        with pytest.raises((ClearError, OSError), match="No space left"):
            cleaned(source, tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()
    again, whole = cleaned(source, tmp_path / "b.mp4"), cleaned(source, tmp_path / "c.mp4")
    assert again.copied == whole.copied == sum(stop - first for first, stop in CLOSED)
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()


def test_an_edited_plan_moves_what_is_copied(tmp_path):
    source, path = film(tmp_path / "a.mp4", "h264"), tmp_path / "plan.json"
    make_plan(job(source, tmp_path / "b.mp4"), path)
    plan = json.loads(path.read_text(encoding="utf-8"))
    line = plan["lines"][0]
    edits = {
        "deleted": [],
        "left": [{**line, "remove": False}],
        "widened": [{**line, "from": "0:00:00.4"}],
        "added": [line, {"from": "4.8", "to": "5.2", "remove": True, "box": [10, 5, 30, 10]}],
    }
    for name, lines in edits.items():
        path.write_text(json.dumps({**plan, "lines": lines}), encoding="utf-8")
        done = cleaned(source, tmp_path / f"{name}.mp4", plan=path)
        (before, _), (after, said) = stored(source), stored(tmp_path / f"{name}.mp4")
        same = [np.array_equal(a, b) for (_, a), (_, b) in zip(before, after)]
        assert done.frames == len(after) == FRAMES and not said and done.notes == []
        kept = {"deleted": CLOSED + [(20, 100)], "left": CLOSED + [(20, 100)], "widened": [(100, FRAMES)]}
        kept = kept.get(name, [(0, 20)])
        assert done.copied >= sum(stop - first for first, stop in kept) > 0
        assert all(all(same[first:stop]) for first, stop in kept)
        assert done.changed == {"deleted": 0, "left": 0, "widened": 80, "added": 60}[name]


def test_times_that_are_uneven_stay_so_where_packets_are_copied(tmp_path):
    even, source, target = film(tmp_path / "even.mp4", "h264"), tmp_path / "a.mkv", tmp_path / "b.mp4"
    with av.open(str(even)) as given, av.open(str(source), "w") as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:  # later frames are shown for longer
                ticks = [round(one * packet.time_base * 25) for one in (packet.pts, packet.dts)]
                packet.pts, packet.dts = (40 * one + max(0, one - 60) * 25 for one in ticks)
                packet.time_base, packet.duration, packet.stream = Fraction(1, 1000), 0, stream
                container.mux(packet)
    done = cleaned(source, target)
    (before, _), (after, said) = stored(source), stored(target)
    assert done.copied >= 50 and done.frames == FRAMES and not said
    shown = [when - before[0][0] for when, _ in before]
    assert [when - after[0][0] for when, _ in after] == pytest.approx(shown, abs=0.0011) and shown[-1] > 6


def test_where_a_halved_window_comes_to_other_borders_the_film_is_whole(tmp_path):
    class Greedy(Noisy):
        def paint(self, piece, seed, on_stage):
            if len(piece.window) > 9:
                raise MemoryError
            return super().paint(piece, seed, on_stage)

    source, target = film(tmp_path / "a.mp4", "h264"), tmp_path / "b.mp4"
    done = cleaned(source, target, engine=Greedy(), window=33, overlap=16)
    (before, _), (after, said) = stored(source), stored(target)
    assert [when for when, _ in after] == [when for when, _ in before] and not said
    assert done.copied == 50 and "Memory ran out" in done.notes[0]


@pytest.mark.parametrize("why", ["switched off", "masks", "another codec", "hvc1"])
def test_where_it_would_be_wrong_all_is_encoded_anew(tmp_path, why):
    source = film(tmp_path / "a.mp4", "hevc" if why == "hvc1" else "h264", tag="hvc1" if why == "hvc1" else None)
    more = {
        "switched off": {"copy_unchanged": False},
        "masks": {"store": Store(masks=True)},
        "another codec": {"store": Store(codec="hevc")},
        "hvc1": {},
    }[why]
    done = cleaned(source, tmp_path / "b.mp4", **more)
    said = {"masks": "a video of masks is written", "hvc1": "HEVC in .mp4 has all parameter sets in its header"}.get(
        why
    )
    assert [said in note for note in done.notes] == ([True] if said else [])
    assert done.copied == 0 and len(stored(tmp_path / "b.mp4")[0]) == FRAMES
    with av.open(str(tmp_path / "b.mp4")) as container:
        tag = container.streams.video[0].codec_context.codec_tag
    assert tag == ("hvc1" if why in ("another codec", "hvc1") else "avc1")


@pytest.mark.parametrize("ending, other, why", [
    (".mkv", dict(interlaced="tff", codec="libx265", parameters="interlace=tff"), "its picture is interlaced"),
    (".avi", dict(), "AVI says of no packet when its frame is shown"),
])  # fmt: skip
def test_a_picture_that_is_not_stored_as_it_was_is_not_copied_and_that_is_said(tmp_path, ending, other, why):
    source = make(tmp_path / f"a{ending}", Film(tracks=0, **other))
    target = tmp_path / f"b{ending.replace('.avi', '.mp4')}"
    done = cleaned(source, target, prior=lambda frames: torch.zeros(frames.shape[:3]))
    assert (done.copied, done.frames) == (0, 50)
    assert f"Nothing of a{ending} is copied, for {why}: what nobody touched is encoded anew too." in done.notes


@pytest.mark.parametrize("kind, ending", [("h264", ".mp4"), ("hevc", ".mkv")])
def test_of_a_turned_film_too_and_it_is_turned_all_along(tmp_path, kind, ending):
    source, target = film(tmp_path / f"a{ending}", kind, turned=180), tmp_path / f"b{ending}"
    done = cleaned(source, target, subtitles_only=False)
    (before, _), (after, said) = stored(source), stored(target)
    assert done.copied == 50 and done.notes == [] and not said
    for first, stop in CLOSED:
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(before[first:stop], after[first:stop]))
    assert not any(np.array_equal(before[t][1], after[t][1]) for t in range(*LINES[0]))
    assert {round(frame.rotation) % 360 for _, frame, _ in video.read_stored_frames(target)} == {180}


def test_packets_that_are_unusual_are_left_alone(tmp_path):
    good = read_packets(film(tmp_path / "a.ts", "h264"))
    assert good is not None and len(good.entries) == 7
    assert read_packets(film(tmp_path / "b.ts", "h264", encoders=2)) is None, "parameter sets that change in between"
    whole = film(tmp_path / "c.mp4", "h264")
    with av.open(str(whole)) as container:
        at = [packet.pos for packet in container.demux(video=0) if packet.size][70]
    data = bytearray(whole.read_bytes())
    data[at : at + 4] = b"\1\2\3\4"
    (tmp_path / "d.mp4").write_bytes(data)
    assert read_packets(whole) is not None and read_packets(tmp_path / "d.mp4") is None, "units longer than a packet"
    more = dict(codec="libvpx-vp9", tracks=0)
    opaque, clear = (
        make(tmp_path / f"{form}.webm", Film((0, 40, 80), pixel_format=form, **more))
        for form in ("yuv420p", "yuva420p")
    )
    assert read_packets(opaque) is not None and read_packets(clear) is None, "transparency beside a packet"


def test_the_plan_says_what_is_taken_over(tmp_path):
    source = film(tmp_path / "a.mp4", "h264")
    cost = make_plan(job(source, tmp_path / "b.mp4"), tmp_path / "plan.json")
    assert "130 frames, of which 58 are painted and 50 taken over as they are" in cost
