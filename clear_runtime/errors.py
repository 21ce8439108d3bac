"""What the user can mend."""


class ClearError(ValueError):
    """A problem the user can mend. The text says what is wrong and what to do about it."""
