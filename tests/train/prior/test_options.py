"""The options of the Stage I trainer: what they are unless told otherwise, from a file, and which are refused."""

import json
import math
from dataclasses import asdict

import pytest
import torch

from clear_runtime.cli.arguments import settings
from clear_runtime.cli.train_prior import main
from clear_runtime.data.frame_batches import Batch
from clear_runtime.errors import ClearError
from clear_runtime.train.prior.losses import Weights
from clear_runtime.train.prior.options import PriorOptions
from clear_runtime.train.prior.train import train


def test_without_steps_the_papers_model_trains_one_epoch():
    assert (
        PriorOptions(model="paper").steps is None
        and PriorOptions(model="paper").rate == 2e-5
        and PriorOptions(model="paper").schedule == "constant"
    )


@pytest.mark.parametrize(
    "options, rate",
    [
        (dict(), 3e-3),
        (dict(rate=1e-4), 1e-4),
        (dict(start="bundled"), 3e-4),
        (dict(start="mine.safetensors"), 3e-4),
        (dict(start="bundled", rate=1e-3), 1e-3),
        (dict(model="paper", start="mine.safetensors"), 2e-5),
    ],
)
def test_a_light_prior_that_begins_with_weights_takes_smaller_steps(options, rate):
    assert PriorOptions(**options).rate == rate


@pytest.mark.parametrize(
    "options,says",
    [
        (dict(model="huge"), "light"),
        (dict(crop=(100, 64)), "multiples of 32"),
        (dict(batch=0), "batch is 0. Use a value of at least 1"),
        (dict(rate=-1.0), "above 0"),
        (dict(precision="int8"), "bfloat16"),
        (dict(steps=0), "steps is 0.*at least 1"),
        (dict(rate=math.inf), "finite"),
        (dict(workers=-1), "at least 0"),
        (dict(weight_decay=-1.0), "a finite value of at least 0"),
        (dict(weight_decay=math.nan), "weight_decay is nan"),
        (dict(batch=1, crop=(32, 32)), "larger crop or batch"),
        (dict(seed=2**63), "seed is 9223372036854775808"),
        (dict(seed=-(2**70)), "seed is -1180591620717411303424"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises(ClearError, match=says):
        PriorOptions(**options)


def test_the_least_that_can_be_trained_on_is_trained_on(tmp_path):
    for batch, crop in ((2, (32, 32)), (1, (32, 64))):
        least = Batch(torch.rand(batch, 3, *crop), torch.rand(batch, 3, *crop), torch.zeros(batch, 1, *crop))
        assert len(list(train(PriorOptions(steps=1, batch=batch, crop=crop), [least], tmp_path / str(batch)))) == 1


def test_every_option_may_stand_in_a_config(tmp_path):
    for options in (PriorOptions(), PriorOptions(model="paper", steps=5, rate=1, weights=Weights(adv=0))):
        (tmp_path / "c.json").write_text(json.dumps(asdict(options)))
        assert PriorOptions(**settings(tmp_path / "c.json", PriorOptions)) == options


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "cannot be read as JSON"),
        (None, "cannot be read as JSON"),
        ("[1]", "c.json must hold one object"),
        ('{"step": 3}', "not known: step. There are model, steps"),
        ('{"steps": "many"}', "steps is 'many'; it should be a whole number or null"),
        ('{"rate": true}', "rate is True; it should be a number or null"),
        ('{"crop": [64]}', r"crop is \[64\]; it should be like \[192, 320\]"),
        ('{"weights": 1}', "c.json: weights must hold one object"),
        ('{"weights": {"advs": 1}}', "c.json: weights has options that are not known: advs. There are ortho, adv"),
        ('{"weights": {"adv": "no"}}', "weights: adv is 'no'; it should be like 0.5"),
        ('{"model": "huge"}', 'model is "huge"'),
    ],
)
def test_a_config_that_is_none_is_refused_in_words(tmp_path, content, words):
    if content is not None:
        (tmp_path / "c.json").write_text(content)
    with pytest.raises(SystemExit, match=f"error: .*{words}"):
        main(["--pairs", str(tmp_path), "--out", str(tmp_path / "out"), "--config", str(tmp_path / "c.json")])
