"""From tables of calls to what the pass takes."""

from typing import Any

import numpy as np
import pyarrow as pa

from ringfence.ingest.format import Chunk
from ringfence.ingest.normalise import calls_of
from ringfence.ingest.reorder import Reorder
from ringfence.model.calls import Calls
from ringfence.model.numbers import Names, NumberPlan

COUNTRY = "CN"


def calls_in_order(table: pa.Table, names: Names | None = None) -> Calls:
    """The calls of a `calls` table, normalised, in order, repeats folded.

    Args:
        table: in the schema `CALLS`.
        names: takes names that are no telephone numbers; the same for tables that are to be compared.
    """
    plan = NumberPlan.of(COUNTRY)
    names = names or Names()
    window = Reorder()
    for batch in table.to_batches():
        chunk = Chunk(batch, np.arange(1, len(batch) + 1), len(batch))
        calls, rejected = calls_of(chunk, 0, plan, names)
        if rejected:
            raise ValueError("a call without a called number")
        window.push(calls)
    return window.flush()


def numbers_of(texts: list[str], names: Names) -> list[int]:
    """Telephone numbers or names as the pass holds them."""
    parsed: Any = NumberPlan.of(COUNTRY).parse(pa.array(texts, pa.string()), names)
    return [int(number) for number in parsed]
