"""The service without its web side: journal, pipeline, snapshots and stores, put together and kept going.

`Service` is what the web application, the sources and the tests drive. It starts by coming back to where it was: newest snapshot, then the
journal behind it. From then on one thread judges; whatever cannot be written is kept and tried again, and told on `health`.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from ringfence.detect.shard import Arrays, Limits
from ringfence.ingest.live_order import LiveOrder
from ringfence.shell.judge import Charge, Judge
from ringfence.shell.lists import Lists
from ringfence.shell.outputs import replace_file
from ringfence.shell.records import RecordsError, RecordStore
from ringfence.shell.service.cases import held_by, open_alerts
from ringfence.shell.service.decoders import CLOCK, EVENTS, Events, Makers
from ringfence.shell.service.follower import Follower
from ringfence.shell.service.journal import Journal, JournalError
from ringfence.shell.service.pipeline import Pipeline
from ringfence.shell.service.recollect import Documents, told_again
from ringfence.shell.service.snapshots import KEPT, Snapshots
from ringfence.shell.store.alerts import AlertChange
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.store import Store
from ringfence.shell.warm_up import is_warm, load, warm_up

AT_ONCE: Final = 1 << 20
"""Bytes of records taken in together."""
TICK_S: Final = 1.0
FULL_S: Final = 5.0
"""Between two snapshots for the sake of a full journal."""
PAUSE: Final = 8.0
"""Between two snapshots for the sake of many rows, in times that the last one took: the disk has other work."""
_RETRY_S: Final = 1.0
_log = structlog.get_logger("ringfence.service")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a service is asked to do; `shell.service.wiring` makes it from the configuration.

    Attributes:
        data: folder of everything that is kept.
        charge: what is judged, and by which rules.
        disorder_s, ahead_s, idle_s: see the settings of `[window]`.
        segment_bytes, journal_bytes: of the journal, see `[journal]`.
        snapshot_rows, snapshot_s, rebuild_calls: see `[snapshot]`.
        min_free_bytes: of the disk, below which events are refused.
        fsync_s: how long an acknowledgement may wait for others to share one fsync with.
        keep_journal_s: how long segments stay when a snapshot has made them dispensable.
        trunks: where the calls of a trunk come from, for rows that do not say so.
        keep_days: of the record store's tables, those that are not named 30; alert_days: of closed alerts; event_days: of what was told of them.
        upkeep_s: between two rounds of compaction and deletion.
        makers: of the sources' decoders, by name.
    """

    data: Path
    charge: Charge = field(default_factory=lambda: Charge(limits=Limits()))
    disorder_s: float = 2.0
    ahead_s: float = 60.0
    idle_s: float = 5.0
    segment_bytes: int = 64 << 20
    journal_bytes: int = 8 << 30
    snapshot_rows: int = 200_000
    snapshot_s: float = 60.0
    rebuild_calls: int = 10_000_000
    min_free_bytes: int = 0
    fsync_s: float = 0.0
    keep_journal_s: float = 0.0
    trunks: Mapping[str, str] = field(default_factory=dict)
    keep_days: Mapping[str, int | None] = field(default_factory=dict)
    alert_days: int = 365
    event_days: int = 30
    upkeep_s: float = 600.0
    makers: Makers = field(default_factory=dict)

    def asked(self) -> dict[str, Any]:
        """What a snapshot must agree with."""
        charge = self.charge
        return {
            "country": charge.country,
            "timezone": charge.timezone,
            "detect": charge.detect,
            "each_call": charge.each_call,
            "lists": charge.lists.digest if isinstance(charge.lists, Lists) else "",
        }


@dataclass(slots=True)
class Health:
    """How the service is.

    Attributes:
        state: starting, compiling, recovering, ok, degraded, stopping.
        trouble: what is wrong now, one line each.
        notes: what was found when it started, and is over.
        is_ready: events are taken in.
    """

    state: str
    trouble: list[str]
    notes: list[str]
    is_ready: bool


