"""Lengths of time in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.spans import span, span_zh

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "秒": 1, "分钟": 60, "小时": 3600, "天": 86_400}


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (-1, "0 s", "0 秒"),
        (0, "0 s", "0 秒"),
        (1.24, "1.2 s", "1.2 秒"),
        (9.96, "10 s", "10 秒"),
        (10, "10 s", "10 秒"),
        (84.4, "84 s", "84 秒"),
        (119.6, "2 min", "2 分钟"),
        (120, "2 min", "2 分钟"),
        (843, "14 min 3 s", "14 分钟 3 秒"),
        (3599.7, "1 h", "1 小时"),
        (7500, "2 h 5 min", "2 小时 5 分钟"),
        (86_405, "1 d", "1 天"),
        (8 * 86_400 + 7200, "8 d 2 h", "8 天 2 小时"),
    ],
)
def test_spans(seconds: float, english: str, chinese: str) -> None:
    assert span(seconds) == english
    assert span_zh(seconds) == chinese


@given(st.floats(0, 1e9))
def test_a_span_says_about_how_long(seconds: float) -> None:
    for text in (span(seconds), span_zh(seconds)):
        parts = re.findall(r"([\d.]+) (\S+)", text.replace(",", ""))
        assert 1 <= len(parts) <= 2
        said = sum(float(count) * UNITS[unit] for count, unit in parts)
        assert abs(said - seconds) <= max(0.5, seconds / 24)
