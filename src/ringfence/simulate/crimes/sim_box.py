"""SIM boxes: a rack of cards in a flat, through which a centre abroad rings as from a domestic mobile.

Cards take turns. Few devices show many numbers, or each card changes its device again and again. Some boxes stand in other
networks: then only their numbers are seen here.
"""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.crimes.fraud_line import some_again, talk, times
from ringfence.simulate.habits import spread
from ringfence.simulate.population import Kind
from ringfence.simulate.rows import DAY, ROLE
from ringfence.simulate.stage import Stage

NAME: Final = "sim_box"
CRIME: Final = "fraud_line"
KINDS: Final = (Kind("sim_box", 0.003, life=0.0),)
SHAPES: Final = ("few_devices", "many_devices", "other_network")
RATE: Final = 8e-6


def play(stage: Stage, begin: int, shape: str) -> None:
    """One box for some days; each of its cards is a fraud line."""
    rng = stage.rng
    cards = _cards(stage, shape)
    slots = max(1, int(len(cards) * rng.uniform(0.1, 0.5)))
    devices = rng.integers(
        1, 1 << 48, slots if shape != "many_devices" else int(len(cards) * spread(rng, 2, 30))
    )
    start = times(stage, begin, max(1, round(spread(rng, 1, 12))), len(cards) * spread(rng, 5, 35))
    # a card works for a while, rests, and is thrown away in the end
    life = np.sort(rng.random((len(cards), 2)), axis=1)
    life[rng.random(len(cards)) < 0.4] = [0, 1]
    share = (start - start[0]) / max(int(start[-1] - start[0]), 1)
    alive = (life[None, :, 0] <= share[:, None]) & (share[:, None] <= life[None, :, 1])
    card = np.argmax(alive * rng.random((len(start), len(cards))), axis=1)
    outcome = habits.outcomes(rng, len(start), rng.uniform(0.35, 0.65), talk(stage, len(start)), patience=22)
    slot = rng.integers(0, len(devices), len(start))
    if shape == "few_devices":  # a card stays in its slot for some hours
        slot = (card + (start // (DAY // 6))) % len(devices)
    callees = -1 - rng.integers(0, stage.people.lines, len(start))
    if shape != "other_network":
        outside = rng.random(len(start)) < 0.4
        callees = np.where(outside, stage.strangers(len(start)), callees)
    for place, party in enumerate(cards):
        its = np.flatnonzero(card == place)
        if not len(its):
            continue
        seen = len(np.unique(slot[its])) if shape != "other_network" else 0
        mark = stage.truth.begin(CRIME, shape, int(party), devices=seen)
        stage.boxes.append(
            (mark, int(start[its[0]]), int(start[its[-1]]), int(party), int(devices[slot[its[0]]]))
        )
        stage.calls(
            start[its], party, some_again(stage, callees[its]), outcome["ring"][its], outcome["talk"][its], outcome["cause"][its],
            episode=mark, role=ROLE["fraud"],
            caller_device=devices[slot[its]] if shape != "other_network" else 0,
        )  # fmt: skip


def _cards(stage: Stage, shape: str) -> list[int]:
    """The numbers of a box's cards."""
    rng = stage.rng
    count = round(spread(rng, 4, 48))
    if shape == "other_network":
        return [int(number) for number in stage.strangers(count)]
    lines = stage.lines("sim_box")
    fresh = [int(line) for line in rng.permutation(lines) if int(line) not in stage.taken][:count]
    fresh = fresh or [int(line) for line in rng.permutation(lines)[:count]]
    stage.taken.update(fresh)
    return [-1 - line for line in fresh]


EARLY: Final = 2.0
