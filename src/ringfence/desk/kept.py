"""Alerts that are on the desk, drawn once and kept until they change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ringfence.desk import live, render
from ringfence.report.words import Clock
from ringfence.shell.store.alerts import AlertStore, StoredAlert

MOST_LOADED: Final = 40
"""Alerts that are read with their observations in one look; the others wait for the next."""


@dataclass(slots=True)
class Shown:
    """An alert on the desk: its row as HTML; the rest is drawn when somebody opens it."""

    row: live.Row
    html: str
    _detail: str | None = None

    def detail(self, clock: Clock) -> str:
        """The alert opened, as HTML."""
        if self._detail is None:
            self._detail = render.detail(self.row, clock)
        return self._detail


@dataclass(frozen=True, slots=True)
class _One:
    alert: StoredAlert
    texts: list[StoredAlert]
    shown: Shown


class Kept:
    """The alerts that were drawn. One look after the other: `begin`, then `shown` and `one`, then `end`.

    Args:
        alerts: the store.
        clock: the network's zone.
    """

    def __init__(self, alerts: AlertStore, clock: Clock) -> None:
        self._alerts = alerts
        self._clock = clock
        self._drawn: dict[str, _One] = {}
        self._changed: set[str] = set()
        self._waiting: set[str] = set()
        self._texts: Sequence[StoredAlert] = ()
        self._now = 0
        self._loaded = 0

    def begin(self, changed: set[str], now: int, texts: Sequence[StoredAlert]) -> None:
        """Begin a look.

        Args:
            changed: ids of alerts with new observations.
            now: µs, the network's time.
            texts: alerts of texts; they are told with the attack of their case.
        """
        self._changed, self._now, self._texts = changed, now, texts
        self._waiting, self._loaded = set(), 0

    def shown(self, alerts: Sequence[StoredAlert]) -> list[Shown]:
        """Alerts as they stand on the desk."""
        return [self.one(alert) for alert in alerts]

    def one(self, alert: StoredAlert) -> Shown:
        """One of them: as it was drawn, or drawn anew.

        Args:
            alert: as the store has it now, its observations may be left out.
        """
        key, texts = alert.alert_id, self._of_its_case(alert)
        drawn = self._drawn.get(key)
        if (
            drawn is not None
            and key not in self._changed
            and _same(drawn.alert, alert)
            and drawn.texts == texts
        ):
            return drawn.shown
        if self._loaded >= MOST_LOADED:
            self._waiting.add(key)
            return self._draw(alert, texts) if drawn is None else drawn.shown
        self._loaded += 1
        whole = self._alerts.get(key) or alert
        shown = self._draw(whole, texts)
        self._drawn[key] = _One(whole, texts, shown)
        return shown

    def end(self, known: set[str]) -> set[str]:
        """End the look; returns the ids of those that are to be read in the next.

        Args:
            known: ids of all that are still on the desk.
        """
        self._drawn = {key: one for key, one in self._drawn.items() if key in known}
        return self._waiting

    def _draw(self, alert: StoredAlert, texts: Sequence[StoredAlert]) -> Shown:
        row = live.row_of(alert, self._clock, self._now, texts)
        return Shown(row, render.row(row))

    def _of_its_case(self, alert: StoredAlert) -> list[StoredAlert]:
        case = alert.document.get("case")
        if case is None or alert.document["kind"] == live.TEXTS:
            return []
        return [text for text in self._texts if text.document.get("case") == case]


def _same(one: StoredAlert, other: StoredAlert) -> bool:
    return one.version == other.version and one.status == other.status and one.document == other.document
