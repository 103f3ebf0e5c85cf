"""Learn what the features of a calling line are worth, from labelled cities: the file that `detect/fraud_line` reads."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ringfence.detect.line_weights import FEATURES, Feature
from ringfence.train.additive import Model, Shape
from ringfence.train.bins import Floats
from ringfence.train.city_lines import lines_of
from ringfence.train.fitting import Settings, fit
from ringfence.train.measure import rows
from ringfence.train.table import Labelled

FRAUDS: Final = 4_000
OTHERS: Final = 20_000
"""Line-days that are learned from, drawn at random: more make no difference that can be seen."""


def learn(cities: list[Path], date: str, seed: int = 1) -> Model:
    """Fit the model to the lines of cities.

    A missing value is worth nothing: whether a network knows its phones says nothing of a line. Each feature is capped, and
    rises or falls as it does among real lines.
    """
    model = fit(_drawn(lines_of(cities), seed), Settings(seed=seed, trees=0, pairs=0, folds=3), date=date)
    features = {feature.name: feature for feature in FEATURES}
    return replace(model, shapes=tuple(_limited(shape, features[shape.name]) for shape in model.shapes))


def _drawn(lines: Labelled, seed: int) -> Labelled:
    rng = np.random.default_rng(seed)
    kept = [
        rng.permutation(np.flatnonzero(lines.label == label))[:count]
        for label, count in ((1.0, FRAUDS), (0.0, OTHERS))
    ]
    chosen = np.zeros(len(lines.label), np.bool_)
    chosen[np.concatenate(kept)] = True
    return rows(lines, chosen)


def _limited(shape: Shape, feature: Feature) -> Shape:
    """The same within what is known beforehand: a missing value is worth nothing, and see `Feature`."""
    bits = np.clip(shape.bits, -feature.most, feature.most)
    bits[0] = 0.0
    if feature.rises:
        bits[1:] = feature.rises * rising(feature.rises * bits[1:], np.maximum(shape.lines[1:], 1.0))
    return replace(shape, bits=bits)


def rising(values: Floats, weights: Floats) -> Floats:
    """The non-decreasing values nearest to the given ones (weighted least squares; pool adjacent violators, Ayer et al. 1955)."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        block = (float(value), float(weight), 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, heavy, length = blocks.pop()
            total = heavy + block[1]
            block = ((mean * heavy + block[0] * block[1]) / total, total, length + block[2])
        blocks.append(block)
    return np.concatenate([np.full(length, mean) for mean, _, length in blocks])
