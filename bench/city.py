"""The simulated city: its marginals beside those of real data, and how fast it is written."""

import tempfile
import time
from pathlib import Path

from bench._tables import Table, figure
from ringfence.simulate.city import City
from ringfence.simulate.marginals import marginals, texts_a_line
from ringfence.simulate.write import make, tables

NAME = "city"
TITLE = "The simulated city"
LINES, DAYS = 1_500, 244
RATE_LINES, RATE_DAYS = 200_000, 3
WANTED = 200_000
SICHUAN = "Sichuan"
COPENHAGEN = "Copenhagen"
REAL: tuple[tuple[str, str, str, int], ...] = (
    ("log records a line: mean", "5.87", SICHUAN, 2),
    ("log records a line: sd", "1.55", SICHUAN, 2),
    ("records a line-day: median", "1.85", SICHUAN, 2),
    ("records a line-day: mean", "3.4", SICHUAN, 2),
    ("outgoing share", "0.52", SICHUAN, 3),
    ("outgoing share: median line", "0.52", SICHUAN, 3),
    ("outgoing share: p10 of busy lines", "0.37", SICHUAN, 3),
    ("outgoing share: p90 of busy lines", "0.69", SICHUAN, 3),
    ("log counterparts a line: mean", "4.05", SICHUAN, 2),
    ("log counterparts a line: sd", "1.22", SICHUAN, 2),
    ("counterparts: median", "61", SICHUAN, 0),
    ("counterparts: p90", "254", SICHUAN, 0),
    ("correlation of log records and log counterparts", "0.88", SICHUAN, 3),
    ("counterparts / records: median", "0.148", SICHUAN, 3),
    ("counterparts / records: pooled", "0.134", SICHUAN, 3),
    ("share of the first counterpart: median line", "0.23", SICHUAN, 3),
    ("first contacts after 14 days", "0.098 (in the study)", COPENHAGEN, 3),
    ("reciprocity", "0.656", COPENHAGEN, 3),
    ("calls a pair: median", "3 (28 days)", COPENHAGEN, 0),
    ("calls a pair: mean", "5.8 (28 days)", COPENHAGEN, 1),
    ("gap to the same callee, s: p5", "30", COPENHAGEN, 0),
    ("gap to the same callee, s: p10", "66", COPENHAGEN, 0),
    ("gap to the same callee, s: p25", "660", COPENHAGEN, 0),
    ("gap to the same callee, s: p50", "28,400", COPENHAGEN, 0),
    ("unanswered", "0.264", COPENHAGEN, 3),
    ("redialled in 10 min", "0.327", COPENHAGEN, 3),
    ("called back in 10 min", "0.194", COPENHAGEN, 3),
    ("runs of 1 unanswered", "0.859", COPENHAGEN, 3),
    ("runs of 2 unanswered", "0.104", COPENHAGEN, 3),
    ("runs of 3 unanswered", "0.019", COPENHAGEN, 3),
    ("runs of 4 or more unanswered", "0.018", COPENHAGEN, 3),
    ("conversation, s: median", "26; 37 to 41", "Copenhagen; Sichuan, Reality Mining", 1),
    ("conversation, s: mean", "75", COPENHAGEN, 1),
    ("conversations up to 3 s", "0.21", COPENHAGEN, 3),
    ("ring before the answer, s: mean", "8.67", "tawkon", 2),
    ("calls at night, 0 to 6 h", "0.025 to 0.053", "Nodobo, Copenhagen", 3),
    ("busiest hour's share", "0.07 to 0.11", "four sets", 3),
    ("lines busiest at 10 or 11 h", "0.28", SICHUAN, 3),
    ("lines busiest at 17 or 18 h", "0.215", SICHUAN, 3),
    ("lines busiest at 14 or 15 h", "0.063", SICHUAN, 3),
    ("devices a number: mean", "1.62", SICHUAN, 2),
    ("devices a number: one", "0.60", SICHUAN, 2),
    ("devices a number: p90", "3", SICHUAN, 0),
    ("texts a line: median", "941", SICHUAN, 0),
    ("texts received", "0.95", SICHUAN, 3),
)
MEASURED = (
    f"Marginals: {LINES:,} lines for {DAYS} days (the length of the Sichuan data) without crime, measured from the tables alone by "
    f"`ringfence.simulate.marginals`. A record is an answered call, as bills count. Rate: {RATE_LINES:,} lines for {RATE_DAYS} days with "
    "everything, all four Parquet files, CPU time of all threads of the process, what was compiled before left out."
)
READING = (
    f"At least {WANTED:,} calls per CPU-second are wanted. Copenhagen's are students' calls among themselves, so its pairs are closer (and the gaps "
    "between their calls shorter) than those of a whole city."
)


def beside() -> Table:
    """The marginals and the real figures."""
    made, _ = tables(City(LINES, DAYS, seed=7, intensity={"crime": 0, "transfers": 0}))
    calls = made["calls"]
    own = (
        calls.filter(calls["ingress"].to_numpy(zero_copy_only=False) == "subscriber")["caller"]
        .drop_null()
        .unique()
    )
    found = marginals(calls) | texts_a_line(made["texts"], own.to_pylist())
    result = Table("Marginals", ("quantity", "real", "source", "city"))
    for name, real, source, digits in REAL:
        result.add(name, real, source, figure(found[name], digits))
    return result


def rate() -> Table:
    """How fast a city is written."""
    result = Table("Rate", ("", "calls", "texts", "MB", "calls per CPU-second", "seconds"))
    with tempfile.TemporaryDirectory() as folder:
        make(City(600, 1, seed=7), Path(folder))
        began, wall = time.process_time(), time.monotonic()
        rows = make(City(RATE_LINES, RATE_DAYS, seed=7), Path(folder))
        spent, wall = time.process_time() - began, time.monotonic() - wall
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
    result.add(
        f"{RATE_LINES:,} lines, {RATE_DAYS} days", figure(rows["calls"]), figure(rows["texts"]), figure(size),
        figure(rows["calls"] / spent), figure(wall, 1),
    )  # fmt: skip
    return result


def run() -> list[Table]:
    """Measure."""
    return [beside(), rate()]
