"""From bits to a probability that is true: the prior of the detector `flood`, and how well it holds."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ringfence.detect.evidence import probability
from ringfence.detect.weights import WeightsError, parse
from ringfence.evaluate.reliability import reliability
from ringfence.train.flood_estimate import Floats, prior_of
from ringfence.train.flood_file import value_text

_WIDTH: Final = 640
_HEIGHT: Final = 420
_LEFT, _TOP, _SIDE = 70, 30, 320
_LINE: Final = 17


def calibrate(text: str, alerts: Floats, cities: Sequence[Mapping[str, Any]]) -> str:
    """A file of weights with the prior under which its alerts' probabilities are true; nothing else is changed.

    Args:
        text: the file.
        alerts: float64[n, 2], odds in bits and 1 where the alert was true.
        cities: where they come from.

    Raises:
        WeightsError: the text is no file of weights, or there is no alert.
    """
    if not len(alerts):
        raise WeightsError("no alert was raised in these cities: there is nothing to calibrate by")
    parse(text)
    prior, error = prior_of(alerts[:, 0], alerts[:, 1])
    text = re.sub(r"(?m)^(\[prior\]\nbits = ).*$", rf"\g<1>{prior:.2f}", text)
    told = {
        "alerts": len(alerts), "true": int(alerts[:, 1].sum()), "error": round(error, 2), "cities": list(cities),
    }  # fmt: skip
    text = re.sub(r"(?m)^calibrated = .*\n", "", text)
    text = text.replace("[made]\n", f"[made]\ncalibrated = {value_text(told)}\n", 1)
    parse(text)
    return text


def figures(alerts: Floats, prior: float) -> dict[str, Any]:
    """Reliability of alerts under a prior, as `evaluate` tells it."""
    said = np.array([probability(float(bits), prior) for bits in alerts[:, 0]])
    return reliability(said, alerts[:, 1] > 0)


def plot(found: Mapping[str, Any], title: str) -> str:
    """The reliability diagram: what alerts said, what share of them was true (95 % intervals), as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14">{title}</text>',
        _line(0.0, 0.0, 1.0, 1.0, 'stroke="#999" stroke-dasharray="4 4"'),
    ]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts += [
            _line(0.0, tick, 1.0, tick, 'stroke="#e5e5e5"'),
            f'<text x="{_x(tick):.1f}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{tick:.1f}</text>',
            f'<text x="{_LEFT - 8}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:.1f}</text>',
        ]
    shown = [one for one in found["bins"] if one["said"] is not None]
    for one in shown:
        parts += _point(one)
    parts += _labels(shown)
    parts += [
        f'<text x="{_LEFT + _SIDE / 2}" y="{_HEIGHT - 20}" text-anchor="middle">probability the alerts said (mean of a bin)</text>',
        f'<text transform="translate(24 {_TOP + _SIDE / 2}) rotate(-90)" text-anchor="middle">share that was true</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)


def _x(value: float) -> float:
    return _LEFT + _SIDE * value


def _y(value: float) -> float:
    return _TOP + _SIDE * (1.0 - value)


def _line(x: float, y: float, to_x: float, to_y: float, style: str) -> str:
    return f'<line x1="{_x(x):.1f}" y1="{_y(y):.1f}" x2="{_x(to_x):.1f}" y2="{_y(to_y):.1f}" {style}/>'


def _point(one: Mapping[str, Any]) -> list[str]:
    true, said = one["true"], float(one["said"])
    return [
        _line(said, true["low"], said, true["high"], 'stroke="#06c" stroke-width="2"'),
        f'<circle cx="{_x(said):.1f}" cy="{_y(true["share"]):.1f}" r="5" fill="#06c"/>',
    ]


def _labels(bins: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the points stand for, beside them, from the highest on, none over another."""
    parts = []
    at = 0.0
    for one in sorted(bins, key=lambda one: (-one["true"]["share"], -one["from"])):
        true = one["true"]
        at = max(_y(true["share"]) + 4, at + _LINE)
        text = f"{true['count']} of {true['of']} at {one['from']:g} to {one['to']:g}"
        parts.append(f'<text x="{_LEFT + _SIDE + 20}" y="{at:.1f}">{text}</text>')
    return parts
