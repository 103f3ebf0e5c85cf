"""A small city for the tests, made once."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.simulate.city import City
from ringfence.simulate.write import tables

SMALL = City(3_000, 14, seed=7, intensity={"texts": 0.1, "crime": 2.0})


@dataclass(frozen=True)
class Made:
    """Tables, the truth, and some columns as NumPy."""

    tables: dict[str, pa.Table]
    truth: dict[str, Any]

    @property
    def calls(self) -> pa.Table:
        return self.tables["calls"]

    def column(self, name: str) -> npt.NDArray[Any]:
        return np.array(self.calls[name].to_pylist(), dtype=object)

    def roles(self) -> dict[str, list[tuple[str | None, str]]]:
        """(episode, role) by call id."""
        found: dict[str, list[tuple[str | None, str]]] = {}
        for row in self.tables["truth_calls"].to_pylist():
            found.setdefault(row["call_id"], []).append((row["episode"], row["role"]))
        return found


@cache
def small_city() -> Made:
    return Made(*tables(SMALL))


def micros(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return np.asarray(column.cast(pa.int64()).fill_null(-1).to_numpy(), np.int64)
