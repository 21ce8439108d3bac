"""A process with a time limit, what it says in a log, and none of its children left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)
GRACE = 4.0  # seconds between asking a process to end and ending it


class Process:
    """A command in a session of its own. Every line it says goes to the file `path` and to this log, after its name."""

    def __init__(self, command: list[str], path: Path, name: str, environment: dict[str, str], folder: Path):
        self.began, self.path, self.name = time.monotonic(), path, name
        self.child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        with self.path.open("a", encoding="utf-8") as file:
            for line in self.child.stdout:
                file.write(f"[{self.name}] {line}")
                file.flush()
                log.info("[%s] %s", self.name, line.rstrip())

    def wait(self, seconds: float) -> str:
        """ "done", "failed", or "stopped" where it had to be ended after so many seconds from its start."""
        try:
            code = self.child.wait(max(0.0, self.began + seconds - time.monotonic()))
            state = "done" if code == 0 else "failed"
        except subprocess.TimeoutExpired:
            state = "stopped"
        self.end()
        return state

    def end(self) -> None:
        """End it and all that it started."""
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if not self._signal(number):
                break
            try:
                self.child.wait(GRACE)
            except subprocess.TimeoutExpired:
                continue
        self.reader.join(GRACE)

    def _signal(self, number: int) -> bool:
        """Whether there was anybody to send it to."""
        try:
            if hasattr(os, "killpg"):
                os.killpg(self.child.pid, number)  # its workers too, which may outlive it
            else:
                self.child.send_signal(number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def run(
    command: list[str], limit: float, path: Path, name: str, environment: dict[str, str], folder: Path
) -> tuple[str, float]:
    """How a process ended, and the seconds it took."""
    process = Process(command, path, name, environment, folder)
    try:
        state = process.wait(limit)
    finally:
        process.end()
    return state, process.seconds
