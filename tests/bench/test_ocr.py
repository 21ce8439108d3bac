"""Which lines belong to the subtitle, what of them is still read, and both ways to look at a frame."""

import builtins

import numpy as np
import pytest
import torch

from clear_runtime.bench import ocr
from clear_runtime.data.synthetic.burn import Style, burn, render
from clear_runtime.errors import ClearError

HEIGHT, WIDTH = 120, 320


def line(left, top, right, bottom, text="text", score=0.9):
    return ocr.ReadLine(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32), text, score)


@pytest.fixture
def mask():
    """Strokes, 4 pixels wide with as much between them, where a line of text would be."""
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    for left in range(80, 240, 8):
        mask[90:106, left : left + 4] = True
    return mask


def test_boxes_are_filled_also_when_they_lean():
    leaning = ocr.ReadLine(np.array([[20, 10], [60, 30], [50, 50], [10, 30]], np.float32), "", 0.0)
    found = ocr.filled([leaning, line(100, 40, 119, 59)], HEIGHT, WIDTH)
    assert found.shape == (HEIGHT, WIDTH) and found[30, 35] and not found[12, 50] and not found[45, 12]
    assert found[:, 90:].sum() == 20 * 20
    assert not ocr.filled([], HEIGHT, WIDTH).any()


def test_only_lines_on_the_subtitle_count_in_reading_order(mask):
    on = [line(160, 89, 238, 107, "second"), line(80, 90, 155, 106, "first")]
    off = [line(10, 10, 100, 40, "sign"), line(80, 20, 240, 110, "far larger than the line")]
    assert [kept.text for kept in ocr.on_subtitle(on + off, mask)] == ["first", "second"]


def test_text_leaves_out_spaces_case_and_what_was_hardly_read():
    assert (
        ocr.text_of([line(0, 0, 9, 9, "We Should"), line(0, 0, 9, 9, "x", 0.3), line(0, 0, 9, 9, "go")]) == "weshouldgo"
    )


@pytest.mark.parametrize(
    "before,after,share",
    [("abcd", "abcd", 1), ("abcd", "", 0), ("", "abcd", 0), ("abcd", "xxbcx", 0.5), ("abcd", "dcba", 0.25)],
)
def test_still_read_is_a_share_of_what_was_there(before, after, share):
    assert ocr.still_read(before, after) == pytest.approx(share)


def test_both_views_speak_of_the_same_place(mask):
    frame = torch.zeros(HEIGHT, WIDTH, 3)
    frame[90:106, 80:240] = 1
    sizes = []

    def bright(picture):
        sizes.append(tuple(picture.shape[:2]))
        rows, columns = (picture[..., 0] > 0.5).nonzero(as_tuple=True)
        return [line(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]

    whole, band = ocr.two_views(bright, frame, mask)
    assert sizes[0] == (HEIGHT, WIDTH) and sizes[1] == (3 * (120 - 74), 3 * (236 + 16 - 64))
    assert np.abs(whole[0].corners - band[0].corners).max() <= 1
    seen = ocr.read_at_subtitle(bright, frame, mask, mask)
    assert seen == ocr.Seen((1, 1), ("text", "text")) and seen.share(seen) == 1
    assert ocr.Seen((0, 1), ("", "te")).share(seen) == 0.5


def test_what_is_missing_is_named(monkeypatch):
    def without(name, *args, _import=builtins.__import__, **options):
        if name == "rapidocr":
            raise ModuleNotFoundError("No module named 'rapidocr'", name="rapidocr")
        return _import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ClearError, match="pip install.*rapidocr"):
        ocr.load_reader()


def test_a_burned_line_is_read_and_its_clean_picture_is_not():
    pytest.importorskip(
        "rapidocr",
        reason="reading text needs the extra `evaluate`, which brings OpenCV and so a graphics library that servers "
        "may lack",
    )
    ground = np.broadcast_to(np.linspace(60, 140, 960)[:, None] + [0, 10, 20], (1, 240, 960, 3)).astype(np.uint8)
    subtitled, mask = burn(ground, [(0, 1, render(["Tomorrow we leave"], Style(size=34), 960, 240, (480, 190)))])
    read, where = ocr.load_reader(), torch.from_numpy(mask[0])
    before, after = (
        ocr.read_at_subtitle(read, torch.from_numpy(frames[0]) / 255, where, where) for frames in (subtitled, ground)
    )
    assert all(ocr.still_read("tomorrowweleave", text) > 0.8 for text in before.texts)
    assert after == ocr.Seen((0, 0), ("", "")) and after.share(before) == 0
