"""Train Prior inside ComfyUI's own process."""

import pytest
import torch
from previews import WIDGETS
from subtitled_frames import subtitled_frames
from tiny_pairs import write_pair


@pytest.fixture(scope="module")
def frames():
    return subtitled_frames()


@pytest.fixture
def output(tmp_path, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "get_output_directory", lambda: str(tmp_path / "output"))
    return tmp_path / "output"


@pytest.fixture
def pairs(tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for i in range(2):
        write_pair(folder, f"v{i}", frames=6, seed=i)
    return folder


def settings(folder, **changes):
    return (
        dict(
            pairs=str(folder),
            name="mine",
            model="light",
            start="bundled light prior",
            steps=2,
            batch=1,
            rate=0.0,
            seed=0,
        )
        | changes
    )


def after_step(count, folder):
    """Whether a run has so many steps behind it, for `cancelled`."""
    history = folder / "history.jsonl"
    return lambda: history.exists() and len(history.read_text().splitlines()) >= count


def test_a_prior_is_trained_and_used(run, models, output, pairs, frames):
    path, curves, example, report = run("CLEAR_TrainPrior", **settings(pairs))
    assert path == str(models / "clear" / "mine.safetensors")
    assert torch.load(output / "CLEAR" / "mine" / "training.pt", weights_only=True)["options"]["rate"] == 3e-4, (
        "rate 0 is the trainer's own for this start"
    )
    assert report.startswith("2 of 2 pairs can be used") and curves.shape[0] == example.shape[0] == 1
    soft, *_ = run("CLEAR_PriorMask", images=frames, prior="mine.safetensors", threshold=0.5, grow=0, temporal=True)
    assert soft.isfinite().all()


def test_two_videos_of_the_input_folder_are_a_pair(run, models, output, pairs, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "get_input_directory", lambda: str(pairs))
    *_, report = run("CLEAR_TrainPrior", **settings("v0_with_subtitle.mp4", clean="v0.mp4"))
    assert report.startswith("1 of 1 pairs can be used")


@pytest.mark.slow
def test_the_prior_that_train_prior_gives_goes_before_the_choice(run, models, output, pairs, frames, error):
    path, *_ = run("CLEAR_TrainPrior", **settings(pairs, start="from scratch"))
    few = frames[4:8]  # an untrained prior marks the whole picture, and all of it is filled
    options = dict(images=few, threshold=0.5, grow=0, temporal=False)
    chosen, bundled = (
        run("CLEAR_PriorMask", prior=prior, **options)[0] for prior in ("mine.safetensors", "bundled light prior")
    )
    for linked in (path, "mine.safetensors"):
        assert torch.equal(run("CLEAR_PriorMask", prior="bundled light prior", trained=linked, **options)[0], chosen)
    assert not torch.equal(chosen, bundled)
    preview = WIDGETS | dict(images=few)
    removed = [
        run("CLEAR_SubtitleRemove", **preview, **which)[1]
        for which in (dict(), dict(trained=path), dict(prior="mine.safetensors"))
    ]
    assert torch.equal(removed[1], removed[2]) and not torch.equal(removed[0], removed[1])
    with pytest.raises(error, match="no file gone.safetensors in"):
        run("CLEAR_PriorMask", prior="bundled light prior", trained=str(models / "gone.safetensors"), **options)


def test_a_cancelled_run_goes_on_to_the_same_weights(run, models, output, pairs, cancelled):
    from safetensors.torch import load_file

    curves = [run("CLEAR_TrainPrior", **settings(pairs, name="whole", steps=3))[1]]
    with cancelled(when=after_step(2, output / "CLEAR" / "parts")):
        run("CLEAR_TrainPrior", **settings(pairs, name="parts", steps=3))
    assert torch.load(output / "CLEAR" / "parts" / "training.pt", weights_only=True)["step"] == 2
    curves.append(run("CLEAR_TrainPrior", **settings(pairs, name="parts", steps=3))[1])
    assert torch.equal(*curves), "the curves go over both starts"
    whole, parts = (load_file(models / "clear" / f"{name}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


def test_cancel_stops_the_look_through_the_pairs_within_a_frame(run, models, output, pairs, cancelled):
    with cancelled(at=3) as looks:
        run("CLEAR_TrainPrior", **settings(pairs))
    assert len(looks) == 3 and not (output / "CLEAR" / "mine").exists()


def test_cancel_is_heard_within_a_frame_while_a_group_of_videos_is_read(
    run, models, output, pairs, cancelled, monkeypatch
):
    from importlib import import_module

    module, read = import_module("clear_pack.clear_runtime.data.frame_batches"), []
    reading = module.frame_pairs
    monkeypatch.setattr(module, "frame_pairs", lambda pair: (read.append(1) or both for both in reading(pair)))
    with cancelled(when=lambda: len(read) == 3):  # of twelve
        run("CLEAR_TrainPrior", **settings(pairs))


def test_a_finished_run_gives_its_results_again(run, models, output, pairs):
    first = run("CLEAR_TrainPrior", **settings(pairs))
    again = run("CLEAR_TrainPrior", **settings(f' "{pairs}" '))  # as Windows copies a path
    assert (
        first[0] == again[0] and first[3] == again[3] and all(torch.equal(a, b) for a, b in zip(first[1:3], again[1:3]))
    )


def test_cancel_at_the_last_step_loses_nothing(run, models, output, pairs, cancelled):
    curves = run("CLEAR_TrainPrior", **settings(pairs, name="whole"))[1]
    with cancelled(when=after_step(2, output / "CLEAR" / "mine")):
        run("CLEAR_TrainPrior", **settings(pairs))
    assert not (models / "clear" / "mine.safetensors").exists()
    for _ in range(2):
        path, again, example, _ = run("CLEAR_TrainPrior", **settings(pairs))
        assert path == str(models / "clear" / "mine.safetensors") and torch.equal(again, curves) and example.std() > 0.1


def test_a_run_that_a_terminal_trained_is_finished_by_the_node(run, models, output, pairs):
    run("CLEAR_TrainPrior", **settings(pairs))
    for name in ("curves.png", "example.png", "history.jsonl"):  # the terminal's trainer leaves none of them
        (output / "CLEAR" / "mine" / name).unlink()
    path, curves, example, _ = run("CLEAR_TrainPrior", **settings(pairs))
    assert (
        path == str(models / "clear" / "mine.safetensors") and curves.shape == (1, 280, 640, 3) and example.std() > 0.1
    )


def test_a_prior_that_was_taken_away_is_made_again(run, models, output, pairs, pack, cancelled):
    node, inputs = pack.listed["CLEAR_TrainPrior"], settings(pairs, steps=3)
    before = node.fingerprint_inputs(**inputs)
    with cancelled(when=after_step(2, output / "CLEAR" / "mine")):
        run("CLEAR_TrainPrior", **inputs)
    assert node.fingerprint_inputs(**inputs) == before, "a run that is under way has nothing to lose yet"
    path, *_ = run("CLEAR_TrainPrior", **inputs)
    assert node.fingerprint_inputs(**inputs) == before, "a finished one is not run again"
    (models / "clear" / "mine.safetensors").unlink()
    assert node.fingerprint_inputs(**inputs) != before
    assert run("CLEAR_TrainPrior", **inputs)[0] == path and (models / "clear" / "mine.safetensors").exists()
    assert node.fingerprint_inputs(**inputs) == before


def test_what_other_nodes_draw_is_not_seeded_by_a_run(run, models, output, pairs, cancelled):
    torch.manual_seed(11)
    expected = torch.rand(5)
    torch.manual_seed(11)
    run("CLEAR_TrainPrior", **settings(pairs))
    assert torch.equal(torch.rand(5), expected)
    torch.manual_seed(11)
    with cancelled(when=after_step(2, output / "CLEAR" / "stopped")):
        run("CLEAR_TrainPrior", **settings(pairs, name="stopped", steps=3))
    assert torch.equal(torch.rand(5), expected)
    torch.manual_seed(11)
    run("CLEAR_TrainPrior", **settings(pairs, name="stopped", steps=3))
    assert torch.equal(torch.rand(5), expected), "going on brings back the run's own generator, for the run alone"


def test_steps_cannot_be_changed_under_one_name_and_the_refusal_says_what_can(run, models, output, pairs, error):
    run("CLEAR_TrainPrior", **settings(pairs))
    with pytest.raises(error, match="steps was 2 and is 4.*choose its result as the start"):
        run("CLEAR_TrainPrior", **settings(pairs, steps=4))
    run("CLEAR_TrainPrior", **settings(pairs, name="mine_2", steps=4, start="mine.safetensors"))


def test_a_prior_from_elsewhere_is_never_overwritten(run, models, output, pairs, error):
    (models / "clear" / "mine.safetensors").write_bytes(b"another's")
    with pytest.raises(error, match="exists already.*choose another name"):
        run("CLEAR_TrainPrior", **settings(pairs))
    assert (models / "clear" / "mine.safetensors").read_bytes() == b"another's"


def test_a_prior_from_elsewhere_stays_where_a_run_of_its_name_is_kept(run, models, output, pairs, error):
    run("CLEAR_TrainPrior", **settings(pairs))
    (models / "clear" / "mine.safetensors").write_bytes(b"another's")
    with pytest.raises(error, match="exists already.*choose another name, mine_2"):
        run("CLEAR_TrainPrior", **settings(pairs))
    assert (models / "clear" / "mine.safetensors").read_bytes() == b"another's"


def test_a_published_prior_keeps_its_run_s_long_side_and_says_which_run_it_is_of(run, models, output, pairs):
    from clear_runtime.checkpoint import read_metadata
    from clear_runtime.find.priors.checkpoints import load_prior

    path, *_ = run("CLEAR_TrainPrior", **settings(pairs))
    kept, published = read_metadata(output / "CLEAR" / "mine" / "prior.safetensors"), read_metadata(path)
    assert kept == {"clear_prior": "light", "long_side": "640"} and published == {
        **kept,
        "clear_run": published["clear_run"],
    }
    assert load_prior(path).long_side == 640


def test_a_name_of_another_run_is_refused_with_the_word_for_it(run, models, output, pairs, error):
    run("CLEAR_TrainPrior", **settings(pairs))
    with pytest.raises(error, match="holds a run with other options.*in ComfyUI, another name"):
        run("CLEAR_TrainPrior", **settings(pairs, batch=2))
    kept = output / "CLEAR" / "of_a_lora"
    kept.mkdir()
    torch.save({"step": 3, "lora": {}}, kept / "training.pt")
    with pytest.raises(error, match="not a checkpoint of this trainer.*in ComfyUI, another name"):
        run("CLEAR_TrainPrior", **settings(pairs, name="of_a_lora"))


def test_the_node_runs_again_when_a_video_changed(pack, pairs):
    node, inputs = pack.listed["CLEAR_TrainPrior"], settings(pairs)
    before = node.fingerprint_inputs(**inputs)
    assert before == node.fingerprint_inputs(**inputs)
    write_pair(pairs, "v1", frames=7)
    assert before != node.fingerprint_inputs(**inputs)


@pytest.mark.parametrize(
    "changes,says",
    [
        (dict(pairs=""), "Name the folder"),
        (dict(name="../x"), "cannot be a file's name"),
        (dict(model="paper"), "not a prior of the kind paper"),
    ],
)
def test_bad_settings_are_refused_before_the_pairs_are_looked_through(
    run, models, output, pairs, error, changes, says, monkeypatch
):
    monkeypatch.setattr(
        "clear_pack.clear_runtime.data.pairs_on_disk.check_pairs", lambda *a: pytest.fail("looked through")
    )
    with pytest.raises(error, match=says):
        run("CLEAR_TrainPrior", **settings(pairs, **changes))
