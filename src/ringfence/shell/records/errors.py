"""What can go wrong with the record store, in one line each."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

_FULL: Final = {
    errno.ENOSPC: "the disk is full; make room",
    errno.EDQUOT: "the disk quota is used up; raise it or make room",
    errno.EROFS: "the file system is read-only; mount it writable",
}
_DAMAGED: Final = (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)


class RecordsError(Exception):
    """The record store cannot do what it was asked: one line, what is wrong and what to do."""


class StoreFullError(RecordsError):
    """Nothing can be written. What is in memory and on the disk is as it was before: try again once there is room."""


class StoreDamagedError(RecordsError):
    """A file cannot be read."""


class StoreBusyError(RecordsError):
    """Another process has the folder."""


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Say in one line why something could not be written or read.

    Raises:
        StoreFullError: the disk is full or read-only.
        StoreDamagedError: a file is not what was written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFullError(f"{folder}: {_FULL[error.errno]}; nothing is lost") from error
        raise RecordsError(f"{folder}: {error}") from error
    except duckdb.Error as error:
        text = " ".join(str(error).split())
        if "No space left" in text or "Read-only file system" in text or "max_temp_directory_size" in text:
            raise StoreFullError(
                f"{folder}: the disk is full or read-only ({text}); nothing is lost"
            ) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise RecordsError(
                f"{folder}: more memory is needed ({text}); raise the limit of the records"
            ) from error
        if isinstance(error, _DAMAGED):
            raise StoreDamagedError(
                f"{folder}: a file of the records cannot be read ({text}); put it back from a backup"
            ) from error
        raise RecordsError(f"{folder}: {text}") from error


class Damaged:
    """A damaged file must not keep work from the other days: what is wrong is told once these are done."""

    def __init__(self) -> None:
        self._first: StoreDamagedError | None = None

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Go on after a damaged file."""
        try:
            yield
        except StoreDamagedError as error:
            self._first = self._first or error

    def tell(self) -> None:
        """Raise the first error that was put off.

        Raises:
            StoreDamagedError: a file cannot be read.
        """
        if self._first is not None:
            raise self._first
