"""Alerts for the tests of the store, as the pipeline would hand them in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ringfence.model.alert import Alert, Episode, LedgerEntry, Victim
from ringfence.shell.store.alerts import AlertChange, What
from ringfence.shell.store.store import Store

T0 = 1_772_676_000_000_000  # 2026-03-05T02:00:00Z
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND


def number(n: int) -> str:
    return f"+86138{n:08d}"


def alert(
    n: int = 1,
    *,
    kind: str = "flood",
    subject: str | None = None,
    callers: tuple[str | None, ...] = (None,),
    **more: Any,
) -> Alert:
    raised = more.pop("raised_at", T0 + n * MINUTE)
    episodes = more.pop("episodes", [Episode(raised, f"c{n}", raised - MINUTE, raised)])
    ledger = [
        LedgerEntry(
            raised - SECOND, f"c{n}", caller, 1, 84.0, "stranger, 84 s after the last", "陌生号码", 5.2, 5.2
        )
        for caller in callers
    ]
    return Alert(
        kind, subject or number(n), raised, f"c{n}", 21.4, more.pop("probability", 0.97), "hang up", "接起就挂",
        ledger, episodes, **more,
    )  # fmt: skip


def victim(*numbers: str) -> Victim:
    return Victim(stage="grip", stages={"grip": T0}, numbers=list(numbers), cell="cell-1", on_call=True)


def change(
    one: Alert,
    what: What = "raised",
    n: int = 1,
    *,
    at: int | None = None,
    observations: Any = (),
    **fields: Any,
) -> AlertChange:
    at = one.raised_at + (n - 1) * SECOND if at is None else at
    return AlertChange(one.alert_id, what, n, at, {**one.as_dict(), **fields}, observations)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as store:
        yield store
