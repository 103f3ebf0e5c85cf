"""The weights of the detector `flood`, learned from labelled cities.

What is counted, and how it is kept from believing its cities too much, is told in docs/weights.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence import __version__
from ringfence.detect.flood import BURST, HOPELESS
from ringfence.detect.memory import CALLED, HEARD, KNOWN, SECOND, STRANGER, WITHHELD
from ringfence.detect.weights import BY_HAND, CALLERS, CLUSTERS, ENDS, Cluster, Weights, parse, shipped
from ringfence.evaluate.inputs import InputError
from ringfence.evaluate.truth import Truth, read_truth
from ringfence.train.flood_calls import (
    ATTACK,
    CALLER_UNTOLD,
    END_OPEN,
    END_TALK,
    LOOK_ALIKE,
    ORDINARY,
    SEEN,
    answered_short,
    observe,
)
from ringfence.train.flood_estimate import Bits, Floats, Groups, bits_of, clusters, grouped, mixture

HANG_UP, LINGER, BORROWED = range(3)
FORMS: Final = ("hang up", "linger", "borrowed numbers")
EARLY: Final = 20
"""Calls of a flood that are counted: by then it should long be recognised."""
CAP: Final = 4.0
"""No single observation is worth more bits."""
TALK_CAP: Final = 8.0
"""But a talk may be."""
LEAST: Final = 20
"""What fewer calls of floods of all forms showed is not learned: absence from a city is no evidence of how floods are."""
LEAST_FLOODS: Final = 100
"""A form with fewer floods than that keeps what was chosen by hand."""
KEPT: Final = ("talks", "unknown", "shares", "known")
"""Learned, told in the file, but not used: in towns that they were not learned from they made storms look like floods more often
(callers), or calls in ten minutes and borrowed numbers later (gaps). See docs/weights.md."""
LOOK_ALIKE_SHARE: Final = 0.5
"""Of the ordinary side: look-alike bursts, all kinds alike. They are rarer, but they are what a flood must be told from."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How learning is done.

    Attributes:
        pseudo: episodes that the figures chosen by hand count for.
        broad: share of floods that are unlike those of the cities.
        seed: of the bootstrap.
    """

    pseudo: float = 100.0
    broad: float = 0.1
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights, and how sure they are.

    Attributes:
        weights: ready to be written.
        tables: `Bits` by (table, form); the table is "first", "again", "caller" or "withheld".
        gaps: how many gaps were counted, by what.
    """

    weights: Weights
    tables: dict[tuple[str, int], Bits]
    gaps: dict[str, int]


@dataclass(frozen=True, slots=True)
class City:
    """A city as the detector saw it.

    Attributes:
        rows: SEEN records.
        form, shape: of each of the truth's episodes; the form is -1 where it is no flood.
        made: where it comes from.
        alerts: float64[n, 2], odds in bits, and 1 where the alert was true.
    """

    rows: npt.NDArray[np.void]
    form: npt.NDArray[np.int64]
    shape: npt.NDArray[Any]
    made: dict[str, Any]
    alerts: Floats


def see(path: Path) -> City:
    """Let the detector see a city.

    Raises:
        InputError: a file is missing or broken, or there is no flood in it.
    """
    truth = read_truth(path)
    if not len(truth.of("flood")):
        raise InputError(f"{truth.path}: there is no flood in it; nothing can be learned")
    rows, alerts = observe(truth)
    made = {
        key: truth.made_by[key] for key in ("seed", "subscribers", "days", "country") if key in truth.made_by
    }
    return City(rows, _forms(rows, truth), truth.shape, made | {"floods": len(truth.of("flood"))}, alerts)


def _forms(rows: npt.NDArray[np.void], truth: Truth) -> npt.NDArray[np.int64]:
    """Which of the three forms each flood is, by what its first calls did, not by its name."""
    forms = np.full(len(truth.ids), -1, np.int64)
    attack = rows[rows["sort"] == ATTACK]
    for place in truth.of("flood"):
        calls = attack[attack["episode"] == place][: 2 * EARLY]
        if len(calls) and np.mean(calls["relation"] == KNOWN) > 0.5:
            forms[place] = BORROWED
        else:
            forms[place] = LINGER if answered_short(calls) else HANG_UP
    return forms


