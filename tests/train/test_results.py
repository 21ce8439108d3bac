"""Where a run keeps its things, and that its name takes nothing from anybody."""

import json
import math

import pytest
import torch

from clear_runtime.checkpoint import read_metadata, read_tensors, write_tensors
from clear_runtime.errors import ClearError
from clear_runtime.train.history import History
from clear_runtime.train.lora.model import LORA, PUBLISHED
from clear_runtime.train.lora.train import TrainingStep
from clear_runtime.train.results import MARK, NamedRun


@pytest.fixture
def loras(tmp_path):
    (tmp_path / "loras").mkdir()
    return tmp_path / "loras"


def results(tmp_path, name="mine", *more):
    return NamedRun(tmp_path / "runs", [tmp_path / "loras", *more], name, PUBLISHED)


def trained(run, value=1.0):
    """What the trainer leaves in its folder."""
    write_tensors(
        run.folder / "lora.safetensors",
        {"diffusion_model.blocks.0.self_attn.q.lora_A.weight": torch.full((1, 2), value)},
        {"steps": "3"},
    )
    write_tensors(run.folder / "occlusion_head.safetensors", {"enter.weight": torch.full((1,), value)})


def progress(step, loss=0.5):
    return TrainingStep(step, 10, loss, {"gen": 0.1, "distill": 0.2, "sparse": 0.3}, 5.0, 1e-4, 0.25, 9.0, None, 0)


def test_a_finished_lora_lies_beside_its_head_and_says_where_it_came_from(tmp_path, loras):
    run = results(tmp_path)
    run.claim()
    trained(run)
    path = run.publish({"control": "as is"})[LORA]
    assert path == loras / "mine.safetensors" and sorted(p.name for p in loras.iterdir()) == [
        "mine.occlusion_head.safetensors",
        "mine.safetensors",
    ]
    assert read_metadata(path) == {
        "steps": "3",
        "control": "as is",
        MARK: json.loads((run.folder / "run.json").read_text())[MARK],
    }


def test_a_run_renews_its_own_result_and_nobody_else_s(tmp_path, loras):
    run = results(tmp_path)
    run.claim()
    trained(run)
    run.publish({})
    again = results(tmp_path)
    again.claim()
    trained(again, 2.0)
    path = again.publish({})[LORA]
    assert read_tensors(path)["diffusion_model.blocks.0.self_attn.q.lora_A.weight"].eq(2).all()
    elsewhere = NamedRun(tmp_path / "other_runs", [loras], "mine", PUBLISHED)
    with pytest.raises(ClearError, match=r"mine\.safetensors exists already.*choose another name, mine_2"):
        elsewhere.claim()
    assert not elsewhere.folder.exists()


@pytest.mark.parametrize("there", ["mine.safetensors", "mine.occlusion_head.safetensors"])
def test_a_file_that_is_there_is_never_overwritten(tmp_path, loras, there):
    second = tmp_path / "more"
    second.mkdir()
    (tmp_path / "runs" / "mine_2").mkdir(parents=True)
    for folder in (loras, second):
        (folder / there).write_bytes(b"somebody's")
        with pytest.raises(ClearError, match="choose another name, mine_3"):
            results(tmp_path, "mine", second).claim()
        assert (folder / there).read_bytes() == b"somebody's"
        (folder / there).unlink()


def test_a_file_that_came_while_the_run_was_training_stays(tmp_path, loras):
    run = results(tmp_path)
    run.claim()
    trained(run)
    (loras / "mine.safetensors").write_bytes(b"somebody's")
    with pytest.raises(ClearError, match="exists already"):
        run.publish({})
    assert (loras / "mine.safetensors").read_bytes() == b"somebody's"


@pytest.mark.parametrize("name", ["", "../x", ".x", "a/b", "a b", "x.", "con", "Nul.v2", "com1", "x" * 201])
def test_what_is_no_file_name_is_refused(tmp_path, name):
    with pytest.raises(ClearError, match="cannot be a file's name|has 201 letters"):
        results(tmp_path, name)


def test_a_figure_that_is_no_number_stays_a_gap(tmp_path):
    written = History(tmp_path)
    for step, loss in ((1, 0.5), (2, float("nan")), (3, float("inf"))):
        written.add(progress(step, loss=loss))

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    rows = [json.loads(line, parse_constant=refuse) for line in written.path.read_text().splitlines()]
    assert [row["loss"] for row in rows] == [0.5, None, None] and rows[1]["gen"] == 0.1
    assert [math.isnan(loss) for loss in History(tmp_path).columns()["total"]] == [False, True, True]


def test_history_outlives_a_start_and_a_torn_line(tmp_path):
    first = History(tmp_path)
    assert first.columns() == {}
    for step in (1, 2, 3):
        first.add(progress(step, loss=float(step)))
    with first.path.open("a") as file:
        file.write('{"step": 4, "lo')
    second = History(tmp_path)
    assert second.columns()["total"] == [1.0, 2.0, 3.0]
    second.add(progress(3, loss=30.0))  # the checkpoint was after step 2
    second.add(progress(4, loss=40.0))
    for history in (second, History(tmp_path)):
        assert history.columns()["total"] == [1.0, 2.0, 30.0, 40.0]
        assert set(history.columns()) == {"total", "gen", "distill", "sparse", "alpha", "rate", "seconds"}
