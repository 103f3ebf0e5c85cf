"""Scam calls: whether the victim was recognised before the money went, and with how much time to act."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from rich.table import Table
from rich.text import Text

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.attacks import SECOND, alert_is_true, counts, match_attacks, recall
from ringfence.evaluate.false_alarms import false_alarms, place_false_alarms
from ringfence.evaluate.inputs import NEVER, Flags
from ringfence.evaluate.intervals import share, spread
from ringfence.evaluate.table import add_row, false_alarm_tables, minutes, new_table, percent
from ringfence.evaluate.truth import Truth

NAME: Final = "scam_call"
TITLE: Final = "Scam calls"
SLACK_S: Final = 6 * 3600.0
"""The last call may hold its victim for hours: six hours after its set-up, or after the transfer."""


def judge(alerts: Alerts, truth: Truth) -> tuple[dict[str, Any], Flags]:
    """Victims recognised, before the transfer, minutes after the long call began, lead before the transfer, false alarms."""
    alerts = _of_persons(alerts, truth)
    matched = match_attacks(alerts, truth, NAME, SLACK_S)
    places = matched.attacks
    grip, transfer = truth.times("grip_began", places), truth.times("transfer_at", places)
    at = np.where(matched.recognised, np.append(alerts.raised_at, NEVER)[matched.first], NEVER)
    # Somebody under the alert of an earlier scam was known throughout; there is no moment to tell.
    in_time = (at < transfer) | matched.covered
    paid = transfer != NEVER
    after_grip = (at - grip) / (60 * SECOND)
    lead = np.where(paid, transfer - at, 0) / (60 * SECOND)

    gripped = grip != NEVER

    def among(chosen: Flags) -> dict[str, Any]:
        seen = chosen & matched.recognised
        missed = int((chosen & matched.missed & gripped).sum())
        return {
            "recall": recall(matched, chosen),
            "before_transfer": share(int((chosen & paid & in_time).sum()), int((chosen & paid).sum())),
            "before_grip": share(int((seen & gripped & (at < grip)).sum()), int((chosen & gripped).sum())),
            "minutes_after_grip": spread(after_grip[seen & gripped], missed),
            "lead_minutes": spread(lead[seen & paid & in_time]),
        }

    found = counts(alerts, matched, truth) | among(np.ones(len(places), dtype=np.bool_))
    for field, values in (("behind", truth.words("behind", places)), ("shape", truth.shape[places])):
        found[f"by_{field}"] = {value: among(values == value) for value in sorted(set(values.tolist()))}
    found["false_alarms"] = false_alarms(alerts, matched, truth, place_false_alarms(alerts, matched, truth))
    found["slack_s"] = SLACK_S
    return found, alert_is_true(alerts, matched.hit)


def _of_persons(alerts: Alerts, truth: Truth) -> Alerts:
    """The same alerts; one at a victim's second number is at the victim."""
    places = truth.of(NAME)
    of = {
        second: subject
        for second, subject in zip(
            truth.words_if_told("second_number", places),
            truth.subject.take(pa.array(places)).to_pylist(),
            strict=True,
        )
        if second
    }
    subjects = [of.get(subject, subject) for subject in alerts.subject.to_pylist()]
    return replace(alerts, subject=pa.array(subjects, pa.string()))


def tables(found: dict[str, Any]) -> Iterator[Table | Text]:
    """By what stands behind the calls and by shape; then the false alarms."""
    table = new_table(
        "scam",
        "number",
        "recognised\n(interval)",
        "before transfer\n(interval)",
        "after grip:\nhalf",
        "\n95 %",
        "lead:\nhalf",
        "\nleast",
    )
    groups = {f"from {name}": each for name, each in found["by_behind"].items()} | found["by_shape"]
    for name, each in [*groups.items(), ("all", found)]:
        grip, lead = each["minutes_after_grip"], each["lead_minutes"]
        add_row(
            table,
            name,
            f"{each['recall']['of']:,}",
            percent(each["recall"]),
            percent(each["before_transfer"]),
            minutes(grip, "median_of_all"),
            minutes(grip, "p95_of_all"),
            minutes(lead, "median"),
            minutes(lead, "min"),
        )
    yield table
    yield Text(
        "grip: the long call; half and 95 %: of all, the missed ones as never; lead: from alert to transfer"
    )
    yield from false_alarm_tables(found["false_alarms"])
