"""From what the pass gives out to alerts that explain themselves: plain Python for the few numbers under suspicion."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from operator import attrgetter
from typing import Any, Final

import numpy as np

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import ENDED, LINKED, OPEN, RAISED, REOPENED, probability
from ringfence.detect.memory import DAY
from ringfence.detect.table import Rows
from ringfence.model.alert import EARLIER, Alert, Episode, LedgerEntry
from ringfence.model.numbers import Names, to_text
from ringfence.report.story import Story
from ringfence.shell.call_ids import CallIds
from ringfence.shell.named_calls import NAMERS, Lookup, NamedCall, is_named, named_calls, observation
from ringfence.shell.people import People, Subject

MAX_ENTRIES = 20_000
"""Observations kept of one story; later ones are counted."""

ALL_ENTRIES = 1_000_000
"""Observations kept of all stories together."""


class Stories:
    """All alerts so far, each with what was seen.

    Args:
        names: of callers that are no numbers.
        each_call: of detectors that name calls, one alert for each call, not one a number and day.
        trunk_text: the name of a trunk, by its hash.
        texts: names of cells, currencies.

    Attributes:
        named: calls that alerts are about, of what was taken last.
        changed: stories that something was learned of since it was emptied last, and what: RAISED, REOPENED, ENDED or nothing.
    """

    def __init__(
        self,
        names: Names,
        *,
        each_call: bool = False,
        trunk_text: Callable[[int], str | None] = lambda _: None,
        texts: Lookup | None = None,
    ) -> None:
        self.names = names
        self.named: list[NamedCall] = []
        self.changed: dict[Subject, set[int]] = {}
        self._each_call = each_call
        self._trunk_text = trunk_text
        self._stories: dict[Subject, Story] = {}
        self._entries = 0
        self._texts = texts
        self._people = People()
        self.ids = CallIds()

    def __iter__(self) -> Iterator[Story]:
        """All stories, by (time, kind, subject, call)."""
        key = attrgetter("alert.raised_at", "alert.kind", "alert.subject", "alert.call_id")
        return iter(sorted(self._stories.values(), key=key))

    def take(self, outcomes: Rows, entries: Rows) -> list[Alert]:
        """Take what the pass gave out; returns the alerts that are new."""
        self.named = []
        if not len(outcomes) and not len(entries):
            return []
        apart, entries_apart = is_named(outcomes), is_named(entries)
        new = self._take_stories(outcomes[~apart], entries[~entries_apart])
        if apart.any():
            named = outcomes[apart], entries[entries_apart]
            self.named = named_calls(*named, self.ids, self.names, self._trunk_text)
            new.extend(alert for call in self.named if (alert := self._take_named(call)) is not None)
        return new

    def _take_named(self, call: NamedCall) -> Alert | None:
        """Take a call that an alert is about; returns the alert if it is new."""
        subject = call.detector, call.number, call.key if self._each_call else call.story
        if not self._each_call and not call.first:
            episodes = self._stories[subject].alert.episodes
            episodes[-1] = replace(episodes[-1], last_call_at=call.last, calls=call.calls)
            self._keep(subject, call.ledger)
            return None
        closed = call.at if self._each_call else None
        episode = Episode(call.at, call.call_id, call.start, call.start, closed, None, 1, 1)
        alert = self._raise(subject, call.bits, call.hypothesis, episode, call.ledger)
        alert.callee, alert.trunk = call.callee, call.trunk
        self._keep(subject, call.ledger)
        return alert

    def _take_stories(self, outcomes: Rows, entries: Rows) -> list[Alert]:
        """Take outcomes of detectors whose alerts are episodes."""
        if not len(outcomes) and not len(entries):
            return []
        stretches = self._stretches(outcomes)
        texts = self._ids(outcomes, entries, stretches)
        seen: dict[Subject, list[LedgerEntry]] = {}
        for entry, call_id in zip(entries, texts[len(outcomes) :], strict=True):
            subject = _subject(entry)
            detector = DETECTORS[subject[0]]
            words = observation(entry, detector, call_id, self.names, self._texts)
            seen.setdefault(subject, []).append(words)
        new = []
        for outcome, call_id in zip(outcomes, texts[: len(outcomes)], strict=True):
            subject = _subject(outcome)
            if outcome["what"] == LINKED:
                linked = self._people.link(self._stories, outcome, self.names)
                if linked is not None:
                    self._change(linked)
                continue
            if outcome["what"] == RAISED and self._people.goes_on(self._stories, subject):
                continue
            if outcome["what"] == ENDED:
                self._end(self._people.story_of(subject), outcome)
                continue
            at = int(outcome["at"])
            since = next(first for first, last in stretches[subject] if last == at)
            ledger = [entry for entry in seen.get(subject, []) if since <= entry.at <= at]
            ledger = _whole(ledger, outcome)
            episode = _episode(outcome, call_id)
            if outcome["what"] == RAISED:
                alert = self._raise(
                    subject, float(outcome["bits"]), int(outcome["hypothesis"]), episode, ledger
                )
                alert.probability = probability(float(outcome["odds"]), DETECTORS[subject[0]].PRIOR_BITS)
                self._people.meet(subject, alert, int(outcome["reason"]))
                new.append(alert)
            else:
                subject = self._people.story_of(subject)
                self._stories[subject].alert.episodes.append(episode)
                self._change(subject, REOPENED)
        for subject, observations in seen.items():
            self._keep(self._people.story_of(subject), observations)
        return new

    def _stretches(self, outcomes: Rows) -> dict[Subject, list[tuple[int, int]]]:
        """For each alert and return of a story: from when to when its evidence reaches, µs."""
        found: dict[Subject, list[tuple[int, int]]] = {}
        closed: dict[Subject, int] = {}
        for outcome in outcomes:
            subject = _subject(outcome)
            if outcome["what"] == LINKED:
                continue
            if outcome["what"] == ENDED:
                closed[subject] = int(outcome["at"])
                continue
            story = self._stories.get(subject)
            since = closed.get(subject) or (story.alert.closed_at if story else None) or 0
            found.setdefault(subject, []).append((since, int(outcome["at"])))
        return found

    def _ids(
        self, outcomes: Rows, entries: Rows, stretches: dict[Subject, list[tuple[int, int]]]
    ) -> list[str]:
        """The ids of the calls, asked for when the pass gave them out: a ledger's with its alert."""
        times = entries["at"].copy()
        for (detector, number, story), found in stretches.items():
            own = (
                (entries["detector"] == detector)
                & (entries["subject"] == number)
                & (entries["story"] == story)
            )
            for first, last in found:
                times[own & (entries["at"] >= first) & (entries["at"] <= last)] = last
        keys = np.concatenate([outcomes["call"], entries["call"]])
        return self.ids.texts(keys, np.concatenate([outcomes["at"], times]))

    def settle(self, engine: Engine) -> None:
        """Bring the episodes that are not over up to date: their last call, and how many there were.

        An alert that names calls stands for a day (UTC), and is over when that is.
        """
        self.close_days(engine.last)
        for shard in engine.shards:
            for index, table in enumerate(shard.cases):
                for case in table.rows[table.rows["state"] == OPEN]:
                    self._go_on(index, case)
        self._people.settle(self._stories)

    def close_days(self, now: int) -> None:
        """Close the alerts that stand for a day (UTC) which is over at `now`, µs."""
        for subject in [subject for subject in self._stories if subject[0] in NAMERS]:
            episodes = self._stories[subject].alert.episodes
            over = (episodes[-1].raised_at // DAY + 1) * DAY
            if episodes[-1].closed_at is None and over <= now:
                quiet = (over - episodes[-1].last_call_at) / 1e6
                episodes[-1] = replace(episodes[-1], closed_at=over, quiet_s=quiet)
                self._change(subject, ENDED)

    def take_changes(self, engine: Engine, *, only_events: bool = False) -> list[tuple[Story, set[int]]]:
        """The stories that something was learned of since this was asked last, up to date, and what was learned.

        Args:
            engine: what judges.
            only_events: leave those that merely go on for the next time.
        """
        kept = {subject: what for subject, what in self.changed.items() if only_events and not what}
        changed = {subject: what for subject, what in self.changed.items() if subject not in kept}
        self.changed = kept
        for subject in changed:
            for number in (subject[1], *self._people.others(subject)) if subject[0] not in NAMERS else ():
                case = engine.case_of(DETECTORS[subject[0]].NAME, number)
                if case is not None and case["state"] == OPEN:
                    self._go_on(subject[0], case)
        self._people.settle(self._stories, [subject for subject in changed if subject in self._stories])
        return [
            (self._stories[subject], what) for subject, what in changed.items() if subject in self._stories
        ]

    def look_at_open(self, engine: Engine) -> None:
        """Take note of the open episodes that had more calls, of which no observation told."""
        for shard in engine.shards:
            for index, number in shard.open:
                case = engine.case_of(DETECTORS[index].NAME, number)
                subject = self._people.story_of(
                    (index, number, int(case["raised"]) if case is not None else 0)
                )
                story = self._stories.get(subject)
                if case is None or story is None:
                    continue
                episode = story.alert.episodes[-1]
                if int(case["last"]) > episode.last_call_at or int(case["calls"]) > episode.calls:
                    self._change(subject)

    def forget(self, before: int, bare: int) -> None:
        """Let go of what is told: the observations of stories closed before `bare` (µs), and all of those closed before `before`."""
        gone = set()
        for subject, story in self._stories.items():
            closed = story.alert.closed_at
            if closed is None or closed >= bare:
                continue
            self._entries -= len(story.entries)
            self._stories[subject] = replace(story, entries=[], dropped=story.dropped + len(story.entries))
            if closed < before:
                gone.add(subject)
        for subject in gone:
            del self._stories[subject]
        self._people.forget(gone)

    def _go_on(self, index: int, case: np.void) -> None:
        """An episode goes on."""
        subject = index, int(case["key"]), int(case["raised"])
        story = self._stories[self._people.story_of(subject)]
        last, calls = int(case["last"]), int(case["calls"])
        episode = story.alert.episodes[-1]
        if self._people.story_of(subject) != subject:  # at another number of the person
            last, calls = max(last, episode.last_call_at), max(calls, episode.calls)
        story.alert.episodes[-1] = replace(episode, last_call_at=last, calls=calls)

    def _raise(
        self, subject: Subject, bits: float, hypothesis: int, episode: Episode, ledger: list[LedgerEntry]
    ) -> Alert:
        detector = DETECTORS[subject[0]]
        english, chinese = detector.HYPOTHESES[hypothesis]
        alert = Alert(
            kind=detector.NAME,
            subject=to_text(subject[1], self.names) or "",
            raised_at=episode.raised_at,
            call_id=episode.call_id,
            bits=bits,
            probability=probability(bits, detector.PRIOR_BITS),
            hypothesis=english,
            hypothesis_zh=chinese,
            ledger=ledger,
            episodes=[episode],
        )
        self._stories[subject] = Story(alert, [])
        self._change(subject, RAISED)
        return alert

    def _change(self, subject: Subject, what: int | None = None) -> None:
        self.changed.setdefault(subject, set()).update(() if what is None else (what,))

    def _end(self, subject: Subject, outcome: np.void) -> None:
        self._change(subject, ENDED)
        episodes = self._stories[subject].alert.episodes
        at, last = int(outcome["at"]), int(outcome["last"])
        episodes[-1] = replace(
            episodes[-1],
            closed_at=at,
            last_call_at=last,
            quiet_s=(at - last) / 1e6,
            calls=int(outcome["calls"]),
        )

    def _keep(self, subject: Subject, observations: list[LedgerEntry]) -> None:
        self._change(subject)
        story = self._stories[subject]
        room = max(min(MAX_ENTRIES - len(story.entries), ALL_ENTRIES - self._entries), 0)
        kept = observations[:room]
        story.entries.extend(kept)
        self._entries += len(kept)
        if len(kept) < len(observations):
            self._stories[subject] = replace(story, dropped=story.dropped + len(observations) - len(kept))

    def as_json(self) -> list[Any]:
        """The state, for a snapshot."""
        names = [detector.NAME for detector in DETECTORS]
        return [
            [names[key[0]], *key[1:], asdict(replace(story.alert, ledger=[], victim=None)), _rows(story.alert.ledger), _rows(story.entries), story.dropped]
            for key, story in self._stories.items()
        ] + [[_PEOPLE, self._people.as_json()]]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Take the state of a snapshot."""
        index = {detector.NAME: place for place, detector in enumerate(DETECTORS)}
        state, people = state[:-1], state[-1]
        for name, number, third, alert, ledger, entries, dropped in state:
            alert["ledger"] = [LedgerEntry(*row) for row in ledger]
            alert["episodes"] = [Episode(**episode) for episode in alert["episodes"]]
            story = Story(Alert(**alert), [LedgerEntry(*row) for row in entries], dropped)
            self._stories[index[name], number, third] = story
            self._entries += len(entries)
        self._people.restore(people[1])
        self._people.settle(self._stories)


_PEOPLE: Final = "people"
_columns = attrgetter(*(column.name for column in fields(LedgerEntry)))


def _rows(entries: list[LedgerEntry]) -> list[tuple[Any, ...]]:
    """Observations as short lists (a checkpoint may hold a million)."""
    return [_columns(entry) for entry in entries]


def _subject(record: np.void) -> Subject:
    return int(record["detector"]), int(record["subject"]), int(record["story"])


def _whole(ledger: list[LedgerEntry], outcome: np.void) -> list[LedgerEntry]:
    """A ledger that adds up: what was observed before the entries that are kept stands in a first line."""
    earlier = int(outcome["entries"]) - int(outcome["given"])
    if earlier <= 0:
        return ledger
    bits = float(outcome["bits"]) - sum(entry.bits for entry in ledger)
    words = f"{earlier} earlier observations", f"更早的 {earlier} 项观测"
    return [LedgerEntry(int(outcome["began"]), "", None, EARLIER, earlier, *words, bits, bits), *ledger]


def _episode(outcome: np.void, call_id: str) -> Episode:
    return Episode(
        raised_at=int(outcome["at"]),
        call_id=call_id,
        began_at=int(outcome["began"]),
        calls_at_alert=int(outcome["calls"]),
        last_call_at=int(outcome["last"]),
        calls=int(outcome["calls"]),
    )
