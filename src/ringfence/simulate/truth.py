"""What really happened: the episodes, and which calls belong to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.model.tables import TIME
from ringfence.simulate.rows import ROLE, ROLES, Rows

TRUTH_CALLS: Final = pa.schema(
    [
        pa.field("call_id", pa.string(), nullable=False),
        pa.field("start_time", TIME, nullable=False),
        pa.field("episode", pa.string()),
        pa.field("role", pa.string(), nullable=False),
    ]
)
_GRIP: Final = ROLE["grip"]
NEVER: Final = np.iinfo(np.int64).max


def rfc3339(time: int | None) -> str | None:
    """µs as text."""
    if time is None:
        return None
    whole = datetime.fromtimestamp(time // 1_000_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time % 1_000_000:06d}Z"


@dataclass(slots=True)
class Episode:
    """An attack or a burst that looks like one; times in µs.

    Attributes:
        crime: None: a look-alike.
        subject: party or None.
        more: fields of this crime; times among them end in `_at` or `_began` and are µs, parties are in `parties`.
    """

    id: str
    crime: str | None
    shape: str
    subject: int | None
    more: dict[str, Any]
    parties: dict[str, int | None]
    begins: int = NEVER
    ends: int = -1
    calls: int = 0


@dataclass(slots=True)
class Truth:
    """All episodes of a city, in the order in which they were begun."""

    episodes: list[Episode] = field(default_factory=list)

    def begin(
        self, crime: str | None, shape: str, subject: int | None, parties: dict[str, int | None] | None = None,
        **more: Any,
    ) -> int:  # fmt: skip
        """Begin an episode; gives back its mark in rows (1 + its place)."""
        name = f"{crime or 'look_alike'}-{len(self.episodes) + 1:06d}"
        self.episodes.append(Episode(name, crime, shape, subject, more, parties or {}))
        return len(self.episodes)

    def note(self, rows: Rows, ids: pa.StringArray) -> pa.Table:
        """Take the calls that took place; gives back their rows of `truth_calls`."""
        parts = []
        for mark, role in (("episode", "role"), ("episode2", "role2")):
            chosen = np.flatnonzero(rows[role] != 0)
            marks, codes, start = rows[mark][chosen], rows[role][chosen], rows["start"][chosen]
            called = ids.take(pa.array(chosen))
            self._count(marks, codes, start, called)
            names = [None, *(episode.id for episode in self.episodes)] if len(chosen) else [None]
            parts.append(
                pa.table(
                    {
                        "call_id": called,
                        "start_time": pa.array(start).view(TIME),
                        "episode": pa.array([names[int(m)] for m in marks], pa.string()),
                        "role": pa.array([ROLES[int(c)] for c in codes], pa.string()),
                    },
                    schema=TRUTH_CALLS,
                )
            )
        table = pa.concat_tables(parts)
        order = np.argsort(table["start_time"].to_numpy(), kind="stable")
        return table.take(pa.array(order))

    def _count(
        self, marks: npt.NDArray[Any], codes: npt.NDArray[Any], start: npt.NDArray[np.int64], ids: pa.Array
    ) -> None:
        for place in np.flatnonzero(marks):
            episode = self.episodes[int(marks[place]) - 1]
            episode.calls += 1
            episode.begins = min(episode.begins, int(start[place]))
            episode.ends = max(episode.ends, int(start[place]))
            if codes[place] == _GRIP and episode.more.get("grip_call") is None:
                episode.more["grip_call"] = ids[int(place)].as_py()

    def told(self) -> Iterator[Episode]:
        """The episodes that have calls, by their beginnings."""
        return iter(sorted((e for e in self.episodes if e.calls), key=lambda e: (e.begins, e.id)))
