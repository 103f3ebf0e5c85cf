"""Shares and rates with their 95 % intervals, calibration, and the spread of delays.

Shares: Wilson's score interval (Wilson, JASA 22, 1927). Rates: the exact Poisson interval (Garwood, Biometrika 28, 1936).
Both treat observations as independent; alarms on one line, or attacks of one gang, are not, so the truth is a little wider.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ringfence.evaluate.inputs import Floats

Z: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""
TAIL: Final = 0.025
PER: Final = 100_000
"""Rates are told per so many line-days."""


def wilson(count: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; (0, 1) where nothing was observed."""
    if of == 0:
        return 0.0, 1.0
    share, square = count / of, Z * Z
    middle = share + square / (2 * of)
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    # exact at the ends, where rounding would leave 1e-17
    low = 0.0 if count == 0 else (middle - half) / scale
    high = 1.0 if count == of else (middle + half) / scale
    return low, high


def poisson(count: int) -> tuple[float, float]:
    """Garwood's exact 95 % interval of a Poisson mean of which `count` was seen."""
    reach = 7 * math.sqrt(count + 1) + 10  # beyond both roots: the tail there is under 1e-9
    low = (
        0.0
        if count == 0
        else _root(lambda mean: at_least(count, mean) - TAIL, max(count - reach, 0.0), count)
    )
    return low, _root(lambda mean: TAIL - at_most(count, mean), count, count + reach)


def at_least(count: int, mean: float) -> float:
    """P(X >= count) of a Poisson variable, for 0 < mean <= count: the series then only falls."""
    total = term = 1.0
    seen = count
    while term > total * 1e-17:
        seen += 1
        term *= mean / seen
        total += term
    return total * _mass(count, mean)


def at_most(count: int, mean: float) -> float:
    """P(X <= count) of a Poisson variable, for mean >= count."""
    total = term = 1.0
    for seen in range(count, 0, -1):
        term *= seen / mean
        total += term
        if term <= total * 1e-17:
            break
    return total * _mass(count, mean)


def _mass(count: int, mean: float) -> float:
    if mean == 0:
        return 1.0 if count == 0 else 0.0
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is nought, by halving."""
    for _ in range(100):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def share(count: int, of: int) -> dict[str, Any]:
    """`count`, `of`, `share` (null: of nothing), and `low`, `high`: Wilson, 95 %."""
    low, high = wilson(count, of)
    return {"count": count, "of": of, "share": count / of if of else None, "low": low, "high": high}


def rate(count: int, line_days: float | None) -> dict[str, Any]:
    """`count`, `line_days`, and per 100,000 of them `per_100k`, `low`, `high`: exact Poisson, 95 %; null: no line-days."""
    if not line_days:
        return {"count": count, "line_days": line_days, "per_100k": None, "low": None, "high": None}
    low, high = (PER * bound / line_days for bound in poisson(count))
    return {
        "count": count,
        "line_days": line_days,
        "per_100k": PER * count / line_days,
        "low": low,
        "high": high,
    }


def spread(values: Floats, missed: int = 0) -> dict[str, Any]:
    """Quantiles of what was observed, and of all with the missed ones as later than any.

    A quantile is the smallest value that so large a part does not exceed. `n`, `min`, `median`, `p95`, `max` are of the values,
    `median_of_all`, `p95_of_all` of these and the `missed`; null: none, or so many were missed that there is no such value.
    """
    whole = np.sort(np.concatenate([np.asarray(values, dtype=np.float64), np.full(missed, np.inf)]))
    some = whole[: len(values)]
    return {
        "n": len(values),
        "missed": missed,
        "min": _plain(some, 0.0),
        "median": _plain(some, 0.5),
        "p95": _plain(some, 0.95),
        "max": _plain(some, 1.0),
        "median_of_all": _plain(whole, 0.5),
        "p95_of_all": _plain(whole, 0.95),
    }


def _plain(ordered: Floats, part: float) -> float | None:
    """A quantile (inverted distribution function) of ordered values."""
    if not len(ordered):
        return None
    # 0.95 * 20 is a hair above 19 in binary: a place must not jump for that
    place = max(math.ceil(part * len(ordered) - 1e-9) - 1, 0)
    found = float(ordered[place])
    return found if math.isfinite(found) else None
