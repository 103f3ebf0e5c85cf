"""Kamailio's accounting while it is written: rows of a call as soon as something is known of it.

A scan gives a call out once, when nothing more can come of it (`_sip_calls`). Live, a call is told up to three times, in rows
with the same call_id, start_time, caller and callee, which fold into one:

- at its answer: answer_time, no end_time;
- at its BYE: end_time, cause, who released. Where the log has CDRs beside transactions, the CDR alone waits `failure_hold`
  for the BYE, which knows who released;
- when it failed: one row, after the next try of it would have been seen.

That last moment cannot be known, for the log has no record while the next try rings. So what a failure is worth depends on
its response: after one that a person or the caller gave (486, 603, 487, …) the row comes after `failure_hold` (5 s of log
time), after one on which proxies go on by themselves (3xx, 404, 408, 5xx: a redirect server's "no objection", the next route) only after
`ROUTE_HOLD`, in which one further try can ring out. A call that is answered after it was told as failed (forwarding
to another phone) is told again, as answered, and counted as `failed_then_answered`; its first row said an end that
was none.

The log has no record of a set-up. The start is `setup_time` if the operator logs it, else the first response; either way it
lies before the moment at which the row is given.

Counts in these chunks: `read` is lines; `ignored` is lines that began no call, a BYE too, although it gives a row.
"""

import heapq
from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, Protocol, cast

from ringfence.ingest import _sip_calls
from ringfence.ingest._sip_calls import SECOND, BadRecordError, Call, Calls, Take, chunks, start_of, zone_of
from ringfence.ingest.format import Chunk, Rejected, Settings, formats

FAILURE_HOLD: Final = 5 * SECOND
ROUTE_HOLD: Final = 200 * SECOND
"""Timer C of RFC 3261 (16.6): a try rings for more than three minutes at most; some seconds for the log's own disorder."""

# 480 is a phone that is not there or does not want to; a mailbox behind it answers at once.
_DECIDED: Final = frozenset({480, 486, 487, 600, 603, 604, 607, 608})
_FAILED, _ANSWERED, _ENDED = 1, 2, 3

State = dict[str, Any]


class _Lines(Protocol):
    def taker(self) -> Take:
        """Return what takes in the lines of one log."""


def is_acc(name: str) -> bool:
    """Return whether a format is an accounting log that can be read as it grows."""
    return hasattr(formats().get(name), "taker")


class AccLines:
    """The lines of one log, taken in pieces; cutting them elsewhere makes no difference.

    Args:
        name: of the format, `kamailio_acc` or `kamailio_acc_json`.
        settings: for the zone of times that carry none.
        failure_hold: µs of log time that a failed call waits for its next try.

    Raises:
        UnreadableError: there is no such time zone.
    """

    def __init__(self, name: str, settings: Settings, failure_hold: int = FAILURE_HOLD) -> None:
        self._take = cast("_Lines", formats()[name]).taker()
        self._calls = _Live(settings, failure_hold)
        self._row = 0

    def feed(self, data: bytes, head: bytes = b"") -> list[Chunk]:
        """Take in whole lines; returns the rows they give (none: one chunk with the counts).

        Args:
            data: lines with their ends; the last may lack it.
            head: not used, such a log has no header.
        """
        del head
        rejected: list[Rejected] = []
        count = 0
        parts = data.split(b"\n")
        for row, part in enumerate(parts, self._row + 1):
            try:
                count += self._line(row, part)
            except BadRecordError as error:
                count += 1
                rejected.append(Rejected(row, str(error)))
        self._row += len(parts) - (not parts[-1])
        return list(chunks(self._calls, count, rejected))

    def advance(self, until: int) -> list[Chunk]:
        """Let log time go on without lines, to `until` (µs); returns the rows of failures that waited for it."""
        self._calls.release(until)
        return list(chunks(self._calls, 0, []))

    def as_json(self) -> State:
        """The state, for a snapshot."""
        return {"row": self._row, **self._calls.as_json()}

    def restore(self, state: State) -> None:
        """Take the state of a snapshot."""
        self._row = int(state["row"])
        self._calls.restore(state)

    def _line(self, row: int, part: bytes) -> bool:
        """Take in a line; returns whether it is one (and not blank)."""
        if len(part) > _sip_calls.MAX_LINE:
            raise BadRecordError("the line is longer than 1 MiB")
        text = _sip_calls.line_text(part, row)
        if text is None:
            return False
        if not self._take(self._calls, row, text, True):
            self._calls.ignored += 1
            self._calls.notes["other_lines"] += 1
        return True


