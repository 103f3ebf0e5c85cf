"""A scam call in stages (newspaper cases 3 to 5).

"The telecom" rings, hands over to "the police", a call that does not end, a hotel, a second SIM, a transfer; the victim rings
the bank, friends do not get through; calls go on for days.

The first call comes from a centre abroad (`cold_call_centre`) under a forged number, or from a SIM box. Victims of a shop that leaked
its customers had been in touch with it before. A few become accomplices: later victims' money goes through their accounts.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ringfence.model.tables import INTERNATIONAL
from ringfence.simulate import habits
from ringfence.simulate.crimes._forging import shown
from ringfence.simulate.exchange import DOMESTIC_TRUNKS, TRUNKS, cell_names, device_of
from ringfence.simulate.habits import spread
from ringfence.simulate.look_alikes.shop import customers
from ringfence.simulate.rows import DAY, HOUR, MINUTE, ROLE, SECOND
from ringfence.simulate.stage import Stage

NAME: Final = "scam_call"
CRIME: Final = "scam_call"
SHAPES: Final = (
    "telecom_and_police",
    "sim_box",
    "bank_and_loan",
    "short_grip",
    "hotel",
    "second_number",
    "leak",
)
RATE: Final = 4e-5
_LEAKS: Final = 3
"""Shops that leak, in a city of 100,000 lines."""


@dataclass(slots=True)
class _Caller:
    """Who rings: a number, what shows it to be forged, and how it comes in."""

    party: int
    fields: dict[str, Any]


def prepare(stage: Stage, planned: list[tuple[int, str]]) -> None:
    """Choose the shops that leak, and let their customers who will be victims be in touch with them before.

    Args:
        stage: the city at its beginning.
        planned: (begin, shape) of all episodes, in the order in which they will be played.
    """
    rng, shops = stage.rng, stage.lines("shop")
    count = min(len(shops), max(1, round(_LEAKS * stage.people.lines / 100_000)))
    leaks = rng.choice(shops, count, replace=False)
    for begin, shape in planned:
        if shape == "leak" or rng.random() < 0.2:
            shop = int(rng.choice(leaks))
            free = [int(line) for line in customers(stage, shop) if int(line) not in stage.taken]
            line = int(rng.choice(free or customers(stage, shop)))
            stage.taken.add(line)
            stage.leaked[begin] = (line, shop)
            times = np.sort(rng.uniform(stage.begins, begin, int(rng.integers(1, 4))).astype(np.int64))
            times = np.array([max(stage.at_hour(int(t)), stage.begins) for t in times], np.int64)
            times = times[times < begin - HOUR]
            times = times if len(times) else np.array([(stage.begins + begin) // 2])
            rings = rng.random(len(times)) < 0.5
            parties = np.where(rings, -1 - shop, -1 - line), np.where(rings, -1 - line, -1 - shop)
            stage.calls(
                times, *parties, habits.rings(rng, len(times)), habits.talks(rng, len(times), short=0)
            )


def play(stage: Stage, begin: int, shape: str) -> None:
    """One victim's days."""
    rng = stage.rng
    line, shop = stage.leaked.pop(begin, (-1, -1))
    if line < 0:
        line = stage.person()
    behind = (
        "sim_box"
        if shape == "sim_box" or (shape != "telecom_and_police" and rng.random() < 0.25)
        else "international"
    )
    begin = max(stage.at_hour(begin, habits.FRAUD), begin)
    first = _caller(stage, behind, begin, ("fixed_line", "service", "mobile", "unallocated", "malformed"))
    number = int(stage.people.number[shop]) if shop >= 0 else None
    more = {"accomplice": False, "behind": behind, "hand_over_at": None, "grip_began": None, "grip_call": None,
            "hotel_cell": None, "transfer_at": None, "amount": None}  # fmt: skip
    mark = stage.truth.begin(CRIME, shape, -1 - line, {"second_number": None, "leak": number}, **more)
    told = stage.truth.episodes[mark - 1]
    now = _ring(stage, first, begin, line, spread(rng, 120, 1_500), mark, "cold_call")
    if rng.random() < 0.85:  # "I put you through to the police"
        police = _caller(stage, behind, now, ("state_organ", "fixed_line", "state_organ", "mobile"))
        now += int(spread(rng, 4, 900) * SECOND)
        told.more["hand_over_at"] = now
        now = _ring(stage, police, now, line, spread(rng, 90, 1_500), mark, "hand_over")
    else:
        police = first
    now = _grip(stage, police, now, line, shape, mark)
    _afterwards(stage, police, now, line, mark)


