"""Fit an additive model: two estimates of the same tables, averaged.

One estimate is smooth and convex (`smooth`), the other has jumps and a few pairs (`boost`). They err differently, so their
mean errs less; being sums of tables both, their mean is one too. Penalty, number of trees, scale and thresholds are
found by cross-validation within the lines that are given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringfence import __version__
from ringfence.train import boost, smooth
from ringfence.train.additive import Model, Pair, Shape, rounded
from ringfence.train.bins import Codes, Floats, codes_of, edges_of
from ringfence.train.pairs import make, purify
from ringfence.train.recipe import NONE, Recipe, derive
from ringfence.train.table import Labelled, check, useful

NATS: Final = float(np.log(2.0))
BAGS: Final = 2
"""Boosted estimates averaged: with other random parts of lines and features each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to fit.

    Attributes:
        seed: of folds and of random parts of lines and features; the same seed gives the same model.
        folds: parts of the lines, each kept out once to choose penalty, trees, scale and thresholds.
        penalties: strengths tried: inverse variance of a ramp's height, in nats.
        trees: most trees of depth two (0: smooth shapes only); pairs: tables for two features at the most.
    """

    seed: int = 1
    folds: int = 5
    penalties: tuple[float, ...] = (10.0, 25.0, 60.0)
    trees: int = 800
    pairs: int = 20


@dataclass(slots=True)
class _Lines:
    """The training lines in the forms the estimates need."""

    names: list[str]
    values: list[Floats]
    edges: list[Floats]
    codes: Codes
    bases: list[smooth.Basis]
    ramps: Floats
    label: Floats
    unit: NDArray[np.int64] | None
    allowed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))

    @property
    def bins(self) -> list[int]:
        return [1 + len(edges) for edges in self.edges]


def fit(table: Labelled, settings: Settings, recipe: Recipe = NONE, date: str = "") -> Model:
    """Fit a model to labelled lines.

    Args:
        table: the lines; what is no measurement is left out, what the recipe makes is added.
        settings: how.
        recipe: definitions of further features, their groups and names.
        date: written into the model; the caller knows it.

    Raises:
        TableError: too few lines, one kind only, nothing to learn from. RecipeError: a formula's column is not there.
    """
    check(table)
    derived = [
        d for d in recipe.derived if set(d.of) <= set(table.columns) | {m.name for m in recipe.derived}
    ]
    everything = derive(table.columns, [d for d in derived if _possible(d.name, derived, set(table.columns))])
    made = useful(replace(table, columns=everything), tuple(recipe.ignore))
    check(made)
    lines = _prepare(made)
    penalty, trees, summed, slope = _choose(lines, settings)
    fitted = smooth.fit(lines.ramps, lines.label, penalty, spread=True)
    shapes, pairs, constant = _together(lines, settings, fitted, trees, slope)
    prior = float(lines.label.mean())
    groups = {name: group for group, members in recipe.groups.items() for name in members}
    finished = [
        _shape(lines, place, shapes[place], errors, recipe.titles, groups)
        for place, errors in enumerate(smooth.errors(fitted, lines.bases))
    ]
    weight = np.where(lines.label > 0.5, 0.5 / lines.label.sum(), 0.5 / (1 - lines.label).sum())
    base = constant / NATS - np.log2(prior / (1 - prior))
    centred = []
    for place, shape in enumerate(finished):
        middle = float(np.bincount(lines.codes[:, place], weight, len(shape.bits)) @ shape.bits)
        base += middle
        centred.append(_moved(shape, -middle))
    used = _formulas({shape.name for shape in centred}, derived)
    return rounded(
        Model(
            shapes=tuple(centred),
            pairs=tuple(pairs),
            base=float(base),
            prior=prior,
            thresholds=_thresholds(summed / NATS - np.log2(prior / (1 - prior)), lines.label, prior),
            derived=tuple(used),
            made={
                "program": f"ringfence {__version__}", "date": date, "recipe": recipe.title, "digest": table.digest,
                "lines": len(table.label), "frauds": int(table.label.sum()), "settings": asdict(settings),
                "chosen": {"penalty": penalty, "trees": trees, "scale": round(slope, 4)}, "left_out": made.skipped,
            },
        )
    )  # fmt: skip


def _possible(name: str, derived: Sequence[Any], there: set[str]) -> bool:
    """Whether a formula can be computed from the columns that are there."""
    by_name = {d.name: d for d in derived}
    if name in there:
        return True
    return name in by_name and all(_possible(part, derived, there) for part in by_name[name].of)


def _formulas(used: set[str], derived: Sequence[Any]) -> list[Any]:
    needed = set(used)
    for formula in reversed(derived):
        if formula.name in needed:
            needed |= set(formula.of)
    return [formula for formula in derived if formula.name in needed]


def _prepare(table: Labelled) -> _Lines:
    names, values = list(table.columns), list(table.columns.values())
    edges = [edges_of(column) for column in values]
    codes = codes_of(values, edges)
    bases = [
        smooth.basis_of(column, codes[:, place], 1 + len(edges[place])) for place, column in enumerate(values)
    ]
    return _Lines(names, values, edges, codes, bases, smooth.design(codes, bases), table.label, table.unit)


def parts_of(
    label: Floats, folds: int, rng: np.random.Generator, unit: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Share lines out into folds at random, as many of each kind in every fold; shape (lines,).

    Rows of one unit stay together: a line that is known from Monday would flatter the figures of Tuesday.
    """
    if unit is not None:
        _, place = np.unique(unit, return_inverse=True)
        found = np.zeros(place.max() + 1)
        np.maximum.at(found, place, label)
        together: NDArray[np.int64] = parts_of(found, folds, rng)[place]
        return together
    fold = np.empty(len(label), np.int64)
    for kind in (0.0, 1.0):
        where = rng.permutation(np.flatnonzero(label == kind))
        fold[where] = (np.arange(len(where)) + (folds - 1 if kind else 0)) % folds
    return fold


