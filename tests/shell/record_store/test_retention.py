"""What is too old goes, what a case holds stays, and who asks to be forgotten is."""

import json
import threading
import zipfile
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.shell.record_store.made import (
    CHEN,
    DAY,
    NOON,
    NUMBERS,
    ODD,
    SHOP,
    WANG,
    Opener,
    Plain,
    Row,
    asked,
    call,
    check,
    everything,
    table,
    three,
)

from ringfence.shell.records import RecordStore
from ringfence.shell.records.kinds import ERASED


def fill(store: RecordStore, plain: Plain | None = None, *, days: int = 3, compact: bool = True) -> None:
    """Calls, texts and transfers of all numbers on some days: the first compacted, the others in parts and in memory."""
    for day in range(days):
        at = NOON + day * DAY
        rows: dict[str, list[Row]] = {
            "calls": [
                *three(CHEN, WANG, at, f"{day}-a"),
                *three(SHOP, CHEN, at + timedelta(hours=1), f"{day}-b{CHEN.lstrip('+')}@switch"),
                *three(None, CHEN, at + timedelta(hours=2), f"{day}-c"),
                *three(SHOP, WANG, at + timedelta(hours=3), f"{day}-d"),
                *three(CHEN, CHEN, at + timedelta(hours=4), f"{day}-e"),
                *three(ODD, SHOP, at + timedelta(hours=5), f"{day}-f"),
            ],
            "texts": [
                {"time": at, "sender": SHOP, "recipient": CHEN, "body": f"pay, {CHEN}"},
                {"time": at, "sender": CHEN, "recipient": WANG, "body": "hello"},
                {"time": at, "sender": None, "recipient": CHEN, "body": "code 4711"},
            ],
            "transfers": [
                {"time": at, "subscriber": CHEN, "from_account": "A", "to_account": "B", "amount": 500.0},
                {"time": at, "subscriber": WANG, "from_account": "C", "to_account": "B", "amount": 5.0},
            ],
        }
        for name, found in rows.items():
            store.append(name, table(name, found), day)
            if plain is not None:
                plain.append(name, found)
        if day < days - 1:
            store.flush(day)
        if compact and day == 0:
            assert store.tidy(NOON) == 3


def test_nothing_of_an_expired_day_can_be_read_anywhere(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for day, name in enumerate(("+8613800009900", "+8613800009901", "+8613800009902", "+8613800009903")):
        store.append("calls", table("calls", three(name, WANG, NOON + day * DAY, f"id-{name}")), day)
        if day < 3:
            store.flush(day)
        if day == 0:
            store.compact("2026-03-05")
    last_moment = NOON.replace(hour=0) + 31 * DAY
    assert store.expire(last_moment - timedelta(microseconds=1)) == {"calls": 0, "texts": 0, "transfers": 0}
    assert store.expire(last_moment)["calls"] == 1
    assert store.expire(last_moment + DAY)["calls"] == 3  # not compacted: three rows
    assert len(asked(store, "calls", WANG)) == 2
    store.expire(NOON + 60 * DAY)  # in memory, too
    store.flush(9)
    assert "1380000990" not in everything(tmp_path)
    assert asked(store, "calls", WANG) == []
    assert store.stats().tables["calls"].days == 0


def test_a_table_has_its_own_limit(open_store: Opener, tmp_path: Path) -> None:
    store, plain = open_store(tmp_path), Plain()
    fill(store, plain)
    store.flush(3)
    store.expire(NOON + 40 * DAY, keep={"calls": 90, "texts": None, "transfers": 39})
    assert len(asked(store, "calls", CHEN)) == len(plain.of("calls", CHEN))
    assert len(asked(store, "texts", CHEN)) == len(plain.of("texts", CHEN))
    assert [row["time"] for row in asked(store, "transfers", WANG)] == [NOON + 2 * DAY, NOON + DAY]


def test_what_a_case_holds_stays_as_long_as_the_case(open_store: Opener, tmp_path: Path) -> None:
    store, plain = (
        open_store(tmp_path),
        Plain(held=[(CHEN, NOON, NOON + timedelta(hours=2)), (WANG, NOON + DAY, None)]),
    )
    fill(store, plain)
    for now in (NOON + 32 * DAY, NOON + 90 * DAY):
        store.expire(now, lambda: plain.held)
        plain.expire(now, 30)
        check(store, plain)
        store.tidy(now)
        check(store, plain)
    assert len(asked(store, "calls", CHEN)) == 4
    store.flush(3)
    assert "2026-03-05" in everything(tmp_path)
    store.expire(NOON + 90 * DAY, [plain.held[1]])
    assert "2026-03-05" not in everything(tmp_path).replace("2026-03-05.", "")
    plain.held = []
    store.expire(NOON + 90 * DAY)
    assert not any(number in everything(tmp_path) for number in NUMBERS)


def test_an_export_holds_all_of_a_person(open_store: Opener, tmp_path: Path) -> None:
    store, plain = open_store(tmp_path / "records"), Plain()
    fill(store, plain)
    path = tmp_path / "chen.zip"
    counts = store.export(CHEN, path)
    assert counts == {name: len(plain.of(name, CHEN)) for name in counts}
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("about.json")) == {"number": CHEN, "records": counts}
        for name, count in counts.items():
            lines = [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]
            with archive.open(f"{name}.parquet") as file:
                assert len(lines) == count == pq.read_table(file).num_rows
    assert lines[0]["time"] == "2026-03-07T12:00:00Z"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["chen.zip"]


