"""The network that paints what no frame shows."""

import pytest
import torch

from clear_runtime.bench.moving import Size, moving_case
from clear_runtime.engines.nano import load
from clear_runtime.errors import ClearError
from clear_runtime.fill.harmonic import harmonic
from clear_runtime.fill.network import FillNet, Painter, bundled_painter, load_painter
from clear_runtime.frames.masks import grow


@pytest.fixture(scope="module")
def hidden():
    """Slanted boards with a line of letters that is hidden: what they show, which of it is known, and the smooth
    fill."""
    rows, columns = torch.arange(400)[:, None], torch.arange(900)
    boards = torch.where((2 * columns + rows) % 64 < 40, 0.7, 0.3) + 0.1 * torch.sin(columns / 90)
    case = moving_case("still", boards.expand(3, -1, -1), Size(1, 120, 212))
    pictures, known = case.clean.permute(0, 3, 1, 2), (grow(case.mask.float(), 1) == 0)[:, None]
    return pictures, known, harmonic(pictures * known, known)


def error(made, pictures, known):
    return float((made - pictures).square()[~known.expand_as(made)].mean())


def test_it_comes_closer_to_the_scene_than_the_smooth_fill(hidden):
    pictures, known, smooth = hidden
    painted = bundled_painter(torch.device("cpu"))(smooth, known)
    assert error(painted, pictures, known) < 0.9 * error(smooth, pictures, known)
    assert torch.equal(painted[known.expand_as(painted)], smooth[known.expand_as(painted)])


def test_it_paints_no_colour_that_no_known_pixel_has(hidden):
    _, known, smooth = hidden
    net = FillNet()
    torch.nn.init.normal_(net.leave.weight)
    made = Painter(net)(smooth, known)
    seen = torch.where(known, smooth, torch.nan).flatten(2)
    for channel in range(3):
        values = seen[0, channel][~seen[0, channel].isnan()]
        assert values.min() <= made[0, channel].min() and made[0, channel].max() <= values.max()


def test_an_untrained_one_gives_the_smooth_fill_back(hidden):
    _, known, smooth = hidden
    inside = smooth.clamp(*(torch.where(known, smooth, 0.5).aminmax()))
    torch.testing.assert_close(Painter(FillNet())(inside, known), inside, rtol=0, atol=0.02)


def test_sides_that_are_no_multiples_are_as_good(hidden):
    pictures, known, smooth = (part[..., :117, :205] for part in hidden)
    painted = bundled_painter(torch.device("cpu"))(smooth, known)
    assert painted.shape == smooth.shape and error(painted, pictures, known) < 0.9 * error(smooth, pictures, known)


def test_another_file_is_refused_in_words():
    with pytest.raises(ClearError, match="no fill network"):
        load_painter(load.FOLDER / "nano_prior.safetensors")


def test_reading_it_draws_no_random_number():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    load_painter()
    assert torch.equal(torch.get_rng_state(), before)
