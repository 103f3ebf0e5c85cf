"""Whatever fails beneath the service: it says so in words, loses nothing that it has acknowledged, and goes on by itself."""

import errno
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from tests.shell.service.floods import BEGIN, SECOND, VICTIM, batch, call, flood, told_live
from tests.shell.service.journals import failing_disk, small_disk
from tests.shell.service.made import NOW, plan, put, running, serving, stored

from ringfence.detect.screening import Screen
from ringfence.shell.judge import Charge
from ringfence.shell.records import StoreFullError
from ringfence.shell.service import journal as journal_module
from ringfence.shell.service import service as service_module
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.decoders import EVENTS, LINES, Events
from ringfence.shell.service.segments import segments
from ringfence.shell.service.service import Plan, Service
from ringfence.shell.store import database
from ringfence.shell.store.alerts import AlertStore
from ringfence.shell.store.database import StoreError

ROWS = [row for row in told_live(list(flood())) if row["end_time"]]
OTHER = "+8613800000002"


def tell(service: Service, rows: list[dict[str, Any]]) -> int:
    """Tell rows, each in a record of its own, and wait until they are judged."""
    for row in rows:
        seq = put(service, "calls", batch([row]))
    assert service.settled(seq, 60)
    return seq


def floods(service: Service) -> list[str]:
    """Who is being flooded, as the store knows it."""
    return sorted(alert["subject"] for alert in stored(service).values() if alert["kind"] == "flood")


def raised(service: Service) -> list[str]:
    """The subjects of all events that tell of a new alert."""
    with service.store.database.reading() as connection:
        found = connection.execute(text("select subject from events where type = 'alert.raised' order by id"))
        return [subject for (subject,) in found]


def until(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait for something that another thread does."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return True
        pause.wait(0.02)
    return False


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 12)):
            pass


def ndjson(rows: list[dict[str, Any]]) -> bytes:
    times = ("start_time", "answer_time", "end_time")
    plain = [{k: v for k, v in row.items() if v is not None and k not in times} for row in rows]
    for known, row in zip(plain, rows, strict=True):
        known |= {name: row[name] for name in times if row[name] is not None}
    return b"\n".join(orjson.dumps(row) for row in plain)


def post(client: httpx.Client, rows: list[dict[str, Any]]) -> httpx.Response:
    return client.post("/v1/events", content=ndjson(rows), headers={"Content-Type": "application/x-ndjson"})


# --- the disk beneath the journal ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "full"), (errno.EROFS, "read")])
def test_a_disk_that_takes_nothing_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.05)
    with failing_disk() as disk:
        service = Service(plan(tmp_path), clock=lambda: NOW)
        context = Context(service, Screen(service.pipeline.judge.engine), is_open=True)
        with serving(create_app(context)) as client:
            seen = [row["call_id"] for row in ROWS if post(client, [row]).status_code == 200][:2]
            disk.errno, disk.where = code, "write"
            answer = post(client, [call(BEGIN, "+8613911111111", OTHER)])
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            health = client.get("/healthz")
            assert health.status_code == 200
            assert health.json()["state"] == "degraded"
            assert words in " ".join(health.json()["trouble"])
            assert client.get("/readyz").status_code == 503
            disk.errno = 0
            assert until(lambda: client.get("/readyz").status_code == 200), "without anybody sending anything"
            last = post(client, list(flood(OTHER, BEGIN + 3600 * SECOND)))
            assert last.status_code == 200
            assert service.settled(last.json()["seq"], 60)
            service.halt()
            service.pipeline.finish()
            assert floods(service) == [VICTIM, OTHER]
            assert len(seen) == 2


