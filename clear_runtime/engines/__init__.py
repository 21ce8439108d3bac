"""Networks that paint what was under a subtitle, and what they are made of."""
