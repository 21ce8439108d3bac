"""Rows are joined by the size of their own letters, and are whole."""

import numpy as np
import pytest
from drawn_rows import at, letters

from clear_runtime.find.rows import rows_of

SIZE = (360, 640)


def soft(*marks, strength=255):
    out = np.zeros(SIZE, np.uint8)
    for mark in marks:
        out[mark] = strength
    return out


@pytest.mark.parametrize("scale", [1, 2, 4, 9])
def test_words_of_any_size_are_one_row(scale):
    word = letters(1, 4, scale)
    space = 5 * scale  # of a word
    line = np.concatenate([word, np.zeros((word.shape[0], space), bool), letters(2, 3, scale)], 1)
    (row,) = rows_of(soft(at(line, 200, 60, SIZE)), 0.5)
    assert row.marks.sum() == line.sum() and abs(row.letter - 7 * scale) <= scale and row.sure > 0.9


def test_rows_above_one_another_stay_apart_and_far_ones_beside_too():
    first, second = at(letters(1, 8), 300, 100, SIZE), at(letters(2, 8), 318, 120, SIZE)
    name = at(letters(3, 5), 300, 400, SIZE)
    found = rows_of(soft(first, second, name), 0.5)
    assert len(found) == 3 and sorted(row.marks.sum() for row in found) == sorted(
        mark.sum() for mark in (first, second, name)
    )


def test_a_column_is_one_upright_row_and_two_words_are_none():
    column = np.zeros(SIZE, bool)
    for n in range(5):
        column |= at(letters(n, 1, 3), 40 + 24 * n, 500, SIZE)
    (row,) = rows_of(soft(column), 0.5)
    assert row.upright and row.marks.sum() == column.sum()
    two = at(letters(1, 1, 3), 40, 500, SIZE) | at(letters(2, 1, 3), 64, 500, SIZE)
    assert not any(row.upright for row in rows_of(soft(two), 0.5))


def test_a_faint_letter_belongs_to_its_row_but_nothing_faint_stands_alone():
    sure, faint = at(letters(1, 6), 200, 100, SIZE), at(letters(2, 2), 200, 172, SIZE)
    marks = soft(sure)
    marks[faint] = 70
    (row,) = rows_of(marks, 0.5)
    assert row.marks.sum() == (sure | faint).sum()
    assert not rows_of(soft(faint, strength=70), 0.5)


def test_specks_and_empty_frames_have_no_rows():
    marks = soft()
    marks[100, 100] = marks[200:203, 300:303] = 255
    assert not rows_of(marks, 0.5) and not rows_of(soft(), 0.5)
