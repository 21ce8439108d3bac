"""Where the tests find what the pack ships."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"
