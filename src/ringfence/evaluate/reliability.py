"""Of the alerts that say 0.9, are nine in ten true? Reliability by bins, Brier score, expected calibration error.

Brier, Monthly Weather Review 78, 1950; the expected calibration error as in Naeini et al., AAAI 2015.
"""

from itertools import pairwise
from typing import Any, Final

import numpy as np

from ringfence.evaluate.inputs import Flags, Floats
from ringfence.evaluate.intervals import share

EDGES: Final = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
"""A bin holds its lower edge and not its upper one; the last holds both."""


def reliability(said: Floats, true: Flags) -> dict[str, Any]:
    """What alerts said against what they were.

    Args:
        said: probability of each alert, NaN: not told (left out, counted).
        true: whether it belongs to an attack.

    Returns:
        `alerts`, `without_probability`, `brier`, `ece` (null without alerts), and `bins`: `from`, `to`, `said` (mean, null: empty), and
        the share that was true with its interval.
    """
    told = ~np.isnan(said)
    said, true = said[told], true[told]
    which = np.clip(np.searchsorted(EDGES, said, "right") - 1, 0, len(EDGES) - 2)
    bins, error = [], 0.0
    for place, (low, high) in enumerate(pairwise(EDGES)):
        inside = which == place
        count = int(inside.sum())
        mean = float(said[inside].mean()) if count else None
        found = share(int(true[inside].sum()), count)
        bins.append({"from": low, "to": high, "said": mean, "true": found})
        if mean is not None:
            error += count / len(said) * abs(mean - found["share"])
    return {
        "alerts": len(said),
        "without_probability": int(np.count_nonzero(~told)),
        "brier": float(np.mean((said - true) ** 2)) if len(said) else None,
        "ece": error if len(said) else None,
        "bins": bins,
    }
