"""A few thousand calls of a small town under attack, and what a scan makes of them."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.shell.scan import Options, Progress, Result, Scan
from ringfence.simulate.attempts import table
from ringfence.simulate.town import add_flood, make_town

EPOCH = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
DAY = 86_400.0
SMALL: dict[str, Any] = {"window": 100, "batch": 130, "detect": ("flood",)}
OUTPUTS = ("alerts.jsonl", "alerts.parquet", "rejected.jsonl", "report.html")


@cache
def town(seed: int = 5) -> pa.Table:
    """Some 1,500 calls in 6 days, ordered by set-up, with five floods; some calls are still up when the records end."""
    rng = np.random.default_rng(seed)
    made = make_town(rng, 100, 6)
    # the first floods are under way at the same time, the last one when the records end
    shapes = ("newspaper", "withheld", "pool", "drop", "minute")
    for n, shape in enumerate(shapes):
        start = 5.96 * DAY if n == 4 else (3 + 0.4 * n) * DAY
        add_flood(rng, made, shape, n, start, 60)
    add_flood(rng, made, "newspaper", 0, 5.2 * DAY, 40)  # the first one comes back
    rows = table(made.attempts, EPOCH)
    until = pa.scalar(EPOCH + int(6 * DAY * 1e6), pa.timestamp("us", "UTC"))
    rows = cut(rows, until)
    up = pa.array(rng.random(rows.num_rows) < 0.01)  # calls whose end was never written
    return rows.set_column(
        rows.column_names.index("end_time"), "end_time", pc.if_else(up, None, rows["end_time"])
    )


def cut(rows: pa.Table, until: pa.Scalar) -> pa.Table:
    """The records as they were known at a time: no later calls, nothing of later answers and ends."""
    rows = rows.filter(pc.less(rows["start_time"], until))
    for name in ("answer_time", "end_time"):
        known = pc.if_else(pc.less(rows[name], until), rows[name], None)
        rows = rows.set_column(rows.column_names.index(name), name, known)
    hidden = pc.if_else(pc.is_valid(rows["end_time"]), rows["cause"], None)
    return rows.set_column(rows.column_names.index("cause"), "cause", hidden)


def as_text(rows: pa.Table) -> pa.Table:
    """The same with times as text, as RFC 3339 with microseconds."""
    for name in ("start_time", "answer_time", "end_time"):
        text = pc.strftime(rows[name], format="%Y-%m-%dT%H:%M:%SZ")
        rows = rows.set_column(rows.column_names.index(name), name, text)
    return rows


def write(path: Path, rows: pa.Table, row_group: int = 150) -> Path:
    """Write records in the format that the ending names."""
    if path.suffix == ".parquet":
        pq.write_table(rows, path, row_group_size=row_group)
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(path, rows.schema) as file:
            file.write_table(rows, max_chunksize=row_group)
    elif path.suffix == ".jsonl":
        path.write_text(_json(rows), "utf-8")
    else:
        path.write_bytes(csv(rows))
    return path


def csv(rows: pa.Table) -> bytes:
    text = as_text(rows)
    lines = [
        ",".join("" if value is None else str(value) for value in row.values()) for row in text.to_pylist()
    ]
    return "\n".join([",".join(rows.column_names), *lines, ""]).encode()


def _json(rows: pa.Table) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in as_text(rows).to_pylist())


def stop_after(steps: int) -> Callable[[], bool]:
    """Say so at the n-th batch."""
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def run(
    files: Sequence[Path],
    out: Path,
    stop: int | None = None,
    *,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    **options: Any,
) -> Result:
    """Scan with small windows."""
    scan = Scan(Options(list(files), out, **(SMALL | options)), resume=resume)
    return scan.run(stop_after(stop) if stop else lambda: False, on_progress)


def outputs(out: Path) -> dict[str, bytes]:
    """What a scan wrote."""
    return {name: (out / name).read_bytes() for name in OUTPUTS}


def alerts(out: Path) -> bytes:
    return (out / "alerts.jsonl").read_bytes()