def test_a_real_file_system_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.05)
    with small_disk(tmp_path / "disk", "48m") as disk:
        ballast = disk / "ballast"
        with running(disk / "data", snapshot_s=0.2) as service:
            first = tell(service, ROWS[:6])
            fill(ballast)
            refused = 0
            for row in ROWS[6:]:
                try:
                    put(service, "calls", batch([row]))
                except journal_module.JournalError:
                    refused += 1
            assert until(lambda: service.health().state == "degraded") or not refused
            ballast.unlink()
            assert until(lambda: service.health().state == "ok"), service.health()
            last = tell(service, ROWS)
            assert last > first
            tell(service, [call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
            assert floods(service) == [VICTIM]
        with running(disk / "data") as service:
            assert raised(service) == [VICTIM]
            assert service.journal.damage.gaps == 0


# --- the store ----------------------------------------------------------------------------------------------------------


def test_alerts_wait_for_a_store_that_is_locked_and_come_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_S", 0.05)
    monkeypatch.setattr(service_module, "_RETRY_S", 0.05)
    with running(tmp_path) as service:
        holder = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        for row in ROWS:
            put(service, "calls", batch([row]))
        seq = put(service, "calls", batch([call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)]))
        assert until(lambda: service.health().state == "degraded")
        assert "another process" in " ".join(service.health().trouble)
        assert floods(service) == []
        holder.execute("ROLLBACK")
        holder.close()
        assert service.settled(seq, 60)
        assert service.health().state == "ok"
        assert floods(service) == raised(service) == [VICTIM]


def test_a_recovery_waits_for_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path) as service:
        pass
    service = Service(plan(tmp_path), clock=lambda: NOW)
    for row in [*ROWS, call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)]:
        put(service, "calls", batch([row]))
    full = True

    def apply(store: AlertStore, *args: Any) -> int:
        if full:
            raise StoreError("the database cannot grow: the disk is full; make room", "full")
        return real(store, *args)

    real = AlertStore.apply
    monkeypatch.setattr(AlertStore, "apply", apply)
    monkeypatch.setattr(service_module, "_RETRY_S", 0.05)
    recovery = threading.Thread(target=service.recover)
    recovery.start()
    assert until(lambda: "full" in " ".join(service.health().trouble))
    assert service.health().state == "recovering", "what cannot be written does not pile up"
    full = False
    recovery.join(60)
    service.start()
    assert until(lambda: service.health().state == "ok")
    assert floods(service) == raised(service) == [VICTIM]
    service.stop()


# --- the journal --------------------------------------------------------------------------------------------------------


def test_a_segment_that_is_damaged_is_told_and_the_rest_is_judged(tmp_path: Path) -> None:
    service = Service(plan(tmp_path, segment_bytes=10_000), clock=lambda: NOW)
    for row in [*flood(OTHER, BEGIN - 3600 * SECOND), *ROWS]:
        put(service, "calls", batch([row]))
    service.halt()
    service.store.close()
    service.records.close()
    path = segments(tmp_path / "journal")[0]
    sound = path.read_bytes()
    path.write_bytes(sound[:500] + bytes(300) + sound[800:])
    with running(tmp_path) as service:
        assert any("damaged" in note and path.name in note for note in service.health().notes)
        assert service.health().state == "ok"
        tell(service, [call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        assert floods(service) == [VICTIM, OTHER]


def test_a_journal_that_is_full_takes_in_again_what_comes_once_all_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "FULL_S", 0.05)
    with running(tmp_path, segment_bytes=20_000, journal_bytes=60_000, snapshot_s=3600) as service:
        for n in range(200):
            row = call(BEGIN + n * SECOND, None, f"+86137{n:08d}")
            assert until(partial(_is_taken, service, row)), f"refused for good after {n} records"
        assert service.journal.nbytes < 100_000


def _is_taken(service: Service, row: dict[str, Any]) -> bool:
    try:
        put(service, "calls", batch([row]))
    except journal_module.JournalError:
        return False
    return True


def test_segments_kept_for_their_age_make_room_for_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "FULL_S", 3600.0)
    with running(
        tmp_path, segment_bytes=20_000, journal_bytes=60_000, keep_journal_s=86_400, snapshot_s=0.05
    ) as service:
        for n in range(200):
            row = call(BEGIN + n * SECOND, None, f"+86137{n:08d}")
            assert until(partial(_is_taken, service, row))
        assert service.journal.nbytes < 100_000


def test_a_record_that_the_program_cannot_read_is_put_aside(tmp_path: Path) -> None:
    for _ in range(2):
        with running(tmp_path) as service:
            service.put({"source": "told", "kind": EVENTS, "table": "calls"}, b"no arrow at all")
            tell(service, ROWS[:1])
            assert service.health().state == "ok"
    assert service.pipeline.tallies["told"].as_dict(NOW)["rejected"] == 2


# --- snapshots ----------------------------------------------------------------------------------------------------------


