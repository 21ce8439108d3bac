"""A generated film, and what becomes of it when nothing stops the run."""

import pytest
from tiny_film import BRIEF, Noisy, job, read, write_film

from clear_runtime.film import segments
from clear_runtime.film.run import clean
from clear_runtime.find.report import Report


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="session")
def brief(tmp_path_factory):
    """Its beginning, with one line: where there is nothing to compare with `whole`."""
    return write_film(tmp_path_factory.mktemp("brief") / "film.mp4", BRIEF)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SECONDS", 1)


@pytest.fixture(scope="session")
def whole(film, tmp_path_factory):
    """(engine, report, what was done, frames of the result) of a run that nothing stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SECONDS", 1)
        engine, report = Noisy(), Report()
        done = clean(job(film, tmp_path_factory.mktemp("whole") / "clean.mp4", engine), report=report)
    return engine, report, done, read(done.output)[1]
