"""Segments that others make: whoever makes them, in whichever order, the film is that of one run."""

import hashlib
import os
import sys
from pathlib import Path

import pytest
import torch
from backwards import Backwards
from tiny_film import BRIEF, FRAMES, Noisy, Stopped, job, read, write_film

from clear_runtime.cli import main as command_line
from clear_runtime.cli import remove
from clear_runtime.errors import ClearError
from clear_runtime.film import finish, on_ray
from clear_runtime.film.elsewhere import Parcel
from clear_runtime.film.run import clean


@pytest.fixture
def digests(monkeypatch):
    """What the segments of the last film are, byte for byte, by name."""
    kept, join = {}, finish.join_all

    def joined(work, found, *rest):
        kept.clear()
        kept.update({one.file: hashlib.sha256((work.folder / one.file).read_bytes()).hexdigest() for one in found})
        join(work, found, *rest)

    monkeypatch.setattr("clear_runtime.film.run.join_all", joined)
    return kept


def test_segments_in_any_order_are_those_of_one_run_byte_for_byte(film, whole, tmp_path, digests):
    clean(job(film, tmp_path / "alone.mp4"))
    alone, workers, engine = dict(digests), Backwards(), Noisy()
    done = clean(job(film, tmp_path / "clean.mp4", engine, workers=workers))
    assert digests == alone and len(workers.made) == len(alone) > 5
    assert not engine.windows and workers.required == film
    assert (tmp_path / "clean.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
    assert (done.frames, done.changed) == (FRAMES, whole[2].changed)


def test_what_workers_have_finished_is_gone_on_from_with_and_without_them(film, whole, tmp_path):
    def stop(now):
        if now.stage == "cleaning" and now.done >= 200:
            raise Stopped

    workers, engine, target = Backwards(), Noisy(), tmp_path / "clean.mp4"
    with pytest.raises(Stopped):
        clean(job(film, target, workers=workers), stop)
    made = [first for first, _ in workers.made]
    assert 0 not in made and made, "the end is there, and the beginning is not"
    clean(job(film, target, engine))
    assert max(stop for _, stop in engine.windows) <= min(made), "nothing is made twice"
    assert torch.equal(read(target)[1], whole[3])


def test_an_end_that_nobody_has_looked_at_is_made_here(film, tmp_path):
    one = clean(job(film, tmp_path / "alone.mp4", start="1", end="8"))
    workers = Backwards()
    other = clean(job(film, tmp_path / "clean.mp4", start="1", end="8", workers=workers))
    assert workers.made and max(stop for _, stop in workers.made) <= 200 and one.frames == other.frames == FRAMES
    assert (tmp_path / "clean.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def test_where_a_worker_has_too_little_memory_the_window_is_halved_and_the_film_is_made(brief, tmp_path):
    first = 0
    workers = Backwards(short_at=first)
    done = clean(job(brief, tmp_path / "clean.mp4", workers=workers))
    assert done.frames == BRIEF and any("Memory ran out with a window of 17" in note for note in done.notes)
    assert workers.made.count((first, workers.made[-1][1])) == 1 and workers.made[-1][0] == first


def test_what_a_worker_refuses_is_said_and_what_is_finished_stays(brief, tmp_path):
    target = tmp_path / "clean.mp4"
    with pytest.raises(ClearError, match="no room on a worker"):
        clean(job(brief, target, workers=Backwards(refused_at=0)))
    workers = Backwards()
    clean(job(brief, target, workers=workers))
    assert [first for first, _ in workers.made] == [0]


def test_a_segment_that_was_damaged_on_its_way_is_not_kept(brief, tmp_path):
    class Damaging(Backwards):
        def make(self, order, cuts):
            for parcel in super().make(order, cuts):
                yield parcel and Parcel(parcel.segment, {name: data[:-1] for name, data in parcel.files.items()})

    with pytest.raises(ClearError, match="was damaged on its way"):
        clean(job(brief, tmp_path / "clean.mp4", workers=Damaging()))
    assert not list((tmp_path / "clean.mp4.unfinished").glob("segment_*"))


def test_without_ray_the_command_says_how_to_get_it_before_any_work(brief, tmp_path, monkeypatch):
    monkeypatch.setattr(on_ray, "find_spec", lambda name: None)
    monkeypatch.setattr(remove, "load_prior", lambda *_: pytest.fail("work began"))
    with pytest.raises(
        SystemExit, match='need Ray, which is not installed. Install it with `python -m pip install "ray'
    ):
        command_line.main(
            ["remove", str(brief), "-o", str(tmp_path / "clean.mp4"), "--engine", "fill", "--ray", "local"]
        )
    assert not list(tmp_path.iterdir())


@pytest.fixture
def one_thread():
    """A worker takes one core: two of them run side by side on two."""
    pytest.importorskip("ray", reason="Ray is an extra")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_on_a_local_ray_of_two_workers_as_on_one_machine(tmp_path, digests, one_thread, caplog):
    if (os.cpu_count() or 1) < 2:
        pytest.skip("two workers need two cores")
    caplog.set_level("INFO")
    film = write_film(tmp_path / "film.mp4", 110)
    common = ["--engine", "fill", "--device", "cpu", "--no-subtitles-only", "--window", "17", "--overlap", "4"]
    command_line.main(["remove", str(film), "-o", str(tmp_path / "alone.mp4"), *common])
    alone = dict(digests)
    assert "ray" not in sys.modules or not sys.modules["ray"].is_initialized()
    command_line.main(["remove", str(film), "-o", str(tmp_path / "clean.mp4"), *common, "--ray", "local"])
    assert digests == alone and len(alone) > 2
    assert "Ray: 1 machine, " in caplog.text
    assert (tmp_path / "clean.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def test_a_film_that_a_machine_does_not_have_is_said():
    there = on_ray.machine({Path("gone.mp4"): {"bytes": 1, "digest": ""}})
    with pytest.raises(ClearError, match="The worker on far cannot go by the same files: gone.mp4 cannot be read"):
        on_ray._compare("far", there, on_ray.machine({}))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_ray_that_is_not_there_is_said_at_once(monkeypatch, address):
    monkeypatch.setattr(on_ray, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "ray", None)  # an import would fail
    with pytest.raises(ClearError, match=f"There is no Ray at {address} "):
        with on_ray.on_ray(address, Backwards.parts, "cpu"):
            pytest.fail("connected")


def test_a_worker_with_another_encoder_is_refused_and_one_with_another_torch_is_told(caplog):
    here = on_ray.machine({})
    with pytest.raises(ClearError, match="far has PyAV 0, here it is"):
        on_ray._compare("far", on_ray.Machine("", {**here.versions, "av": "0"}), here)
    on_ray._compare("far", on_ray.Machine("", {**here.versions, "torch": "0"}), here)
    assert "far: torch 0, here" in caplog.text
