"""`ringfence bench`."""

import os
import sys
from pathlib import Path

from ringfence.cli.errors import FAILED, fail


def bench() -> None:
    """Measure the figures of the README, side by side (needs a source checkout)."""
    root = Path(__file__).parents[3]
    if not (root / "bench" / "__main__.py").is_file():
        fail("the benchmarks are not installed; run `make bench` in a source checkout", FAILED)
    os.chdir(root)
    os.execv(sys.executable, [sys.executable, "-m", "bench"])  # noqa: S606
