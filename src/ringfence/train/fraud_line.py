"""Learn what the features of a calling line are worth, from labelled cities: the file that `detect/fraud_line` reads."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ringfence.detect.line_weights import FEATURES
from ringfence.train.additive import Model, Shape
from ringfence.train.city_lines import lines_of
from ringfence.train.fitting import Settings, fit
from ringfence.train.measure import rows
from ringfence.train.table import Labelled

FRAUDS: Final = 4_000
OTHERS: Final = 20_000
"""Line-days that are learned from, drawn at random: more make no difference that can be seen."""


def learn(cities: list[Path], date: str, seed: int = 1) -> Model:
    """Fit the model to the lines of cities.

    A missing value is worth nothing: whether a network knows its phones says nothing of a line. Each feature is capped.
    """
    model = fit(_drawn(lines_of(cities), seed), Settings(seed=seed, trees=0, pairs=0, folds=3), date=date)
    most = {feature.name: feature.most for feature in FEATURES}
    return replace(model, shapes=tuple(_capped(shape, most[shape.name]) for shape in model.shapes))


def _drawn(lines: Labelled, seed: int) -> Labelled:
    rng = np.random.default_rng(seed)
    kept = [
        rng.permutation(np.flatnonzero(lines.label == label))[:count]
        for label, count in ((1.0, FRAUDS), (0.0, OTHERS))
    ]
    chosen = np.zeros(len(lines.label), np.bool_)
    chosen[np.concatenate(kept)] = True
    return rows(lines, chosen)


def _capped(shape: Shape, most: float) -> Shape:
    bits = np.clip(shape.bits, -most, most)
    bits[0] = 0.0
    return replace(shape, bits=bits)
