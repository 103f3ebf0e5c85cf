"""Call attempts being written down, and the table made of them."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ringfence.model.tables import CALLS

UNANSWERED = -1.0


@dataclass(slots=True)
class Attempts:
    """Columns that grow.

    Attributes:
        start: seconds since the beginning.
        ring: seconds until the answer, or until it was given up.
        talk: seconds from the answer to the end, UNANSWERED if there was none.
        caller: None: withheld.
        cause: Q.850.
        what: the event the call belongs to, "" for ordinary life.
    """

    start: list[float] = field(default_factory=list)
    ring: list[float] = field(default_factory=list)
    talk: list[float] = field(default_factory=list)
    caller: list[str | None] = field(default_factory=list)
    callee: list[str] = field(default_factory=list)
    cause: list[int] = field(default_factory=list)
    what: list[str] = field(default_factory=list)

    def add(
        self, start: float, caller: str | None, callee: str, ring: float, talk: float, what: str = "", cause: int = 0
    ) -> None:  # fmt: skip
        """Write down an attempt; the cause is 16 or 19 unless it is given."""
        self.start.append(start)
        self.ring.append(ring)
        self.talk.append(talk)
        self.caller.append(caller)
        self.callee.append(callee)
        self.cause.append(cause or (19 if talk == UNANSWERED else 16))
        self.what.append(what)

    def extend(self, other: "Attempts") -> None:
        """Write down all that another holds."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))

    def __len__(self) -> int:
        return len(self.start)


def table(attempts: Attempts, epoch: int, prefix: str = "c") -> pa.Table:
    """The `calls` table, ordered by set-up.

    Args:
        attempts: any order.
        epoch: µs since 1970 of second 0.
        prefix: of the call ids, which count from 1 in the order of the set-ups.
    """
    order = np.argsort(np.array(attempts.start), kind="stable")
    start = epoch + (np.array(attempts.start)[order] * 1e6).astype(np.int64)
    ring = (np.array(attempts.ring)[order] * 1e6).astype(np.int64)
    talk = np.array(attempts.talk)[order]
    answered = talk != UNANSWERED
    answer = start + ring
    end = answer + np.where(answered, talk * 1e6, 0).astype(np.int64)
    places = order.tolist()
    columns = {
        "call_id": [f"{prefix}{n + 1}" for n in range(len(places))],
        "start_time": start,
        "answer_time": pa.array(answer, mask=~answered),
        "end_time": end,
        "caller": [attempts.caller[i] for i in places],
        "callee": [attempts.callee[i] for i in places],
        "cause": np.array(attempts.cause, np.int16)[order],
    }
    arrays = [
        pa.array(columns[item.name]).cast(item.type)
        if item.name in columns
        else pa.nulls(len(places), item.type)
        for item in CALLS
    ]
    return pa.Table.from_arrays(arrays, schema=CALLS)
