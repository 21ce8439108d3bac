"""A Stage II session: from clips to a LoRA in its folder, told as it goes, stopped and gone on with anywhere."""

import json
import math
import re
from dataclasses import replace

import pytest
import torch
from filelock import FileLock, Timeout
from PIL import Image
from safetensors.torch import load_file
from tiny_clips import CONTEXT, HEIGHT, MemoryClips
from tiny_run import SHORT, same, state, stored
from two_processes import Two

from clear_runtime.engines.nano.load import load_bundled_codec
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.lora.cache import LatentClips
from clear_runtime.train.lora.session import ENCODING, TRAINING, BaseHeader, Encoders, LoraSession
from clear_runtime.train.processes import Processes

CODEC = load_bundled_codec()


def decode(latents):
    return [CODEC.decode(z) for z in latents]


class Stop(Exception):
    pass


class Events(list):
    """What was told. Raises Stop as soon as `when` is true of an event."""

    def __init__(self, when=lambda event: False):
        self.when = when

    def __call__(self, event):
        self.append(event)
        if self.when(event):
            raise Stop

    def of(self, stage):
        return [event for event in self if event.stage == stage]


@pytest.fixture
def run(base, tmp_path):
    """One start in FOLDER/name: its session, after all three steps."""

    def start(
        name="mine",
        options=SHORT,
        clips=None,
        on_event=lambda event: None,
        available=None,
        context=CONTEXT,
        weights=base,
        then=None,
        **how,
    ):
        header = BaseHeader({name: tuple(value.shape) for name, value in base.items()}, 4, 4, CONTEXT.shape[1])
        session = LoraSession(options, tmp_path / name, header, Processes("cpu", alone=True), available, on_event)
        encoders = Encoders(CODEC, load_prior(), "test")
        session.encode(MemoryClips(2) if clips is None else clips, encoders, weights, context)
        session.train(weights, context, available=then, **how)
        return session

    return start


def test_clips_become_a_lora_with_its_figures_and_pictures(run, tmp_path):
    told = Events()
    session = run(on_event=told, decode=decode)
    assert session.finished and session.step == 4
    folder = tmp_path / "mine"
    assert load_file(folder / "lora.safetensors") and load_file(folder / "occlusion_head.safetensors")
    assert [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()] == [1, 2, 3, 4]
    curves, example = session.pictures()
    assert curves.width == example.width == 640 and example.tobytes() == Image.open(folder / "example.png").tobytes()
    assert curves.tobytes() == Image.open(folder / "curves.png").tobytes()
    report = session.report()
    assert report.startswith("Examples of 5 frames of 64x32 pixels, control as is, float32\n") and "GiB" in report
    assert re.search(r"4 steps: loss \d\.\d{4} at the first, \d\.\d{4} at the last$", report)


def test_every_clip_and_every_step_is_told_and_both_count_towards_one_whole(run):
    told = Events()
    run(on_event=told, decode=decode)
    assert [(e.stage, e.done, e.total) for e in told] == [
        (ENCODING, 1, 2),
        (ENCODING, 2, 2),
        *((TRAINING, step, 4) for step in (1, 2, 3, 4)),
    ]
    assert [(e.run_done, e.run_total) for e in told] == [(n, 6) for n in (1, 2, 3, 4, 5, 6)]
    assert all(e.left > 0 for e in told if e.done < e.total) and told.of(ENCODING)[-1].left == 0
    assert [e.step.step for e in told.of(TRAINING)] == [1, 2, 3, 4] and not any(e.step for e in told.of(ENCODING))
    shown = [e.done for e in told.of(TRAINING) if e.draw]
    assert {1, 3, 4} <= set(shown), "whenever there is a new example"
    height = told[-1].picture.height
    assert told[0].picture is None and told[-1].picture.width == 640 and height > 500


