"""Pieces cover a film once, keep to their shots, and may be cut where no window reaches back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clear_runtime.film.layout import Piece, next_border, pieces_of, windows_from


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 380), st.integers(1, 60)), max_size=8),
    st.lists(st.integers(1, 399), max_size=5, unique=True),
    st.sampled_from([0, 4, 16]),
    st.booleans(),
)
def test_pieces_cover_every_frame_once(texts, cuts, around, known):
    texts, shots = [(first, min(400, first + length)) for first, length in texts], [0, *sorted(cuts)]
    pieces = pieces_of(texts, shots, around, 400, goes_on=not known)
    assert pieces[0].first == 0 and all(a.stop == b.first for a, b in zip(pieces, pieces[1:]))
    assert pieces[-1].stop == (400 if known else None)
    worked = {t for piece in pieces if piece.works for t in range(piece.first, piece.stop)}
    assert worked >= {t for first, stop in texts for t in range(first, stop)}
    for piece in pieces:
        if piece.works:
            assert not any(piece.first < cut < piece.stop for cut in shots)
            assert piece.first % 4 == 0 or piece.first in shots or around == 0 or piece.first == 0
    if not texts:
        assert len(pieces) == 1


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 300), st.integers(0, 320), st.sampled_from([(5, 0), (17, 4), (81, 16)]))
def test_what_comes_after_a_border_needs_no_window_before_it(length, after, sizes):
    piece = Piece(40, 40 + length, True)
    border = next_border(piece, 40 + after, *sizes)
    if border is None:
        assert after > length
        return
    assert 40 + after <= border <= piece.stop
    needed, all_of_them = windows_from(piece, border, *sizes), piece.windows(*sizes)
    assert needed == all_of_them[len(all_of_them) - len(needed) :]
    assert all(one.stop <= border for one in all_of_them[: len(all_of_them) - len(needed)])


@pytest.mark.parametrize("at, windows", [(40, 3), (75, 3), (90, 0)])
def test_what_is_painted_in_one_go_is_not_cut(at, windows):
    piece = Piece(40, 90, True, in_one_go=True)
    assert next_border(piece, at, 17, 4) == 90 and next_border(piece, 91, 17, 4) is None
    assert len(windows_from(piece, at, 21, 4)) == windows
    assert [one for one in pieces_of([(40, 90)], [0], 0, 200, in_one_go=True) if one.works] == [piece]


def test_frames_that_pass_through_may_be_cut_anywhere():
    assert next_border(Piece(10, 20, False), 5, 17, 4) == 10
    assert next_border(Piece(10, 20, False), 15, 17, 4) == 15
    assert next_border(Piece(10, None, False), 99, 17, 4) == 99
    assert next_border(Piece(10, 20, False), 21, 17, 4) is None
