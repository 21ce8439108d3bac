"""What a long node tells the page while it runs, and after it: the stage in words, how far it is, the time left, a
picture, and how it ended. The server keeps the newest of each node, so that a page that is loaded again shows it too
(web/live.js).

A long node makes one Teller for a run and hands one of its callbacks on:

    with Teller(cls, "Burning lines") as tell:
        advance = tell.frames(len(images))

Pictures go to our panel where a page has asked for it, and to ComfyUI's own preview where none has.
"""

from __future__ import annotations

import io
import itertools
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

import comfy.model_management
import comfy.utils
from PIL import Image

from ...clear_runtime.errors import ClearError

EVENT = "clear.live"
KEPT = 64
"""Nodes whose newest state is kept; the oldest goes first."""
OFTEN = 0.2
"""Seconds between two messages to the page, at least."""
PICTURE_EVERY = 0.7
"""Seconds between two pictures of frames that are only looked at."""
PICTURE_SIDE = 512
"""Longest side of a picture in pixels."""
QUALITY = 80
FRAMES = ("images", "video", "source", "frames", "image")
"""Inputs by which the film comes, where a node has others too."""
FILES = ("file", "video")
"""Inputs of a loader that name it."""


@dataclass
class State:
    """Of one node. workflow: the graph's id, None for a prompt without. ended: "", "done", "stopped" or "failed".
    picture: its number, 0 for none; the page asks for it by the number. left: seconds. note: what the run takes, as far
    as that is known by now. found: what a removal found and left, by time (nodes/comfy/removal.py). film: the file that
    a loader before the node names, "" for none: what was found belongs to it."""

    node: str
    workflow: str | None
    stage: str = ""
    detail: str = ""
    done: int = 0
    total: int = 0
    left: float | None = None
    ended: str = ""
    text: str = ""
    picture: int = 0
    note: str = ""
    found: dict | None = None
    film: str = ""
    jpeg: bytes = field(default=b"", repr=False)

    def told(self) -> dict:
        return {name: value for name, value in asdict(self).items() if name != "jpeg"}


class Board:
    """The newest state of each node, for any thread. watched: whether a page has asked for it."""

    def __init__(self):
        self.watched = False
        self._states: dict[tuple[str | None, str], State] = {}
        self._lock = threading.Lock()

    def put(self, state: State) -> None:
        with self._lock:
            key = state.workflow, state.node
            self._states.pop(key, None)
            self._states[key] = state
            while len(self._states) > KEPT:
                del self._states[next(iter(self._states))]

    def all(self, workflow: str | None = None) -> list[dict]:
        with self._lock:
            return [one.told() for one in self._states.values() if workflow in (None, one.workflow)]

    def jpeg(self, number: int) -> bytes | None:
        with self._lock:
            return next((one.jpeg for one in self._states.values() if one.picture == number), None)


BOARD = Board()
_numbers = itertools.count(1)


def server():
    """ComfyUI's server, None where there is none; its module is nothing to import without one."""
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def offer_routes() -> None:
    """Let the page ask for the newest states and their pictures. Nothing without a server."""
    running = server()
    if running is None:
        return
    from aiohttp import web  # the server has it

    @running.routes.get("/clear/live")
    async def states(request):
        BOARD.watched = True
        return web.json_response(BOARD.all(request.query.get("workflow")))

    @running.routes.get("/clear/live/picture/{number}")
    async def picture(request):
        number = request.match_info["number"]
        jpeg = BOARD.jpeg(int(number)) if number.isdecimal() and int(number) else None
        return web.Response(status=404) if jpeg is None else web.Response(body=jpeg, content_type="image/jpeg")