def test_without_a_decoder_there_are_curves_and_no_example(run, tmp_path):
    told = Events()
    session = run(on_event=told)
    assert (tmp_path / "mine" / "curves.png").exists() and not (tmp_path / "mine" / "example.png").exists()
    assert not any(e.draw for e in told)
    with pytest.raises(ClearError, match="made elsewhere. Ask for more steps, or choose another name"):
        session.pictures()


def test_curves_are_kept_with_every_checkpoint(run, tmp_path):
    seen = []
    curves = tmp_path / "mine" / "curves.png"
    run(on_event=lambda event: seen.append(curves.exists()))
    assert seen == [False, False, False, True, True, True], "two clips, one step, and a checkpoint after the second"


def test_who_stops_while_clips_are_encoded_finds_those_that_are(run, tmp_path):
    clips = MemoryClips(2)
    with pytest.raises(Stop):
        run(clips=clips, on_event=Events(lambda event: event.done == 1))
    assert clips.reads == [0] and len(list((tmp_path / "mine" / "latents").iterdir())) == 1
    run(clips=clips)
    assert clips.reads == [0, 1]


@pytest.mark.parametrize("how", ["raised", "asked"])
def test_who_stops_while_it_trains_goes_on_to_the_same_weights(run, tmp_path, how):
    whole = run("whole", decode=decode)
    asked = []

    def tell(event):
        if event.stage == TRAINING and event.done == 2:
            if how == "raised":
                raise Stop
            asked.append(True)

    if how == "raised":
        with pytest.raises(Stop):
            run("parts", on_event=tell, decode=decode)
    else:
        stopped = run("parts", on_event=tell, decode=decode, stopping=lambda: bool(asked))
        assert not stopped.finished and stopped.step == 2
    assert stored(tmp_path / "parts")["step"] == 2
    parts = run("parts", decode=decode)
    assert parts.finished and same(state(tmp_path / "whole"), state(tmp_path / "parts"))
    assert len(parts.history.rows) == 4, "the figures are those of both starts"
    assert parts.pictures()[1].tobytes() == whole.pictures()[1].tobytes()


def test_a_stop_after_the_last_step_is_none(run):
    asked = []
    told = Events(lambda event: asked.append(event.done == 4 and event.stage == TRAINING))
    assert run(on_event=told, stopping=lambda: bool(asked) and asked[-1]).finished


def test_a_run_at_its_end_gives_its_pictures_again_and_may_be_made_longer(run, tmp_path):
    first, told = run(decode=decode), Events()
    again = run(on_event=told, decode=decode)
    assert again.finished and not told.of(TRAINING) and again.report() == first.report()
    assert again.pictures()[1].tobytes() == first.pictures()[1].tobytes()
    longer = run(options=replace(SHORT, steps=5), decode=decode)
    assert longer.step == 5 and stored(tmp_path / "mine")["step"] == 5


def test_what_is_trained_is_not_made_in_the_inference_mode_of_a_node(run, tmp_path):
    with torch.inference_mode():
        run("inside", decode=decode)
    run("outside", decode=decode)
    assert same(state(tmp_path / "inside"), state(tmp_path / "outside"))


def test_a_step_without_a_loss_does_not_end_the_run(run, tmp_path, monkeypatch):
    read = LatentClips.__getitem__
    monkeypatch.setattr(
        LatentClips,
        "__getitem__",
        lambda self, k: read(self, k)._replace(clean=read(self, k).clean * float("nan")) if k == 1 else read(self, k),
    )
    options = replace(SHORT, checkpoint_every=1)
    session = run(options=replace(options, steps=2), decode=decode)
    first = session.report().split("2 steps: loss ")[1].split(" ")[0]
    assert f"{first} at the first, {first} at the last" in session.report()
    longer = run(options=replace(options, steps=3), decode=decode)
    assert f"3 steps: loss {first}" in longer.report() and "nan" not in longer.report()
    rows = [json.loads(line) for line in (tmp_path / "mine" / "history.jsonl").read_text().splitlines()]
    assert [row["loss"] is None for row in rows] == [False, True, False] and longer.pictures()[0].getextrema()[0][1]


