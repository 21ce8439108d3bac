"""The Stage II trainer: it learns, stops, continues to the same weights, and keeps what was learned whatever comes in
between."""

import math
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_clips import CONTEXT, latent_clips
from tiny_run import SHORT, run, same, state

from clear_runtime.engines.lora import read_lora
from clear_runtime.errors import ClearError
from clear_runtime.train.lora import losses
from clear_runtime.train.lora.cache import LatentClips
from clear_runtime.train.lora.model import Adapted
from clear_runtime.train.lora.options import LoraOptions
from clear_runtime.train.lora.train import collate, train


def test_every_step_says_what_a_node_shows(base, clips, tmp_path):
    seen = run(base, clips, tmp_path)
    assert [p.step for p in seen] == [1, 2, 3, 4] and all(p.steps == 4 and p.skipped == 0 for p in seen)
    assert [p.alpha for p in seen] == [5.0, 5.5, 6.0, 6.5] and all(
        set(p.terms) == {"gen", "distill", "sparse"} for p in seen
    )
    assert all(p.seconds > 0 for p in seen) and seen[0].left > seen[-1].left == 0
    assert [p.step for p in seen if p.example] == [1, 3, 4]
    example = seen[-1].example
    assert example.subtitled.shape == example.result.shape == example.clean.shape == (1, 16, 2, 8, 16)
    assert example.m_pred.shape == example.m_prior.shape == (2, 8, 16) and torch.isfinite(example.result).all()


class _One:
    """The same example at every step."""

    def __init__(self, sample):
        self.sample, self.size = sample, tuple(sample.m_prior.shape)

    def __getitem__(self, k):
        return self.sample

    def example(self):
        return self.sample

    def state_dict(self):
        return {}


@pytest.mark.slow
def test_forty_steps_on_one_pair_overfit(base, clips, tmp_path):
    """The error of the flow prediction where the subtitle is, before and after, by the file that was written."""
    options = replace(SHORT, steps=40, rate=5e-3, rank=32, average=0.0, crop=(5, 16, 32))
    one = LatentClips(clips.paths, 4, options.crop, "as is", seed=3)[0]
    held = collate([one], "cpu")

    def error(start):
        model = Adapted(base, 32, start=start, checkpointing=False)
        s = held.sigma.view(-1, 1, 1, 1, 1)
        with torch.no_grad():
            velocity, _ = model((1 - s) * held.clean + s * held.noise, held.control, held.sigma, CONTEXT)
        return losses.eps_gen(velocity, held.noise - held.clean)[held.m_prior > 0.5].mean().item()

    before = error(None)
    run(base, _One(one), tmp_path, options)
    after = error({k: v.float() for k, v in read_lora(tmp_path / "lora.safetensors").items()})
    assert after < 0.4 * before


def test_what_trains_is_said_with_the_share_that_belongs_to_it(base, clips, tmp_path, caplog):
    with caplog.at_level("INFO"):
        run(base, clips, tmp_path, replace(SHORT, steps=1))
    lora, head = (
        sum(value.numel() for value in load_file(tmp_path / name).values())
        for name in ("lora.safetensors", "occlusion_head.safetensors")
    )
    share = lora / (lora + sum(value.numel() for value in base.values()))
    assert (
        f"training {lora / 1e6:.2f} million parameters of the LoRA, {100 * share:.2f} % of the adapted model, and "
        f"{head / 1e6:.2f} million of the occlusion head" in caplog.text
    )


@pytest.fixture(scope="module")
def whole(base, clips, tmp_path_factory):
    """The folder of a run to its end, which nobody changes."""
    folder = tmp_path_factory.mktemp("whole")
    run(base, clips, folder)
    return folder


@pytest.fixture
def finished(whole, tmp_path):
    """The same as a folder of the test's own."""
    return Path(shutil.copytree(whole, tmp_path / "finished"))


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_run_that_was_stopped_ends_with_the_same_weights(base, clips, whole, tmp_path, stop_after):
    with closing(train(SHORT, base, clips, CONTEXT, tmp_path)) as steps:
        for p in steps:
            if p.step == stop_after:
                break
    assert [p.step for p in run(base, clips, tmp_path)] == list(range(stop_after + 1, 5))
    assert same(state(whole), state(tmp_path))
    assert same(load_file(whole / "lora.safetensors"), load_file(tmp_path / "lora.safetensors"))


