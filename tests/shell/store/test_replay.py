"""Nothing lost and nothing doubled: after crashes, however the journal is taken together, and when killed."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.shell.store.making import T0, alert, change

from ringfence.shell.store.alerts import AlertChange, What
from ringfence.shell.store.store import Store

WHAT: tuple[What, ...] = ("changed", "closed", "reopened", "changed")


def journal(length: int, seed: int) -> list[list[AlertChange]]:
    """What follows from each journal record: no change, one, or some."""
    chance = random.Random(seed)
    counts: dict[int, int] = {}
    records = []
    for place in range(length):
        changes = []
        for _ in range(chance.choice((0, 1, 1, 3))):
            which = chance.randrange(4)
            n = counts[which] = counts.get(which, 0) + 1
            what = "raised" if n == 1 else chance.choice(WHAT)
            changes.append(change(alert(which), what, n, at=T0 + place, calls=n))
        records.append(changes)
    return records


def events_of(records: Sequence[Sequence[AlertChange]]) -> list[str]:
    return [each.event_id for changes in records for each in changes]


class Replay(RuleBasedStateMachine):
    """The pipeline goes on, crashes, goes back to a snapshot and goes on again; people work meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = Store.open(Path(self.folder.name))
        self.at = 0  # the next journal record of the pipeline
        self.done = 0  # records behind the newest seq that the store has
        self.said: dict[str, tuple[str, int]] = {}

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.journal = journal(40, seed)

    @precondition(lambda self: self.at < 40)
    @rule(records=st.integers(1, 9))
    def apply(self, records: int) -> None:
        end = min(self.at + records, 40)
        new = self.store.alerts.apply(end, [each for part in self.journal[self.at : end] for each in part])
        assert new == len(events_of(self.journal[max(self.done, self.at) : end]))
        if end > self.done:
            for each in (each for part in self.journal[self.done : end] for each in part):
                status, version = self.said.get(each.alert_id, ("new", 0))
                if each.what == "reopened" and status == "closed":
                    status, version = "new", version + 1
                self.said[each.alert_id] = (status, version)
        self.at, self.done = end, max(end, self.done)

    @rule(back=st.integers(0, 20), reopen=st.booleans())
    def crash(self, back: int, reopen: bool) -> None:
        self.at = max(self.at - back, 0)
        if reopen:
            self.store.close()
            self.store = Store.open(Path(self.folder.name))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def close(self, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.said)))
        status, version = self.said[alert_id]
        if status == "new":
            self.store.marks.mark(alert_id, "closed", who="desk", at=T0, version=version)
            self.said[alert_id] = ("closed", version + 1)

    @invariant()
    def each_event_is_there_once_and_in_order(self) -> None:
        told = [
            event.event_id for event in self.store.outbox.after(0, 10_000) if event.type != "alert.status"
        ]
        assert told == events_of(getattr(self, "journal", [])[: self.done])

    @invariant()
    def alerts_are_as_the_journal_left_them(self) -> None:
        last = {each.alert_id: each for part in getattr(self, "journal", [])[: self.done] for each in part}
        for alert_id, expected in last.items():
            found = self.store.alerts.get(alert_id)
            assert found is not None
            assert found.document == expected.document
            assert (found.status, found.version) == self.said[alert_id]

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


Replay.TestCase.settings = settings(max_examples=12, stateful_step_count=25)
TestReplay = Replay.TestCase

WRITER = """
import sys
from pathlib import Path
from ringfence.shell.store.store import Store
from tests.shell.store.test_replay import journal
records = journal(3_000, 7)
with Store.open(Path(sys.argv[1])) as store:
    at = max(store.alerts.applied_seq - 5, 0)  # as from an older snapshot
    while True:
        store.alerts.apply(at + 1, records[at])
        at += 1
        print(at, flush=True)
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(3)
    records = journal(3_000, 7)
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=environment
        )
        assert process.stdout is not None
        with process.stdout as said:
            acknowledged = 0
            for _ in range(chance.randrange(8, 60)):
                acknowledged = int(said.readline())
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            acknowledged = max([acknowledged, *(int(line) for line in said if line.endswith(b"\n"))])
        with Store.open(tmp_path) as store:
            applied = store.alerts.applied_seq
            assert applied >= acknowledged
            told = [event.event_id for event in store.outbox.after(0, 1_000_000)]
            assert told == events_of(records[:applied])
