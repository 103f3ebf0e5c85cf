"""Moments: what the network learns of calls, in the order in which it learns it.

A call is its set-up, its answer, the minutes that pass while it is up, and its end. What is known of it stands in two
places: `CALL`, what is known by now, which is all that a detector sees; and `PLAN`, what the records say of later, from
which the moments are laid out. Whatever is judged from moments cannot use the future. A transfer of money is a moment too.

A moment is one integer: the time since the first moment of the window, the row of its call, and its sort. Sorting these
puts all moments into their order: by time, then in the order of the set-ups, then by sort. That order is total and does
not depend on how the calls were cut into batches.
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit, zeros
from ringfence.detect.memory import (
    AWAY,
    CALL,
    CALL_LIFE,
    MINUTE,
    PAYMENT,
    RING_MINUTES,
    STRANGER,
    WITHHELD,
    pair_key,
)
from ringfence.model.calls import NEVER, Calls
from ringfence.model.transfers import Transfers

SETUP: Final = 0
ANSWER: Final = 1
TICK: Final = 2
END: Final = 3
PAID: Final = 4
"""Money moves, see `payment_of`."""

SPAN_BITS: Final = 38
ROW_BITS: Final = 22
KIND_BITS: Final = 3
SPAN: Final = 1 << SPAN_BITS
"""The longest window, µs: three days."""
MOST_ROWS: Final = 1 << ROW_BITS
"""The most calls, and the most payments, in a window."""

PLAN: Final = np.dtype(
    [
        ("answer", "i8"),  # NEVER: not answered, as far as the records tell
        ("told", "i8"),  # when the answer is learned: at the answer, or later if its record came late
        ("end", "i8"),  # NEVER: no end within CALL_LIFE of the answer
        ("cause", "i2"),
        ("released_by", "i1"),
        ("lost", "i1"),  # rang for so long without an answer or an end that its record was lost
    ],
    align=True,
)
"""What the records say of a call's later moments."""


class Window(NamedTuple):
    """Moments of a stretch of time, ready for the pass.

    Attributes:
        keys: int64, sorted.
        base: µs, the time that keys count from.
        calls: CALL records; a moment's row is its place here.
        plans: PLAN records, one a call.
        payments: PAYMENT records.
    """

    keys: npt.NDArray[np.int64]
    base: int
    calls: npt.NDArray[np.void]
    plans: npt.NDArray[np.void]
    payments: npt.NDArray[np.void]


@jit
def kind_of(key: int) -> int:
    """SETUP, ANSWER, TICK, END or PAID."""
    return key & ((1 << KIND_BITS) - 1)


@jit
def row_of(key: int) -> int:
    """The row of the moment's call."""
    return (key >> KIND_BITS) & (MOST_ROWS - 1)


@jit
def payment_of(key: int, payments: int) -> int:
    """The row of the moment's payment, of so many: at one instant they come after all calls."""
    return row_of(key) - (MOST_ROWS - payments)


@jit
def time_of(key: int, base: int) -> int:
    """µs."""
    return base + (key >> (ROW_BITS + KIND_BITS))


@jit
def _key(time: int, base: int, row: int, kind: int) -> int:
    return ((time - base) << (ROW_BITS + KIND_BITS)) | (row << KIND_BITS) | kind


@jit
def _plan(plan: Any, start: int, answer: int, end: int) -> None:
    """Write down the later moments of a call, without those that come too late to belong to it."""
    given_up = start + RING_MINUTES * MINUTE
    plan.lost = 0
    plan.told = answer
    if answer < given_up:
        plan.answer = answer
        plan.end = end if end != NEVER and end - answer <= CALL_LIFE else NEVER
        return
    plan.answer = NEVER
    plan.told = NEVER
    plan.end = end
    if end >= given_up:
        plan.lost = 1
        plan.end = given_up


@entry
def _take_in(
    start: Any, answer: Any, end: Any, caller: Any, callee: Any, key: Any, words: Any, codes: Any,
    first: int, calls: Any, plans: Any,
) -> None:  # fmt: skip
    for i in range(len(start)):
        call = calls[first + i]
        call.key = key[i]
        call.caller = caller[i]
        call.callee = callee[i]
        call.start = start[i]
        call.answer = NEVER
        call.pair = pair_key(caller[i], callee[i])
        call.trunk = words[i, 0]
        call.caller_device = words[i, 1]
        call.callee_device = words[i, 2]
        call.callee_cell = words[i, 3]
        call.ingress = codes[i, 2]
        call.attestation = codes[i, 3]
        call.relation = WITHHELD if caller[i] == 0 else STRANGER
        call.before = 0
        call.helped = 0
        call.weighed = 0
        call.numbers = 0
        call.home = AWAY
        call.acquainted = AWAY
        call.kind = 0
        call.received = 0
        call.link = 0
        call.held = 0
        call.people = 0
        call.abroad = 0
        call.elsewhere = 0
        call.released = 0
        call.other = 0
        call.tries = 0
        call.drops = 0
        call.minutes = 0
        call.calls = 0
        call.talks = 0
        call.unanswered = 0
        call.dropped = 0
        call.age = 0
        plan = plans[first + i]
        plan.cause = codes[i, 0]
        plan.released_by = codes[i, 1]
        _plan(plan, start[i], answer[i], end[i])


