"""Inputs of Remove Subtitles for a preview: the fill alone, which takes no model."""

WIDGETS = dict(
    steps=1,
    cfg=1.0,
    seed=0,
    window=81,
    overlap=16,
    output="preview",
    control="auto",
    region="auto",
    mask_from="prior",
    grow=2,
    feather=2,
)
