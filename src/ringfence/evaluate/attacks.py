"""Alerts about a line (flood, scam_call, fraud_line) held against the attacks on, or by, that line."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ringfence.evaluate.alerts import Alerts
from ringfence.evaluate.inputs import Flags, Ints
from ringfence.evaluate.intervals import share
from ringfence.evaluate.match import codes, first_of, spans_of
from ringfence.evaluate.truth import Truth

SECOND: Final = 1_000_000  # µs
NAMED: Final = 50
"""So many missed attacks and false alarms are named, for whoever wants to look at them."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of the raisings and of the attacks.

    Attributes:
        attacks: places in the truth of the attacks of this crime.
        hit: for each raising the place in `attacks` of the one it belongs to, -1: it is a false alarm.
        first: for each attack its first raising, -1: none of its own.
        covered: no raising of its own, but one that belongs to another attack on the line was open when it began.
        under_false: neither, but a false alarm was open when it began.
        slack: µs after an attack in which an alert still belongs to it.
    """

    attacks: Ints
    hit: Ints
    first: Ints
    covered: Flags
    under_false: Flags
    slack: int

    @property
    def recognised(self) -> Flags:
        """Attacks that have a raising of their own."""
        return self.first >= 0

    @property
    def missed(self) -> Flags:
        """Attacks that began and ended without an alert that belongs to an attack."""
        return ~self.recognised & ~self.covered

    @property
    def false(self) -> Ints:
        """Raisings that are false alarms."""
        return np.flatnonzero(self.hit < 0)


def match_attacks(alerts: Alerts, truth: Truth, crime: str, slack_s: float) -> Matched:
    """Match raisings with the attacks of a crime: same subject, and raised within [begins, ends + slack].

    Args:
        alerts: of one kind.
        truth: what happened.
        crime: whose episodes are the attacks.
        slack_s: seconds.
    """
    attacks, slack = truth.of(crime), int(slack_s * SECOND)
    subjects, attacked = codes(alerts.subject, truth.subject.take(pa.array(attacks)))
    begins, ends = truth.start[attacks], truth.end[attacks]
    hit = spans_of(subjects, alerts.raised_at, attacked, begins, ends + slack)
    first = first_of(hit, len(attacks))

    def open_at_begin(raisings: Flags) -> Flags:
        found = spans_of(
            attacked, begins, subjects[raisings], alerts.raised_at[raisings], alerts.over_at[raisings]
        )
        return (found >= 0) & (first < 0)

    covered = open_at_begin(hit >= 0)
    return Matched(attacks, hit, first, covered, open_at_begin(hit < 0) & ~covered, slack)


def alert_is_true(alerts: Alerts, hit: Ints) -> Flags:
    """For each alert's own raising, in order: whether it belongs to an attack."""
    return np.asarray(hit[alerts.first] >= 0, dtype=np.bool_)


def recall(matched: Matched, among: Flags | None = None) -> dict[str, Any]:
    """Share of attacks recognised, or covered by the alert of another attack on the same line."""
    among = np.ones(len(matched.attacks), dtype=np.bool_) if among is None else among
    return share(int(np.count_nonzero(among & ~matched.missed)), int(np.count_nonzero(among)))


def counts(alerts: Alerts, matched: Matched, truth: Truth) -> dict[str, Any]:
    """What every kind of alert about a line is told by: how many, precision, recall, and which were missed.

    Precision is that of raisings: first ones of an attack against these and the false ones; repeated ones count as neither.
    """
    recognised, false = int(matched.recognised.sum()), len(matched.false)
    missed = matched.attacks[matched.missed]
    return {
        "alerts": int(alerts.first.sum()),
        "raisings": len(alerts),
        "repeated": len(alerts) - false - recognised,
        "precision": share(recognised, recognised + false),
        "recall": recall(matched),
        "covered": int(matched.covered.sum()),
        "missed": {
            "count": len(missed),
            "under_a_false_alarm": int(matched.under_false.sum()),
            "ids": [truth.ids[place] for place in missed[:NAMED]],
        },
    }
