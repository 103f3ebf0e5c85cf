"""People in scam calls, followed from number to number: what is one person's stays one alert."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from ringfence.detect import scam_call
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.memory import HOLD_LIFE, SAME_PHONE
from ringfence.model.alert import Alert, LedgerEntry
from ringfence.model.numbers import Names, to_text
from ringfence.report.story import Story
from ringfence.respond.victim import victim_of

Subject = tuple[int, int, int]
"""Index of the detector, the number, and the time of the first alert (where each call is an alert: the call's key)."""

_SCAM: Final = [detector.NAME for detector in DETECTORS].index(scam_call.NAME)


class People:
    """Who is held on the line, and under which numbers."""

    def __init__(self) -> None:
        self._told: dict[Subject, int] = {}  # what the records told, at the alert
        self._linked: dict[Subject, list[str]] = {}  # further numbers of a story's person
        self._phones: dict[int, Subject] = {}  # numbers that were found in a person's phone
        self._same: dict[Subject, Subject] = {}  # stories that are another one's continuation

    def link(self, stories: Mapping[Subject, Story], outcome: np.void, names: Names) -> Subject | None:
        """A number turned out to have to do with another one: the story, not long ago, that this one has."""
        other, at = int(outcome["callee"]), int(outcome["at"])
        found = [
            subject
            for subject, story in stories.items()
            if subject[0] == _SCAM and subject[1] == other and _is_fresh(story.alert, at)
        ]
        number = to_text(int(outcome["subject"]), names)
        if not found or number is None:
            return None
        subject = self.story_of(max(found, key=lambda one: one[2]))
        linked = self._linked.setdefault(subject, [])
        if number not in linked:
            linked.append(number)
        if outcome["reason"] == SAME_PHONE:
            self._phones[int(outcome["subject"])] = subject
        return subject

    def goes_on(self, stories: Mapping[Subject, Story], subject: Subject) -> bool:
        """Whether what would be a new alert is an open one's continuation under another number of the same phone."""
        first = self._phones.get(subject[1]) if subject[0] == _SCAM else None
        if first is None or stories[first].alert.closed_at is not None:
            return False
        self._same[subject] = first
        return True

    def story_of(self, subject: Subject) -> Subject:
        """The story that something belongs to."""
        return self._same.get(subject, subject)

    def others(self, subject: Subject) -> list[int]:
        """Further numbers under which a story goes on."""
        return [other[1] for other, first in self._same.items() if first == subject]

    def meet(self, subject: Subject, alert: Alert, told: int) -> None:
        """An alert was raised."""
        if subject[0] == _SCAM:
            self._told[subject] = told
            self._read(subject, alert, alert.ledger)

    def settle(self, stories: Mapping[Subject, Story], subjects: Iterable[Subject] | None = None) -> None:
        """Bring what is known of people up to date; `subjects`: of these stories only."""
        for subject in self._told if subjects is None else [one for one in subjects if one in self._told]:
            story = stories[subject]
            self._read(subject, story.alert, sorted(story.entries, key=lambda one: one.at))

    def _read(self, subject: Subject, alert: Alert, observations: list[LedgerEntry]) -> None:
        told = self._told[subject]
        alert.victim = victim_of(
            alert.subject,
            observations,
            linked=self._linked.get(subject, ()),
            missing=list(_missing(told)),
            watch=bool(told & scam_call.WATCHED),
        )
        if alert.closed_at is not None:
            alert.victim.on_call = False

    def forget(self, gone: set[Subject]) -> None:
        """Forget people whose stories are forgotten."""
        for part in (self._told, self._linked):
            for subject in gone & part.keys():
                del part[subject]
        self._phones = {number: subject for number, subject in self._phones.items() if subject not in gone}
        self._same = {subject: first for subject, first in self._same.items() if first not in gone}

    def as_json(self) -> list[Any]:
        """The state, for a snapshot."""
        parts = (self._told, self._linked, self._phones, self._same)
        return [[[key, value] for key, value in part.items()] for part in parts]

    def restore(self, state: list[Any]) -> None:
        """Take the state of a snapshot; `settle` comes after it."""
        told, linked, phones, same = state
        self._told = {_key(key): told for key, told in told}
        self._linked = {_key(key): numbers for key, numbers in linked}
        self._phones = {number: _key(key) for number, key in phones}
        self._same = {_key(key): _key(first) for key, first in same}


def _key(values: list[int]) -> Subject:
    detector, number, time = values
    return detector, number, time


def _is_fresh(alert: Alert, at: int) -> bool:
    return alert.closed_at is None or at - alert.episodes[-1].last_call_at <= HOLD_LIFE


def _missing(told: int) -> Iterator[str]:
    """Columns that the records of a case did not tell; transfers are seldom, and are missed only where there are none at all."""
    for bit, column in enumerate(scam_call.COLUMNS):
        if not told & 1 << bit and column != "transfers":
            yield column
