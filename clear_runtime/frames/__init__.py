"""The geometry of a frame: regions, masks, the working canvas, windows over time, the latent grid."""
