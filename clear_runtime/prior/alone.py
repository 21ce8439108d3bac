"""A Stage I run's folder, for that run alone."""
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..errors import ClearError
from ..training.folder_lock import held


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """The folder, made where it is missing, for this process alone. Raises ClearError at once when another run has it, and when it
    cannot be made or written to."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder))
        except OSError as error:
            raise ClearError(f"{folder} cannot be written to ({error.strerror or error}). Name a folder that you may write to.") from error
        yield
