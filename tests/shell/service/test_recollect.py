"""Where no snapshot can be used, memory is made anew from the record store, and goes on as if nothing had been."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text
from tests.shell.service import made
from tests.shell.service.floods import BEGIN, SECOND, VICTIM, batch, call, flood, told_live
from tests.shell.service.made import NOW, finish, plan, put, records_of, scanned, small_city, stored

from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.shell.judge import Charge
from ringfence.shell.records import RecordsError
from ringfence.shell.records.kinds import ERASED
from ringfence.shell.service import snapshots
from ringfence.shell.service.decoders import EVENTS, to_payload
from ringfence.shell.service.recollect import AT_ONCE, pieces, told_again
from ringfence.shell.service.service import Service

DAY = 86_400 * SECOND
HOUR = 3600 * SECOND
ROWS = told_live(list(flood(count=24)))
OTHER = "+8613900000001"
EMPTY = pa.RecordBatch.from_pylist([], TEXTS)


running = partial(made.running, segment_bytes=1)
"""A service of which the journal lets go as soon as it may."""


def tell(service: Service, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        seq = put(service, "calls", batch([row]))
    assert service.settled(seq, 60)


def events(service: Service) -> list[str]:
    with service.store.database.reading() as connection:
        return list(connection.scalars(text("select type from events order by id")))


def another_version(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(snapshots, "digest_of", lambda _: name)


def break_records(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> pa.Table:
        raise RecordsError("a file of 2026-03-05 cannot be read")

    monkeypatch.setattr("ringfence.shell.records.store.RecordStore.between", broken)


def begun_without_a_snapshot(folder: Path, **more: Any) -> None:
    """A service that has been stopped three times in the middle of a flood, so that its journal no longer reaches back to the beginning."""
    for one, other in pairwise((0, 30, 60, 61)):
        with running(folder, **more) as service:
            assert (service.journal.first > 1) == (one == 60)
            tell(service, ROWS[one:other])


def test_an_update_amid_a_week(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = small_city()
    expected = scanned(town, tmp_path_factory.mktemp("scan") / "s")
    parts = list(records_of(town, HOUR))
    half = len(parts) // 2
    cuts = [0, half - 6, half - 3, half, len(parts)]
    for version, (one, other) in enumerate(pairwise(cuts)):
        if version > 2:
            another_version(monkeypatch, f"version {version}")
        with running(tmp_path) as service:
            assert any("anew" in note for note in service.health().notes) == (version > 2)
            for table, rows in parts[one:other]:
                seq = put(service, table, rows)
            assert service.settled(seq, 120)
            if other == len(parts):
                finish(service, seq)
                found = stored(service)
    assert found.keys() == expected.keys()
    assert found == expected


def test_an_attack_that_goes_on_is_told_where_it_was_not_known(tmp_path: Path) -> None:
    begun_without_a_snapshot(tmp_path, charge=Charge(detect=("forged_caller",)))
    with running(tmp_path) as service:
        assert [alert["subject"] for alert in stored(service).values()] == [VICTIM]
        assert events(service) == ["alert.raised"]
    with running(tmp_path) as service:
        assert service.health().notes == [], "from a snapshot again"
        assert events(service) == ["alert.raised"]
        tell(service, [call(BEGIN + DAY, OTHER, VICTIM), call(BEGIN + DAY + HOUR, OTHER, VICTIM)])
        assert events(service) == ["alert.raised", "alert.closed"]


def test_an_alert_that_is_none_by_the_new_settings_is_over(tmp_path: Path) -> None:
    begun_without_a_snapshot(tmp_path)
    with running(tmp_path, charge=Charge(detect=("forged_caller",))) as service:
        (alert,) = stored(service).values()
        assert alert["closed_at"] == alert["episodes"][-1]["closed_at"] is not None
        assert events(service) == ["alert.raised", "alert.closed"]
        assert service.health().state == "ok"


def test_nothing_that_was_told_is_lost_or_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun_without_a_snapshot(tmp_path)
    another_version(monkeypatch, "newer")
    with running(tmp_path) as service:
        calls = {row["call_id"] for row in ROWS[:61]}
        kept = service.records.calls_of(VICTIM, None, None)
        assert set(kept["call_id"].to_pylist()) == calls
        assert service.pipeline.judged == len(calls) - 1, "the last one may yet be told of"
        assert events(service) == ["alert.raised"]
        tell(service, ROWS[61:])
        assert len(stored(service)) == 1


def test_places_of_sources_and_keys_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for row in ROWS[:3]:
        with running(tmp_path) as service:
            note = {"source": "told", "kind": EVENTS, "table": "calls", "position": {"offset": 7}}
            keyed = {**note, "key": row["call_id"], "answer": {"accepted": 1}}
            assert service.settled(service.put(keyed, to_payload(batch([row]))), 60)
    another_version(monkeypatch, "newer")
    with running(tmp_path) as service:
        assert service.positions() == {"told": {"offset": 7}}
        assert set(service.pipeline.keys) == {row["call_id"] for row in ROWS[:3]}


def test_with_nothing_left_of_journal_and_snapshots(tmp_path: Path) -> None:
    begun_without_a_snapshot(tmp_path)
    for folder in ("journal", "snapshots"):
        for path in (tmp_path / folder).iterdir():
            path.unlink()
    with running(tmp_path) as service:
        tell(service, ROWS[61:])
        assert events(service) == ["alert.raised"]
    with running(tmp_path) as service:
        assert len(service.records.calls_of(VICTIM, None, None)) == len({row["call_id"] for row in ROWS})


def test_numbers_go_on_behind_a_refused_snapshot_though_the_journal_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in ROWS[:3]:  # no alert, and nothing flushed behind it: only the snapshot knows how far it was
        with running(tmp_path) as service:
            seq = put(service, "texts", EMPTY) if row is ROWS[2] else put(service, "calls", batch([row]))
            assert service.settled(seq, 60)
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    another_version(monkeypatch, "newer")
    with running(tmp_path) as service:
        assert put(service, "calls", batch([ROWS[3]])) > seq
        assert service.settled(service.journal.last, 60)
        assert len(service.records.calls_of(VICTIM, None, None)) == len(
            {row["call_id"] for row in (*ROWS[:2], ROWS[3])}
        )


def test_a_record_store_that_cannot_be_read_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_without_a_snapshot(tmp_path)
    another_version(monkeypatch, "newer")
    break_records(monkeypatch)
    with running(tmp_path) as service:
        assert service.health().state == "ok"
        assert "could not be made anew" in service.health().notes[-1]


def test_the_newest_calls_are_taken_in_pieces() -> None:
    days = [(0, 10), (DAY, 2 * AT_ONCE), (2 * DAY, 100)]
    assert pieces(days, 0) == []
    assert pieces(days, 100) == [(2 * DAY, 1 << 60)]
    middle = DAY + DAY // 2
    assert pieces(days, 101) == [(middle, 2 * DAY), (2 * DAY, 1 << 60)]
    assert pieces(days, 10**9) == [(0, DAY), (DAY, middle), (middle, 2 * DAY), (2 * DAY, 1 << 60)]


def test_stopped_while_memory_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known in part is neither kept as a snapshot nor held against what the store says."""
    begun_without_a_snapshot(tmp_path)
    kept = sorted((tmp_path / "snapshots").iterdir())
    another_version(monkeypatch, "newer")
    service = Service(plan(tmp_path, segment_bytes=1), clock=lambda: NOW)
    recall = service.pipeline.recall

    def stopped(parts: Any) -> None:
        recall(parts)
        service._stop.set()

    monkeypatch.setattr(service.pipeline, "recall", stopped)
    service.recover()
    service.stop()
    assert sorted((tmp_path / "snapshots").iterdir()) == kept
    with running(tmp_path) as service:
        assert "anew from 20 calls" in service.health().notes[-1]
        assert events(service) == ["alert.raised"]
        (alert,) = stored(service).values()
        assert alert["closed_at"] is None


