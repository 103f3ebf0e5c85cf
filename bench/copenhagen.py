"""The newspaper's flood, put into real calls at many places, beside the counters used today and Lorden's bound."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bench._calls import calls_in_order, numbers_of
from bench._rules import HOUR, RULES, SECOND, Ring, lorden_calls, lorden_delay, one_an_hour
from bench._tables import Table, figure, percentiles
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import RAISED
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import Names
from ringfence.samples.salesman import copenhagen, epoch
from ringfence.simulate.attempts import Attempts, table
from ringfence.simulate.floods import Victim, flood

NAME = "copenhagen"
TITLE = "The newspaper's flood in real calls (Copenhagen Networks Study)"
MEASURED = (
    "The flood (16 calls in the first ten minutes, then one every one to two minutes, 40 in all; in one half withheld, in the other "
    "from ever-new numbers; the victim answers none, 30 %, 60 % or 90 %, and the call ends within 2.5 s of the answer) is put into "
    "the 28 days of real calls at random lines and times, night and day. A hundred floods share a run, each on its own line "
    "with its own numbers, so none touches what is known of another's victim. Every rule sees the same floods; a rule recognises one "
    "with its first alarm on a call to that line. Counters look at every set-up; withheld calls count as one caller."
)
READING = (
    "Calls: how many calls of the flood had been set up when it was recognised; seconds: since the first of them. Missed: not "
    "recognised within the 40 calls. False alarms: on the real calls alone, at most one an hour and line, in 15,008 subscriber-days "
    "(536 people, 28 days); none seen means fewer than 20 in 100,000 (rule of three). The data has only calls among the people of "
    "the study: few strangers, nothing withheld. Lorden's bound is for tests that count calls and know both rates; Ringfence also "
    "uses who calls and how calls end, and does not know the rates, so it may fall on either side of the bound."
)

DAYS = 28
PEOPLE = 536
CALLS = 40
ANSWERS = (0.0, 0.3, 0.6, 0.9)
PER_RUN = 100
OURS = "Ringfence"


@dataclass(frozen=True, slots=True)
class Injection:
    """A flood and when its calls were set up; `line`: the victim as the pass holds it."""

    line: int
    withheld: bool
    answers: float
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a rule did with an injection: calls and seconds, None: missed."""

    injection: Injection
    calls: int | None
    seconds: float | None


def newspaper(
    rng: np.random.Generator, victim: str, start: float, answers: float, fresh: Iterator[int] | None
) -> Attempts:
    """One flood; withheld, or from numbers that nobody else uses."""
    attempts = flood(rng, "newspaper", Victim(victim), start, CALLS, answers=answers)
    if fresh is not None:
        attempts.caller = [f"+86139{next(fresh):08d}" for _ in attempts.caller]
    return attempts


def _rings(calls: Calls) -> list[Ring]:
    return [
        Ring(*row)
        for row in zip(calls.start.tolist(), calls.caller.tolist(), calls.callee.tolist(), strict=True)
    ]


def _run(rng: np.random.Generator, real: pa.Table, people: list[str], *, withheld: bool, answers: float) -> tuple[list[Injection], Calls]:  # fmt: skip
    """One run: floods on different lines, among the real calls."""
    names = Names()
    fresh = None if withheld else iter(rng.permutation(10**6).tolist())
    both, victims, spans = Attempts(), rng.choice(people, PER_RUN, replace=False).tolist(), []
    for victim in victims:
        start = float(rng.uniform(0.0, DAYS * 86_400.0 - 7_200.0))
        attempts = newspaper(rng, victim, start, answers, fresh)
        spans.append((len(both), len(both) + len(attempts)))
        both.extend(attempts)
    calls = calls_in_order(pa.concat_tables([real, table(both, epoch(), prefix="flood-")]), names)
    lines = numbers_of(victims, names)
    rings = _made_up_rings(both, lines, spans)
    return [Injection(line, withheld, answers, rings[line]) for line in lines], calls


def _made_up_rings(
    both: Attempts, lines: list[int], spans: list[tuple[int, int]]
) -> dict[int, tuple[Ring, ...]]:
    starts = epoch() + (np.array(both.start) * 1e6).astype(np.int64)
    found = {}
    for line, (first, last) in zip(lines, spans, strict=True):
        # which number a made-up caller has is of no matter to a counter, only that it is new (negative: nobody's)
        found[line] = tuple(
            Ring(int(starts[n]), 0 if both.caller[n] is None else -n - 1, line) for n in range(first, last)
        )
    return found


