"""What a channel is, and how channels are found.

A channel is one file in this package that defines

- `NAME`: how the configuration calls it; `TITLE`: one line for the documentation;
- `CONTENT_TYPE`: of what it writes;
- `TELLS`: the types of events that it has a form for;
- `body(event)`: the bytes that tell of such an event, the same for the same event.

Adding a channel is adding such a file: nothing else names it, and `tests/contract/test_every_channel.py` runs over it.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol, cast

import ringfence.channels

TYPES: Final = ("alert.raised", "alert.changed", "alert.closed", "alert.reopened", "alert.status")
"""What an event can tell: the last one, that a person said something of the alert."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is told.

    Attributes:
        id: the same however often it is told.
        type: one of `TYPES`.
        at: µs since 1970, UTC.
        alert: in the form of the contract, with its `status`, `label` and `version`.
    """

    id: str
    type: str
    at: int
    alert: Mapping[str, Any]


class Channel(Protocol):
    """The module of a channel."""

    NAME: str
    TITLE: str
    CONTENT_TYPE: str
    TELLS: tuple[str, ...]

    def body(self, event: Event) -> bytes:
        """Return what tells of an event of a type that the channel tells."""


@cache
def channels() -> dict[str, Channel]:
    """All channels found, by name."""
    found: dict[str, Channel] = {}
    for module in pkgutil.iter_modules(ringfence.channels.__path__):
        loaded = importlib.import_module(f"{ringfence.channels.__name__}.{module.name}")
        if hasattr(loaded, "body"):
            found[loaded.NAME] = cast("Channel", loaded)
    return found
