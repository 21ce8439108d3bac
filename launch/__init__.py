"""What `run.py` is made of. Standard library only, except measure.py, which runs inside the environment."""

from pathlib import Path

PACK = Path(__file__).resolve().parents[1]
PACK_NAME = "clear-subtitle-remover"
