"""The command line, as people and scripts use it."""

import os
import pty
import resource
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest
from tests.shell.records import DAY, as_text, outputs, town, write
from typer.testing import CliRunner, Result

from ringfence import __version__
from ringfence.cli.main import app

RINGFENCE = Path(sys.executable).with_name("ringfence")


def ringfence(*args: Any, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RINGFENCE, *map(str, args)], capture_output=True, text=True, timeout=900, check=False, **how
    )


def invoke(*args: Any) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def one_line(text: str) -> str:
    assert text.startswith("ringfence: "), text
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("文件 [bold]")
    return write(folder / "通话 [red]记录.csv", town())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's week, 150 times, with its floods in the first two only: long enough to be interrupted."""
    week = pa.scalar(int(7 * DAY * 1e6), pa.duration("us"))
    rows = town()
    weeks = []
    rung = pc.value_counts(rows["callee"])
    attacked = rung.field(0).filter(pc.greater(rung.field(1), 50))
    for n in range(150):
        shifted = rows if n < 2 else rows.filter(pc.invert(pc.is_in(rows["callee"], attacked)))
        for name in ("start_time", "answer_time", "end_time"):
            moved = pc.add(shifted[name], pc.multiply(week, n))
            shifted = shifted.set_column(rows.column_names.index(name), name, moved)
        weeks.append(shifted)
    path = tmp_path_factory.mktemp("many") / "calls.csv"
    pacsv.write_csv(as_text(pa.concat_tables(weeks)), path)
    return path


# --- by itself -------------------------------------------------------------------------------------------------------


def test_version_loads_nothing_slow() -> None:
    done = ringfence("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ringfence {__version__}\n", "")
    said = "from ringfence.cli.main import app; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout
    assert not {"numba", "numpy", "pyarrow", "jinja2", "phonenumbers"} & set(loaded.split())


@pytest.mark.parametrize("command", [[], ["scan"], ["demo"], ["bench"]])
def test_help(command: list[str]) -> None:
    done = invoke(*command, "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith("Usage: ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for line in done.stdout.splitlines():
        assert "`" not in line
    if command == ["scan"]:
        for option in (
            "--out",
            "--format",
            "--detect",
            "--each-call",
            "--resume",
            "--country",
            "--timezone",
            "--mapping",
        ):
            assert option in done.stdout


def test_scan(calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "结果 [bold]"
    done = ringfence("scan", calls, "--out", out, "--each-call", "--detect", "flood")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1,408 calls in ")
    assert "5 alerts" in done.stdout
    assert done.stdout.endswith(f"report: {out}/report.html\n")
    assert "still going on" in done.stdout
    assert len((out / "alerts.jsonl").read_text().splitlines()) == 5
    assert calls.name in (out / "report.html").read_text()


def test_a_terminal_that_knows_no_chinese(calls: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = ringfence("scan", calls, "--out", tmp_path / "结果", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    done = ringfence("scan", tmp_path / "没有", "--out", tmp_path / "结果", env=env)
    assert done.returncode == 2
    one_line(done.stderr)


def test_demo(tmp_path: Path) -> None:
    done = ringfence("demo", "--out", tmp_path / "demo")
    assert done.returncode == 0
    assert sum(line.startswith("flood ") for line in done.stdout.splitlines()) == 3
    assert (tmp_path / "demo" / "report.html").exists()
    again = invoke("demo", "--out", tmp_path / "demo" / "calls.csv")
    assert again.exit_code == 1
    assert one_line(again.stderr.splitlines(keepends=True)[-1])


# --- errors ----------------------------------------------------------------------------------------------------------


def test_bad_rows_and_a_torn_file(calls: Path, tmp_path: Path) -> None:
    import gzip

    bad = tmp_path / "bad.csv"
    bad.write_bytes(calls.read_bytes() + b"x,not a time,,,+8613900001111,+8613900002222,,,,,,,,\n")
    done = invoke("scan", bad, "--out", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "1 row put aside" in done.stdout
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(calls.read_bytes())[:-20])
    done = invoke("scan", bad, torn, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "torn.csv.gz: the gzip stream ends in the middle" in one_line(done.stderr)
    assert "report: " in done.stdout
    assert "+86139" not in done.stderr + (tmp_path / "out" / "rejected.jsonl").read_text()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["missing.csv"], "missing.csv: no such file"),
        (["."], "is a folder"),
        (["/dev/null"], "is not a regular file"),
        (["notes.txt"], "notes.txt: the format is not recognised; name it with --format"),
        (["calls.csv", "--format", "nonsense"], "unknown format 'nonsense'; known are"),
        (["calls.csv", "--detect", "flood, nonsense"], "unknown detector 'nonsense'; known are"),
        (["calls.csv", "--detect", ""], "unknown detector ''"),
        (["calls.csv", "--country", "XX"], "unknown country 'XX'"),
        (["calls.csv", "--timezone", "Nowhere"], "unknown timezone 'Nowhere'"),
        (["calls.csv", "--mapping", "missing.toml"], "--mapping missing.toml: No such file"),
        (["calls.csv", "--mapping", "latin.toml"], "--mapping latin.toml: it is not UTF-8"),
        (["calls.csv", "--mapping", "notes.txt"], "mapping: not TOML"),
        (["calls.csv", "--format", "mapped_csv"], "give one with --mapping"),
        (["calls.csv", "--out", "calls.csv"], "is a file, not a folder"),
        (["[bold]\n.csv"], "[bold]?.csv: no such file"),
    ],
)
def test_asked_wrongly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("calls.csv"), town().slice(0, 5))
    Path("notes.txt").write_text("to do: buy milk\n")
    Path("latin.toml").write_bytes(b"\xe9")
    done = invoke("scan", *(args if "--out" in args else [*args, "--out", "out"]))
    assert done.exit_code == 2
    assert said in one_line(done.stderr)
    assert done.stdout == ""
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "args",
    [
        ["scan"],
        ["scan", "x.csv"],
        ["scan", "--nonsense"],
        ["nonsense"],
        ["scan", "x", "--out", "o", "--reorder-rows", "0"],
    ],
)
def test_asked_in_no_way(args: list[str]) -> None:
    done = invoke(*args)
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_an_output_folder_that_cannot_be_made(calls: Path) -> None:
    done = invoke("scan", calls, "--out", "/proc/ringfence/out")
    assert done.exit_code == 1
    assert "/proc/ringfence" in one_line(done.stderr)


