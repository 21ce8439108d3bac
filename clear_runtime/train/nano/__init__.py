"""How the bundled model is trained from scratch."""