@pytest.mark.parametrize("number", [CHEN, ODD, SHOP])
def test_who_is_erased_is_nowhere_and_the_others_keep_their_calls(
    open_store: Opener, tmp_path: Path, number: str
) -> None:
    store, plain = open_store(tmp_path), Plain()
    fill(store, plain)
    before = {name: len(plain.of(name, number)) for name in ("calls", "texts", "transfers")}
    erased = store.erase(number, NOON + 9 * DAY)
    plain.erase(number, NOON + 9 * DAY)
    assert erased.records == before
    assert not any(erased.held.values())
    check(store, plain)
    store.flush(3)
    text = everything(tmp_path)
    bodies = [row["body"] for row in asked(store, "texts", WANG)]
    assert number.lstrip("+") not in text
    assert ERASED in text
    assert f"phone of {number}" not in text
    assert bodies == ([None] * 3 if number == CHEN else ["hello"] * 3)
    store.tidy(NOON + 9 * DAY)
    check(store, plain)
    again = store.erase(number, NOON + 9 * DAY)
    assert not any(again.records.values())


def test_two_who_are_both_erased_leave_nothing(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.append("calls", table("calls", three(CHEN, WANG, NOON, "secret id")), 1)
    store.append(
        "texts", table("texts", [{"time": NOON, "sender": CHEN, "recipient": WANG, "body": "secret"}]), 1
    )
    store.flush(1)
    store.tidy(NOON)
    store.erase(CHEN, NOON + DAY)
    assert len(asked(store, "calls", WANG)) == 1
    store.erase(WANG, NOON + DAY)
    assert "secret" not in everything(tmp_path)
    assert store.stats().tables["calls"].files == 0


def test_what_comes_late_or_again_is_erased_as_it_comes(open_store: Opener, tmp_path: Path) -> None:
    store, plain = open_store(tmp_path), Plain()
    up = three(CHEN, WANG, NOON, "up while it was erased")
    store.append("calls", table("calls", up[:1]), 1)
    store.erase(CHEN, NOON + timedelta(minutes=1))
    store.append("calls", table("calls", up[1:]), 2)
    plain.append("calls", up)
    plain.erase(CHEN, NOON + timedelta(minutes=1))
    check(store, plain)
    assert len(asked(store, "calls", WANG)) == 1
    store.close()
    store = open_store(tmp_path)
    store.recover(0)
    store.append("calls", table("calls", up), 2)
    new = three(CHEN, WANG, NOON + timedelta(hours=1), "c2")  # new calls are new records
    store.append("calls", table("calls", new), 3)
    plain.append("calls", new)
    check(store, plain)
    assert CHEN not in (tmp_path / "manifest.json").read_text("utf-8")
    store.expire(NOON + 90 * DAY)
    assert '"erasures":[]' in (tmp_path / "manifest.json").read_text("utf-8")


def test_a_case_keeps_its_records_from_erasure_until_it_lets_them_go(
    open_store: Opener, tmp_path: Path
) -> None:
    store, plain = open_store(tmp_path), Plain(held=[(WANG, NOON, NOON + timedelta(hours=2))])
    fill(store, plain)
    erased = store.erase(CHEN, NOON + 9 * DAY, plain.held)
    plain.erase(CHEN, NOON + 9 * DAY)
    assert erased.held == {"calls": 1, "texts": 1, "transfers": 0}
    check(store, plain)
    assert [row["call_id"] for row in asked(store, "calls", CHEN)] == ["0-a"]
    assert store.stats().unfinished == 1
    store.flush(3)
    store.close()
    store = open_store(tmp_path)
    store.expire(NOON + 5 * DAY, plain.held)
    check(store, plain)
    store.expire(NOON + 5 * DAY)
    assert store.stats().unfinished == 0
    assert CHEN not in everything(tmp_path)
    assert len(asked(store, "calls", WANG)) == len(plain.of("calls", WANG))


def test_an_erasure_waits_until_nobody_reads_the_old_files(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.append("calls", table("calls", [call(CHEN, WANG, NOON)]), 1)
    store.flush(1)
    disk, done = store._contents.disk, threading.Event()

    def erase() -> None:
        store.erase(CHEN, NOON + DAY)
        done.set()

    with disk.reading() as (manifest, _):
        thread = threading.Thread(target=erase)
        thread.start()
        assert not done.wait(0.3)
        assert all(file.path(tmp_path).exists() for file in manifest.files)
    thread.join()
    assert not any(file.path(tmp_path).exists() for file in manifest.files)
