"""Where false alarms fell: on lines under another crime, on look-alike bursts, or on ordinary life, and how often per line-day."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.attacks import NAMED, Matched
from ringfence.evaluate.inputs import Flags, Ints, Words
from ringfence.evaluate.intervals import rate, share
from ringfence.evaluate.match import codes, covered_time, spans_of
from ringfence.evaluate.truth import DAY, OUTSIDE, Truth

_MS = 1000  # µs; spans are added up in milliseconds, which leaves room for 10 years of a million lines


@dataclass(frozen=True, slots=True)
class Places:
    """Where each false alarm fell; of several answers the first counts.

    Attributes:
        crime: of the other crime's episode on that line at that time, "": none.
        burst: place in the truth of the look-alike episode, -1: none.
        line: kind of the line.
    """

    crime: Words
    burst: Ints
    line: Words

    @property
    def ordinary(self) -> Flags:
        """Those in ordinary life outside all look-alike bursts."""
        return np.asarray((self.crime == "") & (self.burst < 0), dtype=np.bool_)


def place_false_alarms(alerts: Alerts, matched: Matched, truth: Truth, crimes: Words | None = None) -> Places:
    """Attribute the false raisings.

    Args:
        alerts: of one kind.
        matched: what became of them.
        truth: what happened.
        crimes: for each raising a crime that it belongs to for another reason, "": none.
    """
    false = alerts.take(matched.false)
    subjects, of_episodes = codes(false.subject, truth.subject)
    bursts = truth.of("")
    others = np.setdiff1d(np.arange(len(truth.ids)), np.concatenate([bursts, matched.attacks]))

    def within(places: Ints) -> Ints:
        begins, ends = truth.start[places], truth.end[places] + matched.slack
        found = spans_of(subjects, false.raised_at, of_episodes[places], begins, ends)
        return np.append(places, -1)[found]  # none, -1, takes the last: -1

    of_crime = np.append(truth.crime, "")[within(others)]
    if crimes is not None:
        of_crime = np.where(of_crime == "", crimes[matched.false], of_crime)
    burst = np.where(of_crime == "", within(bursts), -1)
    return Places(of_crime, burst, truth.kinds(false.subject))


def line_days(truth: Truth, slack: int, *, look_alikes: bool) -> dict[str, float]:
    """Days of ordinary life of all own lines of each kind: lines x days, less the time inside episodes (and the slack after).

    Args:
        truth: what happened.
        slack: µs.
        look_alikes: whether look-alike bursts count as ordinary life.
    """
    days = {kind: lines * truth.days for kind, lines in truth.lines.items()}
    places = np.flatnonzero((truth.crime != "") | (not look_alikes))
    subjects = truth.subject.take(pa.array(places))
    (numbers,) = codes(subjects)
    kept = (numbers >= 0) & (truth.end[places] + slack >= truth.begins) & (truth.start[places] <= truth.ends)
    begins = np.clip(truth.start[places], truth.begins, truth.ends)
    ends = np.clip(truth.end[places] + slack, truth.begins, truth.ends)
    names, inside = covered_time(numbers[kept], begins[kept] // _MS, ends[kept] // _MS)
    _, row = np.unique(numbers[kept], return_index=True)
    kinds = truth.kinds(subjects.take(pa.array(np.flatnonzero(kept)[row])))
    for kind in set(kinds.tolist()) & set(days):
        days[kind] = max(days[kind] - float(inside[kinds == kind].sum()) * _MS / DAY, 0.0)
    assert len(names) == len(kinds)
    return days


def false_alarms(alerts: Alerts, matched: Matched, truth: Truth, places: Places) -> dict[str, Any]:
    """False alarms, counted and per 100,000 line-days; a story that reopens falsely counts each time."""
    ordinary, with_bursts = places.ordinary, places.crime == ""
    days = line_days(truth, matched.slack, look_alikes=False)
    on_lines = Counter(places.line[ordinary].tolist())
    examples = alerts.alert_id.take(pa.array(matched.false[:NAMED])).to_pylist()
    all_days = sum(line_days(truth, matched.slack, look_alikes=True).values())
    return {
        "count": len(matched.false),
        "in_other_crimes": dict(sorted(Counter(places.crime[~with_bursts].tolist()).items())),
        "ordinary_life": rate(int(ordinary.sum()), sum(days.values())),
        "ordinary_life_with_look_alikes": rate(int(with_bursts.sum()), all_days),
        "by_line": {
            kind: rate(on_lines[kind], days.get(kind))
            for kind in sorted({*days, *on_lines}, key=lambda kind: (kind == OUTSIDE, kind))
        },
        "look_alikes": _look_alikes(truth, places),
        "examples": examples,
    }


def _look_alikes(truth: Truth, places: Places) -> dict[str, Any]:
    """Share of look-alike bursts that raised at least one false alarm."""
    bursts = truth.of("")
    hit = np.isin(bursts, places.burst)
    shapes = truth.shape[bursts]
    by_shape = {}
    for shape in sorted(set(shapes.tolist())):
        among = shapes == shape
        by_shape[shape] = share(int((hit & among).sum()), int(among.sum()))
    return {"all": share(int(hit.sum()), len(bursts)), "by_shape": by_shape}
