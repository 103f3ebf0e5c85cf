"""The evaluation for a reader: short tables, plain where there is no terminal."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ringfence.evaluate.intervals import rate, share
from ringfence.evaluate.kinds import kinds
from ringfence.evaluate.truth import PERSON
from ringfence.model.spans import span

_WIDTH = 120


def show(found: dict[str, Any]) -> None:
    """Print an evaluation."""
    terminal = Console().is_terminal
    console = Console(width=None if terminal else _WIDTH, highlight=False, markup=False, emoji=False)
    for part in parts(found):
        console.print(part)


def parts(found: dict[str, Any]) -> Iterator[RenderableType]:
    """What is printed, piece by piece."""
    modules, truth = kinds(), found["truth"]
    yield Text(
        f"{truth['lines']:,} lines, {truth['days']:.4g} days, {truth['episodes']:,} episodes; intervals are 95 %"
    )
    for name, each in found["kinds"].items():
        yield Text(f"\n{modules[name].TITLE} ({name})", style="bold")
        yield Text(_summary(each))
        for part in modules[name].tables(each):
            yield Padding(part, (int(isinstance(part, Table)), 0, 0, 2), expand=False)
    for name, each in found["reliability"].items():
        if each["alerts"] and (name != "all" or len(found["reliability"]) > 2):
            yield Text(f"\nReliability, {name.replace('_', ' ')}", style="bold")
            yield Padding(_reliability(each), (0, 0, 0, 2), expand=False)
            yield Text(_scores(each))
    others = [
        f"{_count(count, 'alert')} of kind {_plain(name)}" for name, count in found["not_judged"].items()
    ]
    if others:
        yield Text(f"\nnot judged: {', '.join(others)}")


def _summary(each: dict[str, Any]) -> str:
    said = f"{_count(each['alerts'], 'alert')}, precision {percent(each['precision'])}"
    if "repeated" in each:
        said += f", {each['repeated']:,} repeated, {_count(each['missed']['count'], 'attack')} missed"
    if each.get("covered"):
        said += f", {each['covered']:,} under the alert of an earlier attack"
    return said


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def new_table(first: str, *others: str) -> Table:
    """An empty table; the first column is text, the others figures."""
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def add_row(table: Table, name: str, *figures: str) -> None:
    """Add a row; its name may come from a file and is made fit to print."""
    table.add_row(Text(_plain(name)), *figures)


def _plain(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)


def percent(each: dict[str, Any]) -> str:
    """A share with its interval: "97.3 % (93.1–99.0)"."""
    if each["share"] is None:
        return "–"
    return f"{_hundredths(each['share'])} % ({_hundredths(each['low'])}–{_hundredths(each['high'])})"


def _hundredths(part: float) -> str:
    """In hundredths; more digits near the ends, so that what is not all never reads 100."""
    if part in {0.0, 1.0}:
        return f"{100 * part:.0f}"
    edge = min(part, 1 - part)
    return f"{100 * part:.{max(1, math.floor(-math.log10(edge)) - 1)}f}"


def per_100k(each: dict[str, Any]) -> str:
    """A rate with its interval: "0.83 (0.1–3)"."""
    if each["per_100k"] is None:
        return "–"
    return f"{_figure(each['per_100k'])} ({_figure(each['low'])}–{_figure(each['high'])})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.2g}"


def calls(delay: dict[str, Any], part: str) -> str:
    """A delay in calls."""
    return _or_never(delay, part, lambda value: f"{value:,.0f}")


def seconds(delay: dict[str, Any], part: str) -> str:
    """A delay of so many seconds."""
    return _or_never(delay, part, span)


def minutes(delay: dict[str, Any], part: str) -> str:
    """A delay of so many minutes, which may be negative."""
    return _or_never(delay, part, lambda value: ("-" if value < 0 else "") + span(60 * abs(value)))


def _or_never(delay: dict[str, Any], part: str, said: Callable[[float], str]) -> str:
    if delay[part] is not None:
        return said(delay[part])
    return "never" if part.endswith("_of_all") and (delay["n"] or delay["missed"]) else "–"


def false_alarm_tables(found: dict[str, Any]) -> Iterator[Table | Text]:
    """False alarms by kind of line and by look-alike; those that had none stand together."""
    table = new_table(
        "false alarms on lines of kind", "number", "line-days", "per 100,000 line-days (interval)"
    )
    clean = [kind for kind, each in found["by_line"].items() if not each["count"] and kind != PERSON]
    clean_days = math.fsum(found["by_line"][kind]["line_days"] or 0.0 for kind in clean)
    rows = {
        **{kind: each for kind, each in found["by_line"].items() if kind not in clean},
        **({f"{_count(len(clean), 'other kind')}": rate(0, clean_days)} if clean else {}),
        "all ordinary life": found["ordinary_life"],
        "with look-alike bursts": found["ordinary_life_with_look_alikes"],
    }
    for kind, each in rows.items():
        days = each["line_days"]
        add_row(table, kind, f"{each['count']:,}", "–" if days is None else f"{days:,.0f}", per_100k(each))
    yield table
    others = ", ".join(f"{crime} {count:,}" for crime, count in found["in_other_crimes"].items())
    if others:
        yield Text(f"apart from these, on lines under another crime: {others}")
    bursts = found["look_alikes"]
    if bursts["all"]["of"]:
        table = new_table("look-alike", "bursts", "raised a false alarm", "share (interval)")
        clean = [shape for shape, each in bursts["by_shape"].items() if not each["count"]]
        rows = {shape: each for shape, each in bursts["by_shape"].items() if shape not in clean}
        if clean:
            rows[_count(len(clean), "other sort")] = share(
                0, sum(bursts["by_shape"][shape]["of"] for shape in clean)
            )
        for shape, each in [*rows.items(), ("all", bursts["all"])]:
            add_row(table, shape, f"{each['of']:,}", f"{each['count']:,}", percent(each))
        yield table


def _reliability(found: dict[str, Any]) -> Table:
    table = new_table("probability said", "alerts", "said on average", "true (interval)")
    for each in found["bins"]:
        true = each["true"]
        said = "–" if each["said"] is None else f"{100 * each['said']:.1f} %"
        add_row(table, f"{each['from']:g} – {each['to']:g}", f"{true['of']:,}", said, percent(true))
    return table


def _scores(found: dict[str, Any]) -> str:
    text = f"  Brier score {found['brier']:.4f}, expected calibration error {found['ece']:.4f}"
    without = found["without_probability"]
    return text + (f"; {_count(without, 'alert')} without a probability" if without else "")
