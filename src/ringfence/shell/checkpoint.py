"""Where an interrupted scan goes on: its whole state in one file, replaced as one.

The file is a NumPy archive (arrays, never pickled; a checksum for each), the rest of the state is JSON in one of its
arrays. It is written under another name, forced to disk and renamed: whoever is killed while writing leaves the
checkpoint before.
"""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

STEP: Final = 16 << 20
"""Bytes after which what is written so far is forced to disk."""
_STATE: Final = "state"


class DamagedError(Exception):
    """A checkpoint cannot be read: one line, what is wrong and what to do."""


class Checkpoint:
    """The checkpoint in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(path.name + ".new")

    def save(self, arrays: Arrays, state: dict[str, Any]) -> None:
        """Replace the checkpoint.

        Args:
            arrays: by any names but "state".
            state: what JSON can hold.

        Raises:
            OSError: it cannot be written; the one before is still there.
        """
        members: dict[str, Any] = {**arrays, _STATE: np.frombuffer(json.dumps(state).encode(), np.uint8)}
        try:
            with self._new.open("wb") as file:
                np.savez(_Steadily(file), **members)
                file.flush()
                os.fsync(file.fileno())
            self._new.replace(self._path)
        except OSError:
            self._new.unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)

    def load(self) -> tuple[Arrays, dict[str, Any]] | None:
        """The checkpoint, or None where there is none.

        Raises:
            DamagedError: it cannot be read.
        """
        if not self._path.exists():
            return None
        try:
            with self._path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {name: _aligned(file[name]) for name in file.files}
            state = dict(json.loads(arrays.pop(_STATE).tobytes()))
        except Exception as error:  # NumPy and zipfile raise anything at a damaged file
            raise DamagedError(
                f"{self._path}: the checkpoint is damaged; scan without --resume to begin again"
            ) from error
        return arrays, state

    def remove(self) -> None:
        """Forget the checkpoint."""
        self._path.unlink(missing_ok=True)
        self._new.unlink(missing_ok=True)


class _Steadily:
    """A file of which the disk gets a little at a time: a gigabyte at once would have whoever else waits for it wait for seconds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._written = 0

    def write(self, data: Any) -> int:
        """Write, and have it on disk every so often."""
        written = self._file.write(data)
        self._written += written
        if self._written >= STEP:
            self._file.flush()
            os.fdatasync(self._file.fileno())
            self._written = 0
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _aligned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same array, its records marked as aligned: NumPy forgets that, and the pass would be compiled once more."""
    kind = array.dtype
    if kind.names is None:
        return array
    fields = [kind.fields[name] for name in kind.names] if kind.fields else []
    return array.view(
        np.dtype(
            {
                "names": list(kind.names),
                "formats": [field[0] for field in fields],
                "offsets": [field[1] for field in fields],
                "itemsize": kind.itemsize,
                "aligned": True,
            }
        )
    )
