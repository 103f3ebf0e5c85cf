"""The commands of Ringfence, as a user gives them."""

import subprocess
import sys
from typing import Final

_RUN: Final = "from ringfence.cli.main import run; run()"


def ringfence(*said: object) -> None:
    """Run a command in a process of its own; an error is raised if it fails."""
    command = [sys.executable, "-c", _RUN, *map(str, said)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
