"""Lengths of time in words, English and Chinese."""

_UNITS = ((86_400, "d", "天"), (3_600, "h", "小时"), (60, "min", "分钟"), (1, "s", "秒"))


def _parts(seconds: float, place: int) -> list[str]:
    """The one or two largest units of a length of time."""
    whole = round(seconds)
    parts: list[str] = []
    for size, *names in _UNITS:
        count, whole = divmod(whole, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count} {names[place]}")
        if len(parts) == 2:
            break
    return [part for part in parts if not part.startswith("0 ")] or [f"0 {_UNITS[-1][place + 1]}"]


def span(seconds: float) -> str:
    """Such as "1.2 s", "84 s", "14 min 3 s", "2 h 5 min"."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    return f"{seconds:.0f} s" if seconds < 119.5 else " ".join(_parts(seconds, 0))


def span_zh(seconds: float) -> str:
    """Such as "1.2 秒", "84 秒", "14 分钟 3 秒", "2 小时 5 分钟"."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} 秒"
    return f"{seconds:.0f} 秒" if seconds < 119.5 else " ".join(_parts(seconds, 1))
