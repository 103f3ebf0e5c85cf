"""The ids of the newest calls: an alert names its calls as the records do."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.model.calls import Calls, pack_texts, unpack_texts

ID_ROWS = 1 << 20
"""Rows whose ids are kept, so that a ledger can name the calls that came before the alert."""


def key_text(key: int) -> str:
    """The name of a call whose source gave it none, or whose id is no longer kept."""
    return f"{key & 0xFFFF_FFFF_FFFF_FFFF:016x}"


@dataclass(frozen=True, slots=True)
class _Part:
    """Calls as they were judged: the number of the first, then columns."""

    first: int
    start: npt.NDArray[np.int64]
    key: npt.NDArray[np.int64]
    ids: pa.Array

    @property
    def end(self) -> int:
        return self.first + len(self.key)


class CallIds:
    """The ids of the newest calls, by key.

    An id can be asked for until `limit` further calls have begun. That is counted in calls, not in batches, so the way the
    calls are cut into batches makes no difference.
    """

    def __init__(self, limit: int = ID_ROWS) -> None:
        self._limit = limit
        self._parts: deque[_Part] = deque()
        self._rows = 0

    def add(self, calls: Calls) -> None:
        """Keep the ids of a batch (ordered by start, none before the last one's)."""
        if not len(calls):
            return
        while self._parts and self._rows - self._parts[0].end >= self._limit:
            self._parts.popleft()
        self._parts.append(_Part(self._rows, calls.start, calls.key, calls.ids))
        self._rows += len(calls)

    def has(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which calls are among the newest."""
        found = np.zeros(len(keys), np.bool_)
        for part in self._parts:
            found |= np.asarray(pc.is_in(pa.array(keys), value_set=pa.array(part.key)))
        return found

    def texts(self, keys: npt.NDArray[np.int64], times: npt.NDArray[np.int64]) -> list[str]:
        """The ids of calls, or their keys in words.

        Args:
            keys: int64[n].
            times: int64[n], µs, within the newest batch: when each is asked for.
        """
        found: dict[int, tuple[int, str | None]] = {}
        missing = np.unique(keys)
        for part in reversed(self._parts):  # nearly all are in the newest
            hits = np.flatnonzero(np.asarray(pc.is_in(pa.array(part.key), value_set=pa.array(missing))))
            for place in hits.tolist():
                found[int(part.key[place])] = part.first + place, part.ids[place].as_py()
            missing = np.setdiff1d(missing, part.key[hits])
            if not len(missing):
                break
        begun = self._begun(times)
        texts = []
        for key, count in zip(keys.tolist(), begun.tolist(), strict=True):
            place, text = found.get(key, (0, None))
            texts.append(text if text and count - place <= self._limit else key_text(key))
        return texts

    def _begun(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How many calls had begun at each time."""
        begun = np.zeros(len(times), np.int64)
        for part in self._parts:
            begun = np.maximum(begun, part.first + np.searchsorted(part.start, times, "right"))
        return begun

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, for a snapshot."""
        if not self._parts:
            return {"rows": np.array([self._rows])}
        ids = pa.concat_arrays([part.ids for part in self._parts])
        return {
            "rows": np.array([self._rows]),
            "start": np.concatenate([part.start for part in self._parts]),
            "key": np.concatenate([part.key for part in self._parts]),
            **pack_texts(ids),
        }

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        self._rows = int(arrays["rows"][0])
        self._parts.clear()
        if "key" in arrays:
            first = self._rows - len(arrays["key"])
            self._parts.append(_Part(first, arrays["start"], arrays["key"], unpack_texts(arrays)))
