"""How long ComfyUI's start takes longer with the pack.

    COMFYUI_PATH=FOLDER python -m clear_runtime bench startup [--runs N]

Each run is a process of its own that imports what ComfyUI imports anyway, then the pack, and asks it for its nodes, as
ComfyUI does. Prints the seconds of each run; the first compiles the pack's files, where none did before.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ClearError

log = logging.getLogger(__name__)

PACK = Path(__file__).resolve().parents[2]
_CHILD = """
import asyncio, importlib.util, json, sys, time
tree, pack = sys.argv[1:]
sys.path.insert(0, tree)
import comfy.cli_args
comfy.cli_args.args.cpu = True
import nodes, execution, comfy_api.latest
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
spec = importlib.util.spec_from_file_location("clear_pack", pack + "/__init__.py", submodule_search_locations=[pack])
module = sys.modules["clear_pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
async def load():
    extension = await module.comfy_entrypoint()
    return [node.GET_SCHEMA().node_id for node in await extension.get_node_list()]
node_ids = asyncio.run(load())
print(json.dumps({
    "wall": time.perf_counter() - wall,
    "cpu": time.process_time() - cpu,
    "node_ids": node_ids,
    "modules": sorted(set(sys.modules) - before),
}))
"""


@dataclass(frozen=True)
class Start:
    """Seconds by the clock and of one core, the nodes, and the modules that ComfyUI had not imported."""

    wall: float
    cpu: float
    node_ids: list[str]
    modules: list[str]


def _variables() -> dict[str, str]:
    """The environment's, but Python keeps what it compiled, as it does unless somebody says otherwise."""
    return {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, "PYTHONPATH": ""}


def start(comfyui: str | Path) -> Start:
    """Load the pack in a new process, after what that ComfyUI imports."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(comfyui), str(PACK)],
        capture_output=True,
        text=True,
        cwd=comfyui,
        env=_variables(),
    )
    if done.returncode:
        raise ClearError(f"The pack could not be loaded into {comfyui}:\n{done.stderr[-2000:]}")
    return Start(**json.loads(done.stdout.splitlines()[-1]))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(argv)
    tree = os.environ.get("COMFYUI_PATH")
    if not tree:
        raise ClearError("Set COMFYUI_PATH to the folder that holds ComfyUI's main.py.")
    for _ in range(options.runs):
        one = start(tree)
        log.info("%.3f s by the clock, %.3f s of one core, %d modules", one.wall, one.cpu, len(one.modules))
