"""The benchmark of Stage II, on a shape that a test can pay for."""

import tiny_wan

from clear_runtime.bench import train_lora as benchmark
from clear_runtime.engines.base_model import describe_base
from clear_runtime.train.lora.memory import wan_shapes
from clear_runtime.train.lora.options import LoraOptions


def test_it_trains_random_weights_and_reports_time_and_memory():
    base = benchmark.random_base(
        {name: tuple(value.shape) for name, value in tiny_wan.wan_state().items()}, benchmark.DTYPES["float32"]
    )
    seconds, most = benchmark.measure(
        base, LoraOptions(steps=3, crop=(9, 64, 96), rank=2, precision="float32", sampler_steps=1)
    )
    assert seconds > 0 and most > 0


def test_the_shape_is_that_of_the_released_base():
    base = describe_base(wan_shapes())
    assert (base.width, base.blocks) == (1536, 30)