def _grip(stage: Stage, police: _Caller, now: int, line: int, shape: str, mark: int) -> int:
    """The call that does not end, redialled when it breaks; between its parts: the bank, the hotel, the second number."""
    rng, told = stage.rng, stage.truth.episodes[mark - 1]
    now += int(spread(rng, 10, 2_400) * SECOND)
    left = spread(rng, 0.35, 1.2) if shape == "short_grip" else spread(rng, 1, 14)  # hours
    hotel = shape == "hotel" or rng.random() < 0.2
    second = shape == "second_number" or rng.random() < 0.12
    fields: dict[str, Any] = {}
    began = now
    target, parts = line, 0
    while left > 0.02 and parts < 12:
        part = min(left, float(rng.exponential(2.2)) + 0.35)
        caller = (
            police if rng.random() < 0.8 else _caller(stage, "international", now, ("state_organ", "mobile"))
        )
        end = _ring(stage, caller, now, target, part * 3_600, mark, "grip", **fields)
        if told.more["grip_began"] is None:
            told.more["grip_began"] = stage.rows[-1]["answer"][0]
        left -= part
        parts += 1
        _friends(stage, line, now, end)
        now = end + int(spread(rng, 8, 3_000) * SECOND)
        if rng.random() < 0.3:
            now = _bank(stage, line, now)
        if hotel and told.more["hotel_cell"] is None and (rng.random() < 0.5 or left <= 0.02):
            cell = int(rng.integers(stage.people.cells))
            told.more["hotel_cell"] = cell_names(stage.people.seed, stage.people.cells)[cell]
            fields["cell"] = 1 + cell
            left = max(left, 0.4)
        if second and told.parties["second_number"] is None and (rng.random() < 0.5 or left <= 0.02):
            new = stage.person()
            told.parties["second_number"] = -1 - new
            fields["callee_device"] = device_of(stage.people.seed, line, now)
            target, left = new, max(left, 0.4)
            now += int(spread(rng, 5, 120) * MINUTE)
    _pay(stage, line, began, now, mark)
    return now


def _pay(stage: Stage, line: int, began: int, until: int, mark: int) -> None:
    """Three in four victims transfer, in one part or several, to an account they never paid before."""
    rng, told = stage.rng, stage.truth.episodes[mark - 1]
    if rng.random() > 0.75:
        return
    at = began + int(rng.uniform(0.15, 1.3) * max(until - began, HOUR))
    if rng.random() < 0.25:
        at += int(spread(rng, 4, 40) * HOUR)
    total = round(stage.people.numbering.country.salary * spread(rng, 0.3, 60), 2)
    mules = [party for party, since in stage.mules if since < at]
    target = mules[-1] if mules and rng.random() < 0.3 else 10**18 + int(rng.integers(500, 700))
    told.more["transfer_at"], told.more["amount"] = at, total
    parts = int(rng.integers(1, 5))
    for share in rng.dirichlet([2.0] * parts):
        stage.transfer(at, line, target, float(total * share))
        at += int(spread(rng, 1, 90) * MINUTE)
    if rng.random() < 0.12:  # has lost all, and is promised it back
        told.more["accomplice"] = True
        stage.mules.append((-1 - line, at))


