"""What the trainers share: a run that stops and goes on, its figures, its files, and its command line."""
