"""A scan: the same alerts however it is cut, stopped, killed and fed."""

import gzip
import json
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.shell.records import DAY, EPOCH, OUTPUTS, SMALL, alerts, csv, cut, outputs, run, town, write

from ringfence.ingest import _arrow, _lines
from ringfence.ingest.format import Settings, UnreadableError
from ringfence.model.alert import rfc3339
from ringfence.shell import scan as scan_module
from ringfence.shell import sources
from ringfence.shell.call_ids import CallIds
from ringfence.shell.checkpoint import DamagedError
from ringfence.shell.scan import LATE, Options, OptionsError, ResumeError, Scan

SOME = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
BAD = b",nonsense,,,+8613900001111,+8613900002222,16,,,,,,,\n,2026-01-03T00:00:00Z,,,+8613900001111,,,,,,,,,\nx\n"


@pytest.fixture(scope="module", autouse=True)
def _small_chunks() -> Iterator[None]:
    """Chunks of some hundred rows, and no time passes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "BLOCK_BYTES", 20_000)
        patch.setattr(_arrow, "BATCH_ROWS", 150)
        patch.setattr(scan_module, "time", SimpleNamespace(monotonic=lambda: 0.0))
        yield


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The alerts of the town."""
    folder = tmp_path_factory.mktemp("reference")
    result = run([write(folder / "calls.parquet", town())], folder / "out")
    assert len(result.stories) == 5
    assert result.stories[0].alert.episodes[1:], "the first flood comes back"
    assert result.stories[-1].alert.closed_at is None, "the last one is not over"
    return alerts(folder / "out")


def deal(rows: pa.Table, files: int, seed: int) -> list[pa.Table]:
    """Split rows into files at random; each keeps the order."""
    owner = np.random.default_rng(seed).integers(0, files, rows.num_rows)
    return [rows.filter(pa.array(owner == n)) for n in range(files)]


def mixed(folder: Path, seed: int = 1) -> list[Path]:
    """The town in four files of four formats, with bad rows and one file cut off."""
    parts = deal(town(), 4, seed)
    files = [
        write(folder / f"{n}{suffix}", part)
        for n, (suffix, part) in enumerate(zip((".csv", ".parquet", ".jsonl", ".arrow"), parts, strict=True))
    ]
    lines = files[0].read_bytes().splitlines(keepends=True)
    files[0].write_bytes(b"".join([*lines[:40], BAD, *lines[40:300], BAD, *lines[300:]]))
    torn = folder / "torn.csv.gz"
    torn.write_bytes(gzip.compress(csv(parts[3]))[:-9])
    return [*files, torn]


def facts(out: Path, until: int | None = None) -> list[Any]:
    """Of each alert what is known when it is raised."""
    names = ("alert_id", "subject", "raised_at", "call_id", "bits", "probability", "hypothesis", "ledger")
    found = [json.loads(line) for line in alerts(out).splitlines()]
    last = rfc3339(until) if until is not None else None
    return [[alert[name] for name in names] for alert in found if last is None or alert["raised_at"] < last]


# --- stopped, killed, torn -----------------------------------------------------------------------------------------


def test_stopped_at_any_boundary_and_resumed(tmp_path: Path) -> None:
    files = mixed(tmp_path)
    steps: list[int] = []
    whole = run(files, tmp_path / "whole", on_progress=lambda step: steps.append(step.alerts))
    wanted = outputs(tmp_path / "whole")
    assert len(steps) >= 10
    assert len({n for n in steps if n}) >= 3, "boundaries lie between the alerts"
    assert whole.broken
    for stop in range(1, len(steps) + 1):
        out = tmp_path / str(stop)
        first = run(files, out, stop)
        assert not first.finished
        assert len(first.stories) == steps[stop - 1]
        second = run(files, out, resume=True)
        assert second.finished
        assert second.summary == whole.summary
        assert outputs(out) == wanted, stop


