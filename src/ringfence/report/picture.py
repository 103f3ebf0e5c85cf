"""Geometry of the pictures: x in per cent of the width, so that text keeps its size on every screen; y in pixels."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.model.alert import Episode, LedgerEntry
from ringfence.report.axis import DAY, HOUR, MINUTE, SECOND, Axis, fitting
from ringfence.report.calls import Call, decided_at_call
from ringfence.report.words import Both, Clock, bits, duration, number

SUM_TOP, SUM_HEIGHT = 46, 110
WORTH_TOP, WORTH_HEIGHT = 196, 92
FIRST_CALLS = 12
MOST_MARKS = 40
MOST_COLUMNS = 240

_COLUMNS = (
    10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR,
    3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
)  # fmt: skip
_CLASSES = (-4.0, -0.5, 0.5, 2.0, 4.0, 7.0)
CLASS_NAMES = ("n2", "n1", "z", "p1", "p2", "p3", "p4")
"""Colours from strong evidence against an attack to strong evidence for one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A call: a stem from the base line to `y`, its head there."""

    x: float
    y: float
    colour: str
    outcome: str
    again: bool
    title: Both


@dataclass(frozen=True, slots=True)
class FirstCalls:
    """The beginning of an episode, call by call.

    Attributes:
        axis: of time; `recognised`: x of the alert; `nth`: at which call; `delay`: how long after the first.
        marks: the calls; `base`: y of their base line.
        earlier: calls that counted but came long before and are not drawn.
        steps, area: paths of the running sum, in a box of 1000 by 100.
        threshold: y of the threshold; `threshold_bits`.
        peak: y of the sum at the alert; `peak_bits`.
    """

    axis: Axis
    recognised: float
    nth: int
    delay: Both
    marks: list[Mark]
    base: float
    earlier: int
    steps: str
    area: str
    threshold: float
    threshold_bits: float
    peak: float
    peak_bits: float


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole episode in columns of time.

    Attributes:
        axis: of time; `recognised`: x of the alert.
        columns: width of the box in columns; `each`: how much time one is; `most`: calls in the fullest.
        base: y of the base line in a box of 100; calls for an attack stand on it, calls against hang below.
        bars: colour and path.
    """

    axis: Axis
    recognised: float
    columns: int
    each: Both
    most: int
    base: float
    bars: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the overview: bars of its episodes, each with x of its beginning, its end and its alert."""

    bars: list[tuple[float, float, float]]


def colour(value: float) -> str:
    """The colour's name for what a call was worth."""
    return CLASS_NAMES[bisect_right(_CLASSES, value)] if math.isfinite(value) else "z"