def log_loss(log_odds: Floats, label: Floats) -> float:
    """Mean of -ln P(label)."""
    return float(np.mean(np.logaddexp(0.0, log_odds) - label * log_odds))


def _choose(lines: _Lines, settings: Settings) -> tuple[float, int, Floats, float]:
    """Penalty, number of trees, log-odds of every line when it was kept out, and by how much to stretch them."""
    fold = parts_of(lines.label, settings.folds, np.random.default_rng(settings.seed), lines.unit)
    gentle = np.zeros((len(settings.penalties), len(lines.label)))
    for part in range(settings.folds):
        inside, start = fold != part, None
        for place, penalty in enumerate(sorted(settings.penalties, reverse=True)):
            start = smooth.fit(lines.ramps[inside], lines.label[inside], penalty, start=start)
            gentle[place, ~inside] = lines.ramps[~inside] @ start.weights + start.constant
    best = int(np.argmin([log_loss(found, lines.label) for found in gentle]))
    penalty, kept_out, trees = sorted(settings.penalties, reverse=True)[best], gentle[best], 0
    if settings.trees >= boost.EVERY:
        lines.allowed = _partners(lines, settings)
        jumpy = np.zeros((settings.trees // boost.EVERY, len(lines.label)))
        for part in range(settings.folds):
            noted = boost.grow(
                lines.codes,
                lines.label,
                fold != part,
                settings.trees,
                settings.seed + 7 * part,
                lines.allowed,
            )[1]
            jumpy[:, fold == part] = noted[:, fold == part]
        mixed = (kept_out + jumpy) / 2
        turn = int(np.argmin([log_loss(found, lines.label) for found in mixed]))
        trees, kept_out = (turn + 1) * boost.EVERY, mixed[turn]
    scale = smooth.fit(kept_out[:, None], lines.label, 1e-6)
    return penalty, trees, kept_out * scale.weights[0] + scale.constant, float(scale.weights[0])


def _partners(lines: _Lines, settings: Settings) -> NDArray[np.bool_]:
    """Which two features may be asked in one tree: those that gained most where any two may."""
    allowed = np.zeros((len(lines.names), len(lines.names)), np.bool_)
    if settings.pairs:
        everyone = np.ones(len(lines.label), np.bool_)
        trees, _, constant = boost.grow(lines.codes, lines.label, everyone, settings.trees, settings.seed)
        for one, two in boost.strongest(boost.add_up(trees, constant, lines.bins), settings.pairs):
            allowed[one, two] = allowed[two, one] = True
    return allowed


def _together(
    lines: _Lines, settings: Settings, fitted: smooth.Smooth, trees: int, slope: float
) -> tuple[list[Floats], list[Pair], float]:
    """The mean of both estimates in bits: a table for each feature, tables for pairs, and the constant (nats)."""
    gentle = smooth.tables(fitted, lines.bases)
    scale = slope / NATS
    if not trees:
        return [table * scale for table in gentle], [], _level(lines, gentle, [], fitted.constant, slope)
    everyone = np.ones(len(lines.label), np.bool_)
    seeds = range(settings.seed, settings.seed + BAGS)
    bags = [boost.grow(lines.codes, lines.label, everyone, trees, seed, lines.allowed) for seed in seeds]
    grown, constant = np.concatenate([bag[0] for bag in bags]), bags[0][2]
    grown["leaf"] /= BAGS
    summed = boost.add_up(grown, constant, lines.bins)
    purify(summed, lines.codes)
    halves = [(one + two) / 2 for one, two in zip(gentle, summed.single, strict=True)]
    made = [
        make(lines.codes, lines.edges, key, table * scale / 2) for key, table in sorted(summed.pairs.items())
    ]
    spread = [((pair.first, pair.second), table / scale) for pair, table in made]
    level = _level(lines, halves, spread, (fitted.constant + constant) / 2, slope)
    return [table * scale for table in halves], [pair for pair, _ in made], level


def _level(
    lines: _Lines,
    single: Sequence[Floats],
    pairs: Sequence[tuple[tuple[int, int], Floats]],
    constant: float,
    slope: float,
) -> float:
    """The constant with which the model expects as many frauds among its own lines as there are."""
    total = np.full(len(lines.label), constant * slope)
    for place, table in enumerate(single):
        total += slope * table[lines.codes[:, place]]
    for (one, two), table in pairs:
        total += slope * table[lines.codes[:, one], lines.codes[:, two]]
    shift = 0.0
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-(total + shift)))
        shift += float((lines.label - chance).sum() / max((chance * (1 - chance)).sum(), 1e-9))
    return constant * slope + shift


