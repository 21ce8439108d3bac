"""Training data: scenes from freely licensed pictures, and subtitles burned onto them."""
