"""Calls that alerts name: what the pass gives out about single forged calls, in words."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.evidence import RAISED
from ringfence.detect.table import Rows
from ringfence.model.alert import LedgerEntry
from ringfence.model.numbers import Names, to_text
from ringfence.model.spans import span, span_zh
from ringfence.shell.call_ids import CallIds

NAMERS: Final = [i for i, detector in enumerate(DETECTORS) if getattr(detector, "NAMES_CALLS", False)]
"""Detectors whose alerts are about single calls."""


class Lookup(Protocol):
    """Texts of what the pass knows by hashes and keys only."""

    def cell(self, key: int) -> str | None:
        """The name of a cell, by its hash."""

    def currency(self, key: int) -> str | None:
        """The currency of a transfer, by its key."""


@dataclass(frozen=True, slots=True)
class NamedCall:
    """A call that an alert is about.

    Attributes:
        detector: its index; number: the subject; story: when the alert of the day was raised, µs.
        first: it raised that alert; `calls`: how many there were so far, this one included.
        at: when it was recognised, µs; `start`: its set-up; `last`: the last set-up of a forged call so far.
        shown, callee, trunk: as text; trunk None: not known.
        key: names the call; call_id: the same as text.
        reason: in the detector's terms; hypothesis: which one.
        bits: and the ledger that they are the sum of.
    """

    detector: int
    number: int
    story: int
    first: bool
    calls: int
    at: int
    start: int
    last: int
    shown: str
    callee: str
    trunk: str | None
    key: int
    call_id: str
    reason: int
    hypothesis: int
    bits: float
    ledger: list[LedgerEntry]


def named_calls(
    outcomes: Rows, entries: Rows, ids: CallIds, names: Names, trunk_text: Callable[[int], str | None]
) -> list[NamedCall]:
    """Put what the pass gave out about single calls into words.

    Args:
        outcomes: RAISED and NAMED, of detectors that name calls, in order.
        entries: of the same detectors; each outcome's are the next `given` ones of its subject.
        ids: of the calls.
        names: of callers that are no numbers.
        trunk_text: the name of a trunk, by its hash.
    """
    waiting: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for row, subject in enumerate(
        zip(entries["detector"].tolist(), entries["subject"].tolist(), strict=True)
    ):
        waiting[subject].append(row)
    times = entries["at"].copy()
    ledgers = []
    for outcome in outcomes:
        queue = waiting[int(outcome["detector"]), int(outcome["subject"])]
        rows = [queue.popleft() for _ in range(int(outcome["given"]))]
        times[rows] = outcome["at"]
        ledgers.append(rows)
    keys = np.concatenate([outcomes["call"], entries["call"]])
    texts = ids.texts(keys, np.concatenate([outcomes["at"], times]))
    return [
        _named(outcome, texts[place], [_entry(entries[row], texts[len(outcomes) + row], names) for row in rows], names, trunk_text)
        for place, (outcome, rows) in enumerate(zip(outcomes, ledgers, strict=True))
    ]  # fmt: skip


def _named(
    outcome: np.void,
    call_id: str,
    ledger: list[LedgerEntry],
    names: Names,
    trunk_text: Callable[[int], str | None],
) -> NamedCall:
    return NamedCall(
        detector=int(outcome["detector"]),
        number=int(outcome["subject"]),
        story=int(outcome["story"]),
        first=bool(outcome["what"] == RAISED),
        calls=int(outcome["calls"]),
        at=int(outcome["at"]),
        start=int(outcome["began"]),
        last=int(outcome["last"]),
        shown=to_text(int(outcome["subject"]), names) or "",
        callee=to_text(int(outcome["callee"]), names) or "",
        trunk=trunk_text(int(outcome["trunk"])) if outcome["trunk"] else None,
        key=int(outcome["call"]),
        call_id=call_id,
        reason=int(outcome["reason"]),
        hypothesis=int(outcome["hypothesis"]),
        bits=float(outcome["bits"]),
        ledger=ledger,
    )


def _entry(entry: np.void, call_id: str, names: Names) -> LedgerEntry:
    return observation(entry, DETECTORS[int(entry["detector"])], call_id, names)


def observation(
    entry: np.void, detector: Any, call_id: str, names: Names, texts: "Lookup | None" = None
) -> LedgerEntry:
    """An observation in words; `texts`: of cells and currencies."""
    english, chinese = detector.WORDS[int(entry["what"])]
    value = float(entry["value"])
    is_sum = int(entry["what"]) in getattr(detector, "SUMS", ())
    return LedgerEntry(
        at=int(entry["at"]),
        call_id="" if is_sum else call_id,
        caller=None if is_sum else to_text(int(entry["caller"]), names),
        what=int(entry["what"]),
        value=value,
        text=_say(english, value, span),
        text_zh=_say(chinese, value, span_zh),
        bits=float(entry["bits"]),
        total=float(entry["total"]),
        cell=texts.cell(int(entry["cell"])) if texts is not None and entry["cell"] else None,
        other=to_text(int(entry["other"]), names) if entry["other"] else None,
        link=int(entry["link"]),
        currency=texts.currency(int(entry["call"])) if texts is not None and is_sum else None,
    )


def _say(words: str, value: float, span_of: Callable[[float], str]) -> str:
    """The words of an observation: {} stands for a length of time, any other field for the figure itself."""
    return words.format(span_of(value) if "{}" in words else value)


def is_named(outcomes: Rows) -> Any:
    """Which outcomes or entries are of detectors that name calls: bool per row."""
    return np.isin(outcomes["detector"], NAMERS)
