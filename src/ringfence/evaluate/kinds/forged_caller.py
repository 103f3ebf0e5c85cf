"""Forged caller ids: which forged calls and numbers were flagged, by how they were forged and by trunk, and which honest ones."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from rich.table import Table
from rich.text import Text

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.attacks import NAMED
from ringfence.evaluate.inputs import NEVER, Flags, InputError, Ints, Words
from ringfence.evaluate.intervals import share
from ringfence.evaluate.match import codes, distinct, flags, spans_of
from ringfence.evaluate.table import add_row, new_table, percent
from ringfence.evaluate.truth import DAY, Labels, Truth

NAME: Final = "forged_caller"
TITLE: Final = "Forged caller ids"
FORGED: Final = "forged_"
ROAMER: Final = "roamer"
CALL_BACK: Final = "emergency_call_back"
LOOK_ALIKE: Final = "look_alike"
ORDINARY: Final = "ordinary"
_ALONE: Final = (ROAMER, CALL_BACK)
_HONEST: Final = (*_ALONE, LOOK_ALIKE)
_UNKNOWN_NUMBERS: Final = (
    "calls.parquet is not beside the truth: of unknown numbers only calls that alerts name count as flagged"
)


def judge(alerts: Alerts, truth: Truth) -> tuple[dict[str, Any], Flags]:
    """Forged calls and numbers flagged by role and trunk; roamers', emergency services' and other honest calls flagged."""
    labels = truth.labels
    forged = labels.begins(FORGED)
    numbers = _shown(labels, forged | labels.has(*_HONEST), truth)
    flagged = _flagged(alerts, labels, numbers)
    own = alerts.take(alerts.first)
    true, cause = _judge_alerts(own, labels, forged, truth)
    calls, shown = codes(labels.call_id)[0], codes(numbers)[0]
    by_role, known = (labels.code, labels.names), forged & (shown >= 0)
    forged_calls = _shares(by_role, calls, flagged, forged, "by_role")
    found = {
        "alerts": len(true),
        "precision": share(int(true.sum()), len(true)),
        "calls": forged_calls,
        "numbers": _shares(by_role, shown, flagged, known, "by_role"),
        "trunks": _shares(_trunks(labels, truth), calls, flagged, forged, "by_trunk")["by_trunk"],
        "honest_calls": _honest(labels, truth, calls, flagged),
        "false_alerts": {
            "count": int((~true).sum()),
            "by_call": dict(sorted(Counter(cause[~true].tolist()).items())),
            "of_honest_calls": _of_honest_calls(int((~true).sum()), forged_calls["all"]["of"], truth),
            "examples": own.alert_id.take(np.flatnonzero(~true)[:NAMED]).to_pylist(),
        },
        "notes": [] if truth.records else [_UNKNOWN_NUMBERS],
    }
    return found, true


def _of_honest_calls(false: int, forged: int, truth: Truth) -> dict[str, Any] | None:
    """False alerts among all calls that are not forged; None: nobody knows how many there were."""
    if truth.records is None:
        return None
    return share(false, max(pads.dataset(truth.records).count_rows() - forged, false))


def _shown(labels: Labels, wanted: Flags, truth: Truth) -> Any:
    """The number shown in each labelled call, as Arrow strings; null: withheld, not wanted or not known."""
    of_forgery = np.append(
        np.where(truth.crime == NAME, np.arange(len(truth.ids)), len(truth.ids)), len(truth.ids)
    )
    subjects = pa.concat_arrays([truth.subject, pa.nulls(1, pa.string())])
    told = subjects.take(pa.array(of_forgery[labels.episode]))
    if truth.records is None:
        return told
    ids = pc.unique(labels.call_id.take(np.flatnonzero(wanted))).drop_null()
    try:
        rows = pq.read_table(
            truth.records, columns=["call_id", "caller"], filters=pc.field("call_id").isin(ids)
        )
        known = rows["call_id"].combine_chunks().cast(pa.string())
        callers = rows["caller"].combine_chunks().cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"{truth.records}: is not a table of calls: {str(error).splitlines()[0][:200]}"
        ) from error
    return pc.coalesce(callers.take(pc.index_in(labels.call_id, value_set=known)), told)


def _flagged(alerts: Alerts, labels: Labels, numbers: Any) -> Flags:
    """Which labelled calls an alert names or stands for.

    An alert stands for the calls of its number from raised_at to its last_call_at; where that is not told, and it is the only one of
    its number on that day (UTC), to the end of the day.
    """
    named = flags(pc.is_in(labels.call_id, value_set=alerts.call_id.drop_null()))
    subjects, shown = codes(alerts.subject, numbers)
    day = alerts.raised_at // DAY
    _, which, many = np.unique(np.stack([subjects, day]), axis=1, return_inverse=True, return_counts=True)
    alone = many[which.ravel()] == 1
    until = np.where(
        alerts.last_call_at != NEVER,
        alerts.last_call_at,
        np.where(alone, (day + 1) * DAY - 1, alerts.raised_at - 1),
    )
    stood_for = spans_of(shown, labels.start, subjects, alerts.raised_at, until) >= 0
    return np.asarray(named | stood_for, dtype=np.bool_)


def _judge_alerts(alerts: Alerts, labels: Labels, forged: Flags, truth: Truth) -> tuple[Flags, Words]:
    """Whether the call that decided was forged; if not, what it was: its label, the crime it belongs to, else `ORDINARY`."""
    honest = labels.has(*_HONEST)
    # a call may have two rows: that it was forged counts before a label, and that before another crime
    order = np.argsort(np.where(forged, 0, np.where(honest, 1, 2)), kind="stable")
    place = pc.index_in(alerts.call_id, value_set=labels.call_id.take(pa.array(order)))
    at = np.append(order, -1)[pc.fill_null(place, len(order)).to_numpy(zero_copy_only=False)]
    at[flags(pc.is_null(alerts.call_id))] = -1
    cause: Words = np.append(truth.crime, "")[np.append(labels.episode, -1)[at]]
    labelled = np.append(honest, False)[at]
    cause[labelled] = labels.role_of(at[labelled])
    cause[cause == ""] = ORDINARY
    true = np.append(forged, False)[at]
    return np.asarray(true, dtype=np.bool_), cause


def _shares(
    groups: tuple[Ints, Words], things: Ints, flagged: Flags, among: Flags, by: str
) -> dict[str, Any]:
    """Shares of distinct things (calls, numbers) of which at least one row is flagged.

    Args:
        groups: the group of each row, and the names of the groups; "" is none.
        things: of each row, not negative among those counted.
        flagged: of each row.
        among: which rows are counted.
        by: key of the shares by group; that of all is "all".
    """
    group, names = groups
    group, things, flagged = group[among], things[among], flagged[among]
    pairs = group * (things.max(initial=0) + 1) + things
    of, hit = (
        np.bincount(distinct(some) // (things.max(initial=0) + 1), minlength=len(names))
        for some in (pairs, pairs[flagged])
    )
    rows = sorted((name, place) for place, name in enumerate(names.tolist()) if name and of[place])
    return {
        "all": share(len(distinct(things[flagged])), len(distinct(things))),
        by: {name: share(int(hit[place]), int(of[place])) for name, place in rows},
    }


def _trunks(labels: Labels, truth: Truth) -> tuple[Ints, Words]:
    """The trunk that let each forged call in."""
    places = truth.of(NAME)
    names, which = np.unique(np.append(truth.words("trunk", places), ""), return_inverse=True)
    trunk = np.full(len(truth.ids) + 1, which[-1], dtype=np.int64)
    trunk[places] = which[:-1]
    return trunk[labels.episode], names


def _honest(labels: Labels, truth: Truth, calls: Ints, flagged: Flags) -> dict[str, Any]:
    """Shares flagged of the honest calls that are easily mistaken."""
    names, shape = np.unique(np.append(truth.shape, ""), return_inverse=True)
    shapes = shape[labels.episode], names
    found = {
        role: _shares(shapes, calls, flagged, labels.has(role), "by_shape") for role in (*_ALONE, LOOK_ALIKE)
    }
    return {role: each if role == LOOK_ALIKE else each["all"] for role, each in found.items()}


def tables(found: dict[str, Any]) -> Iterator[Table | Text]:
    """By role; by trunk; honest calls."""
    table = new_table("forged as", "calls", "flagged (interval)", "numbers", "flagged (interval)")
    calls, numbers = found["calls"], found["numbers"]
    nothing = share(0, 0)
    for role in calls["by_role"]:
        one, other = calls["by_role"][role], numbers["by_role"].get(role, nothing)
        add_row(
            table,
            role.removeprefix(FORGED).replace("_", " "),
            f"{one['of']:,}",
            percent(one),
            f"{other['of']:,}",
            percent(other),
        )
    one, other = calls["all"], numbers["all"]
    add_row(table, "all", f"{one['of']:,}", percent(one), f"{other['of']:,}", percent(other))
    yield table
    yield from map(Text, found["notes"])
    yield _share_table("trunk that let them in", found["trunks"])
    honest = found["honest_calls"]
    rows = {
        "roamers": honest[ROAMER],
        "emergency call-backs": honest[CALL_BACK],
        "look-alike bursts": honest["look_alike"]["all"],
    }
    if found["false_alerts"]["of_honest_calls"]:
        rows["all honest calls (alerts)"] = found["false_alerts"]["of_honest_calls"]
    yield _share_table("honest calls", rows)
    if found["false_alerts"]["count"]:
        causes = new_table("false alerts on", "number")
        for cause, count in found["false_alerts"]["by_call"].items():
            add_row(causes, cause.replace("_", " "), f"{count:,}")
        yield causes


def _share_table(what: str, rows: dict[str, Any]) -> Table:
    table = new_table(what, "calls", "flagged", "share (interval)")
    for name, each in rows.items():
        add_row(table, name, f"{each['of']:,}", f"{each['count']:,}", percent(each))
    return table
