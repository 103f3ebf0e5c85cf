"""The city's lines: what they are, how much they call, whom they know, which numbers they have.

Activity: logs of voice records per line in 8 months have mean 5.90 and deviation 1.54, people known grow with a power of it
(Sichuan telecom-fraud data, lines that were not fraud).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.simulate.chance import bells
from ringfence.simulate.contacts import CLOSE, Graph, graph_of
from ringfence.simulate.numbering import (
    Numbering,
    fixed_numbers,
    mobile_numbers,
    numbering_of,
    only_called,
    other_cities,
    toll_free_numbers,
)

MONTHS_8: Final = 244  # days, August 2019 to March 2020
PERSON: Final = 0

ABROAD, MANY, NO_DEVICE, ONLY_CALLED = 1, 2, 4, 8
"""Flags: travels some time; takes many calls at once; a fixed line; has a number that never calls."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line, declared by a look-alike or a crime.

    Attributes:
        name: as in the truth.
        share: of the city's lines.
        sort: "mobile", "fixed" or "toll_free".
        life: its ordinary calls, as a multiple of a person's.
        many: takes many calls at once.
    """

    name: str
    share: float
    sort: str = "mobile"
    life: float = 1.0
    many: bool = False


@dataclass(slots=True)
class Population:
    """All lines, as flat arrays; `lines` long unless said otherwise.

    Attributes:
        seed: uint64.
        kinds: names by code; 0: person.
        kind: u1.
        flags: u1, see ABROAD.
        out: f4, calls made a day, redials not counted; inward: calls from known customers of other networks.
        welcome: f4, how readily others ring it, 0 to 1 (who rings little is rung little).
        degree: i4, people known.
        number: i8.
        cells: how many cells the city has.
        of_kind: int64, the lines of each kind but persons.
        services: int64 parties, what everybody may ring: shops, hotlines, surgeries of the city and elsewhere.
    """

    seed: Any
    lines: int
    numbering: Numbering
    kinds: tuple[str, ...]
    kind: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    out: npt.NDArray[np.float32]
    inward: npt.NDArray[np.float32]
    welcome: npt.NDArray[np.float32]
    degree: npt.NDArray[np.int32]
    number: npt.NDArray[np.int64]
    graph: Graph
    cells: int
    of_kind: dict[str, npt.NDArray[np.int64]]
    services: npt.NDArray[np.int64]


_PART: Final = 1 << 20
# Log of answered voice records in 8 months that a line is given, as a two-piece normal: median, sigma below, sigma above. The real
# logs lean to the left (mean 5.87, deviation 1.55, but records' mean 830 and 99 % quantile 5,600; a log-normal's are 1,200 and 13,000).
# Calls from others narrow what comes out: wider below than the real ones.
_RECORDS: Final = (6.08, 2.10, 1.15)
_OUTSIDE: Final = 0.55  # share of the people one knows who are customers of other networks


def populate(iso: str, lines: int, seed: int, kinds: list[Kind]) -> Population:
    """Make the lines of a city."""
    rng = np.random.default_rng([seed, 1])
    numbering = numbering_of(iso, lines, rng)
    own_seed = np.uint64(rng.integers(1 << 63))
    kind = _kinds(rng, lines, kinds)
    out, inward, degree = np.empty(lines, np.float32), np.empty(lines, np.float32), np.empty(lines, np.int32)
    number = np.empty(lines, np.int64)
    for first in range(0, lines, _PART):
        last = min(first + _PART, lines)
        part = slice(first, last)
        out[part], inward[part], degree[part] = _activity(own_seed, first, last)
        mobile_numbers(own_seed, first, last, numbering.own, numbering.others, number[part])
    welcome = np.clip((out + inward) / 1.2, 0.01, 1.0) ** 0.9
    strangers = 0.07 * inward + 0.02 * welcome
    life = np.array([1.0, *(k.life for k in kinds)], np.float32)[kind]
    inward = np.maximum(inward - strangers - _from_inside(out, degree, welcome), 0.03 * inward) * life
    out = out * life
    flags = np.array([0, *(MANY * k.many | NO_DEVICE * (k.sort != "mobile") for k in kinds)], np.uint8)[kind]
    of_kind = {k.name: np.flatnonzero(kind == code + 1) for code, k in enumerate(kinds)}
    for k in kinds:
        chosen = of_kind[k.name]
        if k.sort == "fixed":
            number[chosen] = _distinct(fixed_numbers(numbering, rng, len(chosen), own=True), number, chosen)
        elif k.sort == "toll_free":
            number[chosen] = _distinct(toll_free_numbers(numbering, rng, len(chosen)), number, chosen)
    special = np.flatnonzero(flags & NO_DEVICE)
    flags[special[only_called(numbering, number[special])]] |= ONLY_CALLED
    graph = graph_of(
        int(own_seed) ^ 0x5EED, degree, _OUTSIDE,
        np.concatenate([numbering.others, numbering.far]), len(numbering.others),
    )  # fmt: skip
    return Population(
        seed=own_seed,
        lines=lines,
        numbering=numbering,
        kinds=("person", *(k.name for k in kinds)),
        kind=kind,
        flags=flags,
        out=out.astype(np.float32),
        inward=inward.astype(np.float32),
        welcome=welcome.astype(np.float32),
        degree=degree,
        number=number,
        graph=graph,
        cells=max(40, lines // 700),
        of_kind=of_kind,
        services=_services(numbering, rng, of_kind),
    )


def _distinct(
    fixed: npt.NDArray[np.int64], number: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Numbers for lines; where the plan gave too few, the line keeps its mobile number."""
    found = number[chosen]
    found[: len(fixed)] = fixed
    return found


