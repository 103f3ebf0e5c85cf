"""Every channel that is found, over every kind of alert. A new channel is tested by adding it."""

import ast
import copy
import json
from pathlib import Path
from typing import Any

import pytest

import ringfence.channels
from ringfence.channels.channel import TYPES, Event, channels
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.text_detectors import ALL_DETECTORS
from ringfence.model.alert import Alert, Demand, Episode, LedgerEntry, Victim

FILES = sorted(Path(ringfence.channels.__file__).parent.glob("*.py"))
KINDS = sorted({detector.NAME for detector in [*DETECTORS, *ALL_DETECTORS]} | {"one that is not there yet"})
T0 = 1_772_676_000_000_000


def alert(kind: str, *, full: bool) -> dict[str, Any]:
    """An alert with everything that one can have, or with nothing that it need not have."""
    ledger = [LedgerEntry(T0, "c1", None, 1, 84.0, "stranger", "陌生号码", 5.2, 5.2)]
    one = Alert(
        kind,
        "+8613800000001",
        T0,
        "c1" if full else "",
        21.4,
        0.97,
        "hang up",
        "接起就挂",
        ledger if full else [],
    )
    if full:
        one.episodes = [Episode(T0, "c1", T0, T0, T0, 60.0, 5, 3)]
        one.callee, one.trunk, one.case, one.text_id = "+8613800000002", "t-1", "flood-1", "00ff"
        one.victim = Victim("grip", {"grip": T0}, ["+8613800000001"])
        one.demand = Demand(500.0, "CNY")
    return {**one.as_dict(), "status": "new", "label": None, "version": 0}


EVENTS = [
    Event(f"{kind}:{type_}:1", type_, T0, alert(kind, full=full))
    for kind in KINDS
    for type_ in TYPES
    for full in (True, False)
]


@pytest.mark.parametrize("name", sorted(channels()))
def test_a_channel_says_what_it_is(name: str) -> None:
    channel = channels()[name]
    assert name == channel.NAME
    assert channel.TITLE
    assert "\n" not in channel.TITLE
    assert "/" in channel.CONTENT_TYPE
    assert channel.TELLS
    assert set(channel.TELLS) <= set(TYPES)
    assert "alert.raised" in channel.TELLS


@pytest.mark.parametrize("name", sorted(channels()))
def test_it_tells_every_event_that_it_says_it_tells(name: str) -> None:
    channel = channels()[name]
    for event in EVENTS:
        if event.type in channel.TELLS:
            before = copy.deepcopy(event)
            told = channel.body(event)
            assert told
            assert told == channel.body(event), (
                "the same event, the same bytes: a receiver can tell a repetition"
            )
            assert event == before
            if channel.CONTENT_TYPE == "application/json":
                json.loads(told.decode("utf-8"))


@pytest.mark.parametrize("name", sorted(channels()))
def test_different_events_are_told_differently(name: str) -> None:
    channel = channels()[name]
    told = [channel.body(event) for event in EVENTS if event.type in channel.TELLS]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_channels_have_no_sockets_no_clock_and_no_chance(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
            assert not (node.module or "").startswith(("ringfence.shell", "ringfence.cli"))
    assert not imported & {
        "socket",
        "asyncio",
        "http",
        "httpx",
        "smtplib",
        "subprocess",
        "time",
        "random",
        "secrets",
        "os",
    }
