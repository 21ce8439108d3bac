"""Prior Mask and Train Prior inside ComfyUI's own process."""

import pytest
import torch
from tiny_pairs import clip, write_pair

from clear_runtime.data.synthetic.burn import Style
from clear_runtime.find.marks import marks_of
from clear_runtime.find.priors.checkpoints import load_prior


@pytest.fixture(scope="module")
def frames():
    """[14, 352, 640, 3]: a line stands in frames 3 to 10."""
    return (
        torch.from_numpy(
            clip(
                frames=14,
                text="Nobody saw it coming.",
                height=352,
                width=640,
                spans=[(3, 11)],
                style=Style(size=24),
                at=0.86,
            )[1]
        ).float()
        / 255
    )


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


def test_masks_overlay_and_plot(run, frames):
    soft, binary, overlay, plot, report = run(
        "CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=True
    )
    assert report == "nano_prior.safetensors: a light prior. Keys of the checkpoint: every key matches."
    assert (
        soft.shape == binary.shape == (14, 352, 640)
        and overlay.shape == frames.shape
        and plot.shape == (1, 240, 960, 3)
    )
    counted = marks_of(frames, load_prior())[1]
    assert counted.any() and torch.equal(binary, counted.float()), "what Remove Subtitles takes, not widened"
    assert not binary[soft <= 0.5].any()
    assert (binary.flatten(1).mean(1) > 0.005).tolist() == [3 <= t < 11 for t in range(14)]
    assert (overlay - frames).abs().amax(-1)[soft > 0.9].min() > 0 and torch.allclose(
        overlay[soft < 1e-4], frames[soft < 1e-4], atol=1e-3
    )


def test_growth_threshold_and_single_frames(run, frames):
    options = dict(prior="bundled light prior", temporal=False)
    _, narrow, *_ = run("CLEAR_PriorMask", images=frames[4:5], threshold=0.5, grow=0, **options)
    _, wide, *_ = run("CLEAR_PriorMask", images=frames[4:5].half(), threshold=0.5, grow=3, **options)
    assert wide.sum() > 1.3 * narrow.sum() and (wide >= narrow).all()
    _, sure, *_ = run("CLEAR_PriorMask", images=frames[4:5], threshold=0.99, grow=0, **options)
    assert sure.sum() < narrow.sum()


def test_neighbouring_frames_count_only_where_they_are_asked_for(run, frames):
    flash = torch.cat([frames[:2], frames[4:5], frames[8:], frames[:2]])  # the line stands in frame 2 alone
    areas = [
        run("CLEAR_PriorMask", images=flash, prior="bundled light prior", threshold=0.5, grow=0, temporal=temporal)[1]
        .flatten(1)
        .sum(1)
        for temporal in (False, True)
    ]
    assert areas[0][2] > 1000 and areas[1][2] == 0


def test_the_plot_is_of_the_binary_mask(run, frames):
    from clear_runtime.media.pictures import share_plot, to_frames

    soft, binary, _, plot, _ = run(
        "CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=6, temporal=False
    )
    assert torch.equal(plot, to_frames(share_plot([mask.mean().item() for mask in binary])))
    assert not torch.equal(plot, to_frames(share_plot([mask.mean().item() for mask in soft])))


def test_the_bar_moves_with_every_frame_and_cancel_is_looked_at_before_each(run, frames, cancelled, monkeypatch):
    import comfy.utils

    options, moved = dict(images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=False), []

    class Bar:
        def __init__(self, total, *more, **options):
            self.total = total

        def update_absolute(self, value, total=None, preview=None):
            moved.append((value, self.total if total is None else total))

    monkeypatch.setattr(comfy.utils, "ProgressBar", Bar)
    run("CLEAR_PriorMask", **options)
    assert moved == [(n, 14) for n in range(1, 15)]
    moved.clear()
    with cancelled(when=lambda: len(moved) == 3):
        run("CLEAR_PriorMask", **options)
    assert len(moved) == 3


