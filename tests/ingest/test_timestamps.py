# ruff: noqa: DTZ001, DTZ007 - times without zone are what is tested
"""Times of all spellings against the standard library."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.ingest import _timestamps as ts
from ringfence.ingest._cells import from_arrow
from ringfence.ingest.format import UnreadableError

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros(when: dt.datetime) -> int:
    return (when - EPOCH) // dt.timedelta(microseconds=1)


def parse(*texts: str | None) -> ts.Times:
    return ts.parse(from_arrow(pa.array(texts, pa.string())))


def one(text: str) -> tuple[int, int]:
    times = parse(text)
    return int(times.status[0]), int(times.micros[0])


moments = st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2099, 12, 30))


@settings(deadline=None)
@given(
    moments,
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from("Tt "),
    st.sampled_from([".", ","]),
    st.integers(0, 12),
    st.sampled_from(["", " "]),
    st.integers(0, 2),
)
def test_text_with_a_zone_is_what_datetime_says(
    clock: dt.datetime, offset: int, t: str, point: str, digits: int, blank: str, form: int
) -> None:
    fraction = f"{clock.microsecond:06d}987654"[:digits]
    kept = clock.replace(microsecond=int((fraction + "000000")[:6]))
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    if form == 2:
        offset = offset // abs(offset) * hours * 60 if offset else 0
    zone = (f"{sign}{hours:02d}:{minutes:02d}", f"{sign}{hours:02d}{minutes:02d}", f"{sign}{hours:02d}")[form]
    text = f"{clock:%Y-%m-%d}{t}{clock:%H:%M:%S}{point + fraction if fraction else ''}"
    want = micros(kept.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset))))
    assert one(text + blank + zone) == (ts.ZONED, want)
    assert one(text + "Z") == (ts.ZONED, micros(kept.replace(tzinfo=dt.UTC)))
    assert one("  " + text + "\t") == (ts.NAIVE, micros(kept.replace(tzinfo=dt.UTC)))


@settings(deadline=None)
@given(moments.map(lambda when: when.replace(tzinfo=dt.UTC)))
def test_counts_are_understood_by_their_size(when: dt.datetime) -> None:
    exact = micros(when)
    for text, want in (
        (str(exact // 10**6), exact // 10**6 * 10**6),
        (str(exact // 1000), exact // 1000 * 1000),
        (str(exact), exact),
        (str(exact) + "123", exact),
        (f"{exact // 10**6}.{exact % 10**6:06d}", exact),
        (f"{exact // 1000}.{exact % 1000:03d}99", exact),
    ):
        assert one(text) == (ts.ZONED, want), text
        if "." not in text:
            times = ts.from_arrow_column(pa.array([int(text), None]))
            assert (list(times.status), int(times.micros[0])) == ([ts.ZONED, ts.NULL], want)


@settings(deadline=None)
@given(st.text(alphabet="0123456789-:TZ.+ ,", max_size=32))
@example("9223372036854775808")
@example("9999999999999999999")
@example("18446744073709551616")
@example("631152000.")
def test_nothing_else_gets_in(text: str) -> None:
    status, value = one(text)
    if status == ts.NULL:
        assert not text.strip()
    elif status in {ts.ZONED, ts.NAIVE}:
        assert ts.FIRST <= value <= ts.LAST
    else:
        with pytest.raises(ValueError):  # noqa: PT011, PT012
            good = dt.datetime.fromisoformat(text.strip().replace(",", "."))
            if len(text.strip()) < 16 or text[4] != "-" or not 1990 < good.year < 2100:
                raise ValueError


@pytest.mark.parametrize(
    "text",
    ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2026-03-05T24:00:00Z", "2026-03-05T23:60:00Z",
     "2026-03-05T23:59:61Z", "2026-03-05", "2026-03-05T02:11:09.Z", "2026-03-05T02:11:09+24:00", "2026-03-05T02:11:09+1",
     "2026-03-05T02:11:09+08:0", "2026/03/05 02:11:09", "1989-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "-1772675469",
     "1772675469e0", "631151999", "4102444800", "now", "null", "0", "2026-03-05T02:11:09ZZ", "2026-03-05T02:1a:09Z"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert one(text)[0] == ts.BAD


def test_a_leap_second_stays_on_its_day() -> None:
    last = micros(dt.datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC))
    assert one("2016-12-31T23:59:60Z") == one("2016-12-31T23:59:60.5Z") == (ts.ZONED, last)
    assert one("2017-01-01T07:59:60+08:00") == (ts.ZONED, last)


def test_minutes_are_enough() -> None:
    assert one("2026-03-05T02:11Z") == (ts.ZONED, micros(dt.datetime(2026, 3, 5, 2, 11, tzinfo=dt.UTC)))


def _from_clock(zone: str, *clocks: dt.datetime) -> ts.Times:
    return ts.resolve(parse(*(str(clock) for clock in clocks)), zone)


@pytest.mark.parametrize(
    ("zone", "fold", "gap"),
    [
        ("Europe/Berlin", dt.datetime(2026, 10, 25, 2, 30), dt.datetime(2026, 3, 29, 2, 30)),
        ("America/New_York", dt.datetime(2026, 11, 1, 1, 30), dt.datetime(2026, 3, 8, 2, 30)),
        ("Asia/Shanghai", dt.datetime(1991, 9, 15, 1, 30), dt.datetime(1991, 4, 14, 2, 30)),
    ],
)
def test_the_hours_of_the_change(zone: str, fold: dt.datetime, gap: dt.datetime) -> None:
    plain = dt.datetime(2026, 6, 1, 12)
    times = _from_clock(zone, fold, gap, plain)
    assert list(times.status) == [ts.ZONED] * 3
    assert times.fold is not None
    assert times.gap is not None
    assert list(times.fold) == [True, False, False]
    assert list(times.gap) == [False, True, False]
    assert times.micros[0] == micros(fold.replace(tzinfo=ZoneInfo(zone), fold=0))
    change = micros(gap.replace(minute=0, tzinfo=ZoneInfo(zone)))
    assert times.micros[1] == change - 1
    assert times.micros[2] == micros(plain.replace(tzinfo=ZoneInfo(zone)))


@settings(max_examples=60, deadline=None)
# Arrow reads only the changes that a zone's file lists, which end in 2037: after that it knows no summer time.
@given(
    st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2037, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"]),
)
def test_clocks_are_what_zoneinfo_says(clock: dt.datetime, zone: str) -> None:
    clock = clock.replace(microsecond=0)
    times = _from_clock(zone, clock)
    there = clock.replace(tzinfo=ZoneInfo(zone))
    if times.gap is None or not times.gap[0]:
        assert times.micros[0] == micros(there)
    else:
        assert there.astimezone(dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != clock


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(UnreadableError, match="Mars/Olympus"):
        _from_clock("Mars/Olympus", dt.datetime(2026, 1, 1))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
def test_arrow_timestamps_of_any_unit(unit: str, zone: str | None) -> None:
    when = dt.datetime(2026, 3, 5, 2, 11, 9, tzinfo=dt.UTC)
    array = pa.array([when, None, when.replace(year=1971)], pa.timestamp(unit, tz=zone))
    times = ts.from_arrow_column(array)
    assert list(times.status) == [ts.NAIVE if zone is None else ts.ZONED, ts.NULL, ts.BAD]
    assert times.micros[0] == micros(when)


def test_other_arrow_columns() -> None:
    huge = pa.array([2**64 - 1, 0], pa.uint64())
    assert list(ts.from_arrow_column(huge).status) == [ts.BAD, ts.BAD]
    floats = pa.array([1772675469.5, float("nan"), float("inf"), None, -1e300])
    times = ts.from_arrow_column(floats)
    assert list(times.status) == [ts.ZONED, ts.NULL, ts.BAD, ts.NULL, ts.BAD]
    assert times.micros[0] == 1772675469_500000
    assert list(ts.from_arrow_column(pa.array([[1], None])).status) == [ts.BAD, ts.NULL]
    assert list(ts.from_arrow_column(pa.array([dt.date(2026, 3, 5)])).status) == [ts.BAD]


PATTERNS = ["%Y-%m-%d %H:%M:%S", "%d.%m.%y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S.%f", "%Y%m%d%H%M%S", "%Y-%jT%H:%M:%S",
            "%F %T", "%Y%m%d %H%M%S %z", "%D %R"]  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2068, 12, 30)), min_size=1),
    st.sampled_from(PATTERNS),
)
def test_patterns_are_what_strptime_says(clocks: list[dt.datetime], pattern: str) -> None:
    zoned = "%z" in pattern
    texts = [
        clock.replace(tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))).strftime(pattern)
        for clock in clocks
    ]
    times = ts.parse_pattern(from_arrow(pa.array(texts)), ts.compile_pattern(pattern))
    assert set(times.status) == {ts.ZONED if zoned else ts.NAIVE}
    plain = (
        pattern.replace("%F", "%Y-%m-%d")
        .replace("%T", "%H:%M:%S")
        .replace("%D", "%m/%d/%y")
        .replace("%R", "%H:%M")
    )
    want = [dt.datetime.strptime(text, plain) for text in texts]
    assert list(times.micros) == [micros(when if zoned else when.replace(tzinfo=dt.UTC)) for when in want]


def test_patterns_refuse_what_does_not_fit() -> None:
    codes = ts.compile_pattern("%d.%m.%Y %I:%M %p")
    texts = [
        "05.03.2026 02:11 AM",
        "31.02.2026 02:11 AM",
        "05.03.2026 13:11 PM",
        "05.03.2026 02:11",
        "x",
        "",
        None,
        "05.03.2026 02:11 AMx",
    ]
    times = ts.parse_pattern(from_arrow(pa.array(texts)), codes)
    assert list(times.status) == [ts.NAIVE, ts.BAD, ts.BAD, ts.BAD, ts.BAD, ts.NULL, ts.NULL, ts.BAD]
    for pattern in ("%Y-%m-%d", "%H:%M", "%Q", "%", "%Y %H"):
        with pytest.raises(UnreadableError):
            ts.compile_pattern(pattern)


def test_nothing_is_read_as_nothing() -> None:
    assert parse().micros.size == 0
    assert np.array_equal(parse(None, "").status, [ts.NULL, ts.NULL])