def test_a_run_without_any_loss_says_so(run):
    session = run(options=replace(SHORT, steps=1))
    session.history.rows[0]["loss"] = math.nan
    assert session.report().endswith("1 steps: the loss was no finite number at any of them")


# -- what is said before anything takes long ---------------------------------------------------------------------------


class Unread(MemoryClips):
    def read(self, wanted):
        pytest.fail("nothing is encoded")


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(options=replace(SHORT, targets=("gate",))), "ends in gate"),
        (dict(options=replace(SHORT, middle=40)), "block"),
        (dict(available=2**20), "needs about .* memory on cpu"),
    ],
)
def test_what_cannot_work_is_said_before_a_clip_is_read(run, changes, words):
    with pytest.raises(ClearError, match=words):
        run(clips=Unread(2), **changes)


def test_a_folder_with_another_run_or_in_use_is_refused_before_a_clip_is_read(run, base, tmp_path):
    run()
    latents = sorted((tmp_path / "mine" / "latents").iterdir())
    for changes, words in (
        (dict(options=replace(SHORT, rate=1.0)), "rate was 0.001 and is 1.0"),
        (dict(context=CONTEXT + 1e-3), "the prompt was another one"),
        (dict(weights={**base, "head.head.bias": base["head.head.bias"] + 1}), "the base model was another one"),
    ):
        with pytest.raises(ClearError, match=words):
            run(clips=Unread(3), **changes)
    with pytest.raises(ClearError, match="is at its end, after step 4, with other pairs.*Ask for more steps"):
        run(clips=Unread(3))
    with FileLock(tmp_path / "mine" / ".lock"), pytest.raises(ClearError, match="Another run is using"):
        run(clips=Unread(2))
    assert sorted((tmp_path / "mine" / "latents").iterdir()) == latents
    assert run(options=replace(SHORT, steps=5), clips=MemoryClips(3)).latents.changed.startswith("The clips are not")


def test_a_long_look_for_clips_comes_after_what_can_be_said_without_them_and_has_the_folder(run, tmp_path):
    run()
    with pytest.raises(ClearError, match="rate was"):
        run(options=replace(SHORT, rate=1.0), clips=lambda: pytest.fail("looked through"))

    def look():
        with pytest.raises(Timeout):
            FileLock(tmp_path / "mine" / ".lock", timeout=0).acquire()
        return MemoryClips(2)

    assert run(clips=look).finished


def test_memory_that_is_gone_once_the_clips_are_encoded_is_said(run, tmp_path):
    with pytest.raises(ClearError, match="needs about .* memory on cpu"):
        run(available=2**40, then=2**20, stopping=lambda: pytest.fail("no step begins"))
    assert not (tmp_path / "mine" / "training.pt").exists()


def test_of_several_processes_the_main_one_tells_and_keeps(base, tmp_path):
    header = BaseHeader({name: tuple(value.shape) for name, value in base.items()}, 4, 4, 1)
    for rank, count in ((1, 0), (0, 4)):
        told, folder = Events(), tmp_path / str(rank)
        session = LoraSession(SHORT, folder, header, Processes("cpu", alone=True), on_event=told)
        session.encode(MemoryClips(1), Encoders(CODEC, load_prior(), "test"), base, CONTEXT)
        session.processes = Two(rank)
        assert session.train(base, CONTEXT)
        assert len(told.of(TRAINING)) == count and (folder / "history.jsonl").exists() == bool(count)
        assert (folder / "curves.png").exists() == bool(count)


def test_examples_are_cut_as_the_options_say(run):
    options = replace(SHORT, steps=1, crop=(5, HEIGHT, 32), control="both")
    assert run(options=options).latents.sizes_in_words() == f"5 frames of 32x{HEIGHT} pixels"
