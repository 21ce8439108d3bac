"""A stop in the middle of a Stage II step, and the folder that one run has for itself."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
import tiny_wan
import torch
from filelock import FileLock, Timeout
from paths import ROOT
from safetensors.torch import load_file
from tiny_clips import CONTEXT, HEIGHT, STYLE, WIDTH, latent_clips
from tiny_pairs import write_pair
from tiny_run import SHORT, run, same, state, stored
from two_processes import Two

from clear_runtime.engines.lora import read_lora, write_lora
from clear_runtime.errors import ClearError
from clear_runtime.train.lora import run as runs
from clear_runtime.train.lora import train as trainer
from clear_runtime.train.lora.cache import LatentClips
from clear_runtime.train.lora.train import train


class After:
    """A stop that is asked for at the given look. looks: how often somebody looked."""

    def __init__(self, at):
        self.at, self.looks = at, 0

    def __call__(self):
        self.looks += 1
        return self.looks >= self.at


PARTS = replace(SHORT, accumulate=2, checkpointing=True, checkpoint_every=100, steps=3, example_every=100)
"""Three steps of two parts each."""


@pytest.fixture(scope="module")
def never_stopped(base, clips, tmp_path_factory):
    """The folder of a run to its end, and how often it looked whether it shall stop."""
    folder, stop = tmp_path_factory.mktemp("never_stopped"), After(10**9)
    assert len(run(base, clips, folder, PARTS, stopping=stop)) == 3
    return folder, stop.looks


# a step without examples looks once before each of its two parts, at two blocks of each forward, and at them again for
# their gradients
@pytest.mark.parametrize(
    "place, offset",
    [
        ("before the first part", 1),
        ("in a forward", 3),
        ("in a backward", 5),
        ("before the second part", 6),
        ("in its backward", 10),
    ],
)
def test_a_step_that_is_stopped_is_dropped_and_done_again(base, clips, never_stopped, tmp_path, place, offset):
    whole, looks = never_stopped
    shown = looks - 3 * 10  # two examples, after the first step and the last
    assert shown > 0 and shown % 2 == 0
    asked = After(10 + shown // 2 + offset)
    assert [p.step for p in run(base, clips, tmp_path, PARTS, stopping=asked)] == [1]
    assert asked.looks == asked.at, "nothing is computed any more"
    assert stored(tmp_path)["step"] == 1 and (tmp_path / "lora.safetensors").exists()
    assert [p.step for p in run(base, clips, tmp_path, PARTS)] == [2, 3]
    assert same(state(whole), state(tmp_path))
    assert same(*(load_file(folder / "lora.safetensors") for folder in (whole, tmp_path)))


def test_a_stop_in_the_first_step_leaves_nothing_and_lets_the_folder_go(base, clips, tmp_path):
    assert not run(base, clips, tmp_path, stopping=After(2))
    assert not (tmp_path / "training.pt").exists() and not (tmp_path / "lora.safetensors").exists()
    assert len(run(base, clips, tmp_path)) == 4


def test_a_stop_while_an_example_is_painted_keeps_the_step(base, clips, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(trainer, "sampled_example", lambda model, *_: asked.append(True) or model.wan.blocks[0](None))
    (first,) = run(base, clips, tmp_path, stopping=lambda: bool(asked))
    assert first.step == 1 and first.example is None and stored(tmp_path)["step"] == 1


def test_the_main_one_of_several_keeps_the_last_step_at_once_and_goes_on(base, clips, tmp_path, monkeypatch):
    kept, save = [], runs.LoraRun.save
    monkeypatch.setattr(runs.LoraRun, "save", lambda self, step: (kept.append(step), save(self, step)))
    asked = []
    with closing(
        train(replace(SHORT, checkpoint_every=100), base, clips, CONTEXT, tmp_path, Two(), stopping=lambda: bool(asked))
    ) as steps:
        assert next(steps).step == 1 and not kept
        asked.append(True)
        assert next(steps).step == 2 and kept == [1], "once, and the step is finished"
    assert kept == [1, 2] and stored(tmp_path)["step"] == 2


def test_only_the_main_process_writes(base, clips, tmp_path):
    assert len(run(base, clips, tmp_path, processes=Two(1))) == 4
    with closing(train(SHORT, base, clips, CONTEXT, tmp_path, Two(1))) as steps:
        next(steps)
    assert not list(tmp_path.iterdir())


def test_the_command_stops_within_a_step_and_goes_on(tmp_path, monkeypatch, caplog):
    from clear_runtime.cli import train_lora as command

    write_pair(tmp_path, "rain", text="Rain falls here", frames=5, height=HEIGHT, width=WIDTH, style=STYLE)
    arguments = [
        "--nano",
        "--pairs",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
        "--crop",
        "5",
        "32",
        "64",
        "--rank",
        "4",
        "--precision",
        "float32",
        "--accumulate",
        "3",
        "--steps",
        "2",
        "--device",
        "cpu",
    ]
    read, seen = LatentClips.__getitem__, []
    monkeypatch.setattr(LatentClips, "__getitem__", lambda self, k: (seen.append(k), read(self, k))[1])

    class Asked:
        def __bool__(self):
            return 4 in seen

    with caplog.at_level("INFO"):
        monkeypatch.setattr(command, "stopping", lambda again: Asked())
        command.main(arguments)
        assert (
            max(seen) == 4
            and "stopped after step 1; the same command continues" in caplog.text
            and "the LoRA is" not in caplog.text
        )
        monkeypatch.setattr(command, "stopping", lambda again: [])
        command.main(arguments)
    assert "continues after step 1" in caplog.text and "the LoRA is" in caplog.text


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------

ASKED = """
import sys, time
sys.path.insert(0, {root!r})
from clear_runtime.cli.stop import stopping
from clear_runtime.errors import ending_in_words
with ending_in_words("at once"):
    stop = stopping(again={again})
    print("ready", flush=True)
    while not stop:
        time.sleep(0.02)
    print("heard", flush=True)
    sys.stdin.readline()
    print("end", flush=True)
