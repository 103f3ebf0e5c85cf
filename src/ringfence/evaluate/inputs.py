"""What both inputs share: which file is meant, times as numbers, and errors in one line."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.model.tables import TIME

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

NEVER: Final = int(np.iinfo(np.int64).max)
"""A time after all times, µs."""


class InputError(ValueError):
    """A file that cannot be evaluated; the message is one line that names it and says what is wrong."""


def the_file(path: Path, names: tuple[str, ...], what: str) -> Path:
    """The file meant by a path: itself, or the first of `names` that its folder has.

    Raises:
        InputError: there is none.
    """
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                return path / name
        raise InputError(f"{path}: the folder has no {' or '.join(names)}; name the {what}")
    if not path.exists():
        raise InputError(f"{path}: no such file; name the {what}")
    return path


def microseconds(column: Any) -> Ints:
    """Times of an Arrow column as µs since 1970; null becomes `NEVER`."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    numbers = column.cast(TIME).cast(pa.int64())
    return np.asarray(pc.fill_null(numbers, NEVER).to_numpy(zero_copy_only=False), dtype=np.int64)


def parse_times(texts: list[Any], where: str, names: list[str]) -> Ints:
    """RFC 3339 texts as µs since 1970; None becomes `NEVER`.

    Args:
        texts: str or None.
        where: the file and the field, for an error.
        names: what each text belongs to, for an error.

    Raises:
        InputError: one of them is not a time.
    """
    try:
        return microseconds(pa.array(texts, pa.string()))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        for text, name in zip(texts, names, strict=True):
            if not is_time(text):
                raise InputError(
                    f"{where} of {name}: {text!r} is not a time such as 2026-03-02T00:00:00Z"
                ) from None
        raise


def is_time(text: Any) -> bool:
    """Whether a text is a time that Arrow reads (RFC 3339)."""
    try:
        pa.array([text], pa.string()).cast(TIME)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True
