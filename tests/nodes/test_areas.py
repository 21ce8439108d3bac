"""Draw Areas in process."""

import pytest
import torch
from paths import ROOT

DEMO = ROOT / "assets" / "demo" / "bunny_subtitled.mp4"


def test_masks_are_as_large_as_the_film(run, error):
    from comfy_api.latest import InputImpl

    areas = "subtitle 0%,50%,100%,50%"
    for given in ({"images": torch.zeros(3, 352, 640, 3)}, {"video": InputImpl.VideoFromFile(str(DEMO))}):
        subtitle, limit, protect = run("CLEAR_DrawAreas", areas=areas, **given)
        assert subtitle.shape == limit.shape == protect.shape == (1, 352, 640)
        assert subtitle.mean() == 0.5 and limit.all() and not protect.any()
    with pytest.raises(error, match="Connect images or video"):
        run("CLEAR_DrawAreas", areas=areas)
