"""Whom to warn next: expected loss prevented by a squad with few desks and officers, beside simpler rules."""

import dataclasses
import json
import math
import tempfile
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench._cities import ringfence
from bench._squad import (
    DAY,
    Rule,
    Story,
    World,
    by_key,
    first_come,
    highest_score,
    highest_stake,
    make_day,
    newest,
    ours,
    play,
)
from bench._tables import Table, figure
from ringfence.respond.case import CALL, STAGES, Attempt, Case, Officer, Place, Situation
from ringfence.respond.plan import plan

NAME = "triage"
TITLE = "Whom to warn next (a simulated squad, 24 million people)"
LINES, DAYS, MORE, SEED = 60_000, 14, 20, 7
SEEDS = range(1, 6)
LOCAL = 8 * 60  # minutes, of China
OURS, FIRST, SCORE, NEWEST, STAKE = (
    "Ringfence",
    "first come, first served",
    "highest score first",
    "newest first",
    "score x money first",
)
RULES: dict[str, Rule] = {
    OURS: ours(),
    FIRST: by_key(first_come),
    SCORE: by_key(highest_score),
    NEWEST: by_key(newest),
}
WITH_BANKS: dict[str, Rule] = RULES | {STAKE: by_key(highest_stake)}
MEASURED = (
    f"The scam calls of a simulated city ({LINES:,} lines, {DAYS} days, seed {SEED}, {MORE} times as many as usual, so that they differ) are drawn "
    "with replacement up to those of 24 million people: about 800 victims a day at the simulator's usual rate, and as many false alerts; an "
    "alert comes when `ringfence scan` raised it, with a probability that is right on average. Two days "
    "are played minute by minute, desks and officers from 8 to 22 h, each desk 100 calls a day, 20 officers at 240 stations on 60 km. "
    "A case stays open for a day unless somebody ends it. People differ in how readily they answer and believe; a line is engaged when the "
    "city's calls say so; the money, all of it, moves when the city's truth says so. The planner knows none of that: it has its own "
    "assumptions (`ringfence.respond.assumptions`). Every rule meets the same people with the same luck, rings and visits as the "
    "ladder says (text, call, visit); the simple rules give each officer the district around the own station, the planner sends whom it likes. Intervals: Student's t, 95 %, over seeds."
)
READING = (
    "Prevented: what would have been lost and was not, of all that victims would have lost in these days, also of those whom nobody "
    "could have reached (at night, or within minutes). First come, first served collapses when more comes in than can be rung, because it "
    "rings people whose money has gone; lighter loads are shown as well, and `newest first` is the simple rule that avoids it. What the planner gains "
    "over `highest score first` is freshness, short drives and no ringing of those who just did not answer; with calls alone it gains little. "
    "The city, the squad and the people in it are this project's own: the order of the rules should carry over, the shares will not."
)


def stories_of_alerts(folder: Path) -> list[Story]:
    """The city's victims, each recognised when a scan of the city recognised it; the others never become cases."""
    ringfence("scan", folder / "calls.parquet", "--detect", "scam_call", "--out", folder / "scan")
    rng = np.random.default_rng(SEED)
    raised: dict[str, list[float]] = defaultdict(list)
    for line in (folder / "scan" / "alerts.jsonl").read_text("utf-8").splitlines():
        alert = json.loads(line)
        raised[alert["subject"]].append(_minute(alert["raised_at"]))
    grips, found = _grip_calls(folder), []
    for told in _victims(folder):
        grip, ends = _minute(told["grip_began"]), _minute(told["ends"])
        delays = [at - grip for at in raised[told["subject"]] if _minute(told["begins"]) <= at <= ends]
        if delays:
            found.append(_story(told, grips[told["id"]], min(delays), rng))
    return found


def _victims(folder: Path) -> list[dict[str, Any]]:
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    return [told for told in truth["episodes"] if told["crime"] == "scam_call" and told["grip_began"]]


