"""Scam calls among the ordinary life and the look-alikes of simulated cities, with all columns and with some of them missing."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from bench._cities import ringfence
from bench._tables import Table, figure

NAME: Final = "scam_calls"
TITLE: Final = "Scam calls in simulated cities"
SUBSCRIBERS: Final = 120_000
DAYS: Final = 14
SEEDS: Final = (71, 72)
MILLION: Final = 1e6
MEASURED: Final = (
    f"`ringfence simulate --subscribers {SUBSCRIBERS} --days {DAYS} --seed {SEEDS[0]}` (and {SEEDS[1]}), `ringfence scan calls.parquet transfers.parquet --detect scam_call`, "
    "`ringfence evaluate`. Nothing was chosen by these cities. The last table: the first of them with columns removed."
)
READING: Final = (
    "Wanted: at least 95 % of victims recognised before the transfer, 90 % of those behind SIM boxes at home; at the median at most 12 minutes after the call that does not "
    "end began, and an hour before the transfer; at least 80 % of alerts true; at most 30 false ones in a million line-days. What holds the rest back: docs/scam_call.md."
)
WITHOUT: Final = {
    "everything": (),
    "transfers": ("transfers",),
    "ingress": ("ingress", "trunk"),
    "cells": ("callee_cell",),
    "devices": ("caller_device", "callee_device"),
    "who hung up": ("released_by",),
    "all of these": (
        "transfers",
        "ingress",
        "trunk",
        "callee_cell",
        "caller_device",
        "callee_device",
        "released_by",
    ),
}


def judged(folder: Path, seed: int, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `ringfence evaluate` says of the scam calls of a city, some columns of whose records are missing."""
    city = folder / str(seed)
    if not city.exists():
        ringfence("simulate", "--subscribers", SUBSCRIBERS, "--days", DAYS, "--seed", seed, "--out", city)
    calls = city / "calls.parquet"
    if without:
        calls = folder / "bare.parquet"
        table = pq.read_table(city / "calls.parquet")
        pq.write_table(table.drop_columns([name for name in without if name in table.column_names]), calls)
    files = [calls, *([] if "transfers" in without else [city / "transfers.parquet"])]
    out, found = folder / "out", folder / "found.json"
    ringfence("scan", *files, "--out", out, "--detect", "scam_call")
    ringfence("evaluate", out, city / "truth.json", "--kind", "scam_call", "--json", found)
    kinds: dict[str, Any] = json.loads(found.read_text("utf-8"))["kinds"]["scam_call"]
    return kinds


def _share(one: dict[str, Any]) -> str:
    return f"{one['count']} of {one['of']} ({100 * one['share']:.0f} %)" if one["of"] else "-"


def _row(found: dict[str, Any]) -> list[str]:
    grip, lead = found["minutes_after_grip"], found["lead_minutes"]
    return [
        _share(found["recall"]),
        _share(found["before_transfer"]),
        figure(grip["median_of_all"]),
        figure(grip["p95_of_all"]),
        figure(lead["median"]),
        figure(lead["min"]),
    ]


def _false(found: dict[str, Any]) -> list[str]:
    false, days = (
        found["false_alarms"]["count"],
        found["false_alarms"]["ordinary_life_with_look_alikes"]["line_days"],
    )
    return [_share(found["precision"]), figure(false), figure(MILLION * false / days, 1)]


HEAD: Final = (
    "recognised",
    "before the transfer",
    "minutes after the grip began: median",
    "95 %",
    "minutes before the transfer: median",
    "least",
)


def run() -> list[Table]:
    """Measure."""
    by_kind = Table("Recognition", ("", *HEAD))
    rates = Table("Alerts over everybody", ("city", "alerts that are true", "false", "per million line-days"))
    missing = Table(
        "With columns missing", ("without", *HEAD, "alerts that are true", "false", "per million line-days")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in SEEDS:
            found = judged(folder, seed)
            for behind, one in sorted(found["by_behind"].items()):
                by_kind.add(f"{seed}: {behind.replace('_', ' ')}", *_row(one))
            for shape, one in sorted(found["by_shape"].items()):
                by_kind.add(f"{seed}: {shape.replace('_', ' ')}", *_row(one))
            by_kind.add(f"{seed}: all", *_row(found))
            rates.add(str(seed), *_false(found))
        for what, columns in WITHOUT.items():
            found = judged(folder, SEEDS[0], columns)
            missing.add("nothing" if not columns else what, *_row(found), *_false(found))
    return [by_kind, rates, missing]