class Service:
    """The service.

    Args:
        plan: what it is asked to do.
        clock: µs since 1970.

    Raises:
        OSError, StoreError: the data folder cannot be used.
    """

    def __init__(self, plan: Plan, clock: Callable[[], int] = lambda: time.time_ns() // 1_000) -> None:
        plan.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._plan = plan
        self.clock = clock
        self._notes: list[str] = []
        self._trouble: dict[str, str] = {}
        self._state = "starting"
        self._stop = threading.Event()
        self._recovery = threading.Lock()
        self._listeners: list[Callable[[Sequence[AlertChange]], None]] = []
        self.store = Store.open(plan.data)
        self.records = RecordStore(plan.data / "records")
        self.snapshots = Snapshots(plan.data / "snapshots", plan.asked())
        self.pipeline = self._fresh()
        is_restored = self.snapshots.load(self._restore)
        self._notes += self.snapshots.refused
        folder = plan.data / "journal"
        self.journal = Journal(
            folder,
            segment_bytes=plan.segment_bytes,
            most_bytes=plan.journal_bytes,
            min_free_bytes=plan.min_free_bytes,
            fsync_s=plan.fsync_s,
            keep_s=plan.keep_journal_s,
            since=max(self.snapshots.last, self.store.alerts.applied_seq, self.records.last),
        )
        self._is_anew = not is_restored and self.journal.first > 1  # else the journal holds everything
        if self._is_anew:
            self._begin_anew()
        self._saved = self.pipeline.seq
        self._saved_at = time.monotonic()
        self._rows_then = self.pipeline.call_rows
        self.records.recover(self.pipeline.seq)
        self._follower = Follower(self.journal, folder, self.pipeline.seq)
        self._heard = self._ticked = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self._upkeep = threading.Thread(target=self._keep_up, name="upkeep", daemon=True)

    def _fresh(self) -> Pipeline:
        plan = self._plan
        order = LiveOrder(int(plan.disorder_s * 1e6), int(plan.ahead_s * 1e6))
        makers = {EVENTS: Events, **plan.makers}
        return Pipeline(
            Judge(plan.charge),
            order,
            makers,
            self.store.alerts,
            self.records,
            self._changed,
            plan.trunks,
            self.clock,
        )

    def _restore(self, arrays: Arrays, state: dict[str, Any]) -> None:
        pipeline = self._fresh()  # one that was restored in part is of no use
        pipeline.restore(arrays, state)
        self.pipeline = pipeline

    def _begin_anew(self) -> None:
        """Without a snapshot: what lies before the journal must come from the record store.

        Where a refused snapshot can be read, all that came before it is in the stores: it begins there.
        """
        self.pipeline.seq = self.journal.first - 1
        rest = self.snapshots.rest
        if rest is not None:
            try:
                self.pipeline.carry(rest)
            except (KeyError, TypeError, ValueError):
                self._notes.append("places of sources are not known: what they told may come again")

    # --- what others call ----------------------------------------------------------------------------------------------

    def compile(self) -> None:
        """Have the detection code compiled, which takes some minutes, once on a machine; and loaded."""
        if not is_warm():
            self._state = "compiling"
            warm_up()
            self._state = "starting"
        load()

    def recover(self) -> None:
        """Come back to where it was: take in what the journal holds behind the snapshot."""
        with self._recovery:
            if self._stop.is_set():
                return
            self._state = "recovering"
            began, first = time.monotonic(), self.pipeline.seq
            is_open = open_alerts(self.store.alerts) if self._is_anew else {}
            if self._is_anew and not self._recollect():
                is_open = {}  # what is not known is not over
            while not self._stop.is_set() and (records := self._follower.read(AT_ONCE)):
                self.pipeline.take(records)
                self._insist()
            if self._stop.is_set():
                return
            if self._is_anew:
                self._agree(is_open)
            self._state = "ok"
            _log.info(
                "it is where it was",
                records=self.pipeline.seq - first,
                rows=self.pipeline.call_rows,
                seconds=round(time.monotonic() - began, 1),
            )

    def _recollect(self) -> bool:
        """Make memory anew from the record store, up to where the journal begins; whether it is whole."""
        place = len(self._notes)
        self._notes.append("memory is being made anew from the record store")
        try:
            for parts in told_again(self.records, self._plan.rebuild_calls):
                if self._stop.is_set():
                    return False
                self.pipeline.recall(parts)
        except RecordsError as error:
            self._notes[place] = f"memory could not be made anew from the record store: {error}"
            _log.error("the record store cannot be read", reason=str(error))
            return False
        count = self.pipeline.judged
        self._notes[place] = f"memory was made anew from {count:,} calls of the record store"
        _log.info("memory was made anew from the record store", calls=count)
        return True

    def _agree(self, is_open: Documents) -> None:
        """Tell the store which alerts are over, and which attacks it does not know, now that memory was made anew.

        Args:
            is_open: alerts that went on, as far as the store knew before.
        """
        self.pipeline.agree(is_open)
        self._insist()
        if not self._stop.is_set():
            self._is_anew = False
            self._snapshot()

    @property
    def is_recovering(self) -> bool:
        """Whether it has not come back yet to where it was."""
        return self._state in {"starting", "compiling", "recovering"}

    def start(self) -> None:
        """Go on judging, in a thread of its own; and keep the stores in order, in another."""
        self._thread.start()
        self._upkeep.start()

    def stop(self) -> None:
        """Write what waits, take a snapshot, and let go of everything. May be called once."""
        self.halt()
        self.snapshots.wait()
        is_whole = not self._trouble and not self._is_anew
        if is_whole and (self.pipeline.seq > self._saved or self.snapshots.trouble is not None):
            self._snapshot()
            self.snapshots.wait()
        self._follower.close()
        self.records.close()
        self.store.close()

    def halt(self) -> None:
        """Stop taking anything in, and judging; what is in memory can still be looked at."""
        self._state = "stopping"
        self.journal.close()
        self._stop.set()
        with self._recovery:  # what it has begun to take in, it takes in whole
            self._state = "stopping"
        for thread in (self._thread, self._upkeep):
            if thread.is_alive():
                thread.join()

    def listen(self, told: Callable[[Sequence[AlertChange]], None]) -> None:
        """Have a function told of alerts that changed, from the pipeline's thread."""
        self._listeners.append(told)

    def append(
        self, note: dict[str, Any], payload: bytes, done: Callable[[int, JournalError | None], None]
    ) -> None:
        """Have what a source received written, see `Journal.append`.

        Raises:
            JournalError: nothing can be taken in now.
        """
        self.journal.append(self.clock(), note, payload, done)

    def put(self, note: dict[str, Any], payload: bytes) -> int:
        """The same, and wait until it is on disk; returns its number."""
        return self.journal.put(self.clock(), note, payload)

    def settled(self, seq: int, seconds: float) -> bool:
        """Wait until a record and all before it are judged, for so long at the most."""
        until = time.monotonic() + seconds
        while self.pipeline.seq < seq or not self.pipeline.is_written:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def positions(self) -> dict[str, Any]:
        """Of each source, what the last record of it says of its place."""
        return self.pipeline.positions

    def kept(self, name: str, otherwise: dict[str, Any]) -> dict[str, Any]:
        """A small thing that stays the same over restarts: what was kept under a name, or else this, which is kept from now on."""
        path = self._plan.data / f"{name}.json"
        if path.exists():
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return found
        replace_file(path, [json.dumps(otherwise).encode()])
        return otherwise

    def health(self) -> Health:
        """How it is."""
        trouble = list(self._trouble.values())
        trouble += [one for one in (self.journal.trouble, self.snapshots.trouble) if one]
        damage = self.journal.damage
        notes = list(self._notes)
        if damage.gaps:
            notes.append(f"the journal is damaged ({damage.bytes:,} bytes in {', '.join(damage.places)})")
        state = "degraded" if trouble and self._state == "ok" else self._state
        is_ready = self._state == "ok" and self.journal.trouble is None and not self.journal.is_full
        return Health(state, trouble, notes, is_ready and "failure" not in self._trouble)

    # --- the pipeline's thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._go_on()
        except Exception as error:  # noqa: BLE001  (the service must say so, and not look well)
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Say that something has failed that must not; what is acknowledged is in the journal, and is judged after a restart."""
        self._trouble["failure"] = f"{type(error).__name__}: see the log, and restart the service"
        self._state = "ok" if self._state == "recovering" else self._state
        _log.error("the service has failed", exc_info=error)

    def _go_on(self) -> None:
        while not self._stop.is_set():  # what is left stands in the journal
            records = self._follower.read(AT_ONCE)
            if not records:
                self._tick()
                self.journal.wait(self._follower.seq, 0.1)
                if self.pipeline.goes_on or not self.pipeline.is_written:
                    self.pipeline.take([])
                    self._write()
                self._may_snapshot()
                continue
            before = self.pipeline.call_rows
            self.pipeline.take(records)
            if self.pipeline.call_rows > before:
                self._heard = self._ticked = time.monotonic()
            self._tick()
            self._insist()
            self._may_snapshot()

    def _insist(self) -> None:
        """Write what waits, however long it takes: nothing more is judged before."""
        while not self._write() and not self._stop.wait(_RETRY_S):
            pass

    def _write(self) -> bool:
        try:
            self.pipeline.write()
        except (StoreError, RecordsError) as error:
            if self._trouble.get("store") != str(error):
                _log.error("store cannot be written", reason=str(error))
            self._trouble["store"] = str(error)
            return False
        self._trouble.pop("store", None)
        return True

    def _tick(self) -> None:
        """Let time go on where no calls come: by the clock, and as a record, so that it is the same after a crash."""
        now = time.monotonic()
        passed = now - self._ticked
        if passed < TICK_S or not self.pipeline.waits:
            return
        self._ticked = now
        told = self.pipeline.order.newest
        if now - self._heard >= self._plan.idle_s:
            told += int(passed * 1e6)
        with suppress(JournalError):
            self.append({"source": "clock", "kind": CLOCK, "now": told}, b"", lambda *_: None)

    def _may_snapshot(self) -> None:
        rows = self.pipeline.call_rows - self._rows_then
        old = time.monotonic() - self._saved_at
        new = self.pipeline.seq > self._saved or self.snapshots.trouble is not None
        many = rows >= self._plan.snapshot_rows and old >= (1 + PAUSE) * self.snapshots.took
        due = new and (many or old >= self._plan.snapshot_s)
        if not self.snapshots.busy and (due or (self.journal.is_full and old >= FULL_S)):
            self._snapshot()

    def _snapshot(self) -> None:
        seq = self.pipeline.seq
        try:
            self.pipeline.write_all()
        except (StoreError, RecordsError):
            return  # told by the next write
        with self.pipeline.changing:
            arrays, state = self.pipeline.snapshot()
        self._saved, self._saved_at, self._rows_then = seq, time.monotonic(), self.pipeline.call_rows
        # nothing comes in while the journal is full: so it must do with one
        kept = 1 if self.journal.is_full else KEPT
        self.snapshots.save(seq, arrays, state, lambda: self.records.flush(seq), self.journal.release, kept)

    # --- in the background ---------------------------------------------------------------------------------------------

    def _keep_up(self) -> None:
        """Compact and delete, again and again."""
        while not self._stop.wait(self._plan.upkeep_s):
            try:
                self.keep_up()
            except (RecordsError, StoreError) as error:
                self._trouble["upkeep"] = f"nothing is compacted or deleted: {error}"
            except Exception as error:  # noqa: BLE001  (it must be told, and tried again)
                self._trouble["upkeep"] = (
                    f"nothing is compacted or deleted: {type(error).__name__}, see the log"
                )
                _log.error("upkeep has failed", exc_info=error)
            else:
                self._trouble.pop("upkeep", None)

    def keep_up(self) -> None:
        """Compact the record store; delete what is too old, except what cases hold.

        Raises:
            RecordsError, StoreError: it cannot be done now.
        """
        plan, day = self._plan, 86_400_000_000
        now = min(self.pipeline.order.newest or self.clock(), self.clock())
        moment = datetime.fromtimestamp(now / 1e6, UTC)
        self.records.tidy(moment, self._stop.is_set)
        self.records.expire(moment, lambda: held_by(self.store.alerts), plan.keep_days)
        self.store.people.retire(
            alerts_before=now - plan.alert_days * day, events_before=now - plan.event_days * day
        )

    def _changed(self, changes: Sequence[AlertChange]) -> None:
        for told in self._listeners:
            told(changes)
