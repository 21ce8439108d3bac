"""The Stage I trainer: it learns, stops, continues to the same weights, and says what is wrong."""

import json
import math
from contextlib import closing
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tiny_frames import SHORT, Frames
from tiny_pairs import clip, write_pair

from clear_runtime.cli.train_prior import main
from clear_runtime.data import pseudo_labels
from clear_runtime.data.frame_batches import DiskFrames
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.prior import losses
from clear_runtime.train.prior.losses import Weights
from clear_runtime.train.prior.run import check
from clear_runtime.train.prior.stage_one import light_stage_one
from clear_runtime.train.prior.train import train


def weights(folder):
    stored = torch.load(folder / "training.pt", weights_only=True)
    return {
        **{f"model.{k}": v for k, v in stored["model"].items()},
        **{f"average.{k}": v for k, v in stored["average"]["values"].items()},
        **{f"moment.{k}": v["exp_avg"] for k, v in stored["optimiser"]["state"].items()},
    }


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_every_step_reports_its_terms_and_some_an_example(tmp_path):
    seen = list(train(SHORT, Frames(), tmp_path))
    assert [p.step for p in seen] == [1, 2, 3, 4, 5, 6] and all(p.steps == 6 for p in seen)
    for p in seen:
        assert set(p.terms) == {"ortho", "adv", "region", "recon"}
        assert p.loss == pytest.approx(
            p.terms["ortho"] + 0.5 * p.terms["adv"] + p.terms["region"] + 0.1 * p.terms["recon"], rel=1e-4
        )
    assert [p.step for p in seen if p.example] == [1, 3, 6]
    example = seen[-1].example
    assert (
        example.frame.shape == (64, 96, 3)
        and example.mask.shape == example.label.shape == (64, 96)
        and 0 <= example.mask.min() <= example.mask.max() <= 1
    )


def test_the_first_step_is_the_method_s(tmp_path):
    """The encoders see the subtitled frame, and the reconstruction is compared with the clean one."""
    batch = Frames()[0]
    torch.manual_seed(SHORT.seed)
    out = light_stage_one().train()(batch.subtitled)
    first = next(train(SHORT, Frames(), tmp_path))
    expected = {
        "recon": (out.reconstruction - batch.clean).abs().mean(),
        "region": losses.region(out.logits, batch.labels),
        "ortho": losses.ortho(out.f_sub, out.f_content),
        "adv": losses.adv(out.leak, out.confusion, batch.labels),
    }
    assert first.terms == pytest.approx({name: value.item() for name, value in expected.items()}, rel=1e-4)
    assert abs((out.reconstruction - batch.subtitled).abs().mean().item() - first.terms["recon"]) > 1e-3, (
        "the two can be told apart"
    )


@pytest.fixture
def stepped(monkeypatch):
    """For every step of an optimiser, as it comes to it: (its learning rate, the length of the whole gradient)."""
    seen, step = [], torch.optim.AdamW.step

    def looked(self, *a, **k):
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        seen.append((self.param_groups[0]["lr"], torch.stack([g.norm() for g in gradients]).norm().item()))
        return step(self, *a, **k)

    monkeypatch.setattr(torch.optim.AdamW, "step", looked)
    return seen


def test_the_rate_rises_and_falls_as_it_is_asked_to(tmp_path, stepped):
    with closing(train(replace(SHORT, steps=40, rate=1e-3), Frames(), tmp_path / "light")) as steps:
        for p in steps:
            if p.step == 4:
                break
    falling = [0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * n / 40)) for n in range(4)]
    assert [rate for rate, _ in stepped] == pytest.approx(
        [1e-3 * share * f for share, f in zip((0.5, 1, 1, 1), falling)]
    )
    stepped.clear()
    list(train(replace(SHORT, steps=3, rate=1e-3, schedule="constant"), Frames(), tmp_path / "constant"))
    assert [rate for rate, _ in stepped] == [1e-3] * 3


def test_long_gradients_are_cut_to_one(tmp_path, stepped):
    list(train(replace(SHORT, steps=2, weights=Weights(region=1000.0)), Frames(), tmp_path))
    assert [length for _, length in stepped] == pytest.approx([1.0, 1.0], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["light", "paper"])