def test_a_full_disk(calls: Path, tmp_path: Path) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = ringfence("scan", calls, "--out", tmp_path / "out", preexec_fn=small_disk)
    assert done.returncode == 1
    assert "File too large" in one_line(done.stderr)
    assert "Traceback" not in done.stderr


def test_a_damaged_checkpoint(calls: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".resume.npz").write_bytes(b"PK")
    done = invoke("scan", calls, "--out", tmp_path / "out", "--resume")
    assert done.exit_code == 1
    assert "scan without --resume" in one_line(done.stderr)
    assert invoke("scan", calls, "--out", tmp_path / "out").exit_code == 0


# --- interrupted -----------------------------------------------------------------------------------------------------


def _interrupt(many: Path, out: Path, number: int) -> subprocess.CompletedProcess[str]:
    with subprocess.Popen(
        [RINGFENCE, "scan", many, "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (out / "alerts.jsonl").exists() and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=900)
    return subprocess.CompletedProcess([], process.returncode, stdout, stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on(many: Path, tmp_path: Path, number: int) -> None:
    out = tmp_path / "o u t"
    stopped = _interrupt(many, out, number)
    assert stopped.returncode == 1
    said = one_line(stopped.stderr)
    assert said.startswith("ringfence: interrupted; go on with: ringfence scan ")
    command = shlex.split(said.split("go on with: ")[1])
    assert command == ["ringfence", "scan", str(many), "--out", str(out), "--resume"]
    assert (out / "report.html").exists(), "what was found so far"
    resumed = ringfence(*command[1:])
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert not (out / ".resume.npz").exists()
    whole = invoke("scan", many, "--out", tmp_path / "whole")
    assert whole.exit_code == 0
    for name in ("alerts.jsonl", "alerts.parquet", "rejected.jsonl"):
        assert outputs(out)[name] == outputs(tmp_path / "whole")[name]


def test_a_progress_bar_only_on_a_terminal(many: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [RINGFENCE, "scan", many, "--out", tmp_path],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=env,
        text=True,
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # the other side is closed
                break
            seen += piece
            if not piece:
                break
        stdout, _ = process.communicate(timeout=900)
    os.close(ours)
    assert process.returncode == 0
    assert b"scanning" in seen
    assert b"calls" in seen
    assert b"/s" in seen
    assert "scanning" not in stdout


def test_when_no_row_can_be_used_it_says_why(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("start_time,caller,callee\n2026/03/01 08:00,+8613800000001,+8613800000002\n", "utf-8")
    result = invoke("scan", file, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "no row could be used; most often: start_time is not a time" in result.stdout
