"""What "auto" comes to: the options that each engine gets unless the user says otherwise."""

from dataclasses import replace

from .engines.nano.limits import CONTEXT, SHARE, WORKING_PIXELS
from .options import RemoveOptions


def for_nano(options: RemoveOptions) -> RemoveOptions:
    """The same options within what the bundled network can do. Steps stay as they are: they are the user's."""
    return replace(
        options,
        context=min(options.context, CONTEXT),
        max_pixels=min(options.max_pixels, WORKING_PIXELS),
        keep_change=SHARE * options.keep_change,
    )
