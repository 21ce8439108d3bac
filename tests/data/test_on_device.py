"""Training scenes that are made where the network is trained."""

import pytest
import torch
from tiny_maker import tiny_maker

from clear_runtime.data.synthetic.layers import layer
from clear_runtime.data.synthetic.on_device import BLOCK, Album, Coder, burnt, grained, moving

CPU = torch.device("cpu")


@pytest.fixture
def maker(tmp_path, monkeypatch):
    return tiny_maker(tmp_path, monkeypatch)


@pytest.fixture
def pictures(maker):
    return Album(maker.pictures.paths, CPU)


@pytest.fixture
def layers(maker):
    made = []
    for seed in range(4):
        colours, mask = layer(maker, seed, 32, 96, (12, 20))
        made.append(torch.cat([torch.tensor(colours).permute(2, 0, 1), 255 * torch.tensor(mask)[None].byte()]))
    return torch.stack(made)


def test_a_layer_is_a_function_of_its_seed(maker):
    one, again, other = (layer(maker, seed, 48, 96, (12, 20)) for seed in (3, 3, 4))
    assert (one[0] == again[0]).all() and (one[1] == again[1]).all() and (one[0] != other[0]).any()
    assert one[1].any() and one[0][one[1]][:, 3].min() > 0


def test_scenes_are_parts_of_pictures(pictures):
    made = pictures.scenes(6, 40, 72)
    assert made.shape == (6, 3, 40, 72) and made.min() >= 0 and made.max() <= 1
    assert made.flatten(1).std(1).min() > 0.01


def test_a_coder_that_rounds_nothing_gives_the_picture_back():
    video = torch.rand(2, 3, 3, 2 * BLOCK, 3 * BLOCK)
    torch.testing.assert_close(Coder(2, CPU, share=0.0)(video), video, rtol=0, atol=1e-5)


def test_a_coder_rounds_blocks_each_for_itself():
    video = torch.rand(1, 3, 2 * BLOCK, 2 * BLOCK)
    coder, changed = Coder(1, CPU, share=1.0), video.clone()
    changed[..., :BLOCK, :BLOCK] = 0.5
    one, other = coder(video), coder(changed)
    assert 0 < (one - video).abs().mean() < 0.1
    assert torch.equal(one[..., BLOCK:, :], other[..., BLOCK:, :])


def test_clips_move_or_stand_still(pictures):
    torch.manual_seed(0)
    clips = moving(pictures, 24, 5, 24, 40)
    assert clips.shape == (24, 5, 3, 24, 40)
    moves = (clips[:, 0] - clips[:, -1]).abs().flatten(1).mean(1)
    assert (moves < 1e-4).any() and (moves > 1e-3).any()


def test_text_is_burnt_where_its_mask_says(pictures, layers):
    torch.manual_seed(0)
    made = burnt(pictures, layers, 8, 5)
    assert made.clean.shape == made.subtitled.shape == (8, 5, 3, 32, 96) and made.mask.shape == (8, 5, 32, 96)
    off = (made.subtitled - made.clean).abs().mean(2)
    assert off[made.mask].mean() > 4 * off[~made.mask].mean()
    shown = made.mask.flatten(2).any(2)
    assert shown.all(1).any() and (shown.any(1) & ~shown.all(1)).any()  # some stay, some come or go


def test_clips_without_text_have_no_mask(pictures, layers):
    made = burnt(pictures, layers, 4, 3, empty=1.0)
    assert not made.mask.any() and torch.equal(made.clean, made.subtitled)


def test_grain_is_the_same_in_all_colours(pictures):
    still = torch.full((2, 3, 3, 16, 16), 0.5)
    noise = grained(still) - still
    torch.testing.assert_close(noise[:, :, 0], noise[:, :, 1])
    assert 0 < noise.std() < 0.02
