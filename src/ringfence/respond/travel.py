"""How long an officer needs to a door: the great circle, a detour for roads, a city's speed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ringfence.respond.assumptions import Assumptions
from ringfence.respond.case import Officer, Place
from ringfence.respond.loss import MINUTE, Flags, Floats, Ints

EARTH_KM: Final = 6_371.0
"""Mean radius."""
_ROUNDING: Final = 2e-8
"""Of a chord made from a scalar product, 13 cm: sqrt(2 eps)."""


def points(places: Sequence[Place | None]) -> Floats:
    """Places as points of the unit sphere, shape (count, 3); NaN: not known."""
    degrees = np.array([(math.nan, math.nan) if p is None else (p.lat, p.lon) for p in places], np.float64)
    lat, lon = np.radians(degrees.reshape(-1, 2)).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


@dataclass(frozen=True, slots=True)
class Crew:
    """Officers as columns.

    Attributes:
        point: shape (count, 3), NaN: not known.
        minutes: to anywhere, where places are not known.
        wait: minutes until the officer can leave.
        bound: row of the case the officer is under way to, -1: none.
    """

    point: Floats
    minutes: Floats
    wait: Floats
    bound: Ints

    def __len__(self) -> int:
        return len(self.minutes)


def crew(officers: Sequence[Officer], now: int, rows: dict[str, int], a: Assumptions) -> Crew:
    """Officers as columns; somebody under way to a case that is not open any more is free.

    Args:
        officers: their order is kept.
        now: µs.
        rows: of open cases, by id.
        a: what is assumed.
    """
    return Crew(
        point=points([officer.place for officer in officers]),
        minutes=np.array([a.travel_minutes if o.minutes is None else o.minutes for o in officers], np.float64),
        wait=np.array([max((o.free_from - now) / MINUTE, 0.0) for o in officers], np.float64),
        bound=np.array([rows.get(o.under_way_to or "", -1) for o in officers], np.int64),
    )  # fmt: skip


def minutes_between(who: Crew, where: Floats, a: Assumptions) -> Floats:
    """Minutes of travel, shape (officers, places).

    Args:
        who: officers.
        where: points, shape (places, 3).
        a: what is assumed.
    """
    chord = np.sqrt(np.maximum(2.0 - 2.0 * (who.point @ where.T), 0.0))
    found = _by_road(chord, a)
    return np.where(np.isnan(found), who.minutes[:, None], found)


def minutes_to(point: Floats, usual: Floats, where: Floats, a: Assumptions) -> Floats:
    """The same for pairs: officer k at `point[k]` to place `where[k]`; `usual[k]` minutes where one is not known."""
    chord = np.sqrt(np.maximum(2.0 - 2.0 * (point * where).sum(axis=1), 0.0))
    found = _by_road(chord, a)
    return np.where(np.isnan(found), usual, found)


def nearest(who: Crew, where: Floats, a: Assumptions) -> Floats:
    """Minutes that no officer is quicker than, for each place; exact but for some centimetres."""
    from scipy.spatial import cKDTree

    known_officers: Flags = ~np.isnan(who.point[:, 0])
    known: Flags = ~np.isnan(where[:, 0])
    found = np.full(len(where), np.inf)
    if known_officers.any() and known.any():
        chord, _ = cKDTree(who.point[known_officers]).query(where[known])
        found[known] = _by_road(np.maximum(chord - _ROUNDING, 0.0), a)
    if not known.all():
        found[~known] = who.minutes.min(initial=np.inf)
    if not known_officers.all():
        found = np.minimum(found, who.minutes[~known_officers].min())
    return found


def _by_road(chord: Floats, a: Assumptions) -> Floats:
    arc: Floats = 2.0 * EARTH_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))
    return arc * (a.detour / a.speed * 60.0)
