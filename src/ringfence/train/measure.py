"""How good a model is, measured on lines it has not seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ringfence.train.additive import Model, Shape, probability
from ringfence.train.bins import Floats
from ringfence.train.fitting import Settings, fit, parts_of
from ringfence.train.recipe import NONE, Recipe
from ringfence.train.table import Labelled

FIGURES: Final[Mapping[str, str]] = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "macro_recall": "macro-recall",
    "tpr_at_1%": "TPR at 1 % FPR",
    "tpr_at_0.1%": "TPR at 0.1 % FPR",
    "tpr_set_1%": "TPR, threshold set before for 1 %",
    "fpr_set_1%": "FPR it had",
    "tpr_set_0.1%": "TPR, threshold set before for 0.1 %",
    "fpr_set_0.1%": "FPR it had ",
    "brier": "Brier score",
    "log_loss_bits": "log-loss, bits",
}


@dataclass(frozen=True, slots=True)
class Point:
    """Lines with about the same probability: its mean, the share that was fraud, with a 95 % interval, and their number."""

    said: float
    true: float
    low: float
    high: float
    lines: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of a kind of features.

    Attributes:
        name: of the group of features; `features`: how many there are.
        folds: figure to its value in every fold of every repeat.
        reliability: of the probabilities given to kept-out lines.
    """

    name: str
    features: int
    folds: Mapping[str, Floats]
    reliability: list[Point]

    def mean(self, figure: str) -> float:
        """Mean over the folds."""
        return float(np.mean(self.folds[figure]))

    def spread(self, figure: str) -> float:
        """Standard deviation over the folds: what one test of this size may differ by."""
        return float(np.std(self.folds[figure], ddof=1)) if len(self.folds[figure]) > 1 else float("nan")


