"""From what the pass gives out to alerts that explain themselves: plain Python for the few numbers under suspicion."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, replace
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.detect.engine import DETECTORS
from ringfence.detect.evidence import ENDED, RAISED, probability
from ringfence.detect.table import Rows
from ringfence.model.alert import Alert, Episode, LedgerEntry
from ringfence.model.calls import Calls
from ringfence.model.numbers import Names, to_text
from ringfence.model.spans import span, span_zh
from ringfence.report.story import Story

MAX_ENTRIES = 20_000
"""Observations kept of one story; later ones are counted."""

ID_ROWS = 1 << 20
"""Rows whose ids are kept, so that a ledger can name the calls that came before the alert."""


Subject = tuple[int, int, int]
"""Index of the detector, the number, and the time of the first alert."""


def key_text(key: int) -> str:
    """The name of a call whose source gave it none, or whose id is no longer kept."""
    return f"{key & 0xFFFF_FFFF_FFFF_FFFF:016x}"


class CallIds:
    """The ids of the newest calls, by key."""

    def __init__(self, limit: int = ID_ROWS) -> None:
        self._limit = limit
        self._parts: deque[tuple[npt.NDArray[np.int64], pa.Array]] = deque()
        self._rows = 0

    def add(self, calls: Calls) -> None:
        """Keep the ids of a batch."""
        if calls.ids.null_count == len(calls):
            return
        self._parts.append((calls.key, calls.ids))
        self._rows += len(calls)
        while self._rows - len(self._parts[0][0]) >= self._limit:
            self._rows -= len(self._parts.popleft()[0])

    def texts(self, keys: npt.NDArray[np.int64]) -> dict[int, str]:
        """The id of each call, or its key in words."""
        found = {int(key): key_text(int(key)) for key in keys}
        wanted = np.unique(keys)
        for part, ids in self._parts:
            for place in np.flatnonzero(np.isin(part, wanted)):
                text = ids[int(place)].as_py()
                if text:
                    found[int(part[place])] = text
        return found

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, for a snapshot."""
        keys = [part for part, _ in self._parts]
        ids = [text or "" for _, part in self._parts for text in part.to_pylist()]
        sizes = np.array([len(part) for part in keys], np.int64)
        joined = np.concatenate(keys) if keys else np.zeros(0, np.int64)
        return {"keys": joined, "ids": np.array(ids, dtype=np.str_), "sizes": sizes}

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot."""
        self._parts.clear()
        ids = pa.array([text or None for text in arrays["ids"].tolist()], pa.string())
        first = 0
        for size in arrays["sizes"].tolist():
            self._parts.append((arrays["keys"][first : first + size], ids[first : first + size]))
            first += size
        self._rows = first


class Stories:
    """All alerts so far, each with what was seen."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._stories: dict[Subject, Story] = {}
        self.ids = CallIds()

    def __iter__(self) -> Iterator[Story]:
        """All stories, by (time, kind, subject)."""
        key = lambda story: (story.alert.raised_at, story.alert.kind, story.alert.subject)  # noqa: E731
        return iter(sorted(self._stories.values(), key=key))

    def take(self, outcomes: Rows, entries: Rows) -> list[Alert]:
        """Take what the pass gave out; returns the alerts that are new."""
        if not len(outcomes) and not len(entries):
            return []
        texts = self.ids.texts(np.concatenate([entries["call"], outcomes["call"]]))
        seen: dict[Subject, list[LedgerEntry]] = {}
        for entry in entries:
            subject = _subject(entry)
            seen.setdefault(subject, []).append(self._observation(entry, DETECTORS[subject[0]], texts))
        new = []
        for outcome in outcomes:
            subject = _subject(outcome)
            if outcome["what"] == ENDED:
                self._end(subject, outcome)
                continue
            closed = self._closed(subject)
            ledger = [e for e in seen.get(subject, []) if closed <= e.at <= int(outcome["at"])]
            episode = _episode(outcome, texts, ledger)
            if outcome["what"] == RAISED:
                new.append(self._raise(subject, outcome, episode, ledger))
            else:
                self._stories[subject].alert.episodes.append(episode)
        for subject, observations in seen.items():
            self._keep(subject, observations)
        return new

    def _closed(self, subject: Subject) -> int:
        story = self._stories.get(subject)
        return (story.alert.closed_at or 0) if story else 0

    def _observation(self, entry: np.void, detector: ModuleType, texts: dict[int, str]) -> LedgerEntry:
        english, chinese = detector.WORDS[int(entry["what"])]
        value = float(entry["value"])
        return LedgerEntry(
            at=int(entry["at"]),
            call_id=texts[int(entry["call"])],
            caller=to_text(int(entry["caller"]), self.names),
            what=int(entry["what"]),
            value=value,
            text=english.format(span(value)),
            text_zh=chinese.format(span_zh(value)),
            bits=float(entry["bits"]),
            total=float(entry["total"]),
        )

    def _raise(
        self, subject: Subject, outcome: np.void, episode: Episode, ledger: list[LedgerEntry]
    ) -> Alert:
        detector = DETECTORS[subject[0]]
        bits = float(outcome["bits"])
        english, chinese = detector.HYPOTHESES[int(outcome["hypothesis"])]
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
        room = max(MAX_ENTRIES - len(story.entries), 0)
        story.entries.extend(observations[:room])
        self._stories[subject] = replace(story, dropped=story.dropped + len(observations[room:]))
        episodes = story.alert.episodes
        if episodes[-1].closed_at is None:
            last = max(observations[-1].at, episodes[-1].last_call_at)
            calls = len({entry.call_id for entry in story.entries if entry.at >= episodes[-1].began_at})
            episodes[-1] = replace(episodes[-1], last_call_at=last, calls=max(calls, episodes[-1].calls))

    def as_json(self) -> list[Any]:
        """The state, for a snapshot."""
        names = [detector.NAME for detector in DETECTORS]
        return [
            {"detector": names[key[0]], "subject": key[1], "story": asdict(story)}
            for key, story in self._stories.items()
        ]

    def restore(self, state: list[Any]) -> None:
        """Take the state of a snapshot."""
        index = {detector.NAME: place for place, detector in enumerate(DETECTORS)}
        for item in state:
            story = _story(item["story"])
            self._stories[index[item["detector"]], item["subject"], story.alert.raised_at] = story


def _subject(record: np.void) -> Subject:
    return int(record["detector"]), int(record["subject"]), int(record["story"])


def _episode(outcome: np.void, texts: dict[int, str], ledger: list[LedgerEntry]) -> Episode:
    return Episode(
        raised_at=int(outcome["at"]),
        call_id=texts[int(outcome["call"])],
        began_at=ledger[0].at if ledger else int(outcome["at"]),
        last_call_at=int(outcome["last"]),
        calls=int(outcome["calls"]),
    )


def _story(state: dict[str, Any]) -> Story:
    alert = dict(state["alert"])
    alert["ledger"] = [LedgerEntry(**entry) for entry in alert["ledger"]]
    alert["episodes"] = [Episode(**episode) for episode in alert["episodes"]]
    return Story(Alert(**alert), [LedgerEntry(**entry) for entry in state["entries"]], state["dropped"])
