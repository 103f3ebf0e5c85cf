"""The record store: rows in, a number's records out, whatever happened in between."""

import errno
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.shell.record_store.made import (
    CHEN,
    DAY,
    NOON,
    ODD,
    SHOP,
    WANG,
    Opener,
    Plain,
    asked,
    call,
    check,
    same,
    table,
    three,
)

from ringfence.model.tables import CALLS
from ringfence.shell.records import RecordStore, StoreBusyError, StoreDamagedError, StoreFullError
from ringfence.shell.records.errors import RecordsError


def test_three_rows_of_a_call_are_one_in_memory_in_parts_and_compacted(store: RecordStore) -> None:
    rows = three(CHEN, WANG, NOON, "c1")
    whole = rows[0] | rows[2] | {"ingress": None, "trunk": None, "attestation": None}
    for seq, row in enumerate(rows):
        store.append("calls", table("calls", [row]), seq)
        if seq == 1:
            store.flush(seq)
    assert same(asked(store, "calls", WANG), [whole | {"side": "callee"}])
    store.flush(2)
    assert same(asked(store, "calls", WANG), [whole | {"side": "callee"}])
    assert store.compact("2026-03-05")
    assert same(asked(store, "calls", WANG), [whole | {"side": "callee"}])
    assert same(asked(store, "calls", CHEN), [whole | {"side": "caller"}])
    assert store.stats().tables["calls"].records == 1
    assert store.calls_of(CHEN, None, None).schema.names == [*CALLS.names, "side"]


def test_rows_after_midnight_belong_to_the_day_of_the_set_up(store: RecordStore, tmp_path: Path) -> None:
    late = NOON.replace(hour=23, minute=59, second=58)
    rows = three(CHEN, WANG, late, "c1")
    for seq, row in enumerate([*rows[:1], call(SHOP, WANG, late + timedelta(seconds=2)), *rows[1:]]):
        store.append("calls", table("calls", [row]), seq)
        store.flush(seq)
    assert sorted(path.name for path in (tmp_path / "records" / "calls").iterdir()) == [
        "2026-03-05",
        "2026-03-06",
    ]
    midnight = late + timedelta(seconds=2)
    for _ in range(2):
        assert [row["call_id"] for row in asked(store, "calls", WANG, midnight)] == [None]
        assert [row["call_id"] for row in asked(store, "calls", WANG, None, midnight)] == ["c1"]
        assert len(asked(store, "calls", WANG)) == 2
        store.tidy(NOON + 9 * DAY)


def test_what_stands_in_a_question_is_never_part_of_it(store: RecordStore) -> None:
    store.append(
        "calls", table("calls", [call(ODD, WANG, NOON, "x' OR 1=1 --"), call(CHEN, WANG, NOON, "c2")]), 1
    )
    for step in (lambda: None, lambda: store.flush(1), lambda: store.compact("2026-03-05")):
        step()
        assert len(asked(store, "calls", ODD)) == 1
        assert asked(store, "calls", "' OR '1'='1") == []
        assert store.call("x' OR 1=1 --", NOON).num_rows == 1
        assert store.call("x' OR 1=1 --", NOON, WANG).num_rows == 1
        assert store.call("' OR 1=1 --", NOON).num_rows == 0


def test_a_limit_gives_the_newest(store: RecordStore) -> None:
    for day in range(20):
        store.append("calls", table("calls", [call(CHEN, WANG, NOON - day * DAY, f"c{day}")]), day)
        store.flush(day)
    store.tidy(NOON)
    store.append("calls", table("calls", [call(CHEN, WANG, NOON + DAY, "new")]), 21)
    for limit in (1, 2, 7, 8, 9, 15, 21, 99):
        found = [row["call_id"] for row in asked(store, "calls", WANG, None, None, limit)]
        assert found == ["new", *(f"c{day}" for day in range(20))][:limit]
    found = [row["call_id"] for row in asked(store, "calls", WANG, NOON - 12 * DAY, NOON, 11)]
    assert found == [f"c{day}" for day in range(1, 12)]


def test_a_call_of_a_number_with_itself_comes_once(store: RecordStore) -> None:
    store.append("calls", table("calls", three(CHEN, CHEN, NOON, "c1")), 1)
    for step in (lambda: None, lambda: store.flush(1), lambda: store.compact("2026-03-05")):
        step()
        assert len(asked(store, "calls", CHEN)) == 1
        assert store.call("c1", NOON).num_rows == 1


def test_a_text_handed_over_later_completes_the_record(store: RecordStore) -> None:
    text = {"time": NOON, "sender": SHOP, "recipient": WANG}
    store.append("texts", table("texts", [text, text]), 1)
    store.flush(1)
    store.append("texts", table("texts", [text | {"body": "转账"}, text | {"body": "second part"}]), 2)
    store.append(
        "transfers", table("transfers", [{"time": NOON, "subscriber": WANG, "amount": 500.0}] * 2), 3
    )
    for step in (lambda: None, lambda: store.flush(3), lambda: store.tidy(NOON)):
        step()
        assert sorted(row["body"] for row in asked(store, "texts", WANG)) == ["second part", "转账"]
        assert [row["side"] for row in asked(store, "texts", SHOP)] == ["sender", "sender"]
        assert [row["amount"] for row in asked(store, "transfers", WANG)] == [500.0]


