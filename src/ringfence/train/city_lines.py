"""Lines of a labelled city, measured as the live detector `fraud_line` measures them, once a day."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.detect import fraud_line
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.line_weights import FEATURES
from ringfence.detect.memory import DAY
from ringfence.detect.rules import rules_of
from ringfence.evaluate.inputs import InputError
from ringfence.evaluate.truth import Truth, read_truth
from ringfence.model.calls import Calls
from ringfence.model.numbers import Names, NumberPlan
from ringfence.train.city import calls_in_order
from ringfence.train.table import Labelled


def lines_of(cities: list[Path]) -> Labelled:
    """All lines that would be judged, at the end of each day, with their features and whether they are lines of fraud by then.

    Args:
        cities: folders as `ringfence simulate` writes them.

    Raises:
        InputError: a city is not whole.
    """
    truths = [read_truth(city) for city in cities]
    parts = [part for truth in truths for part in _lines_of_city(truth)]
    values, label, unit = (np.concatenate([part[k] for part in parts]) for k in range(3))
    columns = {feature.name: values[:, i] for i, feature in enumerate(FEATURES)}
    return Labelled(columns, label.astype(np.float64), {}, ", ".join(map(_digest, truths)), unit)


def _digest(truth: Truth) -> str:
    return " ".join(
        f"{name} {truth.made_by.get(name)}" for name in ("country", "subscribers", "days", "seed")
    )


def _lines_of_city(
    truth: Truth,
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]]:
    country = truth.country or "CN"
    guilty = np.asarray(truth.crime) == "fraud_line"
    numbers = NumberPlan.of(country).parse(truth.subject.filter(pa.array(guilty)), Names())
    since = truth.start[guilty]
    engine = Engine(["fraud_line"], rules=rules_of(country))
    place = next(i for i, detector in enumerate(DETECTORS) if detector.NAME == "fraud_line")
    if truth.records is None:
        raise InputError(f"{truth.path}: there is no calls.parquet beside it")
    for day in _days(calls_in_order(truth.records, country)[0]):
        until = int(day.start[-1]) // DAY * DAY + DAY
        engine.process(day, until)
        shard = engine.shards[0]
        rows = shard.cases[place].rows
        values = np.empty((len(rows), len(FEATURES)))
        keys = np.empty(len(rows), np.int64)
        count = fraud_line.measure_all(rows, shard.profiles.rows, until, engine.born, values, keys)
        yield values[:count], np.isin(keys[:count], numbers[since < until]), keys[:count]


def _days(calls: Calls) -> Iterator[Calls]:
    days = calls.start // DAY
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(calls)]
    for first, last in pairwise(cuts):
        yield calls.slice(first, last)
