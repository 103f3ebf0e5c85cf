"""Points in time, whole columns at once: text, numbers or Arrow timestamps to microseconds UTC.

Text is RFC 3339 or its relatives of ISO 8601: `2026-03-05T02:11:09.12Z`, `2026-03-05 10:11:09+0800`, `2026-03-05 10:11`.
Date and time are parted by `T`, `t` or a blank; seconds may be left out; a fraction may have any length (after `.` or
`,`; beyond microseconds it is cut off); the zone is `Z`, `z`, `±HH:MM`, `±HHMM`, `±HH`, after a blank or not, or missing.
A leap second (`:60`) becomes the last microsecond before it ends up in the next minute: it stays on its day.

A number is a count since 1970 in seconds, milliseconds, microseconds or nanoseconds: whichever lands between 1990 and
2100, which is never more than one of them. Everything outside those years is taken for an error.

A time without a zone is read in the zone of the settings. In the hour that happens twice it is the earlier one, and in
the hour that does not happen the last moment before it; both are counted. (Arrow knows summer time until 2037 only.)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.compiled import borrowed, entry, jit
from ringfence.ingest import _buffers
from ringfence.ingest._buffers import is_null
from ringfence.ingest._cells import Cells, from_arrow
from ringfence.ingest._digits import digit, digit_of
from ringfence.ingest.format import UnreadableError

NULL, ZONED, NAIVE, BAD = range(4)

FIRST = 631_152_000_000_000  # 1990-01-01T00:00:00Z
LAST = 4_102_444_800_000_000 - 1  # the microsecond before 2100-01-01T00:00:00Z

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Times:
    """A column of points in time.

    Attributes:
        micros: int64, microseconds since 1970-01-01T00:00:00Z; of the wall clock where the status is `NAIVE`; 0 where there is none.
        status: uint8, `NULL`, `ZONED`, `NAIVE` or `BAD` for each.
        fold: where the wall clock showed this twice; None: nowhere.
        gap: where the wall clock never showed this; None: nowhere.
    """

    micros: Int64s
    status: npt.NDArray[np.uint8]
    fold: Bools | None = None
    gap: Bools | None = None

    def only(self, keep: Bools) -> "Times":
        """Return the rows where `keep` is true."""
        return Times(
            self.micros[keep],
            self.status[keep],
            None if self.fold is None else self.fold[keep],
            None if self.gap is None else self.gap[keep],
        )


@jit
def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01, or a huge number if there is no such day."""
    if month < 1 or month > 12 or day < 1:
        return 1 << 40
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2:
        length = 29 if leap else 28
    elif month in (4, 6, 9, 11):
        length = 30
    else:
        length = 31
    if day > length:
        return 1 << 40
    # The year is taken to begin in March, so that the leap day is its last; then the months' lengths follow 153/5.
    y = year - 1 if month < 3 else year
    m = month + 9 if month < 3 else month - 3
    return 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 719_469


@jit
def _number(data: npt.NDArray[np.uint8], i: int, end: int, digits: int) -> int:
    """Return the number in exactly `digits` digits at i, or -1."""
    if i + digits > end:
        return -1
    value = 0
    for k in range(i, i + digits):
        if data[k] < 48 or data[k] > 57:
            return -1
        value = value * 10 + digit(data, k)
    return value


_TENS = np.array([10**places for places in range(7)])


@jit
def _fraction(data: npt.NDArray[np.uint8], i: int, end: int, places: int) -> tuple[int, int]:
    """Return the fraction whose digits begin at i, cut to `places` digits, and the place after it (i: no digits)."""
    value, digits = 0, 0
    for byte in data[i:end]:
        if byte < 48 or byte > 57:
            break
        if digits < places:
            value = value * 10 + digit_of(byte)
        digits += 1
    return value * _TENS[max(places - digits, 0)], i + digits