@jit
def _over(plan: Any) -> int:
    """When a call is over for the pass."""
    return plan.end if plan.end != NEVER else plan.answer + CALL_LIFE


@jit
def _ticks(plan: Any, since: int, until: int) -> tuple[int, int]:
    """Which minutes of a call pass within [since, until): the first, and the one after the last."""
    if plan.answer == NEVER:
        return 0, 0
    first = max((since - plan.answer + MINUTE - 1) // MINUTE, 1)
    last = (min(_over(plan), until - 1) - plan.answer) // MINUTE
    return first, max(last + 1, first)


@entry
def _count(plans: Any, since: int, until: int) -> int:
    """How many moments there are at the most."""
    n = 0
    for row in range(len(plans)):
        first, last = _ticks(plans[row], since, until)
        n += last - first + 3
    return n


@entry
def _lay_out(calls: Any, plans: Any, fresh: int, since: int, until: int, keys: Any) -> int:
    """Write the keys of all moments within [since, until); rows from `fresh` on have their set-up there."""
    n = 0
    for row in range(len(plans)):
        plan = plans[row]
        if row >= fresh:
            keys[n] = _key(calls[row].start, since, row, SETUP)
            n += 1
        if since <= plan.told < until:
            keys[n] = _key(plan.told, since, row, ANSWER)
            n += 1
        first, last = _ticks(plan, since, until)
        for minute in range(first, last):
            keys[n] = _key(plan.answer + minute * MINUTE, since, row, TICK)
            n += 1
        if since <= plan.end < until:
            keys[n] = _key(plan.end, since, row, END)
            n += 1
    return n


@entry
def _take_payments(
    time: Any, subscriber: Any, account: Any, amount: Any, key: Any, base: int, payments: Any, keys: Any
) -> None:
    for i in range(len(time)):
        payment = payments[i]
        payment.key = key[i]
        payment.caller = account[i]
        payment.callee = subscriber[i]
        payment.start = time[i]
        payment.amount = amount[i]
        keys[i] = _key(time[i], base, MOST_ROWS - len(time) + i, PAID)


@entry
def _keep_up(calls: Any, plans: Any, until: int) -> tuple[int, int]:
    """Move what is still up at `until` to the front: how many calls, and the time of their next moment."""
    n = 0
    due = NEVER
    for row in range(len(plans)):
        plan = plans[row]
        if _over(plan) < until:
            continue
        due = min(due, _next(plan, until))
        if n < row:
            calls[n] = calls[row]
            plans[n] = plan
        n += 1
    return n, due


@jit
def _next(plan: Any, until: int) -> int:
    """The next moment of a call at or after `until`."""
    if plan.answer == NEVER:
        return plan.end
    if plan.told >= until:
        return plan.told
    first, last = _ticks(plan, until, NEVER)
    tick = plan.answer + first * MINUTE if first < last else NEVER
    return min(tick, plan.end)


@entry
def _tell(calls: Any, plans: Any, since: int, key: Any, answer: Any, end: Any, codes: Any, found: Any) -> int:
    """Take in what is learned of calls that are up (keys sorted): the time of the next moment of all calls."""
    due = NEVER
    for row in range(len(plans)):
        place = np.searchsorted(key, calls[row].key)
        while place < len(key) and key[place] == calls[row].key:
            _learn(calls[row], plans[row], since, answer[place], end[place], codes[place])
            found[place] = True
            place += 1
        due = min(due, _next(plans[row], since))
    return due


@jit
def _learn(call: Any, plan: Any, since: int, answer: int, end: int, codes: Any) -> None:
    """Plan a call anew; nothing can be learned before `since` any more, but an answer keeps its own time."""
    known = plan.answer
    told = plan.told
    if answer != NEVER and plan.told >= since:
        known = min(known, answer)
        told = min(told, max(answer, since))
    over = NEVER if plan.lost else plan.end
    if end != NEVER:
        later = max(end, since)
        over = later if over == NEVER else max(over, later)
    over = max(over, known) if known != NEVER else over
    plan.cause = max(plan.cause, codes[0])
    plan.released_by = max(plan.released_by, codes[1])
    _plan(plan, call.start, known, over)
    if plan.answer != NEVER:
        plan.told = told


@jit
def _last(plan: Any) -> int:
    """The last moment of a call that the records tell of; 0: none after the set-up."""
    if plan.end != NEVER and plan.lost == 0:
        return plan.end
    return plan.answer if plan.answer != NEVER else 0


@entry
def _last_planned(plans: Any) -> int:
    last = 0
    for row in range(len(plans)):
        last = max(last, _last(plans[row]))
    return last


@entry
def _last_told(start: Any, answer: Any, end: Any, scratch: Any) -> int:
    last = 0
    for i in range(len(start)):
        _plan(scratch[0], start[i], answer[i], end[i])
        last = max(last, start[i], _last(scratch[0]))
    return last


def last_told(calls: Calls) -> int:
    """The last moment that the records tell of calls, µs (0: there are no calls)."""
    return int(_last_told(calls.start, calls.answer, calls.end, np.zeros(1, PLAN)))


@dataclass(slots=True)
class Timeline:
    """The calls that are up, and their moments.

    Attributes:
        due: µs, the next moment of a call that is up; NEVER: there is none.
    """

    due: int = NEVER
    _calls: npt.NDArray[np.void] = field(default_factory=lambda: np.zeros(0, CALL))
    _plans: npt.NDArray[np.void] = field(default_factory=lambda: np.zeros(0, PLAN))
    _up: int = 0
    _taken: int = 0

    def take(self, calls: Calls) -> None:
        """Take calls in, ordered by (start, key).

        Raises:
            ValueError: too many for one window.
        """
        first, last = self._taken, self._taken + len(calls)
        if last > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS:,} calls at once")
        if last > len(self._calls):
            size = max(last, min(2 * len(self._calls), MOST_ROWS))
            self._calls = _grown(self._calls, size, first)
            self._plans = _grown(self._plans, size, first)
        _take_in(
            calls.start, calls.answer, calls.end, calls.caller, calls.callee, calls.key, calls.words, calls.codes,
            first, self._calls, self._plans,
        )  # fmt: skip
        self._taken = last

    def open(self, since: int, until: int, transfers: Transfers | None = None) -> Window:
        """All moments within [since, until), at most SPAN apart; all calls taken in since the last window begin there.

        Args:
            since: µs.
            until: µs.
            transfers: all of that time; None: there are none.
        """
        calls, plans = self._calls[: self._taken], self._plans[: self._taken]
        keys = np.empty(_count(plans, since, until), np.int64)
        keys = keys[: _lay_out(calls, plans, self._up, since, until, keys)]
        payments = np.zeros(len(transfers or ()), PAYMENT)
        if transfers is not None and len(transfers):
            paid = np.empty(len(transfers), np.int64)
            columns = (
                transfers.time,
                transfers.subscriber,
                transfers.account,
                transfers.amount,
                transfers.key,
            )
            _take_payments(*columns, since, payments, paid)
            keys = np.concatenate([keys, paid])
        keys.sort()
        return Window(keys, since, calls, plans, payments)

    def close(self, until: int) -> None:
        """Let go of what is over by `until`."""
        self._up, self.due = _keep_up(self._calls[: self._taken], self._plans[: self._taken], until)
        self._taken = self._up

    def tell(self, calls: Calls, since: int) -> npt.NDArray[np.bool_]:
        """Take in what is learned of calls that are up: their answers, their ends.

        What is earlier than `since` is learned then; a talk is as long as it was.

        Args:
            calls: what any of these rows knows, its call knows from now on; their set-ups are known.
            since: µs, the first moment that is not judged yet.

        Returns:
            Which rows are of calls that are up.
        """
        order = np.argsort(calls.key, kind="stable")
        found = np.zeros(len(calls), np.bool_)
        columns = (calls.key[order], calls.answer[order], calls.end[order], calls.codes[order])
        self.due = int(_tell(self._calls[: self._up], self._plans[: self._up], since, *columns, found))
        told = np.zeros(len(calls), np.bool_)
        told[order] = found
        return told

    def last(self) -> int:
        """The last moment that the records tell of the calls that are up, µs (0: none)."""
        return int(_last_planned(self._plans[: self._taken]))

    def nbytes(self) -> int:
        """Bytes of all records."""
        return self._calls.nbytes + self._plans.nbytes

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The whole state, for a snapshot (between windows)."""
        return {
            "calls": self._calls[: self._up],
            "plans": self._plans[: self._up],
            "due": np.array([self.due]),
        }

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot.

        Raises:
            ValueError: the snapshot was made with other fields.
        """
        if arrays["calls"].dtype != CALL or arrays["plans"].dtype != PLAN:
            raise ValueError("the snapshot holds other fields than this version of the program keeps")
        self._calls = arrays["calls"].astype(CALL)
        self._plans = arrays["plans"].astype(PLAN)
        self._up = self._taken = len(self._calls)
        self.due = int(arrays["due"][0])


def _grown(rows: npt.NDArray[np.void], size: int, used: int) -> npt.NDArray[np.void]:
    fresh = zeros(size, rows.dtype)
    fresh[:used] = rows[:used]
    return fresh
