"""A film as a whole: what is cleaned and what is not, and that a run that was stopped gives the same file."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_film
import torch
from paths import ROOT
from tiny_film import CUT, FRAMES, LINES, Noisy, job, letters, write_film

from clear_runtime.errors import ClearError
from clear_runtime.film import run, segments, store
from clear_runtime.film.run import clean, make_plan
from clear_runtime.find.report import Report
from clear_runtime.media.video import read_facts, read_timed_frames


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SECONDS", 1)


def read(path):
    times, frames = zip(*read_timed_frames(path))
    return list(times), torch.stack(frames)


@pytest.fixture(scope="module")
def whole(film, tmp_path_factory):
    """(engine, report, what was done, frames of the result) of a run that nothing stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SECONDS", 1)
        engine, report = Noisy(), Report()
        done = clean(job(film, tmp_path_factory.mktemp("whole") / "clean.mp4", engine), report=report)
    return engine, report, done, read(done.output)[1]


def test_every_frame_comes_back_at_its_time_and_the_lines_are_gone(film, whole):
    _, report, done, after = whole
    (times, before), now = read(film), read(done.output)[0]
    assert times == now and len(after) == done.frames == FRAMES
    assert done.changed == sum(stop - first for first, stop in LINES)
    assert [(line.first, line.stop) for line in report.removed] == list(LINES)
    for n, (first, stop) in enumerate(LINES):
        assert (before[first:stop][:, letters(n)].mean((1, 2)) > 0.9).all()
        assert (after[first:stop][:, letters(n)].mean((1, 2)) < 0.6).all(), n
    inside = torch.zeros(FRAMES, dtype=torch.bool)
    for first, stop in LINES:
        inside[first:stop] = True
    assert (after[~inside] - before[~inside]).abs().mean() < 0.01
    assert read_facts(done.output).audio == read_facts(film).audio is not None


def test_only_stretches_with_text_are_painted_and_no_window_reaches_over_a_cut(whole):
    painted = whole[0].windows
    assert all(stop <= CUT or first >= CUT for first, stop in painted)
    assert {first % 4 for first, _ in painted} == {0}
    near = {t for first, stop in LINES for t in range(first - 8, stop + 8)}
    assert {t for first, stop in painted for t in range(first, stop)} <= near


def test_the_plan_stays_beside_the_result_and_nothing_else_does(whole):
    _, _, done, _ = whole
    folder = os.path.dirname(done.output)
    assert sorted(os.listdir(folder)) == ["clean.mp4", "clean_plan.json", "clean_plan.marks"]
    plan = json.loads(Path(done.plan).read_text(encoding="utf-8"))
    assert [(line["from"], line["to"], line["remove"]) for line in plan["lines"]] == [
        ("0:00:01.600", "0:00:03.600", True),
        ("0:00:06.000", "0:00:09.200", True),
        ("0:00:12.400", "0:00:13.200", True),
    ]
    assert plan["marks_file"] == "clean_plan.marks"


class Stopped(Exception):
    """What a user's Cancel raises."""


@pytest.mark.parametrize("at", [0, 30, 120, 180, 260, 399])
def test_a_stop_anywhere_then_a_second_run_gives_the_same_file(film, whole, tmp_path, at):
    def stop(now):
        if now.stage == "cleaning" and now.done >= at:
            raise Stopped

    target = tmp_path / "clean.mp4"
    with pytest.raises(Stopped):
        clean(job(film, target), stop)
    assert not target.exists() and (tmp_path / "clean.mp4.unfinished").is_dir()
    looked = []
    engine = Noisy()
    done = clean(job(film, target, engine), lambda now: looked.append(now.stage))
    assert "looking for text" not in looked, "the plan was found by the run before"
    assert torch.equal(read(target)[1], whole[3])
    assert len(engine.windows) <= len(whole[0].windows) and (at < 100 or len(engine.windows) < len(whole[0].windows))
    assert (at < 60) or "Goes on from frame" in done.notes[0]


KILLED = """
import sys
sys.path[:0] = [{root!r}, {support!r}]
import torch
torch.set_num_threads(1)
from pathlib import Path
from tiny_film import job
from clear_runtime.film import segments
from clear_runtime.film.run import clean
segments.SECONDS = 1
print("begins", flush=True)
clean(job(Path({film!r}), Path({target!r})))
"""


