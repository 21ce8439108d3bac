"""Runs ComfyUI for as long as whoever started it lives, however that ends; a kill cannot be caught, a pipe notices.

    python tied.py FOLDER main.py ARGUMENTS    FOLDER: of this run, removed with it

Standard input is the pipe. When it closes, the server ends and its folder goes; after the word "keep" it stays.
"""

import os
import runpy
import shutil
import sys
import threading
from pathlib import Path

KEEP = b"keep"


def watch(folder: str) -> None:
    told = b""
    while part := os.read(0, 1024):  # sys.stdin's lock, held in a thread, would abort an interpreter that ends
        told += part
    if told != KEEP:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


if __name__ == "__main__":
    base, script, *_ = sys.argv[1:]
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(script).parent)
    threading.Thread(target=watch, args=(base,), daemon=True).start()
    runpy.run_path(script, run_name="__main__")
