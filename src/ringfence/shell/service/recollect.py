"""Memory made anew from the record store, where no snapshot can be used: after an update, with other settings, after damage.

What is judged again here was judged before: its rows are kept and its alerts told already. So nothing of it is written; only at
the end the store learns which of its alerts are over by now, and which attacks that go on it does not know.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, Final, Protocol

import pyarrow as pa

from ringfence.detect.evidence import ENDED, RAISED, REOPENED
from ringfence.model.alert import rfc3339
from ringfence.model.tables import CALLS
from ringfence.report.story import Story
from ringfence.shell.service.changes import changes_of
from ringfence.shell.service.live_rows import Teller, stretches, with_time
from ringfence.shell.store.alerts import AlertChange

Rows = list[tuple[str, pa.RecordBatch]]
Documents = Mapping[str, Mapping[str, Any]]

AT_ONCE: Final = 250_000
"""Calls that are read together, about."""
_SPAN: Final = 600_000_000  # µs of rows that are told together
_DAY: Final = 86_400_000_000
_EVER: Final = 1 << 60


class Kept(Protocol):
    """What records are read from."""

    def days(self, table: str = ...) -> list[tuple[int, int]]:
        """The days with records: when each begins (µs), and about how many."""

    def between(self, table: str, begin: int, end: int) -> pa.Table:
        """Records of a stretch of time, in order."""


def told_again(records: Kept, most: int) -> Iterator[Rows]:
    """The newest records as they would have been told live, some minutes at a time.

    Args:
        records: of the store.
        most: calls, about; older ones are left.
    """
    teller = Teller()
    for begin, end in pieces(records.days(), most):
        calls = teller.take(records.between("calls", begin, end), end)
        others = {name: with_time(records.between(name, begin, end)) for name in ("texts", "transfers")}
        yield from (rows for _, rows in stretches({**others, "calls": calls}, _SPAN))
    rest = teller.take(CALLS.empty_table(), _EVER)
    yield from (rows for _, rows in stretches({"calls": rest}, _SPAN))


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
        now: µs; alerts that memory knows nothing of are over.
    """
    found: list[AlertChange] = []
    unknown = dict(is_open)
    for story in stories:
        alert = story.alert
        known = unknown.pop(alert.alert_id, None)
        if alert.closed_at is None:
            # what was told already is told once: events have stable ids
            found += changes_of(story, {RAISED, REOPENED} if len(alert.episodes) > 1 else {RAISED})
        elif known is not None:
            found += changes_of(story, {ENDED})
    return [*found, *(_over(document, now) for document in unknown.values())]


def _over(document: Mapping[str, Any], now: int) -> AlertChange:
    closed = rfc3339(now)
    *before, last = document.get("episodes") or [{}]
    episodes = [*before, {**last, "closed_at": closed}] if last else before
    over = {**document, "closed_at": closed, "episodes": episodes}
    return AlertChange(document["alert_id"], "closed", max(len(episodes), 1), now, over)
