"""What compression before and after costs, on a clip that is known."""

import pytest
import torch

from clear_runtime.bench.compression import scores, stored
from clear_runtime.bench.moving import Size, drawn_scene, moving_case
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.metrics import psnr


def test_more_is_lost_at_a_higher_factor():
    frames = moving_case("pan", drawn_scene(height=200, width=450), Size(5, 96, 160)).clean
    light, strong = (psnr(stored(frames, crf), frames) for crf in (10, 35))
    assert light > strong + 3 and stored(frames, 35).shape == frames.shape


def test_a_compressed_line_goes_and_the_rest_stays():
    case = moving_case("slow pan", drawn_scene(), Size(13))
    found = scores(case, 28, load_prior())
    assert found.widened and min(found.widened) >= 1
    assert found.outside > 40 and found.stored > 24 and found.stored == pytest.approx(found.true_mask, abs=4)
    given = stored(case.subtitled, 28)
    assert torch.isfinite(given).all()
