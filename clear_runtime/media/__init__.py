"""Files and pictures: videos read and written, sound, plots, before and after."""
