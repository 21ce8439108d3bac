"""A ComfyUI server of our own: headless, on a free port, in a folder that goes when it stops."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from . import PACK, PACK_NAME
from .console import Problem, ProgressLine, tail
from .websocket import Listener

START_BOUND = 300  # seconds; a cold disk and a slow machine take about 60
LOCAL = "127.0.0.1"
# What of the repository a server needs, where links are not allowed and it has to be copied.
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "output", "tests", "__pycache__", ".pytest_cache")


class Server:
    """Use it in a `with` block; it is stopped at the end, whatever happened inside, unless `keep` is set."""

    def __init__(self, python: Path, tree: Path, cpu: bool):
        self.python, self.tree, self.cpu = python, tree, cpu
        self.base = Path(tempfile.mkdtemp(prefix="clear-comfyui-"))
        self.log = self.base / "server.log"
        self.client = uuid.uuid4().hex
        self.keep = False
        self.process = None
        self.port = 0
        self.start_seconds = 0.0

    @property
    def address(self) -> str:
        return f"http://{LOCAL}:{self.port}"

    def __enter__(self):
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if not (self.keep and kind is None):
            self.stop()

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
                with contextlib.suppress(OSError):
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
        command = [
            str(self.python),
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
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                **apart,
            )

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.base, ignore_errors=True)

    def request(self, path: str, data: dict | None = None, timeout: float = 30):
        body = None if data is None else json.dumps(data).encode()
        wanted = urllib.request.Request(self.address + path, body, {"Content-Type": "application/json"})
        # a proxy named in the environment is of no use for our own machine
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(wanted, timeout=timeout) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def get(self, path: str, timeout: float = 30):
        return self.request(path, timeout=timeout)

    def interrupt(self) -> None:
        self.request("/interrupt", {})

    def listen(self) -> Listener:
        return Listener(LOCAL, self.port, f"/ws?clientId={self.client}")

    def queue(self, prompt: dict) -> str:
        """Send a prompt; its id. Raises Problem with ComfyUI's reasons when it is refused."""
        try:
            answer = self.request("/prompt", {"prompt": prompt, "client_id": self.client})
        except urllib.error.HTTPError as error:
            raise Problem(f"ComfyUI refused the graph: {_reasons(json.loads(error.read()))}") from error
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
        listener = self.listen()
        try:
            prompt_id, node, started = self.queue(prompt), None, time.monotonic()
            while True:
                message = listener.receive(1.0) if not listener.closed else time.sleep(1.0)
                kind, data = (message.get("type"), message.get("data") or {}) if message else (None, {})
                if kind == "executing":
                    node = data.get("node")
                elif kind == "progress" and on_progress:
                    on_progress(data.get("node") or node, data["value"], data["max"])
                ended = kind in ("execution_success", "execution_error", "execution_interrupted") or kind is None
                entry = self.result(prompt_id) if ended else None
                if entry and entry["status"].get("completed") is not None:
                    return self._outputs(entry)
                if self.process.poll() is not None:
                    raise Problem(
                        f"ComfyUI ended during the run (exit code {self.process.returncode}; on Linux -9 means "
                        f"that memory ran out). The end of its log:\n{self.log_tail()}"
                    )
                if bound is not None and time.monotonic() - started > bound:
                    raise Problem(
                        f"the graph did not end within {bound:g} s. The end of ComfyUI's log:\n{self.log_tail()}"
                    )
        finally:
            listener.close()

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


def _reasons(answer: dict) -> str:
    found = [
        f"{node['class_type']}: {e['message']} ({e.get('details', '')})"
        for node in (answer.get("node_errors") or {}).values()
        for e in node["errors"]
    ]
    return "; ".join(found) or str(answer.get("error"))


@contextlib.contextmanager
def ending_on_signals():
    """SIGTERM and SIGHUP end the program the way Ctrl-C does: through every `with` block."""

    def end(number, frame):
        raise SystemExit(128 + number)

    names = [getattr(signal, n) for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {name: signal.signal(name, end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
