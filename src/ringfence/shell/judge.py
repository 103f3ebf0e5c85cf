"""What scan and live service share: rows of all tables in, alerts with their stories out.

Everything here is a function of the rows and of the order in which they are judged; files, sockets and clocks are its owner's.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

import numpy as np

from ringfence.detect import forged_caller, scam_call
from ringfence.detect.engine import Engine
from ringfence.detect.memory import DAY
from ringfence.detect.rules import rule_pack, rules_of
from ringfence.detect.shard import Arrays, Limits
from ringfence.detect.text_detectors import of_calls
from ringfence.ingest.format import Chunk, Rejected
from ringfence.ingest.normalise import ROW_BITS, calls_of
from ringfence.model.alert import Alert
from ringfence.model.callers import Callers
from ringfence.model.calls import Calls
from ringfence.model.numbers import Names, NumberPlan
from ringfence.report.story import Story
from ringfence.respond.cases import SAME_DAYS, WATCHED, Cases, join, order
from ringfence.shell.hashed import Hashed
from ringfence.shell.lists import Lists
from ringfence.shell.stories import Stories
from ringfence.shell.texts import TextBook
from ringfence.shell.transfers import TransferBook
from ringfence.shell.trunks import TrunkBook

MOST_CELLS: Final = 1 << 20
"""Cells whose names are kept; a large network has some hundred thousand."""


_TOLD: Final = 90 * DAY
"""A story that was closed so long ago is not reopened by any detector."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is judged, and by which rules.

    Attributes:
        country: whose rules hold, and of numbers in national form (ISO 3166).
        timezone: of deadlines that texts name (IANA).
        detect: names of detectors, None: all.
        each_call: one alert for each forged call, not one a number and day.
        lists: what the operator knows.
        shards: parts of the state (no influence on the alerts).
        limits: of each shard's tables; None: the usual ones.
    """

    country: str = "CN"
    timezone: str = "UTC"
    detect: tuple[str, ...] | None = None
    each_call: bool = False
    lists: Lists = field(default_factory=Lists)
    shards: int = 1
    limits: Limits | None = None

    def asks_for(self, detector: str) -> bool:
        """Whether a detector runs."""
        return self.detect is None or detector in self.detect


def batches(calls: Calls, until: int, most: int) -> Iterator[tuple[Calls, int]]:
    """Ordered calls some at a time, each with the time up to which all is known then; an instant is never cut apart."""
    first = 0
    while first < len(calls):
        last = min(first + most, len(calls))
        if last < len(calls):
            cut = int(np.searchsorted(calls.start, calls.start[last]))
            last = cut if cut > first else int(np.searchsorted(calls.start, calls.start[last], "right"))
        yield calls.slice(first, last), int(calls.start[last]) if last < len(calls) else until
        first = last
    if not len(calls):
        yield calls, until


class Judge:
    """The engine, and what puts its findings into words.

    Attributes:
        names: of callers that are no numbers.
        counts: what was met beside calls, by name.
    """

    def __init__(self, charge: Charge) -> None:
        lists = charge.lists
        self.plan = NumberPlan.of(charge.country)
        self.names = Names()
        self.counts: Counter[str] = Counter()
        self.callers = Callers(rule_pack(charge.country), lists.numbers)
        rules = rules_of(charge.country, lists.numbers, lists.proven)
        self.engine = Engine(of_calls(charge.detect), charge.shards, charge.limits, rules=rules)
        self.trunks = TrunkBook()
        self.transfers = TransferBook()
        self._cells = Hashed(MOST_CELLS)
        self.stories = Stories(
            self.names, each_call=charge.each_call, trunk_text=self.trunks.text, texts=self
        )
        self.texts = TextBook(charge.detect, self.plan, charge.timezone)
        self._cases = Cases()
        self.by_trunk = charge.asks_for(forged_caller.NAME)
        self._follows = charge.asks_for(scam_call.NAME)

    def take_calls(self, chunk: Chunk, place: int) -> tuple[Calls, list[Rejected]]:
        """Calls of a chunk as the engine takes them, and the rows put aside; `place`: number of the source, for the origin."""
        calls, rejected = calls_of(chunk, place, self.plan, self.names)
        if self.by_trunk:
            self.trunks.learn(chunk.columns["trunk"])
        if self._follows:
            self._cells.learn(chunk.columns["callee_cell"])
        return calls, rejected

    def take_texts(self, chunk: Chunk) -> list[Rejected]:
        """Read texts; returns the rows put aside. Alerts come with `judge`, or from `new_texts`."""
        rejected, counts = self.texts.take(chunk, self.names)
        self.counts.update(counts)
        return rejected

    def take_transfers(self, chunk: Chunk, place: int) -> list[Rejected]:
        """Keep transfers until their time is judged; returns the rows put aside."""
        if not self._follows:
            self.counts["transfers_not_asked_for"] += len(chunk.rows)
            return []
        rejected = self.transfers.take(chunk, place, self.plan, self.names, ROW_BITS)
        self.counts["transfers_read"] += len(chunk.rows) - len(rejected)
        return rejected

    def judge(self, calls: Calls, watermark: int) -> list[Alert]:
        """Judge all that happened before a time.

        Args:
            calls: ordered by (start, key), beginning before the watermark and not before the last one.
            watermark: µs, see `Engine.process`.

        Returns:
            The new alerts, each with its case.
        """
        self.stories.ids.add(calls)
        if self.by_trunk:
            self.trunks.count(calls)
        transfers = self.transfers.ready(watermark)
        alerts = self.stories.take(*self.engine.process(calls, watermark, transfers))
        self.texts.see(alerts)
        return self._placed([*alerts, *self.texts.new()])

    def new_texts(self) -> list[Alert]:
        """Alerts of texts that were read since alerts were told last."""
        return self._placed(self.texts.new())

    def _placed(self, alerts: Sequence[Alert]) -> list[Alert]:
        for alert in sorted(alerts, key=order):
            self._cases.place(alert)
        return list(alerts)

    def text_stories(self) -> list[Story]:
        """All alerts of texts so far, each with its case."""
        stories = self.texts.stories(self.engine.last)
        for story in stories:
            story.alert.case = self._cases.case_of(story.alert)
        return stories

    def found(self) -> list[Story]:
        """All alerts so far, of calls and of texts, in order of time, each with its case, brought up to date."""
        self.stories.settle(self.engine)
        key = attrgetter("alert.raised_at", "alert.kind", "alert.subject", "alert.call_id", "alert.alert_id")
        stories = sorted([*self.stories, *self.texts.stories(self.engine.last)], key=key)
        join(story.alert for story in stories)
        return stories

    def forget(self, now: int) -> None:
        """Let go of what a service that runs for months has told and needs no more; `now`: µs."""
        self.stories.close_days(now)
        self.stories.forget(now - _TOLD, now - 2 * DAY)
        self._cases.forget(now - WATCHED)
        self.texts.forget(now, now - 2 * SAME_DAYS)

    def cell(self, key: int) -> str | None:
        """The name of a cell, by its hash."""
        return self._cells.text(key)

    def currency(self, key: int) -> str | None:
        """The currency of a transfer, by its key."""
        return self.transfers.currency(key)

    def arrays(self) -> Arrays:
        """The large part of the state, for a snapshot."""
        return {
            f"{part}:{name}": array
            for part, keeper in self._parts().items()
            for name, array in keeper.arrays().items()
        }

    def as_json(self) -> dict[str, Any]:
        """The other part."""
        return {
            "stories": self.stories.as_json(),
            "texts": self.texts.as_json(),
            "names": self.names.to_lists(),
            "counts": self.counts,
            "trunks": self.trunks.as_json(),
            "cells": self._cells.items(),
        }

    def restore(self, arrays: Arrays, state: dict[str, Any]) -> None:
        """Take the state of a snapshot.

        Raises:
            KeyError, ValueError: it was made by another version of the program.
        """
        for part, keeper in self._parts().items():
            prefix = f"{part}:"
            keeper.restore({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        self.names = self.stories.names = Names.of_lists(*state["names"])
        self.stories.restore(state["stories"])
        self.texts.restore(state["texts"])
        self.counts = Counter(state["counts"])
        self.trunks.restore(state["trunks"])
        self._cells.restore(state["cells"])
        self.texts.see(story.alert for story in self.stories)
        self.texts.new()  # those of the interrupted run were told
        for story in self.found():
            self._cases.place(story.alert)

    def _parts(self) -> dict[str, Any]:
        return {"engine": self.engine, "ids": self.stories.ids, "transfers": self.transfers}