def test_a_killed_run_goes_on_from_its_last_checkpoint(base, clips, whole, tmp_path):
    steps = train(SHORT, base, clips, CONTEXT, tmp_path / "killed")
    [next(steps) for _ in range(3)]
    kept = (tmp_path / "killed" / "training.pt").read_bytes()
    steps.close()
    (tmp_path / "killed" / "training.pt").write_bytes(
        kept
    )  # what a power cut would have left: the checkpoint after step 2
    run(base, clips, tmp_path / "killed")
    assert same(state(whole), state(tmp_path / "killed"))


def test_a_run_may_be_made_longer_but_not_otherwise_changed(base, clips, finished):
    assert [p.step for p in run(base, clips, finished, replace(SHORT, steps=6))] == [5, 6]
    for changed, words in (
        (replace(SHORT, rate=2e-3), "rate was 0.001"),
        (replace(SHORT, recipe="lora only"), "recipe was 'paper'"),
    ):
        with pytest.raises(ClearError, match=words):
            run(base, clips, finished, changed)
    other = {**base, "head.head.bias": base["head.head.bias"] + 1}
    with pytest.raises(ClearError, match="the base model was another one"):
        run(other, clips, finished, replace(SHORT, steps=6))


def test_a_run_that_goes_on_with_other_clips_says_so(base, clips, finished, tmp_path, caplog):
    assert not clips.changed
    more = latent_clips(tmp_path / "latents", 2, crop=SHORT.crop, seed=SHORT.seed)
    assert [p.step for p in run(base, more, finished, replace(SHORT, steps=5))] == [5]
    assert "of 2, 1 are new or changed, and 0 of the 1 then are gone" in more.changed and more.changed in caplog.text


def test_the_lora_says_how_it_came_to_be_and_fits_the_base(base, whole):
    from safetensors import safe_open

    from clear_runtime.engines.lora import require_fit

    require_fit(read_lora(whole / "lora.safetensors"), {name: tuple(v.shape) for name, v in base.items()})
    with safe_open(str(whole / "lora.safetensors"), "pt") as file:
        assert file.metadata() == {"clear_recipe": "paper", "steps": "4"}
        names = file.keys()
    assert all(name.startswith("diffusion_model.blocks.") for name in names)


def test_peft_itself_reads_the_file(base, whole):
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    from clear_runtime.engines.denoiser import wan_model

    stored = {
        name.removeprefix("diffusion_model."): value for name, value in load_file(whole / "lora.safetensors").items()
    }
    model = get_peft_model(
        wan_model(base), LoraConfig(r=4, lora_alpha=4, target_modules=r"blocks\..*\.(q|k|v|o|ffn\.0|ffn\.2)")
    )
    result = set_peft_model_state_dict(model, {f"base_model.model.{name}": value for name, value in stored.items()})
    assert not result.unexpected_keys
    loaded = {name: p for name, p in model.named_parameters() if ".lora_" in name}
    assert len(loaded) == len(stored)
    for name, value in stored.items():
        assert torch.equal(loaded[f"base_model.model.{name.replace('.weight', '.default.weight')}"], value.float())


def test_nobody_elses_random_numbers_are_disturbed(base, clips, tmp_path):
    torch.manual_seed(11)
    wanted = torch.rand(3)
    torch.manual_seed(11)
    run(base, clips, tmp_path, replace(SHORT, steps=1))
    assert torch.equal(torch.rand(3), wanted)


class _Broken:
    """Clips whose examples hold a value that is no number, from one step on, for a while."""

    def __init__(self, clips, first, count):
        self.clips, self.size, self.bad = clips, clips.size, range(first, first + count)

    def __getitem__(self, k):
        sample = self.clips[k]
        return sample._replace(clean=sample.clean * float("nan")) if k in self.bad else sample

    def example(self):
        return self.clips.example()

    def state_dict(self):
        return self.clips.state_dict()


