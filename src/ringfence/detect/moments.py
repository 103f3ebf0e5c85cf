"""Moments: what the network learns of calls, in the order in which it learns it.

A call is three moments: its set-up, its answer, its end (a fourth, the minutes passing while it is up, the engine adds
by itself). A moment carries what is known *then*: no answer at the set-up, no end at the answer. Whatever is judged
from moments cannot use the future.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit
from ringfence.model.calls import NEVER, Calls

SETUP: Final = 0
ANSWER: Final = 1
END: Final = 2

MOMENT: Final = np.dtype(
    [
        ("time", "i8"),  # µs since 1970, UTC
        ("call", "i8"),  # key of the call
        ("caller", "i8"),  # numbers as in model.numbers; 0: withheld
        ("callee", "i8"),
        ("start", "i8"),  # time of the set-up
        ("answer", "i8"),  # time of the answer as far as known at this moment, or NEVER
        ("trunk", "i8"),  # hashes of text; 0: not known
        ("caller_device", "i8"),
        ("callee_device", "i8"),
        ("callee_cell", "i8"),
        ("cause", "i2"),  # Q.850 at the end; 0: not known
        ("kind", "i1"),  # SETUP, ANSWER, END
        ("released_by", "i1"),  # codes of model.tables; 0: not known
        ("ingress", "i1"),
        ("attestation", "i1"),
    ],
    align=True,
)


@jit
def _sift_up(heap: Any, i: int) -> None:
    while i > 0:
        parent = (i - 1) >> 1
        if (heap[parent, 0], heap[parent, 1]) <= (heap[i, 0], heap[i, 1]):
            return
        for k in range(3):
            heap[parent, k], heap[i, k] = heap[i, k], heap[parent, k]
        i = parent


@jit
def _sift_down(heap: Any, size: int) -> None:
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            return
        if child + 1 < size and (heap[child + 1, 0], heap[child + 1, 1]) < (heap[child, 0], heap[child, 1]):
            child += 1
        if (heap[i, 0], heap[i, 1]) <= (heap[child, 0], heap[child, 1]):
            return
        for k in range(3):
            heap[child, k], heap[i, k] = heap[i, k], heap[child, k]
        i = child


@jit
def _push(heap: Any, counts: Any, free: Any, waiting: Any, moment: Any, order: int) -> None:
    place = free[counts[1] - 1]
    counts[1] -= 1
    waiting[place] = moment[0]
    size = counts[0]
    heap[size, 0] = moment[0].time
    heap[size, 1] = order
    heap[size, 2] = place
    counts[0] += 1
    _sift_up(heap, size)


@jit
def _pop_until(heap: Any, counts: Any, free: Any, waiting: Any, time: int, out: Any, n: int) -> int:
    """Give out waiting moments up to and including `time`."""
    while counts[0] > 0 and heap[0, 0] <= time:
        place = heap[0, 2]
        out[n] = waiting[place]
        n += 1
        free[counts[1]] = place
        counts[1] += 1
        counts[0] -= 1
        size = counts[0]
        for k in range(3):
            heap[0, k] = heap[size, k]
        _sift_down(heap, size)
    return n


@entry
def _unfold(
    start: Any, answer: Any, end: Any, caller: Any, callee: Any, key: Any, words: Any, codes: Any,
    heap: Any, counts: Any, free: Any, waiting: Any, scratch: Any, watermark: int, out: Any,
) -> int:  # fmt: skip
    n = 0
    for i in range(len(start)):
        n = _pop_until(heap, counts, free, waiting, start[i], out, n)
        m = scratch[0]
        m.time = start[i]
        m.call = key[i]
        m.caller = caller[i]
        m.callee = callee[i]
        m.start = start[i]
        m.answer = NEVER
        m.trunk = words[i, 0]
        m.caller_device = words[i, 1]
        m.callee_device = words[i, 2]
        m.callee_cell = words[i, 3]
        m.cause = 0
        m.kind = SETUP
        m.released_by = 0
        m.ingress = codes[i, 2]
        m.attestation = codes[i, 3]
        out[n] = m
        n += 1
        order = counts[2]
        counts[2] += 2
        if answer[i] != NEVER:
            m.time = answer[i]
            m.answer = answer[i]
            m.kind = ANSWER
            _push(heap, counts, free, waiting, scratch, order)
        if end[i] != NEVER:
            m.time = end[i]
            m.kind = END
            m.cause = codes[i, 0]
            m.released_by = codes[i, 1]
            _push(heap, counts, free, waiting, scratch, order + 1)
    return _pop_until(heap, counts, free, waiting, watermark - 1, out, n)


@dataclass(slots=True)
class Unfolder:
    """Turns calls, ordered by (start, key), into moments ordered by (time, start, key, kind).

    Answers and ends that lie past the watermark wait here. The order is total and does not depend on how the calls were
    cut into batches.
    """

    _heap: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    _waiting: npt.NDArray[np.void] = field(default_factory=lambda: np.zeros(0, MOMENT))
    _free: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))

    def unfold(self, calls: Calls, watermark: int) -> npt.NDArray[np.void]:
        """Return all moments before `watermark` (µs; no later call may begin before it).

        Args:
            calls: ordered by (start, key), all beginning before the watermark and not before the last one.
            watermark: exclusive bound, so that moments of one instant are never cut apart; NEVER to give out all.
        """
        self._make_room(2 * len(calls))
        out = np.empty(3 * len(calls) + int(self._counts[0]), MOMENT)
        n = _unfold(
            calls.start, calls.answer, calls.end, calls.caller, calls.callee, calls.key, calls.words, calls.codes,
            self._heap, self._counts, self._free, self._waiting, np.zeros(1, MOMENT), watermark, out,
        )  # fmt: skip
        return out[:n]

    def _make_room(self, wanted: int) -> None:
        free = int(self._counts[1])
        if free >= wanted:
            return
        size = len(self._waiting)
        more = max(wanted - free, size, 1024)
        self._waiting = np.concatenate([self._waiting, np.zeros(more, MOMENT)])
        self._heap = np.concatenate([self._heap, np.zeros((more, 3), np.int64)])
        places = np.concatenate([self._free[:free], np.arange(size, size + more)])
        self._free = np.zeros(size + more, np.int64)
        self._free[: len(places)] = places
        self._counts[1] = len(places)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The whole state, for a snapshot."""
        return {"heap": self._heap, "waiting": self._waiting, "free": self._free, "counts": self._counts}

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        self._heap = arrays["heap"].copy()
        self._waiting = arrays["waiting"].copy()
        self._free = arrays["free"].copy()
        self._counts = arrays["counts"].copy()
