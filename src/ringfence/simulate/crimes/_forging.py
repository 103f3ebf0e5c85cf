"""Numbers that are shown and are not one's own: every sort of forgery, with the role the truth gives it.

What a number is, and so its role, the country's pack tells: not what whoever drew it had in mind. Where the pack does not tell,
because it does not know whose toll-free number it is or the plan has fixed lines and mobiles in one, the city does.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.model import caller_class as cc
from ringfence.model.tables import DOMESTIC, INTERNATIONAL
from ringfence.simulate.numbering import drawn_of, unallocated_numbers
from ringfence.simulate.output import numbers_of
from ringfence.simulate.population import NO_DEVICE
from ringfence.simulate.rows import ROLE
from ringfence.simulate.stage import Parties, Stage

SORTS: Final = (
    "fixed_line",
    "service",
    "unallocated",
    "malformed",
    "mobile",
    "state_organ",
    "bank",
    "own_number",
)
"""Those that a cold-call centre shows; own_number comes over a national interconnect, all others from abroad."""

_MALFORMED: Final = (cc.MALFORMED, cc.NO_COUNTRY)
_ANYWHERE: Final = dict.fromkeys(_MALFORMED, "malformed") | {
    cc.UNALLOCATED: "unallocated",
    cc.INBOUND: "service",
    cc.STATE_NEVER: "state_organ",
    cc.BANK_NEVER: "bank",
}
_FROM_ABROAD: Final = _ANYWHERE | {
    cc.FIXED: "fixed_line",
    cc.MOBILE: "mobile_quiet",
    cc.FIXED_OR_MOBILE: "mobile_quiet",
    cc.TOLL_FREE: "service",
    cc.PREMIUM: "service",
    cc.SERVICE: "service",
    cc.OTHER: "service",
    cc.EMERGENCY: "state_organ",
    cc.STATE: "state_organ",
    cc.BANK: "bank",
}
_CALLS: Final = set(_FROM_ABROAD) - set(_ANYWHERE)


def shown(stage: Stage, sort: str, count: int) -> tuple[Parties, npt.NDArray[np.uint8]]:
    """Numbers of one sort, and the role of a call that shows each."""
    number = stage.owned(_drawn(stage, sort, count))
    role = roles_of(stage, number, DOMESTIC if sort == "own_number" else INTERNATIONAL)
    if sort in {"state_organ", "bank"}:  # whose service it is
        role[role == ROLE["forged_service"]] = ROLE[f"forged_{sort}"]
    return number, role


def roles_of(stage: Stage, callers: Parties, ingress: int) -> npt.NDArray[np.uint8]:
    """What it makes of calls that they show these numbers and come in this way; 0: nothing wrong.

    Whether the owner of a mobile is active is found out as it happens.

    Args:
        stage: the city.
        callers: parties; own lines as such (see `Stage.owned`).
        ingress: DOMESTIC or INTERNATIONAL.
    """
    classes = stage.people.numbering.classes(numbers_of(stage.people, callers)) & cc.CLASS_BITS
    found = _codes(_FROM_ABROAD if ingress == INTERNATIONAL else _ANYWHERE)[classes]
    if ingress == INTERNATIONAL:
        found[(classes == cc.FIXED_OR_MOBILE) & _is_fixed(stage, callers)] = ROLE["forged_fixed_line"]
    else:
        found[(callers < 0) & np.isin(classes, list(_CALLS))] = ROLE["forged_own_number"]
    return np.asarray(found, np.uint8)


def _codes(names: dict[int, str]) -> npt.NDArray[np.uint8]:
    """Codes of roles by class."""
    found = np.zeros(cc.CLASS_BITS + 1, np.uint8)
    for one, name in names.items():
        found[one] = ROLE[f"forged_{name}"]
    return found


def _is_fixed(stage: Stage, callers: Parties) -> npt.NDArray[np.bool_]:
    """Which are fixed lines, in a country whose plan does not tell."""
    own = stage.people.flags[np.where(callers < 0, -1 - callers, 0)] & NO_DEVICE > 0
    return np.where(callers < 0, own, np.isin(callers, stage.offices))


def _drawn(stage: Stage, sort: str, count: int) -> Parties:
    rng, plan = stage.rng, stage.people.numbering
    country = plan.country
    if sort == "fixed_line":
        return stage.fixed(count)
    if sort == "unallocated":
        return unallocated_numbers(plan, rng, count)
    if sort == "malformed":
        return drawn_of(
            plan,
            _MALFORMED,
            count,
            lambda wanted: plan.numbers(tuple(_malformed(rng, country.code) for _ in range(wanted))),
        )
    if sort == "own_number":
        return -1 - rng.integers(0, stage.people.lines, count)
    if sort == "mobile":  # mostly of the victim's own network
        return np.where(rng.random(count) < 0.75, -1 - _mobiles(stage, count), stage.far(count))
    famous = {
        "service": country.carriers,
        "state_organ": country.state + country.emergency,
        "bank": country.banks,
    }
    texts = [_written(rng, country.code, country.city, str(rng.choice(famous[sort]))) for _ in range(count)]
    return plan.numbers(tuple(texts))


def _mobiles(stage: Stage, count: int) -> Parties:
    lines = stage.rng.integers(0, stage.people.lines, 4 * count + 20)
    return np.asarray(lines[stage.people.flags[lines] & NO_DEVICE == 0][:count])


def _written(rng: np.random.Generator, code: str, city: str, famous: str) -> str:
    """A short or famous number as forgers and gateways write it."""
    bare, abroad = famous.removeprefix(f"+{code}"), "011" if code == "1" else "00"
    if bare != famous:
        return str(rng.choice((famous, f"{abroad}{code}{bare}", bare), p=[0.8, 0.1, 0.1]))
    ways = (bare, f"+{code}{bare}", f"+{code}{city}{bare}", f"{abroad}{code}{bare}", f"+{bare}")
    return str(rng.choice(ways, p=[0.4, 0.25, 0.15, 0.1, 0.1]))


def _malformed(rng: np.random.Generator, code: str) -> str:
    def digits(count: int) -> str:
        return f"{rng.integers(10**count):0{count}d}"

    ways = (
        f"+{code}{digits(int(rng.integers(13, 15)))}",  # longer than any
        f"+{code}{digits(int(rng.integers(1, 4)))}",  # shorter than any
        f"+0{digits(int(rng.integers(8, 14)))}",
        f"+999{digits(int(rng.integers(6, 10)))}",  # a country code nobody has
        f"{rng.integers(1, 10)}{digits(15)}",
    )
    return ways[int(rng.integers(len(ways)))]
