"""What the detector `flood` holds its observations worth: read once from `weights/flood.toml`, and compiled in.

The file is written by `ringfence train flood`, and readable: docs/weights.md. What stands in it is likelihood; what is policy (limits of
sums, half-lives, the wanted rate of false alarms) stands in `flood.py`.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FORMAT: Final = "ringfence flood weights"
VERSION: Final = 1
FILE: Final = "flood.toml"
BY_HAND: Final = "flood_by_hand.toml"
"""What was chosen before anything was learned: the prior of learning."""

ENDS: Final = ("dropped", "short", "long", "rang_once", "rang_out", "engaged", "lost", "not_reached")
"""How a call ended: answered and over within 3 s, 8 s, 22 s; not answered and over within 6 s, later, engaged or switched off, no
record tells, never came to the phone."""
(
    END_DROPPED,
    END_SHORT,
    END_LONG,
    END_RANG_ONCE,
    END_RANG_OUT,
    END_ENGAGED,
    END_LOST,
    END_NOT_REACHED,
) = range(len(ENDS))
CALLERS: Final = ("talks", "nobody_talks", "unknown")
"""What is known of a stranger: it talked to others, it rings many and talks to none, nothing."""
(CALLER_TALKS, CALLER_NOBODY_TALKS, CALLER_UNKNOWN) = range(len(CALLERS))
TALKS: Final = ("talked", "short_interrupted", "long_interrupted")
"""A talk; a call that comes in while a stranger has been talking for 8 s; the same after 22 s."""
(TALK_HELD, TALK_SHORT, TALK_LONG) = range(len(TALKS))
CLUSTERS: Final = ("stranger", "withheld", "withheld_slow", "known")
FORMS: Final = 3
_MEANS: Final = 5
_MOST_BITS: Final = 16.0

Floats = npt.NDArray[np.float64]


class WeightsError(ValueError):
    """A file of weights that cannot be used: which key, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Ordinary gaps that are shorter than chance would have them: their share, and their mean in s."""

    share: float
    scale: float


@dataclass(frozen=True, slots=True)
class Weights:
    """What observations are worth; bits have a column for each form: hang up, linger, borrowed numbers.

    Attributes:
        prior: bits against a flood when a burst of strangers begins: from a sum of bits to a probability.
        handicap: for each form, bits by which it must do better.
        ends: float64[2, 8, 3], by first or again, `ENDS`, form.
        withheld: for the first withheld call, by form.
        callers: float64[3, 3], by `CALLERS`, form.
        again, again_dropped: for the same number once more; the same after it was answered and dropped.
        talks: float64[3, 3], by `TALKS`, form.
        means, shares: of the exponentials that an attack's gaps are a mixture of, s.
        clusters: by the names in `CLUSTERS`.
        heard: what haste is worth for a caller who rang before without a talk, as a share.
        made: where it comes from.
    """

    prior: float
    handicap: tuple[float, float, float]
    ends: Floats
    withheld: tuple[float, float, float]
    callers: Floats
    again: float
    again_dropped: float
    talks: Floats
    means: tuple[float, ...]
    shares: tuple[float, ...]
    clusters: Mapping[str, Cluster]
    heard: float
    made: Mapping[str, Any]


def parse(text: str) -> Weights:
    """Read a file of weights.

    Raises:
        WeightsError: it is no such file, or a figure is missing or impossible.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WeightsError(f"it is not TOML: {error}") from None
    if whole.get("format") != FORMAT or whole.get("version") != VERSION:
        raise WeightsError(f'it does not begin with format = "{FORMAT}" and version = {VERSION}')
    gaps = _table(whole, "gaps")
    shares = _numbers(gaps, "gaps", "shares", _MEANS, 1e-6, 1.0)
    if abs(sum(shares) - 1.0) > 1e-3:
        raise WeightsError("gaps.shares: must add up to 1")
    caller, tries = _table(whole, "caller"), _table(whole, "tries")
    return Weights(
        prior=_number(_table(whole, "prior"), "prior", "bits", -64.0, 64.0),
        handicap=_three(_numbers(_table(whole, "prior"), "prior", "handicap", FORMS, 0.0, _MOST_BITS)),
        ends=np.stack([_bits(whole, "first", ENDS), _bits(whole, "again", ENDS)]),
        withheld=_three(_row(caller, "caller", "withheld")),
        callers=_bits(whole, "caller", CALLERS),
        again=_number(tries, "tries", "again", -_MOST_BITS, _MOST_BITS),
        again_dropped=_number(tries, "tries", "again_dropped", -_MOST_BITS, _MOST_BITS),
        talks=_bits(whole, "talk", TALKS),
        means=_numbers(gaps, "gaps", "means", _MEANS, 0.1, 7_200.0),
        shares=shares,
        clusters={name: _cluster(gaps, name) for name in CLUSTERS},
        heard=_number(gaps, "gaps", "heard", 0.0, 1.0),
        made=_table(whole, "made"),
    )


def shipped(name: str = FILE) -> str:
    """The text of a file that comes with the program."""
    return (files("ringfence.detect") / "weights" / name).read_text("utf-8")


def _table(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = whole.get(name)
    if not isinstance(table, dict):
        raise WeightsError(f"[{name}]: is missing")
    return table


def _number(table: Mapping[str, Any], path: str, key: str, low: float, high: float) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WeightsError(f"{path}.{key}: must be a number")
    if not low <= value <= high:
        raise WeightsError(f"{path}.{key}: must lie between {low:g} and {high:g}")
    return float(value)


def _numbers(
    table: Mapping[str, Any], path: str, key: str, count: int, low: float, high: float
) -> tuple[float, ...]:
    values = table.get(key)
    if not isinstance(values, list) or len(values) != count:
        raise WeightsError(f"{path}.{key}: must be {count} numbers")
    return tuple(_number({key: value}, path, key, low, high) for value in values)


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    one, two, three = values
    return one, two, three


def _row(table: Mapping[str, Any], path: str, key: str) -> tuple[float, ...]:
    entry = table.get(key)
    if not isinstance(entry, dict):
        raise WeightsError(f"{path}.{key}: is missing; it must be a table with `bits`")
    return _numbers(entry, f"{path}.{key}", "bits", FORMS, -_MOST_BITS, _MOST_BITS)


def _bits(whole: Mapping[str, Any], name: str, rows: tuple[str, ...]) -> Floats:
    table = _table(whole, name)
    return np.array([_row(table, name, row) for row in rows], np.float64)


def _cluster(gaps: Mapping[str, Any], name: str) -> Cluster:
    entry = _table(gaps, name)
    path = f"gaps.{name}"
    return Cluster(_number(entry, path, "share", 0.0, 1.0), _number(entry, path, "scale", 1.0, 1e6))


FLOOD: Final = parse(shipped())
"""The weights in force."""
