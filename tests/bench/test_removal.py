"""Cases are read and checked; masks and removals are scored against figures known beforehand."""

import numpy as np
import pytest
import torch

from clear_runtime.bench.baselines import TEXT_BOXES, TRUE_MASK, TRUE_MASK_FILL
from clear_runtime.bench.cases import CHANGED, GROW, read_case
from clear_runtime.bench.masks import box_masks, prior_masks
from clear_runtime.bench.ocr import ReadLine
from clear_runtime.bench.removal import Evaluation
from clear_runtime.bench.scores import Scores
from clear_runtime.bench.tables import mask_table, removal_tables
from clear_runtime.errors import ClearError

FRAMES, HEIGHT, WIDTH = 9, 96, 160
ROWS, COLUMNS = slice(70, 82), slice(40, 120)


@pytest.fixture
def folder(tmp_path):
    """A grey clip with a white bar for a subtitle, from the third frame on."""
    clean = np.full((FRAMES, HEIGHT, WIDTH, 3), 100, np.uint8)
    subtitled, mask = clean.copy(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    subtitled[2:, ROWS, COLUMNS] = 255
    mask[2:, ROWS, COLUMNS] = True
    where = tmp_path / "bar"
    where.mkdir()
    for name, values in (("input", subtitled), ("clean", clean), ("mask", mask)):
        np.save(where / f"{name}.npy", values)
    return where


def bright(frames):
    """A prior that knows what a white bar is, and takes a corner for one too."""
    soft = (frames.amin(-1) > 0.9).float()
    soft[:, :4, :4] = 1
    return soft


def bar_reader(picture):
    rows, columns = (picture[..., 0] > 0.9).nonzero(as_tuple=True)
    if not len(rows):
        return []
    left, top, right, bottom = (float(v) for v in (columns.min(), rows.min(), columns.max(), rows.max()))
    return [ReadLine(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32), "a bar", 1.0)]


def test_a_case_is_read_and_its_mask_is_found_where_none_is_given(folder):
    case = read_case(folder)
    assert case.name == "bar" and case.mask.sum() == 7 * 12 * 80 and case.subtitled.max() == 1
    assert case.grown.sum() == 7 * (12 + 2 * GROW) * (80 + 2 * GROW)
    (folder / "mask.npy").unlink()
    assert torch.equal(read_case(folder).mask, case.mask) and CHANGED < 155 / 255


@pytest.mark.parametrize(
    "name,values,said",
    [
        ("mask", np.zeros((FRAMES, HEIGHT, WIDTH), bool), "no subtitle"),
        ("mask", np.ones((2, HEIGHT, WIDTH), bool), "same clip"),
        ("clean", np.zeros((FRAMES, HEIGHT, WIDTH - 2, 3), np.uint8), "same clip"),
    ],
)
def test_cases_that_do_not_fit_are_refused(folder, name, values, said):
    np.save(folder / f"{name}.npy", values)
    with pytest.raises(ClearError, match=said):
        read_case(folder)


def test_a_case_without_a_clean_original_is_refused(folder):
    (folder / "clean.npy").unlink()
    with pytest.raises(ClearError, match="clean.mp4"):
        read_case(folder)


def test_the_prior_is_scored_alone_and_as_the_remover_uses_it(folder):
    case = read_case(folder)
    found = prior_masks(case, bright)
    alone, used = found["prior, single frames"].report(), found["prior, as used"].report()
    assert alone["recall"] == 1 and alone["iou"] == pytest.approx(7 * 960 / (7 * 960 + 9 * 16))
    assert used["iou"] == 1  # the corner is no line
    boxes = box_masks(
        case, {4: [ReadLine(np.array([[40, 70], [119, 70], [119, 75], [40, 75]], np.float32), "", 0)]}
    ).report()
    assert boxes["precision"] == 1 and boxes["recall"] == 0.5


def test_each_method_has_a_row_and_the_tables_a_mean(folder):
    columns = ["subtitled input", "clean original", "fill alone"]
    found, row = Evaluation(columns, 1, bright, None, None, read=bar_reader, every=4)(read_case(folder))
    assert row["subtitled input"].still_read == row["subtitled input"].boxes == row["subtitled input"].worst == 1
    assert row["fill alone"].still_read == row["fill alone"].boxes == 0 and row["fill alone"].psnr > 50
    assert row["clean original"].psnr == float("inf") and row["clean original"].flicker == 0
    text = removal_tables({"bar": row, "other": {**row, "fill alone": Scores(10.0, 1.0, boxes=1.0, still_read=0.5)}})
    assert "| other | " in text and "| **mean** | 100.0% | 0.0% | 25.0% |" in text and "LPIPS" not in text
    assert "OCR boxes" in mask_table({"bar": found})
    assert "| **all** | " in mask_table({"bar": found})


def test_opencv_and_the_fill_paint_the_true_mask_and_opencv_what_a_text_detector_marks(folder):
    pytest.importorskip(
        "cv2",
        reason="inpainting by OpenCV needs the extra `evaluate`, which brings it and so a graphics library that "
        "servers may lack",
    )
    _, row = Evaluation([TEXT_BOXES, TRUE_MASK, TRUE_MASK_FILL], 1, bright, None, None, read=bar_reader, every=4)(
        read_case(folder)
    )
    assert all(scores.psnr > 45 and scores.still_read == 0 for scores in row.values())
    half = lambda frame: [
        ReadLine(line.corners - np.float32([40, 0]), line.text, line.score) for line in bar_reader(frame)
    ]
    _, row = Evaluation([TEXT_BOXES, TRUE_MASK], 1, bright, None, None, read=half, every=4)(read_case(folder))
    assert row[TEXT_BOXES].psnr < 15 < 45 < row[TRUE_MASK].psnr, "what no box holds stays"


def test_a_file_that_some_remover_left_is_scored_too(folder):
    with pytest.raises(ClearError, match="result.mp4"):
        Evaluation(["result"], 1, bright, None, None)(read_case(folder))
    np.save(folder / "result.npy", np.load(folder / "input.npy"))
    _, row = Evaluation(["subtitled input", "result"], 1, bright, None, None)(read_case(folder))
    assert row["result"] == row["subtitled input"]
    np.save(folder / "result.npy", np.load(folder / "input.npy")[:-1])
    with pytest.raises(ClearError, match="same clip"):
        read_case(folder).result()


def test_text_boxes_are_not_painted_over_without_a_reader(folder):
    with pytest.raises(ClearError, match="--ocr"):
        Evaluation([TEXT_BOXES], 1, bright, None, None)(read_case(folder))


def test_memory_is_said_for_each_way(caplog):
    from clear_runtime.cli.main import main

    for way in ("nano", "whole", "raw", "film"):
        with caplog.at_level("INFO"):
            main(["bench", "memory", way, "--size", "96", "160", "--frames", "9"])
        assert f"{way}, 9 frames of 160x96" in caplog.text
