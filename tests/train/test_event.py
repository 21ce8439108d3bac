"""What a training tells of itself."""

import pytest

from clear_runtime.train import event


@pytest.mark.parametrize("each, done, left", [(1, 1, 27), (3, 3, 7)])
def test_the_time_left_is_that_of_what_is_left_at_the_pace_of_now(monkeypatch, each, done, left):
    now = [100.0]
    monkeypatch.setattr(event.time, "monotonic", lambda: now[0])
    pace = event.UnitsLeft(each)
    now[0] += 3
    assert pace.left(done, 10) == pytest.approx(left)
    now[0] += 3
    assert pace.left(2 * done, 10) == pytest.approx(6 / (2 * each) * (10 - 2 * done))


def test_what_was_there_at_the_start_does_not_count_for_the_pace(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(event.time, "monotonic", lambda: now[0])
    pace = event.UnitsLeft()
    now[0] = 5
    assert pace.left(91, 100) == pytest.approx(45)


def test_a_picture_is_drawn_only_when_it_is_asked_for():
    drawn = []
    told = event.TrainingEvent("training", 1, 2, 1, 2, draw=lambda: drawn.append(1) or "picture")
    assert not drawn and told.picture == "picture" and drawn == [1]
    assert event.TrainingEvent("training", 1, 2, 1, 2).picture is None
