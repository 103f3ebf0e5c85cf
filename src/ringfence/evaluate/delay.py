"""How late attacks were recognised, in calls and in seconds, by shape."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.attacks import SECOND, Matched, recall
from ringfence.evaluate.inputs import Flags, Floats
from ringfence.evaluate.intervals import spread
from ringfence.evaluate.match import begun
from ringfence.evaluate.table import add_row, calls, new_table, percent, seconds
from ringfence.evaluate.truth import Truth


def _delay(alerts: Alerts, matched: Matched, truth: Truth, roles: tuple[str, ...]) -> tuple[Floats, Floats]:
    """For each attack how many of its calls had begun when it was recognised, and seconds since it began; NaN: it was not."""
    known = matched.recognised
    at, places = alerts.raised_at[matched.first[known]], matched.attacks[known]
    counted = truth.labels.has(*roles)
    in_calls, in_seconds = np.full(len(known), np.nan), np.full(len(known), np.nan)
    in_calls[known] = begun(truth.labels.episode[counted], truth.labels.start[counted], places, at)
    in_seconds[known] = (at - truth.start[places]) / SECOND
    return in_calls, in_seconds


def delays(alerts: Alerts, matched: Matched, truth: Truth, roles: tuple[str, ...]) -> dict[str, Any]:
    """Recall and delays of all attacks and by shape; the missed ones are later than any, the covered ones left out.

    Args:
        alerts: of one kind.
        matched: what became of them.
        truth: what happened.
        roles: of the calls that an attack is counted by.
    """
    in_calls, in_seconds = _delay(alerts, matched, truth, roles)

    def among(chosen: Flags) -> dict[str, Any]:
        kept, missed = chosen & matched.recognised, int((chosen & matched.missed).sum())
        return {
            "recall": recall(matched, chosen),
            "delay_calls": spread(in_calls[kept], missed),
            "delay_s": spread(in_seconds[kept], missed),
        }

    shapes = truth.shape[matched.attacks]
    everything = among(np.ones(len(shapes), dtype=np.bool_))
    return {
        **everything,
        "by_shape": {shape: among(shapes == shape) for shape in sorted(set(shapes.tolist()))},
    }


def delay_tables(what: str, found: dict[str, Any]) -> Iterator[Table | Text]:
    """Recall and delays by shape."""
    table = new_table(
        what,
        "number",
        "recognised (interval)",
        "by call: half",
        "95 %",
        "latest",
        "after: half",
        "95 %",
        "latest",
    )
    for shape, each in [*found["by_shape"].items(), ("all", found)]:
        in_calls, in_seconds = each["delay_calls"], each["delay_s"]
        add_row(
            table,
            shape,
            f"{each['recall']['of']:,}",
            percent(each["recall"]),
            *(calls(in_calls, part) for part in ("median_of_all", "p95_of_all", "max")),
            *(seconds(in_seconds, part) for part in ("median_of_all", "p95_of_all", "max")),
        )
    yield table
    yield Text("half and 95 %: of all, the missed ones as never; latest: of the recognised")
