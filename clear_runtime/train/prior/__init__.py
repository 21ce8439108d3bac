"""Stage I: where the subtitles are."""
