"""What `run.py` is made of. Standard library only, except measure.py, which runs inside the environment."""
