"""One typed name for Numba's compiler, with the settings every kernel of the readers has."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call; the machine code is kept on disk beside the source."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


@compiled
def digit_of(byte: np.uint8) -> int:
    """Return a byte less "0": 0 to 9 for a digit, anything else for anything else."""
    return np.int64(byte) - 48  # type: ignore[return-value]  # compiled, there is only one kind of integer


@compiled
def digit(data: npt.NDArray[np.uint8], i: int | np.uint64) -> int:
    """Return `digit_of` byte i."""
    return digit_of(data[i])