def test_stopped_at_every_boundary_and_resumed(tmp_path: Path) -> None:
    files = mixed(tmp_path, seed=2)
    run(files, tmp_path / "whole")
    stops = 1
    result = run(files, tmp_path / "out", 1)
    while not result.finished:
        result = run(files, tmp_path / "out", 1, resume=True)
        stops += 1
    assert stops >= 10
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUTPUTS)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_one_file_stopped_and_resumed(tmp_path: Path, reference: bytes, suffix: str) -> None:
    path = tmp_path / f"calls{suffix}"
    if suffix == ".csv.gz":
        path.write_bytes(gzip.compress(csv(town())))
    else:
        write(path, town())
    for stop in (1, 4, 8):
        assert not run([path], tmp_path / "out", stop).finished
        assert run([path], tmp_path / "out", resume=True).finished
        assert alerts(tmp_path / "out") == reference


def test_an_interrupted_scan_leaves_what_it_found(tmp_path: Path) -> None:
    result = run([write(tmp_path / "calls.parquet", town())], tmp_path / "out", 10)
    found = [json.loads(line)["alert_id"] for line in alerts(tmp_path / "out").splitlines()]
    assert found == [story.alert.alert_id for story in result.stories] != []
    assert pq.read_table(tmp_path / "out" / "alerts.parquet")["alert_id"].to_pylist() == found
    assert (tmp_path / "out" / "report.html").exists()


def _scan_in_child(files: Sequence[Path], out: Path, *, resume: bool) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            scan_module.CHECKPOINT_SECONDS = 0.0
            run(files, out, resume=resume, on_progress=lambda _: time.sleep(0.005))
            code = 0
        finally:
            os._exit(code)
    return child


def test_killed_at_any_moment_and_resumed(tmp_path: Path) -> None:
    files = mixed(tmp_path)
    run(files, tmp_path / "whole")
    chance = random.Random(4)
    kills = 0
    for n in range(2):
        out = tmp_path / str(n)
        for attempt in range(40):
            child = _scan_in_child(files, out, resume=attempt > 0)
            time.sleep(chance.uniform(0.0, 0.3))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if status == 0:
                break
            assert os.WIFSIGNALED(status), "it ended by itself, with an error"
            kills += 1
        run(files, out, resume=True)
        assert outputs(out) == outputs(tmp_path / "whole")
    assert kills > 2


class Crash(BaseException):
    """The process is gone."""


