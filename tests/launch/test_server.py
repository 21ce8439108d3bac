"""The server's life: it starts, it stops, and what went wrong is said."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paths import ROOT

from launch import server
from launch.console import Problem, undisturbed

FAKE_COMFYUI = """
import http.server, json, os, sys
if os.environ.get("FAKE_FAILS"):
    sys.exit("no module named warp_drive")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"system": {}, "argv": sys.argv}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
port = int(sys.argv[sys.argv.index("--port") + 1])
open(os.environ["FAKE_PID"], "w").write(str(os.getpid()))
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.fixture
def fake_tree(tmp_path, monkeypatch):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed; it comes with ComfyUI")
    tree = tmp_path / "ComfyUI"
    (tree / "comfy").mkdir(parents=True)
    (tree / "main.py").write_text(FAKE_COMFYUI)
    (tree / "nodes.py").touch()
    (tree / "requirements.txt").touch()
    monkeypatch.setenv("FAKE_PID", str(tmp_path / "pid"))
    return tree


def alive(pid):
    status = Path(f"/proc/{pid}/status")
    if status.parents[1].is_dir() and Path("/proc/self/status").exists():
        return status.exists() and "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_server_stops_and_its_folder_goes_even_when_the_work_fails(fake_tree, tmp_path):
    with pytest.raises(RuntimeError, match="work"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True) as running:
            assert "--cpu" in running.get("/system_stats")["argv"]
            assert (running.base / "custom_nodes" / server.PACK_NAME / "run.py").is_file()
            pid, base = running.process.pid, running.base
            raise RuntimeError("work")
    assert not alive(pid) and not base.exists()


def test_a_server_that_dies_at_the_start_is_explained(fake_tree, monkeypatch):
    monkeypatch.setenv("FAKE_FAILS", "1")
    with pytest.raises(Problem, match="(?s)stopped while it started.*warp_drive") as told:
        with server.Server(Path(sys.executable), fake_tree, cpu=True):
            pytest.fail("it cannot have started")
    assert "Fatal Python error" not in str(told.value), "an end of its own is no crash"


def test_a_server_that_never_answers_is_given_up(fake_tree, monkeypatch):
    (fake_tree / "main.py").write_text("import time; print('loading', flush=True); time.sleep(60)")

    def nobody(self, *_, **__):
        if "loading" in self._log_text():
            monkeypatch.setattr(server, "START_BOUND", 0)
        raise OSError

    monkeypatch.setattr(server.Server, "get", nobody)
    with pytest.raises(Problem, match="(?s)did not answer within 0 s.*loading"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True):
            pytest.fail("it cannot have started")


HOLD = """
import sys, time
from pathlib import Path
from launch.console import ending_on_signals
from launch.server import Server
with ending_on_signals(), Server(Path(sys.executable), Path(sys.argv[1]), cpu=True):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_the_server_stops_on_signals(fake_tree, tmp_path, number):
    # a shell lets what it starts in the background ignore SIGINT, and the tests may have been started so
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(fake_tree)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while "up" not in (line := holder.stdout.readline()):
        assert line, holder.stderr.read()
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    holder.send_signal(number)
    holder.communicate(timeout=120)
    assert holder.returncode != 0 and not alive(pid)


def held(fake_tree, tmp_path):
    """Another process that holds a server: (it, the server's process id)."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(fake_tree)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)},
    )
    while "up" not in (line := holder.stdout.readline()):
        assert line
    return holder, int((tmp_path / "pid").read_text())


def gone(condition, tries=600):
    """Whether it comes true; the system takes a moment to tell the others that a process has died."""
    return any(condition() or time.sleep(0.1) for _ in range(tries))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_launcher_that_is_killed_takes_its_server_and_folder_with_it(fake_tree, tmp_path):
    holder, pid = held(fake_tree, tmp_path)
    assert list(tmp_path.glob("clear-comfyui-*"))
    holder.kill()
    holder.wait()
    assert gone(lambda: not alive(pid)) and gone(lambda: not list(tmp_path.glob("clear-comfyui-*")))


def test_a_server_that_is_kept_stays(fake_tree, tmp_path):
    with server.Server(Path(sys.executable), fake_tree, cpu=True) as running:
        running.keep = True
    try:
        assert alive(running.process.pid) and running.base.is_dir()
        assert "--cpu" in running.get("/system_stats")["argv"]
    finally:
        running.process.kill()
        running.process.wait()
        shutil.rmtree(running.base)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_server_that_the_system_has_killed_is_explained(fake_tree):
    with pytest.raises(Problem, match="(?s)ended during the run .exit code -9.*memory ran out"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True) as running:
            base = running.base
            running.process.kill()
            running.process.wait()
            running.get("/system_stats")
    assert not base.exists()


def test_finished_files_that_nobody_has_saved_stay_and_are_named(fake_tree, capsys):
    with pytest.raises(Problem, match="no space"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True) as running:
            (running.base / "output" / "clean.mp4").write_text("done")
            running.holds_results = True
            raise Problem("no space")
    try:
        assert (running.base / "output" / "clean.mp4").read_text() == "done"
        assert str(running.base / "output") in capsys.readouterr().out and not alive(running.process.pid)
    finally:
        shutil.rmtree(running.base)


def test_a_user_s_video_is_nowhere_twice(fake_tree, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    with server.Server(Path(sys.executable), fake_tree, cpu=True) as running:
        running.lend(film, "input.mp4")
        assert (running.base / "input" / "input.mp4").read_bytes() == b"film"
        assert sys.platform == "win32" or (running.base / "input" / "input.mp4").is_symlink()
    assert film.read_bytes() == b"film"


def test_a_full_folder_for_temporary_files_is_said(fake_tree, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(server.tempfile, "mkdtemp", full)
    with pytest.raises(Problem, match="temporary files .*No space left on device.*TMPDIR"):
        server.Server(Path(sys.executable), fake_tree, cpu=True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_nothing_disturbs_what_is_brought_to_its_end():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts tests may let them ignore it
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
