"""Training data: pairs on disk with their pseudo-labels, clips cut from videos, subtitles burned into clean ones with
the fonts that are installed, and random pairs generated from freely licensed pictures."""
