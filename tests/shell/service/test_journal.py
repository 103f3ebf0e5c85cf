"""The journal: what it has acknowledged is read, once, in order, whatever happens to its files; and nothing else."""

import errno
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.service.journals import (
    NOTE,
    all_of,
    failing_disk,
    insist,
    names,
    payloads,
    put,
    small_disk,
    try_put,
    whole,
)

from ringfence.shell.service import journal as module
from ringfence.shell.service.follower import Follower
from ringfence.shell.service.journal import Journal, JournalError
from ringfence.shell.service.segments import LARGEST, MARKER, Record, encode, read_all, segments

PAYLOADS = st.binary(max_size=60) | st.binary(max_size=20).map(lambda some: MARKER + some)
STEPS = st.one_of(
    st.tuples(st.just("put"), PAYLOADS),
    st.tuples(st.just("read"), st.integers(1, 200)),
    st.tuples(st.just("release"), st.integers(0, 100)),
    st.tuples(st.just("reopen"), st.integers(0, 60)),  # how much of a record was being written
    st.tuples(st.just("fail"), st.sampled_from(["open", "write", "part", "short", "sync"])),
    st.tuples(st.just("heal"), st.none()),
)


@settings(max_examples=150)
@given(steps=st.lists(STEPS, max_size=40), segment_bytes=st.integers(1, 300))
def test_whatever_happens_what_was_acknowledged_is_read_once_and_in_order(
    steps: list[tuple[str, object]], segment_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    with failing_disk() as disk:
        journal = Journal(folder, segment_bytes=segment_bytes)
        follower = Follower(journal, folder, 0)
        told: list[tuple[int, bytes]] = []
        read: list[tuple[int, bytes]] = []
        for what, value in steps:
            match what, value:
                case "put", bytes(payload):
                    journal._retry_at = 0.0
                    done = try_put(journal, payload)
                    if disk.where != "open":  # there may be room in the open segment
                        assert (done is None) == bool(disk.errno and disk.where != "short")
                    told += [done] if done else []
                case "read", int(most):
                    read += payloads(follower.read(most))
                case "release", int(back):
                    journal.release(follower.seq - back)
                case "fail", str(where):
                    disk.errno, disk.where = errno.ENOSPC, where
                case "heal", _:
                    disk.errno = 0
                case "reopen", int(cut):
                    follower.close()
                    journal.close()
                    torn = encode(Record(journal.last + 1, 1, NOTE, b"never acknowledged"))[:cut]
                    if names(folder):
                        with segments(folder)[-1].open("ab") as file:
                            file.write(torn)
                    journal = Journal(folder, segment_bytes=segment_bytes)
                    follower = Follower(journal, folder, follower.seq)
        read += payloads(all_of(follower))
        assert read == told
        assert [seq for seq, _ in told] == sorted({seq for seq, _ in told})
        assert journal.damage.gaps == 0
        held = sum(path.stat().st_size for path in segments(folder))
        assert journal.nbytes == held
        follower.close()
        journal.close()


@given(data=st.data())
def test_cut_at_any_byte_of_the_last_record(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder)
    told = [put(journal, bytes([n]) * n) for n in range(4)]
    journal.close()
    (path,) = segments(folder)
    last = len(encode(Record(4, 1, NOTE, told[-1][1])))
    os.truncate(path, path.stat().st_size - data.draw(st.integers(1, last)))
    journal = Journal(folder, since=4)
    assert put(journal, b"after")[0] == 5, "a number that was acknowledged is never given again"
    assert whole(journal, folder) == [*told[:3], (5, b"after")]
    assert journal.damage.gaps == 0
    journal.close()


def test_a_damaged_byte_costs_one_record_and_is_told_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", segment_bytes=150)
    told = [put(journal, bytes([65 + n]) * 20) for n in range(6)]
    journal.close()
    assert len(names(tmp_path / "j")) == 3, "two records each"
    size = len(encode(Record(1, 1, NOTE, told[0][1])))
    for record in (0, 1, 2, 3, 4):  # of the last, nobody can tell whether it was ever whole
        path = segments(tmp_path / "j")[record // 2]
        sound = path.read_bytes()
        for at in range(size * (record % 2), size * (record % 2 + 1)):
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x55]) + sound[at + 1 :])
            journal = Journal(tmp_path / "j", since=6)
            rest = [one for place, one in enumerate(told) if place != record]
            assert whole(journal, tmp_path / "j") == rest
            assert (journal.damage.gaps, journal.damage.bytes) == (1, size)
            assert len(journal.damage.places) == 1
            assert path.name in journal.damage.places[0]
            journal.close()
        path.write_bytes(sound)


