"""What the report is made from."""

from dataclasses import dataclass, field

from ringfence.model.alert import Alert, LedgerEntry


@dataclass(frozen=True, slots=True)
class Story:
    """An alert and everything that was seen on the line while it was attacked.

    Attributes:
        alert: with its episodes and the ledger up to the alert.
        entries: all observations in order, those of the ledger first; a call has one at its set-up and one at its end
            (and more while it is up). Bounded: the first MAX_ENTRIES of a story.
        dropped: observations beyond the bound, counted only.
        text: of an alert about texts, the first of them.
    """

    alert: Alert
    entries: list[LedgerEntry]
    dropped: int = 0
    text: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read."""

    name: str
    format: str
    rows: int
    calls: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The scan as a whole.

    Attributes:
        files: what was read.
        calls: calls judged (repeated rows counted once); lines: called numbers (None: not counted).
        first, last: µs, times of the first and the last set-up; None: no calls.
        rejected: rows put aside, by reason.
        notes: repairs and other counts by name (`repeated`, `late`, `dst_gap`, …).
        seconds: how long the scan took.
        country, timezone: settings that were used.
        finished: False for an interrupted scan.
    """

    files: list[SourceFile]
    calls: int
    lines: int | None
    first: int | None
    last: int | None
    rejected: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    country: str = "CN"
    timezone: str = "UTC"
    finished: bool = True
