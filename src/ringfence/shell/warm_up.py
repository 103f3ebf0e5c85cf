"""Compile the pass once on this machine, on two processors at a time: `python -m ringfence.shell.warm_up`.

Who comes while another process compiles waits for it; a compilation that was broken off is taken up again.
"""

import fcntl
import subprocess
import sys
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from numba.core.registry import cpu_target

from ringfence.compiled import cache_dir, digest_of
from ringfence.detect.engine import Engine
from ringfence.detect.screening import Arriving, Screen

_HALVES: Final = (("terminate",), ("relate", "originate", "settle", "live"))
"""The steps of the pass in two parts that take about as long."""


def is_warm() -> bool:
    """Whether everything is compiled."""
    return _mark().exists()


def warm_up() -> None:
    """Compile what is not compiled yet."""
    if is_warm():
        return
    mark = _mark()
    mark.parent.mkdir(parents=True, exist_ok=True)
    with mark.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_warm():
            return
        command = [sys.executable, "-m", "ringfence.shell.warm_up"]
        halves = [subprocess.Popen([*command, *half]) for half in _HALVES]  # noqa: S603  (its own)
        if all([half.wait() == 0 for half in halves]):  # noqa: C419  (all are waited for)
            mark.touch()


def load() -> None:
    """Have this process load what is compiled: a second or two, which the first calls would have to wait otherwise."""
    for half in _HALVES:
        _compile(half)


def _compile(steps: Sequence[str]) -> None:
    engine = Engine()
    engine.prepare(steps)
    if "live" in steps:
        Screen(engine).look(Arriving(1, 1, 2))


def _mark() -> Path:
    # machine code is kept for each folder that sources lie in: the same release installed twice is compiled twice;
    # and for each processor: an image that was built elsewhere is compiled again
    kept_for = (str(Path(__file__).parent), *cpu_target.target_context.codegen().magic_tuple())
    place = blake2b("\n".join(kept_for).encode(), digest_size=8).hexdigest()
    return cache_dir() / digest_of("detect") / f"complete-{place}"


if __name__ == "__main__":
    if sys.argv[1:]:
        _compile(sys.argv[1:])
    else:
        warm_up()