def test_stopped_and_continued_is_the_same_as_never_stopped(tmp_path, kind, monkeypatch):
    if (
        kind == "paper"
    ):  # with one block where ResNet-50 has three to six: the same names and parts in an eighth of the file
        resnet = pytest.importorskip("torchvision.models.resnet")
        monkeypatch.setattr(
            "clear_runtime.find.priors.paper.resnet50", lambda: resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1])
        )
    options = (
        replace(SHORT, model=kind, steps=2, crop=(32, 32), average=0.9, checkpoint_every=10)
        if kind == "paper"
        else SHORT
    )
    frames = Frames()
    if kind == "paper":
        frames.parts = [part[..., 32:64, 32:64] for part in frames.parts]
    list(train(options, frames, tmp_path / "whole"))
    half = options.steps // 2
    with closing(train(options, frames, tmp_path / "parts")) as steps:
        for p in steps:
            if p.step == half:
                break
    torch.rand(7)  # something else draws from torch's generator in between
    assert [p.step for p in train(options, frames, tmp_path / "parts")] == list(range(half + 1, options.steps + 1))
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    assert same(load_file(tmp_path / "whole/prior.safetensors"), load_file(tmp_path / "parts/prior.safetensors"))


def test_a_killed_run_continues_from_its_last_checkpoint_to_the_same_weights(tmp_path):
    list(train(SHORT, Frames(), tmp_path / "whole"))
    steps = train(SHORT, Frames(), tmp_path / "killed")
    for _ in range(5):
        next(steps)
    kept = (tmp_path / "killed/training.pt").read_bytes()  # as a kill after step 5 leaves it: saved after step 4
    steps.close()
    (tmp_path / "killed/training.pt").write_bytes(kept)
    assert [p.step for p in train(SHORT, Frames(), tmp_path / "killed")] == [5, 6]
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_the_seed_decides(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        list(train(replace(SHORT, steps=1, seed=seed), Frames(), tmp_path / name))
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b")) and not same(
        weights(tmp_path / "a"), weights(tmp_path / "c")
    )


def test_other_options_do_not_continue_a_run(tmp_path):
    list(train(replace(SHORT, steps=1), Frames(), tmp_path))
    with pytest.raises(ClearError, match="other options: .*rate was 0.003 and is 0.001.*ortho"):
        next(train(replace(SHORT, steps=1, rate=1e-3, weights=Weights(ortho=0)), Frames(), tmp_path))
    (tmp_path / "x").mkdir()
    torch.save({"model": {}}, tmp_path / "x/training.pt")
    with pytest.raises(ClearError, match="not a checkpoint of this trainer"):
        next(train(SHORT, Frames(), tmp_path / "x"))


def test_no_number_stops_with_the_last_good_checkpoint(tmp_path):
    steps = train(SHORT, Frames(broken=3), tmp_path)
    assert [next(steps).step for _ in range(3)] == [1, 2, 3]
    with pytest.raises(
        ClearError,
        match=r"loss \(ortho, adv, region, recon\) was not a finite number at step 4.*after step 2: "
        r".*training.pt.*lower learning rate",
    ):
        next(steps)
    assert all(torch.isfinite(v).all() for v in weights(tmp_path).values())
    list(train(replace(SHORT, steps=2), Frames(), tmp_path / "two"))
    stored = torch.load(tmp_path / "training.pt", weights_only=True)
    assert stored["step"] == 2 and load_prior(tmp_path / "prior.safetensors")(torch.rand(1, 64, 96, 3)).isfinite().all()


def test_it_learns_and_its_prior_loads(tmp_path):
    options = replace(SHORT, steps=60, average=0.9, checkpoint_every=100, long_side=320)
    seen = list(train(options, Frames(), tmp_path))
    assert seen[-1].terms["region"] < 0.3 * seen[0].terms["region"]
    prior = load_prior(tmp_path / "prior.safetensors")
    assert prior.long_side == 320
    clean, subtitled = (torch.from_numpy(a).float() / 255 for a in clip(frames=2))
    truth = pseudo_labels.labels(subtitled, clean) > 0
    found = prior(subtitled) > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos")
    for i in range(2):
        write_pair(path, f"v{i}", frames=6, seed=i)
    return path


