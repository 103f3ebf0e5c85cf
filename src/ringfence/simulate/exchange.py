"""The network between caller and called: who is engaged, who travels, which way a call came in, on which device and in which cell.

Works on calls in order of time, slice after slice, with two moments kept per line: until when it is engaged, and when it
was last seen at home.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit
from ringfence.simulate.chance import bell, below, mix, share, trait
from ringfence.simulate.numbering import only_called
from ringfence.simulate.population import ABROAD, MANY, NO_DEVICE, ONLY_CALLED, Population
from ringfence.simulate.rows import DAY, HOUR, ROLE, SECOND, Rows

DOMESTIC_TRUNKS: Final = 36
INTERNATIONAL_TRUNKS: Final = 18
TRUNKS: Final = DOMESTIC_TRUNKS + INTERNATIONAL_TRUNKS
NO_CELL: Final = -1
_LOCAL: Final = 1 << 60
_ROAMER: Final = ROLE["roamer"]
_FORGED_ACTIVE: Final = ROLE["forged_mobile_active"]
_FORGED_QUIET: Final = ROLE["forged_mobile_quiet"]
_FROM_ABROAD: Final = 0.5
"""Share of a traveller's usual calls that still are made, to numbers of the own network."""
_NEVER: Final = np.iinfo(np.int64).max
_AT_HOME, _ON_THE_WAY, _ABROAD = 0, 1, 2


class Lines(NamedTuple):
    """What the exchange keeps of the lines.

    Attributes:
        seed: uint64.
        engaged: int64, until when (µs); seen: when last active at home.
        flags: see `population`.
        away: see `Stage`.
        mute: int64, numbers that can only be called, in order.
        cells: how many there are.
        code: country calling code; attested: whether calls are signed; offset: local time minus UTC, µs.
    """

    seed: Any
    engaged: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint8]
    away: npt.NDArray[np.int64]
    mute: npt.NDArray[np.int64]
    cells: int
    code: int
    attested: bool
    offset: int


def lines_of(people: Population, away: npt.NDArray[np.int64]) -> Lines:
    """The exchange's view of a city at its beginning."""
    country = people.numbering.country
    return Lines(
        people.seed,
        np.zeros(people.lines, np.int64),
        np.zeros(people.lines, np.int64),
        people.flags,
        away,
        np.unique(people.services[only_called(people.numbering, people.services)]),
        people.cells,
        int(country.code),
        country.attested,
        int(country.hours * HOUR),
    )


@jit
def _whereabouts(lines: Lines, line: int, now: int) -> tuple[int, int]:
    """Where a line is, and until when."""
    if lines.flags[line] & ABROAD == 0:
        return _AT_HOME, _NEVER
    at = np.searchsorted(lines.away[:, 0], line)
    while at < len(lines.away) and lines.away[at, 0] == line:
        for part in range(4):
            if now < lines.away[at, 1 + part]:
                return (_AT_HOME, _ON_THE_WAY, _ABROAD, _ON_THE_WAY)[part], lines.away[at, 1 + part]
        at += 1
    return _AT_HOME, _NEVER


@jit
def _is_mute(lines: Lines, party: int) -> bool:
    """Whether a party can only be called."""
    if party < 0:
        return bool(lines.flags[-1 - party] & ONLY_CALLED)
    at = np.searchsorted(lines.mute, party)
    return bool(at < len(lines.mute) and lines.mute[at] == party)


@jit
def _cut(row: Any, until: int) -> None:
    """End a call no later than its traveller leaves."""
    row.end = min(row.end, max(until, row.answer, row.start))


@jit
def _not_reached(row: Any, chance: float) -> None:
    """The phone is switched off."""
    row.answer = -1
    row.cause, row.released = 20, 3
    row.end = row.start + int((0.8 + 5.0 * chance) * SECOND)


