"""Transfers of money as whole columns: what a bank shares."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.model.calls import Ints


@dataclass(frozen=True, slots=True)
class Transfers:
    """Transfers, one a row.

    Attributes:
        time: int64 µs since 1970 (UTC).
        subscriber: number of the payer as in `model.numbers`, never 0.
        account: int64, a hash of the payee's account; 0: not told.
        amount: float64, in the payer's currency.
        key: int64, names the transfer: a hash of what it consists of, never 0.
        currency: code of its text in the keeper's own list, int16.
        origin: where the row comes from, for messages (file and row, packed by the reader).
    """

    time: Ints
    subscriber: Ints
    account: Ints
    amount: npt.NDArray[np.float64]
    key: Ints
    currency: npt.NDArray[np.int16]
    origin: Ints

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: Ints | npt.NDArray[np.bool_] | slice) -> "Transfers":
        """The rows at `index`."""
        return Transfers(*(getattr(self, name)[index] for name in COLUMNS))


COLUMNS: Final = ("time", "subscriber", "account", "amount", "key", "currency", "origin")
"""The columns of `Transfers`, in order."""


def join(parts: list[Transfers]) -> Transfers:
    """Put batches behind one another."""
    return Transfers(*(np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS))


def no_transfers() -> Transfers:
    """An empty batch."""
    empty = np.zeros(0, np.int64)
    return Transfers(empty, empty, empty, np.zeros(0), empty, np.zeros(0, np.int16), empty)
