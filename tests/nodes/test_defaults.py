"""What a fresh node does is what the runtime does unless told otherwise, and its lists hold what the runtime takes."""

import inspect
import re

import pytest

from clear_runtime.catalogue import MASK, NODES
from clear_runtime.data.clips import BurnedClips, PairClips
from clear_runtime.data.synthetic.burn_style import BurnStyle
from clear_runtime.errors import ClearError
from clear_runtime.media import before_after
from clear_runtime.option import described
from clear_runtime.options import RemoveOptions
from clear_runtime.train.lora import train as stage_two
from clear_runtime.train.prior import options as stage_one

AUTO = {"control", "region", "precision"}
"""Inputs that offer "auto" beside the runtime's choices: the node decides by the MODEL and the device, which the
runtime does not know."""
CROP = dict(zip(("frames", "height", "width"), stage_two.LoraOptions.crop))
EXAMPLE = {"preview_every": stage_two.LoraOptions.example_every}


def defaults(runtime) -> dict:
    """Of a dataclass or a function; several words are one text with commas on a node."""
    found = {
        name: one.default
        for name, one in inspect.signature(runtime).parameters.items()
        if one.default is not inspect.Parameter.empty
    }
    return {
        name: ",".join(value) if isinstance(value, tuple) and set(map(type, value)) == {str} else value
        for name, value in found.items()
    }


@pytest.mark.parametrize(
    "node_id, expected, on_purpose",
    [
        ("CLEAR_SubtitleRemove", {one.name: one.default for one, _ in described(RemoveOptions)}, set()),
        ("CLEAR_PriorMask", {one.name: one.default for one in MASK.shown()}, set()),
        ("CLEAR_BurnSubtitles", defaults(BurnStyle), set()),
        ("CLEAR_LoadPairs", defaults(PairClips), set()),
        ("CLEAR_LoadPairs", defaults(BurnedClips), set()),
        (
            "CLEAR_TrainLoRA",
            defaults(stage_two.LoraOptions) | CROP | EXAMPLE,
            {"control", "precision", "start"},
        ),  # auto, and "none" for no file
        (
            "CLEAR_TrainPrior",
            defaults(stage_one.PriorOptions),
            {"start", "steps", "rate"},
        ),  # a short training on from the bundled prior; 0 for the model's own rate
        ("CLEAR_BeforeAfter", defaults(before_after.save), set()),
    ],
)
def test_a_node_s_defaults_are_the_runtime_s(pack, node_id, expected, on_purpose):
    shown = {
        one.id: one.default
        for one in pack.listed[node_id].GET_SCHEMA().inputs
        if getattr(one, "default", None) is not None
    }
    both = set(shown) & set(expected)
    assert both and {name for name in both if shown[name] != expected[name]} == on_purpose


@pytest.mark.parametrize(
    "node_id, runtime, names",
    [
        ("CLEAR_SubtitleRemove", RemoveOptions.of, ("output", "control", "region", "mask_from")),
        ("CLEAR_BurnSubtitles", BurnStyle, ("look", "position")),
        ("CLEAR_TrainLoRA", stage_two.LoraOptions, ("control", "precision", "optimiser")),
        ("CLEAR_TrainPrior", stage_one.PriorOptions, ("model",)),
    ],
)
def test_a_node_s_lists_are_what_the_runtime_takes(pack, node_id, runtime, names):
    lists = {one.id: one.options for one in pack.listed[node_id].GET_SCHEMA().inputs if one.id in names}
    for name in names:
        with pytest.raises(ClearError) as refused:  # whose text says what it takes
            runtime(**{name: "something else"})
        taken = re.split(", | or ", re.search(r"hoose (?:one of: )?(.+)\.$", str(refused.value))[1])
        assert set(lists[name]) == ({"auto", *taken} if name in AUTO else set(taken)), name


@pytest.mark.parametrize("node_id", NODES)
def test_a_node_has_every_option_and_says_of_it_what_the_runtime_says(pack, node_id):
    inputs = {one.id: one for one in pack.listed[node_id].GET_SCHEMA().inputs}
    for one in NODES[node_id].on_nodes():
        shown = inputs[one.name]
        default = ",".join(one.default) if isinstance(one.default, tuple) else one.default
        assert (shown.default, shown.tooltip) == (default, one.about.help), one.name
        if one.kind in (int, float):
            bounds = [bound for bound in (one.about.low, one.about.over) if bound is not None]
            assert shown.min >= max(bounds, default=shown.min), one.name
            assert one.about.high is None or shown.max <= one.about.high, one.name


@pytest.mark.parametrize(
    "node_id, order",
    [
        (
            "CLEAR_SubtitleRemove",
            "steps cfg seed window overlap output control region mask_from grow feather prior subtitles_only",
        ),
        ("CLEAR_PriorMask", "prior threshold grow temporal"),
        (
            "CLEAR_TrainLoRA",
            "prior name steps rank targets rate batch accumulate frames height width control precision checkpointing "
            "optimiser start seed preview_every",
        ),
        ("CLEAR_TrainPrior", "pairs clean name model start steps batch rate seed"),
    ],
)
def test_values_of_saved_workflows_find_their_inputs(pack, node_id, order):
    """A workflow keeps the values of a node by their place."""
    widgets = [one.id for one in pack.listed[node_id].GET_SCHEMA().inputs if getattr(one, "default", None) is not None]
    assert widgets[: len(order.split())] == order.split()
