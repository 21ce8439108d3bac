"""Spans hold what was found, small, and give it back; the two passes make what one run makes."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_parts import SMALL, engine, white

from clear_runtime.find.spans import LONGEST, Span, spans_of, with_marks
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import find, remove, replace


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_marks_come_back_bit_for_bit(shown, height, width, seed):
    rng = np.random.default_rng(seed)
    marks = [torch.from_numpy(rng.random((height, width)) < (0.2 if some else 0.0)) for some in shown]
    spans = list(spans_of(iter(marks)))
    assert all(a.stop <= b.first for a, b in zip(spans, spans[1:]))
    back = [mark for _, mark in with_marks((torch.zeros(height, width, 3) for _ in marks), spans)]
    assert all(torch.equal(a, b) for a, b in zip(marks, back))


def test_a_span_is_small_and_no_longer_than_it_may_be():
    marks = torch.zeros(2 * LONGEST + 3, 90, 160, dtype=torch.bool)
    marks[1:, 70:80, 40:120] = True
    spans = list(spans_of(marks))
    assert [(span.first, span.stop) for span in spans] == [(1, 251), (251, 501), (501, 503)]
    assert all(span.region.height == 10 and span.region.width == 80 for span in spans)
    assert spans[0].bytes == LONGEST * 100 < marks[:LONGEST].numel() / 100


def test_find_then_replace_is_remove():
    frames = torch.rand(1, 24, 36, 3, generator=torch.Generator().manual_seed(0)).repeat(40, 1, 1, 1) * 0.9
    frames[10:30, 14:17, 8:28] = 1
    options = RemoveOptions.of(**SMALL)
    whole = list(remove(iter(frames), engine(), white, options))
    spans = list(find(frames, white, options.marking).spans())
    assert [(span.first, span.stop) for span in spans] == [(10, 30)] and isinstance(spans[0], Span)
    parts = list(replace(with_marks(iter(frames), spans), engine(), options))
    assert len(parts) == len(whole) == 40
    assert all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(whole, parts))
