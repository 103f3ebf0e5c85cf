"""Records in which it matters where a call came in, and what the detector of forged caller ids makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from tests.passes import EPOCH, calls_from

from ringfence.detect.engine import Engine
from ringfence.detect.rules import rules_of
from ringfence.model.alert import Alert
from ringfence.model.calls import NEVER
from ringfence.model.number_lists import NumberLists
from ringfence.model.tables import CALLS
from ringfence.report.story import Story
from ringfence.shell.stories import Stories

HOUR = 3_600.0
DAY = 86_400.0


@dataclass(slots=True)
class Records:
    """Calls being written down."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, start: float, caller: str | None, callee: str, ingress: str | None = "subscriber", *, talk: float | None = 60.0,
        ring: float = 8.0, name: str | None = None, **more: Any,
    ) -> str:  # fmt: skip
        """A call `start` seconds after the beginning; gives back its id."""
        at = EPOCH + int(start * 1e6)
        answer = at + int(ring * 1e6)
        self.rows.append(
            {
                "call_id": name or f"c{len(self.rows)}",
                "start_time": at,
                "answer_time": None if talk is None else answer,
                "end_time": answer + int((talk or 0) * 1e6),
                "caller": caller,
                "callee": callee,
                "cause": 19 if talk is None else 16,
                "ingress": ingress,
                **more,
            }
        )
        return str(self.rows[-1]["call_id"])

    def abroad(self, start: float, caller: str, callee: str, **more: Any) -> str:
        """A call through the international gateway."""
        return self.add(start, caller, callee, "international", **{"trunk": "gw-1", **more})

    def table(self) -> pa.Table:
        rows = sorted(self.rows, key=lambda row: row["start_time"])
        return pa.Table.from_pylist([{name: row.get(name) for name in CALLS.names} for row in rows], CALLS)


def stories_of(
    records: Records,
    country: str = "CN",
    lists: NumberLists | None = None,
    *,
    shards: int = 1,
    cuts: Sequence[int] = (),
    each_call: bool = False,
    trunks: dict[int, str] | None = None,
    proven: Any = None,
) -> list[Story]:
    """The stories of a pass with this detector alone."""
    calls, names = calls_from(records.table())
    engine = Engine(["forged_caller"], shards, rules=rules_of(country, lists, proven))
    stories = Stories(names, each_call=each_call, trunk_text=(trunks or {}).get)
    first = 0
    places = sorted({int(np.searchsorted(calls.start, calls.start[c])) for c in cuts if c < len(calls)})
    for cut in [*places, len(calls)]:
        part = calls.slice(first, cut)
        stories.ids.add(part)
        stories.take(*engine.process(part, int(calls.start[cut]) if cut < len(calls) else NEVER))
        first = cut
    stories.settle(engine)
    return list(stories)


def alerts_of(records: Records, country: str = "CN", **how: Any) -> list[Alert]:
    return [story.alert for story in stories_of(records, country, **how)]


def named(records: Records, **how: Any) -> set[str]:
    """The calls that are alerted, one by one."""
    return {alert.call_id for alert in alerts_of(records, each_call=True, **how)}


def life(records: Records, number: str, friends: Sequence[str], seed: int, days: float, a_day: float = 6.0) -> list[float]:  # fmt: skip
    """A mobile in use at home: it rings its friends, they ring it; gives back when it was in use."""
    rng = np.random.default_rng(seed)
    times = []
    for day in range(int(days) + 1):
        for _ in range(rng.poisson(a_day)):
            at = day * DAY + rng.uniform(0, 15) * HOUR  # 8 to 23 h in Shanghai
            if at > days * DAY:
                continue
            friend = str(rng.choice(list(friends)))
            talk = float(rng.lognormal(3.8, 1.0))
            if rng.random() < 0.5:
                records.add(at, number, friend, talk=talk)
                times.append(at)
            else:
                records.add(at, friend, number, talk=talk, callee_cell="4100-1")
                if talk >= 22:
                    times.append(at + 8.0 + talk)
    return sorted(times)
