"""ComfyUI's page in a headless Chromium, as a person would use it, and what its JavaScript knows."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from . import PACK_NAME

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = {"Comfy.TutorialCompleted": True, "Comfy.Workflow.ShowMissingModelsWarning": True, "Comfy.Locale": "en"}
"""Settings under which the page opens on an empty graph."""
PATIENCE = 120_000
"""Milliseconds until the page is given up; a busy machine takes more than the usual thirty seconds to open it."""
OURS = f"/extensions/{PACK_NAME}/"
"""In an error on the console: it comes from a script of the pack. ComfyUI's own are not ours to judge."""


def chromium() -> str | None:
    """The browser: what CLEAR_CHROMIUM names, else an installed one."""
    return os.environ.get("CLEAR_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class ComfyPage:
    """One page of a server. renderer: "classic" (a canvas) or "vue" (each node is HTML)."""

    def __init__(self, browser, server, renderer: str = "classic", locale: str = "en", size=(1600, 1000)):
        self.server, self.renderer = server, renderer
        self.errors: list[str] = []
        self._settings(**{**QUIET, "Comfy.VueNodes.Enabled": renderer == "vue", "Comfy.Locale": locale})
        self.page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._note(f"{error} {error.stack}"))
        self.open()

    def _settings(self, **values) -> None:
        self.server.request("/api/settings", values)

    def _hear(self, message) -> None:
        self._note(f"{message.text} {message.location.get('url', '')}" if message.type == "error" else "")

    def _note(self, error: str) -> None:
        # pages of help are asked for in each language first
        if OURS in error and "/docs/" not in error:
            self.errors.append(error)

    def open(self) -> None:
        """Open or reload the page; returns once the graph can be worked on."""
        self.page.goto(self.server.address, wait_until="domcontentloaded")
        self.page.wait_for_function("window.app?.graph && window.app.extensionManager && window.app.canvas")
        self.page.wait_for_function("Object.keys(LiteGraph.registered_node_types).some(n => n.startsWith('CLEAR_'))")
        self.page.wait_for_timeout(1000)

    def close(self) -> None:
        self.page.close()

    def run_js(self, code: str, argument=None):
        """The value of a JavaScript function's text, such as "n => app.graph.getNodeById(n).title"."""
        return self.page.evaluate(code, argument)

    def load(self, graph: dict | Path) -> None:
        """Open a graph as the template browser would."""
        graph = self.graph_file(graph) if isinstance(graph, Path) else graph
        self.run_js("async g => { await app.loadGraphData(g) }", graph)
        self.page.wait_for_timeout(800)

    @staticmethod
    def graph_file(path: Path) -> dict:
        return json.loads(path.read_text(encoding="utf-8"))

    def whole_view(self, scale: float = 1.0, corner=(0, 0)) -> None:
        """Show the graph at a zoom, with this place of it near the upper left corner."""
        self.run_js(
            "([s, x, y]) => { const d = app.canvas.ds; d.scale = s; d.offset[0] = 90 / s - x; d.offset[1] = 60 / s - y;"
            " app.canvas.setDirty(true, true) }",
            [scale, *corner],
        )
        self.page.wait_for_timeout(500)

    def middle_of(self, element: str) -> list[float]:
        """Bring an element, named by JavaScript, into the middle of the page; where that is."""
        self.run_js(
            f"() => {{ const b = ({element}).getBoundingClientRect(), d = app.canvas.ds;"
            " d.offset[0] += (innerWidth / 2 - b.left - b.width / 2) / d.scale;"
            " d.offset[1] += (innerHeight / 2 - b.top - b.height / 2) / d.scale; app.canvas.setDirty(true, true) }"
        )
        self.page.wait_for_timeout(500)
        return self.run_js(
            f"() => (b => [b.left + b.width / 2, b.top + b.height / 2])(({element}).getBoundingClientRect())"
        )

    def queue(self) -> None:
        self.run_js("async () => { await app.queuePrompt(0) }")

    def wait_for_end(self, bound: float = 300) -> dict:
        """The newest history entry, once the queue is empty. Raises TimeoutError after `bound` seconds."""
        for _ in range(int(bound * 4)):
            queue = self.server.get("/queue")
            if not queue["queue_running"] and not queue["queue_pending"]:
                history = self.server.get("/history")
                if history:
                    return list(history.values())[-1]
            self.page.wait_for_timeout(250)
        raise TimeoutError(f"the graph did not end within {bound:g} s")

    def picture(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))
        return path
