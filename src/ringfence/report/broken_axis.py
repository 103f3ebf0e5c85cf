"""A time axis that leaves out long stretches in which nothing happened, such as the nights of a scam that lasts for days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ringfence.report.axis import DAY, HOUR, SECOND, Axis, Tick, step_for
from ringfence.report.words import Both, Clock

MOST_PIECES: Final = 8
_BREAK: Final = 3.0
"""Width of what is left out, per cent."""
_MARGIN: Final = 0.025
_LEAST: Final = 4.0
"""No piece is narrower, per cent: a call of a minute among days stays visible."""
_SHORT_BREAK, _LONG_BREAK = HOUR, 6 * HOUR
_TICK_APART, _DAY_APART = 11.5, 15.5
"""What "09:00" and "14 Nov" need on a telephone's screen, per cent."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch that is drawn: where it begins and how wide it is, per cent."""

    axis: Axis
    left: float
    width: float

    def x(self, time: int) -> float:
        """Where a time stands, per cent of the picture."""
        return round(self.left + self.axis.x(time) * self.width / 100, 2)


@dataclass(frozen=True, slots=True)
class BrokenAxis:
    """Stretches of time side by side, with breaks between them."""

    pieces: list[Piece]

    def x(self, time: int) -> float:
        """Where a time stands, in per cent; of what is left out: within the break."""
        for i, piece in enumerate(self.pieces):
            if time > piece.axis.end and i + 1 < len(self.pieces):
                after = self.pieces[i + 1]
                if time < after.axis.start:
                    return round((piece.left + piece.width + after.left) / 2, 2)
                continue
            return min(max(piece.x(time), 0.0), 100.0)
        return 100.0

    def breaks(self) -> list[tuple[float, float]]:
        """Where something is left out, and how wide that is drawn."""
        ends = [round(piece.left + piece.width, 2) for piece in self.pieces[:-1]]
        return [(end, round(after.left - end, 2)) for end, after in zip(ends, self.pieces[1:], strict=True)]

    def ticks(self) -> list[Tick]:
        """Round times; those that would run into the one before are left out."""
        step = min(step_for(sum(piece.axis.end - piece.axis.start for piece in self.pieces)), 12 * HOUR)
        found: list[Tick] = []
        for piece in self.pieces:
            for time in piece.axis.multiples(step):
                x = piece.x(time)
                if 4 <= x <= 96 and (not found or x - found[-1].x >= _TICK_APART):
                    tick = _hour(piece.axis, time, step)
                    found.append(Tick(x, tick.label, tick.day))
        return found

    def dates(self) -> list[Tick]:
        """Days, where they begin in the picture; `day` False: the label must end there. None within a single day."""
        found: list[Tick] = []
        for piece in self.pieces:
            inside = [time for time in piece.axis.multiples(DAY) if time > piece.axis.start]
            for time in (piece.axis.start, *inside):
                x = piece.x(time)
                label = piece.axis.clock.day(time)
                if found and (label == found[-1].label or x - found[-1].x < _DAY_APART):
                    continue
                if x <= 100 - _DAY_APART:
                    found.append(Tick(x, label, day=True))
                elif not found or x - found[-1].x >= 2 * _DAY_APART:
                    found.append(Tick(100.0, label, day=False))
        return found if len(self.days_seen()) > 1 else []

    def days_seen(self) -> list[str]:
        """The days on which something happened."""
        clock = self.pieces[0].axis.clock
        return list(
            dict.fromkeys(
                clock.date(time).en
                for piece in self.pieces
                for time in (piece.axis.start, *piece.axis.multiples(DAY), piece.axis.end)
                if piece.axis.start <= time <= piece.axis.end
            )
        )

    def nights(self) -> list[tuple[float, float]]:
        """Where nights begin and how wide they are."""
        return [
            (round(piece.left + x * piece.width / 100, 2), round(width * piece.width / 100, 2))
            for piece in self.pieces
            for x, width in piece.axis.nights()
        ]


def _hour(axis: Axis, time: int, step: int) -> Tick:
    """The time of the day, at midnight too: dates stand in a row of their own."""
    then = axis.clock.at(time)
    if then.hour == then.minute == then.second == 0:
        return Tick(0.0, Both("00:00", "00:00"), day=True)
    return axis.tick(time, step)


def broken(spans: Iterable[tuple[int, int]], clock: Clock) -> BrokenAxis:
    """An axis on which all spans (µs, first and last) find room, without the long gaps between them.

    A gap is left out from an hour on if it is as long as everything else together, and from six hours on always.
    """
    busy = _merged(sorted(spans))
    gaps = sorted((after[0] - before[1], i) for i, (before, after) in enumerate(pairwise(busy)))
    rest = busy[-1][1] - busy[0][0] - sum(length for length, _ in gaps if length > _SHORT_BREAK)
    limit = max(_SHORT_BREAK, min(_LONG_BREAK, rest))
    cut = sorted(i for length, i in gaps[-(MOST_PIECES - 1) :] if length > limit)
    firsts = [0, *(i + 1 for i in cut)]
    lasts = [*cut, len(busy) - 1]
    parts = [(busy[first][0], busy[last][1]) for first, last in zip(firsts, lasts, strict=True)]
    room = min(max(int(sum(end - start for start, end in parts) * _MARGIN), SECOND), limit // 4)
    return BrokenAxis(_side_by_side([(start - room, end + room) for start, end in parts], clock))


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _side_by_side(parts: Sequence[tuple[int, int]], clock: Clock) -> list[Piece]:
    lengths = [end - start for start, end in parts]
    free = 100 - _BREAK * (len(parts) - 1) - _LEAST * len(parts)
    found: list[Piece] = []
    left = 0.0
    for (start, end), length in zip(parts, lengths, strict=True):
        width = _LEAST + free * length / sum(lengths)
        found.append(Piece(Axis(start, end, clock), left, width))
        left += width + _BREAK
    return found
