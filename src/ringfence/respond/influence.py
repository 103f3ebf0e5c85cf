"""The bank's question: is this payer under the influence of a scammer now?

The answer holds no call details: neither numbers nor times nor lengths of calls. (The nearest thing that is sold is Scam Signal in the
United Kingdom: the mobile networks tell a bank at a transfer how likely it is that the payer is being scammed on the phone.)
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ringfence.detect.evidence import OPEN, QUIET, probability
from ringfence.detect.memory import HOUR, MINUTE
from ringfence.detect.scam_call import PRIOR_BITS, STAGES

FADES: Final = 12 * HOUR
"""After the last call the influence goes on, and halves in so long: a quarter of victims pay hours after it, and they are rung again."""
NOBODY: Final = 2.0**-17
"""Somebody of whom nothing is known, at a random moment: one victim in 25,000 line-days, under influence for some five hours."""


@dataclass(frozen=True, slots=True)
class Influence:
    """The answer.

    Attributes:
        probability: 0 to 1.
        stage: one of `STAGES`; None: nothing points to a scam.
        minutes: since the grip began; None: no call of the kind that does not end.
        alerted: whether an alert is open.
    """

    probability: float
    stage: str | None = None
    minutes: float | None = None
    alerted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """What a bank is told."""
        minutes = None if self.minutes is None else round(self.minutes, 1)
        return {
            "probability": round(self.probability, 4),
            "stage": self.stage,
            "minutes_since_grip": minutes,
            "alerted": self.alerted,
        }


def influence(case: np.void | None, now: int) -> Influence:
    """Answer for one payer.

    Args:
        case: the payer's record of `scam_call` (see `Engine.case_of`), None: there is none.
        now: µs, not before the engine's last moment.
    """
    if case is None or case["entries"] == 0:
        return Influence(NOBODY)
    odds = float(max(case["bits"][0], case["bits"][1]))
    if case["state"] != QUIET:
        odds = max(odds, float(case["odds"]))
    idle = max(now - int(case["last"]), 0) if case["up"] == 0 else 0
    found = probability(odds, PRIOR_BITS) * 2.0 ** (-idle / FADES)
    gripped = int(case["gripped"])
    minutes = (now - gripped) / MINUTE if gripped else math.nan
    return Influence(
        max(found, NOBODY),
        STAGES[int(case["stage"])],
        None if math.isnan(minutes) else minutes,
        alerted=bool(case["state"] == OPEN),
    )
