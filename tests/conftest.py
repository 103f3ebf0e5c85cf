"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# One machine-wide profile: the first example may wait for a compiler, so time is no criterion.
settings.register_profile(
    "ringfence", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40
)
settings.load_profile("ringfence")

SHARED = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: a newcomer's detector has the whole pass compiled anew."""
    items.sort(key=lambda item: "test_contributing" not in item.nodeid)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data to measure on; absent in a user's clone."""
    folder = Path(os.environ.get("RINGFENCE_SHARED_DATA", SHARED))
    if not folder.is_dir():
        pytest.skip(f"the measuring data is not part of a clone ({folder})")
    return folder
