"""The two control steps."""

import torch

from clear_runtime.engines.control import CONTROLS, as_is, prefilled


def test_the_names_users_see():
    assert {"as is": as_is, "prefilled": prefilled} == CONTROLS


def test_as_is_is_the_source_and_prefilled_has_no_subtitle():
    frames, mask = torch.full((2, 20, 30, 3), 0.25), torch.zeros(2, 20, 30)
    mask[:, 8:11, 5:25] = 1
    subtitled = torch.where(mask[..., None] > 0, torch.ones(()), frames)
    assert torch.equal(as_is(subtitled, mask), subtitled)
    assert (prefilled(subtitled, mask) - frames).abs().max() < 1e-5
