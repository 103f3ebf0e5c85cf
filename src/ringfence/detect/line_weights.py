"""The features of a calling line, and what each is worth: read once from weights/fraud_line.json, which is learned.

The file is an additive model as `ringfence train` writes it: for each feature where its bins begin and what they are worth in bits.
"""

import json
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np

FILE: Final = "weights/fraud_line.json"


class Feature(NamedTuple):
    """A feature of a line.

    Attributes:
        name: in the file.
        most: bits it may be worth at the most, either way: what it was learned on is a made city, and no city of other
            hands must be judged by one figure of ours.
        rises: 1: the larger, the more it speaks for fraud; -1: the less; 0: not known beforehand. So it is among real lines
            (Sichuan) or by the nature of the thing, whatever a made city says.
        words: (English, Chinese), with the figure in them.
    """

    name: str
    most: float
    rises: int
    words: tuple[str, str]


FEATURES: Final = (
    Feature(
        "calls_per_counterpart",
        2.0,
        -1,
        ("{:.2f} calls for each person called", "平均每个对方拨打 {:.2f} 次"),
    ),
    Feature("strangers", 3.0, 1, ("{:.0%} of its calls go to strangers", "拨打陌生号码占 {:.0%}")),
    Feature("received", 2.5, -1, ("{:.0%} of its calls came from others", "他人来电占 {:.0%}")),
    Feature("answered", 1.0, 0, ("{:.0%} of its calls are answered", "接通率 {:.0%}")),
    Feature("short", 1.0, 0, ("{:.0%} of the answered are over within 3 s", "接通后 3 秒内挂断占 {:.0%}")),
    Feature(
        "hours",
        1.0,
        0,
        ("{:.2f} different hours of the day for each call", "平均每次通话涉及 {:.2f} 个不同钟点"),
    ),
    Feature("devices", 2.0, 1, ("{:.2f} phones for each call", "平均每次通话使用 {:.2f} 部终端")),
    Feature("numbers", 2.5, 1, ("{:.0f} numbers call from its phone", "同一终端上有 {:.0f} 个号码")),
    Feature("age", 1.5, -1, ("first seen {:.0f} days ago", "{:.0f} 天前首次出现")),
)
"""In the order of `fraud_line.measure`."""


def _read() -> tuple[float, list[Any]]:
    model = json.loads(files("ringfence.detect").joinpath(FILE).read_text("utf-8"))
    shapes = {shape["name"]: shape for shape in model["features"]}
    return float(model["base"]), [shapes[feature.name] for feature in FEATURES]


_BASE, _SHAPES = _read()

BASE: Final = _BASE
EDGES: Final = np.array([edge for shape in _SHAPES for edge in shape["from"]], np.float64)
"""Where the bins of all features begin, one feature after the other."""
BITS: Final = np.array([bits for shape in _SHAPES for bits in shape["bits"]], np.float64)
"""What they are worth: for each feature a missing value, the lowest bin, then a bin for each edge."""
STARTS_AT: Final = np.cumsum([0, *(len(shape["bits"]) for shape in _SHAPES)])
"""Where each feature begins in BITS."""
