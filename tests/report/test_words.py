import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.report import words
from ringfence.report.words import Both, Clock


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0.0, "0 s", "0 秒"),
        (1.23, "1.2 s", "1.2 秒"),
        (9.97, "10 s", "10 秒"),
        (84.0, "84 s", "84 秒"),
        (131.0, "2 min 11 s", "2 分钟 11 秒"),
        (3599.6, "1 h", "1 小时"),
        (3700.0, "1 h 2 min", "1 小时 2 分钟"),
        (86_399.0, "1 d", "1 天"),
        (2.125 * 86_400, "2 d 3 h", "2 天 3 小时"),
        (-5.0, "0 s", "0 秒"),
        (math.nan, "–", "–"),
        (math.inf, "–", "–"),
        (None, "–", "–"),
    ],
)
def test_a_duration_in_both_languages(seconds: float | None, en: str, zh: str) -> None:
    assert words.duration(seconds) == Both(en, zh)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_figure_is_ever_nonsense(value: float) -> None:
    texts = [
        *words.duration(value),
        words.bits(value),
        words.percent(value),
        *words.odds(value),
        words.count(value),
    ]
    for text in texts:
        assert text
        assert "nan" not in text.lower()
        assert "inf" not in text.lower()
    assert not words.duration(value).en.startswith("-")


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_longer_time_is_never_told_as_a_shorter_one(a: float, b: float) -> None:
    short, long = sorted((a, b))
    assert _seconds(words.duration(short).en) <= _seconds(words.duration(long).en)


def _seconds(text: str) -> float:
    parts = text.replace(",", "").split()
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    return sum(float(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(
    ("bits", "en", "zh"),
    [
        (18.0, "260,000", "26万"),
        (0.0, "1", "1"),
        (13.0, "8,200", "8,200"),
        (30.0, "1,100,000,000", "11亿"),
        (-3.0, "1", "1"),
    ],
)
def test_bits_as_odds(bits: float, en: str, zh: str) -> None:
    assert words.odds(bits) == Both(en, zh)


def test_evidence_against_has_a_minus() -> None:
    assert [words.bits(b) for b in (5.25, -1.5, 0.0, -0.01)] == ["+5.2", "−1.5", "0.0", "0.0"]


def test_a_probability_is_never_certain() -> None:
    assert words.percent(1.0) == "> 99.9%"
    assert words.percent(0.9731) == "97.3%"
    assert words.percent(0.5) == "50%"


def test_ordinals() -> None:
    assert [words.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 102, 113)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "102nd", "113th",
    ]  # fmt: skip


def test_the_clock_shows_the_zone_asked_for() -> None:
    noon = 1_772_712_000_000_000  # 2026-03-05T12:00:00Z
    assert Clock("Asia/Shanghai").stamp(noon) == "2026-03-05 20:00:00"
    assert Clock("Asia/Shanghai").name(noon) == "Asia/Shanghai, UTC+8"
    assert Clock("America/St_Johns").name(noon) == "America/St_Johns, UTC−3:30"
    assert Clock("Asia/Kathmandu").name(noon) == "Asia/Kathmandu, UTC+5:45"


@pytest.mark.parametrize("name", ["Nowhere/Land", "", "../etc/passwd", "UTC\0", "Asia"])
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert Clock(name).name(0) == "UTC"


@given(st.text())
def test_a_text_from_a_record_is_visible_and_short(text: str) -> None:
    seen = words.plain(text)
    assert len(seen) <= 64
    assert seen.isprintable() or any(c.isspace() for c in seen)
    assert "\u202e" not in seen


def test_of_a_long_path_the_end_is_shown() -> None:
    assert words.path("/var/log/calls.csv") == "/var/log/calls.csv"
    shown = words.path("/a" * 60 + "/calls.csv")
    assert len(shown) == 64
    assert shown.startswith("…")
    assert shown.endswith("/a/calls.csv")
