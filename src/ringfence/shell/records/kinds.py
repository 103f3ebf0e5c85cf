"""The tables of the store: their ends, how rows of one record fold, and what an erasure leaves of a row.

Each function gives SQL for DuckDB. Nothing of a row, a request or a path ever gets into it: values are parameters.
"""

# ruff: noqa: S608  what is put together here are names of columns; values are parameters

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from ringfence.model.tables import CALLS, TEXTS, TRANSFERS

ERASED: Final = "[erased]"
"""Stands where an erased number stood. Brackets are neither digits nor allowed in the user part of a SIP address (RFC 3261, 25.1)."""

HELD: Final = "held"
"""The relation of what cases hold, wherever SQL asks for it: number, since, until."""
HELD_SCHEMA: Final = pa.schema(
    [
        pa.field("number", pa.string()),
        pa.field("since", pa.timestamp("us", tz="UTC")),
        pa.field("until", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class End:
    """One of the numbers of a row.

    Attributes:
        column: where it stands.
        about: columns that are about this person as well, and go with the number.
    """

    column: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One table.

    Attributes:
        name: of the table, and of its folder.
        schema: its columns, as in the contract.
        time: the column that decides about day and retention.
        ends: its numbers; the first is never null.
        identity: columns that are the same in all rows of a record; empty: all columns.
        best: a column of which null gives way to what another row knows, all else being equal.
    """

    name: str
    schema: pa.Schema
    time: str
    ends: tuple[End, ...]
    identity: tuple[str, ...] = ()
    best: str | None = None

    @property
    def columns(self) -> str:
        """All columns."""
        return ", ".join(self.schema.names)

    @property
    def run_schema(self) -> pa.Schema:
        """Columns of a compacted file: every record under each of its numbers."""
        number, side = pa.field("number", pa.string()), pa.field("side", pa.string())
        return pa.schema([number, side, *self.schema])

    def fold(self, source: str) -> str:
        """One row a record out of the rows of a relation; what any row knows, the folded row knows.

        It does not matter how often or in which order rows are folded, nor how often the same row comes.
        """
        if self.identity:
            known = [
                name
                if name in self.identity
                else f"{'min' if name == 'answer_time' else 'max'}({name}) AS {name}"
                for name in self.schema.names
            ]
            return f"SELECT {', '.join(known)} FROM {source} GROUP BY {', '.join(self.identity)}"
        if self.best is None:
            return f"SELECT DISTINCT {self.columns} FROM {source}"
        same = ", ".join(name for name in self.schema.names if name != self.best)
        return (
            f"SELECT DISTINCT {self.columns} FROM (SELECT *, max({self.best}) OVER (PARTITION BY {same}) AS most"
            f" FROM {source}) WHERE {self.best} IS NOT NULL OR most IS NULL"
        )

    def legs(self, source: str) -> str:
        """Every record of a relation under each of its numbers, once where both are the same."""
        parts = []
        for place, end in enumerate(self.ends):
            others = "".join(f" AND {end.column} <> {other.column}" for other in self.ends[:place])
            parts.append(
                f"SELECT {end.column} AS number, '{end.column}' AS side, {self.columns} FROM {source}"
                f" WHERE {end.column} <> '{ERASED}'{others}"
            )
        return " UNION ALL ".join(parts)

    def once(self) -> str:
        """Which rows of compacted files to take so that every record comes once."""
        first = self.ends[0].column
        return f"(side = '{first}' OR {first} = '{ERASED}')"

    def within(self) -> str:
        """Which rows begin from $since on and before $until (µs)."""
        return f"{self.time} >= make_timestamptz($since::BIGINT) AND {self.time} < make_timestamptz($until::BIGINT)"

    def of(self) -> str:
        """Which rows have $number at one of their ends."""
        return "(" + " OR ".join(f"{end.column} = $number" for end in self.ends) + ")"

    def side(self) -> str:
        """The end of a row at which $number stands."""
        cases = " ".join(f"WHEN {end.column} = $number THEN '{end.column}'" for end in self.ends)
        return f"CASE {cases} END"

    def held(self) -> str:
        """Which rows a case holds."""
        return (
            "("
            + " OR ".join(
                f"EXISTS (SELECT 1 FROM {HELD} WHERE {HELD}.number = {end.column}"
                f" AND {self.time} >= {HELD}.since AND {self.time} < {HELD}.until)"
                for end in self.ends
            )
            + ")"
        )

    def goes(self) -> str:
        """Which rows an erasure of $number touches: what it did before $until, and no case holds."""
        return f"({self.of()} AND {self.within()} AND NOT {self.held()})"

    def without(self, source: str, *, run: bool) -> str:
        """The rows of a relation without $number (`goes` says which), in their order.

        Args:
            source: the relation.
            run: whether its rows stand under `number` and `side`, as in compacted files.
        """
        ends = [end.column for end in self.ends]
        drop = "number = $number OR " if run else ""
        if len(ends) == 1:  # no one else's record
            nobody = "true"
        else:
            nobody = " AND ".join(f"coalesce({name}, '{ERASED}') IN ('{ERASED}', $number)" for name in ends)
        changed: dict[str, str] = {}
        for end in self.ends:
            changed[end.column] = (
                f"CASE WHEN goes AND {end.column} = $number THEN '{ERASED}' ELSE {end.column} END"
            )
            for name in end.about:
                hit = f"{end.column} = $number"
                changed[name] = f"CASE WHEN goes AND {hit} THEN NULL ELSE {name} END"
        if "call_id" in self.schema.names:  # a switch may build it of the numbers
            named = "length($number) > 6 AND contains(call_id, ltrim($number, '+'))"
            changed["call_id"] = f"CASE WHEN goes AND {named} THEN NULL ELSE call_id END"
        if self.best:
            changed[self.best] = f"CASE WHEN goes THEN NULL ELSE {self.best} END"
        columns = ", ".join(
            f"{changed[name]} AS {name}" if name in changed else name for name in self.schema.names
        )
        front = "number, side, " if run else ""
        return (
            f"SELECT {front}{columns} FROM (SELECT *, coalesce({self.goes()}, false) AS goes FROM {source})"
            f" WHERE NOT (goes AND ({drop}{nobody}))"
        )


CALLS_KIND: Final = Kind(
    "calls",
    CALLS,
    "start_time",
    (End("callee", ("callee_device", "callee_cell")), End("caller", ("caller_device",))),
    identity=("call_id", "start_time", "caller", "callee"),
)
TEXTS_KIND: Final = Kind("texts", TEXTS, "time", (End("recipient"), End("sender")), best="body")
TRANSFERS_KIND: Final = Kind("transfers", TRANSFERS, "time", (End("subscriber"),))
KINDS: Final = {kind.name: kind for kind in (CALLS_KIND, TEXTS_KIND, TRANSFERS_KIND)}
