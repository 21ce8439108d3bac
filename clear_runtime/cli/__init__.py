"""The command lines: python -m clear_runtime ..."""
