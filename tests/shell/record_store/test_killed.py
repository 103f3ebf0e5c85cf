"""Killed at any moment: every step of a flush, a compaction, a retention and an erasure leaves a store that is whole.

Before each thing that is done to the disk the folder is copied as a killed process would leave it; each copy is then
opened as after a crash.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.shell.record_store.made import (
    CHEN,
    DAY,
    NOON,
    SHOP,
    WANG,
    Hold,
    Opener,
    Plain,
    Row,
    asked,
    check,
    everything,
    table,
    three,
)

from ringfence.shell.records import RecordStore

HELD: list[Hold] = [(SHOP, NOON, NOON + timedelta(hours=6))]
LATE = NOON + 32 * DAY


def rows_of(seq: int) -> list[Row]:
    caller = [CHEN, SHOP, None][seq % 3]
    return three(caller, WANG, NOON + timedelta(hours=5 * seq), f"c{seq}")


def append(store: RecordStore, seq: int) -> None:
    store.append("calls", table("calls", rows_of(seq)), seq)
    body = {"time": NOON + timedelta(hours=5 * seq), "sender": CHEN, "recipient": WANG, "body": f"text {seq}"}
    store.append("texts", table("texts", [body]), seq)


@contextmanager
def photographed(folder: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Copy the folder before each step that changes what is on the disk, and after a half-written file."""

    def before(step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*given: Any, **named: Any) -> Any:
            shutil.copytree(folder, images / f"{len(list(images.iterdir())):03}")
            return step(*given, **named)

        return stepped

    def torn(rows: Any, file: Any, **options: Any) -> None:
        pq_write(rows, file, **options)
        file.flush()
        image = images / f"{len(list(images.iterdir())):03}"
        shutil.copytree(folder, image)
        half = image / Path(file.name).relative_to(folder)
        os.truncate(half, half.stat().st_size // 2)

    pq_write = pq.write_table
    images.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", torn)
        patch.setattr(os, "fsync", before(os.fsync))
        for name in ("replace", "unlink", "rmdir"):
            patch.setattr(Path, name, before(getattr(Path, name)))
        yield


@pytest.mark.parametrize("work", ["flush", "tidy", "expire", "erase"])
def test_killed_at_every_step(
    open_store: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    folder, images = tmp_path / "records", tmp_path / "images"
    store = open_store(folder)
    for seq in range(8):
        append(store, seq)
        if seq in {2, 5}:
            store.flush(seq)
            store.tidy(NOON)
        if seq == 6:
            store.flush(seq)
    steps: dict[str, Callable[[], Any]] = {
        "flush": lambda: store.flush(7),
        "tidy": lambda: store.tidy(NOON + 9 * DAY),
        "expire": lambda: store.expire(LATE, HELD),
        "erase": lambda: store.erase(CHEN, NOON + 9 * DAY),
    }
    with photographed(folder, images, monkeypatch):
        steps[work]()
    found = sorted(images.iterdir())
    assert len(found) >= 8
    erased = 0
    for place, image in enumerate(found):
        plain = Plain(held=HELD if work == "expire" else [])
        left = open_store(image)
        left.recover(6)
        left.expire(NOON, plain.held)  # as at each start: an erasure that was begun goes on
        append(left, 7)
        for seq in range(8):
            plain.append("calls", rows_of(seq))
            at = NOON + timedelta(hours=5 * seq)
            plain.append("texts", [{"time": at, "sender": CHEN, "recipient": WANG, "body": f"text {seq}"}])
        if work == "expire":
            left.expire(LATE, HELD)
            plain.expire(LATE, 30)
        if work == "erase" and not asked(left, "calls", CHEN):  # else it was killed before it had taken it on
            plain.erase(CHEN, NOON + 9 * DAY)
            assert CHEN not in everything(image)
            erased += 1
        check(left, plain)
        if place % 3 == 0:  # and it goes on as if nothing had been
            left.flush(7)
            left.tidy(NOON + 9 * DAY)
            check(left, plain)
        names = {str(path.relative_to(image)) for path in image.rglob("*.parquet")}
        assert len(names) == sum(t.files for t in left.stats().tables.values())
    if work == "erase":
        assert erased >= len(found) - 3


KILLED = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.shell.record_store.test_killed import append, NOON, DAY
from ringfence.shell.records import RecordStore
store = RecordStore(Path(sys.argv[1]), spill_rows=40)
done = store.recover(int(sys.argv[2])) * 0 + int(sys.argv[2])
while True:
    done += 1
    append(store, done)
    if done % 3 == 0:
        store.flush(done)
        print(done, flush=True)
        store.tidy(NOON + 9 * DAY)
"""


def test_killed_by_the_system_again_and_again(open_store: Opener, tmp_path: Path) -> None:
    folder, root, snapshot = tmp_path / "records", Path(__file__).parents[3], 0
    paths = os.pathsep.join([str(root), str(root / "src")])
    for flushes in (1, 4, 7):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), str(snapshot)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": paths},
        ) as process:
            assert process.stdout is not None
            for _ in range(flushes):
                snapshot = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            snapshot = max([snapshot, *map(int, process.stdout.read().split())])
    store, plain = open_store(folder), Plain()
    store.recover(snapshot)
    for seq in range(1, snapshot + 1):
        plain.append("calls", rows_of(seq))
        at = NOON + timedelta(hours=5 * seq)
        plain.append("texts", [{"time": at, "sender": CHEN, "recipient": WANG, "body": f"text {seq}"}])
    check(store, plain)