def _kinds(rng: np.random.Generator, lines: int, kinds: list[Kind]) -> npt.NDArray[np.uint8]:
    """The kind of each line; of each at least one."""
    counts = [max(1, round(kind.share * lines)) for kind in kinds]
    special = rng.choice(lines, sum(counts), replace=False, shuffle=True)
    found = np.zeros(lines, np.uint8)
    found[special] = np.repeat(np.arange(1, len(kinds) + 1), counts)
    return found


def _activity(seed: Any, first: int, last: int) -> tuple[Any, Any, Any]:
    """Calls made a day, calls received a day, people known; each as wanted.

    Sichuan: log counterparts = -0.03 + 0.69 log records, residual 0.58; many of these are strangers met once, so the people
    a line knows grow more slowly. The share of outgoing calls is 52 %, and varies more among quiet lines (10 % to 90 %
    quantiles .20 to 1 below 300 records, .38 to .63 above 1,000).
    """
    median, low, high = _RECORDS
    normal = bells(seed, first, last, 41)
    log_records = np.clip(median + np.where(normal < 0, low, high) * normal, 1.0, 9.4)
    degree = np.exp(0.6 * log_records - 0.3 + 0.75 * bells(seed, first, last, 43))
    spread = np.where(log_records > 7, 0.42, np.where(log_records > 5.7, 0.65, 1.3))
    lean = np.where(log_records > 5.0, 0.03, 0.6)
    outgoing = 1 / (1 + np.exp(-lean - spread * bells(seed, first, last, 45)))
    records = np.exp(log_records) / MONTHS_8
    return records * outgoing, records * (1 - outgoing), np.clip(degree, 5, 2_000).astype(np.int32)


def _from_inside(out: Any, degree: Any, welcome: Any) -> Any:
    """Calls a day that each line gets from people of the network that it knows, by the callers' activity."""
    close = np.log(CLOSE + 1) / np.log(degree + 1.0)
    rest = np.maximum(degree - CLOSE, 0)
    heard = 0.9 * (1 - _OUTSIDE)
    to_close = heard * float((out * close).sum()) / (CLOSE * len(out))
    to_rest = heard * float((out * (1 - close)).sum()) / max(float(rest.sum()), 1.0)
    return welcome * (CLOSE * to_close + rest * to_rest) / float(welcome.mean()) ** 0.5


def _services(
    numbering: Numbering, rng: np.random.Generator, of_kind: dict[str, npt.NDArray[np.int64]]
) -> npt.NDArray[np.int64]:
    """What everybody may ring, the most popular first."""
    country = numbering.country
    famous = numbering.numbers(country.carriers + country.banks + country.state)
    own = [
        lines
        for name, lines in of_kind.items()
        if name in {"hotline", "hospital", "bank", "restaurant", "shop"}
    ]
    known = [-1 - np.concatenate(own)] if own else []
    others = fixed_numbers(numbering, rng, 400, own=False)
    far = other_cities(numbering, rng, 100)
    everybody = np.concatenate([*known, others, far, toll_free_numbers(numbering, rng, 150)])
    return np.concatenate([rng.permutation(famous), rng.permutation(everybody)])
