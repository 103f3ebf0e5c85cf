"""Digits within bytes, for compiled code."""

import numpy as np
import numpy.typing as npt

from ringfence.compiled import jit


@jit
def digit_of(byte: np.uint8) -> int:
    """Return a byte less "0": 0 to 9 for a digit, anything else for anything else."""
    return np.int64(byte) - 48  # type: ignore[return-value]  # compiled, there is only one kind of integer


@jit
def digit(data: npt.NDArray[np.uint8], i: int | np.uint64) -> int:
    """Return `digit_of` byte i."""
    return digit_of(data[i])
