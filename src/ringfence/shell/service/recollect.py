"""Memory made anew from the record store, where no snapshot can be used: after an update, with other settings, after damage.

What is judged again here was judged before: its rows are kept and its alerts told already. So nothing of it is written; only at
the end the store learns which of its alerts are over by now, and which attacks that go on it does not know.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.detect.evidence import ENDED, RAISED, REOPENED
from ringfence.model.alert import rfc3339
from ringfence.report.story import Story
from ringfence.shell.records.kinds import ERASED
from ringfence.shell.service.changes import changes_of
from ringfence.shell.service.live_rows import Tables, Teller, stretches, with_time
from ringfence.shell.store.alerts import AlertChange, microseconds

Rows = list[tuple[str, pa.RecordBatch]]
Documents = Mapping[str, Mapping[str, Any]]

AT_ONCE: Final = 250_000
"""Calls that are read together, about."""
_SPAN: Final = 600_000_000  # µs of rows that are told together
_LAST_SPAN: Final = 2_000_000
_DAY: Final = 86_400_000_000
_EVER: Final = 1 << 60


class Kept(Protocol):
    """What records are read from."""

    def days(self, table: str = ...) -> list[tuple[int, int]]:
        """The days with records: when each begins (µs), and about how many."""

    def between(self, table: str, begin: int, end: int) -> pa.Table:
        """Records of a stretch of time, in order."""


def told_again(records: Kept, most: int) -> Iterator[Rows]:
    """The newest records as they would have been told live, some minutes at a time, the last ones some seconds.

    Args:
        records: of the store.
        most: calls, about; older ones are left.
    """
    teller = Teller()
    for begin, end in pieces(records.days(), most):
        calls = teller.take(_of_persons(records.between("calls", begin, end), "caller", "callee"), end)
        others = {
            "texts": with_time(_of_persons(records.between("texts", begin, end), "sender", "recipient")),
            "transfers": with_time(records.between("transfers", begin, end)),
        }
        yield from _in_turn({**others, "calls": calls}, is_last=end == _EVER)


def _in_turn(tables: Tables, *, is_last: bool) -> Iterator[Rows]:
    """Rows in stretches. Time goes on by the median of a batch: so the last ones must be short, or minutes would be missing."""
    newest = max((rows["told"].to_numpy().max() for rows in tables.values() if len(rows)), default=0)
    cut = int(newest) - _SPAN if is_last else _EVER
    for early, span in ((True, _SPAN), (False, _LAST_SPAN)):
        part = {
            name: rows.filter(np.asarray(rows["told"].to_numpy() < cut) == early)
            for name, rows in tables.items()
        }
        yield from (rows for _, rows in stretches(part, span))


def _of_persons(rows: pa.Table, *ends: str) -> pa.Table:
    """Rows of which nobody was erased: all who were would be one person."""
    for end in ends:
        rows = rows.filter(pc.fill_null(pc.not_equal(rows[end], ERASED), fill_value=True))
    return rows


def pieces(days: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Stretches of time (µs) in order, without gaps, that hold the newest `most` calls or a few more, about `AT_ONCE` each."""
    begins: list[int] = []
    room = float(most)
    for day, count in sorted(days, reverse=True):
        parts = max(ceil(count / AT_ONCE), 1)
        for part in reversed(range(parts)):
            if room <= 0:
                break
            begins.append(day + part * _DAY // parts)
            room -= count / parts
    begins.reverse()
    return list(zip(begins, [*begins[1:], _EVER], strict=False))


def differences(stories: Iterable[Story], is_open: Documents, now: int) -> list[AlertChange]:
    """What the store must learn so that it says what memory says.

    Args:
        stories: of memory, all of them.
        is_open: alerts that go on, as far as the store knows, by id.
        now: µs, up to where all is judged; alerts from before that memory knows nothing of are over.
    """
    found: list[AlertChange] = []
    unknown = dict(is_open)
    for story in stories:
        alert = story.alert
        known = unknown.pop(alert.alert_id, None)
        if alert.closed_at is None:
            back = {REOPENED} if len(alert.episodes) > 1 else set[int]()
            found += changes_of(story, set() if known is not None else {RAISED, *back})
        elif known is not None:
            found += changes_of(story, {ENDED})
    over = [one for one in unknown.values() if (microseconds(one["raised_at"]) or 0) < now]
    return [*found, *(_over(document, now) for document in over)]


def _over(document: Mapping[str, Any], now: int) -> AlertChange:
    closed = rfc3339(now)
    *before, last = document.get("episodes") or [{}]
    episodes = [*before, {**last, "closed_at": closed}] if last else before
    over = {**document, "closed_at": closed, "episodes": episodes}
    return AlertChange(document["alert_id"], "closed", max(len(episodes), 1), now, over)
