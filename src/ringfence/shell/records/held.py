"""What open and kept cases hold, as a relation."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pyarrow as pa

from ringfence.shell.records.kinds import HELD_SCHEMA

Interval = tuple[str, datetime, datetime | None]
"""A number, from when on, and until when (not included; None: for ever)."""
Held = Iterable[Interval] | Callable[[], Iterable[Interval]]

_FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


def held_table(held: Held) -> pa.Table:
    """The relation `kinds.HELD`."""
    found = list(held() if callable(held) else held)
    numbers, begins, ends = ([row[place] for row in found] for place in range(3))
    return pa.table([numbers, begins, [end or _FOR_EVER for end in ends]], schema=HELD_SCHEMA)


def microseconds(moment: datetime) -> int:
    """A moment with a time zone, in µs since 1970.

    Raises:
        ValueError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; say which, such as UTC")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
