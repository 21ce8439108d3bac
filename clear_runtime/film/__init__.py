"""File to file: a film of any length without its subtitles. Start reading at run.py."""