def test_cancel_is_looked_at_before_the_prior_is(run, frames, pack, cancelled):
    import sys

    prior = sys.modules["clear_pack.nodes.prior"].chosen_prior("bundled light prior")
    prior.model.register_forward_pre_hook(lambda *_: pytest.fail("the prior ran"))
    with cancelled(at=1):
        sys.modules["clear_pack.nodes.comfy.managed"].ComfyPrior(prior)(frames)


def test_prior_mask_runs_again_when_the_prior_s_file_changed(pack, models):
    node, inputs = pack.listed["CLEAR_PriorMask"], dict(prior="mine.safetensors", threshold=0.5, grow=0, temporal=True)
    (models / "clear" / "mine.safetensors").write_bytes(b"one")
    before = node.fingerprint_inputs(**inputs)
    assert before == node.fingerprint_inputs(**inputs) != node.fingerprint_inputs(**inputs | {"grow": 1})
    (models / "clear" / "mine.safetensors").write_bytes(b"other")
    assert before != node.fingerprint_inputs(**inputs)


def test_the_prior_looks_at_as_many_frames_as_there_is_room_for(run, frames, pack, monkeypatch):
    import sys

    import comfy.model_management as management

    checkpoints = sys.modules["clear_pack.clear_runtime.find.priors.checkpoints"]
    prior, seen, asked = checkpoints.load_prior(), [], []
    hook = prior.model.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    monkeypatch.setattr(checkpoints, "load_prior", lambda: prior)
    loading = management.load_models_gpu
    monkeypatch.setattr(
        management,
        "load_models_gpu",
        lambda *a, memory_required=0, **k: (
            asked.append(memory_required),
            loading(*a, memory_required=memory_required, **k),
        ),
    )
    each = prior.memory(352, 640)
    for free, batches in ((100 * each, [8, 6]), (3.5 * each, [3, 3, 2, 3, 3]), (0, [1] * 14)):
        monkeypatch.setattr(management, "get_free_memory", lambda *a, free=free, **k: free)
        seen.clear()
        run("CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=False)
        assert seen == batches and max(asked) == 8 * each
    hook.remove()
    assert prior.memory(1080, 1920) == prior.memory(2160, 3840) == each * 360 / 352, (
        "large frames are looked at smaller"
    )
    large = checkpoints.Prior(prior.model, long_side=1280)
    assert large.memory(720, 1280) == 4 * prior.memory(720, 1280) and 8 * large.memory(720, 1280) > 2**30
    monkeypatch.setattr(checkpoints, "load_prior", lambda: large)
    monkeypatch.setattr(management, "get_free_memory", lambda *a, **k: 2**40)
    hook, _ = large.model.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0]))), seen.clear()
    run(
        "CLEAR_PriorMask",
        images=torch.rand(8, 720, 1280, 3),
        prior="bundled light prior",
        threshold=0.5,
        grow=0,
        temporal=False,
    )
    hook.remove()
    assert seen == [6, 2], "no more than a gibibyte at a time"


