"""A generated film, and what becomes of it when nothing stops the run."""

import pytest
from tiny_film import Noisy, job, read, write_film

from clear_runtime.film import segments
from clear_runtime.film.run import clean
from clear_runtime.find.report import Report


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SECONDS", 1)


@pytest.fixture(scope="module")
def whole(film, tmp_path_factory):
    """(engine, report, what was done, frames of the result) of a run that nothing stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SECONDS", 1)
        engine, report = Noisy(), Report()
        done = clean(job(film, tmp_path_factory.mktemp("whole") / "clean.mp4", engine), report=report)
    return engine, report, done, read(done.output)[1]
