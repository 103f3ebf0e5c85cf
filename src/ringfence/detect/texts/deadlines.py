"""Deadlines in a text: as it says them, and as a moment where that can be computed from the time of the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ringfence.detect.texts.numerals import ZH_DIGIT, chinese_value, number_of
from ringfence.detect.texts.plain import Place, Plain

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_N: Final = rf"(?:\d{{1,3}}|[{ZH_DIGIT}十半]{{1,3}})"
_DAY_ZH: Final = r"(?:今天|今日|今晚|今夜|当天|明天|明日|明早|明晚|后天|(?:本周|这周|下周|周|星期|礼拜)[一二三四五六日天末]|月底|本月底|\d{1,2}月\d{1,2}[日号]|\d{1,2}[号日](?!楼))"
_PART_ZH: Final = r"(?:凌晨|早上|上午|中午|下午|傍晚|晚上|晚间|夜里|早|晚)"
_CLOCK_ZH: Final = (
    rf"(?:\d{{1,2}}:\d\d|{_N}[点时](?:半|整|\d{{1,2}}分?(?!\d)|[{ZH_DIGIT}十]{{1,3}}分)?(?!间))"
)
_BEFORE: Final = r"(?:之前|以前|前|之内|以内|内|为止)"
_WHEN_ZH: Final = rf"(?:{_DAY_ZH}(?:的)?{_PART_ZH}?{_CLOCK_ZH}?|{_PART_ZH}{_CLOCK_ZH}?|{_CLOCK_ZH})"
_ZH: Final = (
    re.compile(rf"(?P<span>{_N} ?个?(?P<unit>小时|钟头|分钟|工作日|天|日|周|星期|礼拜|hours?|days?)(?:半)?)(?:时间)?{_BEFORE}"),
    re.compile(rf"(?:天黑|下班|收工|日落|天亮){_BEFORE}"),
    re.compile(rf"(?P<when>{_WHEN_ZH}) ?{_BEFORE}(?!天|几天|的)"),
    re.compile(rf"(?:给你|限你|限|最多|只有|还有)(?P<span>{_N} ?个?(?P<unit>小时|钟头|分钟|天|日))"),
    re.compile(rf"(?:截止|最晚|最迟|不超过|限|到)(?:到|至|于)?(?P<when>{_WHEN_ZH})"),
    re.compile(rf"(?P<when>{_DAY_ZH}{_PART_ZH}?{_CLOCK_ZH})"),
    re.compile(r"(?P<when>今天|今日|今晚|明晚|明天|明早|后天)(?=必须|见不到|要|就|先|不|转|打|还|到账|把|，?没|下班)"),
)  # fmt: skip
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_CLOCK_EN: Final = (
    r"(?:\d{1,2}(?::\d\d)? ?(?:am|pm|a\.m\.?|p\.m\.?|o'?clock)|\d{1,2}:\d\d|(?:12 )?noon|midnight)"
)
_DAY_EN: Final = (
    r"(?:the )?(?:end of (?:the )?(?:day|week|business)|close of business|eod|cob|today|tonight|tonite|2nite|tomorrow|2moro|tmrw|sunset|mon(?:day)?|tues?(?:day)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?"
    rf"|sun(?:day)?|{_MONTH} \d{{1,2}}|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}|\d{{1,2}}/\d{{1,2}}|(?:the )?\d{{1,2}}(?:st|nd|rd|th))(?! door)"
)
_WHEN_EN: Final = rf"(?:(?:{_DAY_EN}|{_CLOCK_EN})(?:(?:,| at| on)? ?(?:{_DAY_EN}|{_CLOCK_EN}|morning|evening|night|afternoon|itself))*)(?![a-z])"
_COUNT_EN: Final = r"(?:the next )?(?P<span>(?:\d{1,3}|one|two|three|four|five|six|seven|twelve|ten|half an?|an?|1/2) ?(?P<unit>hours?|hrs?|h|mins?|minutes?|days?|weeks?))(?![a-z])"
_EN: Final = (
    re.compile(rf"(?<![a-z])(?:with?in|in|inside)(?: the)? (?:next )?{_COUNT_EN}"),
    re.compile(rf"(?<![a-z])(?:by|before|b4|until|till?|no later than|latest|due|expires?(?: at)?) (?P<when>{_WHEN_EN})"),
    re.compile(rf"(?<![a-z])(?:you|u) ?(?:ve|have|hav|got|'ve)?(?: got| only)? {_COUNT_EN}"),
    re.compile(rf"(?<![\w$.]){_COUNT_EN}(?= to (?:pay|send|settle)|\.|,| or| left|$)"),
    re.compile(r"(?<![a-z])(?P<when>today itself|today|tonight|tonite|2nite|tomorrow(?: morning| night)?)(?! only| you)"),
)  # fmt: skip
_COUNTS: Final = {"one": 1, "a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "twelve": 12,
                  "half a": 0.5, "half an": 0.5, "1/2": 0.5}  # fmt: skip
_WEEKDAYS_ZH: Final = "一二三四五六日"
_WEEKDAYS_EN: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline in a text.

    Attributes:
        start, end: in the plain text; place: in the original.
        moment: µs since 1970, UTC; None: cannot be computed.
    """

    start: int
    end: int
    place: Place
    moment: int | None


def deadline(plain: Plain, time: int, ahead: int = 0) -> Deadline | None:
    """The deadline of a text: the surest form that is found, of equals the first.

    Args:
        plain: the text.
        time: when it was sent, µs since 1970, UTC.
        ahead: how far local time is ahead of UTC then, µs.
    """
    match = next(_matches(plain.text), None)
    if match is None:
        return None
    start, end = _trimmed(match)
    try:
        moment = _moment(match, _EPOCH + timedelta(microseconds=time + ahead))
        at = None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1) - ahead
    except (OverflowError, ValueError):
        at = None
    return Deadline(start, end, plain.place(start, end), at)


