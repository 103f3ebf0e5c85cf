"""A time axis: where a time stands in per cent of the width, its ticks, days and nights."""

from dataclasses import dataclass

from ringfence.report.words import Both, Clock

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_STEPS = (
    10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR,
    3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY,
)  # fmt: skip
_MOST_TICKS = 6
_NIGHT = (22 * HOUR, 8 * HOUR)  # from ten in the evening, and how long
_NIGHTS_IN = (2 * HOUR, 15 * DAY)  # an axis shorter or longer than this shows no nights


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis; `day`: a day begins here."""

    x: float
    label: Both
    day: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of time across a picture."""

    start: int
    end: int
    clock: Clock

    def x(self, time: int) -> float:
        """Where a time stands, in per cent."""
        return round(100 * (time - self.start) / (self.end - self.start), 2)

    def ticks(self) -> list[Tick]:
        """Round times of the zone, not too near to the ends."""
        step = step_for(self.end - self.start)
        return [self.tick(time, step) for time in self.multiples(step) if 3 < self.x(time) < 97][
            : 2 * _MOST_TICKS
        ]

    def days(self) -> list[float]:
        """Where days begin."""
        if not _NIGHTS_IN[0] < self.end - self.start < _NIGHTS_IN[1]:
            return [tick.x for tick in self.ticks() if tick.day]
        return [self.x(time) for time in self.multiples(DAY)]

    def nights(self) -> list[tuple[float, float]]:
        """Where nights begin and how wide they are."""
        if not _NIGHTS_IN[0] < self.end - self.start < _NIGHTS_IN[1]:
            return []
        starts = range(self._midnight() - DAY + _NIGHT[0], self.end, DAY)
        spans = [(max(start, self.start), min(start + _NIGHT[1], self.end)) for start in starts]
        return [(self.x(a), round(self.x(b) - self.x(a), 2)) for a, b in spans if b > a]

    def _midnight(self) -> int:
        ahead = self.clock.offset(self.start)
        return (self.start + ahead) // DAY * DAY - ahead

    def multiples(self, step: int) -> range:
        """Times that are multiples of a step in the zone's own time, µs."""
        ahead = self.clock.offset(self.start)
        return range(-(-(self.start + ahead) // step) * step - ahead, self.end + 1, step)

    def tick(self, time: int, step: int) -> Tick:
        """A mark for a time, as exact as steps of this length ask for."""
        then = self.clock.at(time)
        day = then.hour == then.minute == then.second == 0
        if day or step >= DAY:
            return Tick(self.x(time), self.clock.day(time), day)
        text = f"{then:%H:%M}" if step >= MINUTE else f"{then:%H:%M:%S}"
        return Tick(self.x(time), Both(text, text), False)


def step_for(span: int) -> int:
    """How far ticks stand apart on an axis of this length, µs."""
    return next((step for step in _STEPS if span <= _MOST_TICKS * step), _STEPS[-1])


def fitting(start: int, end: int, clock: Clock, margin: float = 0.03) -> Axis:
    """An axis from a time to another with some room at both ends."""
    room = max(int((end - start) * margin), SECOND)
    return Axis(start - room, end + room, clock)
