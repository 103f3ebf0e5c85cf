"""`ringfence train`, as people and scripts use it."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.train import made
from typer.testing import CliRunner, Result

from ringfence.cli.main import app

QUICK = ("--trees", "100", "--pairs", "1", "--date", "2026-03-05")


def invoke(*args: Any) -> Result:
    return CliRunner().invoke(app, ["train", *(str(arg) for arg in args)])


def write(path: Path, lines: int, seed: int, extra: bool = False) -> Path:
    table = made.table(lines=lines, seed=seed)
    columns = {**table.columns, "fraud": table.label}
    if extra:
        columns = {"number": np.arange(lines, dtype=np.float64), "further": np.ones(lines), **columns}
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow("" if np.isnan(value) else value for value in row)
    return path


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("训练 [red]")
    lines = write(folder / "lines.csv", 800, 1, extra=True)
    result = invoke(
        "lines", lines, "--label", "fraud", "--out", folder / "model.json", "--report", folder / "report",
        "--folds", 2, "--repeats", 1, "--groups", "some=ri,st", *QUICK,
    )  # fmt: skip
    return folder, result


def test_a_model_and_its_report_are_written(learned: tuple[Path, Result]) -> None:
    folder, result = learned
    assert result.exit_code == 0, result.output
    assert "left out: number (it numbers the rows)" in result.output
    assert "some (2)" in result.output
    figures = json.loads((folder / "report" / "figures.json").read_text("utf-8"))
    assert figures["groups"]["all"]["figures"]["auc"]["mean"] > 0.7
    assert (folder / "report" / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert json.loads((folder / "model.json").read_text("utf-8"))["made"]["date"] == "2026-03-05"


def test_kept_back_lines_are_judged(learned: tuple[Path, Result]) -> None:
    folder, _ = learned
    kept = write(folder / "kept.csv", 500, 2)
    said = invoke(
        "judge", folder / "model.json", kept, "--label", "fraud", "--json", "--scores", folder / "s.csv"
    )
    assert said.exit_code == 0, said.output
    figures = json.loads(said.output)
    assert figures["lines"] == 500
    assert figures["auc"] > 0.75
    with (folder / "s.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 500
    base = json.loads((folder / "model.json").read_text("utf-8"))["base"]
    for row in rows[:20]:
        parts = [float(value) for name, value in row.items() if name != "bits"]
        assert float(row["bits"]) == pytest.approx(base + sum(parts), abs=1e-6)
    table = invoke("judge", folder / "model.json", kept, "--label", "fraud").output
    assert f"AUC{figures['auc']:>41.4f}" in table
    assert "flatter" not in table
    assert (
        "flatter" in invoke("judge", folder / "model.json", folder / "lines.csv", "--label", "fraud").output
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("lines", "{lines}", "--out", "{out}"), "no column 'label'"),
        (("lines", "{folder}", "--out", "{out}"), "is a folder"),
        (("lines", "{folder}/none.csv", "--out", "{out}"), "No such file"),
        (
            ("lines", "{lines}", "--label", "fraud", "--out", "{out}", "--groups", "voice"),
            "write NAME=BEGINNING",
        ),
        (("lines", "{lines}", "--label", "fraud", "--out", "{out}", "--ignore", "hum"), "is 'hump' meant"),
        (("lines", "{lines}", "--label", "fraud", "--out", "{out}", "--recipe", "{lines}"), "not TOML"),
        (("judge", "{lines}", "{lines}", "--label", "fraud"), "it is not JSON"),
        (("judge", "{model}", "{short}", "--label", "fraud"), "no column 'gap'"),
    ],
)
def test_what_was_asked_wrongly_is_said_in_one_line(
    learned: tuple[Path, Result], args: tuple[str, ...], said: str
) -> None:
    folder, _ = learned
    (folder / "short.csv").write_text("rising,fraud\n1,0\n2,1\n")
    places = {
        "lines": folder / "lines.csv", "folder": folder, "out": folder / "new.json", "model": folder / "model.json",
        "short": folder / "short.csv",
    }  # fmt: skip
    result = invoke(*(arg.format(**places) for arg in args))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("ringfence: ")
    assert result.stderr.count("\n") == 1
    assert not (folder / "new.json").exists()
