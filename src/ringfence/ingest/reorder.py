"""Put rows into the order of their set-ups, in bounded memory, and fold repeated ones.

Records are written when a call ends, by several machines, and sometimes twice. The window is a number of rows, not a
time: memory is bounded exactly, and one row with a clock far ahead waits at the end of the window instead of making all
others late.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ringfence.model.calls import COLUMNS, NEVER, Calls, Ints, join, no_calls, pack_texts, unpack_texts

WINDOW_ROWS = 1 << 19


def _order(calls: Calls) -> Ints | None:
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


def _fold(calls: Calls) -> tuple[Calls, int]:
    """Fold rows of the same call (same start and key, side by side): what any of them knows, the folded row knows."""
    if len(calls) < 2:
        return calls, 0
    new = np.ones(len(calls), np.bool_)
    new[1:] = (calls.start[1:] != calls.start[:-1]) | (calls.key[1:] != calls.key[:-1])
    first = np.flatnonzero(new)
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
        self._newest = 0
        self._left = 0  # rows held when some were last given out

    def __len__(self) -> int:
        return sum(len(part) for part in self._held)

    def push(self, calls: Calls) -> Calls:
        """Take rows in; returns those that come too late (their origin tells which)."""
        late = calls.start < self.watermark
        if late.any():
            too_late, calls = calls.take(np.flatnonzero(late)), calls.take(np.flatnonzero(~late))
        else:
            too_late = no_calls()
        if len(calls):
            before = np.maximum.accumulate(np.concatenate([[self._newest], calls.start]))
            self.moved += int((calls.start < before[:-1]).sum())
            self._newest = int(before[-1])
            self._held.append(calls)
        return too_late

    def ready(self, safe: int, slack: int = 0) -> Calls:
        """Give out what can be judged, ordered by (start, key), once twice the window is held and half of it is new.

        Args:
            safe: µs; files still to be read may hold rows from here on.
            slack: rows by which files that are in order by themselves can run ahead of `safe`; what is held beyond that
                is given out even so, so that files in no order at all cannot take all memory.
        """
        held = len(self)
        if held < 2 * self.window or held - self._left < self.window:
            return no_calls()
        calls = self._sorted()
        if len(calls) <= self.window:  # there were many repeated ones
            self._held = [calls]
            self._left = 0
            return no_calls()
        until = min(int(calls.start[-self.window]), safe)
        if len(calls) > self.window + slack:
            until = max(until, int(calls.start[-self.window - slack]))
        return self._give_out(calls, until)

    def flush(self) -> Calls:
        """Give out all that is held."""
        return self._give_out(self._sorted(), NEVER) if self._held else no_calls()

    def _sorted(self) -> Calls:
        calls = join(self._held)
        order = _order(calls)
        if order is not None:
            calls = calls.take(order)
        calls, repeated = _fold(calls)
        self.repeated += repeated
        return calls

    def _give_out(self, calls: Calls, until: int) -> Calls:
        cut = int(np.searchsorted(calls.start, until)) if until != NEVER else len(calls)
        self._held = [calls.slice(cut, len(calls))] if cut < len(calls) else []
        self._left = len(calls) - cut
        self.watermark = max(self.watermark, until)
        return calls.slice(0, cut)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, for a snapshot; the ids travel as bytes with their offsets."""
        calls = join(self._held) if self._held else no_calls()
        arrays = {name: getattr(calls, name) for name in COLUMNS}
        arrays |= {f"ids.{name}": array for name, array in pack_texts(calls.ids).items()}
        arrays["counts"] = np.array([self.repeated, self.moved, self.watermark, self._newest, self._left])
        return arrays

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        ids = unpack_texts({name: arrays[f"ids.{name}"] for name in ("bytes", "ends", "valid")})
        calls = Calls(**{name: arrays[name] for name in COLUMNS}, ids=ids)
        self._held = [calls] if len(calls) else []
        counts = (int(n) for n in arrays["counts"])
        self.repeated, self.moved, self.watermark, self._newest, self._left = counts
