"""Every shape of flood among everything that looks like one, in simulated towns."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from bench._calls import calls_in_order, numbers_of
from bench._tables import Table, figure, percentiles, rate_interval, share
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import RAISED
from ringfence.model.calls import NEVER
from ringfence.model.numbers import Names
from ringfence.simulate.attempts import table
from ringfence.simulate.floods import SHAPES
from ringfence.simulate.town import DAY, LOOK_ALIKES, Town, busy_town

NAME = "shapes"
TITLE = "Every shape of flood, and what looks like one (simulated towns)"
SEEDS = range(101, 109)
LINES, DAYS, EVENTS, FLOODS = 1_000, 14, 100, 100
EPOCH = 1_767_225_600 * 1_000_000
MEASURED = (
    f"{len(SEEDS)} towns of {LINES:,} lines and {DAYS} days, each with {FLOODS} floods (25 to 200 calls) and {EVENTS} look-alikes, "
    "each on a line of its own and spread over their kinds, from the third day on. Ordinary line-days are those of the lines "
    "without either, and those of the victims before their flood. A look-alike gives a false alarm if its line has an alert at "
    "any time."
)
READING = (
    "The towns are this project's own, and the detector's weights were chosen by people who knew them: these figures show that "
    "no shape is forgotten and what each look-alike costs; they prove little about a real network. How rarely ordinary "
    "lines alarm is a property of the simulated life as much as of the detector; the interval is only the chance in it "
    "(Garwood, 95 %; where nothing was seen, the rule of three)."
)


@dataclass(slots=True)
class Counts:
    """What was found in all towns; delays in calls and seconds by shape, None: missed."""

    delays: dict[str, list[tuple[int, float] | None]] = field(default_factory=lambda: defaultdict(list))
    bursts: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    ordinary_alarms: int = 0
    ordinary_days: float = 0.0


def _alarms(town: Town) -> dict[str, list[float]]:
    """Seconds at which each line was alarmed."""
    names = Names()
    lines = dict(zip(numbers_of(town.lines, names), town.lines, strict=True))
    calls = calls_in_order(table(town.attempts, EPOCH), names)
    outcomes, _ = Engine(["flood"]).process(calls, NEVER)
    found: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes[outcomes["what"] == RAISED]:
        line = lines.get(int(outcome["subject"]), "elsewhere")
        found[line].append((int(outcome["at"]) - EPOCH) / 1e6)
    return found


def measure(town: Town, days: int, counts: Counts) -> None:
    """Count what is found in a town."""
    alarms = _alarms(town)
    starts: dict[str, list[float]] = defaultdict(list)
    for start, callee, what in zip(
        town.attempts.start, town.attempts.callee, town.attempts.what, strict=True
    ):
        if what in SHAPES:
            starts[callee].append(start)
    for victim, shape, first, last in town.truth:
        at = next((time for time in sorted(alarms[victim]) if first <= time <= last + 60), None)
        delay = None if at is None else (sum(start <= at for start in starts[victim]), at - first)
        counts.delays[shape].append(delay)
        counts.ordinary_alarms += sum(time < first for time in alarms[victim])
        counts.ordinary_days += max(first, 0.0) / DAY
    for line, kind, _ in town.events:
        counts.bursts[kind].append(bool(alarms[line]))
    special = {victim for victim, *_ in town.truth} | {line for line, *_ in town.events}
    counts.ordinary_alarms += sum(len(times) for line, times in alarms.items() if line not in special)
    counts.ordinary_days += (len(town.lines) - len(special)) * days


def _shapes(counts: Counts) -> Table:
    result = Table(
        "Recognition by shape",
        ("shape", "floods", "missed", "calls: median", "p95", "max", "seconds: median", "p95", "max"),
    )
    for shape in SHAPES:
        delays = counts.delays[shape]
        found = [delay for delay in delays if delay is not None]
        missed = share(len(delays) - len(found), len(delays))
        calls, seconds = [delay[0] for delay in found], [delay[1] for delay in found]
        result.add(shape, len(delays), missed, *percentiles(calls), *percentiles(seconds))
    return result


def _false_alarms(counts: Counts) -> list[Table]:
    bursts = Table("False alarms by kind of look-alike", ("look-alike", "bursts", "false alarms"))
    for kind in LOOK_ALIKES:
        bursts.add(kind, len(counts.bursts[kind]), share(sum(counts.bursts[kind]), len(counts.bursts[kind])))
    low, high = rate_interval(counts.ordinary_alarms, counts.ordinary_days)
    ordinary = Table(
        "False alarms of ordinary lines",
        ("", "line-days", "alarms", "per 100,000 line-days", "95 % interval"),
    )
    ordinary.add(
        "ordinary life",
        figure(counts.ordinary_days),
        counts.ordinary_alarms,
        figure(1e5 * counts.ordinary_alarms / counts.ordinary_days, 1),
        f"{1e5 * low:.1f} to {1e5 * high:.1f}",
    )
    return [bursts, ordinary]


def run() -> list[Table]:
    """Measure."""
    counts = Counts()
    for seed in SEEDS:
        town = busy_town(np.random.default_rng(seed), LINES, DAYS, EVENTS, FLOODS)
        measure(town, DAYS, counts)
    return [_shapes(counts), *_false_alarms(counts)]