def learn(cities: Sequence[City], settings: Settings, hand: Weights | None = None) -> Learned:
    """Learn from cities.

    Args:
        cities: from `see`.
        settings: how.
        hand: what is taken for known beforehand; None: what was chosen by hand.
    """
    hand = hand or parse(shipped(BY_HAND))
    rng = np.random.default_rng(settings.seed)
    rows, episode_form, strata, names = _together(cities)
    tables = _tables(rows, episode_form, strata, len(names), settings, hand, rng)
    ends = hand.ends.copy()
    callers = hand.callers.copy()
    talks = hand.talks.copy()
    withheld = list(hand.withheld)
    for key, found in tables.items():
        table, form = key
        which = _learned(key, tables)
        tables[key] = replace(found, error=np.where(which, found.error, np.nan))
        bits = np.clip(found.bits, -CAP, CAP)
        if table in {"first", "again"}:
            side, rows_of = int(table == "again"), which[: len(ENDS)]
            ends[side, rows_of, form] = bits[: len(ENDS)][rows_of]
        if table == "first" and which[END_TALK]:
            talks[0, form] = max(found.bits[END_TALK], -TALK_CAP)
        if table == "caller":
            callers[which, form] = bits[which]
        if table == "withheld" and which[1]:
            withheld[form] = float(bits[1])
    _keep_apart(ends, hand.ends)
    callers[0] = np.minimum(callers[0], 0.0)  # a sum of losses
    shares, cluster, counted = _gaps(rows, strata, len(names), settings, hand)
    weights = replace(
        hand, ends=np.round(ends, 2), callers=np.round(callers, 2), talks=np.round(talks, 2),
        withheld=tuple(np.round(withheld, 2)), shares=shares, clusters=cluster,
    )  # fmt: skip
    return Learned(weights, tables, counted)


def _keep_apart(ends: Floats, hand: Floats) -> None:
    """Borrowed numbers stay by hand where there are few; but what strangers do must not speak for them more than for hanging up."""
    lower = np.minimum(ends[:, :, BORROWED], np.maximum(ends[:, :, HANG_UP], 0.0))
    ends[:, :, BORROWED] = np.where(hand[:, :, BORROWED] > 0, lower, ends[:, :, BORROWED])


def _learned(key: tuple[str, int], tables: dict[tuple[str, int], Bits]) -> npt.NDArray[np.bool_]:
    """Which figures of a table there is enough to learn from; the others stay as chosen by hand."""
    table, _ = key
    if tables[key].attacks < LEAST_FLOODS:
        return np.zeros(len(tables[key].bits), np.bool_)
    seen = np.sum([other.attack for (name, _), other in tables.items() if name == table], axis=0) >= LEAST
    if table == "first":
        seen[END_TALK] = True  # that nobody talks is what floods are
    kept = np.isin(CALLERS, KEPT) if table == "caller" else np.zeros(len(seen), np.bool_)
    return np.asarray(seen & ~kept, np.bool_)


def alerts_of(cities: Sequence[City]) -> Floats:
    """float64[n, 2] of all cities: odds in bits, and 1 where the alert was true."""
    return np.concatenate([np.zeros((0, 2)), *(city.alerts for city in cities)])


def made_from(learned: Learned, cities: Sequence[City], settings: Settings) -> Weights:
    """Learned weights with where they come from."""
    made = {
        "by": "ringfence train flood",
        "version": __version__,
        "cities": [city.made for city in cities],
        "calls": sum(len(city.rows) for city in cities),
        "pseudo": float(settings.pseudo),
        "broad": float(settings.broad),
        "look_alike_share": LOOK_ALIKE_SHARE,
        "seed": settings.seed,
        "gaps": learned.gaps,
        "by_hand": "prior.handicap, caller.talks, caller.unknown, tries, talk.*_interrupted, gaps.means, gaps.shares, gaps.known, gaps.heard; what "
        f"fewer than {LEAST} calls or {LEAST_FLOODS} floods of its form showed; clusters that the cities hardly have",
    }
    return replace(learned.weights, made=made)


