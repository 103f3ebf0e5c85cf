"""Fraud lines: which calling lines were recognised, how soon, and whose line was taken for one."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc
from rich.table import Table
from rich.text import Text

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.attacks import alert_is_true, counts, match_attacks
from ringfence.evaluate.delay import delay_tables, delays
from ringfence.evaluate.false_alarms import false_alarms, place_false_alarms
from ringfence.evaluate.inputs import Flags, Words
from ringfence.evaluate.match import flags
from ringfence.evaluate.table import false_alarm_tables
from ringfence.evaluate.truth import Truth

NAME: Final = "fraud_line"
TITLE: Final = "Fraud lines"
SLACK_S: Final = 86_400.0
"""What a line did shows a day later, when nobody has rung it back."""
ROLES: Final = ("fraud",)


def judge(alerts: Alerts, truth: Truth) -> tuple[dict[str, Any], Flags]:
    """Fraud lines recognised, delays by shape, false alarms."""
    matched = match_attacks(alerts, truth, NAME, SLACK_S)
    found = counts(alerts, matched, truth) | delays(alerts, matched, truth, ROLES)
    places = place_false_alarms(alerts, matched, truth, crime_of_deciding_call(alerts, truth))
    found["false_alarms"] = false_alarms(alerts, matched, truth, places)
    found["slack_s"] = SLACK_S
    return found, alert_is_true(alerts, matched.hit)


def crime_of_deciding_call(alerts: Alerts, truth: Truth) -> Words:
    """For each raising the other crime that its deciding call belongs to, "": none.

    A number that rings the victims of floods or scams need not be an episode of its own.
    """
    labels = truth.labels
    criminal = np.append((truth.crime != "") & (truth.crime != NAME), False)[labels.episode]
    rows = np.flatnonzero(criminal & flags(pc.is_in(labels.call_id, value_set=alerts.call_id.drop_null())))
    found = pc.fill_null(pc.index_in(alerts.call_id, value_set=labels.call_id.take(rows)), len(rows))
    crimes: Words = np.append(truth.crime[labels.episode[rows]], "")[found.to_numpy(zero_copy_only=False)]
    return crimes


def tables(found: dict[str, Any]) -> Iterator[Table | Text]:
    """By shape; then the false alarms."""
    yield from delay_tables("fraud line", found)
    yield from false_alarm_tables(found["false_alarms"])