class Teller:
    """One run of a node. Use it in a `with` block: its end is told as well, in words.

    node: the node's class as it runs, with `hidden`. stage: in words. keeps: whether what was done up to a Cancel is
    kept, and Run goes on from there. Every callback raises when the user has pressed Cancel.
    """

    def __init__(self, node, stage: str, keeps: bool = False):
        hidden = getattr(node, "hidden", None)
        workflow = ((getattr(hidden, "extra_pnginfo", None) or {}).get("workflow") or {}).get("id")
        self.node = getattr(hidden, "unique_id", None)
        self.keeps, self._bar, self._sent, self._seen, self._at = keeps, None, 0.0, 0.0, ""
        self.state = State(str(self.node), workflow, stage)
        self.state.film = film_before(getattr(hidden, "prompt", None) or {}, str(self.node))
        self._began: tuple[str, int, float] = "", 0, 0.0
        self._show(now=True)

    def __enter__(self) -> Teller:
        return self

    def __exit__(self, kind, error, trace) -> None:
        if error is None:
            self.state.ended = "done"
        elif isinstance(error, comfy.model_management.InterruptProcessingException):
            kept = self.keeps and self._at
            self.state.ended = "stopped"
            self.state.text = f"Stopped at {self._at}, kept; Run goes on." if kept else "Stopped."
        else:
            self.state.ended, self.state.text = "failed", str(error) if isinstance(error, ClearError) else ""
        self.state.left = None
        self._show(now=True)

    def frames(self, total: int | None = None):
        """A callback (done, total, picture) for frames of the stage."""

        def advance(done: int, of: int | None = None, picture=None) -> None:
            self.tell(done, of or total or 0, picture=picture)

        return advance

    def event(self, event) -> None:
        """A callback for a training session: one bar over all of its stages."""
        if event.step is None:
            at, detail = f"clip {event.done}", f"clip {event.done} of {event.total}"
        else:
            at, detail = f"step {event.done}", f"step {event.done} of {event.total}"
        self.reached(at)
        self.tell(event.run_done, event.run_total, event.stage.capitalize(), detail, event.left, event.picture)

    def reached(self, place: str) -> None:
        """How far what is kept goes, in words: said after Cancel."""
        self._at = place

    def tell(
        self,
        done: int,
        total: int,
        stage: str | None = None,
        detail: str = "",
        left: float | None = None,
        picture: Image.Image | None = None,
        part: str | None = None,
    ) -> None:
        """How far it is. detail: the same in words, where `done` of `total` is not what a user counts. left: seconds to
        the end of the stage; worked out from the pace where None. part: what goes on at one pace, where it is made of
        several stages."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        state, before = self.state, self.state.stage
        state.stage, state.detail, state.done, state.total = stage or before, detail, done, total
        state.left = self._left(part or state.stage) if left is None else left
        native = None
        if picture is not None:
            if self._panel():
                state.picture, state.jpeg = next(_numbers), as_jpeg(picture)
            else:
                native = "JPEG", picture, None
        if self._bar is None:
            self._bar = comfy.utils.ProgressBar(total)
        self._bar.update_absolute(done, total or None, native)
        self._show(now=picture is not None or done == total or state.stage != before)

    def wants_picture(self) -> bool:
        """Whether it is time for another picture of a frame that is only looked at."""
        now = time.monotonic()
        if not self._panel() or now - self._seen < PICTURE_EVERY:
            return False
        self._seen = now
        return True

    def say(self, text: str, found: dict | None = None) -> None:
        """A line that stays when it is done, and what was found, which learns of which film it was."""
        if found is not None:
            found["film"] = self.state.film
        self.state.text, self.state.found = text, found

    def _panel(self) -> bool:
        return BOARD.watched and self.node is not None and server() is not None

    def _left(self, part: str) -> float | None:
        """Seconds, at the pace since this part's first piece; None where nobody can tell yet."""
        state, now = self.state, time.monotonic()
        known, first, since = self._began
        if known != part or state.done < first:
            self._began = part, state.done, now
            return None
        if state.done <= first or not state.total:
            return None
        return (now - since) / (state.done - first) * (state.total - state.done)

    def _show(self, now: bool = False) -> None:
        moment = time.monotonic()
        running = server()
        if self.node is None or running is None or not (now or moment - self._sent > OFTEN):
            return
        self._sent = moment
        BOARD.put(self.state)
        running.send_sync(EVENT, self.state.told())


def film_before(prompt: dict, node: str) -> str:
    """The file that a loader before a node names, as filmOf of web/film.js finds it; "" for none. prompt: the graph as
    ComfyUI is sent it."""
    seen: set[str] = set()
    while node not in seen:
        seen.add(node)
        known = prompt.get(node, {})
        inputs, ours = known.get("inputs", {}), str(known.get("class_type")).startswith("CLEAR_")
        named = [inputs[key] for key in FILES if isinstance(inputs.get(key), str) and inputs[key]]
        if named and not ours:  # Burn Subtitles names a file of lines
            return named[0]
        linked = [name for name, value in inputs.items() if isinstance(value, list) and len(value) == 2]
        if linked:
            node = str(inputs[min(linked, key=lambda name: name not in FRAMES)][0])
    return ""


def as_jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