def _together(
    cities: Sequence[City],
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int64], npt.NDArray[np.int64], list[str]]:
    """The rows of all cities with episodes and lines numbered through, and form and shape of the episodes.

    Each episode's shape is a number; `names` tells them, look-alikes and floods apart.
    """
    names: dict[str, int] = {}
    parts, forms, strata, first = [], [], [], 0
    for place, city in enumerate(cities):
        rows = city.rows.copy()
        rows["episode"] = np.where(rows["episode"] >= 0, rows["episode"] + first, -1)
        rows["line"] = rows["line"] * 64 + place % 64  # the same number in two cities is two lines
        told = [
            f"{'flood' if form >= 0 else 'life'}:{shape}"
            for form, shape in zip(city.form, city.shape, strict=True)
        ]
        strata.append(np.array([names.setdefault(name, len(names)) for name in told], np.int64))
        forms.append(city.form)
        parts.append(rows)
        first += len(city.form)
    return (
        np.concatenate([np.zeros(0, SEEN), *parts]),
        np.concatenate([np.zeros(0, np.int64), *forms]),
        np.concatenate([np.zeros(0, np.int64), *strata]),
        list(names),
    )


def _early(rows: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Which rows are among the first `EARLY` attack calls of their episode."""
    attack = np.flatnonzero(rows["sort"] == ATTACK)
    order = attack[np.lexsort((rows["start"][attack], rows["episode"][attack]))]
    episode = rows["episode"][order]
    begins = np.searchsorted(episode, episode)
    found = np.zeros(len(rows), np.bool_)
    found[order] = np.arange(len(order)) - begins < EARLY
    return found


def _attack_groups(rows: Any, kind: Any, kinds: int, strata: Any, shapes: int) -> Groups:
    names, counts = grouped(rows["episode"].astype(np.int64), kind, kinds)
    return Groups(counts, strata[names], np.full(shapes, 1.0 / max(shapes, 1)))


def _life_groups(rows: Any, kind: Any, kinds: int, strata: Any, shapes: int) -> Groups:
    """Lines in ordinary life are one stratum, every kind of look-alike another."""
    burst = rows["sort"] == LOOK_ALIKE
    sort = np.where(burst, strata[np.maximum(rows["episode"], 0)], shapes) if len(strata) else np.zeros(0)
    lines, place = np.unique(rows["line"], return_inverse=True)
    names, counts = grouped(place * (shapes + 1) + sort.astype(np.int64), kind, kinds)
    del lines
    stratum = names % (shapes + 1)
    there = np.isin(np.arange(shapes), stratum)
    share = np.append(LOOK_ALIKE_SHARE * there / max(int(there.sum()), 1), 1.0)
    share[-1] -= share[:-1].sum()
    return Groups(counts, stratum, share)


def _tables(
    rows: Any,
    form: Any,
    strata: Any,
    shapes: int,
    settings: Settings,
    hand: Weights,
    rng: np.random.Generator,
) -> dict[tuple[str, int], Bits]:
    """All tables of bits, for each form where there are floods of that form."""
    early = _early(rows)
    life = (rows["sort"] == ORDINARY) | (rows["sort"] == LOOK_ALIKE)
    of_form = np.where(rows["episode"] >= 0, form[np.maximum(rows["episode"], 0)], -1)
    unknown = np.isin(rows["relation"], (WITHHELD, STRANGER, HEARD))
    tables = {}
    for each in range(len(FORMS)):
        circle = rows["relation"] == KNOWN if each == BORROWED else unknown
        attack = early & (of_form == each) & circle

        def table(
            name: str, kind: Any, kinds: int, among: Any, prior: Floats,
            broad: Any = settings.broad, each: int = each, attack: Any = attack,
        ) -> None:  # fmt: skip
            one, other = among & attack, among & life
            if np.any(one) and np.any(other):
                tables[name, each] = bits_of(
                    _attack_groups(rows[one], kind[one], kinds, strata, shapes),
                    _life_groups(rows[other], kind[other], kinds, strata, shapes),
                    prior, settings.pseudo, broad, rng,
                )  # fmt: skip

        ended = circle & rows["weighed"] & (rows["end"] != END_OPEN)
        end = rows["end"].astype(np.int64)
        talk = hand.talks[0, each]
        for again, name in enumerate(("first", "again")):
            among = ended & (rows["again"] == bool(again))
            # a flood in which people talk is none, so all of `broad` but that
            broad = np.append(np.full(len(ENDS), settings.broad), 0.0)
            table(name, end, len(ENDS) + 1, among, np.append(hand.ends[again, :, each], talk), broad=broad)
        if each != BORROWED:
            told = rows["weighed"] & (rows["life"] != CALLER_UNTOLD)
            table("caller", rows["life"].astype(np.int64), len(CALLERS), told, hand.callers[:, each])
            is_withheld = (rows["relation"] == WITHHELD).astype(np.int64)
            table("withheld", is_withheld, 2, unknown & ~rows["again"], np.array([0.0, hand.withheld[each]]))
    for name, each in (("caller", BORROWED), ("withheld", BORROWED)):
        if (name, HANG_UP) in tables:
            tables[name, each] = tables[name, HANG_UP]
    return tables


def _gaps(
    rows: Any, strata: Any, shapes: int, settings: Settings, hand: Weights
) -> tuple[tuple[float, ...], dict[str, Cluster], dict[str, int]]:
    """The mixtures of gaps: of floods, every shape alike; of ordinary life outside bursts, every line alike."""
    gaps, weights = _attack_gaps(rows[_early(rows)], strata, shapes)
    shares = hand.shares
    if len(gaps) and "shares" not in KEPT:
        found = mixture(gaps, weights, np.array(hand.means), settings.broad)
        found = np.round(found / found.sum(), 4)
        shares = (*found[:-1].tolist(), round(1.0 - float(found[:-1].sum()), 4))
    cluster = dict(hand.clusters)
    counted = {"attack": len(gaps)}
    life = rows[(rows["sort"] == ORDINARY) & ~rows["again"] & (rows["relation"] != CALLED)]
    circles = {
        "stranger": np.isin(life["relation"], (STRANGER, HEARD)),
        "withheld": life["relation"] == WITHHELD,
        "known": life["relation"] == KNOWN,
    }
    for name, circle in circles.items():
        some = life[circle & np.isfinite(life["gap"])]
        near = some["gap"] <= HOPELESS / SECOND
        counted[name] = int(near.sum())
        if counted[name] < 50 or name in KEPT:
            continue
        _, line, size = np.unique(some["line"], return_inverse=True, return_counts=True)
        weight = np.minimum(1.0, 10.0 / size)[line]
        names = [each for each in CLUSTERS if each.startswith(name)]
        start = np.array([hand.clusters[each].scale for each in names])
        until = (BURST if name == "known" else HOPELESS) / SECOND
        share, scale = clusters(some["gap"], some["rate"], weight, start, until)
        lines = float(len(np.unique(some["line"][near])))
        for place, each in enumerate(names):
            cluster[each] = _shrunk(Cluster(share[place], scale[place]), hand.clusters[each], lines, settings)
    return shares, cluster, counted


def _shrunk(found: Cluster, hand: Cluster, size: float, settings: Settings) -> Cluster:
    """Between what was found and what was chosen by hand; but a city in which strangers never cluster proves nothing of real life."""
    if found.share < hand.share / 2.0:
        return hand
    part = size / (size + settings.pseudo)
    scale = float(np.exp(part * np.log(found.scale) + (1.0 - part) * np.log(hand.scale)))
    return Cluster(round(float(part * found.share + (1.0 - part) * hand.share), 4), round(scale, 1))


def _attack_gaps(calls: Any, strata: Any, shapes: int) -> tuple[Floats, Floats]:
    """Gaps between the calls of each flood, and their weights: every shape alike, every flood of a shape alike."""
    order = np.lexsort((calls["start"], calls["episode"]))
    calls = calls[order]
    same = calls["episode"][1:] == calls["episode"][:-1]
    gaps = np.maximum(np.diff(calls["start"])[same] / SECOND, 0.5)
    episode = calls["episode"][1:][same]
    _, place, size = np.unique(episode, return_inverse=True, return_counts=True)
    names = np.unique(episode)
    floods = np.bincount(strata[names], minlength=shapes)
    weights = 1.0 / (size[place] * floods[strata[episode]])
    return np.asarray(gaps, np.float64), np.asarray(weights, np.float64)