def test_rows_of_another_shape(store: RecordStore) -> None:
    store.append("calls", pa.RecordBatch.from_pylist([{"start_time": NOON, "callee": WANG}]), 1)
    assert asked(store, "calls", WANG)[0]["caller"] is None
    with pytest.raises(ValueError, match="column callee must be there"):
        store.append("calls", pa.table({"start_time": pa.array([NOON], CALLS.field("start_time").type)}), 2)
    with pytest.raises(ValueError, match="calls: column cause"):
        store.append("calls", pa.table({"start_time": [NOON], "callee": [WANG], "cause": ["x"]}), 2)
    store.append("calls", CALLS.empty_table(), 3)
    store.flush(3)
    with pytest.raises(ValueError, match="no time zone"):
        store.calls_of(WANG, NOON.replace(tzinfo=None), None)


def test_memory_is_bounded_between_flushes(open_store: Opener, tmp_path: Path) -> None:
    store, plain = open_store(tmp_path, spill_rows=10), Plain()
    for seq in range(1, 25):
        rows = three(CHEN, WANG, NOON + timedelta(hours=seq), f"c{seq}")
        plain.append("calls", rows)
        store.append("calls", table("calls", rows), seq)
        assert store.stats().waiting <= 20 + len(rows)
        if seq == 12:
            store.flush(seq)
    check(store, plain)
    store.close()
    store = open_store(tmp_path, spill_rows=10)
    assert store.recover(12) > 0
    assert len(asked(store, "calls", WANG)) == 12
    for seq in range(13, 25):
        store.append("calls", table("calls", three(CHEN, WANG, NOON + timedelta(hours=seq), f"c{seq}")), seq)
    check(store, plain)


def test_what_was_compacted_before_a_crash_folds_with_what_comes_again(
    open_store: Opener, tmp_path: Path
) -> None:
    store, plain = open_store(tmp_path), Plain()
    rows = [three(CHEN, WANG, NOON + timedelta(minutes=seq), f"c{seq}") for seq in range(6)]
    for seq in range(6):
        plain.append("calls", rows[seq])
        store.append("calls", table("calls", rows[seq]), seq)
        store.flush(seq)
    store.compact("2026-03-05")
    store.close()
    store = open_store(tmp_path)
    store.recover(2)
    for seq in range(3, 6):
        store.append("calls", table("calls", rows[seq]), seq)
    check(store, plain)


def press(store: RecordStore, plain: Plain) -> None:
    """Bring rows until no more are taken."""
    for number in range(2, 9):
        rows = three(CHEN, SHOP, NOON, f"c{number}")
        store.append("calls", table("calls", rows), 2)
        plain.append("calls", rows)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("where", [(pq, "write_table"), (os, "fsync"), (Path, "replace")])
def test_a_full_disk_loses_nothing(
    open_store: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: tuple[Any, str], code: int
) -> None:
    store, plain = open_store(tmp_path, spill_rows=4), Plain()
    rows = three(CHEN, WANG, NOON, "c1")
    plain.append("calls", rows)
    store.append("calls", table("calls", rows), 1)
    before = sorted(tmp_path.rglob("*.*"))

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(*where, fail)
        for _ in range(2):
            with pytest.raises(StoreFullError, match=r"nothing is lost$"):
                store.flush(1)
        with pytest.raises(StoreFullError):  # no room in memory either: the last rows are not taken
            press(store, plain)
        check(store, plain)
    assert not [path for path in tmp_path.rglob("*.parquet") if path not in before]
    store.flush(1)
    check(store, plain)
    with monkeypatch.context() as patch:
        patch.setattr(*where, fail)
        with pytest.raises(StoreFullError):
            store.compact("2026-03-05")
        with pytest.raises(StoreFullError):
            store.erase(WANG, NOON + DAY)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    store.compact("2026-03-05")
    check(store, plain)


