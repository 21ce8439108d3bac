"""The scripts that lines are drawn in, by name; apart from their letters, for ComfyUI's start has no time for those."""

TRAINED = ("latin", "cyrillic", "arabic", "chinese", "japanese", "korean")
HELD_BACK = ("devanagari", "thai")
UNSEEN = (*HELD_BACK, "hebrew", "tamil")
"""Scripts that priors are measured on and never trained on."""
SCRIPTS = (*TRAINED, *HELD_BACK)
"""Those that Burn Subtitles offers."""
