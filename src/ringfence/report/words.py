"""Figures and times in the words of both languages."""

import math
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ringfence.model.spans import span, span_zh

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799 * 1_000_000  # the end of the year 9999, beyond which there are no dates
_LONGEST_NAME = 64


class Both(NamedTuple):
    """A text in English and Chinese."""

    en: str
    zh: str


NO_FIGURE = Both("–", "–")
WITHHELD = Both("withheld", "隐藏号码")


def duration(seconds: float | None) -> Both:
    """How long: 84.0 is "84 s", 3700 is "1 h 2 min". Never negative; what is no number is a dash."""
    if seconds is None or not math.isfinite(seconds):
        return NO_FIGURE
    return Both(span(seconds), span_zh(seconds))


def count(number: float) -> str:
    """A whole number with thousands marked."""
    return f"{number:,.0f}" if math.isfinite(number) else "–"


def bits(value: float) -> str:
    """Bits with their sign: "+5.2", "−1.5"."""
    if not math.isfinite(value):
        return "–"
    rounded = round(value, 1)
    if rounded == 0:
        return "0.0"
    return f"{'+' if rounded > 0 else '−'}{abs(rounded):.1f}"


def percent(share: float) -> str:
    """A share in per cent; a probability is never said to be 100."""
    if not math.isfinite(share):
        return "–"
    if share > 0.999:
        return "> 99.9%"
    if share >= 0.9:
        return f"{100 * share:.1f}%"
    return f"{100 * max(share, 0.0):.0f}%"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent."""
    return f"{100 * part / whole:.0f}%" if whole else "–"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    if number % 100 in {11, 12, 13}:
        return f"{number:,}th"
    return f"{number:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def odds(value: float) -> Both:
    """What `value` bits are as one in so many, to two figures."""
    if not math.isfinite(value):
        return NO_FIGURE
    if value > 40:
        return Both("1,000 billion", "1万亿")
    number = 2.0 ** max(value, 0.0)
    size = max(math.floor(math.log10(number)) - 1, 0)
    number = round(number / 10**size) * 10.0**size
    return Both(count(number), _chinese_count(number))


def _chinese_count(number: float) -> str:
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            return f"{number / size:.4g}{name}"
    return count(number)


def money(amount: float, currency: str | None) -> Both:
    """A sum: "9,900 yuan"; without a currency the figure alone."""
    if not math.isfinite(amount):
        return NO_FIGURE
    figure = f"{amount:,.8f}".rstrip("0").rstrip(".")
    if currency is None:
        return Both(figure, figure)
    if currency == "CNY":
        return Both(f"{figure} yuan", f"{figure} 元")
    told = f"{figure} {plain(currency)}"
    return Both(told, told)


def plain(text: str) -> str:
    """A text from a record as it may stand on a page: nothing that is not visible, not too long."""
    seen = _visible(text)
    return seen if len(seen) <= _LONGEST_NAME else seen[: _LONGEST_NAME - 1] + "…"


def path(name: str) -> str:
    """The same of a file: of a long path the end is what tells one file from another."""
    seen = _visible(name)
    return seen if len(seen) <= _LONGEST_NAME else "…" + seen[1 - _LONGEST_NAME :]


def visible(text: str) -> str:
    """A text as it may stand on a page, as long as it is; lines end where they ended."""
    return "\n".join(_visible(line) for line in text.split("\n"))


def _visible(text: str) -> str:
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in text)


def number(caller: str | None) -> Both:
    """A shown number, or that there was none."""
    if caller is None:
        return WITHHELD
    seen = plain(caller)
    return Both(seen, seen)


class Clock:
    """Times in a zone. A zone that does not exist is UTC."""

    def __init__(self, timezone: str) -> None:
        self.zone: tzinfo
        try:
            self.zone = ZoneInfo(timezone)
            self.zone_name = timezone
        except (OSError, ValueError, KeyError):  # not found, a folder, an unfit name
            self.zone = UTC
            self.zone_name = "UTC"

    def at(self, time: int) -> datetime:
        """A time in µs since 1970."""
        return (_EPOCH + timedelta(microseconds=min(max(time, 0), _LAST))).astimezone(self.zone)

    def offset(self, time: int) -> int:
        """How far the zone is ahead of UTC then, µs."""
        ahead = self.at(time).utcoffset() or timedelta()
        return round(ahead.total_seconds()) * 1_000_000

    def name(self, time: int) -> str:
        """The zone and its distance from UTC: "Asia/Shanghai, UTC+8"."""
        if self.zone_name == "UTC":
            return "UTC"
        minutes = self.offset(time) // 60_000_000
        rest = f":{abs(minutes) % 60:02}" if minutes % 60 else ""
        return f"{self.zone_name}, UTC{'−' if minutes < 0 else '+'}{abs(minutes) // 60}{rest}"

    def stamp(self, time: int) -> str:
        """Date and time to the second."""
        return f"{self.at(time):%Y-%m-%d %H:%M:%S}"

    def minute(self, time: int) -> Both:
        """Date and time to the minute, as in a sentence."""
        then = self.at(time)
        return Both(f"{then.day} {then:%b %Y, %H:%M}", f"{self.date(time).zh} {then:%H:%M}")

    def clock(self, time: int) -> str:
        """Time of the day to the second."""
        return f"{self.at(time):%H:%M:%S}"

    def date(self, time: int) -> Both:
        """Day, month and year."""
        then = self.at(time)
        return Both(f"{then.day} {then:%B %Y}", f"{then.year}年{then.month}月{then.day}日")

    def day(self, time: int) -> Both:
        """Day and month."""
        then = self.at(time)
        return Both(f"{then.day} {then:%b}", f"{then.month}月{then.day}日")
