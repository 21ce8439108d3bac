"""A ComfyUI server of our own: headless, on a free port, in a folder that goes when it stops."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from . import PACK, PACK_NAME, tied
from .console import Problem, ProgressLine, Refused, say, tail, undisturbed

START_BOUND = 300  # seconds; a cold disk and a slow machine take about 60
LOCAL = "127.0.0.1"
# What of the repository a server needs, where links are not allowed and it has to be copied.
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "output", "tests", "__pycache__", ".pytest_cache")


class Server:
    """Use it in a `with` block; it is stopped at the end, whatever happened inside, unless `keep` is set."""

    def __init__(self, python: Path, tree: Path, cpu: bool, arguments: Sequence[str] = ()):
        """arguments: more of ComfyUI's own."""
        self.python, self.tree, self.cpu, self.arguments = python, tree, cpu, arguments
        with room_in_temp():
            self.base = Path(tempfile.mkdtemp(prefix="clear-comfyui-"))
        self.log = self.base / "server.log"
        self.client = uuid.uuid4().hex
        self.keep = False
        self.holds_results = False  # finished files that nobody has saved yet: the folder stays
        self.process: subprocess.Popen | None = None
        self.port = 0
        self.start_seconds = 0.0

    @property
    def address(self) -> str:
        return f"http://{LOCAL}:{self.port}"

    def __enter__(self):
        try:
            with room_in_temp():
                self._prepare()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if self.keep and kind is None:
            self.process.stdin.write(tied.KEEP)
            self.process.stdin.close()
            return
        ended = isinstance(value, ConnectionError) and self._has_ended()
        problem = self._ended() if ended else None
        self.stop()
        if problem is not None:
            raise problem from value

    def lend(self, file: Path, name: str) -> None:
        """Put a file into the input folder under a name: as a link, so that a user's video is nowhere twice."""
        try:
            (self.base / "input" / name).symlink_to(file)
        except OSError:  # Windows allows links to some users only
            with room_in_temp():
                shutil.copyfile(file, self.base / "input" / name)

    def _prepare(self) -> None:
        for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
            (self.base / name).mkdir()
        place = self.base / "custom_nodes" / PACK_NAME
        try:
            place.symlink_to(PACK, target_is_directory=True)
        except OSError:  # Windows allows links to some users only
            shutil.copytree(PACK, place, ignore=NOT_COPIED)

    def _start(self) -> None:
        progress = ProgressLine("Starting ComfyUI:")
        for _ in range(3):  # between choosing a port and using it another program may take it
            self._launch()
            while self.process.poll() is None:
                progress.show()
                if time.monotonic() - progress.started > START_BOUND:
                    raise Problem(
                        f"ComfyUI did not answer within {START_BOUND} s. The end of its log:\n{self.log_tail()}"
                    )
                with contextlib.suppress(OSError, Refused):
                    self.get("/system_stats", timeout=5)
                    self.start_seconds = progress.done("ready")
                    return
                time.sleep(0.25)
            if (
                "address already in use" not in self._log_text().lower()
                and "attempting to bind" not in self._log_text()
            ):
                break
        progress.done("failed")
        raise Problem(f"ComfyUI stopped while it started. The end of its log:\n{self.log_tail()}")

    def _launch(self) -> None:
        with socket.socket() as free:
            free.bind((LOCAL, 0))
            self.port = free.getsockname()[1]
        # here, for it brings aiohttp, which is ComfyUI's: what starts no server goes without
        from .client import Client

        self._client = Client(self.address)
        command = [
            str(self.python),
            tied.__file__,
            str(self.base),
            str(self.tree / "main.py"),
            "--listen",
            LOCAL,
            "--port",
            str(self.port),
            "--base-directory",
            str(self.base),
            "--disable-api-nodes",
            "--disable-auto-launch",
            "--database-url",
            f"sqlite:///{(self.base / 'user' / 'comfyui.db').as_posix()}",
            # on a CPU ComfyUI's own choice is slower, and takes more memory, than PyTorch's attention
            *(["--cpu", "--use-pytorch-cross-attention"] if self.cpu else []),
            *self.arguments,
        ]
        # its own group: Ctrl-C is for us, who then stop it in order
        apart = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.tree,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                **apart,
            )

    def stop(self) -> None:
        """End the server and remove its folder, also when Ctrl-C is pressed once more meanwhile."""
        with undisturbed():
            if self.process is not None:
                if self.process.poll() is None:
                    self.process.terminate()
                    try:
                        self.process.wait(10)
                    except subprocess.TimeoutExpired:
                        self.process.kill()
                        self.process.wait()
                self.process.stdin.close()
                self._client.close()
            if self.holds_results:
                say(f"The finished files are in {self.base / 'output'}.")
            else:
                shutil.rmtree(self.base, ignore_errors=True)

    def request(self, path: str, data: dict | None = None, timeout: float = 30):
        return self._client.request(path, data, timeout)

    def get(self, path: str, timeout: float = 30):
        return self.request(path, timeout=timeout)

    def interrupt(self) -> None:
        self.request("/interrupt", {})

    def queue(self, prompt: dict) -> str:
        """Send a prompt; its id. Raises Problem with ComfyUI's reasons when it is refused."""
        try:
            answer = self.request("/prompt", {"prompt": prompt, "client_id": self.client})
        except Refused as error:
            raise Problem(f"ComfyUI refused the graph: {_reasons(error.answer)}") from error
        if answer.get("node_errors"):  # some outputs are wrong: it would quietly run the others alone
            self.request("/queue", {"delete": [answer["prompt_id"]]})
            self.interrupt()
            raise Problem(f"ComfyUI refused a part of the graph: {_reasons(answer)}")
        return answer["prompt_id"]

    def result(self, prompt_id: str) -> dict | None:
        """The history entry of a prompt once it has ended."""
        return self.get(f"/history/{prompt_id}").get(prompt_id)

    def run(self, prompt: dict, on_progress=None, bound: float | None = None) -> dict:
        """Queue a prompt and wait for its end. on_progress(node id, done, total) on every step that nodes report.

        Returns its outputs by node id. Raises Problem with the node's own words when a node fails, or when `bound`
        seconds have passed.
        """
        with self._client.listening(f"/ws?clientId={self.client}") as messages:
            prompt_id, node, started = self.queue(prompt), None, time.monotonic()
            wait = 1.0
            while True:
                message = messages.receive(wait) if not messages.closed else time.sleep(wait)
                kind, data = (message.get("type"), message.get("data") or {}) if message else (None, {})
                if kind == "executing":
                    node = data.get("node")
                elif kind == "progress" and on_progress:
                    on_progress(data.get("node") or node, data["value"], data["max"])
                if messages.closed and self._has_ended():
                    raise self._ended()
                if kind in ("execution_success", "execution_error", "execution_interrupted"):
                    wait = 0.05  # the history knows it a moment later
                entry = self.result(prompt_id) if kind is None or wait < 1 else None
                if entry and entry["status"].get("completed") is not None:
                    return self._outputs(entry)
                if bound is not None and time.monotonic() - started > bound:
                    raise Problem(
                        f"the graph did not end within {bound:g} s. The end of ComfyUI's log:\n{self.log_tail()}"
                    )

    def _has_ended(self) -> bool:
        """Whether the process is gone; one that has just closed its connections has a moment for that."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        return self.process.poll() is not None

    def _ended(self) -> Problem:
        return Problem(
            f"ComfyUI ended during the run (exit code {self.process.returncode}; on Linux -9 means that memory ran "
            f"out). The end of its log:\n{self.log_tail()}"
        )

    def _outputs(self, entry: dict) -> dict:
        for kind, data in entry["status"]["messages"]:
            if kind == "execution_error":
                raise NodeFailed(data)
            if kind == "execution_interrupted":
                raise Problem("The run was cancelled.", 130)
        return entry["outputs"]

    def peak_memory(self) -> int | None:
        """Most bytes of main memory the server has held so far; None where the system does not tell."""
        status = Path(f"/proc/{self.process.pid}/status")
        if status.is_file():
            held = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
            return int(held[0].split()[1]) * 1024 if held else None
        code = (
            "import psutil, sys; m = psutil.Process(int(sys.argv[1])).memory_info(); print(getattr(m, 'peak_wset', "
            "m.rss))"
        )
        asked = subprocess.run([str(self.python), "-c", code, str(self.process.pid)], capture_output=True, text=True)
        return int(asked.stdout) if asked.returncode == 0 else None

    def _log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.is_file() else ""

    def log_tail(self) -> str:
        return tail(self._log_text())


class NodeFailed(Problem):
    """A node raised; `kind` is the exception's type name, `traceback` what ComfyUI recorded."""

    def __init__(self, data: dict):
        self.kind = data["exception_type"].rsplit(".", 1)[-1]
        self.traceback = "".join(data.get("traceback", []))
        mendable = (
            ".clear_runtime." in data["exception_type"]
        )  # every exception that the runtime defines is a ClearError
        text = data["exception_message"].strip()
        super().__init__(
            text if mendable else f"{data['node_type']} failed: {text}\n{self.traceback}", 2 if mendable else 1
        )


@contextlib.contextmanager
def room_in_temp():
    """Say what can be done where the folder for temporary files takes no more."""
    try:
        yield
    except OSError as error:
        raise Problem(
            f"The folder for temporary files ({tempfile.gettempdir()}) does not take this run: {error.strerror}. Free "
            f"some space there, or name another folder in TMPDIR (TEMP on Windows)."
        ) from error


def _reasons(answer) -> str:
    if not isinstance(answer, dict):
        return str(answer)
    found = [
        f"{node['class_type']}: {e['message']} ({e.get('details', '')})"
        for node in (answer.get("node_errors") or {}).values()
        for e in node["errors"]
    ]
    return "; ".join(found) or str(answer.get("error"))
