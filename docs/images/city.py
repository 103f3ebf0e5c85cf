"""Draw docs/images/city.svg: activity, hours and redials of a simulated city beside the real figures (`python docs/images/city.py`)."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from ringfence.simulate.city import City
from ringfence.simulate.marginals import columns_of, marginals
from ringfence.simulate.write import tables

HERE = Path(__file__).parent
WIDTH, HEIGHT, LEFT, TOP, SIZE = 1_080, 300, 50, 40, (290, 200)
REAL, MADE, TEXT = "#999999", "#1a6fb0", "#333333"
# Busiest hour of a line, share of lines (Sichuan, lines that were not fraud; computed).
SICHUAN_HOURS = (
    0, 0.001, 0, 0, 0.001, 0, 0.004, 0.012, 0.041, 0.09, 0.143, 0.133, 0.088, 0.053, 0.036, 0.027, 0.04, 0.101, 0.116,
    0.067, 0.028, 0.012, 0.004, 0.001,
)  # fmt: skip
SICHUAN_RECORDS = (5.87, 1.55)
RUNS = (0.859, 0.104, 0.019, 0.018)


def _bars(values: list[float], top: float, left: float, color: str, offset: float, width: float) -> str:
    step = SIZE[0] / len(values)
    return "".join(
        f'<rect x="{left + n * step + offset * step:.1f}" y="{TOP + SIZE[1] * (1 - value / top):.1f}" '
        f'width="{width * step:.1f}" height="{SIZE[1] * value / top:.1f}" fill="{color}"/>'
        for n, value in enumerate(values)
    )


def _panel(
    place: int, title: str, labels: list[str], real: list[float], made: list[float], top: float
) -> str:
    left = LEFT + place * (SIZE[0] + 60)
    step = SIZE[0] / len(labels)
    parts = [f'<text x="{left}" y="{TOP - 14}" font-weight="bold">{title}</text>']
    for share in (0.0, 0.5, 1.0):
        y = TOP + SIZE[1] * (1 - share)
        parts.append(f'<line x1="{left}" x2="{left + SIZE[0]}" y1="{y}" y2="{y}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{100 * share * top:.0f} %</text>')
    parts += [_bars(real, top, left, REAL, 0.08, 0.4), _bars(made, top, left, MADE, 0.5, 0.4)]
    parts += [
        f'<text x="{left + (n + 0.5) * step:.1f}" y="{TOP + SIZE[1] + 16}" text-anchor="middle">{label}</text>'
        for n, label in enumerate(labels)
    ]
    return "".join(parts)


def _records(calls: object) -> tuple[list[str], list[float], list[float]]:
    """Shares of lines by answered records in 8 months, in steps of a factor of e."""
    c = columns_of(calls)
    talked = (c.answer >= 0) & (c.caller >= 0)
    count = np.bincount(c.caller[talked], minlength=len(c.own)) + np.bincount(
        c.callee[talked], minlength=len(c.own)
    )
    log = np.log(np.maximum(count[c.own], 1))
    edges = np.arange(0, 11)
    made = np.histogram(log, edges)[0] / len(log)
    mean, deviation = SICHUAN_RECORDS
    bell = np.exp(-(((np.arange(0, 10, 0.01) + 0.005 - mean) / deviation) ** 2) / 2).reshape(10, 100).sum(1)
    labels = [f"{np.exp(edge):.0f}" if edge % 2 == 0 else "" for edge in edges[:-1]]
    return labels, (bell / bell.sum()).tolist(), made.tolist()


def draw() -> str:
    """The picture."""
    calls = tables(City(1_500, 244, seed=7, intensity={"crime": 0, "texts": 0, "transfers": 0}))[0]["calls"]
    found = marginals(calls)
    c = columns_of(calls)
    hour = (c.start + 8 * 3_600_000_000) // 3_600_000_000 % 24
    by_line = np.zeros((len(c.own), 24), np.int32)
    for side in (c.caller, c.callee):
        fits = (side >= 0) & (c.answer >= 0)
        np.add.at(by_line, (side[fits], hour[fits]), 1)
    by_line = by_line[c.own]
    busiest = (np.bincount(by_line[by_line.sum(1) >= 20].argmax(1), minlength=24) / len(by_line)).tolist()
    runs = [found[f"runs of {n} unanswered"] for n in (1, 2, 3)] + [found["runs of 4 or more unanswered"]]
    labels, bell, made = _records(calls)
    panels = [
        _panel(0, "Answered records of a line in 8 months", labels, bell, made, 0.4),
        _panel(
            1,
            "Busiest hour of a line",
            [str(n) if n % 3 == 0 else "" for n in range(24)],
            list(SICHUAN_HOURS),
            busiest,
            0.18,
        ),
        _panel(2, "Unanswered attempts in a row", ["1", "2", "3", "4+"], list(RUNS), runs, 1.0),
    ]
    legend = (
        f'<rect x="{LEFT}" y="{HEIGHT - 22}" width="12" height="12" fill="{REAL}"/><text x="{LEFT + 18}" y="{HEIGHT - 12}">'
        "real (Sichuan; attempts in a row: Copenhagen)</text>"
        f'<rect x="{LEFT + 330}" y="{HEIGHT - 22}" width="12" height="12" fill="{MADE}"/>'
        f'<text x="{LEFT + 348}" y="{HEIGHT - 12}">simulated: 1,500 lines, 244 days</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" '
        f'fill="{TEXT}"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{"".join(panels)}{legend}</svg>\n'
    )


if __name__ == "__main__":
    (HERE / "city.svg").write_text(draw(), encoding="utf-8")