def _minute(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() / 60.0


def _grip_calls(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """When each victim was held on the line, minutes since 1970."""
    roles = pq.read_table(folder / "truth_calls.parquet", filters=pc.field("role") == "grip")
    calls = pq.read_table(
        folder / "calls.parquet",
        columns=["call_id", "start_time", "end_time"],
        filters=pc.field("call_id").isin(roles["call_id"].unique()),
    )
    spans = {row["call_id"]: (row["start_time"], row["end_time"]) for row in calls.to_pylist()}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in roles.to_pylist():
        start, end = spans[row["call_id"]]
        if end is not None:
            found[row["episode"]].append((start.timestamp() / 60.0, end.timestamp() / 60.0))
    return found


def _story(
    told: dict[str, Any], grips: list[tuple[float, float]], raised: float, rng: np.random.Generator
) -> Story:
    began = _minute(told["grip_began"])
    engaged = tuple((max(since - began, 0.0), until - began) for since, until in sorted(grips))
    alone = told["hotel_cell"] is not None or told["second_number"] is not None
    length = max((until for _, until in engaged), default=60.0)
    return Story(
        minute=(began + LOCAL) % DAY,
        raised=raised,
        pays=math.nan if told["transfer_at"] is None else _minute(told["transfer_at"]) - began,
        amount=told["amount"] or 0.0,
        isolated=float(rng.uniform(0.3, 0.7)) * length if alone else math.nan,
        engaged=engaged,
    )


def _shares(city: list[Story], world: World, rules: dict[str, Rule]) -> dict[str, list[float]]:
    """What each rule prevents, a figure a seed."""
    return {name: [play(make_day(city, world, seed), rule) for seed in SEEDS] for name, rule in rules.items()}


def _interval(values: list[float], scale: float = 1.0, digits: int = 0) -> str:
    """Mean and 95 % interval."""
    from scipy.stats import t

    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(t.ppf(0.975, len(values) - 1)) * spread / math.sqrt(len(values))
    return f"{figure(scale * mean, digits)} ({figure(scale * (mean - half), digits)} to {figure(scale * (mean + half), digits)})"


def _side_by_side(
    title: str, first: str, city: list[Story], worlds: dict[str, World], rules: dict[str, Rule]
) -> Table:
    """Shares prevented in %, and the planner's over the others'."""
    others = [name for name in rules if name != OURS]
    columns = (first, *(f"{name}, %" for name in rules), *(f"Ringfence / {name}" for name in others))
    result = Table(title, columns)
    for name, world in worlds.items():
        shares = _shares(city, world, rules)
        ratios = [np.array(shares[OURS]) / np.maximum(shares[other], 1e-9) for other in others]
        result.add(
            name,
            *(_interval(values, 100.0, 1) for values in shares.values()),
            *(_interval(list(ratio), 1.0, 1) for ratio in ratios),
        )
    return result


def _perturbed() -> dict[str, World]:
    """Worlds that are not as the planner assumes."""
    names = {"calls": "calls convince", "visits": "visits convince", "haste": "money moves"}
    worlds = {"as drawn": World()}
    for name, words in names.items():
        for factor in (0.5, 1.5):
            worlds[f"{words} x {factor}"] = dataclasses.replace(World(), **{name: factor})  # type: ignore[arg-type]
    return worlds


def crowd(cases: int, officers: int, seed: int = 1) -> tuple[Situation, int]:
    """A situation of any size, and its moment."""
    rng = np.random.default_rng(seed)
    now = 1_772_000_000_000_000
    minute = 60_000_000

    def places(count: int) -> list[Place]:
        return [Place(31.2 + y, 121.4 + x) for x, y in rng.uniform(-0.3, 0.3, (count, 2))]

    cells = {f"cell {k}": place for k, place in enumerate(places(3_000))}
    stations = places(350)
    open_cases = []
    for k in range(cases):
        began = now - int(rng.exponential(300.0) * minute)
        stage = int(rng.integers(len(STAGES)))
        open_cases.append(
            Case(
                case_id=f"case {k}",
                subject=f"+86138{k:08}",
                kind="scam_call",
                stage=STAGES[stage],
                probability=float(rng.beta(1.5, 1.5)),
                opened_at=began,
                grip_began_at=began if stage > 1 else None,
                at_risk=float(rng.lognormal(10.5, 1.5)) if rng.random() < 0.3 else None,
                cell=f"cell {rng.integers(3_000)}" if rng.random() < 0.9 else None,
                on_call=bool(rng.random() < 0.5),
                attempts=(Attempt(CALL, now - 40 * minute),) if rng.random() < 0.4 else (),
            )
        )
    crew = [Officer(f"officer {j}", place=stations[int(rng.integers(350))]) for j in range(officers)]
    return Situation(tuple(open_cases), 60, tuple(crew), cells), now


def _speed() -> Table:
    columns = (
        "cases x officers",
        "CPU seconds: best of 5",
        "worst",
        "seconds: best",
        "worst",
        "proven within",
    )
    result = Table("One plan from scratch, 60 callers", columns)
    for cases, officers in ((1_000, 50), (10_000, 100), (10_000, 1_000)):
        situation, now = crowd(cases, officers)
        found, cpu, wall = plan(situation, now), [], []
        for _ in range(5):
            began = time.process_time(), time.perf_counter()
            found = plan(situation, now)
            cpu.append(time.process_time() - began[0])
            wall.append(time.perf_counter() - began[1])
        seconds = [figure(of, 2) for times in (cpu, wall) for of in (min(times), max(times))]
        result.add(f"{cases:,} x {officers:,}", *seconds, f"{found.bound / found.value - 1.0:.1e}")
    return result


def run() -> list[Table]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "city"
        ringfence(
            "simulate", "--subscribers", LINES, "--days", DAYS, "--seed", SEED,
            "--intensity", f"scam_call={MORE}", "--out", folder, "--quiet",
        )  # fmt: skip
        city = stories_of_alerts(folder)
    return tables(city)


def tables(city: list[Story]) -> list[Table]:
    """All tables of a city's victims."""
    desks = {f"{100 * n} calls a day": World(callers=n) for n in (6, 7, 8)}
    banks = {name: dataclasses.replace(world, told=True) for name, world in desks.items()}
    loads = {f"{alerts:,} alerts, 700 calls a day": World(alerts=alerts) for alerts in (200, 400, 800, 1_600)}
    crews = {f"{n} officers": World(officers=n) for n in (0, 20, 60)}
    return [
        _side_by_side("Loss prevented, no bank shares anything", "1,600 alerts a day", city, desks, RULES),
        _side_by_side("Loss prevented, banks tell what is there", "1,600 alerts a day", city, banks, WITH_BANKS),
        _side_by_side("By load", "a day", city, loads, RULES),
        _side_by_side("By officers", "700 calls a day", city, crews, RULES),
        _side_by_side("Where the planner is wrong", "700 calls a day", city, _perturbed(), RULES),
        _speed(),
    ]  # fmt: skip