class _Resumed(_Broken):
    changed = ""

    def load_state_dict(self, state):
        self.clips.load_state_dict(state)


def test_a_step_without_a_finite_gradient_is_skipped_and_counted(base, clips, tmp_path):
    seen = run(base, _Broken(clips, 1, 2), tmp_path)
    assert [p.skipped for p in seen] == [0, 1, 2, 2]
    assert all(torch.isfinite(value).all() for value in state(tmp_path).values())


@pytest.mark.slow
def test_many_in_a_row_stop_the_run_with_the_last_good_state_kept(base, clips, tmp_path):
    with pytest.raises(
        ClearError,
        match=r"5 steps in a row.*after step 8.*training.pt holds.*continue with the same settings.*lower learning "
        r"rate",
    ):
        run(base, _Broken(clips, 3, 5), tmp_path / "broken", replace(SHORT, steps=20, checkpoint_every=2))
    run(base, clips, tmp_path / "good", replace(SHORT, steps=3))
    broken, good = (torch.load(tmp_path / name / "training.pt", weights_only=True) for name in ("broken", "good"))
    assert broken["step"] == 8 and broken["skips"] == {"total": 5} and same(broken["learned"], good["learned"])
    assert same(*(load_file(tmp_path / name / "lora.safetensors") for name in ("broken", "good")))
    goes_on = run(base, _Resumed(clips, 3, 5), tmp_path / "broken", replace(SHORT, steps=10, checkpoint_every=2))
    assert [(p.step, p.skipped) for p in goes_on] == [(9, 5), (10, 5)]


def test_steps_that_are_skipped_now_and_then_are_no_end(base, clips, tmp_path):
    broken = _Broken(clips, 0, 0)
    broken.bad = {1, 2, 4, 5, 6, 7}
    seen = run(base, broken, tmp_path, replace(SHORT, steps=9))
    assert [p.skipped for p in seen] == [0, 1, 2, 2, 3, 4, 5, 6, 6] and [math.isfinite(p.loss) for p in seen].count(
        False
    ) == 6


def test_a_checkpoint_that_fell_on_a_skipped_step_is_made_up_for(base, clips, tmp_path):
    kept, steps = [], train(replace(SHORT, steps=6), base, _Broken(clips, 1, 1), CONTEXT, tmp_path)
    with closing(steps):
        for _ in range(4):
            next(steps)
            kept.append(
                torch.load(tmp_path / "training.pt", weights_only=True)["step"]
                if (tmp_path / "training.pt").exists()
                else 0
            )
    assert kept == [0, 0, 3, 4]


def test_a_checkpoint_is_due_after_ten_minutes_too(base, clips, tmp_path, monkeypatch):
    from clear_runtime.train.lora import run as runs

    assert runs.LONGEST == 600
    kept = []
    for longest, folder in ((600, "short"), (0, "long")):
        monkeypatch.setattr(runs, "LONGEST", longest)
        with closing(train(replace(SHORT, checkpoint_every=100), base, clips, CONTEXT, tmp_path / folder)) as steps:
            next(steps)
            kept.append((tmp_path / folder / "training.pt").exists())
    assert kept == [False, True]


