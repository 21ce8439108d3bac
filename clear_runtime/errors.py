"""What the user can mend, and how a command ends by it."""

from collections.abc import Iterator
from contextlib import contextmanager


class ClearError(ValueError):
    """A problem the user can mend. The text says what is wrong and what to do about it."""


@contextmanager
def ending_in_words(stopped: str) -> Iterator[None]:
    """End the command with a line instead of a traceback where the user can mend it. stopped: what Ctrl-C says before
    `stopping`."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(stopped) from None
    except ClearError as error:
        raise SystemExit(f"error: {error}") from error
