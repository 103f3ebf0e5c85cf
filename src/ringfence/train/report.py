"""The report of a fit: figures as JSON and as a table, and one page with the shape functions and the reliability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ringfence.report.style import sheet
from ringfence.train.additive import Model, Pair, Shape
from ringfence.train.measure import FIGURES, Measured, Point, Weight, off_by, weights

SHOWN: Final = 24
WIDTH, HEIGHT = 280.0, 120.0
FEW_LINES: Final = 1_000
FULL: Final = 0.6
"""Bits of a pair's cell in full colour."""
PREVALENCE: Final = (
    " of these lines are fraud. In a network far fewer are: at one in a thousand, a threshold that passes 0.1 % of ordinary"
    " lines gives more false alarms than true ones. The bits have that share taken out; add the odds of the network"
    " they are used in."
)
ELSEWHERE: Final = (
    "Lines of one source and one time. Another network, another year or another trade of the gangs may differ; judge the"
    " model on lines of your own before relying on it."
)
HINDSIGHT: Final = (
    "Features over the whole life of a line know more than a live system does in its first hours; and lines that were cut"
    " off are short, so part of what tells them apart is that somebody else had found them."
)
SPREAD: Final = (
    "± is the standard deviation from fold to fold: what one test with as many lines may differ by."
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A shape function: a step line, the band of two standard errors, and how many lines fall where.

    Paths in a box of WIDTH by HEIGHT; `zero`: y of no evidence; `ticks`: x and text; `top`, `bottom`: bits there.
    """

    weight: Weight
    line: str
    band: str
    shares: list[tuple[float, float, float]]
    zero: float
    top: float
    bottom: float
    ticks: list[tuple[float, str]]
    missing: str


def as_dict(model: Model, measured: Sequence[Measured]) -> dict[str, Any]:
    """All figures, to be written as JSON."""
    return {
        "made": dict(model.made),
        "groups": {
            m.name: {
                "features": m.features,
                "figures": {
                    figure: {
                        "mean": m.mean(figure),
                        "sd": None if math.isnan(m.spread(figure)) else m.spread(figure),
                    }
                    for figure in FIGURES
                },
                "calibration_error": off_by(m.reliability),
                "reliability": [_point(point) for point in m.reliability],
            }
            for m in measured
        },
        "features": [
            {"name": w.shape.name, "bits_alone": round(w.alone, 4), "bits_within": round(w.within, 4)}
            for w in weights(model)
        ],
        "caveats": caveats(model),
    }


def _point(point: Point) -> dict[str, float]:
    return {
        "said": point.said,
        "true": point.true,
        "low": point.low,
        "high": point.high,
        "lines": point.lines,
    }


def cells(measured: Measured, figure: str) -> str:
    """A figure and what it varies by from fold to fold."""
    spread = measured.spread(figure)
    return f"{measured.mean(figure):.3f}" + ("" if math.isnan(spread) else f" ± {spread:.3f}")


def caveats(model: Model) -> list[str]:
    """What the figures do not say."""
    made = model.made
    share = f"{100 * model.prior:.1f} %"
    found = [share + PREVALENCE, ELSEWHERE, HINDSIGHT, SPREAD]
    if made.get("frauds", 0) < FEW_LINES or made.get("lines", 0) - made.get("frauds", 0) < FEW_LINES:
        found.append("Few lines: TPR at 0.1 % FPR rests on very few ordinary lines, or on none.")
    return found


def page(model: Model, measured: Sequence[Measured]) -> str:
    """One page of HTML that needs nothing but itself."""
    environment = Environment(
        loader=PackageLoader("ringfence.train"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    ranked = weights(model)
    return environment.get_template("train.html").render(
        model=model,
        measured=measured,
        names=FIGURES,
        cells=cells,
        caveats=caveats(model),
        drawings=[draw(weight) for weight in ranked[:SHOWN]],
        rest=ranked[SHOWN:],
        pairs=[(pair, *_pair_cells(model, pair)) for pair in _by_weight(model.pairs)[:SHOWN]],
        reliability=measured[0].reliability if measured else [],
        error=off_by(measured[0].reliability) if measured else 0.0,
        width=WIDTH,
        height=HEIGHT,
        style=sheet(),
    )


def draw(weight: Weight) -> Drawing:
    """Geometry of a shape function: bins side by side, each as wide as the next."""
    shape = weight.shape
    bits, error = shape.bits[1:], 2 * shape.error[1:]
    top = max(float((bits + error).max()), 0.25)
    bottom = min(float((bits - error).min()), -0.25)
    wide = WIDTH / len(bits)

    def y(value: float) -> float:
        return round(HEIGHT * (top - value) / (top - bottom), 1)

    def along(values: Any, backward: bool = False) -> str:
        steps = [(i * wide, (i + 1) * wide, y(value)) for i, value in enumerate(values)]
        if backward:
            return "".join(f"L{end:.1f} {high}L{begin:.1f} {high}" for begin, end, high in reversed(steps))
        return "M" + "L".join(f"{begin:.1f} {high}L{end:.1f} {high}" for begin, end, high in steps)

    most = max(int(shape.lines[1:].max()), 1)
    return Drawing(
        weight=weight,
        line=along(bits),
        band=along(bits + error) + along(bits - error, backward=True) + "Z",
        shares=[
            (round(i * wide, 1), round(wide, 1), round(14 * n / most, 1))
            for i, n in enumerate(shape.lines[1:])
        ],
        zero=y(0.0),
        top=top,
        bottom=bottom,
        ticks=_ticks(shape, wide),
        missing=f"{shape.bits[0]:+.1f}" if shape.lines[0] else "",
    )


def _ticks(shape: Shape, wide: float) -> list[tuple[float, str]]:
    many = len(shape.edges)
    places = sorted({int(p) for p in np.linspace(0, many - 1, min(many, 5)).round()}) if many else []
    return [(round((place + 1) * wide, 1), f"{shape.edges[place]:.4g}") for place in places]


def _by_weight(pairs: Sequence[Pair]) -> list[Pair]:
    return sorted(
        pairs, key=lambda pair: -float((pair.lines * np.abs(pair.bits)).sum() / max(pair.lines.sum(), 1))
    )


def _pair_cells(model: Model, pair: Pair) -> tuple[str, str, list[tuple[int, int, str, str]], int, int]:
    """Names of both features, and cells (column, row from below, colour, text)."""
    one, two = model.shapes[pair.first], model.shapes[pair.second]
    found = []
    for (row, column), bits in np.ndenumerate(pair.bits[1:, 1:]):
        colour = f"rgba({'179,80,15' if bits > 0 else '31,95,158'},{min(abs(bits) / FULL, 1.0):.2f})"
        said = f"{_range(pair.first_edges, row)}, {_range(pair.second_edges, column)}: {bits:+.2f} bits"
        found.append((column, row, colour, said))
    return one.en, two.en, found, pair.bits.shape[1] - 1, pair.bits.shape[0] - 1


def _range(edges: Any, place: int) -> str:
    low = f"{edges[place - 1]:.4g}" if place else "…"
    return f"{low} to {edges[place]:.4g}" if place < len(edges) else f"from {low}"
