"""The disk by itself, beside what is measured: on a shared machine it stands still at times."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PAUSE_S: Final = 0.2
_BLOCK: Final = bytes(4096)


@dataclass(slots=True)
class Disk:
    """What was seen of it: the longest that 4 KB took to be on disk, s."""

    longest: float = 0.0


@contextmanager
def watched(folder: Path) -> Iterator[Disk]:
    """Force a little to disk again and again."""
    disk, stop = Disk(), threading.Event()
    thread = threading.Thread(target=_watch, args=(folder / "disk", disk, stop))
    thread.start()
    try:
        yield disk
    finally:
        stop.set()
        thread.join()


def _watch(path: Path, disk: Disk, stop: threading.Event) -> None:
    with path.open("wb", buffering=0) as file:
        while not stop.wait(_PAUSE_S):
            began = time.perf_counter()
            file.write(_BLOCK)
            os.fdatasync(file.fileno())
            disk.longest = max(disk.longest, time.perf_counter() - began)
