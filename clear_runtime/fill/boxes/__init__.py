"""Translucent boxes behind subtitles: found by their edges, and taken off the picture."""