@entry
def settle(rows: Rows, order: Any, lines: Lines) -> npt.NDArray[np.bool_]:
    """Let calls, in order of time, find each other: who is engaged is not reached, who talks does not ring, who is abroad rings from there.

    Args:
        rows: changed in place.
        order: places of the rows to look at, by time.
        lines: changed in place.

    Returns:
        Which of these took place at all.
    """
    took_place = np.ones(len(order), np.bool_)
    for n in range(len(order)):
        row = rows[order[n]]
        now = row.start
        caller, callee = -1 - row.caller, -1 - row.callee
        chance = mix(lines.seed + np.uint64(now) * np.uint64(2) + np.uint64(1))
        forged = row.ingress >= 2  # said so by whoever made the call: its owner has no part in it
        if row.caller == row.callee or (not forged and _is_mute(lines, row.caller)):
            took_place[n] = False
            continue
        if caller >= 0 and not forged:
            if lines.flags[caller] & MANY == 0 and lines.engaged[caller] > now and row.firm == 0:
                took_place[n] = False
                continue
            where, until = _whereabouts(lines, caller, now)
            if where == _ON_THE_WAY or (where == _ABROAD and (callee < 0 or share(chance) >= _FROM_ABROAD)):
                took_place[n] = False
                continue
            _cut(row, until)
            if where == _ABROAD:
                row.ingress = 3
                row.caller_device = -1
                if row.role == 0:
                    row.role = _ROAMER
                else:
                    row.role2 = _ROAMER
            else:
                lines.seen[caller] = now
        if callee >= 0:
            if row.firm == 0 and lines.flags[callee] & MANY == 0 and lines.engaged[callee] > now:
                row.answer = -1
                if share(chance) < 0.72:  # engaged; the others hear it ring: call waiting
                    row.cause, row.released = 17, 3
                    row.end = now + int((0.4 + 3.0 * share(mix(chance))) * SECOND)
                else:
                    row.cause, row.released = 19, 1
                    row.end = now + int((8.0 + 25.0 * share(mix(chance))) * SECOND)
            where, until = _whereabouts(lines, callee, now)
            if where == _ON_THE_WAY:
                _not_reached(row, share(mix(chance)))
            _cut(row, until)
            if where != _AT_HOME:
                row.cell = NO_CELL
                row.callee_device = -1
            elif row.answer >= 0:
                lines.seen[callee] = now
            lines.engaged[callee] = max(row.end, lines.engaged[callee])
        if caller >= 0 and not forged:
            lines.engaged[caller] = max(row.end, lines.engaged[caller])
        if caller >= 0 and lines.seen[caller] > max(now - DAY, 0):
            if row.role == _FORGED_QUIET:
                row.role = _FORGED_ACTIVE
            if row.role2 == _FORGED_QUIET:
                row.role2 = _FORGED_ACTIVE
    return took_place


@jit
def _country_code(number: int) -> int:
    """The first two digits of an E.164 number."""
    while number >= 100_000_000:
        number //= 1_000_000
    while number >= 100:
        number //= 10
    return number


