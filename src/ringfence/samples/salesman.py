"""The salesman's case among real calls: one line of the Copenhagen data is rung 2,000 times in a weekend.

The calls of the Copenhagen Networks Study (Sapiezynski et al., Scientific Data 6:315, 2019, CC BY 4.0) are real, the
floods are made up after the newspaper: 16 calls in ten minutes, then one every one to two minutes, withheld; the call ends
the moment it is answered. Some days later it comes back for an hour. Two other lines get a flood of another shape.
"""

import gzip
import tomllib
from collections.abc import Iterator
from importlib import resources
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from ringfence.ingest import mapped_csv
from ringfence.ingest.format import Settings
from ringfence.simulate.attempts import Attempts, table
from ringfence.simulate.floods import Victim, flood

DAY = 86_400.0
SALESMAN = "130"


def copenhagen() -> pa.Table:
    """The 3,600 real calls as a `calls` table; callers and callees are the study's numbers."""
    folder = resources.files("ringfence.samples")
    mapping = folder.joinpath("copenhagen.toml").read_text("utf-8")
    text = gzip.decompress(folder.joinpath("copenhagen_calls.csv.gz").read_bytes())
    chunks = mapped_csv.read(BytesIO(text), Settings(mapping=mapping))
    return pa.Table.from_batches([chunk.records for chunk in chunks])


def epoch() -> int:
    """The (made up) date of the study's second 0, µs since 1970."""
    folder = resources.files("ringfence.samples")
    mapping = tomllib.loads(folder.joinpath("copenhagen.toml").read_text("utf-8"))
    return int(pa.scalar(mapping["time"]["origin"]).cast(pa.timestamp("us", "UTC")).value)


def _floods() -> Iterator[Attempts]:
    rng = np.random.default_rng(2013)
    salesman = Victim(SALESMAN)
    yield flood(rng, "newspaper", salesman, 11 * DAY + 9.2 * 3600, 2_000, answers=0.15)
    yield flood(rng, "newspaper", salesman, 16 * DAY + 10.5 * 3600, 45, answers=0.4)
    yield flood(rng, "slow", Victim("41"), 19 * DAY + 14 * 3600, 30, answers=0.3)
    yield flood(rng, "linger", Victim("217"), 22 * DAY + 18 * 3600, 60)


def sample() -> pa.Table:
    """Copenhagen's calls and the floods, ordered by set-up."""
    made_up = Attempts()
    for attempts in _floods():
        made_up.extend(attempts)
    joined = pa.concat_tables([copenhagen(), table(made_up, epoch(), prefix="flood-")])
    return joined.take(pc.sort_indices(joined, sort_keys=[("start_time", "ascending")]))


def write_sample(path: Path) -> None:
    """Write the sample as a CSV of the contract's table."""
    rows = sample()
    times = {
        name: pc.strftime(rows[name], format="%Y-%m-%dT%H:%M:%SZ")
        for name in ("start_time", "answer_time", "end_time")
    }
    for name, column in times.items():
        rows = rows.set_column(rows.column_names.index(name), name, column)
    pacsv.write_csv(rows, path)