@jit
def _zone(data: npt.NDArray[np.uint8], i: int, end: int) -> int:
    """Return the offset from UTC in minutes that fills i to end, or a huge number."""
    if i + 1 == end and data[i] in (90, 122):
        return 0
    if end - i < 3 or data[i] not in (43, 45):
        return 1 << 40
    hours = _number(data, i + 1, end, 2)
    minutes = 0
    rest = end - i - 3
    if rest == 2:
        minutes = _number(data, i + 3, end, 2)
    elif rest == 3 and data[i + 3] == 58:
        minutes = _number(data, i + 4, end, 2)
    elif rest != 0:
        return 1 << 40
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return 1 << 40
    offset = hours * 60 + minutes
    return -offset if data[i] == 45 else offset


@jit
def _epoch(data: npt.NDArray[np.uint8], i: int, end: int) -> int:
    """Return the microseconds a plain decimal number stands for, or -1."""
    whole, digits = 0, 0
    while i < end and 48 <= data[i] <= 57 and digits < 19:
        whole = whole * 10 + digit(data, i)
        digits += 1
        i += 1
    if digits < 9 or whole < 0:  # fewer digits: before 1990; below 0: 19 digits that int64 cannot hold
        return -1
    if whole <= LAST // 1_000_000:
        places = 6
    elif whole <= LAST // 1000:
        places = 3
    else:
        places = 0
    value = whole * _TENS[places] if whole <= LAST else whole // 1000
    if i < end and data[i] == 46:
        more, i = _fraction(data, i + 1, end, places)
        value += more
    return value if i == end else -1


_U1, _U2, _U5, _U8, _U11, _U14 = (np.uint64(place) for place in (1, 2, 5, 8, 11, 14))


@jit
def _two(data: npt.NDArray[np.uint8], i: np.uint64) -> int:
    """Return the number in two digits at i; 10,000 or more if they are none."""
    tens, ones = digit(data, i), digit(data, i + _U1)
    return tens * 10 + ones if (0 <= tens <= 9) & (0 <= ones <= 9) else 10_000


