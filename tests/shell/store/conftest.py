"""A store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.shell.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as one:
        yield one
