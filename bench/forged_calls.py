"""Forged caller ids of a simulated city: what is flagged, and what of honest life is."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench._cities import ringfence
from bench._tables import Table

NAME: Final = "forged_calls"
TITLE: Final = "Forged caller ids: a simulated city"
MEASURED: Final = (
    "`ringfence simulate --subscribers 20000 --days 10` with seeds 1 to 3, `ringfence scan --detect forged_caller --each-call` with lists"
    " of the own subscribers (none ported out), `ringfence evaluate`; counts of all seeds together."
)
READING: Final = (
    "Wanted: 99 % of fixed-line and unallocated forgeries, 80 % of forged mobiles whose owner was active within the day, at most 0.5 % of"
    " roamers' calls, no emergency call-back. A mobile whose owner is quiet cannot be told from a roamer."
)
NAME_OF_DETECTOR: Final = "forged_caller"
SEEDS: Final = (1, 2, 3)
SUBSCRIBERS: Final = 20_000
DAYS: Final = 10


def _own(city: Path, lists: Path) -> None:
    """The operator's own numbers: whoever called from its own access network."""
    lists.mkdir()
    rows = pq.read_table(
        city / "calls.parquet", columns=["caller"], filters=pc.field("ingress") == "subscriber"
    )
    own = [number for number in pc.unique(rows["caller"]).to_pylist() if number and number.startswith("+")]
    (lists / "own.txt").write_text("\n".join(own), "utf-8")
    (lists / "ported_out.txt").write_text("", "utf-8")


def judged(seed: int, folder: Path) -> dict[str, Any]:
    """What `ringfence evaluate` says of one city."""
    city, out, lists = folder / f"city{seed}", folder / f"out{seed}", folder / f"lists{seed}"
    ringfence("simulate", "--subscribers", SUBSCRIBERS, "--days", DAYS, "--seed", seed, "--out", city)
    _own(city, lists)
    ringfence("scan", city / "calls.parquet", "--out", out, "--detect", NAME_OF_DETECTOR, "--each-call", "--lists", lists)  # fmt: skip
    ringfence(
        "evaluate", out, city / "truth.json", "--kind", NAME_OF_DETECTOR, "--json", folder / f"{seed}.json"
    )
    found: dict[str, Any] = json.loads((folder / f"{seed}.json").read_text("utf-8"))
    return found


def _together(parts: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Counts by name: how many were flagged, of how many."""
    found: dict[str, tuple[int, int]] = {}
    for part in parts:
        for name, one in part.items():
            hit, of = found.get(name, (0, 0))
            found[name] = hit + one["count"], of + one["of"]
    return found


def run() -> list[Table]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        results = [judged(seed, Path(folder)) for seed in SEEDS]
    kinds = [result["kinds"][NAME_OF_DETECTOR] for result in results]
    calls = Table("Forged calls by how they were forged", ("forged as", "calls", "flagged", "share"))
    for name, (hit, of) in sorted(_together([kind["calls"]["by_role"] for kind in kinds]).items()):
        calls.add(
            name.removeprefix("forged_").replace("_", " "), f"{of:,}", f"{hit:,}", f"{100 * hit / of:.1f} %"
        )
    honest = Table("Honest calls", ("whose", "calls", "flagged", "share"))
    shares = [
        {"roamers": k["honest_calls"]["roamer"], "emergency call-backs": k["honest_calls"]["emergency_call_back"],
         "look-alike bursts": k["honest_calls"]["look_alike"]["all"]}
        for k in kinds
    ]  # fmt: skip
    for name, (hit, of) in _together(shares).items():
        honest.add(name, f"{of:,}", f"{hit:,}", f"{100 * hit / max(of, 1):.2f} %")
    return [calls, honest]
