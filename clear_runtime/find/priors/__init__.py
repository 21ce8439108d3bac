"""Networks that mark overlaid text in single frames, their files, and how to run them."""