def _ours(injections: list[Injection], calls: Calls) -> list[Recognition]:
    outcomes, _ = Engine(["flood"]).process(calls, NEVER)
    raised: dict[int, list[int]] = {}
    for outcome in outcomes[outcomes["what"] == RAISED]:
        raised.setdefault(int(outcome["subject"]), []).append(int(outcome["at"]))
    return [_recognition(injection, raised.get(injection.line, [])) for injection in injections]


def _recognition(injection: Injection, alarms: list[int]) -> Recognition:
    first, last = injection.rings[0].time, injection.rings[-1].time + 60 * SECOND
    at = next((time for time in sorted(alarms) if first <= time <= last), None)
    if at is None:
        return Recognition(injection, None, None)
    return Recognition(injection, sum(ring.time <= at for ring in injection.rings), (at - first) / SECOND)


def _counters(injections: list[Injection], real: list[Ring]) -> dict[str, list[Recognition]]:
    """Every rule on every injection by itself: the real calls around it, and the flood."""
    times = np.array([ring.time for ring in real])
    found: dict[str, list[Recognition]] = {rule.name: [] for rule in RULES}
    for injection in injections:
        first, last = np.searchsorted(times, [injection.rings[0].time - HOUR, injection.rings[-1].time])
        rings = sorted((*real[first:last], *injection.rings))
        for rule in RULES:
            alarms = [ring.time for ring in rule.alarms(rings) if ring.callee == injection.line]
            found[rule.name].append(_recognition(injection, alarms))
    return found


def _delays(title: str, groups: dict[str, list[Recognition]]) -> Table:
    columns = ("", "floods", "missed", "calls: median", "p95", "max", "seconds: median", "p95", "max")
    result = Table(title, columns)
    for name, recognitions in groups.items():
        calls = [r.calls for r in recognitions if r.calls is not None]
        seconds = [r.seconds for r in recognitions if r.seconds is not None]
        missed = len(recognitions) - len(calls)
        result.add(name, len(recognitions), missed, *percentiles(calls), *percentiles(seconds))
    return result


def _split(recognitions: list[Recognition]) -> dict[str, list[Recognition]]:
    """By who calls and how often the victim answers, and by how long the lines had been watched."""
    groups: dict[str, list[Recognition]] = {}
    watched: dict[str, list[Recognition]] = {"in the first three days of watching": [], "later": []}
    for r in recognitions:
        who = "withheld" if r.injection.withheld else "new numbers"
        groups.setdefault(f"{who}, {r.injection.answers:.0%} answered", []).append(r)
        young = r.injection.rings[0].time < epoch() + 72 * HOUR
        watched["in the first three days of watching" if young else "later"].append(r)
    return groups | watched


def _bound() -> Table:
    result = Table("Lorden's bound, attack at 96 calls an hour, one false alarm in ten years", ("ordinary calls a day", "seconds", "calls"))  # fmt: skip
    for background in (2.0, 5.0, 10.0, 30.0):
        result.add(figure(background), figure(lorden_delay(background)), figure(lorden_calls(background), 1))
    return result


def _false_alarms(calls: Calls, rings: list[Ring]) -> Table:
    days = PEOPLE * DAYS
    result = Table(f"False alarms in {days:,} real subscriber-days", ("", "alarms", "per 100,000 line-days"))
    outcomes, _ = Engine(["flood"]).process(calls, NEVER)
    counts = {OURS: int((outcomes["what"] == RAISED).sum())}
    counts |= {rule.name: one_an_hour(rule.alarms(rings)) for rule in RULES}
    for name, count in counts.items():
        result.add(name, count, figure(100_000 * count / days, 1) if count else f"< {300_000 / days:.0f}")
    return result


def _merge(all_: dict[str, list[Recognition]], more: dict[str, list[Recognition]]) -> None:
    for name, recognitions in more.items():
        all_.setdefault(name, []).extend(recognitions)


def run() -> list[Table]:
    """Measure."""
    rng = np.random.default_rng(16)
    real = copenhagen()
    alone = calls_in_order(real)
    people = sorted(set(real["callee"].to_pylist()) | set(real["caller"].to_pylist()))
    found: dict[str, list[Recognition]] = {}
    for withheld in (True, False):
        for answers in ANSWERS:
            injections, calls = _run(rng, real, people, withheld=withheld, answers=answers)
            made_up = {(ring.time, ring.callee) for injection in injections for ring in injection.rings}
            rings = [ring for ring in _rings(calls) if (ring.time, ring.callee) not in made_up]
            _merge(found, {OURS: _ours(injections, calls)})
            _merge(found, _counters(injections, rings))
    return [
        _delays("Recognition, every rule on the same floods", found),
        _delays("Ringfence, by kind of flood", _split(found[OURS])),
        _bound(),
        _false_alarms(alone, _rings(alone)),
    ]
