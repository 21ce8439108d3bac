"""A Ray of two machines: each has a raylet and an object store of its own, and whoever cleans joins by the address."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from ray_parts import Mortal
from tiny_film import job, write_film

from clear_runtime.errors import ClearError
from clear_runtime.film.on_ray import on_ray
from clear_runtime.film.run import clean

pytestmark = pytest.mark.slow
SUPPORT, STORE = Path(__file__).parents[1] / "support", 100 * 2**20


@pytest.fixture(scope="module")
def cluster():
    pytest.importorskip("ray", reason="Ray is an extra")
    from ray.cluster_utils import Cluster

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a worker takes as many cores
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(SUPPORT))
        one = dict(num_cpus=1, object_store_memory=STORE)
        cluster = Cluster(initialize_head=True, head_node_args={**one, "include_dashboard": False})
        cluster.add_node(**one)
        yield cluster
        cluster.shutdown()
    torch.set_num_threads(threads)


def alive(cluster) -> list[str]:
    return [node["NodeID"] for node in cluster.global_state.node_table() if node["Alive"]]


def test_a_film_is_that_of_one_machine_though_a_worker_dies_and_then_a_machine(cluster, tmp_path, caplog):
    caplog.set_level("INFO")
    seen, film = tmp_path / "seen", write_film(tmp_path / "film.mp4", 240)
    seen.mkdir()
    one = clean(job(film, tmp_path / "alone.mp4"))
    machines, gone = set(alive(cluster)), []
    assert len(machines) == 2

    def lose_a_machine(now):
        made = {path.name for path in seen.iterdir()} & machines
        if now.stage == "cleaning" and made == machines and now.done and not gone:
            gone.extend(cluster.worker_nodes)
            cluster.remove_node(gone[0], allow_graceful=False)

    with on_ray(cluster.address, Mortal(seen), "cpu") as workers:
        other = clean(job(film, tmp_path / "clean.mp4", workers=workers), lose_a_machine)
    assert "Ray: 2 machines, 2 workers at a time" in caplog.text
    assert (seen / "died").exists() and gone, "a worker died, and later a machine with all that it had made"
    assert (tmp_path / "clean.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
    assert (other.frames, other.changed, other.notes) == (one.frames, one.changed, one.notes)
    while len(alive(cluster)) > 1:  # the machine that was lost is not missed at once
        time.sleep(0.2)


def test_a_machine_that_does_not_see_the_film_is_named_before_anything_is_looked_at(cluster, tmp_path):
    hide = ["unshare", "--map-root-user", "--mount"]
    try:
        subprocess.run([*hide, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a machine without this folder needs a namespace of its own")
    film, before = write_film(tmp_path / "film.mp4", 20), set(alive(cluster))
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={cluster.address}", "--block"]
    start += ["--num-cpus=1", f"--object-store-memory={STORE}"]
    within = f'mount -t tmpfs none "{tmp_path}" && exec "$@"'
    slow = {**os.environ, "RAY_raylet_start_wait_time_s": "300"}
    blind = subprocess.Popen([*hide, "sh", "-c", within, "sh", *start], env=slow, start_new_session=True)
    try:
        while not set(alive(cluster)) - before:
            assert blind.poll() is None, "it did not begin"
            time.sleep(0.2)
        with on_ray(cluster.address, Mortal(tmp_path), "cpu") as workers:
            with pytest.raises(ClearError, match=r"cannot go by the same files: .*film\.mp4 cannot be read"):
                clean(job(film, tmp_path / "clean.mp4", workers=workers, prior=lambda frames: pytest.fail("looked")))
    finally:
        if blind.poll() is None:
            os.killpg(blind.pid, signal.SIGTERM)
        blind.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
