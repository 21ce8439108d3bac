"""Random pairs from freely licensed pictures, and subtitles burned into frames."""