def test_questions_while_rows_come_and_are_compacted(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    written, wrong, done = [0], list[str](), threading.Event()

    def ask() -> None:
        seen = 0
        while not done.is_set():
            least = written[0]
            found = len(asked(store, "calls", WANG))
            if found < max(least, seen):
                wrong.append(f"{found} of {least}, and {seen} before")
            seen = found

    def work() -> None:
        while not done.is_set():
            store.tidy(NOON + 40 * DAY)

    threads = [threading.Thread(target=ask), threading.Thread(target=ask), threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    for seq in range(1, 61):
        store.append("calls", table("calls", three(CHEN, WANG, NOON + timedelta(hours=seq), f"c{seq}")), seq)
        written[0] = seq
        store.flush(seq)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(asked(store, "calls", WANG)) == 60
    store.close()
    left = list(tmp_path.rglob("*.parquet"))
    assert len(left) == sum(t.files for t in open_store(tmp_path).stats().tables.values())


def test_runs_stay_few_and_are_cut_by_number(
    open_store: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.shell.records.files.RUN_ROWS", 8)
    monkeypatch.setattr("ringfence.shell.records.files.cut.__defaults__", (8,))
    monkeypatch.setattr("ringfence.shell.records.rewriting.SLICE_ROWS", 20)  # folded in slices of the day
    store, plain = open_store(tmp_path), Plain()
    for seq in range(40):
        rows = three(
            [CHEN, None, SHOP][seq % 3], [WANG, ODD][seq % 2], NOON + timedelta(minutes=9 * seq), f"c{seq}"
        )
        plain.append("calls", rows)
        store.append("calls", table("calls", rows), seq)
        store.flush(seq)
        store.tidy(NOON)
    check(store, plain)
    names = [path.name.rpartition("-")[0] for path in tmp_path.rglob("run-*.parquet")]
    assert len(set(names)) <= 6
    assert len(names) > 6
    store.tidy(NOON + 9 * DAY)
    check(store, plain)
    assert len({path.name.rpartition("-")[0] for path in tmp_path.rglob("run-*.parquet")}) <= 2
    assert not store.tidy(NOON + 9 * DAY)


def test_one_process_at_a_time_and_clear_words_for_what_is_broken(open_store: Opener, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    store = open_store(folder)
    with pytest.raises(StoreBusyError, match="another process"):
        open_store(folder)
    store.append("calls", table("calls", three(CHEN, WANG, NOON, "c1")), 1)
    store.flush(1)
    part = next(folder.rglob("*.parquet"))
    content = part.read_bytes()
    part.write_bytes(content[:100])
    with pytest.raises(StoreDamagedError, match="cannot be read"):
        store.calls_of(WANG, None, None)
    part.write_bytes(content)
    assert len(asked(store, "calls", WANG)) == 1
    store.close()
    manifest = (folder / "manifest.json").read_bytes()
    for wrong, words in (
        (b"{", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"format": 9}', "newer version"),
    ):
        (folder / "manifest.json").write_bytes(wrong)
        with pytest.raises(StoreDamagedError, match=words):
            open_store(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(StoreDamagedError, match="is missing, but there are records"):
        open_store(folder)
    assert part.exists()
    (folder / "manifest.json").write_bytes(manifest)
    assert len(asked(open_store(folder), "calls", WANG)) == 1
    with pytest.raises(RecordsError, match="choose another"):
        open_store(tmp_path / "a*b")


def test_a_copy_is_the_store_of_one_moment(open_store: Opener, tmp_path: Path) -> None:
    store, plain = open_store(tmp_path / "records"), Plain()
    plain.append("calls", three(CHEN, WANG, NOON, "c1"))
    store.append("calls", table("calls", three(CHEN, WANG, NOON, "c1")), 1)
    store.flush(1)
    store.compact("2026-03-05")
    store.copy_to(tmp_path / "backup")
    store.append("calls", table("calls", three(CHEN, WANG, NOON + DAY, "c2")), 2)
    store.flush(2)
    check(open_store(tmp_path / "backup"), plain)


def test_the_files_can_be_asked_with_duckdb_as_the_page_says(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for seq in range(4):
        store.append("calls", table("calls", three(CHEN, WANG, NOON + seq * DAY, f"c{seq}")), seq)
        store.flush(seq)
        if seq < 3:
            store.compact(f"2026-03-0{5 + seq}")
    page = (Path(__file__).parents[3] / "docs" / "records.md").read_text("utf-8")
    queries = [part.split("```")[0] for part in page.split("```sql\n")[1:]]
    assert queries
    connection = duckdb.connect()
    for query in queries:
        found = connection.execute(query.replace("/var/lib/ringfence/records", str(tmp_path))).fetchall()
    assert [row[0] for row in found] == [4]


def test_a_damaged_day_does_not_keep_work_from_the_others(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for day in range(3):
        store.append("calls", table("calls", three(CHEN, WANG, NOON + day * DAY, f"c{day}")), day)
        store.flush(day)
    part = next((tmp_path / "calls" / "2026-03-05").iterdir())
    content = part.read_bytes()
    part.write_bytes(content[:-9])
    with pytest.raises(StoreDamagedError, match=r"part-.*put it back from a backup"):
        store.tidy(NOON)
    assert store.stats().tables["calls"].parts == 1
    assert len(asked(store, "calls", WANG, NOON + DAY)) == 2
    with pytest.raises(StoreDamagedError):
        store.expire(NOON + 33 * DAY)
    assert store.stats().tables["calls"].days == 1
    with pytest.raises(StoreDamagedError):
        store.erase(WANG, NOON + DAY)
    assert store.stats().unfinished == 1
    part.write_bytes(content)
    store.expire(NOON)
    assert store.stats().unfinished == 0
    assert asked(store, "calls", WANG) == []
    with pytest.raises(ValueError, match="nobody"):
        store.erase("[erased]", NOON)
