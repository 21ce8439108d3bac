"""Training in several processes: they learn what one does."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch
import two_trainers
from tiny_clips import HEIGHT, STYLE, WIDTH
from tiny_pairs import write_pair
from tiny_run import state

from clear_runtime.data.frame_batches import DiskFrames
from clear_runtime.data.pairs_on_disk import PairsReport
from clear_runtime.errors import ClearError
from clear_runtime.train.prior import losses
from clear_runtime.train.prior.options import PriorOptions
from clear_runtime.train.prior.stage_one import light_stage_one
from clear_runtime.train.processes import Processes


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(The folder of a run by two processes, in `two`; what each of them said in the two commands that came after it:
    train-lora, which leaves its run in `out`, and train-prior, in `prior`.)"""
    folder = tmp_path_factory.mktemp("both")
    (folder / "two").mkdir()
    (folder / "pairs").mkdir()
    write_pair(folder / "pairs", "rain", text="Rain falls here", frames=5, height=HEIGHT, width=WIDTH, style=STYLE)
    lora = ["--nano", "--pairs", str(folder / "pairs"), "--out", str(folder / "out"), "--crop", "5", "32", "64"]
    lora += ["--rank", "4", "--steps", "2", "--precision", "float32", "--device", "cpu"]
    (folder / "small").mkdir()
    for seed in range(2):
        write_pair(folder / "small", f"v{seed}", frames=6, seed=seed)
    prior = ["--pairs", str(folder / "small"), "--out", str(folder / "prior"), "--crop", "32", "64", "--batch", "2"]
    prior += ["--steps", "1", "--device", "cpu"]
    (folder / "two" / "commands.json").write_text(json.dumps([["train_lora", lora], ["train_prior", prior]]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = dict(
        WORLD_SIZE="2",
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        OMP_NUM_THREADS="1",
        ACCELERATE_USE_CPU="true",
        # what a machine's `accelerate config` may say; the run's own options count
        ACCELERATE_MIXED_PRECISION="bf16",
        ACCELERATE_GRADIENT_ACCUMULATION_STEPS="4",
    )
    arguments = [sys.executable, two_trainers.__file__, str(folder / "two"), "2"]
    done = subprocess.run(arguments, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, timeout=900)
    said = [two_trainers.said(folder / "two", rank).read_text() for rank in range(2)]
    assert done.returncode == 0, (done.stderr, said)
    return folder, [words.split(two_trainers.COMMAND)[1:] for words in said]


@pytest.mark.slow
def test_two_processes_learn_what_one_does_with_twice_the_accumulation(both, tmp_path):
    folder, _ = both
    with Processes("cpu", alone=True) as alone:
        two_trainers.run(tmp_path, 4, alone)
    assert [json.loads((folder / "two" / f"encoded_{r}.json").read_text()) for r in range(2)] == [[0, 1], [2]]
    histories = [torch.tensor(json.loads((run / "history.json").read_text())) for run in (tmp_path, folder / "two")]
    assert torch.allclose(*histories, rtol=1e-4, atol=1e-6)
    a, b = state(tmp_path), state(folder / "two")
    # the queries to a prompt of one token have no gradient but what rounding leaves, and Adam makes steps of that
    assert all(
        torch.allclose(a[name], b[name], atol=2e-5)
        for name in a
        if not name.startswith("moment") and "cross_attn.q" not in name
    )
    assert all(torch.allclose(a[name], b[name], rtol=1e-3, atol=1e-9) for name in a if name.startswith("moment"))


@pytest.mark.slow
def test_one_of_two_processes_says_how_far_they_are(both):
    folder, ((said, of_prior), (nothing, neither)) = both
    assert (
        "step 1/2  loss" in said
        and "step 2/2  loss" in said
        and f"the LoRA is {folder / 'out' / 'lora.safetensors'}" in said
    )
    assert "clips" not in nothing and "step" not in nothing
    assert of_prior.count("step 1/1") == 1 and "step" not in neither


@pytest.mark.slow
def test_the_gradients_of_a_prior_are_those_of_both_processes(both):
    folder, gradients = both[0] / "prior", []
    for rank in range(2):
        torch.manual_seed(PriorOptions.seed)
        model = light_stage_one().train()
        report, long_side = PairsReport.load(folder / "pairs.json"), PriorOptions().long_side
        batch = DiskFrames(report, 2, (32, 64), long_side, rank=rank, processes=2)[0]
        losses.stage_one(model(batch.subtitled), batch.labels, batch.clean)[0].backward()
        gradients.append([p.grad for p in model.parameters()])
    for p, *of_both in zip(model.parameters(), *gradients, strict=True):
        p.grad = torch.stack(of_both).mean(0)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    moments = torch.load(folder / "training.pt", weights_only=True)["optimiser"]["state"]
    for k, p in enumerate(model.parameters()):
        assert torch.allclose(moments[k]["exp_avg"], 0.1 * p.grad, rtol=1e-3, atol=1e-7)  # AdamW's beta_1 is 0.9


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED", "MEGATRON_LM"])
def test_processes_that_share_one_model_are_refused(monkeypatch, kind):
    import accelerate

    class Accelerator:
        def __init__(self, **_):
            self.distributed_type = accelerate.DistributedType(kind)

    monkeypatch.setattr(accelerate, "Accelerator", Accelerator)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ClearError, match=f"set up for {kind}; .*accelerate launch --multi_gpu"):
        Processes("cpu")
