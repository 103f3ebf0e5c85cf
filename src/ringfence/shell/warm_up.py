"""Compile the pass once on this machine, on two processors at a time: `python -m ringfence.shell.warm_up`."""

import subprocess
import sys

from ringfence.compiled import is_compiled
from ringfence.detect.engine import Engine

_HALVES = (("terminate",), ("relate", "originate", "settle", "live"))
"""The steps of the pass in two parts that take about as long."""


def warm_up() -> None:
    """Compile what is not compiled yet."""
    if is_compiled("detect"):
        return
    first, second = _HALVES
    other = subprocess.Popen([sys.executable, "-m", "ringfence.shell.warm_up", *first])  # noqa: S603  (its own)
    try:
        Engine().prepare(second)
    finally:
        other.wait()


if __name__ == "__main__":
    if sys.argv[1:]:
        Engine().prepare(sys.argv[1:])
    else:
        warm_up()
