"""What a user is told: true, complete, and in words."""

import json

import torch
from drawn_rows import at, letters, scene, video, white

from clear_runtime.find.marks import find_text, marked
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.report import Line, Report, stretches_of

LINE, OTHER, SCORE = at(letters(1, 14), 150, 70), at(letters(2, 10), 150, 90), at(letters(3, 5), 8, 8)


def told(frames, options=MarkOptions()):
    report = Report()
    for _ in marked(frames, white, options, report=report):
        pass
    return report


def test_lines_are_told_with_their_frames_and_the_gap_between_them():
    report = told(video(scene(60), (LINE, slice(6, 20)), (OTHER, slice(30, 50)), (SCORE, slice(0, 60))))
    assert [(line.first, line.stop, line.rows) for line in report.removed] == [(6, 20, 1), (30, 50, 1)]
    words = report.text().splitlines()
    assert words[0] == "Subtitles in 34 of 60 frames. Nothing frames 0-5, frames 20-29, frames 50-59."
    assert words[-1].startswith("Left: frames 0-59, 1 row, letters of 14 px") and words[-1].endswith(
        "stands in a corner"
    )
    assert "0:00.2-0:00.8" in report.text(fps=25)


def test_rows_of_one_line_are_one_entry():
    below = at(letters(4, 12), 168, 80)
    report = told(video(scene(60), (LINE, slice(6, 40)), (below, slice(6, 40))))
    (line,) = report.removed
    assert line.rows == 2 and line.box[1] <= 150 and line.box[1] + line.box[3] >= 180


def test_finding_nothing_is_said_with_what_to_do():
    text = told(video(scene(20))).text()
    assert text.startswith("No subtitle was found in 20 frames.") and "threshold" in text


def test_a_picture_in_a_videos_place_is_told():
    assert "single frame" in Report(1).text() and "single frame" not in Report(2).text()


def test_what_hardly_reads_as_text_is_counted_and_not_named():
    line = lambda goes, sure: Line(0, 20, 1, (0, 0, 9, 9), 9, sure, goes, "moves", True)
    report = Report(20, [line(True, 0.9), line(False, 0.9), line(False, 0.6), line(False, 0.7)])
    assert report.text().count("Left:") == 1 and "Not named: 2 that hardly read as text." in report.text()
    assert len(json.loads(report.json())["lines"]) == 4
    alone = Report(20, [line(False, 0.6)]).text()
    assert alone.count("Left:") == 1 and "Not named" not in alone, "it may be the subtitle"


def test_text_that_was_left_is_no_reason_for_a_lower_threshold():
    text = told(video(scene(60), (SCORE, slice(0, 60)))).text()
    assert text.startswith("No subtitle was found in 60 frames: the text there is left") and "threshold" not in text
    assert "switch subtitles_only off" in text and text.endswith("stands in a corner")


def test_what_is_only_marked_is_not_called_removed():
    here, corner = (LINE, slice(6, 20)), (SCORE, slice(0, 60))
    for frames, said in ((video(scene(60), here), "Marked: frames 6-19"), (video(scene(60), corner), "only off.")):
        report = Report(removes=False)
        for _ in marked(frames, white, report=report):
            pass
        assert said in report.text() and "Removed" not in report.text() and "connect" not in report.text()


def test_the_same_for_programs():
    data = json.loads(told(video(scene(60), (LINE, slice(6, 40)))).json())
    assert data["frames"] == 60 and data["lines"][0]["goes"] and data["lines"][0]["first"] == 6
    assert data["still_there"] == []


def test_stretches():
    assert stretches_of([]) == [] and stretches_of([1, 2, 3, 7, 9, 10]) == [(1, 4), (7, 8), (9, 11)]


def test_spans_hold_the_marks_of_a_finding():
    finding = find_text(video(scene(60), (LINE, slice(6, 20))), white)
    (span,) = finding.spans()
    assert (span.first, span.stop) == (6, 20)
    assert torch.equal(span.mark(10), span.region.of(finding.marks(10)[None])[0])
