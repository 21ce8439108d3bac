"""A Stage I session: a prior with its figures and pictures, told as it goes, stopped and gone on with."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny_frames import SHORT, Frames
from two_processes import Two

from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.prior.session import TRAINING, PriorSession
from clear_runtime.train.processes import Processes


class Stop(Exception):
    pass


def session(folder, options=SHORT, processes=None, on_event=lambda event: None):
    return PriorSession(options, folder, processes or Processes("cpu", alone=True), on_event)


def same_prior(one, other):
    a, b = (load_file(folder / "prior.safetensors") for folder in (one, other))
    return a and all(torch.equal(a[name], b[name]) for name in a)


def test_batches_become_a_prior_with_its_figures_and_pictures(tmp_path):
    told = []
    run = session(tmp_path, on_event=told.append)
    assert run.train(Frames()) and run.finished and run.step == 6
    assert load_prior(tmp_path / "prior.safetensors")
    assert [json.loads(line)["step"] for line in (tmp_path / "history.jsonl").read_text().splitlines()] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    shown = run.pictures(Frames())
    assert [picture.width for picture in shown] == [640, 640]
    for picture, name in zip(shown, ("curves.png", "example.png")):
        assert picture.tobytes() == Image.open(tmp_path / name).tobytes()
    assert [(e.stage, e.done, e.total, e.run_done, e.run_total) for e in told] == [
        (TRAINING, step, 6, step, 6) for step in (1, 2, 3, 4, 5, 6)
    ]
    assert all(e.left > 0 for e in told[:-1]) and told[-1].left == 0
    assert [e.done for e in told if e.draw] == [1, 3, 6] and told[0].picture.width == 640, "with each new example"


def test_between_two_examples_the_curves_are_shown_every_ten_steps(tmp_path):
    told = []
    session(tmp_path, replace(SHORT, steps=21, example_every=100), on_event=told.append).train(Frames())
    assert [e.done for e in told if e.draw] == [1, 10, 20, 21]


@pytest.mark.parametrize("how", ["raised", "asked"])
def test_who_stops_goes_on_to_the_same_prior(tmp_path, how):
    session(tmp_path / "whole").train(Frames())
    asked = []

    def tell(event):
        if event.done == 3:
            if how == "raised":
                raise Stop
            asked.append(True)

    run = session(tmp_path / "parts", on_event=tell)
    if how == "raised":
        with pytest.raises(Stop):
            run.train(Frames())
    else:
        assert not run.train(Frames(), lambda: bool(asked)) and run.step == 3
    assert not run.finished and not (tmp_path / "parts" / "curves.png").exists()
    assert torch.load(tmp_path / "parts" / "training.pt", weights_only=True)["step"] == 3
    again = session(tmp_path / "parts")
    assert again.train(Frames()) and same_prior(tmp_path / "whole", tmp_path / "parts")
    assert [row["step"] for row in again.history.rows] == [1, 2, 3, 4, 5, 6], "the figures of both starts"


def test_a_run_at_its_end_gives_its_pictures_again(tmp_path):
    first = session(tmp_path)
    first.train(Frames())
    again = session(tmp_path)
    assert again.train(Frames())
    for picture, before in zip(again.pictures(None), first.pictures(None)):
        assert picture.tobytes() == before.tobytes()


def test_a_run_that_left_no_pictures_draws_them_of_its_last_frames(tmp_path):
    def tell(event):
        if event.done == event.total:
            raise Stop

    with pytest.raises(Stop):
        session(tmp_path, on_event=tell).train(Frames())
    loaded, run = [], session(tmp_path)
    assert run.train(Frames()) and not (tmp_path / "curves.png").exists()
    curves, example = run.pictures(Frames(), lambda file: (loaded.append(file), load_prior(file))[1])
    assert loaded == [tmp_path / "prior.safetensors"]
    assert example.getextrema()[0][0] < example.getextrema()[0][1] and (tmp_path / "curves.png").exists()
    assert curves.tobytes() == Image.open(tmp_path / "curves.png").tobytes()


def test_another_run_s_folder_is_refused_before_there_are_batches(tmp_path):
    session(tmp_path).train(Frames())
    with pytest.raises(ClearError, match="seed was 3 and is 4"):
        session(tmp_path, replace(SHORT, seed=4))


def test_nobody_else_s_random_numbers_are_disturbed_and_inference_mode_is_left(tmp_path):
    torch.manual_seed(11)
    expected = torch.rand(5)
    torch.manual_seed(11)
    with torch.inference_mode():
        session(tmp_path / "inside").train(Frames())
    assert torch.equal(torch.rand(5), expected)
    session(tmp_path / "outside").train(Frames())
    assert same_prior(tmp_path / "inside", tmp_path / "outside")


def test_only_the_main_process_tells_and_keeps(tmp_path):
    told = []
    assert session(tmp_path, processes=Two(1), on_event=told.append).train(Frames())
    assert not told and not list(tmp_path.iterdir())
