"""Areas of a picture, from their text."""

import pytest

from clear_runtime.errors import ClearError
from clear_runtime.frames.areas import masks_of


def test_a_rectangle_in_per_cent_or_pixels_is_its_pixels_and_no_other():
    for text in ("subtitle 25%,50%,50%,20%", "subtitle 10,10,20,4"):
        masks = masks_of(text, 20, 40)
        assert masks["subtitle"].shape == (1, 20, 40) and masks["subtitle"].sum() == 20 * 4
        assert masks["subtitle"][0, 10:14, 10:30].all()


def test_an_outline_is_filled_and_kinds_are_kept_apart():
    masks = masks_of("protect 0%,0% 50%,0% 0%,50%; subtitle 50%,50%,50%,50%", 100, 100)
    assert masks["protect"][0, 5, 5] == 1 and masks["protect"][0, 45, 45] == 0
    assert masks["protect"].mean().item() == pytest.approx(0.125, abs=0.01)
    assert masks["subtitle"][0, 60:, 60:].all() and not masks["subtitle"][0, :50, :50].any()


def test_everything_may_change_where_no_limit_is_drawn():
    assert masks_of("", 8, 8)["limit"].all() and not masks_of("", 8, 8)["subtitle"].any()
    assert masks_of("limit 0%,50%,100%,50%", 8, 8)["limit"][0].mean(1).tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    "text", ["nothing 1,2,3,4", "subtitle", "subtitle 1,2", "limit 1,2 3,4", "limit a,b,c,d", "protect 9,9,0,5"]
)
def test_what_names_no_area_is_refused_by_its_words(text):
    with pytest.raises(ClearError, match=text):
        masks_of(f"subtitle 1%,1%,5%,5%; {text}", 20, 40)
