"""Clips with overlaid text of every kind that people burn in, and with lettering that must stay, small and drawn."""

from .films import FILMS
from .lines import LINES
from .others import OTHERS
from .words import WORDS

RECIPES = LINES | WORDS | FILMS | OTHERS
"""All of them by name."""
