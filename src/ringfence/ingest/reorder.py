"""Put rows into the order of their set-ups, in bounded memory, and fold repeated ones.

Records are written when a call ends, by several machines, and sometimes twice. The window is a number of rows, not a
time: memory is bounded exactly, and one row with a clock far ahead waits at the end of the window instead of making all
others late.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry
from ringfence.model.calls import COLUMNS, NEVER, Calls, Ints, join, no_calls, pack_texts, unpack_texts

WINDOW_ROWS = 1 << 19


@entry
def _survey(start: Ints, watermark: int, newest: int) -> tuple[int, int, int]:
    """How many rows begin before the watermark; of the others, how many before an earlier one; the newest start of all."""
    late = moved = 0
    for time in start:
        if time < watermark:
            late += 1
        elif time < newest:
            moved += 1
        else:
            newest = time
    return late, moved, newest


@entry
def _is_settled(start: Ints, key: Ints) -> bool:
    """Whether rows are in order by (start, key) and none is repeated."""
    settled = True
    for i in range(1, start.size):
        settled &= start[i] > start[i - 1] or (start[i] == start[i - 1] and key[i] > key[i - 1])
    return settled


def order_of(calls: Calls) -> Ints | None:
    """The order by (start, key), or None where it is there already."""
    order = np.argsort(calls.start, kind="stable")
    start, key = calls.start[order], calls.key[order]
    tied = start[1:] == start[:-1]
    if tied.any():
        among = np.zeros(len(start), np.bool_)
        among[1:] |= tied
        among[:-1] |= tied
        places = np.flatnonzero(among)
        order[places] = order[places[np.lexsort((key[places], start[places]))]]
    if np.array_equal(order, np.arange(len(order))):
        return None
    return np.asarray(order, np.int64)


def firsts(calls: Calls) -> Ints:
    """Of ordered rows, the first one of each call."""
    new = np.ones(len(calls), np.bool_)
    new[1:] = (calls.start[1:] != calls.start[:-1]) | (calls.key[1:] != calls.key[:-1])
    return np.flatnonzero(new)


def fold(calls: Calls) -> tuple[Calls, int]:
    """Fold rows of the same call (same start and key, side by side): what any of them knows, the folded row knows."""
    first = firsts(calls)
    repeated = len(calls) - len(first)
    if repeated == 0:
        return calls, 0
    answer = np.minimum.reduceat(calls.answer, first)
    end = np.maximum.reduceat(np.where(calls.end == NEVER, -1, calls.end), first)
    words = np.maximum.reduceat(calls.words, first, axis=0)
    codes = np.maximum.reduceat(calls.codes, first, axis=0)
    kept = calls.take(first)
    kept.answer[:] = answer
    kept.end[:] = np.where(end == -1, NEVER, np.where(answer == NEVER, end, np.maximum(end, answer)))
    kept.words[:] = words
    kept.codes[:] = codes
    return kept, repeated


class Reorder:
    """Holds the newest rows until nothing earlier can be expected.

    What comes in order is handed on in the pieces in which it came, not copied; only rows that overtook others are sorted.

    Attributes:
        repeated: rows folded into another so far.
        moved: rows that came before an earlier one and were put right.
        watermark: µs; rows that begin before it come too late.
    """

    def __init__(self, window: int = WINDOW_ROWS) -> None:
        self.window = max(window, 1)
        self.repeated = 0
        self.moved = 0
        self.watermark = 0
        self._held: list[Calls] = []
        self._tangled = False  # a held row begins before an earlier one
        self._newest = 0
        self._left = 0  # rows held when some were last given out

    def __len__(self) -> int:
        return sum(len(part) for part in self._held)

    def push(self, calls: Calls) -> Calls:
        """Take rows in; returns those that come too late (their origin tells which)."""
        too_late = no_calls()
        late, moved, self._newest = _survey(calls.start, self.watermark, self._newest)
        if late:
            before = calls.start < self.watermark
            too_late, calls = calls.take(np.flatnonzero(before)), calls.take(np.flatnonzero(~before))
        if len(calls):
            self.moved += moved
            self._tangled |= moved > 0
            self._held.append(calls)
        return too_late

    def ready(self, safe: int, slack: int = 0) -> Calls:
        """Give out what can be judged, ordered by (start, key): what begins before the newest rows, a window of them.

        Rows that must be sorted first are given out only once twice the window is held and half of it is new.

        Args:
            safe: µs; files still to be read may hold rows from here on.
            slack: rows by which files that are in order by themselves can run ahead of `safe`; what is held beyond that
                is given out even so, so that files in no order at all cannot take all memory.
        """
        held = len(self)
        if self._tangled and held >= 2 * self.window and held - self._left >= self.window:
            self._untangle()
        if self._tangled or held <= self.window:
            return no_calls()
        spare = held - self.window
        cut = self._begins_by(spare)
        if held - cut >= 2 * self.window:  # a large piece
            cut = spare
        elif cut == 0:
            return no_calls()
        until = min(self._start(cut), safe)
        if spare > slack:
            until = max(until, self._start(spare - slack))
        return self._give_out(until)

    def flush(self) -> Calls:
        """Give out all that is held."""
        if self._tangled:
            self._untangle()
        return self._give_out(NEVER)

    def _begins_by(self, row: int) -> int:
        """The last of the held rows, up to `row`, that is the first of a piece."""
        begins = 0
        for part in self._held:
            if begins + len(part) > row:
                break
            begins += len(part)
        return begins

    def _start(self, row: int) -> int:
        """When a held row begins."""
        for part in self._held:
            if row < len(part):
                return int(part.start[row])
            row -= len(part)
        return self._newest

    def _untangle(self) -> None:
        calls = join(self._held)
        order = order_of(calls)
        self._held = [calls if order is None else calls.take(order)]
        self._tangled = False

    def _give_out(self, until: int) -> Calls:
        """Give out what begins before `until`; repeated rows are side by side then."""
        given, kept = [no_calls()], []
        for part in self._held:
            cut = int(np.searchsorted(part.start, until)) if until != NEVER else len(part)
            given.append(part.slice(0, cut))
            kept.append(part.slice(cut, len(part)))
        self._held = [part for part in kept if len(part)]
        self._left = len(self)
        self.watermark = max(self.watermark, until)
        calls = join([part for part in given if len(part)] or given)
        if _is_settled(calls.start, calls.key):
            return calls
        order = order_of(calls)
        calls, repeated = fold(calls if order is None else calls.take(order))
        self.repeated += repeated
        return calls

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, for a snapshot; the ids travel as bytes with their offsets."""
        calls = join(self._held) if self._held else no_calls()
        arrays = {name: getattr(calls, name) for name in COLUMNS}
        arrays |= {f"ids.{name}": array for name, array in pack_texts(calls.ids).items()}
        arrays["parts"] = np.array([len(part) for part in self._held], np.int64)
        arrays["counts"] = np.array(
            [self.repeated, self.moved, self.watermark, self._newest, self._left, self._tangled]
        )
        return arrays

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        ids = unpack_texts({name: arrays[f"ids.{name}"] for name in ("bytes", "ends", "valid")})
        calls = Calls(**{name: arrays[name] for name in COLUMNS}, ids=ids)
        ends = np.cumsum(arrays["parts"]).tolist()
        self._held = [calls.slice(first, last) for first, last in pairwise([0, *ends])]
        counts = (int(n) for n in arrays["counts"])
        self.repeated, self.moved, self.watermark, self._newest, self._left, tangled = counts
        self._tangled = bool(tangled)
