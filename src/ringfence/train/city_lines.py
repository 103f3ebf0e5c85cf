"""Lines of a labelled city, measured as the live detector `fraud_line` measures them, once a day."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.detect import fraud_line
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.line_weights import FEATURES
from ringfence.detect.memory import DAY
from ringfence.detect.rules import rules_of
from ringfence.ingest.format import Settings, formats
from ringfence.ingest.normalise import calls_of
from ringfence.ingest.reorder import Reorder
from ringfence.model.calls import Calls
from ringfence.model.numbers import Names, NumberPlan
from ringfence.train.table import Labelled

TRUTH: Final = "truth.json"
CALLS: Final = "calls.parquet"


def lines_of(cities: list[Path]) -> Labelled:
    """All lines that would be judged, at the end of each day, with their features and whether they are lines of fraud.

    Args:
        cities: folders as `ringfence simulate` writes them.
    """
    parts = [part for city in cities for part in _lines_of_city(city)]
    values, label, unit = (np.concatenate([part[k] for part in parts]) for k in range(3))
    columns = {feature.name: values[:, i] for i, feature in enumerate(FEATURES)}
    digest = ", ".join(_digest(city) for city in cities)
    return Labelled(columns, label.astype(np.float64), {}, digest, unit)


def _digest(city: Path) -> str:
    made = json.loads((city / TRUTH).read_text("utf-8"))["made_by"]
    return " ".join(f"{name} {made[name]}" for name in ("country", "subscribers", "days", "seed"))


def _lines_of_city(
    city: Path,
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]]:
    truth = json.loads((city / TRUTH).read_text("utf-8"))
    country = truth["made_by"]["country"]
    plan, names = NumberPlan.of(country), Names()
    guilty = [(e["subject"], e["begins"]) for e in truth["episodes"] if e["crime"] == "fraud_line"]
    numbers = plan.parse(pa.array([subject for subject, _ in guilty], pa.string()), names)
    engine = Engine(["fraud_line"], rules=rules_of(country))
    place = next(i for i, detector in enumerate(DETECTORS) if detector.NAME == "fraud_line")
    for day in _days(city / CALLS, plan, names):
        engine.process(day, int(day.start[-1]) // DAY * DAY + DAY)
        shard = engine.shards[0]
        rows = shard.cases[place].rows
        values = np.empty((len(rows), len(FEATURES)))
        keys = np.empty(len(rows), np.int64)
        count = fraud_line.measure_all(rows, shard.profiles.rows, values, keys)
        yield values[:count], np.isin(keys[:count], numbers), keys[:count]


def _days(path: Path, plan: NumberPlan, names: Names) -> Iterator[Calls]:
    """The calls of each day, in order."""
    window = Reorder()
    with path.open("rb") as stream:
        for chunk in formats()["parquet"].read(stream, Settings()):
            window.push(calls_of(chunk, 0, plan, names)[0])
    calls = window.flush()
    days = calls.start // DAY
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(calls)]
    for first, last in pairwise(cuts):
        yield calls.slice(first, last)