def test_a_full_disk_leaves_the_checkpoint_before_whole(base, clips, finished, monkeypatch):
    kept = (finished / "training.pt").read_bytes()

    def full(content, path):
        Path(path).write_bytes(b"half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ClearError, match="No space left on device.*after step 4 is still there"):
        run(base, clips, finished, replace(SHORT, steps=6))
    assert (finished / "training.pt").read_bytes() == kept and not list(finished.glob(".*.part*"))


@pytest.mark.parametrize("stop", [False, True])
def test_what_was_learned_is_kept_when_the_last_step_was_skipped(base, clips, tmp_path, stop):
    options = replace(SHORT, steps=9 if stop else 3, checkpoint_every=100)
    with closing(train(options, base, _Broken(clips, 2, 1), CONTEXT, tmp_path / "broken")) as steps:
        assert [next(steps).skipped for _ in range(3)] == [0, 0, 1]
        if not stop:
            assert not list(steps)
    run(base, clips, tmp_path / "good", replace(options, steps=2))
    kept = torch.load(tmp_path / "broken" / "training.pt", weights_only=True)
    assert kept["step"] == 3 and same(
        kept["learned"], torch.load(tmp_path / "good" / "training.pt", weights_only=True)["learned"]
    )
    assert same(load_file(tmp_path / "broken" / "lora.safetensors"), load_file(tmp_path / "good" / "lora.safetensors"))


def test_a_lora_that_the_disk_did_not_take_is_written_by_the_next_start(base, clips, tmp_path, monkeypatch):
    def full(*_, **__):
        raise ClearError("No space left")

    with monkeypatch.context() as patch, pytest.raises(ClearError, match="No space"):
        patch.setattr("clear_runtime.train.lora.model.write_tensors", full)
        patch.setattr("clear_runtime.engines.lora.write_tensors", full)
        run(base, clips, tmp_path)
    assert torch.load(tmp_path / "training.pt", weights_only=True)["step"] == 2
    run(base, clips, tmp_path)
    finished = read_lora(tmp_path / "lora.safetensors")
    (tmp_path / "lora.safetensors").unlink()
    assert not run(base, clips, tmp_path) and same(read_lora(tmp_path / "lora.safetensors"), finished)


def test_a_lora_from_elsewhere_is_not_overwritten(base, clips, tmp_path):
    (tmp_path / "lora.safetensors").write_bytes(b"mine")
    with pytest.raises(ClearError, match="lora.safetensors exists already.*choose another folder"):
        run(base, clips, tmp_path)
    assert (tmp_path / "lora.safetensors").read_bytes() == b"mine"


def test_attention_without_a_gradient_is_kept_out_of_training(base, clips, tmp_path, monkeypatch):
    from diffsynth.models import wan_video_dit

    monkeypatch.setattr(wan_video_dit, "SAGE_ATTN_AVAILABLE", True)
    monkeypatch.setattr(wan_video_dit, "sageattn", lambda *_: pytest.fail("it has no gradient"), raising=False)
    before = wan_video_dit.flash_attention
    run(base, clips, tmp_path, replace(SHORT, checkpointing=True))
    assert wan_video_dit.flash_attention is before


def test_memory_on_a_gpu_is_counted_from_the_run_s_beginning(base, clips, tmp_path, monkeypatch):
    from clear_runtime.train.lora import memory

    device, began = torch.device("cuda"), []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", began.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 5)
    memory.measure_from_now(torch.device("cpu"))
    assert not began
    memory.measure_from_now(device)
    assert began == [device] and memory.memory_used(device) == 5


def test_too_little_memory_is_said_before_the_first_step(base, clips, tmp_path):
    with pytest.raises(ClearError, match=r"needs about 0\.\d GiB of memory on cpu, and 0\.0 GiB can be used"):
        next(train(SHORT, base, clips, CONTEXT, tmp_path, available=2**20))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options, words",
    [
        ({"recipe": "magic"}, "Choose one of: prior, lora only"),
        ({"steps": 0}, "steps is 0"),
        ({"rate": 0.0}, "rate is 0.0. Use a finite value above 0"),
        ({"crop": (5, 8, 8)}, "height of crop is 8. Use a value of at least 16"),
        ({"control": "none"}, "as is, prefilled, both"),
        ({"optimiser": "sgd"}, "adamw, adamw8bit"),
    ],
)
def test_options_that_cannot_work_are_refused(options, words):
    with pytest.raises(ClearError, match=words):
        LoraOptions(**options)


def test_eight_bit_adam_without_bitsandbytes_says_how_to_get_it(base, clips, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ClearError, match="pip install bitsandbytes"):
        next(train(replace(SHORT, optimiser="adamw8bit"), base, clips, CONTEXT, tmp_path))
