"""Masks from what the network changed."""
import torch

from clear_runtime.difference import cells_to_frames, changed_cells


def latents(seed=0):
    return torch.randn(1, 16, 5, 12, 20, generator=torch.Generator().manual_seed(seed))


def test_a_subtitle_stands_out_from_the_networks_noise():
    before = latents()
    for noise in (0.0, 0.05, 0.3):
        after = before + noise * latents(1)
        assert not changed_cells(before, after).any()  # nothing is found where nothing was removed
        after[:, :, 1:4, 8:10, 3:17] += 2 * latents(2)[:, :, 1:4, 8:10, 3:17]
        expected = torch.zeros(5, 12, 20, dtype=torch.bool)
        expected[1:4, 8:10, 3:17] = True
        assert torch.equal(changed_cells(before, after), expected)


def test_a_cell_stands_for_all_its_frames_and_pixels():
    cells = torch.zeros(3, 4, 5, dtype=torch.bool)
    cells[0, 0, 0] = cells[2, 1, 3] = True
    frames = cells_to_frames(cells, 8, 4)
    assert frames.shape == (9, 32, 40)
    assert frames[0].sum() == 64 and frames[0, :8, :8].all() and not frames[1:5].any()
    assert frames[5:9, 8:16, 24:32].all() and frames.sum() == 64 + 4 * 64
