"""How frames that another model cleaned lie over the source; light, for ComfyUI's start shows it."""

SCALED, CROPPED = FITS = ("scaled", "cropped")
FITS_HELP = (
    "How the cleaned frames lie over the source. scaled: they show all of it, at whatever size. cropped: they show its "
    "middle, and two of its edges were cut off evenly; subtitles beyond them are filled."
)
