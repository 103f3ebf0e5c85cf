"""A watched folder: whole files only, each once, the oldest first."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from ringfence.ingest.format import UnreadableError
from ringfence.shell.service.sources.folder import Found, WatchedFolder


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def put(folder: Path, name: str, text: str = "x", at: int = 1_000) -> Path:
    path = folder / name
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def names(found: list[Found]) -> list[str]:
    return [each.name for each in found]


def test_files_that_settle_come_the_oldest_first(tmp_path: Path) -> None:
    clock = Clock()
    watched = WatchedFolder(tmp_path, settled_s=2, clock=clock)
    put(tmp_path, "b.csv", at=2)
    put(tmp_path, "a.csv", at=3)
    growing = put(tmp_path, "c.csv", at=1)
    assert watched.look() == []
    clock.now += 1.9
    assert watched.look() == []
    growing.write_text("xx")
    os.utime(growing, (1, 1))
    clock.now += 0.2
    assert names(watched.look()) == ["b.csv", "a.csv"]
    clock.now += 2
    assert names(watched.look()) == ["c.csv", "b.csv", "a.csv"]
    assert watched.waiting == 3


def test_what_is_not_meant_is_left_alone(tmp_path: Path) -> None:
    for name in (".hidden.csv", "a.csv.tmp", "b.csv.part", "c.txt"):
        put(tmp_path, name)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(put(tmp_path, "d.txt"))
    put(tmp_path, "e.csv")
    assert names(WatchedFolder(tmp_path, pattern="*.csv", settled_s=0).look()) == ["e.csv"]


@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_each_file_once(tmp_path: Path, after: str) -> None:
    watched = WatchedFolder(tmp_path, settled_s=0, after=after)  # type: ignore[arg-type]
    path = put(tmp_path, "a.csv")
    (found,) = watched.look()
    watched.finish(found)
    assert watched.look() == []
    assert path.exists() == (after == "keep")
    assert (tmp_path / "done" / "a.csv").exists() == (after == "move")
    # the same name again is another file
    put(tmp_path, "a.csv", "other", at=2_000)
    (found,) = watched.look()
    watched.finish(found)
    assert (tmp_path / "done" / "a.csv.1").exists() == (after == "move")
    assert watched.read == 2


def test_after_a_restart_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    watched = WatchedFolder(tmp_path, settled_s=0, after="keep")
    first, second = put(tmp_path, "a.csv"), put(tmp_path, "b.csv")
    found = watched.look()
    watched.finish(found[0])
    # killed after the rows of the second were kept together with this position, before it was finished
    position = json.loads(json.dumps(watched.position(found[1])))
    again = WatchedFolder(tmp_path, settled_s=0, after="delete", position=position)
    assert again.look() == []
    assert not first.exists()
    assert not second.exists()
    assert again.look() == []
    assert again.position() == {"done": []}


def test_a_file_that_cannot_be_read_is_put_aside_with_the_reason(tmp_path: Path) -> None:
    async def sink(found: Found) -> None:
        if found.name == "bad.csv":
            raise UnreadableError("the header has not the columns")
        seen.append(found.name)
        if len(seen) == 2:
            raise asyncio.CancelledError

    seen: list[str] = []
    put(tmp_path, "bad.csv", at=1)
    put(tmp_path, "good.csv", at=2)
    put(tmp_path, "last.csv", at=3)
    watched = WatchedFolder(tmp_path, settled_s=0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watched.watch(sink, 0))
    assert seen == ["good.csv", "last.csv"]
    assert (tmp_path / "failed" / "bad.csv").exists()
    assert (tmp_path / "failed" / "bad.csv.reason").read_text() == "the header has not the columns\n"
    assert (tmp_path / "done" / "good.csv").exists()
    assert (tmp_path / "last.csv").exists()
    assert (watched.read, watched.failed) == (1, 1)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    watched = WatchedFolder(tmp_path / "none", settled_s=0)
    assert watched.look() == []
    assert watched.trouble is not None
    assert "none" in watched.trouble
    (tmp_path / "none").mkdir()
    put(tmp_path / "none", "a")
    assert names(watched.look()) == ["a"]
    assert watched.trouble is None


def test_a_file_that_cannot_be_moved_is_not_read_again(tmp_path: Path) -> None:
    put(tmp_path, "a.csv")
    (tmp_path / "done").write_text("no folder")
    watched = WatchedFolder(tmp_path, pattern="*.csv", settled_s=0)
    (found,) = watched.look()
    watched.finish(found)
    assert watched.trouble is not None
    assert watched.look() == []
