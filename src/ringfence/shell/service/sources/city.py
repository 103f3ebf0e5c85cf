"""A live synthetic city: what `--demo` shows. Some past days at once, so that the engine knows who knows whom; then a minute a second."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.shell.service.sources.feed import Part
from ringfence.simulate.city import City, begins, people_of, slices
from ringfence.simulate.rows import HOUR
from ringfence.simulate.truth import Truth

ZONE: Final = "Asia/Shanghai"
"""Of the city's people."""
LINES: Final = 4_000
PAST_HOURS: Final = 5 * 24 + 6
"""Hours that are told at once: some days, and until the afternoon in China, when much is going on."""
BEFORE: Final = 15
"""Days before today on which the city begins; at sixty times the speed of life it comes to the present after four hours."""
DAYS: Final = 365
SPEED: Final = 60.0
CRIME: Final = 8.0
"""Times the crime of an ordinary city: something is to be seen every few minutes."""


@dataclass(frozen=True, slots=True)
class Town:
    """Which city: the same `begin` and `seed`, the same calls."""

    begin: date
    seed: int

    @classmethod
    def of(cls, today: date, seed: int) -> "Town":
        """A city that is `BEFORE` days old."""
        return cls(today - timedelta(days=BEFORE), seed)

    @property
    def hurry(self) -> int:
        """µs: up to then it is told at once."""
        return begins(self._city()) + PAST_HOURS * HOUR

    def parts(self) -> Iterator[Part]:
        """Its life, hour by hour."""
        city = self._city()
        now = begins(city)
        for part in slices(city, Truth(), people_of(city)):
            now += city.slice_hours * HOUR
            yield Part(part.calls.cast(CALLS), part.texts.cast(TEXTS), part.transfers.cast(TRANSFERS), now)

    def _city(self) -> City:
        return City(LINES, DAYS, self.seed, begin=self.begin, intensity={"crime": CRIME}, slice_hours=12)
