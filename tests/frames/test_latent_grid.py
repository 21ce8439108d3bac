"""Masks on the latent grid and back on frames."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from clear_runtime.frames.latent_grid import cells_to_frames, frames_to_cells


@given(st.integers(0, 3), st.integers(1, 4), st.integers(1, 4), st.sampled_from([4, 8]), st.data())
def test_one_pixel_of_one_frame_marks_exactly_its_latent_cell(groups, rows, columns, spatial, data):
    masks = torch.zeros(4 * groups + 1, rows * spatial, columns * spatial)
    t = data.draw(st.integers(0, 4 * groups))
    y, x = data.draw(st.integers(0, rows * spatial - 1)), data.draw(st.integers(0, columns * spatial - 1))
    masks[t, y, x] = 0.7
    cells = frames_to_cells(masks, spatial, 4)
    assert cells.shape == (groups + 1, rows, columns)
    assert cells.count_nonzero() == 1 and cells[(t + 3) // 4, y // spatial, x // spatial] == torch.tensor(0.7)


def test_a_cell_stands_for_all_its_frames_and_pixels():
    cells = torch.zeros(3, 4, 5, dtype=torch.bool)
    cells[0, 0, 0] = cells[2, 1, 3] = True
    frames = cells_to_frames(cells, 8, 4)
    assert frames.shape == (9, 32, 40)
    assert frames[0].sum() == 64 and frames[0, :8, :8].all() and not frames[1:5].any()
    assert frames[5:9, 8:16, 24:32].all() and frames.sum() == 64 + 4 * 64
