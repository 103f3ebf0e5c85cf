"""What became of alerts, in the form in which the store keeps them and the world is told."""

from collections.abc import Iterator
from typing import Any, Final

from ringfence.detect.evidence import ENDED, RAISED, REOPENED
from ringfence.model.alert import Alert, LedgerEntry
from ringfence.report.story import Story
from ringfence.shell.store.alerts import AlertChange

MOST_OBSERVATIONS: Final = 400
"""Observations of an alert that are kept with it, the newest."""


def changes_of(story: Story, what: set[int]) -> Iterator[AlertChange]:
    """What an alert went through, in order; at least that it is as it is now.

    Every event is counted by the episode it belongs to, a change by how far the alert has come: so the events are the same
    however the journal's records were taken together, but that changes which follow one another closely may be told as one.
    """
    alert = story.alert
    document, seen = alert.as_dict(), [observed(one) for one in story.entries[-MOST_OBSERVATIONS:]]
    episodes = alert.episodes
    if RAISED in what:
        yield AlertChange(alert.alert_id, "raised", 1, alert.raised_at, document, seen)
    if REOPENED in what:
        yield AlertChange(alert.alert_id, "reopened", len(episodes), episodes[-1].raised_at, document, seen)
    closed = alert.closed_at
    if ENDED in what and closed is not None:
        yield AlertChange(alert.alert_id, "closed", len(episodes), closed, document, seen)
        return
    yield AlertChange(alert.alert_id, "changed", _progress(alert), _latest(alert), document, seen)


def observed(entry: LedgerEntry) -> dict[str, Any]:
    """An observation, in both languages."""
    return {
        **entry.as_dict(),
        "what_zh": entry.text_zh,
        "total": round(entry.total, 2),
        "code": entry.what,
        "value": round(entry.value, 2),
        "cell": entry.cell,
        "other": entry.other,
    }


def _progress(alert: Alert) -> int:
    """How far an alert has come; 0: it only goes on, which is no event."""
    if alert.victim is None:
        return 0
    stages = max(len(alert.victim.stages) - 1, 0)
    return stages + max(len(alert.victim.numbers) - 1, 0) + len(alert.victim.payments)


def _latest(alert: Alert) -> int:
    stages = alert.victim.stages.values() if alert.victim else ()
    return max([alert.raised_at, *map(int, stages)])