class Steps:
    """Counts what is done to the disk, and crashes before or after one step."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.done = at, after, 0

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.done += 1
            if self.done == self.at and not self.after:
                raise Crash
            result = function(*args, **kwargs)
            if self.done == self.at:
                raise Crash
            return result

        return step

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(scan_module, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(os, "fsync", self.wrap(os.fsync))
        patch.setattr(np, "savez", self.wrap(np.savez))
        patch.setattr(pq, "write_table", self.wrap(pq.write_table))
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, self.wrap(getattr(Path, name)))


def test_crash_between_any_two_steps_of_writing(tmp_path: Path) -> None:
    files = mixed(tmp_path)
    run(files, tmp_path / "whole")
    wanted = outputs(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        counter = Steps(0, after=False)
        counter.patch(patch)
        run(files, tmp_path / "counted")
    places = [*range(1, 10), *range(counter.done - 5, counter.done + 1)]
    for place in places:
        out = tmp_path / str(place)
        with pytest.MonkeyPatch.context() as patch:
            Steps(place, after=place % 2 == 0).patch(patch)
            with pytest.raises(Crash):
                run(files, out)
        run(files, out, resume=True)
        assert outputs(out) == wanted, place


def _damaged(raw: bytes) -> Iterator[bytes]:
    chance = random.Random(1)
    yield b""
    yield b"garbage"
    yield b"\x93NUMPY" + raw[6:]
    for _ in range(12):
        yield raw[: chance.randrange(len(raw))]
    for _ in range(25):
        place = chance.choice(
            [chance.randrange(len(raw)), chance.randrange(max(len(raw) - 3000, 0), len(raw))]
        )
        yield raw[:place] + bytes([raw[place] ^ (1 << chance.randrange(8))]) + raw[place + 1 :]


def _refused(files: list[Path], out: Path) -> str | None:
    try:
        run(files, out, resume=True)
    except DamagedError as error:
        return str(error)
    return None


def test_a_damaged_checkpoint_is_refused_or_harmless(tmp_path: Path) -> None:
    files = [write(tmp_path / "calls.parquet", town())]
    run(files, tmp_path / "whole")
    out = tmp_path / "out"
    run(files, out, 6)
    kept = {path: path.read_bytes() for path in out.iterdir()}
    raw = kept[out / scan_module.CHECKPOINT]
    refused = 0
    for torn in _damaged(raw):
        for path, content in kept.items():
            path.write_bytes(content)
        (out / scan_module.CHECKPOINT).write_bytes(torn)
        said = _refused(files, out)
        if said is None:
            assert outputs(out) == outputs(tmp_path / "whole")
        else:
            assert said.startswith(str(out))
            assert "\n" not in said
            refused += 1
    assert refused > 15


def test_resume_after_outputs_were_lost(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_bytes(
        BAD.join([csv(town().slice(0, 300)), csv(town().slice(300)).split(b"\n", 1)[1]])
    )
    files = [tmp_path / "calls.csv"]
    run(files, tmp_path / "whole")
    run(files, tmp_path / "out", 6)
    (tmp_path / "out" / "alerts.jsonl").unlink()
    (tmp_path / "out" / "report.html").unlink()
    run(files, tmp_path / "out", resume=True)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    run(files, tmp_path / "out", 6)
    (tmp_path / "out" / "rejected.jsonl").write_text("")
    with pytest.raises(ResumeError, match=r"rejected\.jsonl is not what the interrupted scan left"):
        run(files, tmp_path / "out", resume=True)


def test_resume_refuses_other_files_and_settings(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.csv", town())
    out = tmp_path / "out"
    run([path], out, 3)
    with pytest.raises(ResumeError, match="window"):
        run([path], out, resume=True, window=50)
    with pytest.raises(ResumeError, match="settings"):
        run([path], out, resume=True, settings=Settings("GB"))
    with pytest.raises(ResumeError, match="files"):
        run([path, path], out, resume=True)
    with path.open("ab") as file:
        file.write(BAD)
    with pytest.raises(ResumeError, match=r"calls\.csv has changed since"):
        run([path], out, resume=True)
    assert run([path], out).finished
    assert run([path], out, resume=True).finished, "there is nothing to go on with: a fresh scan"


def test_the_same_folder_again(tmp_path: Path, reference: bytes) -> None:
    path = write(tmp_path / "calls.parquet", town())
    other = write(tmp_path / "other.parquet", town().slice(0, 50))
    out = tmp_path / "out"
    run([path], out)
    run([path], out)
    assert alerts(out) == reference
    run([path], out, 9)
    assert not run([other], out, 1).finished
    assert alerts(out) == b""
    assert pq.read_table(out / "alerts.parquet").num_rows == 0
    run([other], out, resume=True)
    assert alerts(out) == b""
    run([path], out, 9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources.Merge, "next", Steps(1, after=False).wrap(sources.Merge.next))
        with pytest.raises(Crash):
            run([other], out)
    assert run([other], out, resume=True).summary.calls == 50, (
        "the checkpoint of the scan before is forgotten"
    )


def test_two_scans_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.csv", town())

    def second(_: object) -> None:
        with pytest.raises(OptionsError, match="another scan is writing"):
            run([path], tmp_path / "out")

    assert run([path], tmp_path / "out", on_progress=second).finished


# --- what makes no difference --------------------------------------------------------------------------------------


@SOME
@given(
    batch=st.integers(1, 600),
    window=st.integers(1, 2000),
    shards=st.integers(1, 4),
    suffixes=st.lists(st.sampled_from([".csv", ".parquet", ".jsonl", ".arrow"]), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
    backwards=st.booleans(),
)
def test_cuts_shards_files_and_formats_make_no_difference(
    reference: bytes, batch: int, window: int, shards: int, suffixes: list[str], seed: int, backwards: bool
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        parts = deal(town(), len(suffixes), seed)
        files = [
            write(folder / f"{n}{suffix}", part)
            for n, (suffix, part) in enumerate(zip(suffixes, parts, strict=True))
        ]
        result = run(
            files[::-1] if backwards else files, folder / "out", batch=batch, window=window, shards=shards
        )
        assert not result.summary.rejected
        assert result.summary.calls == town().num_rows
        assert alerts(folder / "out") == reference


@SOME
@given(seed=st.integers(0, 1000), files=st.integers(1, 4), days=st.booleans())
def test_disorder_within_the_window(reference: bytes, seed: int, files: int, days: bool) -> None:
    rng = np.random.default_rng(seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        place = np.arange(town().num_rows)
        if days:  # file after file, as logs are rotated
            parts = [town().take(pa.array(part)) for part in np.array_split(place, files)]
        else:
            parts = deal(town(), files, seed)
        disordered = [
            part.take(pa.array(np.argsort(np.arange(part.num_rows) + rng.uniform(0, 60, part.num_rows))))
            for part in parts
        ]
        paths = [write(folder / f"{n}.csv", part) for n, part in enumerate(disordered)]
        rng.shuffle(paths)
        result = run(paths, folder / "out")
        assert not result.summary.rejected
        assert alerts(folder / "out") == reference
        assert result.summary.notes["late"] > 0


@SOME
@given(seed=st.integers(0, 1000), elsewhere=st.booleans())
def test_repeated_rows_are_folded(reference: bytes, seed: int, elsewhere: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = town()
    again = rows.filter(pa.array(rng.random(rows.num_rows) < 0.3))
    unknown = pa.array(rng.random(again.num_rows) < 0.5)  # written before the call was over
    for column in ("answer_time", "end_time", "cause"):
        place = again.column_names.index(column)
        again = again.set_column(place, column, pc.if_else(unknown, None, again[column]))
    with TemporaryDirectory() as name:
        folder = Path(name)
        if elsewhere:
            files = [write(folder / "a.csv", rows), write(folder / "b.parquet", again)]
        else:
            joined = pa.concat_tables([rows, again])
            order = np.argsort(
                np.asarray(joined["start_time"].cast("int64"))
                + rng.integers(0, 3_600_000_000, joined.num_rows)
            )
            files = [write(folder / "a.csv", joined.take(pa.array(order)))]
        result = run(files, folder / "out")
        assert result.summary.notes["repeated"] == again.num_rows
        assert result.summary.calls == rows.num_rows
        assert alerts(folder / "out") == reference


def test_a_file_given_twice(tmp_path: Path, reference: bytes) -> None:
    path = write(tmp_path / "calls.csv", town())
    result = run([path, path], tmp_path / "out")
    assert result.summary.notes["repeated"] == town().num_rows
    assert [file.rows for file in result.summary.files] == [town().num_rows] * 2
    assert alerts(tmp_path / "out") == reference


def test_a_thousand_small_files(tmp_path: Path, reference: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "AHEAD_ROWS", 300)  # most are read again
    parts = deal(town(), 1000, 3)
    files = [write(tmp_path / f"{n}.csv", part) for n, part in enumerate(parts)]
    most = 0

    def count(_: object) -> None:
        nonlocal most
        most = max(most, len(list(Path("/proc/self/fd").iterdir())))

    result = run(files, tmp_path / "out", on_progress=count)
    assert result.summary.calls == town().num_rows
    assert alerts(tmp_path / "out") == reference
    assert most < 200, "small files do not stay open"


def test_many_large_files_do_not_stay_open_before_their_time(
    tmp_path: Path, reference: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "KEPT_ROWS", 3)
    monkeypatch.setattr(sources, "AHEAD_FILES", 2)
    files = [write(tmp_path / f"{n}.parquet", town().slice(n * 40, 40), 4) for n in range(36)]
    reads: list[int] = []
    run(
        files,
        tmp_path / "out",
        on_progress=lambda _: reads.append(len(list(Path("/proc/self/fd").iterdir()))),
    )
    assert alerts(tmp_path / "out") == reference
    assert max(reads) - min(reads) <= 4


def test_names_of_calls_do_not_depend_on_batches(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.csv", town())
    found = set()
    for batch in (3, 70, 5000):
        scan = Scan(Options([path], tmp_path / "out", batch=batch, window=100))
        scan._judge.stories.ids = CallIds(3)
        scan.run()
        found.add(alerts(tmp_path / "out"))
    assert len(found) == 1
    assert re.search(rb'"call_id": "[0-9a-f]{16}"', found.pop()), "some were begun too long before"


# --- rows that cannot be right -------------------------------------------------------------------------------------


def test_rows_that_come_too_late_are_set_aside(tmp_path: Path, reference: bytes) -> None:
    rows = town()
    late = rows.slice(10, 3)
    others = pa.concat_tables([rows.slice(0, 10), rows.slice(13)])
    path = write(tmp_path / "calls.csv", pa.concat_tables([others, late]))
    result = run([path], tmp_path / "out", window=50)
    found = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    first = others.num_rows + 2  # after the header, from 1
    assert found == [{"file": str(path), "row": first + n, "reason": LATE} for n in range(3)]
    file = result.summary.files[0]
    assert (file.rows, file.calls, file.rejected) == (rows.num_rows, others.num_rows, 3)
    assert result.summary.calls == others.num_rows
    run([path], tmp_path / "wide", window=5000)
    assert alerts(tmp_path / "wide") == reference


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("year", ["2099", "1991"])
def test_a_wrong_clock_makes_no_other_row_late(
    tmp_path: Path, reference: bytes, files: int, year: str
) -> None:
    rows = deal(town(), files, 8)
    odd = rows[0].slice(100, 1).to_pylist()[0]
    odd |= {
        "call_id": "odd",
        "start_time": pa.scalar(f"{year}-05-05T00:00:00Z").cast(pa.timestamp("us", "UTC")).as_py(),
        "answer_time": None,
        "end_time": None,
    }
    wrong = pa.concat_tables(
        [rows[0].slice(0, 200), pa.Table.from_pylist([odd], rows[0].schema), rows[0].slice(200)]
    )
    paths = [write(tmp_path / f"{n}.csv", part) for n, part in enumerate([wrong, *rows[1:]])]
    result = run(paths, tmp_path / "out", window=60)
    assert sum(result.summary.rejected.values()) == (
        1 if year == "1991" and files == 1 else sum(result.summary.rejected.values()) & 1
    )
    ours = [json.loads(line)["alert_id"] for line in alerts(tmp_path / "out").splitlines()]
    assert ours == [json.loads(line)["alert_id"] for line in reference.splitlines()]


def test_accepted_and_rejected_are_all_rows(tmp_path: Path) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text(
        "time,sender,recipient,body\n2026-01-02T00:00:00Z,+8613900000001,+8613900000002,\nx,,,\n"
    )
    transfers = tmp_path / "transfers.csv"
    transfers.write_text(
        "time,subscriber,from_account,to_account,amount,currency\n2026-01-02T00:00:00Z,+8613900000001,1,2,5,CNY\n"
    )
    files = [*mixed(tmp_path), texts, transfers]
    scan = Scan(Options(files, tmp_path / "out", **SMALL))
    summary = scan.run().summary
    for source in scan._sources:
        assert source.rows == source.calls + source.rejected + source.ignored, source.path
    assert sum(summary.rejected.values()) == sum(file.rejected for file in summary.files) == 7
    assert summary.notes["texts_not_asked_for"] == 1
    assert summary.notes["transfers_not_asked_for"] == 1
    lines = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert sum(line["row"] is not None for line in lines) == 7


def test_no_number_in_what_is_put_aside(tmp_path: Path) -> None:
    chance = random.Random(6)
    lines = csv(town()).splitlines()
    for n in range(0, len(lines), 3):
        cells = lines[n].split(b",")
        chance.shuffle(cells)
        lines[n] = b",".join(cells) if n else lines[n]
    (tmp_path / "calls.csv").write_bytes(b"\n".join(lines))
    result = run([tmp_path / "calls.csv"], tmp_path / "out")
    assert sum(result.summary.rejected.values()) > 200
    text = (tmp_path / "out" / "rejected.jsonl").read_text().replace(str(tmp_path), "")
    assert not re.search(r"\d{7}", text)


# --- no future, no unbounded memory ---------------------------------------------------------------------------------


@SOME
@given(moment=st.floats(2.9, 6.0))
def test_no_alert_uses_the_future(moment: float) -> None:
    until = EPOCH + int(moment * DAY * 1e6)
    with TemporaryDirectory() as name:
        folder = Path(name)
        run([write(folder / "whole.parquet", town())], folder / "whole")
        run(
            [write(folder / "cut.parquet", cut(town(), pa.scalar(until, pa.timestamp("us", "UTC"))))],
            folder / "cut",
        )
        assert facts(folder / "cut") == facts(folder / "whole", until)


@pytest.mark.parametrize("order", ["sorted", "shuffled", "backwards"])
def test_rows_held_are_bounded(tmp_path: Path, order: str) -> None:
    rows = town()
    place = np.arange(rows.num_rows)
    place = {
        "sorted": place,
        "shuffled": np.random.default_rng(0).permutation(place),
        "backwards": place[::-1],
    }[order]
    parts = deal(rows.take(pa.array(place)), 3, 0)
    files = [write(tmp_path / f"{n}.parquet", part) for n, part in enumerate(parts)]
    scan = Scan(Options(files, tmp_path / "out", window=60))
    held: list[int] = []
    result = scan.run(on_progress=lambda _: held.append(len(scan._reorder)))
    assert max(held) <= 2 * 60 + 2 * 3 * 150 + 150
    assert result.summary.calls + sum(result.summary.rejected.values()) == rows.num_rows


def test_alerts_are_written_as_they_come(tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []

    def count(step: Any) -> None:
        counts.append((step.alerts, alerts(tmp_path / "out").count(b"\n")))

    run([write(tmp_path / "calls.csv", town())], tmp_path / "out", on_progress=count)
    assert all(raised == written for raised, written in counts)
    assert len(set(counts)) >= 3


def test_progress(tmp_path: Path) -> None:
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(csv(town().slice(700))))
    files = [write(tmp_path / "a.csv", town().slice(0, 700)), tmp_path / "b.csv.gz"]
    steps: list[Any] = []
    run(files, tmp_path / "out", on_progress=steps.append)
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done <= steps[-1].total == sum(path.stat().st_size for path in files)
    assert steps[-1].done > 0.7 * steps[-1].total
    assert steps[-1].calls == steps[-1].calls_now == town().num_rows
    run(files, tmp_path / "out", 5)
    run(files, tmp_path / "out", resume=True, on_progress=steps.append)
    assert steps[-1].calls == town().num_rows > steps[-1].calls_now


def test_lines_are_counted(tmp_path: Path) -> None:
    result = run([write(tmp_path / "calls.csv", town())], tmp_path / "out", shards=3)
    assert result.summary.lines == pc.count_distinct(town()["callee"]).as_py()


def test_parquet_says_the_same_as_json(tmp_path: Path, reference: bytes) -> None:
    run([write(tmp_path / "calls.csv", town())], tmp_path / "out")

    def with_times(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: rfc3339(int(pa.scalar(item).cast(pa.timestamp("us", "UTC")).value))
                if item
                and key.removeprefix("at").endswith(("", "_at"))
                and key in {"at", "raised_at", "closed_at", "began_at", "last_call_at"}
                else with_times(item)
                for key, item in value.items()
            }
        return [with_times(item) for item in value] if isinstance(value, list) else value

    rows = pq.read_table(tmp_path / "out" / "alerts.parquet").to_pylist()
    assert with_times(rows) == [json.loads(line) for line in reference.splitlines()]


# --- odd files and options -----------------------------------------------------------------------------------------


HEADER = b"call_id,start_time,answer_time,end_time,caller,callee,cause,released_by,ingress,trunk,attestation,caller_device,callee_device,callee_cell\n"


def test_files_without_calls(tmp_path: Path) -> None:
    contents = {
        "empty.csv": b"",
        "empty.gz": gzip.compress(b""),
        "header.csv": HEADER,
        "bad.csv": HEADER + BAD,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for names in (*([name] for name in contents), list(contents)):
        result = run([tmp_path / name for name in names], tmp_path / "out")
        assert result.finished
        assert not result.broken
        assert not result.stories
        assert result.summary.calls == result.summary.lines == 0
        assert alerts(tmp_path / "out") == b""
        assert pq.read_table(tmp_path / "out" / "alerts.parquet").num_rows == 0
        assert sum(file.rejected for file in result.summary.files) == (3 if "bad.csv" in names else 0)


@pytest.mark.parametrize("size", [3_000, 100_000])
def test_a_file_that_is_cut_off(tmp_path: Path, size: int) -> None:
    whole = gzip.compress(csv(town().slice(0, size // 100)))
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(whole[: len(whole) * 2 // 3])
    flipped = tmp_path / "flipped.gz"
    flipped.write_bytes(b"\x1f\x8b\x08\xff" + whole[4:])
    other = write(tmp_path / "other.csv", town())
    for files in ([torn], [torn, other]):
        result = run(files, tmp_path / "out")
        assert len(result.broken) == 1
        assert result.broken[0].startswith(str(torn))
        assert "ends in the middle" in result.broken[0]
        assert result.summary.files[0].calls == result.summary.files[0].rows > 0
        last = json.loads((tmp_path / "out" / "rejected.jsonl").read_text().splitlines()[-1])
        assert last == {"file": str(torn), "row": None, "reason": result.broken[0]}
    result = run([flipped, other], tmp_path / "out")
    assert result.broken
    assert result.broken[0].startswith(str(flipped))
    assert result.summary.calls == town().num_rows


def test_a_file_whose_name_is_not_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe5\x91\xbc [bold]\xff\n.csv"))
    path.write_bytes(csv(town()) + BAD)
    assert not run([path], tmp_path / "out", 3).finished
    result = run([path], tmp_path / "out", resume=True)
    assert result.summary.files[0].name.endswith("呼 [bold]\ufffd\n.csv")
    assert (
        json.loads((tmp_path / "out" / "rejected.jsonl").read_text().splitlines()[0])["file"]
        == result.summary.files[0].name
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"settings": Settings("XX")}, "unknown country"),
        ({"settings": Settings("CN", "Nowhere/City")}, "unknown timezone 'Nowhere/City'"),
        ({"settings": Settings("CN", "")}, "unknown timezone"),
        ({"settings": Settings("CN", "../etc")}, "unknown timezone"),
        ({"settings": Settings("CN", "Asia")}, "unknown timezone"),
        ({"format": "nonsense"}, "unknown format 'nonsense'; known are .*parquet"),
        ({"format": "mapped_csv"}, "mapping"),
        ({"settings": Settings(mapping="not = [toml")}, "mapping"),
        ({"detect": ("flood", "nonsense")}, "unknown detector 'nonsense'; known are extortion_text, flood"),
        ({"detect": ()}, "unknown detector ''"),
        ({"window": 0}, "at least 1"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    path = write(tmp_path / "calls.csv", town().slice(0, 5))
    with pytest.raises(OptionsError, match=said) as error:
        run([path], tmp_path / "out", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists(), "nothing is written"


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.csv", town().slice(0, 5))
    with pytest.raises(OptionsError, match="is a file, not a folder"):
        run([path], path)
    own = tmp_path / "rejected.jsonl"
    own.write_bytes(path.read_bytes())
    with pytest.raises(OptionsError, match="would be overwritten"):
        run([own], tmp_path)
    with pytest.raises(OSError, match=r"\[Errno"):
        run([path], Path("/proc/ringfence"))


def test_an_unknown_format(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("to do: buy milk\n")
    with pytest.raises(UnreadableError, match=r"notes\.txt: the format is not recognised"):
        run([tmp_path / "notes.txt"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
