"""What the doctor looks at, and what it finds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ringfence.shell.service.settings import Config

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, in English and Chinese; `do`: what to do about it, likewise."""

    level: Level
    what: tuple[str, str]
    do: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at.

    Attributes:
        config: as it could be read, else the defaults.
        path: the file of the configuration; mistakes: why it cannot be used.
        env: the environment.
    """

    config: Config
    path: Path | None = None
    mistakes: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None


Check = Callable[[Patient], Iterator[Finding]]