def auc(label: Floats, bits: Floats) -> float:
    """P(a fraud line has more bits than an ordinary one), ties counted half (Mann and Whitney)."""
    _, place, count = np.unique(bits, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    frauds = label.sum()
    others = len(label) - frauds
    return float((rank[label > 0.5].sum() - frauds * (frauds + 1) / 2) / (frauds * others))


def tpr_at(label: Floats, bits: Floats, share: float) -> float:
    """The largest share of fraud lines found with at most this share of ordinary lines (the curve's own best point)."""
    ordinary = np.sort(bits[label < 0.5])[::-1]
    allowed = int(np.floor(share * len(ordinary) + 1e-9))
    bar = ordinary[allowed] if allowed < len(ordinary) else -np.inf
    return float(np.mean(bits[label > 0.5] > bar))


def confusion(label: Floats, called: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Accuracy, macro-F1 and macro-recall of a decision."""
    recalls, f1 = [], []
    for kind in (0.0, 1.0):
        true, said = label == kind, called == bool(kind)
        hits = float(np.sum(true & said))
        recalls.append(hits / max(float(true.sum()), 1.0))
        f1.append(2.0 * hits / max(float(true.sum() + said.sum()), 1.0))
    return float(np.mean(called == (label > 0.5))), float(np.mean(f1)), float(np.mean(recalls))


def figures(model: Model, label: Floats, bits: Floats) -> dict[str, float]:
    """All figures of kept-out lines; thresholds are those the model found among its own lines."""
    called = bits > model.thresholds["macro_f1"]
    accuracy, macro_f1, macro_recall = confusion(label, called)
    chance = probability(bits, model.prior)
    found = {
        "auc": auc(label, bits),
        "accuracy": accuracy,
        "macro_f1": macro_f1,
        "macro_recall": macro_recall,
    }
    for name, share in (("1%", 0.01), ("0.1%", 0.001)):
        over = bits > model.thresholds[f"fpr_{name}"]
        found[f"tpr_at_{name}"] = tpr_at(label, bits, share)
        found[f"tpr_set_{name}"] = float(np.mean(over[label > 0.5]))
        found[f"fpr_set_{name}"] = float(np.mean(over[label < 0.5]))
    found["brier"] = float(np.mean((chance - label) ** 2))
    sure = np.clip(np.where(label > 0.5, chance, 1.0 - chance), 1e-12, 1.0)
    found["log_loss_bits"] = float(-np.mean(np.log2(sure)))
    return {name: found[name] for name in FIGURES}


def reliability(label: Floats, chance: Floats, points: int = 10) -> list[Point]:
    """Of the lines said to be fraud with probability p, how many were: in tenths of the probability."""
    place = np.minimum((chance * points).astype(np.int64), points - 1)
    found = []
    for p in range(points):
        here = place == p
        if count := int(here.sum()):
            true = float(label[here].mean())
            found.append(Point(float(chance[here].mean()), true, *_wilson(true, count), count))
    return found


def _wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z2 = 1.96**2 / count
    middle = (share + z2 / 2) / (1 + z2)
    half = 1.96 * np.sqrt(share * (1 - share) / count + z2 / (4 * count)) / (1 + z2)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def off_by(points: Sequence[Point]) -> float:
    """Mean distance of what was said from what was true (expected calibration error)."""
    return sum(p.lines * abs(p.said - p.true) for p in points) / max(sum(p.lines for p in points), 1)


def rows(table: Labelled, which: NDArray[np.bool_]) -> Labelled:
    """Some of the lines."""
    return replace(
        table,
        columns={name: values[which] for name, values in table.columns.items()},
        label=table.label[which],
        unit=None if table.unit is None else table.unit[which],
    )


def cross_validate(
    table: Labelled,
    settings: Settings,
    recipe: Recipe = NONE,
    *,
    name: str = "all",
    folds: int = 5,
    repeats: int = 2,
    on_fold: Callable[[], None] = lambda: None,
) -> Measured:
    """Fit on all folds but one and measure on that one, each in turn, with other folds in every repeat.

    Everything that is chosen (bins, penalty, pairs, trees, thresholds) is chosen anew among the lines fitted to.
    """
    rng = np.random.default_rng(settings.seed)
    found: dict[str, list[float]] = {figure: [] for figure in FIGURES}
    chance = np.zeros(len(table.label))
    features = 0
    for _ in range(repeats):
        fold = parts_of(table.label, folds, rng, table.unit)
        for part in range(folds):
            model = fit(rows(table, fold != part), settings, recipe)
            kept = rows(table, fold == part)
            bits = model.score(kept.columns).bits
            for figure, value in figures(model, kept.label, bits).items():
                found[figure].append(value)
            chance[fold == part] = probability(bits, model.prior)
            features = len(model.shapes)
            on_fold()
    return Measured(
        name,
        features,
        {figure: np.array(values) for figure, values in found.items()},
        reliability(table.label, chance),
    )


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a feature tells.

    Attributes:
        shape: the feature's table.
        alone: mutual information with the label in bits, of its bins by themselves, at even odds.
        within: mean bits of fraud lines less mean bits of ordinary ones, as part of the model.
    """

    shape: Shape
    alone: float
    within: float


def weights(model: Model) -> list[Weight]:
    """How much each feature tells, by itself and within the model; most within first."""
    found = []
    for shape in model.shapes:
        fraud, other = shape.frauds + 0.5, shape.lines - shape.frauds + 0.5
        p, q = fraud / fraud.sum(), other / other.sum()
        middle = (p + q) / 2
        alone = float((p * np.log2(p / middle) + q * np.log2(q / middle)).sum() / 2)
        p, q = (
            shape.frauds / shape.frauds.sum(),
            (shape.lines - shape.frauds) / (shape.lines - shape.frauds).sum(),
        )
        found.append(Weight(shape, alone, float((p - q) @ shape.bits)))
    return sorted(found, key=lambda weight: -weight.within)


def groups_of(table: Labelled, recipe: Recipe, wanted: Mapping[str, Sequence[str]]) -> dict[str, Labelled]:
    """The table with the columns of each group: those of the recipe, and those asked for by the beginnings of names."""
    chosen: dict[str, list[str]] = {}
    for name, members in recipe.groups.items():
        chosen[name] = [column for column in table.columns if column in members]
    for name, beginnings in wanted.items():
        chosen[name] = [column for column in table.columns if column.startswith(tuple(beginnings))]
    return {name: table.only(columns) for name, columns in chosen.items() if columns}