def _shape(
    lines: _Lines,
    place: int,
    bits: Floats,
    error: Floats,
    titles: Mapping[str, tuple[str, str]],
    groups: Mapping[str, str],
) -> Shape:
    name, codes = lines.names[place], lines.codes[:, place]
    en, zh = titles.get(name, (name.replace("_", " "), name))
    counts = np.bincount(codes, minlength=len(bits))
    frauds = np.bincount(codes[lines.label > 0.5], minlength=len(bits))
    if not counts[0]:  # never seen missing: no evidence either way
        bits, error = bits.copy(), error.copy()
        bits[0] = np.average(bits[1:], weights=counts[1:])
        error[0] = error[1:].max()
    return Shape(name, en, zh, groups.get(name, ""), lines.edges[place], bits, error / NATS, counts, frauds)


def _moved(shape: Shape, by: float) -> Shape:
    return Shape(
        shape.name,
        shape.en,
        shape.zh,
        shape.group,
        shape.edges,
        shape.bits + by,
        shape.error,
        shape.lines,
        shape.frauds,
    )


def _thresholds(bits: Floats, label: Floats, prior: float) -> dict[str, float]:
    """Sums of bits that serve an aim, from lines when they were kept out of the fit.

    The macro-F1 is the one expected if the chances are right (not the labels of the same lines: less left to luck).
    """
    ordinary = np.sort(bits[label < 0.5])
    found = {"macro_f1": _best_f1(bits, prior)}
    for name, share in (("fpr_1%", 0.01), ("fpr_0.1%", 0.001)):
        found[name] = float(ordinary[-1 - int(share * len(ordinary))])
    return found


def _best_f1(bits: Floats, prior: float) -> float:
    ordered = np.sort(bits)[::-1]
    chance = 1.0 / (1.0 + np.exp2(-(ordered + np.log2(prior / (1 - prior)))))
    called, hits = np.arange(1, len(ordered) + 1), np.cumsum(chance)
    frauds = hits[-1]
    fraud_f1 = 2 * hits / (called + frauds)
    rest = len(ordered) - called
    others_f1 = 2 * (rest - (frauds - hits)) / (rest + len(ordered) - frauds)
    best = int(np.argmax(fraud_f1 + others_f1))
    return float((ordered[best] + ordered[min(best + 1, len(ordered) - 1)]) / 2)
