"""Short ways to run the pass in tests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ringfence.detect.engine import Engine
from ringfence.ingest.format import Chunk
from ringfence.ingest.normalise import calls_of
from ringfence.ingest.reorder import Reorder
from ringfence.model.alert import Alert
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import Names, NumberPlan
from ringfence.report.story import Story
from ringfence.shell.stories import Stories
from ringfence.simulate.attempts import Attempts, table

EPOCH = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
DAY = 86_400.0


def calls_from(attempts: Attempts | pa.Table, epoch: int = EPOCH) -> tuple[Calls, Names]:
    """Ordered calls as the engine takes them."""
    rows = table(attempts, epoch) if isinstance(attempts, Attempts) else attempts
    names = Names()
    window = Reorder()
    for batch in rows.combine_chunks().to_batches():
        chunk = Chunk(batch, np.arange(1, len(batch) + 1), len(batch))
        window.push(calls_of(chunk, 0, NumberPlan.of("CN"), names)[0])
    return window.flush(), names


@dataclass(slots=True)
class Run:
    """A pass in progress, fed with slices of calls."""

    engine: Engine
    stories: Stories

    @classmethod
    def new(cls, names: Names, shards: int = 1) -> "Run":
        return cls(Engine(shards=shards), Stories(names))

    def feed(self, calls: Calls, watermark: int = NEVER) -> list[Alert]:
        self.stories.ids.add(calls)
        return self.stories.take(*self.engine.process(calls, watermark))


def stories_of(
    attempts: Attempts | pa.Table, shards: int = 1, cuts: Sequence[int] = (), epoch: int = EPOCH
) -> list[Story]:
    """All stories of some attempts, judged in one go or cut at the given rows."""
    calls, names = calls_from(attempts, epoch)
    run = Run.new(names, shards)
    first = 0
    for cut in sorted({int(np.searchsorted(calls.start, calls.start[c])) for c in cuts if c < len(calls)}):
        run.feed(calls.slice(first, cut), int(calls.start[cut]))
        first = cut
    run.feed(calls.slice(first, len(calls)))
    run.stories.settle(run.engine)
    return list(run.stories)


def alerts_of(attempts: Attempts | pa.Table, shards: int = 1, cuts: Sequence[int] = ()) -> list[Alert]:
    """The alerts of some attempts."""
    return [story.alert for story in stories_of(attempts, shards, cuts)]


def as_dicts(alerts: Iterable[Alert]) -> list[dict[str, object]]:
    """Alerts as they are written."""
    return [alert.as_dict() for alert in alerts]


def calls_until(attempts: Attempts, alert: Alert, epoch: int = EPOCH) -> int:
    """How many calls the subject had received when the alert was raised."""
    return sum(
        callee == alert.subject and epoch + int(start * 1e6) <= alert.raised_at
        for start, callee in zip(attempts.start, attempts.callee, strict=True)
    )
