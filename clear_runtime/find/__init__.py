"""Where the subtitles are: a prior looks at single frames, time and place decide what counts."""
