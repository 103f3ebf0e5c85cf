"""Lengths of time in words, English and Chinese."""

from typing import Final

_ENGLISH: Final = ("d", "h", "min", "s")
_CHINESE: Final = ("天", "小时", "分钟", "秒")


def _words(seconds: float, names: tuple[str, str, str, str]) -> str:
    """The one or two largest units, rounded to the smaller."""
    seconds = max(seconds, 0.0) + 0.0  # not minus nought
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + f" {names[3]}"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} {names[3]}"
    if whole < 3600:
        return _two(divmod(whole, 60), names[2:])
    minutes = round(whole / 60)
    if minutes < 1440:
        return _two(divmod(minutes, 60), names[1:])
    return _two(divmod(round(minutes / 60), 24), names)


def _two(parts: tuple[int, int], names: tuple[str, ...]) -> str:
    great, small = parts
    return f"{great:,} {names[0]}" + (f" {small} {names[1]}" if small else "")


def span(seconds: float) -> str:
    """Such as "1.2 s", "84 s", "14 min 3 s", "2 h 5 min"; never negative.

    Args:
        seconds: finite.
    """
    return _words(seconds, _ENGLISH)


def span_zh(seconds: float) -> str:
    """Such as "1.2 秒", "84 秒", "14 分钟 3 秒", "2 小时 5 分钟"; never negative.

    Args:
        seconds: finite.
    """
    return _words(seconds, _CHINESE)