@pytest.mark.slow
def test_kill_at_random_moments_then_the_same_file(film, whole, tmp_path):
    """Ten runs are killed without a warning, each a little later than the one before it got."""
    target, chance = tmp_path / "clean.mp4", random.Random(4)
    support = str(ROOT / "tests" / "support")
    code = KILLED.format(root=str(ROOT), support=support, film=str(film), target=str(target))
    kills = 0
    for _ in range(10):
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert other.stdout.readline() == b"begins\n"
        try:
            other.wait(chance.uniform(0.1, 2.5))
            break
        except subprocess.TimeoutExpired:
            other.send_signal(signal.SIGKILL)
            other.communicate()
            kills += 1
    assert kills
    if not target.exists():
        clean(job(film, target))
    assert torch.equal(read(target)[1], whole[3])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.mp4", "clean_plan.json", "clean_plan.marks"]


def test_a_changed_setting_or_film_starts_anew_and_says_what_changed(film, tmp_path):
    target = tmp_path / "clean.mp4"

    def stop(now):
        if now.stage == "cleaning" and now.done > 100:
            raise Stopped

    with pytest.raises(Stopped):
        clean(job(film, target), stop)
    with pytest.raises(Stopped):
        clean(job(film, target, seed=1), stop)
    done = clean(job(film, target, seed=1, weights={"prior": "another"}))
    assert done.notes[0].startswith("This run starts anew") and "weights prior" in done.notes[0]


