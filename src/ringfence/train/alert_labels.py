"""What people said of a service's alerts (docs/alert_store.md, Labels), as evidence of the prior."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from ringfence.detect.flood import NAME
from ringfence.evaluate.inputs import InputError
from ringfence.train.flood_estimate import Floats

LEAST: Final = 20
"""Fewer labelled alerts say too little of a network."""
_SURE: Final = 0.00005
"""Half of the last digit that a probability is told with."""


def read_labels(path: Path, prior: float) -> Floats:
    """Labelled alerts of the detector `flood`.

    Args:
        path: JSON Lines, as the service gives them.
        prior: bits against a flood under which the alerts' probabilities were told.

    Returns:
        float64[n, 2], odds in bits and 1 where it was an attack; a probability of 0.9999 or more counts as the odds of that.

    Raises:
        InputError: a line is none, or there are too few.
    """
    said = [one for number, line in enumerate(_lines(path), 1) if (one := _read(line, path, number))]
    if len(said) < LEAST:
        raise InputError(f"{path}: {len(said)} labelled alerts of {NAME}; at least {LEAST} are needed")
    found = np.array(said)
    told = np.clip(found[:, 0], _SURE, 1.0 - _SURE)
    return np.stack([prior - np.log2(1.0 / told - 1.0), found[:, 1]], axis=1)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not a text") from error


def _read(line: str, path: Path, number: int) -> tuple[float, float] | None:
    """Probability, and whether it was an attack; None: of another detector."""
    try:
        told: dict[str, Any] = json.loads(line)
        kind, label, probability = told["kind"], told["label"], float(told["probability"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}, line {number}: is no label of an alert ({error})") from error
    if label not in {"attack", "not_an_attack"} or not 0.0 <= probability <= 1.0:
        raise InputError(f"{path}, line {number}: label or probability is none")
    return (probability, float(label == "attack")) if kind == NAME else None
