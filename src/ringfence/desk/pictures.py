"""Small pictures of the desk: a line's calls as ticks over time, and a curve of figures. x runs to 1000, y downwards."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ringfence.report.calls import Call
from ringfence.report.picture import colour

WIDTH: Final = 1000
STRIP_HEIGHT: Final = 36
CURVE_HEIGHT: Final = 40
MOST_TICKS: Final = 200
"""Calls of a strip, the newest."""
_LEAST, _MOST = 5.0, 8.0


@dataclass(frozen=True, slots=True)
class Strip:
    """A line's calls.

    Attributes:
        ticks: a path for each colour, calls for an attack upwards, the others downwards.
        base: y of the base line.
        recognised: x of the alert, None: before what is drawn.
        first, last: µs, the ends of the axis.
    """

    ticks: list[tuple[str, str]]
    base: float
    recognised: float | None
    first: int
    last: int


def strip(calls: Sequence[Call], raised_at: int, until: int) -> Strip | None:
    """Draw calls as ticks; None: there are none.

    Args:
        calls: in order.
        raised_at: µs, the alert.
        until: µs, where the axis ends, if no call is later.
    """
    shown = calls[-MOST_TICKS:]
    if not shown:
        return None
    first, last = shown[0].at, max(shown[-1].at, until, shown[0].at + 1)
    worth = [min(max(call.bits, -_MOST), _MOST) for call in shown]
    below = 8.0 if min(worth) < 0 else 1.0
    base = STRIP_HEIGHT - below
    paths: dict[str, list[str]] = {}
    for call, bits in zip(shown, worth, strict=True):
        x = _place(call.at, first, last)
        room = base - 1 if bits >= 0 else below - 1
        deep = max(abs(bits) / _MOST * room, _LEAST if bits >= 0 else 2.0)
        y = base - deep if bits >= 0 else base + deep
        paths.setdefault(colour(call.bits), []).append(f"M{x} {base:g}V{y:.1f}")
    return Strip(
        ticks=[(name, "".join(parts)) for name, parts in sorted(paths.items())],
        base=base,
        recognised=_place(raised_at, first, last) if first <= raised_at <= last else None,
        first=first,
        last=last,
    )


def _place(at: int, first: int, last: int) -> float:
    return round(4 + (WIDTH - 8) * (at - first) / (last - first), 1)


def curve(values: Sequence[float], most: int) -> str:
    """The path of figures from left to right, the newest at the right end; empty: there are fewer than two.

    Args:
        values: not negative, the oldest first.
        most: as many as fill the width.
    """
    values = values[-most:]
    if len(values) < 2:
        return ""
    top = max(*values, 1e-9) * 1.05
    step = WIDTH / (most - 1)
    left = WIDTH - step * (len(values) - 1)
    points = [
        f"{left + i * step:.1f} {CURVE_HEIGHT * (1 - value / top):.1f}" for i, value in enumerate(values)
    ]
    return "M" + "L".join(points)


def smoothed(samples: Sequence[tuple[float, int]], span: float) -> list[float]:
    """Rates a second, each over the `span` seconds before its sample.

    Args:
        samples: (seconds of a steady clock, a count that only grows), in order.
        span: s.
    """
    times = [at for at, _ in samples]
    rates = []
    for place, (at, count) in enumerate(samples[1:], 1):
        begin = min(max(bisect_right(times, at - span) - 1, 0), place - 1)
        before, then = samples[begin]
        rates.append(max(count - then, 0) / max(at - before, 1e-6))
    return rates
