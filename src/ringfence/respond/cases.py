"""Cases: alerts that belong together, joined as they are raised.

- A flood and a text that demands money, to the same person within `SAME_DAYS`, are one case. The newspaper's floods last two days, over a
  weekend, and go on for four after the payment; the text comes while they last or within a day. Three days to either side hold that, and
  two cases of one person are seldom nearer. The same holds for a text and a scam call.
- Alerts of scam calls whose numbers overlap (the person's own, and those at which he can be reached) are one case within `WATCHED`:
  victims are led to a second number, so that the squad cannot reach them.

An alert's case is decided when it is raised, from alerts raised before it, and never changes: the id of a case is that of its first alert. Where an alert
belongs to several cases it goes to the oldest, and the others stay cases of their own.
"""

from collections.abc import Iterable
from typing import Final

from ringfence.model.alert import Alert

DAY: Final = 86_400_000_000
SAME_DAYS: Final = 3 * DAY
WATCHED: Final = 45 * DAY
"""How long a person who was called by scammers is watched."""

FLOOD: Final = "flood"
TEXT: Final = "extortion_text"
SCAM_CALL: Final = "scam_call"
KINDS: Final = (FLOOD, TEXT, SCAM_CALL)
"""Kinds of alert whose subject is a victim; others make no cases."""


class Cases:
    """Cases so far. Alerts are held, not copied: that an attack was closed since is seen."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[Alert, str]]] = {}

    def place(self, alert: Alert) -> str | None:
        """Find the case of an alert that was just raised, and set it; None: its kind makes no cases."""
        if alert.kind not in KINDS:
            return None
        numbers = _numbers(alert)
        linked = [
            (other.raised_at, case)
            for number in numbers
            for other, case in self._of.get(number, ())
            if other is not alert and belong_together(other, alert)
        ]
        alert.case = min(linked)[1] if linked else alert.alert_id
        for number in numbers:
            self._of.setdefault(number, []).append((alert, alert.case))
        return alert.case

    def case_of(self, alert: Alert) -> str | None:
        """The case that an alert of this id was given; None: none."""
        known = (case for other, case in self._of.get(alert.subject, ()) if other.alert_id == alert.alert_id)
        return next(known, None)

    def forget(self, before: int) -> None:
        """Forget alerts raised before a time, µs."""
        kept = {
            number: [one for one in alerts if one[0].raised_at >= before]
            for number, alerts in self._of.items()
        }
        self._of = {number: alerts for number, alerts in kept.items() if alerts}


def join(alerts: Iterable[Alert]) -> None:
    """Set the case of every alert, whatever their order."""
    cases = Cases()
    for alert in sorted(alerts, key=order):
        cases.place(alert)


def order(alert: Alert) -> tuple[int, bool, str, str]:
    """Order of time; at one moment a text comes last: it may have been recognised by its flood."""
    return alert.raised_at, alert.kind == TEXT, alert.kind, alert.alert_id


def belong_together(earlier: Alert, later: Alert) -> bool:
    """Whether an alert belongs to the case of one that was raised before it, of the same number."""
    if earlier.kind == later.kind == SCAM_CALL:
        return later.raised_at - earlier.raised_at <= WATCHED
    if TEXT not in (earlier.kind, later.kind) or earlier.subject != later.subject:
        return False
    return earlier.kind != later.kind and quiet_for(earlier, later.raised_at) <= SAME_DAYS


def quiet_for(alert: Alert, time: int) -> int:
    """How long before a time an alert's crime was last going on, by what was known then, µs; 0: it still was."""
    last = alert.raised_at
    for episode in alert.episodes:
        if episode.raised_at > time:
            break
        if alert.kind == TEXT:
            last = episode.last_call_at if episode.last_call_at <= time else last
        else:
            last = time if episode.closed_at is None else min(episode.closed_at, time)
    return time - last


def _numbers(alert: Alert) -> list[str]:
    """The person's number and, of a scam call, the numbers where he can be reached."""
    others = alert.victim.numbers if alert.victim is not None else []
    return list(dict.fromkeys([alert.subject, *others]))
