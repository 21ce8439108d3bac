"""The parts of `python -m clear_runtime.evaluate`: cases, what is scored in them, and the tables."""
