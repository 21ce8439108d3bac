"""Clips with overlaid text of every kind that people burn in, and with lettering that must stay, small and drawn."""

from .lines import LINES
from .others import OTHERS
from .words import WORDS

RECIPES = LINES | WORDS | OTHERS
"""All of them by name."""
