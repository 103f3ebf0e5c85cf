"""What came from a source, and what became of it: the figures of its health."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ringfence.ingest.format import Rejected

SECOND: Final = 1_000_000
_FADE_S: Final = 10.0


@dataclass(slots=True)
class Tally:
    """Counts of one source.

    Attributes:
        records: of the journal.
        rows: read; calls: rows of calls among them; ignored: understood, but no row of their own.
        rejected: put aside, by reason.
        late: calls whose set-up was told too late to be judged; ahead: rows of a clock that is ahead of ours.
        repeated: rows of calls that were over.
        notes: what else was met, by name.
        received: µs, when something came in last, by our clock; told: µs, the last time it told of.
    """

    records: int = 0
    rows: int = 0
    calls: int = 0
    ignored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    late: int = 0
    ahead: int = 0
    repeated: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    received: int = 0
    told: int = 0
    _rate: float = 0.0

    def came(self, rows: int, received: int) -> None:
        """Count what a record brought."""
        seconds = max(received - self.received, 0) / SECOND if self.received else _FADE_S
        self._rate *= 2.0 ** (-seconds / _FADE_S)
        self._rate += rows / _FADE_S * 0.693
        self.records += 1
        self.rows += rows
        self.received = max(self.received, received)

    def reject(self, rejected: Iterable[Rejected]) -> None:
        """Count rows that were put aside."""
        self.rejected.update(row.reason for row in rejected)

    def rate(self, now: int) -> float:
        """Rows a second, of the last ten seconds or so; `now`: µs."""
        return float(self._rate * 2.0 ** (-max(now - self.received, 0) / SECOND / _FADE_S))

    @property
    def lag(self) -> float:
        """Seconds between what happened and its coming in."""
        return max(self.received - self.told, 0) / SECOND if self.told else 0.0

    def as_dict(self, now: int) -> dict[str, Any]:
        """The form of the API."""
        return {
            "rows": self.rows,
            "calls": self.calls,
            "ignored": self.ignored,
            "rejected": sum(self.rejected.values()),
            "reasons": dict(self.rejected.most_common(20)),
            "late": self.late,
            "ahead": self.ahead,
            "repeated": self.repeated,
            "notes": dict(self.notes.most_common(50)),
            "rows_per_s": round(self.rate(now), 1),
            "lag_s": round(self.lag, 3),
            "silent_s": round(max(now - self.received, 0) / SECOND, 1) if self.received else None,
        }

    def as_json(self) -> list[Any]:
        """The state, for a snapshot."""
        return [
            self.records, self.rows, self.calls, self.ignored, self.rejected, self.late, self.ahead, self.repeated,
            self.notes, self.received, self.told,
        ]  # fmt: skip

    @classmethod
    def of_json(cls, state: list[Any]) -> "Tally":
        """Take the state of a snapshot."""
        tally = cls(*state)
        tally.rejected, tally.notes = Counter(tally.rejected), Counter(tally.notes)
        return tally
