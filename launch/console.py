"""What the user sees: sentences, one line of progress that renews itself, and problems with an exit code."""

import sys
import time

WRONG_INPUT = 2


class Problem(Exception):
    """Something the user can mend; shown as a sentence, without a traceback."""

    def __init__(self, text: str, code: int = 1):
        super().__init__(text)
        self.code = code


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
