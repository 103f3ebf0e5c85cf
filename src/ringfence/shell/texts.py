"""Texts in a scan: those that were handed over are read, and what demands money becomes alerts.

A text is judged by itself when it is read; only those that raise an alert, or would on a line that is being flooded, are kept. Alerts are put together from them in order of time, so neither
the order of rows and files nor repeated rows change any. Bodies stand in the report and, while a scan is interrupted, in its checkpoint; nowhere else.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from types import ModuleType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.detect.text_detectors import TEXT_DETECTORS
from ringfence.detect.texts import joint
from ringfence.detect.texts.episodes import AGAIN, filled, same_demand
from ringfence.ingest.format import Chunk, Rejected
from ringfence.model.alert import Alert, Episode, LedgerEntry
from ringfence.model.numbers import Names, NumberPlan, to_text
from ringfence.model.tables import PLACES
from ringfence.report.story import Story
from ringfence.report.words import Clock
from ringfence.respond.cases import FLOOD, SAME_DAYS, quiet_for

KEPT: Final = 100_000
"""Texts that raised an alert and are kept; further ones are counted."""
READ: Final = "texts_read"
CLOSED: Final = "texts_without_body"
NOT_ASKED: Final = "texts_not_asked_for"
REPEATED: Final = "texts_repeated"
TOO_MANY: Final = "texts_beyond_limit"
NO_RECIPIENT: Final = "no recipient"


@dataclass(frozen=True, slots=True)
class Found:
    """A text that raises an alert, or would on a line that is being flooded; `known`: when that was known, µs."""

    at: int
    known: int
    recipient: str
    key: str
    sender: str | None
    body: str
    detector: str
    reading: Any


class TextBook:
    """The texts of a scan that raise alerts.

    Args:
        detect: names of the detectors asked for, None: all.
        plan: how numbers are written where no country is shown.
        timezone: for deadlines.
    """

    def __init__(self, detect: tuple[str, ...] | None, plan: NumberPlan, timezone: str) -> None:
        self._detectors = [d for d in TEXT_DETECTORS if detect is None or d.NAME in detect]
        self._plan = plan
        self._clock = Clock(timezone)
        self._found: dict[tuple[str, str], Found] = {}
        self._told: set[str] = set()
        self._floods: dict[str, list[Alert]] = {}
        self._is_new = False  # whether a text or a flood was found since alerts were told
        self._latest = 0

    def take(self, chunk: Chunk, names: Names) -> tuple[list[Rejected], Counter[str]]:
        """Read the texts of a chunk; returns the rows put aside, and what was counted."""
        if not self._detectors:
            return [], Counter({NOT_ASKED: len(chunk.rows)})
        body = _words(chunk.columns["body"])
        given = pc.fill_null(pc.greater(pc.utf8_length(body), 0), fill_value=False)
        batch, rows = chunk.columns.filter(given), chunk.rows[given.to_numpy(zero_copy_only=False)]
        counts = Counter({CLOSED: len(chunk.rows) - len(rows)})
        recipients = self._plan.parse(batch["recipient"], names)
        senders = self._plan.parse(batch["sender"], names)
        times = batch["time"].cast(pa.int64()).to_pylist()
        rejected = []
        columns = zip(rows, times, recipients, senders, _words(batch["body"]), strict=True)
        for row, time, recipient, sender, text in columns:
            person = to_text(int(recipient), names)
            if person is None:
                rejected.append(Rejected(int(row), NO_RECIPIENT))
                continue
            counts[READ] += 1
            self._read(int(time), person, to_text(int(sender), names), text.as_py(), counts)
        return rejected, counts

    def _read(self, at: int, recipient: str, sender: str | None, body: str, counts: Counter[str]) -> None:
        self._latest = max(self._latest, at)
        for detector in self._detectors:
            reading = detector.read(body, at, self._clock.offset(at))
            if not (reading.is_alert or joint.could_be(reading)):
                continue
            found = Found(
                at, at, recipient, _key(at, recipient, sender, body), sender, body, detector.NAME, reading
            )
            if (found.key, found.detector) in self._found:
                counts[REPEATED] += 1
            elif len(self._found) >= KEPT:
                counts[TOO_MANY] += 1
            else:
                self._found[found.key, found.detector] = found
                self._is_new = True

    def see(self, alerts: Iterable[Alert]) -> None:
        """Take note of floods: a text to the same person in the same days is judged by them too."""
        for alert in alerts:
            if alert.kind == FLOOD:
                self._floods.setdefault(alert.subject, []).append(alert)
                self._is_new = self._is_new or bool(self._found)

    def new(self) -> list[Alert]:
        """Alerts that were not told before, as far as the texts are known."""
        if not self._is_new:
            return []
        self._is_new = False
        fresh = [s.alert for s in self.stories() if s.alert.alert_id not in self._told]
        self._told.update(alert.alert_id for alert in fresh)
        return fresh

    def stories(self, until: int = 0) -> list[Story]:
        """All alerts, in order of time; `until`: how far the records reach, µs."""
        return [story for story, _ in self._together(until)]

    def forget(self, now: int, before: int) -> None:
        """Let go of texts and floods of which nothing more can come at `now`: what was over, or raised nothing, before a time (µs)."""
        kept, told = set[tuple[str, str]](), set[str]()
        for story, texts in self._together(now):
            closed = story.alert.closed_at
            if closed is None or closed >= before:
                told.add(story.alert.alert_id)
                kept.update((found.key, found.detector) for found in texts)
        self._told &= told
        self._found = {key: found for key, found in self._found.items() if key in kept or found.at >= before}
        for subject, floods in list(self._floods.items()):
            going_on = [flood for flood in floods if flood.closed_at is None or flood.closed_at >= before]
            if going_on:
                self._floods[subject] = going_on
            else:
                del self._floods[subject]

    def _together(self, until: int) -> list[tuple[Story, list[Found]]]:
        """All alerts, each with its texts."""
        until = max(until, self._latest)
        open_for: dict[tuple[str, str], list[tuple[Story, list[Found]]]] = {}
        stories = []
        judged = filter(None, map(self._judged, self._found.values()))
        for found in sorted(judged, key=lambda one: (one.known, one.recipient, one.key, one.detector)):
            mine = open_for.setdefault((found.recipient, found.detector), [])
            known = next((one for one in mine if _is_again(one[0].alert, found)), None)
            if known is not None:
                _add(known[0].alert, found)
                known[1].append(found)
                continue
            story = Story(_alert(found, self._module(found.detector)), [], text=found.body)
            mine.append((story, [found]))
            stories.append(mine[-1])
        for story, _ in stories:
            _close(story.alert, until)
        return stories

    def _judged(self, found: Found) -> Found | None:
        """A text with what is known of its recipient; None: that raises no alert."""
        if found.reading.is_alert:
            return found
        for flood in self._floods.get(found.recipient, ()):
            if flood.raised_at - found.at <= SAME_DAYS and quiet_for(flood, found.at) <= SAME_DAYS:
                return replace(
                    found, known=max(found.at, flood.raised_at), reading=joint.with_flood(found.reading)
                )
        return None

    def _module(self, name: str) -> ModuleType:
        return next(detector for detector in self._detectors if name == detector.NAME)

    def as_json(self) -> list[Any]:
        """The state, for a checkpoint."""
        return [self._latest, [[f.at, f.recipient, f.sender, f.body] for f in self._found.values()]]

    def restore(self, state: list[Any]) -> None:
        """Take the state of a checkpoint; readings are made anew."""
        for at, recipient, sender, body in state[1]:
            self._read(at, recipient, sender, body, Counter())
        self._latest = state[0]
        self._told = {story.alert.alert_id for story in self.stories()}
        self._is_new = False


def _words(column: Any) -> Any:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _key(at: int, recipient: str, sender: str | None, body: str) -> str:
    return blake2b(
        f"{at}|{recipient}|{sender}|{body}".encode("utf-8", "surrogatepass"), digest_size=8
    ).hexdigest()


def _is_again(alert: Alert, found: Found) -> bool:
    is_soon = found.at - alert.episodes[-1].last_call_at <= AGAIN
    return is_soon and alert.demand is not None and same_demand(alert.demand, found.reading.demand)


def _add(alert: Alert, found: Found) -> None:
    """Count a later text to an alert, and fill in what the first one did not name."""
    first = alert.episodes[0]
    alert.episodes[0] = Episode(first.raised_at, "", first.began_at, found.at, None, None, first.calls + 1, 1)
    if alert.demand is not None:
        alert.demand = filled(alert.demand, found.reading.demand)


def _close(alert: Alert, until: int) -> None:
    """An alert is over when the demand was not told again within `AGAIN`."""
    e = alert.episodes[0]
    if e.last_call_at + AGAIN < until:
        over, quiet = e.last_call_at + AGAIN, AGAIN / 1e6
        alert.episodes[0] = Episode(e.raised_at, "", e.began_at, e.last_call_at, over, quiet, e.calls, 1)


def _alert(found: Found, detector: ModuleType) -> Alert:
    reading = found.reading
    english, chinese = detector.HYPOTHESES[reading.hypothesis]
    return Alert(
        kind=found.detector,
        subject=found.recipient,
        raised_at=found.known,
        call_id="",
        bits=reading.bits,
        probability=reading.probability,
        hypothesis=english,
        hypothesis_zh=chinese,
        ledger=list(_ledger(found, detector)),
        episodes=[Episode(found.known, "", found.at, found.at, None, None, 1, 1)],
        text_id=found.key,
        demand=reading.demand,
        places={name: place for name, place in reading.places.items() if name in PLACES},
    )


def _ledger(found: Found, detector: ModuleType) -> Iterator[LedgerEntry]:
    """The pieces in words, each with its place: never what stands there."""
    total = 0.0
    for piece, bits in zip(found.reading.seen, found.reading.worth, strict=True):
        total += bits
        if piece.what == joint.FLOODED:
            yield LedgerEntry(found.at, "", found.sender, piece.what, 0.0, *joint.WORDS, bits, total)
            continue
        english, chinese = detector.WORDS[piece.what]
        first, last = piece.place[0] + 1, piece.place[1]
        yield LedgerEntry(
            found.at, "", found.sender, piece.what, float(first),
            f"{english} (characters {first} to {last})", f"{chinese}（第 {first} 至 {last} 字）", bits, total,
        )  # fmt: skip