def _afterwards(stage: Stage, police: _Caller, now: int, line: int, mark: int) -> None:
    """They ring again for days."""
    rng, told = stage.rng, stage.truth.episodes[mark - 1]
    second = told.parties["second_number"]
    for day in range(int(rng.integers(0, 5))):
        for _ in range(int(rng.integers(0, 4))):
            at = stage.at_hour(now + day * DAY, habits.FRAUD)
            if at > now + HOUR:
                to = -1 - second if second is not None and rng.random() < 0.5 else line
                device = {"callee_device": device_of(stage.people.seed, line, at)} if to != line else {}
                caller = (
                    police
                    if rng.random() < 0.6
                    else _caller(stage, "international", at, ("state_organ", "mobile", "fixed_line"))
                )
                if rng.random() < 0.8:
                    _ring(stage, caller, at, to, spread(rng, 40, 2_400), mark, "follow_up", **device)
                else:
                    stage.calls(at, caller.party, -1 - to, 25 + 20 * rng.random(), np.nan, 19, episode=mark,
                                role=ROLE["follow_up"], firm=1, **caller.fields, **device)  # fmt: skip
    if told.more["accomplice"]:  # rings later victims, at their side
        start = np.array(
            [stage.at_hour(now + (2 + day) * DAY, habits.FRAUD) for day in range(4) for _ in range(3)]
        )
        stage.attempts(start, -1 - line, stage.own(len(start)), 0.7)


def _ring(
    stage: Stage, caller: _Caller, at: int, line: int, seconds: float, mark: int, role: str, **more: Any
) -> int:  # fmt: skip
    """One answered call; gives back its end."""
    rng = stage.rng
    seconds *= float(rng.lognormal(0, 0.2))
    by = int(rng.choice([1, 2, 3], p=[0.55, 0.25, 0.2] if role == "grip" else [0.6, 0.37, 0.03]))
    cause = 16 if by < 3 else int(rng.choice([31, 41, 16]))
    rows = stage.calls(
        at, caller.party, -1 - line, habits.rings(rng, 1), seconds, cause, released=by, episode=mark,
        role=ROLE[role], firm=1, **caller.fields, **more,
    )  # fmt: skip
    return int(rows["end"][0])


def _caller(stage: Stage, behind: str, at: int, sorts: tuple[str, ...]) -> _Caller:
    """A number to ring under at a moment: of a centre that is at work, or of a card of a SIM box."""
    rng = stage.rng
    boxes = [box for box in stage.boxes if box[1] <= at] or stage.boxes
    if behind == "sim_box" and boxes:
        mark, _, _, party, device = boxes[int(rng.integers(len(boxes)))]
        fields = {"episode2": mark, "role2": ROLE["fraud"]} | ({"caller_device": device} if party < 0 else {})
        return _Caller(party, fields)
    number, role = shown(stage, str(rng.choice(sorts)), 1)
    centres = [c for c in stage.centres if c[1] <= at < c[2]] or stage.centres
    if centres:
        mark, _, _, trunk = centres[int(rng.integers(len(centres)))]
    else:
        mark, trunk = 0, int(rng.integers(DOMESTIC_TRUNKS, TRUNKS))
    return _Caller(
        int(number[0]),
        {"trunk": 1 + trunk, "ingress": INTERNATIONAL, "episode2": mark, "role2": int(role[0])},
    )


def _friends(stage: Stage, line: int, since: int, until: int) -> None:
    """Family who try to reach the victim meanwhile; the exchange tells them that the line is engaged."""
    rng = stage.rng
    count = rng.poisson(0.5 * (until - since) / HOUR)
    if count:
        start = (since + rng.random(count) * (until - since)).astype(np.int64)
        stage.attempts(start, rng.choice(stage.contacts(line, 8), count), -1 - line, 0.5)


def _bank(stage: Stage, line: int, now: int) -> int:
    """The victim rings the bank's hotline: limits, a lost card. Gives back when it is over."""
    rng, country = stage.rng, stage.people.numbering
    banks = country.numbers(country.country.banks)
    rows = stage.calls(
        now,
        -1 - line,
        int(banks[int(rng.integers(len(banks)))]),
        habits.rings(rng, 1),
        spread(rng, 60, 900),
        firm=1,
    )
    return int(rows["end"][0]) + int(spread(rng, 5, 600) * SECOND)
