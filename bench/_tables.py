"""Tables of figures: on the terminal and in `docs/benchmarks.md`."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table as RichTable

Row = tuple[str, ...]


@dataclass(slots=True)
class Table:
    """A table of figures; the first column is text, the others are figures."""

    title: str
    columns: Row
    rows: list[Row] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row; None is shown as a dash."""
        self.rows.append(tuple("-" if cell is None else str(cell) for cell in cells))

    def show(self, console: Console) -> None:
        """Print it."""
        table = RichTable(title=self.title, title_justify="left", box=None, pad_edge=False)
        for place, name in enumerate(self.columns):
            table.add_column(name, justify="right" if place else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        console.print()

    def markdown(self) -> str:
        """The same in Markdown."""
        lines = [
            f"**{self.title}**",
            "",
            "| " + " | ".join(self.columns) + " |",
            "| " + " | ".join("---:" if place else "---" for place in range(len(self.columns))) + " |",
        ]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines)


def quantile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that at least a share of all do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else None


def figure(value: float | None, digits: int = 0) -> str:
    """A figure with thousands set apart; a dash for none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def share(part: int, whole: int) -> str:
    """A count, and its share."""
    return f"{part} ({100 * part / whole:.1f} %)" if whole else "-"


def rate_interval(events: int, exposure: float) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson rate (Garwood 1936); one-sided where nothing was seen: 3 / exposure."""
    if events == 0:
        return 0.0, 3.0 / exposure
    low = _solve(lambda mean: 1.0 - _at_most(events - 1, mean), 0.025, events)
    high = _solve(lambda mean: 1.0 - _at_most(events, mean), 0.975, events)
    return low / exposure, high / exposure


def _at_most(events: int, mean: float) -> float:
    """P(N <= events) of a Poisson variable."""
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))


def _solve(rising: Callable[[float], float], wanted: float, near: int) -> float:
    """Where a rising function of the mean reaches a value."""
    low, high = 1e-9, 4.0 * near + 20.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return low


def percentiles(values: Sequence[float], digits: int = 0) -> Row:
    """Median, 95th percentile and largest."""
    return tuple(figure(quantile(values, part), digits) for part in (0.5, 0.95, 1.0))
