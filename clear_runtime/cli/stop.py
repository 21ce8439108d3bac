"""A stop between two steps of a command, asked for by Ctrl-C or by the machine that is about to be taken away."""

from __future__ import annotations

import contextlib
import signal
import socket


class Stop:
    """True once somebody asked for a stop: by Ctrl-C, or as clusters do before they take the machine away. Any thread
    may look."""

    _KINDS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, again: bool):
        self.asked, self.again = False, again
        # Python calls _ask only when the main thread is back from what it computes, which may be a minute; this is
        # written at once.
        self._heard, self._told = socket.socketpair()
        for end in (self._heard, self._told):
            end.setblocking(False)
        signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        for kind in self._KINDS:
            signal.signal(kind, self._ask)

    def __bool__(self) -> bool:
        if not self.asked:
            with contextlib.suppress(BlockingIOError):
                self.asked = any(kind in self._KINDS for kind in self._heard.recv(64))
        return self.asked

    def _ask(self, *_) -> None:
        self.asked = True
        if self.again:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def stopping(again: bool = False) -> Stop:
    """What to look at between steps, or within them. again: whether a second Ctrl-C ends the command at once; not under
    `accelerate launch`, which sends one of its own after the user's."""
    return Stop(again)