def test_a_start_reads_the_last_segment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, segment_bytes=150)
    told = [put(journal, bytes([65 + n]) * 20) for n in range(6)]
    journal.close()
    read = list[Path]()

    def noted(path: Path, *how: Any, **more: Any) -> Any:
        read.append(path)
        return read_all(path, *how, **more)

    monkeypatch.setattr(module, "read_all", noted)
    journal = Journal(tmp_path)
    assert read == segments(tmp_path)[-1:], "a day of them may be kept"
    assert journal.nbytes == sum(path.stat().st_size for path in segments(tmp_path))
    assert put(journal, b"after")[0] == 7
    assert whole(journal, tmp_path) == [*told, (7, b"after")]
    journal.close()


def test_numbers_go_on_behind_what_is_known_elsewhere(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    put(journal, b"a")
    journal.close()
    journal = Journal(tmp_path, since=10)
    assert put(journal, b"b")[0] == 11
    assert whole(journal, tmp_path, 10) == [(11, b"b")]
    journal.release(11)
    journal.close()
    journal = Journal(tmp_path, since=3)
    assert put(journal, b"c")[0] == 12
    journal.close()


def test_followed_while_it_is_written_and_the_disk_fails_now_and_then(tmp_path: Path) -> None:
    chance, told, lock = random.Random(3), list[tuple[int, bytes]](), threading.Lock()
    with failing_disk() as disk:
        disk.where = "sync"
        disk.before_sync = lambda: setattr(disk, "errno", errno.EIO * (chance.random() < 0.2))
        journal = Journal(tmp_path, segment_bytes=2_000)

        def write(name: int) -> None:
            for n in range(150):
                done = insist(journal, b"%d.%d" % (name, n) * (n % 7))
                with lock:
                    told.append(done)

        writers = [threading.Thread(target=write, args=(name,)) for name in range(4)]
        for writer in writers:
            writer.start()
        follower, read = Follower(journal, tmp_path, 0), list[Record]()
        while any(writer.is_alive() for writer in writers):
            read += follower.read(500)
        read += all_of(follower)
        assert payloads(read) == sorted(told)
        follower.close()
        journal.close()


def test_what_was_not_acknowledged_is_not_read_from_memory_either(tmp_path: Path) -> None:
    with failing_disk() as disk:
        journal = Journal(tmp_path)
        follower = Follower(journal, tmp_path, 0)
        first = put(journal, b"first")
        read: list[Record] = []
        # the reader reads ahead while the second record stands in the file, which the disk then does not confirm
        disk.where, disk.before_sync = "sync", lambda: read.extend(follower.read(1 << 20))
        disk.errno = errno.EIO
        assert try_put(journal, b"second") is None
        disk.errno, disk.before_sync = 0, lambda: None
        third = insist(journal, b"third")
        assert payloads(read + all_of(follower)) == [first, third]
        follower.close()
        journal.close()


def test_nothing_is_acknowledged_before_the_disk_has_confirmed_it(tmp_path: Path) -> None:
    with failing_disk() as disk:
        journal = Journal(tmp_path)
        told: list[int] = []
        reached, go_on, ended = threading.Event(), threading.Event(), threading.Event()

        def before_sync() -> None:
            reached.set()
            assert go_on.wait(10)

        def done(seq: int, error: JournalError | None) -> None:
            assert error is None
            told.append(seq)
            if seq == 101:
                ended.set()

        disk.before_sync = before_sync
        journal.append(1, NOTE, b"one", done)
        assert reached.wait(10)
        for _ in range(100):
            journal.append(1, NOTE, b"more", done)
        assert told == []
        assert journal.last == 0
        go_on.set()
        assert ended.wait(10)
        assert told == list(range(1, 102))
        assert disk.synced == 2, "what came meanwhile shares one"
        journal.close()


@pytest.mark.parametrize("where", ["open", "write", "part", "sync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_and_comes_back(tmp_path: Path, where: str, code: int) -> None:
    with failing_disk() as disk:
        journal = Journal(tmp_path, segment_bytes=10)
        follower = Follower(journal, tmp_path, 0)
        told = [put(journal, b"before")]
        disk.errno, disk.where = code, where
        for n in range(20):
            journal._retry_at = 0.0
            with pytest.raises(JournalError) as caught:
                put(journal, b"refused %d" % n)
            assert str(caught.value) == journal.trouble
        assert all_of(follower)[-1].payload == b"before"
        assert len(names(tmp_path)) <= 2, "a full disk is not filled with empty files"
        disk.errno = 0
        journal._retry_at = 0.0
        told.append(put(journal, b"after"))
        assert journal.trouble is None
        follower.close()
        journal.close()
        journal = Journal(tmp_path)
        assert whole(journal, tmp_path) == told
        assert journal.damage.gaps == 0
        journal.close()


def test_it_says_what_is_wrong_in_words(tmp_path: Path) -> None:
    with failing_disk() as disk:
        journal = Journal(tmp_path)
        disk.where = "write"
        for code, words in ((errno.ENOSPC, "full"), (errno.EROFS, "only be read"), (errno.EIO, "written")):
            disk.errno, journal._retry_at = code, 0.0
            with pytest.raises(JournalError, match=words):
                put(journal, b"x")
        journal.close()


def test_it_notices_by_itself_that_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    with failing_disk() as disk:
        journal = Journal(tmp_path)
        disk.errno, disk.where = errno.ENOSPC, "write"
        assert try_put(journal, b"x") is None
        disk.errno = 0
        assert _until(lambda: journal.trouble is None), "nobody sends to a service that says it is not ready"
        journal.close()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        folder = disk / "journal"
        journal, told = Journal(folder, segment_bytes=100_000), list[tuple[int, bytes]]()
        follower, chance = Follower(journal, folder, 0), random.Random(1)
        while (done := try_put(journal, chance.randbytes(chance.randrange(1, 50_000)))) is not None:
            told.append(done)
        assert "full" in (journal.trouble or "")
        assert payloads(all_of(follower)) == told
        follower.close()
        for _ in range(30):
            journal._retry_at = 0.0
            done = try_put(journal, bytes(60_000))
            told += [done] if done else []
        journal.release(told[-3][0])
        told.append(insist(journal, b"there is room again"))
        journal.close()
        journal = Journal(folder)
        found = whole(journal, folder)
        assert found == told[-len(found) :]
        assert found[-2:] == told[-2:]
        assert journal.damage.gaps == 0
        journal.close()


def test_records_that_cannot_be_written_harm_no_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    long = {**NOTE, "position": {"done": [[f"file-{n}.csv", n, n] for n in range(5_000)]}}
    assert journal.put(1, long, b"a folder of many files") == 1
    with pytest.raises(JournalError, match="large"):
        journal.put(1, NOTE, bytes(LARGEST + 1))
    with pytest.raises(TypeError):
        journal.put(1, {"source": object()}, b"")
    last = put(journal, b"after")
    follower = Follower(journal, tmp_path, 0)
    read = all_of(follower)
    assert read[0].note == long
    assert payloads(read)[1:] == [last]
    follower.close()
    journal.close()


def test_a_caller_that_is_gone_keeps_nobody_from_being_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    def gone(seq: int, error: JournalError | None) -> None:
        raise RuntimeError("Event loop is closed")

    journal.append(1, NOTE, b"one", gone)
    assert put(journal, b"two") == (2, b"two")
    journal.close()


def test_no_more_waits_and_no_more_is_kept_than_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GROUP_BYTES", 1_000)
    with failing_disk() as disk:
        journal = Journal(tmp_path, segment_bytes=1_000, most_bytes=20_000)
        reached, go_on = threading.Event(), threading.Event()

        def before_sync() -> None:
            reached.set()
            assert go_on.wait(10)

        disk.before_sync = before_sync
        journal.append(1, NOTE, b"", lambda *_: None)
        assert reached.wait(10)
        for _ in range(8):
            journal.append(1, NOTE, bytes(100), lambda *_: None)
        with pytest.raises(JournalError, match="more comes in"):
            journal.append(1, NOTE, bytes(100), lambda *_: None)
        go_on.set()
        told = [insist(journal, b"")]
        while (done := try_put(journal, bytes(500))) is not None:
            told.append(done)
        assert 20_000 < journal.nbytes < 21_600
        journal.release(told[-5][0])
        assert put(journal, b"there is room again")[0] > told[-1][0]
        journal.close()


def test_a_second_service_in_the_same_folder_is_turned_away(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    put(journal, b"one")
    with segments(tmp_path)[-1].open("ab") as file:
        file.write(encode(Record(2, 1, NOTE, b"being written"))[:20])
    size = segments(tmp_path)[-1].stat().st_size
    with pytest.raises(OSError, match="another"):
        Journal(tmp_path)
    assert segments(tmp_path)[-1].stat().st_size == size, "it is not for the second to cut anything off"
    journal.close()
    Journal(tmp_path).close()


def _until(holds: object, seconds: float = 10.0) -> bool:
    assert callable(holds)
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if holds():
            return True
        pause.wait(0.01)
    return False