def test_alerts_stay_open_where_memory_could_not_be_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_without_a_snapshot(tmp_path)
    another_version(monkeypatch, "newer")
    break_records(monkeypatch)
    with running(tmp_path) as service:
        (alert,) = stored(service).values()
        assert alert["closed_at"] is None
        assert events(service) == ["alert.raised"]


def test_the_journal_is_taken_from_where_the_refused_snapshot_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal reaches further back, by a day where `keep_h` says so: what the stores have of it is not judged twice."""
    begun_without_a_snapshot(tmp_path)
    another_version(monkeypatch, "newer")
    with running(tmp_path) as service:
        assert service.journal.first == 61 == service.pipeline.seq
        assert service.pipeline.tallies.keys() == {"records"}
        assert service.pipeline.judged + len(service.pipeline.order) == 21


def test_whoever_was_erased_is_nobody(tmp_path: Path) -> None:
    class Records:
        def days(self, table: str = "calls") -> list[tuple[int, int]]:
            return [(BEGIN // DAY * DAY, 2)]

        def between(self, table: str, begin: int, end: int) -> pa.Table:
            rows = {
                "calls": [call(BEGIN, ERASED, VICTIM), call(BEGIN, None, VICTIM), call(BEGIN, OTHER, ERASED)]
            }
            schema = {"calls": CALLS, "texts": TEXTS, "transfers": TRANSFERS}[table]
            return pa.Table.from_pylist(rows.get(table, []), schema)

    (((table, rows),),) = told_again(Records(), 10)
    assert (table, rows["caller"].to_pylist()) == ("calls", [None])
