"""The bundled weights; README.md beside them is their card."""

from pathlib import Path

FOLDER = Path(__file__).parent