def spans(plain: Plain) -> tuple[Place, ...]:
    """All stretches of the plain text that look like times: no sums stand there."""
    return tuple(match.span() for match in _matches(plain.text))


def _matches(text: str) -> Iterator[re.Match[str]]:
    for pattern in (*_ZH, *_EN):
        for match in pattern.finditer(text):
            if match.end() > match.start():
                yield match


def _trimmed(match: re.Match[str]) -> Place:
    start, end = match.span()
    lead = re.match(
        r"(?:给你|限你|限|最多|只有|还有|截止|最晚|最迟|不超过|到)+(?:到|至|于)?|(?:you|u) ?(?:ve|have|hav|got|'ve)?(?: got| only)? |due |expires?(?: at)? ",
        match.group(),
    )
    return (start + lead.end() if lead and lead.end() < end - start else start), end


def _moment(match: re.Match[str], now: datetime) -> datetime | None:
    found = match.groupdict()
    if found.get("span"):
        return _after(found["span"], found["unit"], now)
    when = found.get("when")
    return None if when is None else _point(when, now)


def _after(span: str, unit: str, now: datetime) -> datetime | None:
    counted = span[: len(span) - len(unit)].strip().removesuffix("个").strip()
    count = (
        0.5
        if counted.startswith("半")
        else _COUNTS.get(counted) or chinese_value(counted) or number_of(counted)
    )
    if count is None:
        return None
    if unit in {"小时", "钟头"} or unit[0] == "h":
        return now + timedelta(hours=count)
    if unit == "分钟" or unit.startswith("min"):
        return now + timedelta(minutes=count)
    return now + timedelta(
        days=count * (7 if unit in {"周", "星期", "礼拜"} or unit.startswith("week") else 1)
    )


def _point(when: str, now: datetime) -> datetime | None:
    """A day and a time of it; a day alone lasts to its end."""
    day, said = _day(when, now)
    clock = _clock(when)
    if day is None:
        return None
    if clock is None:
        clock = (
            12 * 60 if re.search("中午|noon", when) else 9 * 60 if re.search("早|morning", when) else 24 * 60
        )
    at = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=clock)
    return at if said or at > now else at + timedelta(days=1)


def _day(when: str, now: datetime) -> tuple[datetime | None, bool]:
    """The day, and whether it was said or is simply the next that fits."""
    for words, days in (
        ("今|当天|today|tonight|tonite|end of (?:the )?day|eod|cob|close of business$", 0),
        ("明|tomorrow|2moro|tmrw", 1),
        ("后天", 2),
    ):
        if re.search(words, when):
            return now + timedelta(days=days), True
    if found := re.search(r"(下周)?(?:周|星期|礼拜)([一二三四五六日天末])", when):
        name = {"天": "日", "末": "日"}.get(found[2], found[2])
        ahead = (_WEEKDAYS_ZH.index(name) - now.weekday()) % 7
        return now + timedelta(days=ahead + (7 if "下周" in when and ahead + now.weekday() < 7 else 0)), True
    if found := re.search(r"(?<![a-z])(mon|tue|wed|thu|fri|sat|sun)", when):
        return now + timedelta(days=(_WEEKDAYS_EN.index(found[1]) - now.weekday()) % 7), True
    if "月底" in when:
        return (now.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1), True
    if found := re.search(r"(\d{1,2})月(\d{1,2})", when):
        return _date(now, int(found[1]), int(found[2])), True
    if found := re.search(rf"({'|'.join(_MONTHS)})[a-z.]* (\d{{1,2}})", when):
        return _date(now, _MONTHS.index(found[1]) + 1, int(found[2])), True
    if found := re.search(rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({'|'.join(_MONTHS)})", when):
        return _date(now, _MONTHS.index(found[2]) + 1, int(found[1])), True
    if re.search(r"\d[号日]|/|\d(?:st|nd|rd|th)|week|sunset|business", when):
        return None, True
    return now, False


def _date(now: datetime, month: int, day: int) -> datetime:
    date = now.replace(month=month, day=day)
    return date if date.date() >= now.date() else date.replace(year=date.year + 1)


def _clock(when: str) -> int | None:
    """Minutes since midnight; None: no time of the day is told."""
    if "midnight" in when:
        return 24 * 60
    if "noon" in when and "afternoon" not in when:
        return 12 * 60
    found = re.search(
        rf"(\d{{1,2}}):(\d\d) ?(am|pm|a\.m|p\.m)?|(\d{{1,2}}) ?(am|pm|a\.m|p\.m|o'?clock)|({_N})[点时](半|\d{{1,2}}|[{ZH_DIGIT}十]{{1,3}})?",
        when,
    )
    if found is None:
        return None
    half = (found[3] or found[5] or "")[:1]
    if found[1]:
        hour, minute = int(found[1]), int(found[2])
    elif found[4]:
        hour, minute = int(found[4]), 0
    else:
        hour = int(chinese_value(found[6]) or number_of(found[6]) or 0)
        minute = (
            30
            if found[7] == "半"
            else int(chinese_value(found[7]) or number_of(found[7]) or 0)
            if found[7]
            else 0
        )
    if half == "p" or (not half and re.search("下午|傍晚|晚|夜", when)):
        hour += 12 if hour < 12 else 0
    elif half == "a" and hour == 12:
        hour = 0
    return hour * 60 + minute if hour <= 24 and minute < 60 else None
