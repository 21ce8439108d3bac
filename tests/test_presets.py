"""What "auto" comes to where no engine's needs decide it."""

import pytest

from clear_runtime.presets import engine_name, training_control, training_precision


@pytest.mark.parametrize(
    "asked, missing, name",
    [("auto", [], "nano"), ("auto", ["diffsynth"], "fill"), ("nano", ["diffsynth"], "nano"), ("fill", [], "fill")],
)
def test_the_fill_stands_in_where_a_package_of_nano_s_is_missing(asked, missing, name):
    assert engine_name(asked, missing) == name


@pytest.mark.parametrize(
    "asked, nano, control", [("auto", True, "both"), ("auto", False, "as is"), ("painted", True, "painted")]
)
def test_nano_is_trained_for_both_of_the_ways_in_which_it_is_used(asked, nano, control):
    assert training_control(asked, nano) == control


@pytest.mark.parametrize(
    "asked, bfloat16, precision", [("auto", True, "bfloat16"), ("auto", False, "float32"), ("float32", True, "float32")]
)
def test_a_training_is_in_half_precision_where_the_device_computes_in_it(asked, bfloat16, precision):
    assert training_precision(asked, bfloat16) == precision
