"""Transfers of money in a scan: held until the calls of their time are judged."""

from collections import deque
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.ingest import _buffers
from ringfence.ingest._hash import hash_words
from ringfence.ingest.format import Chunk, Rejected
from ringfence.model.numbers import Names, NumberPlan
from ringfence.model.transfers import COLUMNS, Transfers, join, no_transfers

NO_PAYER: Final = "no payer"
NO_AMOUNT: Final = "no amount above zero"
LATE: Final = "transfer of a time already judged; sort the file"
_CURRENCIES: Final = 1_000
_KEPT: Final = 1 << 16
"""Transfers whose currency can still be told."""


class TransferBook:
    """Transfers that wait, and the currencies of the newest ones.

    Attributes:
        repeated: rows that told what an earlier one had told.
    """

    def __init__(self) -> None:
        self.repeated = 0
        self._waiting: list[Transfers] = []
        self._judged = 0
        self._currencies: list[str] = []
        self._given: deque[Transfers] = deque()

    def take(self, chunk: Chunk, file: int, plan: NumberPlan, names: Names, row_bits: int) -> list[Rejected]:
        """Take the transfers of a chunk; returns the rows put aside."""
        batch, rows = chunk.columns, chunk.rows
        time = _buffers.fixed(batch["time"], np.int64)
        payer = plan.parse(batch["subscriber"], names)
        amount = np.asarray(pc.fill_null(batch["amount"], 0.0), np.float64)
        why = np.select(
            [payer == 0, ~(np.isfinite(amount) & (amount > 0)), time < self._judged], [1, 2, 3], default=0
        )
        put_aside = [
            Rejected(int(rows[place]), (NO_PAYER, NO_AMOUNT, LATE)[why[place] - 1])
            for place in np.flatnonzero(why).tolist()
        ]
        account = hash_words(batch["to_account"])
        origin = (np.int64(file) << row_bits) | rows
        found = Transfers(
            time,
            payer,
            account,
            amount,
            _keys(time, payer, account, amount),
            self._codes(batch["currency"]),
            origin,
        )
        self._waiting.append(found.take(why == 0))
        return put_aside

    def ready(self, until: int) -> Transfers:
        """Give out what moved before a time (µs), ordered by (time, key), repeated rows once."""
        self._judged = max(self._judged, until)
        if not self._waiting:
            return no_transfers()
        waiting = join(self._waiting)
        now = waiting.time < until
        self._waiting = [waiting.take(~now)] if not now.all() else []
        given = waiting.take(now)
        given = given.take(np.lexsort((given.key, given.time)))
        new = np.ones(len(given), np.bool_)
        new[1:] = (given.key[1:] != given.key[:-1]) | (given.time[1:] != given.time[:-1])
        self.repeated += int(np.count_nonzero(~new))
        given = given.take(new)
        self._given.append(given)
        while sum(map(len, self._given)) - len(self._given[0]) > _KEPT:
            self._given.popleft()
        return given

    def currency(self, key: int) -> str | None:
        """The currency of a transfer that was given out lately; None: not told."""
        for part in reversed(self._given):
            place = np.flatnonzero(part.key == key)
            if len(place):
                code = int(part.currency[place[0]])
                return self._currencies[code - 1] if code else None
        return None

    def _codes(self, column: Any) -> npt.NDArray[np.int16]:
        """Codes of currencies, from 1; 0: null."""
        plain = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
        for text in pc.unique(plain).drop_null().to_pylist():
            if text not in self._currencies and len(self._currencies) < _CURRENCIES:
                self._currencies.append(text)
        index = pc.fill_null(pc.index_in(plain, pa.array(self._currencies, pa.string()), skip_nulls=True), -1)
        return np.asarray(index, np.int16) + np.int16(1)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, for a snapshot."""
        waiting = join([no_transfers(), *self._waiting])
        given = join([no_transfers(), *self._given])
        state = {f"waiting.{name}": getattr(waiting, name) for name in COLUMNS}
        state |= {f"given.{name}": getattr(given, name) for name in COLUMNS}
        texts = np.frombuffer("\n".join(self._currencies).encode(), np.uint8)
        return state | {"currencies": texts, "counts": np.array([self.repeated, self._judged])}

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        for part, keeper in (("waiting", self._waiting), ("given", self._given)):
            keeper.clear()
            keeper.append(Transfers(*(arrays[f"{part}.{name}"] for name in COLUMNS)))
        self._currencies = (
            arrays["currencies"].tobytes().decode().split("\n") if len(arrays["currencies"]) else []
        )
        self.repeated, self._judged = (int(n) for n in arrays["counts"])


def _keys(time: Any, payer: Any, account: Any, amount: Any) -> Any:
    """A non-zero hash of each row."""
    with np.errstate(over="ignore"):
        key = time * np.int64(-7046029254386353131) ^ payer * np.int64(-4417276706812531889)
        key ^= (account ^ amount.view(np.int64)) * np.int64(1609587929392839161)
        key ^= key >> np.int64(29)
    return np.where(key == 0, 1, key)
