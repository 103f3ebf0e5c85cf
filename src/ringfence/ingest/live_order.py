"""Put rows into order while calls go on: a call is told when it is set up, when it is answered and when it is over.

Rows of one call bear the same `call_id`, set-up, caller and called number; what any of them knows, the call knows. Time is what the
rows tell, less a span within which disorder is repaired. Whatever is told later than that is not lost: the answer or end of a
call that is up is learned then; a call whose set-up is told too late cannot be judged as it began, and is given out apart.

Everything is a function of the rows and of the times given: told again in the same order, the same comes out.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.ingest.reorder import firsts, fold, order_of
from ringfence.model.calls import COLUMNS, NEVER, Calls, Ints, join, no_calls, pack_texts, unpack_texts

SECOND: Final = 1_000_000


class Ready(NamedTuple):
    """What can be judged.

    Attributes:
        calls: that begin before `until`, ordered by (start, key), each once.
        learned: rows of calls given out before: of their answers and ends.
        until: µs, up to where all is known.
    """

    calls: Calls
    learned: Calls
    until: int


class LiveOrder:
    """Holds rows until the time comes to judge them.

    Args:
        span: µs, within which disorder is repaired.
        ahead: µs, by which the clock of a source may be ahead of ours.

    Attributes:
        newest: µs, the newest time that rows tell of: of each batch the median, for one wrong clock must not move it.
        until: µs, the time up to which rows are given out.
        folded: rows folded into another so far.
    """

    def __init__(self, span: int, ahead: int) -> None:
        self.newest = 0
        self.until = 0
        self.folded = 0
        self._span = span
        self._ahead = ahead
        self._waiting: list[Calls] = []
        self._learned: list[Calls] = []

    def __len__(self) -> int:
        return sum(len(part) for part in (*self._waiting, *self._learned))

    def push(self, calls: Calls, received: int) -> Calls:
        """Take rows in; returns those of a clock that is too far ahead (their origin tells which).

        Args:
            calls: in any order.
            received: µs, when they came in, by our clock.
        """
        told = last_known(calls)
        wrong = told > received + self._ahead
        rejected = no_calls()
        if wrong.any():
            rejected, calls = calls.take(np.flatnonzero(wrong)), calls.take(np.flatnonzero(~wrong))
            told = told[~wrong]
        if not len(calls):
            return rejected
        fresh = calls.start >= self.until
        if fresh.all():
            self._waiting.append(calls)
        else:
            self._waiting.append(calls.take(np.flatnonzero(fresh)))
            self._learned.append(calls.take(np.flatnonzero(~fresh)))
        self.advance(int(np.partition(told, len(told) // 2)[len(told) // 2]))
        return rejected

    def advance(self, now: int) -> None:
        """Let time pass: up to `now` (µs) all is known, but for what comes later by less than the span."""
        self.newest = max(self.newest, now)
        self.until = max(self.until, self.newest - self._span)

    def take(self) -> Ready:
        """Give out what can be judged by now."""
        given, kept = [no_calls()], []
        for part in self._waiting:
            now = part.start < self.until
            if now.all():
                given.append(part)
            elif not now.any():
                kept.append(part)
            else:
                given.append(part.take(np.flatnonzero(now)))
                kept.append(part.take(np.flatnonzero(~now)))
        learned = join([no_calls(), *self._learned])
        self._waiting, self._learned = kept, []
        return Ready(*self._told_apart(join(given), learned), self.until)

    def finish(self) -> Ready:
        """Give out all that is held: there are no more rows."""
        self.until = NEVER
        return self.take()

    def _told_apart(self, fresh: Calls, learned: Calls) -> tuple[Calls, Calls]:
        """Fold all rows by call; calls of which a row is fresh, and what is learned of others."""
        rows = join([fresh, learned])
        is_fresh = np.zeros(len(rows), np.bool_)
        is_fresh[: len(fresh)] = True
        order = order_of(rows)
        if order is not None:
            rows, is_fresh = rows.take(order), is_fresh[order]
        if not len(rows):
            return rows, rows
        begins = np.logical_or.reduceat(is_fresh, firsts(rows))
        rows, folded = fold(rows)
        self.folded += folded
        if begins.all():
            return rows, no_calls()
        return rows.take(np.flatnonzero(begins)), rows.take(np.flatnonzero(~begins))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, for a snapshot."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "counts": np.array([self.newest, self.until, self.folded], np.int64)
        }
        for name, parts in (("waiting", self._waiting), ("learned", self._learned)):
            calls = join([no_calls(), *parts])
            arrays |= {f"{name}.{column}": getattr(calls, column) for column in COLUMNS}
            arrays |= {f"{name}.ids.{part}": array for part, array in pack_texts(calls.ids).items()}
        return arrays

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        self.newest, self.until, self.folded = (int(n) for n in arrays["counts"])
        self._waiting = [_calls(arrays, "waiting")]
        self._learned = [_calls(arrays, "learned")]


def last_known(calls: Calls) -> Ints:
    """The last moment that each row tells of, µs."""
    told = np.maximum(calls.start, np.where(calls.answer == NEVER, 0, calls.answer))
    return np.maximum(told, np.where(calls.end == NEVER, 0, calls.end))


def _calls(arrays: dict[str, npt.NDArray[Any]], name: str) -> Calls:
    ids = unpack_texts({part: arrays[f"{name}.ids.{part}"] for part in ("bytes", "ends", "valid")})
    return Calls(**{column: arrays[f"{name}.{column}"] for column in COLUMNS}, ids=ids)
