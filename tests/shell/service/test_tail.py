"""A followed file gives every line once, whatever is done to it."""

import asyncio
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.shell.service.sources.tail import Piece, Position, Tail
from ringfence.shell.service.sources.tail_files import PIECE


def rest(tail: Tail) -> bytes:
    """Everything there is to read now."""
    return b"".join(piece.data for piece in all_pieces(tail))


def all_pieces(tail: Tail) -> list[Piece]:
    found = []
    while (piece := tail.read()) is not None:
        found.append(piece)
    return found


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def zipped(path: Path) -> Path:
    """Compress as gzip does: another file, with the time of the first, which then goes."""
    goal = path.with_name(path.name + ".gz")
    goal.write_bytes(gzip.compress(path.read_bytes()))
    shutil.copystat(path, goal)
    path.unlink()
    return goal


def later(path: Path, by_s: float) -> None:
    """Set a file's time of writing, so that no test depends on how fine the clock of a file system is."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + int(by_s * 1e9)))


OPEN: list[Tail] = []


def follow(path: Path, **how: Any) -> Tail:
    OPEN.append(Tail(path, **how))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


def last_position(tail: Tail) -> tuple[bytes, Position]:
    pieces = all_pieces(tail)
    return b"".join(piece.data for piece in pieces), json.loads(json.dumps(pieces[-1].position))


def test_what_is_there_is_left_out_unless_asked_for(log: Path) -> None:
    log.write_bytes(b"a\nb\nhal")
    tail, whole = follow(log), follow(log, from_start=True)
    first = tail.read()
    assert first is not None
    assert (first.data, first.position["offset"]) == (b"", 4)
    assert rest(whole) == b"a\nb\n"
    append(log, b"f\nc\n")
    assert rest(tail) == rest(whole) == b"half\nc\n"


def test_a_file_that_appears_later_is_read_from_its_beginning(log: Path) -> None:
    tail = follow(log)
    assert tail.read() is None
    assert tail.trouble is not None
    log.write_bytes(b"a\nb")
    assert rest(tail) == b"a\n"
    assert tail.trouble is None
    append(log, b"\n")
    assert rest(tail) == b"b\n"


def test_rotation_finishes_the_old_file_first(log: Path) -> None:
    log.write_bytes(b"a\n")
    tail = follow(log, from_start=True)
    assert rest(tail) == b"a\n"
    append(log, b"b\n")
    old = log.rename(log.with_name("Master.csv.1"))
    append(old, b"c\n")  # the switch has not reopened yet
    assert rest(tail) == b"b\nc\n"
    log.touch()
    append(old, b"d\nlast")
    assert rest(tail) == b"d\n"
    append(log, b"e\n")
    assert rest(tail) == b"last\ne\n"
    assert (tail.rotations, tail.lost) == (1, 0)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("between", [0, 1, 2])
def test_rotated_while_we_were_away(log: Path, compress: bool, between: int) -> None:
    log.write_bytes(b"a,1\nb,2\n")
    tail = follow(log, from_start=True)
    read, position = last_position(tail)
    tail.close()
    append(log, b"c,3\nd")
    later(log, 1)
    old = log.rename(log.with_name(f"Master.csv.{between + 1}"))
    if compress:
        zipped(old)
    whole = b""
    for number in range(between, 0, -1):
        path = log.with_name(f"Master.csv.{number}")
        path.write_bytes(b"file %d\n" % number)
        later(path, 10 * (between - number + 1))
        whole += path.read_bytes()
    log.write_bytes(b"e\n")
    later(log, 100)
    again = follow(log, position=position)
    assert read + rest(again) == b"a,1\nb,2\nc,3\nd\n" + whole + b"e\n"
    assert again.lost == 0
    append(log, b"f\n")
    assert rest(again) == b"f\n"


def test_rotated_twice_between_two_looks(log: Path) -> None:
    log.write_bytes(b"a\n")
    tail = follow(log, from_start=True)
    assert rest(tail) == b"a\n"
    for number, name in ((1, "Master.csv-20260301"), (2, "Master.csv-20260302")):
        later(log, number)
        log.rename(log.with_name(name))
        log.write_bytes(b"file %d\n" % number)
    later(log, 3)
    assert rest(tail) == b"file 1\nfile 2\n"


def test_going_on_where_it_stopped(log: Path) -> None:
    log.write_bytes(b"a\nb\nc")
    _, position = last_position(follow(log, from_start=True))
    append(log, b"c\nd\n")
    again = follow(log, position=position)
    assert rest(again) == b"cc\nd\n"


def test_an_old_file_that_is_gone_is_counted_and_the_new_one_read_whole(log: Path) -> None:
    log.write_bytes(b"a\n" * 100)
    _, position = last_position(follow(log, from_start=True))
    log.unlink()
    log.write_bytes(b"new\n" * 100)
    log.with_name("Master.csv.1.gz").write_bytes(gzip.compress(b"another\n" * 100)[:-20])
    again = follow(log, position=position)
    assert rest(again).endswith(b"new\n" * 100)
    assert again.lost >= 1


def test_another_file_with_the_same_inode_is_not_taken_for_ours(log: Path) -> None:
    log.write_bytes(b"a\n" * 100)
    _, position = last_position(follow(log, from_start=True))
    with log.open("r+b") as file:
        file.truncate(0)
        file.write(b"b\n" * 200)
    assert rest(follow(log, position=position)) == b"b\n" * 200


def test_truncation_begins_again_and_finds_the_copy(log: Path) -> None:
    log.write_bytes(b"a\nb\n")
    tail = follow(log, from_start=True)
    assert rest(tail) == b"a\nb\n"
    append(log, b"c\n")
    shutil.copy2(log, log.with_name("Master.csv.1"))
    with log.open("r+b") as file:
        file.truncate(0)
    append(log, b"d\n")
    assert rest(tail) == b"c\nd\n"
    assert (tail.truncations, tail.rotations, tail.lost) == (1, 0, 0)


def test_truncation_is_seen_even_if_the_file_has_grown_beyond_our_place(log: Path) -> None:
    log.write_bytes(b"a\nb\n")
    tail = follow(log, from_start=True)
    rest(tail)
    with log.open("r+b") as file:
        file.truncate(0)
        file.write(b"c\nd\ne\nf\n")
    assert rest(tail) == b"c\nd\ne\nf\n"


def test_the_header_comes_with_every_piece_and_is_in_none(log: Path) -> None:
    log.write_bytes(b"x,y")
    tail = follow(log, header=True, from_start=True)
    assert tail.read() is None
    append(log, b"\n1,2\n")
    pieces = all_pieces(tail)
    assert {piece.head for piece in pieces} == {b"x,y\n"}
    assert b"".join(piece.data for piece in pieces) == b"1,2\n"
    append(log, b"3,4\n")
    log.rename(log.with_name("Master.csv.1"))
    log.write_bytes(b"y,x\n5,6\n")
    assert [(piece.head, piece.data) for piece in all_pieces(tail)] == [
        (b"x,y\n", b"3,4\n"),
        (b"y,x\n", b"5,6\n"),
    ]


def test_the_header_is_known_again_after_a_restart(log: Path) -> None:
    log.write_bytes(b"x,y\n1,2\n")
    _, position = last_position(follow(log, header=True, from_start=True))
    append(log, b"3,4\n")
    assert [
        (piece.head, piece.data) for piece in all_pieces(follow(log, header=True, position=position))
    ] == [(b"x,y\n", b"3,4\n")]
    zipped(log.rename(log.with_name("Master.csv.1")))
    log.write_bytes(b"y,x\n5,6\n")
    found = all_pieces(follow(log, header=True, position=position))
    assert [(piece.head, piece.data) for piece in found] == [(b"x,y\n", b"3,4\n"), (b"y,x\n", b"5,6\n")]
    fresh = follow(log, header=True)
    first = fresh.read()
    assert first is not None
    assert (first.head, first.data, first.position["offset"]) == (b"y,x\n", b"", 8)


def test_a_line_without_end_costs_itself_and_bounded_memory(log: Path) -> None:
    log.write_bytes(b"a\n" + b"x" * (3 * PIECE) + b"y\nb\n")
    tail = follow(log, from_start=True)
    pieces = [piece.data for piece in all_pieces(tail) if piece.data]
    assert all(len(piece) <= PIECE + 1 for piece in pieces)
    lines = b"".join(pieces).splitlines()
    assert (lines[0], len(lines[1]), lines[2]) == (b"a", PIECE, b"b")


def test_going_on_within_a_line_too_long(log: Path) -> None:
    log.write_bytes(b"x" * PIECE)
    _, position = last_position(follow(log, from_start=True))
    append(log, b"xxx\nb\n")
    assert rest(follow(log, position=position)) == b"b\n"


def test_trouble_is_told_not_raised(log: Path) -> None:
    log.mkdir()
    tail = follow(log)
    assert tail.read() is None
    assert tail.trouble is not None
    log.rmdir()
    log.write_bytes(b"a\n")
    assert rest(follow(log, from_start=True)) == b"a\n"


def test_how_far_it_is_behind(log: Path) -> None:
    log.write_bytes(b"a\nb\n")
    tail = follow(log, from_start=True)
    assert tail.behind() == 4
    rest(tail)
    assert tail.behind() == 0


def test_pieces_as_they_come(log: Path) -> None:
    async def pieces() -> list[bytes]:
        found = []
        async for piece in follow(log, from_start=True).pieces(0):
            found.append(piece.data)
            if len(found) == 2:
                append(log, b"b\n")
            if len(found) == 3:
                break
        return found

    log.write_bytes(b"a\n")
    assert asyncio.run(pieces()) == [b"", b"a\n", b"b\n"]


ACTIONS = st.lists(
    st.sampled_from(["write", "half", "read", "rotate", "zip", "copytruncate", "restart", "restart"]),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150)
@given(ACTIONS)
def test_no_line_is_missing_and_none_comes_twice(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    """Whatever happens in whatever order, as long as the old file stays somewhere and is read before it is copied over."""
    folder = tmp_path_factory.mktemp("log")
    log, written, read = folder / "cdr.log", b"", b""
    log.write_bytes(b"")
    tail = follow(log, from_start=True)
    first = tail.read()
    assert first is not None
    position = first.position
    number = rotated = 0
    clock = log.stat().st_mtime_ns

    def write(data: bytes) -> None:
        nonlocal clock
        append(log, data)
        clock += 10**9
        os.utime(log, ns=(clock, clock))

    for action in [*actions, "write", "read"]:
        if action in {"write", "half"}:
            number += 1
            data = b"line %06d of this log\n" % number
            written += data
            if action == "half":
                write(data[:9])
                write(data[9:])
            else:
                write(data)
        elif action == "read" and (piece := tail.read()) is not None:
            read, position = read + piece.data, piece.position
        elif action in {"rotate", "zip"} and log.stat().st_size:
            rotated += 1
            old = log.rename(folder / f"cdr.log.{1000 - rotated}")
            if action == "zip":
                zipped(old)
            log.write_bytes(b"")
            write(b"")
        elif action == "copytruncate" and log.stat().st_size:
            for piece in all_pieces(
                tail
            ):  # what truncation takes while nobody looks cannot be had back for certain
                read, position = read + piece.data, piece.position
            with log.open("r+b") as file:
                file.truncate(0)
        elif action == "restart":
            tail.close()
            tail = follow(log, position=json.loads(json.dumps(position)), from_start=True)
    read += rest(tail)
    assert read.splitlines() == written.splitlines(), str(actions)
    tail.close()
