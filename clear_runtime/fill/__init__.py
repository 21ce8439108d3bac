"""Pixels from pixels: what was hidden is taken from other frames, or goes on smoothly from its surroundings."""
