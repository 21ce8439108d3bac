"""Three minutes with all that a film has: what comes back is compared with it by machine."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from films import Film, make, packets
from tiny_film import Grey, Stopped, job

from clear_runtime.film.run import clean
from clear_runtime.film.store import Store
from clear_runtime.media import video

av = pytest.importorskip("av")

STEPS = (160, 240, 320, 240)
"""Milliseconds from frame to frame, in turn."""
FRAMES = 180_000 // 240
TIMES = tuple(int(when) for when in np.cumsum((300, *(STEPS * FRAMES)))[:FRAMES])
FLASHES = (38, 210, 350, 552, 745)
LINES = ((50, 80), (200, 220), (345, 360), (650, 680))


def clicks(path):
    """When the sound is loud, in seconds: the first sample of each click."""
    with av.open(str(path)) as container:
        blocks = [
            (frame.pts * frame.time_base, frame.sample_rate, frame.to_ndarray()[0])
            for frame in container.decode(audio=0)
        ]
    loud = [float(at) + n / rate for at, rate, block in blocks for n in np.flatnonzero(np.abs(block) > 0.3)]
    return [when for n, when in enumerate(loud) if n == 0 or when - loud[n - 1] > 0.5]


@pytest.mark.slow
def test_three_minutes_come_back_with_all_they_have(tmp_path):
    film = Film(
        TIMES,
        flash=FLASHES[0],
        more_flashes=FLASHES[1:],
        aspect=Fraction(64, 45),
        tags=(9, 9, 16),
        tracks=2,
        subtitles=True,
        title="Three minutes",
        chapters=("one", "two", "three"),
    )
    source, target = make(tmp_path / "a.mkv", film), tmp_path / "b.mkv"
    place = torch.zeros(FRAMES, 64, 96)
    for first, stop in LINES:
        place[first:stop, 40:50, 20:60] = 1
    asked = dict(subtitle=place, subtitle_use="only", prior=None, store=Store(container=".mkv"))

    def stop(now):
        if now.stage == "cleaning" and now.done > 250:
            raise Stopped

    with pytest.raises(Stopped):
        clean(job(source, target, Grey(), **asked), stop)
    done = clean(job(source, target, Grey(), **asked))
    assert (done.frames, done.changed) == (FRAMES, sum(stop - first for first, stop in LINES))
    then, now = (list(video.read_timed_frames(path)) for path in (source, target))
    assert max(abs(a - b) for (a, _), (b, _) in zip(then, now)) < 0.0011 and len(now) == FRAMES
    white = [n for n, (_, frame) in enumerate(now) if frame[:32].mean() > 0.9]
    assert white == list(FLASHES)
    heard = clicks(target)
    assert heard == pytest.approx([float(now[n][0]) for n in FLASHES], abs=0.025) and heard == pytest.approx(
        clicks(source), abs=0.002
    )
    for kind in ("audio", "subtitles"):
        assert packets(target, kind) == packets(source, kind)
    before, after = video.read_facts(source), video.read_facts(target)
    assert (after.aspect, after.colour, after.codec) == (before.aspect, before.colour, before.codec)
    with av.open(str(target)) as container:
        assert container.metadata["title"] == "Three minutes"
        assert [one["metadata"]["title"] for one in container.chapters()] == ["one", "two", "three"]
