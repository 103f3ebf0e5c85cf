"""The pipeline: records of the journal in, alerts and rows of the record store out.

One thread takes the records in their order. All it does follows from them alone: the time is what the rows tell, silence is
told by records of the clock, and everything that is written has a stable name. So after a crash it goes back to its last snapshot,
takes the records behind it once more, and comes to the very state it was in; what it had written already is written again and
changes nothing.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from ringfence.detect.shard import Arrays
from ringfence.ingest import _buffers
from ringfence.ingest.format import Chunk, Rejected
from ringfence.ingest.live_order import LiveOrder, last_known
from ringfence.ingest.normalise import ROW_BITS
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import to_texts
from ringfence.model.tables import CALLS, TEXTS
from ringfence.shell.judge import Judge, batches
from ringfence.shell.service.changes import changes_of
from ringfence.shell.service.decoders import CLOCK, EVENTS, Decoder, Makers
from ringfence.shell.service.recollect import Documents, differences
from ringfence.shell.service.segments import Record
from ringfence.shell.service.tally import SECOND, Tally
from ringfence.shell.store.alerts import AlertChange

AT_ONCE: Final = 2_000
"""Calls judged at a time: so long a question about a number may have to wait, some milliseconds."""
MOST_KEYS: Final = 100_000
"""Idempotency keys that are remembered."""
RECALLED: Final = "records"
"""Source of rows that come from the record store."""
WRITTEN_S: Final = 1.0
"""An alert that merely goes on is written so often; one that is raised or over, at once."""
MOST_REJECTED: Final = 1_000
"""Rejected rows that are shown, the newest."""
_MINUTE: Final = 60 * SECOND
_UNKNOWN: Final = "its source is no longer configured"
_UNREADABLE: Final = "the record cannot be read"
_log = structlog.get_logger("ringfence.pipeline")
_AHEAD: Final = "its time is ahead of this machine's clock"


class Alerts(Protocol):
    """Where alerts go."""

    def apply(self, seq: int, changes: Sequence[AlertChange]) -> int:
        """Write what happened up to a place in the journal; what is there already changes nothing."""


class Rows(Protocol):
    """Where rows go."""

    def append(self, table: str, rows: pa.RecordBatch, seq: int) -> None:
        """Keep rows of a record."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A row that was put aside: of which source, when (µs), which row of its record, and why."""

    source: str
    at: int
    row: int
    reason: str


@dataclass(slots=True)
class Latency:
    """How long alerts took, of the newest ones: seconds from the coming in of the records they were judged with to their being stored."""

    newest: list[float] = field(default_factory=list)

    def add(self, seconds: float, count: int) -> None:
        """Take note of alerts."""
        self.newest.extend([seconds] * count)
        del self.newest[:-1_000]


