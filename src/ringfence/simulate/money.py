"""Bank accounts, and ordinary transfers: to family and friends, landlords, shops, savings of one's own."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.compiled import entry
from ringfence.model.numbers import to_texts
from ringfence.model.tables import TRANSFERS
from ringfence.simulate import habits
from ringfence.simulate.chance import trait
from ringfence.simulate.output import numbers_of
from ringfence.simulate.population import Population
from ringfence.simulate.rows import DAY, HOUR

A_DAY: Final = 0.12
"""Transfers per line-day."""
_SHOPS: Final = 10**17  # owners of accounts that are no parties
_SAVINGS: Final = -(10**10)


@entry
def accounts(seed: Any, owners: Any) -> npt.NDArray[np.int64]:
    """Card numbers of owners (parties or any other integers): 62, 16 digits, a check digit (ISO/IEC 7812, Luhn)."""
    found = np.empty(len(owners), np.int64)
    for n in range(len(owners)):
        digits = 62 * 10**16 + int(np.int64(trait(seed, owners[n], 77) % np.uint64(10**16)))
        total, rest, twice = 0, digits, True
        while rest > 0:
            digit = rest % 10
            rest //= 10
            if twice:
                digit = 2 * digit - 9 * (digit > 4)
            total += digit
            twice = not twice
        found[n] = digits * 10 + (10 - total % 10) % 10
    return found


def transfers_table(
    people: Population,
    time: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float64],
) -> pa.Table:
    """The `transfers` table, in order of time, from µs, parties, owners of accounts, and sums."""
    order = np.argsort(time, kind="stable")
    time, lines, target, amount = time[order], lines[order], target[order], amount[order]
    return pa.table(
        [
            pa.array(time).view(TRANSFERS.field("time").type),
            to_texts(numbers_of(people, lines)),
            pa.array(accounts(people.seed, lines)).cast(pa.string()),
            pa.array(accounts(people.seed, target)).cast(pa.string()),
            pa.array(np.round(amount, 2)),
            pa.repeat(people.numbering.country.currency, len(time)),
        ],
        schema=TRANSFERS,
    )


def ordinary_transfers(stage: Any) -> tuple[Any, Any, Any, Any]:
    """The ordinary transfers of a slice: (µs, parties, owners of the accounts they go to, sums)."""
    people, rng = stage.people, stage.rng
    count = int(rng.poisson(A_DAY * people.lines * (stage.until - stage.now) / DAY))
    lines = rng.integers(0, people.lines, count)
    time = stage.now + (rng.random(count) * (stage.until - stage.now)).astype(np.int64)
    awake = habits.DAYTIME[(time + stage.offset) // HOUR % 24] * 18 > rng.random(count)
    lines, time = lines[awake], time[awake]
    count = len(lines)
    what = rng.random(count)
    shop = _SHOPS + (3_000 ** rng.random(count)).astype(np.int64)
    target = np.select([what < 0.3, what < 0.92], [shop, stage.known(lines)], _SAVINGS - lines)
    size = np.where(what < 0.9, rng.lognormal(-3.4, 1.3, count), rng.lognormal(-0.5, 0.9, count))
    return time, -1 - lines, target, people.numbering.country.salary * size
