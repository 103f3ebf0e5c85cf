"""Shops with customers who come back: the shop rings them (an order is ready), they ring the shop.

Each shop has its own list of customers. A shop that leaks this list is what victims of a scam have in common (`crimes.scam_call`).
"""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Parties, Stage

NAME: Final = "shop"
KINDS: Final = (Kind("shop", 0.0015, "mobile", 0.4),)
CUSTOMERS: Final = 60
"""Own lines among a shop's customers."""


def customers(stage: Stage, shop: int) -> Parties:
    """The lines of a shop's customers in the city."""
    rng = np.random.default_rng([int(stage.people.seed), 7, shop])
    return rng.integers(0, stage.people.lines, CUSTOMERS)


def live(stage: Stage) -> None:
    """A slice of their life."""
    rng, lines = stage.rng, stage.lines("shop")
    which, start = stage.clock(np.full(len(lines), 9.0), habits.OFFICE, weekend=1.1)
    place = rng.integers(0, CUSTOMERS, len(start))
    known = np.stack([customers(stage, int(shop)) for shop in lines])[which, place]
    other = np.where(rng.random(len(start)) < 0.5, -1 - known, stage.strangers(len(start)))
    rings = rng.random(len(start)) < 0.55
    shop = -1 - lines[which]
    talk = habits.talks(rng, len(start), 40, 0.8, short=0.12)
    stage.attempts(start, np.where(rings, shop, other), np.where(rings, other, shop), 0.78, talk)