@jit
def _clock(data: npt.NDArray[np.uint8], i: int, end: int, known: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Read date and time at i: microseconds of the wall clock (-1: not one), and the place after them.

    `known` holds a date (as the number YYYYMMDD) and its days: most rows are of the day of the row before.
    """
    # The caller has made sure of 16 bytes. What is no digit is too large in every place. (The places are unsigned: the
    # compiler then leaves out what Python does with negative ones, which halves the time.)
    at = np.uint64(i)
    year, month, day = _two(data, at) * 100 + _two(data, at + _U2), _two(data, at + _U5), _two(data, at + _U8)
    hour, minute = _two(data, at + _U11), _two(data, at + _U14)
    if year > 9999 or month > 12 or day > 31 or hour > 23 or minute > 59:
        return -1, i
    if data[i + 4] != 45 or data[i + 7] != 45 or data[i + 10] not in (84, 116, 32) or data[i + 13] != 58:
        return -1, i
    date = year * 10_000 + month * 100 + day
    if date != known[0]:
        known[0] = date
        known[1] = _days(year, month, day)
    days = known[1]
    if days > 1_000_000:
        return -1, i
    i += 16
    second, part = 0, 0
    if i < end and data[i] == 58:
        second = _number(data, i + 1, end, 2)
        if second < 0 or second > 60:
            return -1, i
        i += 3
        if i < end and data[i] in (46, 44):
            part, after = _fraction(data, i + 1, end, 6)
            if after == i + 1:
                return -1, i
            i = after
        if second == 60:
            second, part = 59, 999_999
    return ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + part, i


@entry
def _parse(
    data: npt.NDArray[np.uint8], first: Int64s, last: Int64s, micros: Int64s, status: npt.NDArray[np.uint8]
) -> None:
    data = borrowed(data)  # the compiler gives it its first argument
    known = np.full(2, 1 << 40)
    for row in range(first.size):
        i, end = first[row], last[row]
        micros[row] = 0
        status[row] = 0
        if i < 0:
            status[row] = 3 if i == -2 else 0
            continue
        while i < end and data[i] in (32, 9):
            i += 1
        while end > i and data[end - 1] in (32, 9):
            end -= 1
        if i == end:
            continue
        status[row] = 3
        if end - i < 16 or data[i + 4] != 45:
            value = _epoch(data, i, end)
            if FIRST <= value <= LAST:
                micros[row] = value
                status[row] = 1
            continue
        value, i = _clock(data, i, end, known)
        if value < 0:
            continue
        zoned = i < end
        if zoned:
            if data[i] == 32:
                i += 1
            offset = _zone(data, i, end)
            if offset > 24 * 60:
                continue
            value -= offset * 60_000_000
        if FIRST <= value <= LAST:
            micros[row] = value
            status[row] = 1 if zoned else 2


def parse(cells: Cells) -> Times:
    """Read a column of text or of numbers as text."""
    micros = np.empty(len(cells), np.int64)
    status = np.empty(len(cells), np.uint8)
    _parse(cells.data, cells.first, cells.last, micros, status)
    return Times(micros, status)


def from_number(values: npt.NDArray[np.float64] | Int64s, valid: Bools) -> Times:
    """Read counts since 1970, in the unit that lands between 1990 and 2100."""
    micros = np.zeros(values.size, np.int64)
    for per_second in (1, 10**3, 10**6, 10**9):
        low, high = FIRST // 10**6 * per_second, (LAST + 1) // 10**6 * per_second
        fit = valid & (values >= low) & (values < high)
        if per_second <= 10**6:
            micros[fit] = (values[fit] * (10**6 // per_second)).astype(np.int64)
        else:
            micros[fit] = (values[fit] // 1000).astype(np.int64)
    status = np.where(micros > 0, ZONED, np.where(valid, BAD, NULL)).astype(np.uint8)
    return Times(micros, status)


@entry
def _read_counts(
    counts: Int64s,
    bits: npt.NDArray[np.uint8],
    first: int,
    per_second: int,
    good: int,
    micros: Int64s,
    status: npt.NDArray[np.uint8],
) -> None:
    low, high = FIRST // 1_000_000 * per_second, (LAST + 1) // 1_000_000 * per_second
    times, parts = max(1_000_000 // per_second, 1), max(per_second // 1_000_000, 1)
    bits = borrowed(bits)
    for row in range(counts.size):
        count = counts[row]
        filled = not is_null(bits, first + row)
        fit = filled & (low <= count) & (count < high)
        micros[row] = (count * times if parts == 1 else count // parts) if fit else 0
        status[row] = good if fit else 3 * filled


def _from_timestamps(array: pa.Array) -> Times:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[array.type.unit]
    good = ZONED if array.type.tz is not None else NAIVE
    micros, status = np.empty(len(array), np.int64), np.empty(len(array), np.uint8)
    counts = _buffers.fixed(array, np.int64)
    _read_counts(counts, *_buffers.present(array), per_second, good, micros, status)
    return Times(micros, status)


def from_arrow_column(array: pa.Array) -> Times:
    """Read an Arrow column of any type; a type that holds no point in time makes every filled cell `BAD`."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _from_timestamps(array)
    if pa.types.is_date64(kind):
        return _from_timestamps(array.cast(pa.timestamp("ms")))
    valid = ~np.asarray(array.is_null())
    if pa.types.is_integer(kind):
        # What int64 cannot hold is far beyond 2100 anyway.
        values = np.asarray(pc.fill_null(array, 0))
        return from_number(np.minimum(values, np.iinfo(np.int64).max).astype(np.int64), valid)
    if pa.types.is_floating(kind):
        floats = np.asarray(pc.fill_null(array, np.nan).cast(pa.float64()))
        return from_number(floats, valid & ~np.isnan(floats))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return parse(from_arrow(array))
    return Times(np.zeros(len(array), np.int64), np.where(valid, BAD, NULL).astype(np.uint8))


def nothing(rows: int) -> Times:
    """Return a column of no times."""
    return Times(np.zeros(rows, np.int64), np.zeros(rows, np.uint8))


def resolve(times: Times, timezone: str) -> Times:
    """Turn times of the wall clock in `timezone` into UTC; none is `NAIVE` afterwards.

    Raises:
        UnreadableError: there is no such zone.
    """
    naive = times.status == NAIVE
    if not naive.any():
        return times
    status = np.where(naive, ZONED, times.status).astype(np.uint8)
    if timezone in {"UTC", "Etc/UTC"}:
        return Times(times.micros, status)
    clock = pa.array(times.micros, pa.timestamp("us"), mask=~naive)

    def utc(ambiguous: str, nonexistent: str) -> Int64s:
        zoned = pc.assume_timezone(clock, timezone, ambiguous=ambiguous, nonexistent=nonexistent)
        return np.asarray(pc.fill_null(zoned.cast(pa.int64()), 0))

    fold = gap = None
    try:
        micros = utc("raise", "raise")
    except pa.ArrowInvalid as error:
        if "timezone database" in str(error) or "Cannot locate" in str(error):
            raise UnreadableError(f"the time zone {timezone!r} is not known to this machine") from error
        micros = utc("earliest", "earliest")
        fold = micros != utc("latest", "earliest")
        gap = micros != utc("earliest", "latest")
    return Times(np.where(naive, micros, times.micros), status, fold, gap)


# --- times by a strptime pattern -----------------------------------------------------------------------------------

_MONTHS = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", np.uint8)
_DIRECTIVES = "YymdHIMSfpbzjeT"
_SHORT = {"T": "%H:%M:%S", "D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M"}


def compile_pattern(pattern: str) -> npt.NDArray[np.int32]:
    """Turn a strptime pattern into codes: a byte that must be there, or 256 + a directive.

    Directives: %Y %y (69..99: 19xx) %m %d %e %H %I %M %S (%S: 60 too) %f (any digits) %p %b (English) %z %j, and %F %T %D %R.

    Raises:
        UnreadableError: the pattern has another directive, or cannot make a whole point in time.
    """
    for short, long in _SHORT.items():
        pattern = pattern.replace("%" + short, long)
    codes: list[int] = []
    seen: set[str] = set()
    raw = pattern.encode()
    i = 0
    while i < len(raw):
        if raw[i] != ord("%"):
            codes.append(raw[i])
            i += 1
            continue
        letter = chr(raw[i + 1]) if i + 1 < len(raw) else ""
        if letter == "%":
            codes.append(ord("%"))
        elif letter and letter in _DIRECTIVES:
            codes.append(256 + ord(letter))
            seen.add(letter)
        else:
            raise UnreadableError(
                f"mapping: the time pattern {pattern!r} has a directive that is not known: '%{letter}'"
            )
        i += 2
    if not (seen & {"Y", "y"} and (seen >= {"m"} or seen >= {"b"} or seen >= {"j"}) and seen & {"H", "I"}):
        raise UnreadableError(f"mapping: the time pattern {pattern!r} lacks year, month, day or hour")
    return np.array(codes, np.int32)


@jit
def _some_digits(data: npt.NDArray[np.uint8], i: int, end: int, most: int) -> tuple[int, int]:
    """Return the number in 1 to `most` digits at i (-1: none), and the place after it."""
    value, start = 0, i
    while i < end and i - start < most and 48 <= data[i] <= 57:
        value = value * 10 + digit(data, i)
        i += 1
    return (value if i > start else -1), i


@entry
def _parse_pattern(
    data: npt.NDArray[np.uint8],
    first: Int64s,
    last: Int64s,
    codes: npt.NDArray[np.int32],
    months: npt.NDArray[np.uint8],
    micros: Int64s,
    status: npt.NDArray[np.uint8],
) -> None:
    for row in range(first.size):
        i, end = first[row], last[row]
        micros[row] = 0
        status[row] = 0
        if i < 0:
            status[row] = 3 if i == -2 else 0
            continue
        while i < end and data[i] in (32, 9):
            i += 1
        while end > i and data[end - 1] in (32, 9):
            end -= 1
        if i == end:
            continue
        status[row] = 3
        year, month, day, yearday = 1970, 1, 1, 0
        hour, minute, second, part = 0, 0, 0, 0
        half, offset, zoned, good = -1, 0, False, True
        for code in codes:
            value = 0
            if code == 256 + 89:  # %Y
                value, i = _some_digits(data, i, end, 4)
                year = value
            elif code == 256 + 121:  # %y, as POSIX reads it
                value, i = _some_digits(data, i, end, 2)
                year = value + (1900 if value >= 69 else 2000)
            elif code == 256 + 109:  # %m
                value, i = _some_digits(data, i, end, 2)
                month = value
            elif code in (256 + 100, 256 + 101):  # %d, %e
                if code == 256 + 101 and i < end and data[i] == 32:
                    i += 1
                value, i = _some_digits(data, i, end, 2)
                day = value
            elif code == 256 + 106:  # %j
                value, i = _some_digits(data, i, end, 3)
                yearday = value
            elif code in (256 + 72, 256 + 73):  # %H, %I
                value, i = _some_digits(data, i, end, 2)
                hour = value
                good &= value <= 23 and (code == 256 + 72 or 1 <= value <= 12)
            elif code == 256 + 77:  # %M
                value, i = _some_digits(data, i, end, 2)
                minute = value
                good &= value <= 59
            elif code == 256 + 83:  # %S
                value, i = _some_digits(data, i, end, 2)
                second = value
                good &= value <= 60
            elif code == 256 + 102:  # %f
                part, after = _fraction(data, i, end, 6)
                good &= after > i
                i = after
            elif code == 256 + 112:  # %p
                if i + 2 <= end and (data[i] | 32) in (97, 112) and (data[i + 1] | 32) == 109:
                    half = 1 if (data[i] | 32) == 112 else 0
                    i += 2
                else:
                    good = False
            elif code == 256 + 98:  # %b
                value = -1
                if i + 3 <= end:
                    for k in range(12):
                        if (
                            (data[i] | 32) == months[3 * k]
                            and (data[i + 1] | 32) == months[3 * k + 1]
                            and (data[i + 2] | 32) == months[3 * k + 2]
                        ):
                            value = k + 1
                month = value
                i += 3
            elif code == 256 + 122:  # %z takes what is left up to a blank
                after = i
                while after < end and data[after] != 32:
                    after += 1
                offset = _zone(data, i, after)
                good &= offset <= 24 * 60
                zoned = True
                i = after
            elif i < end and data[i] == code:
                i += 1
            else:
                good = False
            if value < 0:
                good = False
            if not good:
                break
        if not good or i != end:
            continue
        if half >= 0:
            good = 1 <= hour <= 12
            hour = hour % 12 + 12 * half
        if second == 60:
            second, part = 59, 999_999
        if yearday:
            leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
            good &= yearday <= (366 if leap else 365)
            days = _days(year, 1, 1) + yearday - 1
        else:
            days = _days(year, month, day)
        if not good or days > 1_000_000:
            continue
        total = ((days * 24 + hour) * 60 + minute - offset) * 60_000_000 + second * 1_000_000 + part
        if FIRST <= total <= LAST:
            micros[row] = total
            status[row] = 1 if zoned else 2


def parse_pattern(cells: Cells, codes: npt.NDArray[np.int32]) -> Times:
    """Read a column of text by a pattern from `compile_pattern`."""
    micros = np.empty(len(cells), np.int64)
    status = np.empty(len(cells), np.uint8)
    _parse_pattern(cells.data, cells.first, cells.last, codes, _MONTHS, micros, status)
    return Times(micros, status)