"""


@pytest.mark.parametrize("again", [True, False])
def test_ctrl_c_asks_and_a_second_one_ends_where_no_launcher_repeats_the_first(tmp_path, again):
    command = subprocess.Popen(
        [sys.executable, "-c", ASKED.format(root=str(ROOT), again=again)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout.readline() == "ready\n"
    command.send_signal(signal.SIGINT)
    assert command.stdout.readline() == "heard\n"
    command.send_signal(signal.SIGINT)
    out, words = command.communicate(None if again else "go on\n", timeout=120)
    assert (out, words.strip(), command.returncode) == (("", "at once", 1) if again else ("end\n", "", 0))


def test_a_stop_is_heard_before_python_calls_the_handler():
    from clear_runtime.cli.stop import stopping

    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        stop = stopping()
        signal.signal(signal.SIGTERM, lambda *_: None)  # as if the main thread were deep in a backward pass
        assert not stop
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop and stop
    finally:
        signal.set_wakeup_fd(-1)
        for kind, handler in before.items():
            signal.signal(kind, handler)


# -- one run at a time -------------------------------------------------------------------------------------------------


def test_two_runs_do_not_share_a_folder(base, clips, tmp_path):
    lock = FileLock(tmp_path / ".lock", timeout=0)
    with lock, pytest.raises(ClearError, match="Another run is using .*another name"):
        run(base, clips, tmp_path)
    assert not (tmp_path / "training.pt").exists()
    with closing(train(SHORT, base, clips, CONTEXT, tmp_path)) as steps:
        next(steps)
        with pytest.raises(Timeout):
            lock.acquire()
        with pytest.raises(ClearError, match="Another run is using"):
            run(base, clips, tmp_path)
    with lock:
        pass  # the closed one let go
    with pytest.raises(ClearError, match="rate was"):
        run(base, clips, tmp_path, replace(SHORT, rate=1.0))
    with lock:
        pass  # and so did the one that failed
    run(base, clips, tmp_path)
    with lock:
        pass


def test_a_process_that_dies_lets_the_folder_go(tmp_path):
    from clear_runtime.folder_lock import locked_folder

    code = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\nfrom clear_runtime.folder_lock import "
        f"locked_folder\nwith locked_folder({str(tmp_path)!r}):\n    print('has it', flush=True)\n    "
        f"time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "has it\n"
    with pytest.raises(ClearError, match="Another run is using"), locked_folder(tmp_path):
        pass
    other.kill()
    other.communicate()
    with locked_folder(tmp_path):
        pass


# -- what a run goes on with -------------------------------------------------------------------------------------------


def test_a_finished_run_with_other_clips_says_that_nothing_would_train(base, clips, tmp_path):
    run(base, clips, tmp_path / "mine")
    kept = (tmp_path / "mine" / "lora.safetensors").read_bytes()
    others = latent_clips(tmp_path / "latents", 2, crop=SHORT.crop, seed=SHORT.seed)
    words = (
        "run mine is at its end, after step 4, with other pairs.*Ask for more steps to go on with these, or "
        "choose "
        "another name"
    )
    with pytest.raises(ClearError, match=words):
        run(base, others, tmp_path / "mine")
    with pytest.raises(ClearError, match=words):
        runs.require_same_run(SHORT, base, CONTEXT, tmp_path / "mine", others.paths)
    runs.require_same_run(SHORT, base, CONTEXT, tmp_path / "mine", clips.paths)
    runs.require_same_run(replace(SHORT, steps=5), base, CONTEXT, tmp_path / "mine", others.paths)
    assert (tmp_path / "mine" / "lora.safetensors").read_bytes() == kept
    falling = replace(SHORT, schedule="cosine", steps=1)
    run(base, clips, tmp_path / "falling", falling)
    with pytest.raises(ClearError, match="other VAE. Choose another name"):
        run(base, others, tmp_path / "falling", falling)


def test_another_prompt_or_base_is_said_in_words(base, clips, tmp_path):
    run(base, clips, tmp_path)
    with pytest.raises(ClearError, match=r"other options: the prompt was another one\."):
        list(train(SHORT, base, clips, CONTEXT + 1e-3, tmp_path))
    with pytest.raises(ClearError, match="the base model was another one"):
        run({**base, "head.head.bias": base["head.head.bias"] + 1}, clips, tmp_path)


def test_a_run_that_has_a_checkpoint_needs_its_start_no_more(base, clips, tmp_path):
    start = tmp_path / "start.safetensors"
    write_lora(start, tiny_wan.lora_state(base, rank=3))
    options = replace(SHORT, start=str(start), steps=3, targets=("q",))
    assert runs.as_begun(options, tmp_path / "parts") == options
    run(base, clips, tmp_path / "whole", options)
    run(base, clips, tmp_path / "parts", replace(options, steps=2))
    start.unlink()
    size = runs.as_begun(options, tmp_path / "parts")
    assert size.start is None and size.rank == 3 and set(size.targets) == set(tiny_wan.TARGETS)
    assert [p.step for p in run(base, clips, tmp_path / "parts", options, available=2**40)] == [3]
    assert same(state(tmp_path / "whole"), state(tmp_path / "parts"))
    with pytest.raises(ClearError, match="no file start.safetensors"):
        run(base, clips, tmp_path / "new", options)
    assert read_lora(tmp_path / "parts" / "lora.safetensors")


def test_going_on_leaves_the_process_its_random_numbers(base, clips, tmp_path):
    run(base, clips, tmp_path, replace(SHORT, steps=1))
    torch.manual_seed(11)
    wanted = torch.rand(3)
    torch.manual_seed(11)
    run(base, clips, tmp_path, replace(SHORT, steps=2))
    assert torch.equal(torch.rand(3), wanted)
