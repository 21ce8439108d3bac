"""Scenes and overlaid text, drawn: what the bundled weights learn from.

The numbers inside the draws (`rng.random() < 0.4`, `rng.uniform(0.15, 1.2)`) are no thresholds and no measurements:
they say how often something is drawn and how far it goes, as shares of the draws, of a frame's side or of a letter's
size, and where a name says so in pixels. They were chosen wide enough that what people burn in lies well inside, by
looking at sheets of samples beside frames of real films. What decides something (from which opacity on a shadow is
labelled) has a name, a unit and a reason of its own.
"""