def test_a_segment_that_was_damaged_is_made_again(film, whole, tmp_path):
    def stop(now):
        if now.done > 200:
            raise Stopped

    target = tmp_path / "clean.mp4"
    with pytest.raises(Stopped):
        clean(job(film, target), lambda now: now.stage == "cleaning" and stop(now))
    parts = sorted((tmp_path / "clean.mp4.unfinished").glob("segment_*.mp4"))
    assert len(parts) > 3
    data = bytearray(parts[2].read_bytes())
    data[len(data) // 2] ^= 255
    parts[2].write_bytes(data)
    done = clean(job(film, target))
    assert "is damaged; it is made again" in done.notes[0]
    assert torch.equal(read(target)[1], whole[3])


def test_a_second_run_on_one_output_is_refused_and_the_first_goes_on(film, tmp_path):
    target, refused = tmp_path / "clean.mp4", []

    def another(now):
        if not refused:
            with pytest.raises(ClearError, match="Another run is using") as error:
                clean(job(film, target))
            refused.append(str(error.value))

    assert clean(job(film, target), another).frames == FRAMES and refused


def test_an_output_that_is_there_is_never_overwritten(film, tmp_path):
    target = tmp_path / "clean.mp4"

    def appears(now):
        if now.stage == "joining":
            target.write_text("mine")

    with pytest.raises(ClearError, match="exists already"):
        clean(job(film, target), appears)
    assert target.read_text() == "mine"
    target.unlink()
    stages = set()
    clean(job(film, target), lambda now: stages.add(now.stage))
    assert read_facts(target).frames == FRAMES


@pytest.mark.parametrize("frames", [1, 130, 390])
def test_a_full_disk_loses_nothing_that_is_finished(film, whole, tmp_path, monkeypatch, frames):
    written = 0
    real = store.SegmentWriter.write

    def full(writer, shown, pixels):
        nonlocal written
        written += 1
        if written > frames:
            raise OSError(28, "No space left on device")
        real(writer, shown, pixels)

    target = tmp_path / "clean.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(store.SegmentWriter, "write", full)
        with pytest.raises(ClearError, match="no room"):
            clean(job(film, target))
    kept = [json.loads(path.read_text()) for path in (tmp_path / "clean.mp4.unfinished").glob("segment_*.json")]
    assert sum(one["stop"] - one["first"] for one in kept) > frames - 40
    clean(job(film, target))
    assert torch.equal(read(target)[1], whole[3])


def test_a_full_disk_at_the_very_end_and_a_stop_right_after_it(film, whole, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    target = tmp_path / "clean.mp4"
    for name in ("join", "settle"):
        with monkeypatch.context() as patch:
            patch.setattr(store.Store, "join", full) if name == "join" else patch.setattr(run.Work, "clear", full)
            with pytest.raises((ClearError, OSError)):
                clean(job(film, target))
    engine = Noisy()
    done = clean(job(film, target, engine))
    assert not engine.windows and done.frames == FRAMES and done.output == str(target)
    assert torch.equal(read(target)[1], whole[3])
    assert sorted(os.listdir(tmp_path)) == ["clean.mp4", "clean_plan.json", "clean_plan.marks"]


def test_too_little_disk_is_said_before_anything_is_painted(film, tmp_path, monkeypatch):
    from collections import namedtuple

    from clear_runtime.film import estimate

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(estimate.shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 1000))
    engine = Noisy()
    with pytest.raises(ClearError, match="GB free, and this film needs"):
        clean(job(film, tmp_path / "clean.mp4", engine))
    assert not engine.windows


def test_when_memory_runs_out_the_window_is_halved_and_the_run_goes_on(film, tmp_path):
    class Greedy(Noisy):
        def paint(self, piece, seed, on_stage):
            if len(piece.window) > 9:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().paint(piece, seed, on_stage)

    engine = Greedy()
    done = clean(job(film, tmp_path / "clean.mp4", engine, window=33))
    assert [note for note in done.notes if "Memory ran out" in note] == [
        "Memory ran out with a window of 33 frames. From frame 0 on it is 13.",
        "Memory ran out with a window of 13 frames. From frame 0 on it is 5.",
    ] or "Memory ran out with a window of 33" in done.notes[0]
    assert done.frames == FRAMES and done.changed == sum(stop - first for first, stop in LINES)
    assert max(stop - first for first, stop in engine.windows) <= 9


def test_memory_runs_out_for_good(film, tmp_path):
    class Never(Noisy):
        def paint(self, piece, seed, on_stage):
            raise MemoryError

    with pytest.raises(ClearError, match="not enough memory for the smallest window"):
        clean(job(film, tmp_path / "clean.mp4", Never()))


def test_a_plan_is_made_edited_and_given_back(film, tmp_path):
    path = tmp_path / "plan.json"
    said = make_plan(job(film, tmp_path / "clean.mp4"), path)
    assert "400 frames, of which" in said and "GB of disk" in said
    assert not (tmp_path / "clean.mp4.unfinished").exists()
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["lines"][1]["remove"] = False
    plan["lines"][0]["from"] = "0:00:02.000"
    plan["lines"].append({"from": "0:00:15.0", "to": "15.4", "remove": True, "box": [10, 5, 30, 10]})
    path.write_text(json.dumps(plan), encoding="utf-8")
    report = Report()
    done = clean(job(film, tmp_path / "clean.mp4", plan=path), report=report)
    before, after = read(film)[1], read(done.output)[1]
    changed = ((after - before).abs().amax((1, 2, 3)) > 0.25).nonzero()[:, 0].tolist()
    assert changed == [*range(50, 90), *range(310, 330), *range(375, 385)]
    assert (after[380, 5:15, 10:40] - before[380, 5:15, 10:40]).abs().mean() > 0.03
    assert sum(line.goes for line in report.lines) == 3


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda plan: plan["lines"][0].update({"from": "soon"}), 'line 1, "from" is .soon.'),
        (lambda plan: plan["lines"][1].update(box=[0, 0, 1000, 10]), "line 2.*within its 128x64 pixels"),
        (lambda plan: plan["lines"][1].update(remove="yes"), '"remove" is true or false'),
        (lambda plan: plan["source"].update(bytes=1), "of another film"),
        (lambda plan: plan.pop("lines"), "no plan of a film"),
    ],
)
def test_a_plan_that_cannot_be_is_said(film, tmp_path, change, words):
    path = tmp_path / "plan.json"
    make_plan(job(film, tmp_path / "clean.mp4"), path)
    plan = json.loads(path.read_text(encoding="utf-8"))
    change(plan)
    path.write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(ClearError, match=words):
        clean(job(film, tmp_path / "clean.mp4", plan=path))