class _Live(Calls):
    """Calls that are told while they are up. Those told in full stay known for a while: a doubled record must change nothing."""

    def __init__(self, settings: Settings, failure_hold: int) -> None:
        super().__init__(zone_of(settings))
        self._failure_hold = failure_hold
        self._now = 0
        self._due: list[tuple[int, str]] = []  # when a call that waits is told, if nothing came by then

    def _put(self, call: Call, time: int) -> None:
        super()._put(call, time)
        self._consider(call)

    def _consider(self, call: Call) -> None:
        if not call.invited or call.told == _ENDED:
            return
        if call.answer is not None and call.end is None:
            self._tell(call, _ANSWERED)
        elif call.answer is not None and (call.bye_tag or not self._accounted):
            self._tell(call, _ENDED)
        elif call.end is not None or call.failed is not None:
            heapq.heappush(self._due, (self._due_at(call), call.key))

    def _due_at(self, call: Call) -> int:
        patient = call.end is None and call.code != 0 and call.code not in _DECIDED
        return call.last + (ROUTE_HOLD if patient else self._failure_hold)

    def release(self, time: int) -> None:
        """Tell and forget what has waited long enough at `time`."""
        self._release(time)

    def _release(self, time: int) -> None:
        self._now = max(self._now, time)
        while self._due and self._due[0][0] <= self._now:
            call = self._find(heapq.heappop(self._due)[1])
            if call is not None and call.invited and self._due_at(call) <= self._now:
                self._tell_last(call)
        super()._release(time)

    def _complete(self, call: Call) -> None:
        if call.invited:
            self._tell_last(call)
        else:
            super()._complete(call)

    def _tell_last(self, call: Call) -> None:
        if call.end is not None:
            self._tell(call, _ENDED)
        elif call.answer is None:
            self._tell(call, _FAILED)

    def _tell(self, call: Call, what: int) -> None:
        if call.told >= what:
            return
        if call.told == _FAILED:
            self.notes["failed_then_answered"] += 1
        if call.shown is None:
            call.shown = start_of(call), call.caller, call.callee
        call.told = what
        told = Call(*_values(call))
        told.setup = None
        told.first, told.caller, told.callee = call.shown
        self.done.append(told)

    def as_json(self) -> State:
        """The state, for a snapshot; calls are lists in the order of the fields of `Call`."""
        return {
            "open": [_values(call) for call in self._open.values()],
            "held": [_values(call) for call in self._held.values()],
            "latest": self._latest,
            "accounted": self._accounted,
            "now": self._now,
            "due": sorted(self._due),
        }

    def restore(self, state: State) -> None:
        """Take the state of a snapshot."""
        self._open.clear()
        self._held.clear()
        self._open.update((call.key, call) for call in _calls_of(state["open"]))
        self._held.update((call.key, call) for call in _calls_of(state["held"]))
        self._latest = dict(state["latest"])
        self._accounted = bool(state["accounted"])
        self._now = int(state["now"])
        self._due = [(int(time), str(key)) for time, key in state["due"]]  # sorted, so it is a heap


_NAMES: Final = tuple(field.name for field in fields(Call))
_values: Final = attrgetter(*_NAMES)


def _calls_of(rows: list[list[Any]]) -> Iterator[Call]:
    for row in rows:
        call = Call(**dict(zip(_NAMES, row, strict=True)))
        if call.shown is not None:
            call.shown = call.shown[0], call.shown[1], call.shown[2]
        yield call
