"""From what the pass gives out to alerts that explain themselves: plain Python for the few numbers under suspicion."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import ENDED, OPEN, RAISED, probability
from ringfence.detect.memory import DAY
from ringfence.detect.table import Rows
from ringfence.model.alert import EARLIER, Alert, Episode, LedgerEntry
from ringfence.model.calls import Calls, pack_texts, unpack_texts
from ringfence.model.numbers import Names, to_text
from ringfence.report.story import Story
from ringfence.shell.named_calls import NAMERS, NamedCall, is_named, named_calls, observation

MAX_ENTRIES = 20_000
"""Observations kept of one story; later ones are counted."""

ALL_ENTRIES = 1_000_000
"""Observations kept of all stories together."""

ID_ROWS = 1 << 20
"""Rows whose ids are kept, so that a ledger can name the calls that came before the alert."""


Subject = tuple[int, int, int]
"""Index of the detector, the number, and the time of the first alert (where each call is an alert: the call's key)."""


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


class Stories:
    """All alerts so far, each with what was seen.

    Args:
        names: of callers that are no numbers.
        each_call: of detectors that name calls, one alert for each call, not one a number and day.
        trunk_text: the name of a trunk, by its hash.

    Attributes:
        named: calls that alerts are about, of what was taken last.
    """

    def __init__(
        self,
        names: Names,
        *,
        each_call: bool = False,
        trunk_text: Callable[[int], str | None] = lambda _: None,
    ) -> None:
        self.names = names
        self.named: list[NamedCall] = []
        self._each_call = each_call
        self._trunk_text = trunk_text
        self._stories: dict[Subject, Story] = {}
        self._entries = 0
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
            seen.setdefault(subject, []).append(observation(entry, detector, call_id, self.names))
        new = []
        for outcome, call_id in zip(outcomes, texts[: len(outcomes)], strict=True):
            subject = _subject(outcome)
            if outcome["what"] == ENDED:
                self._end(subject, outcome)
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
                new.append(alert)
            else:
                self._stories[subject].alert.episodes.append(episode)
        for subject, observations in seen.items():
            self._keep(subject, observations)
        return new

    def _stretches(self, outcomes: Rows) -> dict[Subject, list[tuple[int, int]]]:
        """For each alert and return of a story: from when to when its evidence reaches, µs."""
        found: dict[Subject, list[tuple[int, int]]] = {}
        closed: dict[Subject, int] = {}
        for outcome in outcomes:
            subject = _subject(outcome)
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
        for subject, story in self._stories.items():
            episode = story.alert.episodes[-1]
            over = (episode.raised_at // DAY + 1) * DAY
            if subject[0] in NAMERS and episode.closed_at is None and over <= engine.last:
                quiet = (over - episode.last_call_at) / 1e6
                story.alert.episodes[-1] = replace(episode, closed_at=over, quiet_s=quiet)
        for shard in engine.shards:
            for index, table in enumerate(shard.cases):
                for case in table.rows[table.rows["state"] == OPEN]:
                    story = self._stories[index, int(case["key"]), int(case["raised"])]
                    story.alert.episodes[-1] = replace(
                        story.alert.episodes[-1], last_call_at=int(case["last"]), calls=int(case["calls"])
                    )

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
        return alert

    def _end(self, subject: Subject, outcome: np.void) -> None:
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
            [names[key[0]], *key[1:], asdict(replace(story.alert, ledger=[])), _rows(story.alert.ledger), _rows(story.entries), story.dropped]
            for key, story in self._stories.items()
        ]  # fmt: skip

    def restore(self, state: list[Any]) -> None:
        """Take the state of a snapshot."""
        index = {detector.NAME: place for place, detector in enumerate(DETECTORS)}
        for name, number, third, alert, ledger, entries, dropped in state:
            alert["ledger"] = [LedgerEntry(*row) for row in ledger]
            alert["episodes"] = [Episode(**episode) for episode in alert["episodes"]]
            story = Story(Alert(**alert), [LedgerEntry(*row) for row in entries], dropped)
            self._stories[index[name], number, third] = story
            self._entries += len(entries)


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
