"""A small city for the tests, made once."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.model import caller_class as cc
from ringfence.model.callers import Callers
from ringfence.model.numbers import NumberPlan
from ringfence.model.packs import pack_of
from ringfence.model.tables import ATTESTATION, INGRESS
from ringfence.model.verdicts import verdicts
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


def classes(numbers: list[str], country: str) -> npt.NDArray[Any]:
    """What shown numbers are by the country's pack."""
    plan = NumberPlan.of(country)
    found = Callers(pack_of(country)).classify(np.array([plan.parse_one(n) for n in numbers], np.int64))
    return found & cc.CLASS_BITS


def judged(calls: pa.Table, country: str) -> dict[str, int]:
    """Verdicts of the country's pack by call id, where there is one."""
    table, shown = verdicts(pack_of(country)), calls.filter(calls["caller"].is_valid())
    codes = [np.array([1 + words.index(w) if w else 0 for w in shown[name].to_pylist()])
             for name, words in (("ingress", INGRESS), ("attestation", ATTESTATION))]  # fmt: skip
    found = table[classes(shown["caller"].to_pylist(), country), codes[0], codes[1]]
    return {shown["call_id"][int(n)].as_py(): int(found[n]) for n in np.flatnonzero(found)}
