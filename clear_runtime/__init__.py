"""CLEAR: mask-free removal of burned-in subtitles from video. Works without ComfyUI; start reading at pipeline.py."""
