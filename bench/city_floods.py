"""Every shape of flood among the ordinary life and the look-alikes of a simulated city."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from bench._cities import ringfence
from bench._tables import Table, figure

NAME: Final = "city_floods"
TITLE: Final = "Floods in a simulated city"
SUBSCRIBERS: Final = 120_000
DAYS: Final = 14
SEED: Final = 71
MEASURED: Final = (
    f"`ringfence simulate --subscribers {SUBSCRIBERS} --days {DAYS} --seed {SEED}`, `ringfence scan --detect flood`, `ringfence evaluate`. Nothing was chosen by this "
    "city. 95 %: of all floods, those missed as later than any."
)
READING: Final = (
    "Wanted: median at the 4th call, 95 % by the 6th over all shapes, bots that linger at the 12th (median), one call in ten minutes (`slow`) at the 6th; at most one false "
    "alarm in 100,000 line-days of ordinary life and in one of ten look-alike bursts. What holds the rest back is told in docs/flood.md."
)


def judged(folder: Path) -> dict[str, Any]:
    """What `ringfence evaluate` says of the floods of a city."""
    city, out, found = folder / "city", folder / "out", folder / "found.json"
    ringfence("simulate", "--subscribers", SUBSCRIBERS, "--days", DAYS, "--seed", SEED, "--out", city)
    ringfence("scan", city / "calls.parquet", "--out", out, "--detect", "flood")
    ringfence("evaluate", out, city / "truth.json", "--kind", "flood", "--json", found)
    kinds: dict[str, Any] = json.loads(found.read_text("utf-8"))["kinds"]["flood"]
    return kinds


def _delays(title: str, found: dict[str, Any]) -> Table:
    result = Table(title, ("shape", "floods", "missed", "calls: median", "95 %", "seconds: median", "95 %"))
    for name, one in (*sorted(found["by_shape"].items()), ("all", found)):
        recall, calls, seconds = one["recall"], one["delay_calls"], one["delay_s"]
        cells = [calls["median_of_all"], calls["p95_of_all"], seconds["median_of_all"], seconds["p95_of_all"]]
        result.add(
            name.replace("_", " "),
            recall["of"],
            recall["of"] - recall["count"],
            *(figure(cell) for cell in cells),
        )
    return result


def _share(one: dict[str, Any]) -> str:
    return (
        f"{100 * one['share']:.1f} % ({100 * one['low']:.1f} to {100 * one['high']:.1f})"
        if one["of"]
        else "-"
    )


def run() -> list[Table]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        found = judged(Path(folder))
    rates = Table(
        "False alarms in ordinary life", ("", "alarms", "line-days", "per 100,000", "95 % interval")
    )
    life = found["false_alarms"]["ordinary_life"]
    rates.add(
        "all lines",
        life["count"],
        figure(life["line_days"]),
        figure(life["per_100k"], 2),
        f"{life['low']:.2f} to {life['high']:.2f}",
    )
    bursts = Table(
        "Look-alike bursts with a false alarm",
        ("look-alike", "bursts", "with an alarm", "share (95 % interval)"),
    )
    alike = found["false_alarms"]["look_alikes"]
    for name, one in (*sorted(alike["by_shape"].items()), ("all", alike["all"])):
        bursts.add(name.replace("_", " "), one["of"], one["count"], _share(one))
    return [_delays("Recognition by shape", found), rates, bursts]