def first_calls(calls: Sequence[Call], episode: Episode, threshold: float, clock: Clock) -> FirstCalls | None:
    """Draw the calls up to shortly after the alert; None where nothing was kept of them."""
    seen = sum(call.at <= episode.raised_at for call in calls)
    if seen == 0:
        return None
    first, last = _window(calls, seen)
    shown = calls[first:last]
    begin = shown[0].at
    raised = episode.raised_at
    axis = fitting(begin, max(shown[-1].at, raised + (raised - begin) // 20, begin + 10 * SECOND), clock)
    marks, base = _marks(shown, first, axis)
    entries = sorted(
        (e for call in calls[:last] for e in call.entries if e.at <= axis.end), key=lambda e: e.at
    )
    peak = next((e.total for e in reversed(entries) if e.at <= raised), 0.0)
    top = 1.12 * max(threshold, peak, min(max(e.total for e in entries), 2.5 * threshold))
    steps, area = _steps(entries, axis, top)
    return FirstCalls(
        axis=axis,
        recognised=axis.x(raised),
        nth=episode.calls_at_alert or decided_at_call(calls, episode.raised_at),
        delay=duration((raised - episode.began_at) / SECOND),
        marks=marks,
        base=base,
        earlier=first,
        steps=steps,
        area=area,
        threshold=_height(threshold, top),
        threshold_bits=threshold,
        peak=_height(peak, top),
        peak_bits=peak,
    )


def _window(calls: Sequence[Call], seen: int) -> tuple[int, int]:
    """Which calls are drawn one by one, [first, last), of which `seen` had come before the alert.

    A withheld call in the morning may count for a flood in the afternoon; drawing it would crush all others.
    """
    last = max(min(FIRST_CALLS, len(calls)), min(seen + 2, len(calls)))
    decided = calls[seen - 1].at
    reach = max(6 * (decided - calls[0].at), 2 * MINUTE)
    last = max(min(last, bisect_right([call.at for call in calls], calls[0].at + reach)), seen)
    first = max(last - MOST_MARKS, 0)
    for i in range(first + 1, seen):
        if 2 * (calls[i].at - calls[i - 1].at) > calls[last - 1].at - calls[first].at > 10 * MINUTE:
            first = i
    return first, last


def _marks(calls: Sequence[Call], before: int, axis: Axis) -> tuple[list[Mark], float]:
    worth = [call.bits for call in calls]
    above, below = max(*worth, 0.0, 1.0), max(*(-w for w in worth), 0.0, 0.0)
    scale = WORTH_HEIGHT / (above + below)
    base = WORTH_TOP + above * scale
    marks = [
        Mark(
            axis.x(call.at), round(base - value * scale, 1), colour(value), call.outcome, call.again,
            _title(call, before + i, axis.clock),
        )
        for i, (call, value) in enumerate(zip(calls, worth, strict=True), 1)
    ]  # fmt: skip
    return marks, round(base, 1)


def _title(call: Call, place: int, clock: Clock) -> Both:
    who, when, worth = number(call.caller), clock.clock(call.at), bits(call.bits)
    return Both(
        f"{place}. {when}, {who.en}: {'; '.join(e.text for e in call.entries)} ({worth} bits)",
        f"{place}. {when}，{who.zh}：{'；'.join(e.text_zh for e in call.entries)}（证据值 {worth}）",
    )


def _height(value: float, top: float) -> float:
    return round(SUM_TOP + SUM_HEIGHT * (1 - min(value / top, 1.0)), 1)


def _steps(entries: Sequence[LedgerEntry], axis: Axis, top: float) -> tuple[str, str]:
    """Return the running sum as a line and as the area under it."""
    start = bisect_left([entry.at for entry in entries], axis.start)
    before = entries[start - 1].total if start else 0.0
    path = f"M0 {_deep(before, top)}"
    for entry in entries[start:]:
        path += f"H{round(10 * axis.x(entry.at))}V{_deep(entry.total, top)}"
    path += "H1000"
    return path, f"{path}V100H0Z"


def _deep(value: float, top: float) -> float:
    return round(100 * (1 - value / top), 1)


def whole(calls: Sequence[Call], episode: Episode, clock: Clock) -> Whole:
    """Draw all calls of an episode, as many as fell into the same column stacked on each other."""
    start, end = calls[0].at, max(calls[-1].at, episode.raised_at)
    each = next((step for step in _COLUMNS if (end - start) // step < MOST_COLUMNS - 2), None)
    each = each or -(-(end - start) // ((MOST_COLUMNS - 2) * DAY)) * DAY
    ahead = clock.offset(start)
    left = (start + ahead) // each * each - ahead
    columns = (end - left) // each + 1
    axis = Axis(left, left + columns * each, clock)
    counts = Counter(((call.at - left) // each, colour(call.bits)) for call in calls)
    bars, base, most = _bars(counts, columns)
    return Whole(axis, axis.x(episode.raised_at), columns, duration(each / SECOND), most, base, bars)


def _bars(counts: Counter[tuple[int, str]], columns: int) -> tuple[list[tuple[str, str]], float, int]:
    up = [0] * columns
    down = [0] * columns
    pieces: dict[str, list[tuple[int, int, int]]] = {}
    for name in ("n1", "n2", "p4", "p3", "p2", "p1", "z"):
        stack, sign = (down, -1) if name in {"n1", "n2"} else (up, 1)
        for column in range(columns):
            if many := counts[column, name]:
                pieces.setdefault(name, []).append(
                    (column, sign * stack[column], sign * (stack[column] + many))
                )
                stack[column] += many
    unit = 100 / max(max(up) + max(down), 1)
    base = max(up) * unit
    bars = [
        (name, "".join(f"M{c}.5 {base - a * unit:.3g}V{base - b * unit:.3g}" for c, a, b in parts))
        for name, parts in pieces.items()
    ]
    most = max(u + d for u, d in zip(up, down, strict=True))
    return bars, round(base, 1), most


def overview_axis(episodes: Sequence[Episode], clock: Clock) -> Axis:
    """The axis on which all episodes find room."""
    return fitting(
        min(episode.began_at for episode in episodes),
        max(episode.last_call_at for episode in episodes),
        clock,
    )


def overview_line(episodes: Sequence[Episode], axis: Axis) -> Line:
    """The bars of a line's episodes."""
    return Line([(axis.x(e.began_at), axis.x(e.last_call_at), axis.x(e.raised_at)) for e in episodes])