class Elsewhere(torch.Tensor):
    """Stands for a tensor on a GPU, where ComfyUI keeps images with --gpu-only: nothing can be computed with it and a
    tensor on the CPU."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        parts = [part for arg in args for part in (arg if isinstance(arg, (list, tuple)) else [arg])]
        assert not any(type(part) is torch.Tensor and part.ndim for part in parts), (
            f"{function.__name__} of tensors on two devices"
        )
        out = super().__torch_function__(function, types, args, kwargs)
        return out.as_subclass(torch.Tensor) if function in (torch.Tensor.cpu, torch.Tensor.to) else out


def test_frames_on_the_gpu_give_what_frames_on_the_cpu_give(run, frames):
    options = dict(prior="bundled light prior", threshold=0.5, grow=1, temporal=True)
    for ours, theirs in list(
        zip(
            run("CLEAR_PriorMask", images=frames, **options),
            run("CLEAR_PriorMask", images=frames.as_subclass(Elsewhere), **options),
        )
    )[:4]:
        assert type(theirs) is torch.Tensor and torch.equal(ours, theirs)


def test_subtitles_are_removed_from_frames_on_the_gpu_within_masks_on_the_gpu(run, frames):
    preview = dict(
        steps=1,
        cfg=1.0,
        seed=0,
        window=9,
        overlap=4,
        output="preview",
        control="auto",
        region="auto",
        mask_from="prior",
        grow=2,
        feather=2,
        subtitles_only=False,
    )
    limit, protect = torch.zeros(1, 352, 640), torch.zeros(14, 352, 640)
    limit[:, 200:], protect[..., 330:] = 1, 1
    ours = run("CLEAR_SubtitleRemove", images=frames, limit=limit, protect=protect, **preview)
    theirs = run(
        "CLEAR_SubtitleRemove",
        images=frames.as_subclass(Elsewhere),
        limit=limit.as_subclass(Elsewhere),
        protect=protect.as_subclass(Elsewhere),
        **preview,
    )
    assert ours[1].any() and all(type(b) is torch.Tensor and torch.equal(a, b) for a, b in zip(ours, theirs))


def test_what_comes_out_lies_where_comfyui_keeps_images(run, frames, monkeypatch):
    import comfy.model_management as management

    monkeypatch.setattr(management, "intermediate_device", lambda: torch.device("meta"))
    preview = dict(
        steps=1,
        cfg=1.0,
        seed=0,
        window=9,
        overlap=4,
        output="preview",
        control="auto",
        region="auto",
        mask_from="prior",
        grow=2,
        feather=2,
    )
    results = [
        *run("CLEAR_SubtitleRemove", images=frames, **preview),
        *run("CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=True)[:3],
    ]
    assert [result.device.type for result in results] == ["meta"] * 5


def test_frames_with_values_that_are_no_numbers_are_refused(run, frames, error):
    broken = frames.clone()
    broken[6, 5, 5] = float("nan")
    with pytest.raises(error, match="Frame 6 has values that are not numbers"):
        run("CLEAR_PriorMask", images=broken, prior="bundled light prior", threshold=0.5, grow=0, temporal=True)


def test_what_is_no_video_and_no_file_is_refused(run, models, error):
    with pytest.raises(error, match="colour frames"):
        run(
            "CLEAR_PriorMask",
            images=torch.rand(2, 8, 8, 1),
            prior="bundled light prior",
            threshold=0.5,
            grow=0,
            temporal=True,
        )
    with pytest.raises(error, match="no file gone.safetensors in models/clear"):
        run(
            "CLEAR_PriorMask",
            images=torch.rand(2, 8, 8, 3),
            prior="gone.safetensors",
            threshold=0.5,
            grow=0,
            temporal=True,
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


def test_the_prior_that_train_prior_gives_goes_before_the_choice(run, models, output, pairs, frames, error):
    path, *_ = run("CLEAR_TrainPrior", **settings(pairs, start="from scratch"))
    options = dict(images=frames, threshold=0.5, grow=0, temporal=False)
    chosen, bundled = (
        run("CLEAR_PriorMask", prior=prior, **options)[0] for prior in ("mine.safetensors", "bundled light prior")
    )
    for linked in (path, "mine.safetensors"):
        assert torch.equal(run("CLEAR_PriorMask", prior="bundled light prior", trained=linked, **options)[0], chosen)
    assert not torch.equal(chosen, bundled)
    preview = dict(
        images=frames,
        steps=1,
        cfg=1.0,
        seed=0,
        window=81,
        overlap=16,
        output="preview",
        control="auto",
        region="auto",
        mask_from="prior",
        grow=2,
        feather=2,
    )
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