def snapshots(folder: Path) -> list[Path]:
    return sorted((folder / "snapshots").glob("*"))


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def test_no_snapshot_is_taken_of_rows_that_are_not_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, go_on, asked = threading.Event(), threading.Event(), list[int]()
    full.set()
    with running(tmp_path, snapshot_s=0.05) as service:
        flush = service.records.flush

        def slow(seq: int) -> None:
            asked.append(seq)
            if full.is_set():
                raise StoreFullError("the disk is full")
            go_on.wait(20)
            flush(seq)

        monkeypatch.setattr(service.records, "flush", slow)
        last = tell(service, ROWS[:3])
        assert until(lambda: "the disk is full" in " ".join(service.health().trouble))
        assert service.health().state == "degraded"
        assert snapshots(tmp_path) == []
        full.clear()
        tried = len(asked)
        assert until(lambda: len(asked) > tried), "it is tried again"
        assert snapshots(tmp_path) == [], "not before the rows are there"
        go_on.set()
        assert until(lambda: service.snapshots.last == last)
        assert until(lambda: service.health().state == "ok")


def test_the_older_snapshot_serves_where_the_newest_is_damaged(tmp_path: Path) -> None:
    parts = [ROWS[:3], ROWS[3:5], ROWS[5:7], ROWS[7:]]
    for part in parts[:3]:
        with running(tmp_path, segment_bytes=1) as service:
            tell(service, part)
    older, newest = snapshots(tmp_path)
    damage(newest)
    with running(tmp_path, segment_bytes=1) as service:
        assert service.health().notes == [f"{newest.name} is damaged"]
        assert service.pipeline.judged == 7
        tell(service, parts[3])
    kept = snapshots(tmp_path)
    assert older in kept
    assert newest not in kept, "of two that are kept, both can be used"
    damage(kept[-1])
    with running(tmp_path) as service:
        assert service.pipeline.judged == 12
        tell(service, [call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        assert floods(service) == raised(service) == [VICTIM]


def test_where_the_only_snapshot_is_damaged_the_whole_journal_is_there(tmp_path: Path) -> None:
    with running(tmp_path, segment_bytes=1) as service:
        tell(service, ROWS[:7])
    (only,) = snapshots(tmp_path)
    damage(only)
    with running(tmp_path) as service:
        assert service.pipeline.judged == 7
        tell(service, [*ROWS[7:], call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        assert floods(service) == raised(service) == [VICTIM]


def test_where_all_snapshots_are_damaged_memory_is_made_anew(tmp_path: Path) -> None:
    for part in (ROWS[:3], ROWS[3:5], ROWS[5:7]):
        with running(tmp_path, segment_bytes=1) as service:
            tell(service, part)
    for path in snapshots(tmp_path):
        damage(path)
    with running(tmp_path) as service:
        *damaged, anew = service.health().notes
        assert len(damaged) == 2
        assert "made anew from" in anew
        tell(service, [*flood(OTHER, BEGIN + 3600 * SECOND), call(BEGIN + 7200 * SECOND, None, OTHER)])
        assert OTHER in floods(service)
        assert service.health().state == "ok"


@pytest.mark.parametrize("spoilt", ["settings", "pipeline", "arrays"])
def test_a_snapshot_of_other_settings_or_another_version(
    tmp_path: Path, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as service:
        if spoilt == "pipeline":
            monkeypatch.setattr(type(service.pipeline), "snapshot", _older(type(service.pipeline).snapshot))
        if spoilt == "arrays":
            monkeypatch.setattr(type(service.pipeline), "snapshot", _smaller(type(service.pipeline).snapshot))
        tell(service, ROWS[:7])
    monkeypatch.undo()
    charge = Charge(country="DE" if spoilt == "settings" else "CN")
    with running(tmp_path, charge=charge) as service:
        (note,) = service.health().notes
        assert "version" in note
        assert service.pipeline.judged == 7, "from the journal, which is all there"
        tell(service, [*ROWS[7:], call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        assert floods(service) == [VICTIM]
        assert service.health().state == "ok"


def _older(snapshot: Callable[..., Any]) -> Callable[..., Any]:
    def older(pipeline: Any) -> Any:
        arrays, state = snapshot(pipeline)
        return arrays, state | {"tallies": [1], "waiting_texts": {"a": 1}, "keys": 7}

    return older


def _smaller(snapshot: Callable[..., Any]) -> Callable[..., Any]:
    def smaller(pipeline: Any) -> Any:
        arrays, state = snapshot(pipeline)
        return {name: array.reshape(-1)[:1] for name, array in arrays.items()}, state

    return smaller


def test_killed_while_a_snapshot_is_written(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        tell(service, ROWS[:5])
    pid = os.fork()
    if pid == 0:
        try:
            Path.replace = _replace_or_die  # type: ignore[method-assign, assignment]
            with running(tmp_path) as service:
                tell(service, ROWS[5:8])
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    assert any(path.name.endswith(".new") for path in snapshots(tmp_path))
    with running(tmp_path) as service:
        assert service.health().notes == []
        assert service.pipeline.judged == 8
        assert not any(path.name.endswith(".new") for path in snapshots(tmp_path)), "nobody else removes it"
        tell(service, [*ROWS[8:], call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        assert floods(service) == raised(service) == [VICTIM]


REPLACE = Path.replace


def _replace_or_die(path: Path, goal: Path) -> Path:
    if path.name.endswith(".snapshot.new"):
        os.kill(os.getpid(), signal.SIGKILL)
    return REPLACE(path, goal)


def test_stopped_while_it_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(plan(tmp_path), clock=lambda: NOW)
    for row in ROWS:
        put(service, "calls", batch([row]))
    monkeypatch.setattr(service_module, "AT_ONCE", 1)
    reached, go_on = threading.Event(), threading.Event()
    take = service.pipeline.take

    def held(records: Any) -> None:
        if service.pipeline.seq == 4:
            reached.set()
            assert go_on.wait(20)
        take(records)

    monkeypatch.setattr(service.pipeline, "take", held)
    recovery, stop = threading.Thread(target=service.recover), threading.Thread(target=service.stop)
    recovery.start()
    assert reached.wait(20)
    stop.start()
    assert not until(lambda: not stop.is_alive(), 0.3), "it waits for what is being judged"
    go_on.set()
    recovery.join()
    stop.join()
    assert service.pipeline.seq == 5
    with running(tmp_path) as service:
        assert service.pipeline.judged == 12
        tell(service, [call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        assert floods(service) == raised(service) == [VICTIM]


# --- clocks and configuration -------------------------------------------------------------------------------------------


def test_a_clock_that_is_stepped(tmp_path: Path) -> None:
    ours = BEGIN
    with running(tmp_path, clock=lambda: ours) as service:
        newest = 0
        for n, step in enumerate([0, 0, -3600, 0, 86_400, 0, -86_400 - 3600, 7200]):
            ours += (10 + step) * SECOND
            row = call(min(ours, BEGIN + n * 10 * SECOND + 86_400 * SECOND), None, f"+86137{n:08d}")
            tell(service, [row])
            assert service.pipeline.order.newest >= newest
            newest = service.pipeline.order.newest
        assert service.health().state == "ok"
        ahead = call(ours + 3600 * SECOND, None, VICTIM)
        tell(service, [ahead, call(ours, None, OTHER)])
        tally = service.pipeline.tallies["told"]
        assert tally.ahead == 1
        assert service.pipeline.aside[-1].reason == "its time is ahead of this machine's clock"
        assert service.pipeline.order.newest <= ours + 60 * SECOND + 86_400 * SECOND


def test_a_source_that_is_no_longer_configured(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        tell(service, ROWS[:5])
    for source, kind in (("gone", EVENTS), ("gone too", LINES)):
        service = Service(Plan(tmp_path, makers={source: Events}), clock=lambda: NOW)
        service.put({"source": source, "kind": kind, "table": "calls", "position": 7}, _payload(ROWS[5:8]))
        service.halt()
        service.store.close()
        service.records.close()
    with running(tmp_path) as service:
        assert service.health().state == "ok"
        tell(service, [call(BEGIN + 3600 * SECOND, "+8613911111111", OTHER)])
        tallies = service.pipeline.tallies
        assert tallies["gone"].calls == 3, "rows in the contract's names need no configuration"
        assert sum(tallies["gone too"].rejected.values()) == 1
        assert service.positions() == {"gone": 7, "gone too": 7}


def _payload(rows: list[dict[str, Any]]) -> bytes:
    from ringfence.shell.service.decoders import to_payload

    return to_payload(batch(rows))
