"""What a scan leaves in its folder: alerts.jsonl, alerts.parquet, rejected.jsonl, report.html."""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.model.alert import Alert
from ringfence.model.tables import ALERTS

ALERTS_JSONL: Final = "alerts.jsonl"
ALERTS_PARQUET: Final = "alerts.parquet"
REJECTED: Final = "rejected.jsonl"
REPORT: Final = "report.html"
OUTPUTS: Final = (ALERTS_JSONL, ALERTS_PARQUET, REJECTED, REPORT)


class JsonLines:
    """A file that lines are added to, and that can go on where a checkpoint left it."""

    def __init__(self, path: Path, size: int = 0) -> None:
        """Open the file and cut it to `size` bytes.

        Raises:
            ValueError: it is shorter.
        """
        if size and (not path.is_file() or path.stat().st_size < size):
            raise ValueError(f"{path} is not what the interrupted scan left")
        self._file = path.open("r+b" if size else "wb")
        self._file.truncate(size)
        self._file.seek(size)

    def write(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows; they are in the file when this returns."""
        lines = b"".join(_line(row) for row in rows)
        if lines:
            self._file.write(lines)
            self._file.flush()

    def size(self) -> int:
        """Bytes written so far; they are on the disk when this returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n"


def write_alerts(folder: Path, alerts: list[Alert]) -> None:
    """Write all alerts in their final form, one row an alert, as JSON Lines and as Parquet."""
    rows = [alert.as_dict() for alert in alerts]
    replace_file(folder / ALERTS_JSONL, (_line(row) for row in rows))
    table = pa.Table.from_pylist([_typed(row) for row in rows], schema=ALERTS)
    temporary = folder / f"{ALERTS_PARQUET}.new"
    pq.write_table(table, temporary)
    temporary.replace(folder / ALERTS_PARQUET)


def _typed(value: Any) -> Any:
    """Times as Arrow takes them."""
    if isinstance(value, dict):
        return {key: _time(item) if _is_time(key) else _typed(item) for key, item in value.items()}
    return [_typed(item) for item in value] if isinstance(value, list) else value


def _is_time(key: str) -> bool:
    return key == "at" or key.endswith("_at")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def replace_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file under another name and put it into place as one."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.writelines(pieces)
    temporary.replace(path)
