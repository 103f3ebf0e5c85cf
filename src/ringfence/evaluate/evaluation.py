"""The whole evaluation: alerts and truth in, one document out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ringfence.evaluate.alerts import Alerts, read_alerts
from ringfence.evaluate.inputs import Flags, Floats, InputError
from ringfence.evaluate.kinds import kinds
from ringfence.evaluate.reliability import reliability
from ringfence.evaluate.truth import DAY, Truth, read_truth
from ringfence.model.alert import rfc3339

FORMAT: Final = "ringfence-evaluation/1"
_AFTER: Final = 2 * DAY
"""Alerts may be raised so long after the records end."""


def evaluate(alerts_path: Path, truth_path: Path, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """Hold alerts against the truth.

    Args:
        alerts_path: alerts.jsonl, alerts.parquet or a scan's folder.
        truth_path: truth.json or a simulation's folder.
        wanted: kinds of alert; None: those that occur in the alerts or in the truth.

    Returns:
        The document that docs/evaluate.md describes: plain values, ready for JSON.

    Raises:
        InputError: a file is missing, broken or something else; the two do not belong together; or a kind is unknown.
    """
    known = kinds()
    strange = [name for name in wanted or () if name not in known]
    if strange:
        raise InputError(f"no kind of alert is called {strange[0]!r}; there are {', '.join(known)}")
    alerts, truth = read_alerts(alerts_path), read_truth(truth_path)
    _check_times(alerts, truth)
    there = alerts.kinds()
    chosen = [name for name in known if name in (wanted or {*there, *truth.crime.tolist()})]
    found: dict[str, Any] = {}
    said: list[tuple[str, Floats, Flags]] = []
    for name in chosen:
        mine = alerts.of(name)
        found[name], true = known[name].judge(mine, truth)
        said.append((name, mine.probability[mine.first], true))
    return {
        "format": FORMAT,
        "alerts": str(alerts_path),
        "truth": {
            "path": str(truth_path),
            "made_by": truth.made_by,
            "begins": rfc3339(truth.begins),
            "ends": rfc3339(truth.ends),
            "days": truth.days,
            "lines": sum(truth.lines.values()),
            "episodes": len(truth.ids),
        },
        "kinds": found,
        "reliability": _reliability(said),
        "not_judged": {name: count for name, count in there.items() if name not in chosen},
    }


def _check_times(alerts: Alerts, truth: Truth) -> None:
    inside = (alerts.raised_at >= truth.begins) & (alerts.raised_at <= truth.ends + _AFTER)
    if len(alerts) and not inside.any():
        first, last = rfc3339(int(alerts.raised_at[0])), rfc3339(int(alerts.raised_at[-1]))
        raise InputError(
            f"{truth.path}: is the truth of other calls: it begins {rfc3339(truth.begins)} and ends {rfc3339(truth.ends)},"
            f" the alerts are of {first} to {last}"
        )


def _reliability(said: list[tuple[str, Floats, Flags]]) -> dict[str, Any]:
    """For all alerts together and for each kind."""
    whole = [
        (
            "all",
            np.concatenate([[], *(p for _, p, _ in said)]),
            np.concatenate([[], *(t for _, _, t in said)]).astype(np.bool_),
        )
    ]
    return {name: reliability(probability, true) for name, probability, true in [*whole, *said]}
