"""Stores that are closed when a test ends."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.shell.record_store.made import Opener

from ringfence.shell.records import RecordStore


@pytest.fixture
def open_store() -> Iterator[Opener]:
    """Opens a store; all are closed at the end."""
    with ExitStack() as stack:

        def opened(folder: Path, **options: Any) -> RecordStore:
            return stack.enter_context(RecordStore(folder, **options))

        yield opened


@pytest.fixture
def store(open_store: Opener, tmp_path: Path) -> RecordStore:
    """A store in a folder of its own."""
    return open_store(tmp_path / "records")
