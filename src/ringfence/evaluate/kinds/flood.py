"""Floods: how many calls, and how long, until the line under attack was recognised."""

from collections.abc import Iterator
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.attacks import alert_is_true, counts, match_attacks
from ringfence.evaluate.delay import delay_tables, delays
from ringfence.evaluate.false_alarms import false_alarms, place_false_alarms
from ringfence.evaluate.inputs import Flags
from ringfence.evaluate.table import false_alarm_tables
from ringfence.evaluate.truth import Truth

NAME: Final = "flood"
TITLE: Final = "Floods of calls"
SLACK_S: Final = 600.0
"""The last call of a flood may decide at its end or by a minute that passes, after it began: ten minutes."""
ROLES: Final = ("attack",)


def judge(alerts: Alerts, truth: Truth) -> tuple[dict[str, Any], Flags]:
    """Floods recognised, delays by shape, false alarms."""
    matched = match_attacks(alerts, truth, NAME, SLACK_S)
    found = counts(alerts, matched, truth) | delays(alerts, matched, truth, ROLES)
    found["false_alarms"] = false_alarms(alerts, matched, truth, place_false_alarms(alerts, matched, truth))
    found["slack_s"] = SLACK_S
    return found, alert_is_true(alerts, matched.hit)


def tables(found: dict[str, Any]) -> Iterator[Table | Text]:
    """By shape; then the false alarms."""
    yield from delay_tables("attack", found)
    yield from false_alarm_tables(found["false_alarms"])