@jit
def is_domestic(number: int, code: int) -> bool:
    """Whether a number belongs to the country: also what is dialled without a country code."""
    if number >= _LOCAL:
        return True
    lead = _country_code(number)
    return lead == code or (code == 1 and lead // 10 == 1)


@jit
def _device(seed: Any, line: int, now: int) -> int:
    """The equipment of a line: a new one now and then (1.67 in 8 months); two SIMs of one owner may take turns in it."""
    owner = line
    if share(trait(seed, line >> 1, 61)) < 0.03:
        owner = line >> 1 << 1
    taste = trait(seed, line, 62)
    days = 850.0 * np.exp(1.25 * bell(taste, mix(taste)))
    turn = int(now / DAY / days + share(mix(taste + np.uint64(3))))
    return int(np.int64(trait(seed, owner * 4_096 + turn % 4_096, 63) >> np.uint64(16))) + 1


@entry
def device_of(seed: Any, line: int, now: int) -> int:
    """The same, for one line at one moment (µs)."""
    return _device(seed, line, now)


@jit
def cell_at(seed: Any, line: int, now: int, cells: int, weekday: int, hour: int) -> int:
    """Where a line is: at home, at work, or elsewhere."""
    taste = trait(seed, line, 65)
    chance = trait(seed, line, 5_000_000 + now // HOUR)
    if share(chance) < 0.13:
        return below(mix(chance), cells)
    home = (below(trait(seed, line >> 9, 66), cells) + below(taste, 3)) % cells
    works = share(mix(taste + np.uint64(1))) < 0.7
    if works and weekday < 5 and 9 <= hour < 18:
        return below(mix(taste), cells)
    return home


@entry
def dress(rows: Rows, lines: Lines) -> None:
    """Fill in what follows from who and when: ingress, trunk, devices, cell (in place).

    Afterwards `cell` and `trunk` are 0 for none or 1 + the place, devices 0 for none.
    """
    for n in range(len(rows)):
        row = rows[n]
        now = row.start
        chance = mix(lines.seed ^ (np.uint64(now) * np.uint64(7) + np.uint64(row.callee)))
        caller, callee = -1 - row.caller, -1 - row.callee
        if row.ingress == 0:
            if caller >= 0:
                row.ingress = 1
            elif row.caller == 0:
                way = share(chance)
                row.ingress = 1 if way < 0.35 else 2 if way < 0.97 else 3
            else:
                row.ingress = 2 if is_domestic(row.caller, lines.code) else 3
        if row.trunk == 0 and row.ingress != 1:
            row.trunk = 1 + _trunk(lines.seed, row.caller, row.ingress, chance)
        usual = caller >= 0 and row.ingress == 1 and lines.flags[caller] & NO_DEVICE == 0
        if row.caller_device == 0 and usual:
            row.caller_device = _device(lines.seed, caller, now)
        row.caller_device = max(row.caller_device, 0)
        if row.released == 0:
            row.released = _who_ended(row.answer >= 0, row.cause, share(mix(chance + np.uint64(3))))
        if callee >= 0 and lines.flags[callee] & NO_DEVICE == 0 and row.cause != 20:
            if row.callee_device == 0:
                row.callee_device = _device(lines.seed, callee, now)
            if row.cell == 0:
                local = now + lines.offset
                weekday = (local // DAY + 3) % 7
                row.cell = 1 + cell_at(lines.seed, callee, now, lines.cells, weekday, local // HOUR % 24)
        row.callee_device = max(row.callee_device, 0)
        row.cell = max(row.cell, 0)


@jit
def _who_ended(answered: bool, cause: int, chance: float) -> int:
    """Who released a call: 1 caller, 2 callee, 3 network."""
    if answered:
        return 1 if chance < 0.54 else 2 if chance < 0.98 else 3
    if cause == 21:
        return 2
    return 1 if cause == 16 or (cause == 19 and chance < 0.5) else 3


@jit
def _trunk(seed: Any, caller: int, ingress: int, chance: Any) -> int:
    """The trunk group: a network's calls share a few, and overflow to others."""
    network = below(trait(seed, abs(caller) // 10_000_000, 67), 1 << 20)
    if share(mix(chance + np.uint64(9))) < 0.08:
        network = below(chance, 1 << 20)
    if ingress == 2:
        return (network % 12 * 3 + below(chance, 3)) % DOMESTIC_TRUNKS
    return DOMESTIC_TRUNKS + (network % 9 * 2 + below(chance, 5) // 2) % INTERNATIONAL_TRUNKS


def trunk_names(seed: Any) -> list[str]:
    """Names of the trunk groups; nothing in a name tells what comes through it."""
    rng = np.random.default_rng([int(seed), 2])
    return [f"TG{n}" for n in rng.choice(np.arange(1_000, 9_999), TRUNKS, replace=False)]


def trunk_name(seed: Any, trunk: int) -> str:
    """The name of one."""
    return trunk_names(seed)[trunk]


def cell_names(seed: Any, cells: int) -> list[str]:
    """Names of the cells: area and cell."""
    rng = np.random.default_rng([int(seed), 3])
    return [f"{4_100 + n // 250}-{eci}" for n, eci in enumerate(rng.choice(1 << 27, cells, replace=False))]
