"""Training, and what the trainers share: a run that stops and goes on, its figures, its files, its processes."""
