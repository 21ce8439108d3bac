"""Marks that add up to a line stay, whatever their size; specks go."""

import pytest
import torch

from clear_runtime.find.lines import keep_lines


@pytest.mark.parametrize("height,width", [(352, 640), (720, 1280), (640, 360), (241, 433)])
def test_letters_of_a_line_stay_and_specks_go(height, width):
    mask = torch.zeros(2, height, width)
    size, top = max(height, width) // 40, int(height * 0.85)
    for k in range(6):  # letters with gaps, each of them too small to stay alone
        mask[0, top : top + size, width // 4 + 3 * k * size // 2 : width // 4 + 3 * k * size // 2 + size // 2] = 1
    line = mask[0].clone()
    mask[:, height // 5 : height // 5 + size // 2, 3 : 3 + size // 2] = 1
    kept = keep_lines(mask)
    assert torch.equal(kept[0], line) and not kept[1].any()


def test_nothing_and_everything_come_back():
    assert not keep_lines(torch.zeros(3, 20, 30)).any()
    assert keep_lines(torch.ones(1, 20, 30, dtype=torch.bool)).all()
    assert keep_lines(torch.zeros(0, 20, 30)).shape == (0, 20, 30)


@pytest.mark.parametrize("top, left", [(170, 4), (170, 540), (4, 280), (330, 280)])
def test_words_at_an_edge_but_in_no_corner_stay(top, left):
    """In the middle of the left, right, upper and lower edge: a corner is one by rows and by columns."""
    mask = torch.zeros(1, 352, 640)
    mask[0, top : top + 18, left : left + 96] = 1
    assert torch.equal(keep_lines(mask), mask)


def test_graphics_in_a_corner_are_no_lines():
    mask = torch.zeros(1, 352, 640)
    mask[0, 20:60, 20:140] = 1  # a score, top left
    mask[0, 320:340, 560:630] = 1  # a logo, bottom right
    line = torch.zeros(1, 352, 640)
    line[0, 300:320, 40:400] = 1  # a line that begins in a corner and leaves it
    line[0, 20:40, 300:340] = 1  # a short word at the top, in the middle
    assert torch.equal(keep_lines(mask + line), line)
    assert torch.equal(keep_lines(mask + line, corners=True), mask + line)
