"""Killed at any moment: whatever was acknowledged is there afterwards, and every alert once."""

import os
import random
import signal
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text
from tests.shell.service.made import NOW, finish, plan, put, records_of, small_city, stored

from ringfence.shell.service.service import Service

KILLS = int(os.environ.get("RINGFENCE_KILLS", "25"))
"""How often: 200 in `make soak`."""
WRITERS = 4
_DONE = struct.Struct("<q")
Told = list[tuple[str, pa.RecordBatch]]


@pytest.fixture(scope="module")
def told() -> Told:
    """Some thousand records, small ones."""
    city = small_city(7, 500, 5)
    return list(records_of(city, 20 * 60_000_000))


def service_in(folder: Path) -> Service:
    """A service that takes snapshots all the time."""
    return Service(plan(folder, snapshot_s=0.05, segment_bytes=200_000), clock=lambda: NOW)


def reference(told: Told, folder: Path) -> dict[str, dict[str, Any]]:
    """What is found if nothing ever happens."""
    service = service_in(folder)
    service.recover()
    service.start()
    for table, batch in told:
        seq = put(service, table, batch)
    finish(service, seq)
    found = stored(service)
    service.stop()
    return found


def child(folder: Path, told: Told, first: int, pipe: int) -> None:
    """Go on where the one before was killed: tell what was not acknowledged, and say what is."""
    began = time.monotonic()
    service = service_in(folder)
    service.recover()
    os.write(pipe, _DONE.pack(-int((time.monotonic() - began) * 1e6)))
    service.start()
    for place in range(first, len(told)):
        put(service, *told[place])
        os.write(pipe, _DONE.pack(place + 1))
    time.sleep(60)


def run_child(folder: Path, told: Told, first: int, seconds: float) -> tuple[int, float]:
    """Let a service run for so long behind its recovery, and kill it; how far it got, and how long its recovery took."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child(folder, told, first, writing)
        finally:
            os._exit(1)
    os.close(writing)
    recovered = _DONE.unpack(os.read(reading, 8))[0]
    timer = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
    timer.start()
    data = b""
    while piece := os.read(reading, 1 << 16):
        data += piece
    timer.join()
    _, status = os.waitpid(pid, 0)
    os.close(reading)
    assert os.WIFSIGNALED(status), "it ended by itself"
    whole = len(data) // _DONE.size * _DONE.size
    acknowledged = [place for (place,) in _DONE.iter_unpack(data[:whole])]
    return max(acknowledged, default=first), -recovered / 1e6


def test_killed_at_random_moments(told: Told, tmp_path: Path) -> None:
    expected = reference(told, tmp_path / "whole")
    assert len(expected) > 20
    chance, kills, rounds = random.Random(1), 0, 0
    while kills < KILLS:  # whoever is quick has told everything before the last kill, and begins again
        kills += killed_again_and_again(told, expected, tmp_path / f"killed{rounds}", chance, KILLS - kills)
        rounds += 1


def killed_again_and_again(
    told: Told, expected: dict[str, dict[str, Any]], folder: Path, chance: random.Random, most: int
) -> int:
    """Kill a service until everything is told, so often at the most; returns how often."""
    got, slowest, kills = 0, 0.0, 0
    while got < len(told) and kills < most:
        got, took = run_child(folder, told, got, chance.uniform(0.0, 0.25))
        slowest, kills = max(slowest, took), kills + 1
    service = service_in(folder)
    service.recover()
    service.start()
    assert service.journal.damage.gaps == 0
    seq = service.journal.last
    for table, batch in told[got:]:
        seq = put(service, table, batch)
    finish(service, seq)
    assert stored(service) == expected
    with service.store.database.reading() as connection:
        doubled = connection.execute(
            text("select event_id from events group by event_id having count(*) > 1")
        )
        assert not doubled.all()
        raised = connection.execute(text("select count(*) from events where type = 'alert.raised'")).scalar()
    assert raised == len(expected)
    service.stop()
    assert slowest < 10
    return kills