class Pipeline:
    """What stands behind the journal.

    Args:
        judge: the engine.
        order: of the rows.
        makers: of the sources' decoders.
        alerts: where alerts go; rows: where rows go.
        on_changes: told of alerts that changed, after they are stored.
        trunks: where the calls of a trunk come from, for rows that do not say so.
        clock: µs since 1970, for figures only.

    Attributes:
        seq: number of the last record that is taken in.
        positions: of each source, what its last record says of its place.
        keys: idempotency keys of the newest events, each with what was answered.
        unwritten: alerts that changed and are not stored yet.
        lock: held while the engine works; whoever asks it anything must hold it.
        changing: held while a snapshot is taken; whoever else changes anything must hold both.
    """

    def __init__(
        self,
        judge: Judge,
        order: LiveOrder,
        makers: Makers,
        alerts: Alerts,
        rows: Rows,
        on_changes: Callable[[Sequence[AlertChange]], None] = lambda _: None,
        trunks: Mapping[str, str] | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self.judge = judge
        self.order = order
        self.seq = 0
        self.positions: dict[str, Any] = {}
        self.keys: OrderedDict[str, Any] = OrderedDict()
        self.tallies: dict[str, Tally] = {}
        self.aside: list[Aside] = []
        self.latency = Latency()
        self.lock = threading.Lock()
        self.changing = threading.Lock()
        self.judged = 0
        self.call_rows = 0
        self._makers = makers
        self._decoders: dict[str, Decoder] = {}
        self._names: list[str] = []  # of sources, by the number in the rows' origins
        self._alerts = alerts
        self._rows = rows
        self._on_changes = on_changes
        self.trunks = trunks or {}
        self._clock = clock
        self._waiting_texts: list[tuple[str, int, Chunk]] = []
        self._unkept: deque[tuple[str, pa.RecordBatch, int]] = (
            deque()
        )  # rows that the record store has not taken yet
        self._texts: dict[str, str] = {}  # how alerts of texts were told last
        self._texts_changed = False
        self.unwritten: list[AlertChange] = []
        self._received = 0
        self._written = 0.0
        self._minute = 0

    def take(self, records: Sequence[Record]) -> None:
        """Take records in; what follows from them is to be written with `write` before more are taken."""
        for record in records:
            self._take(record)
            self.seq = record.seq
        self._judge()
        now = time.monotonic()
        whole = now - self._written >= WRITTEN_S
        self._written = now if whole else self._written
        self.unwritten += self._changes(whole=whole)
        if records:
            self._received = records[0].received

    def write(self) -> None:
        """Write what follows from the records; where that fails, everything is still there to be written later.

        Raises:
            StoreError, RecordsError: it could not be written.
        """
        while self._unkept:
            self._rows.append(*self._unkept[0])
            self._unkept.popleft()
        changes = self.unwritten
        if not changes:
            return
        self._alerts.apply(self.seq, changes)
        self.unwritten = []
        raised = sum(change.what == "raised" for change in changes)
        if raised:
            self.latency.add((self._clock() - self._received) / SECOND, raised)
        self._on_changes(changes)

    def _take(self, record: Record) -> None:
        source = record.note["source"]
        tally = self.tallies.setdefault(source, Tally())
        if record.note["kind"] == CLOCK:
            self._pass_time(record)
            return
        if "position" in record.note:
            self.positions[source] = record.note["position"]
        if "key" in record.note:
            self._remember(record.note["key"], {**record.note["answer"], "seq": record.seq})
        rows = 0
        for chunk in self._decoded(source, record):
            rows += chunk.read
            self._take_chunk(source, chunk, record)
        tally.came(rows, record.received)

    def _decoded(self, source: str, record: Record) -> list[Chunk]:
        """The rows of a record. One that no decoder can read is put aside: it would stop the service after every restart."""
        if source not in self._decoders:
            # rows in the contract's names need no configuration: so those of a source that is gone are not lost
            otherwise = self._makers.get(EVENTS) if record.note["kind"] == EVENTS else None
            maker = self._makers.get(source, otherwise)
            if maker is not None:
                self._decoders[source] = maker()
        if source not in self._decoders:
            self._put_aside(source, [Rejected(0, _UNKNOWN)], record.received)
            return []
        try:
            return list(self._decoders[source].decode(record))
        except Exception as error:  # noqa: BLE001  (whatever a source sent)
            _log.exception("record cannot be read", source=source, seq=record.seq)
            self._put_aside(source, [Rejected(0, f"{_UNREADABLE} ({type(error).__name__})")], record.received)
            return []

    def _remember(self, key: str, answer: Any) -> None:
        self.keys[key] = answer
        while len(self.keys) > MOST_KEYS:
            self.keys.popitem(last=False)

    def _pass_time(self, record: Record) -> None:
        """Nothing came for a while: time goes on even so."""
        for source, decoder in self._decoders.items():
            for chunk in decoder.advance(record.received):
                self._take_chunk(source, chunk, record)
        self.order.advance(record.note["now"])

    def _take_chunk(self, source: str, chunk: Chunk, record: Record) -> None:
        tally = self.tallies[source]
        tally.notes.update(chunk.notes)
        tally.ignored += chunk.ignored
        self._put_aside(source, chunk.rejected, record.received)
        if not len(chunk.rows):
            return
        if chunk.table == "calls":
            self._take_calls(source, chunk, record)
            return
        times = _buffers.fixed(chunk.columns["time"], np.int64)
        tally.told = max(tally.told, min(int(times.max()), record.received))
        if chunk.table == "texts":
            self._waiting_texts.append((source, record.received, chunk))
            self._unkept.append(("texts", chunk.records, record.seq))
            return
        rejected = self.judge.take_transfers(chunk, self._place(source))
        self._put_aside(source, rejected, record.received)
        self._unkept.append(("transfers", _without(chunk, rejected), record.seq))

    def _read_texts(self, until: int) -> None:
        """Read the texts of a stretch of time: before the calls of that time are judged, and not before those of earlier ones."""
        waiting, self._waiting_texts = self._waiting_texts, []
        for source, received, chunk in waiting:
            now = _buffers.fixed(chunk.columns["time"], np.int64) < until
            if not now.all():
                self._waiting_texts.append((source, received, _part_of(chunk, ~now)))
            if now.any():
                rejected = self.judge.take_texts(_part_of(chunk, now))
                self._put_aside(source, rejected, received)
                self._texts_changed = True

    def _take_calls(self, source: str, chunk: Chunk, record: Record) -> None:
        tally = self.tallies[source]
        chunk = self._with_ingress(chunk)
        calls, rejected = self.judge.take_calls(chunk, self._place(source))
        self._put_aside(source, rejected, record.received)
        if not len(calls):
            return
        self._unkept.append(("calls", _in_words(_without(chunk, rejected), calls, self.judge), record.seq))
        ahead = self.order.push(calls, record.received)
        tally.ahead += len(ahead)
        if len(ahead):
            rows = (ahead.origin & ((1 << ROW_BITS) - 1)).tolist()
            self._put_aside(source, [Rejected(row, _AHEAD) for row in rows], record.received)
        tally.calls += len(calls) - len(ahead)
        self.call_rows += len(calls) - len(ahead)
        tally.told = max(tally.told, min(int(last_known(calls).max()), record.received))

    def _with_ingress(self, chunk: Chunk) -> Chunk:
        """Say where calls come from, where the rows name their trunk only and the operator says what it is."""
        if not self.trunks or chunk.columns["trunk"].null_count == len(chunk.rows):
            return chunk
        records = chunk.records
        names, words = pa.array(list(self.trunks)), pa.array(list(self.trunks.values()))
        known = words.take(pc.index_in(records["trunk"], names))
        place = records.schema.get_field_index("ingress")
        return replace(
            chunk,
            columns=records.set_column(place, CALLS.field("ingress"), pc.coalesce(records["ingress"], known)),
        )

    def _place(self, source: str) -> int:
        if source not in self._names:
            self._names.append(source)
        return self._names.index(source)

    def _put_aside(self, source: str, rejected: Iterable[Rejected], at: int) -> None:
        rejected = list(rejected)
        if rejected:
            self.tallies[source].reject(rejected)
            self.aside.extend(Aside(source, at, row.row, row.reason) for row in rejected)
            del self.aside[:-MOST_REJECTED]

    def recall(self, parts: Iterable[tuple[str, pa.RecordBatch]]) -> None:
        """Judge rows of the record store, which were judged before: nothing that follows from them is written or told."""
        now = self._clock()
        tally = self.tallies.setdefault(RECALLED, Tally())
        for table, rows in parts:
            tally.came(len(rows), now)
            chunk = Chunk(rows, np.arange(len(rows)), len(rows), table=table)
            self._take_chunk(RECALLED, chunk, Record(self.seq, now, {}, b""))
        self._unkept.clear()
        self._judge()
        self._changes(whole=True)

    def carry(self, state: Mapping[str, Any]) -> None:
        """Take from a snapshot that cannot be used what has nothing to do with judging.

        That is its place in the journal, those of sources, what their decoders have begun to read, and idempotency keys.

        Raises:
            KeyError, TypeError, ValueError: it cannot be read; nothing was taken.
        """
        seq, positions, keys = int(state["seq"]), dict(state["positions"]), OrderedDict(state["keys"])
        self._carry_decoders(dict(state["decoders"]))
        self.seq, self.positions, self.keys = max(self.seq, seq), positions, keys

    def _carry_decoders(self, state: Mapping[str, Any]) -> None:
        for source, kept in state.items():
            if source not in self._makers:
                continue
            decoder = self._makers[source]()
            try:
                decoder.restore(kept)
            except Exception:  # noqa: BLE001  (what another version wrote can fail in any way)
                _log.warning("what a source had begun to tell is not known", source=source)
                continue
            self._decoders[source] = decoder

    def agree(self, is_open: Documents) -> None:
        """Have what is stored of alerts brought into line with memory, which was made anew, with the next `write`.

        Args:
            is_open: alerts that go on, as far as the store knows, by id.
        """
        self._changes(whole=True)
        stories = [*self.judge.stories, *self.judge.text_stories()]
        self.unwritten += differences(stories, is_open, self.judge.engine.last or self._clock())

    def finish(self) -> None:
        """Judge all that is held, as if nothing came any more (of a replay that is over)."""
        self._judge(self.order.finish())
        self._minute = 0
        self.write_all()

    def write_all(self) -> None:
        """Write all that is known of alerts, also of those that merely go on.

        Raises:
            StoreError: it could not be written.
        """
        self.unwritten += self._changes(whole=True)
        self.write()

    def _judge(self, ready: Any = None) -> None:
        calls, learned, until = ready or self.order.take()
        with self.lock:
            self._learn(learned)
        for part, watermark in batches(calls, until, AT_ONCE):
            self._read_texts(watermark)
            with self.lock:
                alerts = self.judge.judge(part, watermark)
            self._texts_changed |= any(alert.text_id for alert in alerts)
            self.judged += len(part)

    def _learn(self, learned: Calls) -> None:
        """Answers and ends of calls that are up; what belongs to none came too late, or twice."""
        if not len(learned):
            return
        engine = self.judge.engine
        rest = learned.take(np.flatnonzero(~engine.tell(learned)))
        if not len(rest):
            return
        known = self.judge.stories.ids.has(rest.key)
        late = rest.take(np.flatnonzero(~known))
        engine.acquaint(late)
        for name, count in zip(*_by_source(rest.take(np.flatnonzero(known))), strict=True):
            self.tallies[self._names[name]].repeated += count
        for name, count in zip(*_by_source(late), strict=True):
            self.tallies[self._names[name]].late += count

    def _changes(self, *, whole: bool) -> list[AlertChange]:
        """What became of alerts; `whole`: also of those that merely go on, which are written now and then only."""
        judge = self.judge
        if judge.engine.last // _MINUTE != self._minute:
            self._minute = judge.engine.last // _MINUTE
            judge.forget(judge.engine.last)
            judge.stories.look_at_open(judge.engine)
            self._texts_changed = True
        found = judge.stories.take_changes(judge.engine, only_events=not whole)
        changes = [change for story, what in found for change in changes_of(story, what)]
        return [*changes, *(self._changes_of_texts() if whole else ())]

    def _changes_of_texts(self) -> list[AlertChange]:
        """Alerts of texts are put together anew from all texts each time: tell of those that are not as they were."""
        if not self._texts_changed:
            return []
        self._texts_changed = False
        changes, before, self._texts = [], self._texts, {}
        for story in self.judge.text_stories():
            alert = story.alert
            document = alert.as_dict()
            told, now = before.get(alert.alert_id), repr(document)
            self._texts[alert.alert_id] = now
            if told == now:
                continue
            if told is None:
                changes.append(AlertChange(alert.alert_id, "raised", 1, alert.raised_at, document))
            elif alert.closed_at is not None:
                changes.append(AlertChange(alert.alert_id, "closed", 1, alert.closed_at, document))
            else:
                changes.append(AlertChange(alert.alert_id, "changed", 0, alert.raised_at, document))
        return changes

    # --- snapshots -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> tuple[Arrays, dict[str, Any]]:
        """The whole state: arrays, which are copies, and what JSON can hold."""
        arrays = {f"judge:{name}": array for name, array in self.judge.arrays().items()}
        arrays |= {f"order:{name}": array for name, array in self.order.arrays().items()}
        state = {
            "seq": self.seq,
            "judge": self.judge.as_json(),
            "decoders": {source: decoder.as_json() for source, decoder in self._decoders.items()},
            "names": self._names,
            "positions": self.positions,
            "keys": list(self.keys.items()),
            "tallies": {source: tally.as_json() for source, tally in self.tallies.items()},
            "texts": self._texts,
            "waiting_texts": [
                [source, received, _columns_of(chunk)] for source, received, chunk in self._waiting_texts
            ],
            "minute": self._minute,
            "judged": self.judged,
        }
        return {name: array.copy() for name, array in arrays.items()}, state

    def restore(self, arrays: Arrays, state: dict[str, Any]) -> None:
        """Take the state of a snapshot.

        Raises:
            KeyError, ValueError: it was made by another version of the program.
        """
        self.judge.restore(_part(arrays, "judge:"), state["judge"])
        self.order.restore(_part(arrays, "order:"))
        for source, kept in state["decoders"].items():
            if source in self._makers:  # else it is no longer configured
                self._decoders[source] = self._makers[source]()
                self._decoders[source].restore(kept)
        self._names = state["names"]
        self.positions = state["positions"]
        self.keys = OrderedDict(state["keys"])
        self.tallies = {source: Tally.of_json(tally) for source, tally in state["tallies"].items()}
        self._texts = state["texts"]
        self._waiting_texts = [
            (source, received, _texts_of(columns)) for source, received, columns in state["waiting_texts"]
        ]
        self._minute = state["minute"]
        self.judged = state["judged"]
        self.seq = state["seq"]

    @property
    def is_written(self) -> bool:
        """Whether all that follows from the records taken is in the stores."""
        return not self.unwritten and not self._unkept

    @property
    def goes_on(self) -> bool:
        """Whether there are alerts that changed, and that are not written yet."""
        return bool(self.judge.stories.changed) or self._texts_changed

    @property
    def waits(self) -> bool:
        """Whether something waits for time to pass: rows, calls that are up, attacks that are open."""
        engine = self.judge.engine
        return (
            bool(len(self.order) or self._waiting_texts)
            or engine.due != NEVER
            or any(shard.open for shard in engine.shards)
        )


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _part_of(chunk: Chunk, which: npt.NDArray[np.bool_]) -> Chunk:
    """Some rows of a chunk."""
    rows = chunk.rows[which]
    return Chunk(chunk.columns.filter(pa.array(which)), rows, len(rows), table=chunk.table)


def _columns_of(chunk: Chunk) -> dict[str, list[Any]]:
    """A chunk of texts as JSON can hold it."""
    records = chunk.records
    times = records["time"].cast(pa.int64()).to_pylist()
    plain = {name: records[name].to_pylist() for name in TEXTS.names if name != "time"}
    return {"time": times, **plain, "rows": chunk.rows.tolist()}


def _texts_of(columns: dict[str, list[Any]]) -> Chunk:
    """The chunk that `_columns_of` took apart."""
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in TEXTS]
    rows = np.array(columns["rows"], np.int64)
    return Chunk(pa.RecordBatch.from_arrays(arrays, schema=TEXTS), rows, len(rows), table="texts")


def _by_source(calls: Calls) -> tuple[list[int], list[int]]:
    """Numbers of sources, and how many of the rows are theirs."""
    numbers, counts = np.unique(calls.origin >> ROW_BITS, return_counts=True)
    return numbers.tolist(), counts.tolist()


def _without(chunk: Chunk, rejected: Sequence[Rejected]) -> pa.RecordBatch:
    """The rows of a chunk that were not put aside."""
    if not rejected:
        return chunk.records
    gone = np.isin(chunk.rows, [row.row for row in rejected])
    return chunk.records.filter(pa.array(~gone))


def _in_words(batch: pa.RecordBatch, calls: Calls, judge: Judge) -> pa.RecordBatch:
    """Rows of calls with their numbers in one form, as they are kept."""
    numbers: dict[str, npt.NDArray[np.int64]] = {"caller": calls.caller, "callee": calls.callee}
    columns = [
        to_texts(numbers[name], judge.names) if name in numbers else batch.column(name)
        for name in CALLS.names
    ]
    return pa.RecordBatch.from_arrays(columns, schema=CALLS)
