"""Rows for the record store, and a plain store in memory that says what its answers should be."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.shell.records import RecordStore
from ringfence.shell.records.kinds import ERASED

Row = dict[str, Any]
Opener = Callable[..., RecordStore]
Hold = tuple[str, datetime, datetime | None]
SCHEMAS = {"calls": CALLS, "texts": TEXTS, "transfers": TRANSFERS}
TIME = {"calls": "start_time", "texts": "time", "transfers": "time"}
ENDS = {"calls": ("callee", "caller"), "texts": ("recipient", "sender"), "transfers": ("subscriber",)}
ABOUT = {"callee": ("callee_device", "callee_cell"), "caller": ("caller_device",)}
DAY = timedelta(days=1)
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
CHEN, WANG, SHOP, ODD = (
    "+8613800000001",
    "+8613800000002",
    "+861050000003",
    "o'b\"; DROP TABLE legs; -- %$number",
)
NUMBERS = (CHEN, WANG, SHOP, ODD)


def table(name: str, rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict.fromkeys(SCHEMAS[name].names) | row for row in rows], schema=SCHEMAS[name]
    )


def call(caller: str | None, callee: str, at: datetime, call_id: str | None = None, **known: Any) -> Row:
    return {"call_id": call_id, "start_time": at, "caller": caller, "callee": callee, **known}


def three(caller: str | None, callee: str, at: datetime, call_id: str) -> list[Row]:
    """A call as it is told live: at set-up, at the answer, at the end."""
    answer, end = at + timedelta(seconds=5), at + timedelta(minutes=2)
    device = {
        "caller_device": f"phone of {caller}",
        "callee_device": f"phone of {callee}",
        "callee_cell": "460-1",
    }
    setup = call(caller, callee, at, call_id, **device)
    return [
        setup,
        call(caller, callee, at, call_id, answer_time=answer),
        call(caller, callee, at, call_id, answer_time=answer, end_time=end, cause=16, released_by="callee"),
    ]


@dataclass
class Plain:
    """What a store should hold: rows as they came, folded when asked."""

    held: list[Hold] = field(default_factory=list)
    rows: list[tuple[str, Row]] = field(default_factory=list)
    erased: list[tuple[str, datetime]] = field(default_factory=list)

    def append(self, name: str, rows: Iterable[Row]) -> None:
        self.rows += [(name, dict.fromkeys(SCHEMAS[name].names) | row) for row in rows]
        self._erase()

    def erase(self, number: str, before: datetime) -> None:
        self.erased.append((number, before))
        self._erase()

    def expire(self, now: datetime, days: int) -> None:
        limit = now - timedelta(days=days)
        cutoff = datetime(limit.year, limit.month, limit.day, tzinfo=UTC)
        self.rows = [(n, row) for n, row in self.rows if row[TIME[n]] >= cutoff or self.is_held(n, row)]

    def is_held(self, name: str, row: Row) -> bool:
        return any(
            number in {row[end] for end in ENDS[name]}
            and since <= row[TIME[name]]
            and (until is None or row[TIME[name]] < until)
            for number, since, until in self.held
        )

    def _erase(self) -> None:
        for number, before in self.erased:
            self.rows = [
                (name, row) for name, old in self.rows if (row := self._without(name, old, number, before))
            ]

    def _without(self, name: str, row: Row, number: str, before: datetime) -> Row | None:
        hit = [end for end in ENDS[name] if row[end] == number]
        if not hit or row[TIME[name]] >= before or self.is_held(name, row):
            return row
        row = row | dict.fromkeys(hit, ERASED)
        for end in hit:
            row |= dict.fromkeys(ABOUT.get(end, ()))
        if name == "texts":
            row["body"] = None
        if name == "calls" and number.lstrip("+") in (row["call_id"] or ""):
            row["call_id"] = None
        return row if any(row[end] not in {None, ERASED} for end in ENDS[name]) else None

    def folded(self, name: str) -> list[Row]:
        rows = [row for found, row in self.rows if found == name]
        if name != "calls":
            unique = {tuple(row.items()): row for row in rows}.values()
            bodies = (
                {(r["time"], r["sender"], r["recipient"]) for r in unique if r.get("body")}
                if name == "texts"
                else set()
            )
            return [
                row for row in unique
                if name != "texts" or row["body"] is not None or (row["time"], row["sender"], row["recipient"]) not in bodies
            ]  # fmt: skip
        calls: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            key = tuple(row[name] for name in ("call_id", "start_time", "caller", "callee"))
            known = calls.setdefault(key, dict(row))
            for column, value in row.items():
                if value is not None:
                    pick = min if column == "answer_time" else max
                    known[column] = value if known[column] is None else pick(known[column], value)
        return list(calls.values())

    def of(self, name: str, number: str) -> list[Row]:
        found = []
        for row in self.folded(name):
            sides = [end for end in ENDS[name] if row[end] == number]
            if sides:
                found.append(row | {"side": sides[0]})
        return found


def asked(store: RecordStore, name: str, number: str, *limits: Any) -> list[Row]:
    """What a store answers."""
    since, until, limit = (*limits, None, None, None)[:3]
    rows: list[Row] = getattr(store, f"{name}_of")(number, since, until, limit).to_pylist()
    return rows


def same(found: list[Row], expected: list[Row]) -> bool:
    """Whether two answers hold the same rows, each once."""
    return sorted(map(str, map(_plain, found))) == sorted(map(str, map(_plain, expected)))


def _plain(row: Row) -> list[tuple[str, Any]]:
    return [
        (k, v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v) for k, v in sorted(row.items())
    ]


def check(store: RecordStore, plain: Plain) -> None:
    """Hold a store's answers against the plain one's."""
    for name in SCHEMAS:
        for number in NUMBERS:
            found, expected = asked(store, name, number), plain.of(name, number)
            assert same(found, expected), (name, number, found, expected)
            moments = [row[TIME[name]] for row in found]
            assert moments == sorted(moments, reverse=True)


def everything(folder: Path) -> str:
    """All that can be read anywhere in a folder: names, bytes of files, and what Parquet files hold."""
    texts = []
    for path in sorted(folder.rglob("*")):
        texts.append(str(path.relative_to(folder)))
        if path.is_file():
            content = path.read_bytes()
            texts.append(content.decode("latin-1"))
            if content[:4] == b"PAR1" == content[-4:]:
                texts.append(str(pq.read_table(path).to_pylist()))
    return "\n".join(texts)
