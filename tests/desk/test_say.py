"""What is said of an alert at the desk is written down before it is done."""

import asyncio
from types import SimpleNamespace
from typing import Any

from ringfence.desk.page import Page
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.tokens import Principal

NUMBER = "+8613800000001"


def say(done: list[Any], *, full: bool = False) -> str:
    """Say something at a desk; what was done, in order."""

    async def audit(who: Principal, what: str, number: str, about: str) -> None:
        if full:
            raise StoreError("the disk is full")
        done.append((who.name, what, number, about))

    def mark(alert_id: str, status: str, **_: Any) -> Any:
        done.append((alert_id, status))
        return SimpleNamespace(status=status)

    service = SimpleNamespace(store=SimpleNamespace(marks=SimpleNamespace(mark=mark)), clock=lambda: 1)
    context = SimpleNamespace(
        service=service, requests=SimpleNamespace(take=lambda *_: 0), audit=audit, wake=lambda: None
    )
    page: Any = SimpleNamespace(
        _may=lambda _: Principal("desk", frozenset({"alerts:write"})), _context=context, _hub=None
    )
    row = SimpleNamespace(
        key="a1",
        alert=SimpleNamespace(alert_id="a1", version=0),
        story=SimpleNamespace(alert=SimpleNamespace(subject=NUMBER)),
    )
    shown: Any = SimpleNamespace(row=row)
    return asyncio.run(Page.say(page, shown, "confirmed", None)).en


def test_it_is_written_down_first() -> None:
    done: list[Any] = []
    say(done)
    assert done == [("desk", "alert.mark", NUMBER, "a1"), ("a1", "confirmed")]


def test_what_cannot_be_written_down_is_not_done() -> None:
    done: list[Any] = []
    assert "the disk is full" in say(done, full=True)
    assert done == []
