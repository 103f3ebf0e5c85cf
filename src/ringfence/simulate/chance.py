"""Chance that needs no memory: numbers drawn from a hash of what they are for (seed, line, hour), in compiled code.

What happens to a line in an hour depends on nothing but the seed, the line and the hour, so a city can be made in slices of
any length and in any order. SplitMix64 (Steele, Lea and Flood, 2014).
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31 = (np.uint64(bits) for bits in (11, 27, 30, 31))
_UNIT: Final = 2.0**-53


@jit
def mix(value: Any) -> Any:
    """A bijection of uint64 that looks like chance."""
    value = (value ^ (value >> _S30)) * _FIRST
    value = (value ^ (value >> _S27)) * _SECOND
    return value ^ (value >> _S31)


@jit
def trait(seed: Any, who: int, salt: int) -> Any:
    """What chance gave `who` for one purpose (`salt`): uint64, the same whenever it is asked for."""
    return mix(mix(np.uint64(who) * _GOLDEN ^ seed) + np.uint64(salt) * _SECOND)


@jit
def share(value: Any) -> float:
    """A uint64 as a float in [0, 1)."""
    return float(np.int64(value >> _S11)) * _UNIT


@jit
def below(value: Any, bound: int) -> int:
    """A uint64 as an integer in [0, bound), bound < 2^31."""
    return int(np.int64(((value >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32)))


@jit
def draw(state: Any) -> Any:
    """The next uint64 of a stream; `state` is uint64[1]."""
    state[0] += _GOLDEN
    return mix(state[0])


@jit
def uniform(state: Any) -> float:
    """The next float in [0, 1)."""
    return share(draw(state))


@jit
def exponential(state: Any, mean: float) -> float:
    """The next exponential with this mean."""
    return -mean * math.log(1.0 - uniform(state))


@jit
def lognormal(state: Any, median: float, sigma: float) -> float:
    """The next log-normal (Box-Muller)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state)))
    return median * math.exp(sigma * radius * math.cos(2.0 * math.pi * uniform(state)))


@jit
def bell(first: Any, second: Any) -> float:
    """Two uint64 as one standard normal."""
    return math.sqrt(-2.0 * math.log(1.0 - share(first))) * math.cos(2.0 * math.pi * share(second))


@entry
def traits(seed: Any, first: int, last: int, salt: int) -> npt.NDArray[np.float64]:
    """`share(trait(...))` of all from first up to last."""
    found = np.empty(last - first, np.float64)
    for who in range(first, last):
        found[who - first] = share(trait(seed, who, salt))
    return found


@entry
def bells(seed: Any, first: int, last: int, salt: int) -> npt.NDArray[np.float64]:
    """A standard normal for each from first up to last."""
    found = np.empty(last - first, np.float64)
    for who in range(first, last):
        found[who - first] = bell(trait(seed, who, salt), trait(seed, who, salt + 1))
    return found


@entry
def mixed(seed: Any, values: Any, salt: int) -> npt.NDArray[np.uint64]:
    """`trait` of each of an int64 array."""
    found = np.empty(len(values), np.uint64)
    for n in range(len(values)):
        found[n] = trait(seed, values[n], salt)
    return found
