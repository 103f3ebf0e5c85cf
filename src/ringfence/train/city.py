"""The calls of a labelled city, as the pass takes them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.evaluate.inputs import InputError
from ringfence.ingest.format import Chunk
from ringfence.ingest.normalise import calls_of
from ringfence.ingest.reorder import Reorder
from ringfence.model.calls import Calls
from ringfence.model.numbers import Names, NumberPlan


def calls_in_order(path: Path, country: str) -> tuple[Calls, pa.Array]:
    """The calls of a Parquet file, normalised and in order, and their ids (empty where the file has none)."""
    plan, names, window = NumberPlan.of(country), Names(), Reorder()
    try:
        with pq.ParquetFile(path) as file:
            rows = 0
            for batch in file.iter_batches(1 << 18):
                chunk = Chunk(batch, np.arange(rows + 1, rows + 1 + len(batch)), len(batch))
                rows += len(batch)
                calls, _ = calls_of(chunk, 0, plan, names)
                window.push(calls)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: cannot be read as calls: {str(error).splitlines()[0][:200]}") from error
    calls = window.flush()
    return calls, calls.ids
