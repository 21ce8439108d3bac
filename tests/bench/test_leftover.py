"""What a text detector still finds in a cleaned film, with a detector that takes white boxes for text."""

import av
import numpy as np
import pytest
import torch
from scipy import ndimage

from clear_runtime.bench import leftover as bench
from clear_runtime.bench.ocr import ReadLine
from clear_runtime.cli.main import main
from clear_runtime.errors import ClearError


def white_boxes(frame):
    found = ndimage.find_objects(ndimage.label(frame.mean(-1).numpy() > 0.8)[0])
    return [
        ReadLine(np.array([[x.start, y.start], [x.stop, y.stop]], np.float32), "", 1.0)
        for y, x in found
        if x.stop - x.start > 8
    ]


def film(path, lines, count=7):
    frames = torch.full((count, 64, 96, 3), 0.3)
    for top in lines:
        frames[:, top : top + 6, 20:70] = 1
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for frame in (255 * frames).byte().numpy():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())
    return path


def test_boxes_in_the_area_are_counted_and_what_is_outside_compared(tmp_path):
    source, result = film(tmp_path / "a.mp4", [4, 50]), film(tmp_path / "b.mp4", [4])
    found = bench.leftover(source, result, white_boxes, every=3)
    assert (found.before, found.after, found.frames) == (3, 0, 3) and found.outside > 40
    everywhere = bench.leftover(source, source, white_boxes, "subtitle 0%,0%,100%,100%", every=3)
    assert (everywhere.before, everywhere.after, everywhere.outside) == (6, 6, bench.EQUAL)


def test_another_film_is_refused(tmp_path):
    source, result = film(tmp_path / "a.mp4", [50]), film(tmp_path / "b.mp4", [50], count=5)
    with pytest.raises(ClearError, match="has not the frames of"):
        bench.leftover(source, result, white_boxes, every=1)


def test_the_command_prints_a_row_for_each_film(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(bench, "load_reader", lambda: white_boxes)
    source, result = film(tmp_path / "a.mp4", [4, 50]), film(tmp_path / "b.mp4", [4])
    with caplog.at_level("INFO"):
        main(["bench", "leftover", *map(str, (source, result, source, source)), "--every", "3"])
    assert "| a | 3 | 3 | 99.00 |" in caplog.text and "| **all** | 6 | 3 |  |" in caplog.text
    with pytest.raises(SystemExit, match="SOURCE RESULT pairs"):
        main(["bench", "leftover", str(source)])