def test_between_two_times_and_in_an_area_alone(film, tmp_path):
    done = clean(job(film, tmp_path / "clean.mp4", start="0:06", end="13"))
    before, after = read(film)[1], read(done.output)[1]
    changed = ((after - before).abs().amax((1, 2, 3)) > 0.25).nonzero()[:, 0].tolist()
    assert changed == [*range(150, 230), *range(310, 325)] and len(after) == FRAMES
    above = clean(job(film, tmp_path / "above.mp4", area="0,0,128,30"))
    assert above.changed == 0


def test_wrong_times_and_areas_are_refused_at_once(film, tmp_path):
    for wrong in (dict(start="soon"), dict(start="5", end="4"), dict(area="1,2,3"), dict(area="a,b,c,d")):
        with pytest.raises(ClearError):
            job(film, tmp_path / "clean.mp4", **wrong)
    with pytest.raises(ClearError, match="outside of the picture"):
        clean(job(film, tmp_path / "clean.mp4", area="200,0,10,10"))
    with pytest.raises(ClearError, match="no frame between"):
        clean(job(film, tmp_path / "clean.mp4", start="1:00:00"))


def test_a_users_mask_goes_for_the_whole_film_or_alone(film, tmp_path):
    place = torch.zeros(1, tiny_film.HEIGHT, tiny_film.WIDTH)
    place[:, 4:12, 60:80] = 1
    added = clean(job(film, tmp_path / "added.mp4", subtitle=place))
    assert added.changed == FRAMES
    before, after = read(film)[1], read(added.output)[1]
    assert (after - before)[:, 5:11, 62:78].abs().mean((1, 2, 3)).min() > 0.02
    assert (after[60, letters(0)].mean()) < 0.6
    only = clean(job(film, tmp_path / "only.mp4", subtitle=place, subtitle_use="only", prior=None))
    assert (read(only.output)[1][60, letters(0)].mean()) > 0.9


def test_progress_goes_from_nothing_to_all_and_says_what_is_to_come(film, tmp_path):
    seen = []
    clean(job(film, tmp_path / "clean.mp4"), seen.append)
    shares = [now.share for now in seen if now.share is not None]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert list(dict.fromkeys(now.stage for now in seen)) == ["looking for text", "cleaning", "joining"]
    assert any(now.preview is not None for now in seen) and any("GB of disk" in now.note for now in seen)
    assert all(now.done <= now.total for now in seen)


def test_memory_holds_a_window_and_not_the_film(tmp_path, monkeypatch):
    """Frames that are alive at once do not grow with the film."""
    import weakref

    from clear_runtime.film import source as sources

    alive: set[int] = set()
    real, peak = sources.Source.frames, 0

    def counted(self, first=0):
        nonlocal peak
        for shown in real(self, first):
            key = id(shown.pixels)
            alive.add(key)
            weakref.finalize(shown.pixels, alive.discard, key)
            peak = max(peak, len(alive))
            yield shown

    most = []
    monkeypatch.setattr(sources.Source, "frames", counted)
    for frames in (120, 300):
        film, peak = write_film(tmp_path / f"{frames}.mp4", frames, audio=False), 0
        clean(job(film, tmp_path / f"clean_{frames}.mp4"))
        most.append(peak)
    assert 17 <= most[1] <= most[0] + 4 <= 40


def test_seams_between_windows_and_segments_do_not_show(film, whole):
    """Where the engine's noise is left out, the painted letters do not jump at a border more than within one."""

    class Smooth(Noisy):
        def paint(self, piece, seed, on_stage):
            return super().paint(piece, 0, on_stage)

    after = whole[3]
    first, stop = LINES[1]
    steps = (after[first + 1 : CUT] - after[first : CUT - 1])[:, letters(1)].abs().mean((1, 2))
    borders = {one for start, end in whole[0].windows for one in (start, end)}
    at = [t for t in range(first + 1, CUT) if t in borders]
    within = [t for t in range(first + 1, CUT) if t not in borders]
    mean = lambda frames: float(torch.stack([steps[t - first - 1] for t in frames]).mean())
    assert at and mean(at) <= 1.1 * mean(within)
