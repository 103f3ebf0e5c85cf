"""How well fraud lines are told from ordinary ones on real, labelled lines, beside LightGBM on the same folds."""

import importlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench._tables import Table
from ringfence.train.fitting import Settings, parts_of
from ringfence.train.measure import Measured, auc, confusion, cross_validate, groups_of, off_by, tpr_at
from ringfence.train.recipe import Recipe, recognise
from ringfence.train.table import Labelled, read, useful

NAME = "fraud_lines"
TITLE = "Fraud lines, on real lines"
FOLDS, REPEATS = 5, 2
FIGURES = (
    "auc",
    "accuracy",
    "macro_f1",
    "macro_recall",
    "tpr_at_1%",
    "tpr_at_0.1%",
    "tpr_set_1%",
    "fpr_set_1%",
)
MEASURED = (
    "4,885 lines of the Digital Sichuan competition (2020), a third of them fraud: what is public, less a fifth that is kept back "
    f"for judging. Stratified {FOLDS} folds, {REPEATS} times with other folds; mean ± standard deviation over the folds. Bins, penalty, "
    "pairs, number of trees and thresholds are chosen anew within the lines of each fit. LightGBM (100 trees, its own defaults, "
    "the table's own columns) stands beside on the same folds where it is installed. The figures depend on these lines, which are "
    "not part of the program; neither they nor anything learned from them is shipped."
)
READING = (
    "The thresholds for the TPR at a given FPR are those of the curve itself, as is the custom; what a threshold set beforehand gives "
    "stands in the last rows. A third of all lines being fraud is artificial: with one in a thousand, TPR .70 at 0.1 % FPR means "
    "that four of ten flagged lines are fraud."
)


def run() -> list[Table]:
    """Measure; no table where the lines are not there."""
    found = lines()
    if found is None:
        table = Table("The lines are not here (RINGFENCE_SHARED_DATA)", ("", "figure"))
        return [table]
    recipe = recognise(list(found.columns))
    groups = {"all": found, **groups_of(found, recipe, {})}
    measured = [
        cross_validate(
            some, Settings(), recipe, name=name, folds=FOLDS, repeats=REPEATS if name == "all" else 1
        )
        for name, some in groups.items()
    ]
    return [_figures(measured, _other(found, recipe)), _reliability(measured[0])]


def lines() -> Labelled | None:
    """The labelled lines, or None where they are not."""
    folder = os.environ.get("RINGFENCE_SHARED_DATA")
    base = Path(folder) if folder else Path(__file__).parents[2] / "shared" / "data"
    path = base / "sichuan" / "features_labels.csv.gz"
    return read(path.read_bytes(), "label") if path.is_file() else None


def _figures(measured: list[Measured], other: dict[str, list[float]]) -> Table:
    names = tuple(f"{m.name} ({m.features})" for m in measured)
    table = Table("Lines kept out of the fit", ("", *names, "LightGBM, all"))
    titles = {
        "auc": "AUC", "accuracy": "accuracy", "macro_f1": "macro-F1", "macro_recall": "macro-recall",
        "tpr_at_1%": "TPR at 1 % FPR", "tpr_at_0.1%": "TPR at 0.1 % FPR",
        "tpr_set_1%": "TPR, threshold set before for 1 % FPR", "fpr_set_1%": "FPR it had",
    }  # fmt: skip
    for figure in FIGURES:
        cells = [f"{m.mean(figure):.3f} ± {m.spread(figure):.3f}" for m in measured]
        beside = other.get(figure)
        cells.append(f"{np.mean(beside):.3f} ± {np.std(beside, ddof=1):.3f}" if beside else "-")
        table.add(titles[figure], *cells)
    return table


def _reliability(measured: Measured) -> Table:
    table = Table(
        f"Probabilities given to kept-out lines (mean distance from the truth {off_by(measured.reliability):.3f})",
        ("said", "was fraud", "95 % interval", "lines"),
    )
    for p in measured.reliability:
        table.add(f"{p.said:.2f}", f"{p.true:.2f}", f"{p.low:.2f} to {p.high:.2f}", f"{p.lines:,}")
    return table


def _other(found: Labelled, recipe: Recipe) -> dict[str, list[float]]:
    """LightGBM's figures on the same folds."""
    if importlib.util.find_spec("lightgbm") is None:
        return {}
    lightgbm: Any = importlib.import_module("lightgbm")
    columns = np.column_stack(list(useful(found, tuple(recipe.ignore)).columns.values()))
    figures: dict[str, list[float]] = {}
    for inside, outside in _folds(found.label):
        data = lightgbm.Dataset(columns[inside], found.label[inside])
        grown = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 1}, data, 100)
        score, label = grown.predict(columns[outside], raw_score=True), found.label[outside]
        accuracy, macro_f1, macro_recall = confusion(label, score > 0.0)
        figures.setdefault("auc", []).append(auc(label, score))
        figures.setdefault("accuracy", []).append(accuracy)
        figures.setdefault("macro_f1", []).append(macro_f1)
        figures.setdefault("macro_recall", []).append(macro_recall)
        figures.setdefault("tpr_at_1%", []).append(tpr_at(label, score, 0.01))
        figures.setdefault("tpr_at_0.1%", []).append(tpr_at(label, score, 0.001))
    return figures


def _folds(label: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The folds of `cross_validate`."""
    rng = np.random.default_rng(Settings().seed)
    for _ in range(REPEATS):
        fold = parts_of(label, FOLDS, rng)
        for part in range(FOLDS):
            yield fold != part, fold == part
