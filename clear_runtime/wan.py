"""Wan2.1's numbers that several parts of the method share. What differs from model to model is read from the model's
file."""

GROUP = 4
"""Frames per latent frame after the first, in the VAE's causal layout."""
SPATIAL = 8
"""Pixels per latent cell along one side, in Wan's own VAE. The bundled codec has another number
(engines/nano/codec.py)."""
CHANNELS = 16
"""Channels of a latent."""
PATCH = (1, 2, 2)
"""Latent frames, rows and columns that one token of the transformer covers."""
TEXT_TOKENS, TEXT_WIDTH = 512, 4096
"""umT5-XXL's embeddings: the length to which they are padded with zeros (DiffSynth's prompt embedder does, and so does
ComfyUI's encoder), and their width."""
HEAD_WIDTH = 128
"""Channels of one head of its attention, whatever the model's width."""
TIME_WIDTH = 256
"""Cosines and sines that a timestep is given to the model as."""
NORM_EPS = 1e-6
"""What its normalisations add to a variance."""
VISION_TOKENS, VISION_WIDTH = 257, 1280
CLIP_VISION_SHAPE = (1, VISION_TOKENS, VISION_WIDTH)
"""CLIP-vision tokens of Wan's image models. CLEAR feeds zeros, as DiffSynth's Fun-Control unit does without an image;
leaving the tokens out is something else, for img_emb's biases turn zeros into a token."""
TIMESTEPS = 1000
"""Wan's timestep is a thousand times sigma."""


def latent_frames(frames: int, group: int = GROUP) -> int:
    """Latent frames of so many frames, those that fill no group left out: the first frame has one to itself."""
    return (frames - 1) // group + 1


def whole_groups(frames: int) -> int:
    """The largest 4k + 1 that is not over `frames`: what fills latent frames to the last."""
    return (frames - 1) // GROUP * GROUP + 1
