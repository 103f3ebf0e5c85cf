"""Rows told at a pace: a replay of records, or a city that is being made. Time is that of the rows, hurried on by a factor.

Whatever was told before a restart is not told again: the place stands in every record of the journal.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.shell.service.decoders import EVENTS, to_payload
from ringfence.shell.service.intake import Append, insist
from ringfence.shell.service.live_rows import Teller, stretches, with_time

PIECE_S: Final = 0.25
"""Seconds of ours between two pieces that are told."""
HOUR: Final = 3_600_000_000
"""µs of theirs that make a piece where there is no pace to keep."""
AT_ONCE: Final = 20_000
"""Rows of a piece at the most."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a stretch of time, in order: what is told before `until` (µs) is whole with it."""

    calls: pa.Table
    texts: pa.Table
    transfers: pa.Table
    until: int


class Feed:
    """Tells rows as if they happened.

    Args:
        name: of the source.
        append: takes what is to be written, see `Service.append`.
        parts: the rows, in order of time; made while they are told.
        speed: seconds of theirs in one of ours; 0: as fast as they are taken.
        hurry: µs; what lies before is told as fast as it is taken.
        since: asked when it begins: what lies before it, µs, was told.
        clock: µs since 1970; nothing is told before it has happened. None: everything is long ago.
    """

    def __init__(
        self,
        name: str,
        append: Append,
        parts: Callable[[], Iterator[Part]],
        *,
        speed: float = 60.0,
        hurry: int = 0,
        since: Callable[[], int] = lambda: 0,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.name = name
        self.has_position = True
        self.trouble: str | None = None
        self.counts: dict[str, int] = {}
        self._append = append
        self._parts = parts
        self._speed = speed
        self._hurry = hurry
        self._since = since
        self._told = self._told_before = 0
        self._clock = clock
        self.finished = False

    async def run(self) -> None:
        """Tell everything, then return."""
        self._told = self._told_before = self._since()
        teller, parts = Teller(), self._parts()
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            rows = await asyncio.to_thread(teller.take, part.calls, part.until)
            await self._tell(rows, part)
        self.finished = True

    async def _tell(self, told: pa.Table, part: Part) -> None:
        span = max(int(self._speed * PIECE_S * 1e6), 1) if self._speed > 0 else HOUR
        if part.until <= self._hurry:
            span = HOUR
        tables = {"texts": with_time(part.texts), "transfers": with_time(part.transfers), "calls": told}
        rest = {
            name: rows.filter(pc.greater(rows["told"], self._told_before)) for name, rows in tables.items()
        }
        for until, found in stretches(rest, span):
            await self._wait(self._told, until)
            rows = [
                (table, batch.slice(first, AT_ONCE))
                for table, batch in found
                for first in range(0, len(batch), AT_ONCE)
            ]
            for table, batch in rows[:-1]:
                await self._put(table, batch, None)
            await self._put(*rows[-1], until)
            self._told = until

    async def _wait(self, last: int, until: int) -> None:
        """Wait as long as it takes from one time to another."""
        if until <= self._hurry or not last or self._speed <= 0:
            return
        await asyncio.sleep(min((until - last) / 1e6 / self._speed, 3600.0))
        if self._clock is not None:
            await asyncio.sleep(max(until - self._clock(), 0) / 1e6)

    async def _put(self, table: str, batch: pa.RecordBatch, told: int | None) -> None:
        """Have rows written; `told`: with these all is told up to there."""
        note: dict[str, Any] = {"source": self.name, "kind": EVENTS, "table": table}
        if told is not None:
            note["position"] = {"told": told}
        await insist(self._append, note, to_payload(batch))
