"""What `run.py` is made of. Standard library only in what comes before the environment is there: console, check,
environment, refuse; results and tied need no more. The others run inside it."""

from pathlib import Path

PACK = Path(__file__).resolve().parents[1]
PACK_NAME = "clear-subtitle-remover"