def test_what_would_be_refused_is_said_before_the_pairs_are_looked_through(tmp_path):
    check(SHORT, tmp_path / "new")
    with pytest.raises(ClearError, match="The bundled prior is not a prior of the kind paper"):
        check(replace(SHORT, model="paper", rate=1e-5, start="bundled"), tmp_path / "new")
    list(train(SHORT, Frames(), tmp_path / "run"))
    check(SHORT, tmp_path / "run")
    with pytest.raises(ClearError, match="seed was 3 and is 4"):
        check(replace(SHORT, seed=4), tmp_path / "run")
    asked = ["--pairs", str(tmp_path / "no folder"), "--out", str(tmp_path / "run"), "--device", "cpu", "--seed", "4"]
    with pytest.raises(SystemExit, match="^error: .*other options"):
        main(asked)


def test_bfloat16_only_where_it_is_asked_for(tmp_path, monkeypatch):
    used = []
    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda *a, **k: (used.append(a), autocast(*a, **k))[1])
    options = replace(SHORT, steps=1)
    list(train(options, Frames(), tmp_path / "float32"))
    assert not used, "some devices are refused by name, even with it switched off"
    half = list(train(replace(options, precision="bfloat16"), Frames(), tmp_path / "bfloat16"))
    assert used and half[0].loss > 0


def test_a_full_gpu_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "clear_runtime.train.prior.train.stage_one",
        lambda *a: (_ for _ in ()).throw(torch.cuda.OutOfMemoryError("CUDA out of memory")),
    )
    with pytest.raises(
        ClearError, match="memory ran out at step 1, with 2 frames of 96x64 .*smaller batch.*after step 0"
    ):
        list(train(SHORT, Frames(), tmp_path))


def test_the_command_trains_and_reports(folder, tmp_path, caplog):
    config = tmp_path / "options.json"
    config.write_text(json.dumps({"steps": 9, "weights": {"adv": 0.25}}))
    usual = ["--device", "cpu", "--crop", "32", "64", "--batch", "2", "--steps", "2", "--without", "recon"]
    with caplog.at_level("INFO"):
        main(["--pairs", str(folder), "--out", str(tmp_path / "run"), "--config", str(config), *usual])
    assert "2 of 2 pairs can be used: 12 of their 12 frames" in caplog.text and "step 2/2" in caplog.text
    stored = torch.load(tmp_path / "run/training.pt", weights_only=True)
    assert stored["options"]["weights"] == {"ortho": 1.0, "adv": 0.25, "region": 1.0, "recon": 0.0}
    with pytest.raises(SystemExit, match="^error: No pairs in"):
        main(["--pairs", str(tmp_path), "--out", str(tmp_path / "other"), "--device", "cpu"])


def test_a_device_that_is_none_is_refused_in_words(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--pairs", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "gpu"])
    assert "there is no device 'gpu'" in capsys.readouterr().err


def test_ctrl_c_before_the_first_step_is_no_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "clear_runtime.cli.train_prior.PriorSession", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(SystemExit, match="stopped before the first step"):
        main(["--pairs", str(tmp_path), "--out", str(tmp_path / "out")])


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_the_command_stops_after_a_step_and_continues(folder, tmp_path, signal_name, monkeypatch, caplog):
    import signal

    number = getattr(signal, signal_name)
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    whole = DiskFrames.__getitem__

    def told(self, n):  # while the second batch is read
        if n == 1 and not (tmp_path / "told").exists():
            (tmp_path / "told").touch()
            signal.raise_signal(number)
        return whole(self, n)

    monkeypatch.setattr(DiskFrames, "__getitem__", told)
    arguments = [
        "--pairs",
        str(folder),
        "--out",
        str(tmp_path / "run"),
        "--device",
        "cpu",
        "--crop",
        "32",
        "64",
        "--batch",
        "2",
        "--steps",
        "3",
    ]
    try:
        with caplog.at_level("INFO"):
            main(arguments)
            assert "stopped after step 2; the same command continues" in caplog.text
            main(arguments)
    finally:
        signal.set_wakeup_fd(
            -1
        )  # what it names is closed with the run; a later signal of this process would be told to it
        for kind, handler in before.items():
            signal.signal(kind, handler)
    assert (
        "continues after step 2" in caplog.text
        and torch.load(tmp_path / "run" / "training.pt", weights_only=True)["step"] == 3
    )
