"""How far a removal is: told at every stage, in one unit, and a way to end it."""

import pytest
from toy_parts import FakeDenoiser, run, video

from clear_runtime.progress import AROUND


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("stage", ["find", "control", "encode", "sample", "decode", "blend", "check", "done"])
def test_what_the_callback_raises_ends_the_run_at_once(stage):
    denoiser, seen = FakeDenoiser(), []

    def cancel(progress):
        seen.append(progress.stage)
        if progress.stage == stage and progress.done >= 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(video(120), denoiser, on_progress=cancel, second_look=True)
    assert seen[-1] == stage and len(denoiser.calls) <= 2


def test_progress_rises_to_its_total():
    reports = []
    frames = video(40, text=None)
    frames[:20, 14:17, 8:28] = 1  # the last windows have nothing to do, and count all the same
    run(frames, total=40, on_progress=reports.append)
    done = [r.done for r in reports]
    cost = 2 + AROUND
    assert done == sorted(done) and done[-1] == (1 + cost) * 40 and {r.total for r in reports} == {(1 + cost) * 40}
    previews = [r.preview for r in reports if r.preview is not None]
    assert previews and all(p.shape == (24, 36, 3) for p in previews)
    run(frames[:9], on_progress=lambda r: reports.append(r))
    assert reports[-1].total is None and reports[-1].done == 9 + cost * 8


def test_what_follows_sampling_is_told_and_is_not_the_end_yet():
    reports = []
    gone = FakeDenoiser(lambda noise, control: control * 0 + 0.5)
    run(video(9), gone, total=9, on_progress=reports.append, second_look=True)
    places = {r.stage: r.done / r.total for r in reports}
    assert list(places) == ["find", "control", "encode", "sample", "decode", "blend", "check", "done"]
    assert places["control"] < places["encode"] < places["sample"] < places["blend"] < places["check"] < 1
    assert places["done"] == 1
    parts = [r.part for r in reports if r.stage != "find"]
    assert parts[:-1] == sorted(parts[:-1]) and 0 < parts[1] < parts[-2] < 1 and parts[-1] == 0


def test_what_is_painted_once_more_is_told_as_that():
    stages = []
    run(video(9), on_progress=lambda now: stages.append(now.stage), second_look=True)  # what it leaves is the text
    assert stages[-1] == "done" and "again" in stages[stages.index("check") :]
