"""Numbers that are shown and are not one's own: every sort of forgery, with the role the truth gives it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.simulate.population import NO_DEVICE
from ringfence.simulate.rows import DOMESTIC, INTERNATIONAL, ROLE
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


def shown(stage: Stage, sort: str, count: int) -> tuple[Parties, npt.NDArray[np.uint8]]:
    """Numbers of one sort, and the role of a call that shows each."""
    rng, plan = stage.rng, stage.people.numbering
    if sort == "fixed_line":
        return stage.fixed(count), _role("forged_fixed_line", count)
    if sort == "unallocated":
        number = rng.choice(plan.unallocated, count) * 10_000 + rng.integers(0, 10_000, count)
        return number, _role("forged_unallocated", count)
    if sort == "malformed":
        texts = [_malformed(rng, plan.country.code) for _ in range(count)]
        return plan.numbers(tuple(texts)), _role("forged_malformed", count)
    if sort == "own_number":
        return -1 - rng.integers(0, stage.people.lines, count), _role("forged_own_number", count)
    if (
        sort == "mobile"
    ):  # mostly of the victim's own network; whether the owner is active is found out as it happens
        own = -1 - _mobiles(stage, count)
        number = np.where(rng.random(count) < 0.75, own, stage.far(count))
        return number, _role("forged_mobile_quiet", count)
    country = plan.country
    famous = {
        "service": country.carriers,
        "state_organ": country.state + country.emergency,
        "bank": country.banks,
    }
    texts = [_written(rng, country.code, country.city, str(rng.choice(famous[sort]))) for _ in range(count)]
    return plan.numbers(tuple(texts)), _role(f"forged_{sort}", count)


def roles_of(stage: Stage, callers: Parties, ingress: int) -> npt.NDArray[np.uint8]:
    """What it makes of a call that it shows this number and comes in this way; 0: nothing wrong."""
    from ringfence.simulate.exchange import is_domestic

    code, flags = int(stage.people.numbering.country.code), stage.people.flags
    found = np.zeros(len(callers), np.uint8)
    for n, caller in enumerate(stage.owned(callers)):
        if caller < 0 and ingress == DOMESTIC:
            found[n] = ROLE["forged_own_number"]
        elif caller < 0:
            fixed = flags[-1 - caller] & NO_DEVICE
            found[n] = ROLE["forged_fixed_line" if fixed else "forged_mobile_quiet"]
        elif caller > 0 and ingress == INTERNATIONAL and is_domestic(int(caller), code):
            far = (
                caller // 10_000 in stage.people.numbering.far
                or caller // 10_000 in stage.people.numbering.others
            )
            found[n] = ROLE["forged_mobile_quiet" if far else "forged_fixed_line"]
    return found


def _mobiles(stage: Stage, count: int) -> Parties:
    lines = stage.rng.integers(0, stage.people.lines, 4 * count + 20)
    return np.asarray(lines[stage.people.flags[lines] & NO_DEVICE == 0][:count])


def _role(name: str, count: int) -> npt.NDArray[np.uint8]:
    return np.full(count, ROLE[name], np.uint8)


def _written(rng: np.random.Generator, code: str, city: str, famous: str) -> str:
    """A short or famous number as forgers and gateways write it."""
    bare = famous.removeprefix(f"+{code}").removeprefix("+")
    ways = (famous, f"+{code}{bare}", f"+{code}{city}{bare}", f"00{code}{bare}", f"+{bare}", bare)
    return str(ways[int(rng.choice(6, p=[0.35, 0.25, 0.15, 0.1, 0.1, 0.05]))])


def _malformed(rng: np.random.Generator, code: str) -> str:
    def digits(count: int) -> str:
        return f"{rng.integers(10**count):0{count}d}"

    ways = (
        f"+{code}{digits(int(rng.integers(13, 15)))}",  # longer than any
        f"+{code}{digits(int(rng.integers(1, 4)))}",  # shorter than any
        f"+0{digits(int(rng.integers(8, 14)))}",
        f"+999{digits(int(rng.integers(6, 10)))}",  # a country code nobody has
        f"{rng.integers(1, 10)}{digits(15)}",
        f"+{code}0000{digits(3)}",
    )
    return ways[int(rng.integers(len(ways)))]
