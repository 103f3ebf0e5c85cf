"""What all open pages show, read from the service once for all of them.

Figures come from memory. Alerts are read from the store, which is the truth of what people said and what was erased, and only after
something changed: one look a second at the most, some dozen alerts with their observations in it, however many pages are open.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, select

from ringfence.desk import live, pictures, render
from ringfence.desk.kept import Kept, Shown
from ringfence.detect import forged_caller
from ringfence.report.words import Clock
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.wiring import DEMO, REPLAY
from ringfence.shell.store.alerts import AlertChange, StoredAlert
from ringfence.shell.store.schema import ALERTS
from ringfence.shell.store.search import Wanted

MOST_ATTACKS: Final = 60
"""Open attacks that are shown, the newest."""
MOST_OVER: Final = 12
MOST_LINES: Final = 12
MOST_TEXTS: Final = 8
MOST_FORGED: Final = 1_000
"""Alerts of forged callers that are counted, the newest of the day."""
FORGED_S: Final = 5.0
_MOST_CHANGED: Final = 10_000
_DAY: Final = 86_400_000_000
_KINDS: Final = (*live.ATTACKS, live.TEXTS, live.LINES, forged_caller.NAME)


@dataclass(frozen=True, slots=True)
class View:
    """All that a page shows beside its figures.

    Attributes:
        now, over, lines, texts: alerts in the order in which they stand.
        more_now, more_lines: how many are left out.
        forged: HTML.
        known: the same alerts and all opened ones, by id.
    """

    now: list[Shown] = field(default_factory=list)
    over: list[Shown] = field(default_factory=list)
    lines: list[Shown] = field(default_factory=list)
    texts: list[Shown] = field(default_factory=list)
    more_now: int = 0
    more_lines: int = 0
    forged: str = ""
    known: dict[str, Shown] = field(default_factory=dict)


class Board:
    """What is shown.

    Args:
        context: of the application.
        speed: of the demonstration; None: these are real calls.

    Attributes:
        clock: the network's zone.
        view: as it was read last.
    """

    def __init__(self, context: Context, speed: float | None = None) -> None:
        self._service = context.service
        self._store = context.service.store
        self._speed = speed
        self._samples: deque[tuple[float, int]] = deque(maxlen=live.CURVE_SAMPLES + 1)
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._forged: tuple[float, tuple[int, int], str] = (0.0, (0, -1), "")
        self._today: tuple[tuple[str, int], ...] = tuple((kind, 0) for kind in _KINDS)
        self.clock = Clock(context.timezone)
        self._kept = Kept(self._store.alerts, self.clock)
        self.view = View()
        context.service.listen(self._note)

    def _note(self, changes: Sequence[AlertChange]) -> None:
        """Of the pipeline's thread: these alerts have changed."""
        with self._lock:
            self._changed.update(change.alert_id for change in changes)
            if len(self._changed) > _MOST_CHANGED:  # nobody looks: whatever is shown next is read anew
                self._changed.clear()
                self._kept = Kept(self._store.alerts, self.clock)

    def sample(self) -> None:
        """Take note of how many calls there were; once a second."""
        self._samples.append((time.monotonic(), self._service.pipeline.judged))

    def figures(self) -> live.Figures:
        """How the service is, from memory."""
        service, pipeline, health = self._service, self._service.pipeline, self._service.health()
        rates = pictures.smoothed(list(self._samples), live.RATE_SPAN_S)
        tallies = dict(pipeline.tallies)
        reasons: Counter[str] = Counter()
        for tally in tallies.values():
            reasons.update(dict(tally.rejected))
        lags = [tally.lag for name, tally in tallies.items() if name not in {DEMO, REPLAY, "clock"}]
        latest = sorted(pipeline.latency.newest)
        return live.Figures(
            state=health.state,
            trouble=tuple(health.trouble),
            now=pipeline.order.newest or None,
            rate=rates[-1] if rates else 0.0,
            curve=pictures.curve(rates, live.CURVE_SAMPLES),
            behind=max(service.journal.last - pipeline.seq, 0),
            lag_s=max(lags) if lags else None,
            delay_s=latest[int(len(latest) * 0.99)] if latest else None,
            aside=reasons.total(),
            reason=reasons.most_common(1)[0][0] if reasons else None,
            today=self._today,
            speed=self._speed,
        )

    def refresh(self, opened: Iterable[str] = ()) -> View:
        """Read what has changed; blocks until the store has answered.

        Args:
            opened: alerts that somebody has opened.

        Raises:
            StoreError: it cannot be read.
        """
        with self._lock:
            changed, self._changed = self._changed, set()
        try:
            with self._looking:
                self.view = self._read(set(opened), changed)
        except Exception:
            with self._lock:
                self._changed |= changed
            raise
        return self.view

    def _read(self, opened: set[str], changed: set[str]) -> View:
        now, kept = self._service.pipeline.order.newest, self._kept
        begin = live.midnight(self.clock, now)
        attacks = self._search(kinds=live.ATTACKS, is_open=True, limit=MOST_ATTACKS)
        over = self._search(kinds=live.ATTACKS, is_open=False, since=begin - _DAY, limit=MOST_OVER)
        lines = self._search(kinds=(live.LINES,), is_open=True, limit=MOST_LINES)
        texts = self._search(kinds=(live.TEXTS,), since=begin - _DAY, limit=MOST_ATTACKS)
        today, still = self._counts(begin)
        self._today = tuple((kind, today.get(kind, 0)) for kind in _KINDS)
        kept.begin(changed, now, texts)
        view = View(
            now=kept.shown(attacks),
            over=kept.shown(over),
            lines=kept.shown(lines),
            texts=kept.shown(_alone(texts, [*attacks, *over])[:MOST_TEXTS]),
            more_now=max(sum(still.get(kind, 0) for kind in live.ATTACKS) - len(attacks), 0),
            more_lines=max(still.get(live.LINES, 0) - len(lines), 0),
            forged=self._count_forged(begin, today.get(forged_caller.NAME, 0)),
        )
        for some in (view.now, view.over, view.lines, view.texts):
            view.known.update((one.row.key, one) for one in some)
        for alert_id in opened - view.known.keys():
            if (alert := self._store.alerts.get(alert_id)) is not None:
                view.known[alert_id] = kept.one(alert)
        waiting = kept.end(set(view.known))
        with self._lock:
            self._changed |= waiting
        return view

    def _search(self, **wanted: Any) -> list[StoredAlert]:
        return self._store.alerts.search(Wanted(**wanted)).alerts

    def _counts(self, begin: int) -> tuple[dict[str, int], dict[str, int]]:
        """By kind: how many were raised since the day began, and how many are open."""
        columns = ALERTS.c
        by_kind = select(columns.kind, func.count()).group_by(columns.kind)
        with self._store.database.reading() as connection:
            today = dict(map(tuple, connection.execute(by_kind.where(columns.raised_at >= begin))))
            still = dict(map(tuple, connection.execute(by_kind.where(columns.closed_at.is_(None)))))
        return today, still

    def _count_forged(self, begin: int, count: int) -> str:
        """Forged callers of the day as HTML; counted anew every few seconds, where there are more."""
        at, counted, html = self._forged
        known = counted == (begin, count) or (counted[0] == begin and time.monotonic() - at < FORGED_S)
        if html and known:
            return html
        found = self._search(kinds=(forged_caller.NAME,), since=begin, limit=MOST_FORGED)
        documents = [one.document for one in found]
        html = render.forged(live.forged_of(documents, partial=count > MOST_FORGED))
        self._forged = time.monotonic(), (begin, count), html
        return html


def _alone(texts: Sequence[StoredAlert], attacks: Sequence[StoredAlert]) -> list[StoredAlert]:
    """Texts whose case has no attack on the desk."""
    cases = {one.document.get("case") for one in attacks} - {None}
    return [one for one in texts if one.document.get("case") not in cases]
