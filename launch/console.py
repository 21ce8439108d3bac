"""What the user sees: sentences, one line of progress that renews itself, and problems with an exit code."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable

WRONG_INPUT = 2


class Problem(Exception):
    """Something the user can mend; shown as a sentence, without a traceback."""

    def __init__(self, text: str, code: int = 1):
        super().__init__(text)
        self.code = code


class Refused(Exception):
    """ComfyUI answered with an error; `answer` is what it said, as JSON or text."""

    def __init__(self, status: int, answer):
        super().__init__(f"{status}: {answer}")
        self.status, self.answer = status, answer


def say(text: str) -> None:
    print(text, flush=True)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def tail(text: str, lines: int = 25) -> str:
    """The last lines of a log, indented."""
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-lines:])


class ProgressLine:
    """One line: in a terminal it is rewritten; in a log it appears at most every ten seconds, and when it ends."""

    def __init__(self, stage: str):
        self.stage, self.started = stage, time.monotonic()
        self._live = sys.stdout.isatty()
        self._shown = 0.0 if self._live else self.started
        self._note = ""

    def show(self, note: str = "") -> None:
        now = time.monotonic()
        self._note = note or self._note
        if now - self._shown < (0.2 if self._live else 10):
            return
        self._shown = now
        self._write(f"{self.stage} {self._note}".rstrip() + f" ({duration(now - self.started)})", last=False)

    def done(self, note: str = "done") -> float:
        seconds = time.monotonic() - self.started
        self._write(f"{self.stage} {note} ({duration(seconds)})", last=True)
        return seconds

    def _write(self, text: str, last: bool) -> None:
        if self._live:
            print(f"\r\x1b[K{text[:110]}", end="\n" if last else "", flush=True)
        else:
            say(text)


@contextlib.contextmanager
def ending_on_signals():
    """SIGTERM and SIGHUP end the program the way Ctrl-C does: through every `with` block."""

    def end(number, frame):
        raise SystemExit(128 + number)

    with _handled(dict.fromkeys(("SIGTERM", "SIGHUP"), end)):
        yield


@contextlib.contextmanager
def undisturbed():
    """What has to be brought to its end is: Ctrl-C and the like are not heard meanwhile."""
    with _handled(dict.fromkeys(("SIGINT", "SIGTERM", "SIGHUP"), signal.SIG_IGN)):
        yield


@contextlib.contextmanager
def _handled(wanted: dict):
    if threading.current_thread() is not threading.main_thread():  # signals are the main one's
        yield
        return
    before = {}
    for name, handler in wanted.items():
        if hasattr(signal, name):
            before[name] = signal.signal(getattr(signal, name), handler)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def ended_in_words(run: Callable[[], int | None]) -> int:
    """Run a program to its exit code; problems and Ctrl-C are said in a sentence."""
    try:
        with ending_on_signals():
            return run() or 0
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return problem.code
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
