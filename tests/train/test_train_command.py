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
from ringfence.detect.weights import FLOOD, parse

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


def labels(path: Path, true: list[tuple[float, bool]], kind: str = "flood") -> Path:
    """Labels as the service gives them."""
    lines = [
        {
            "alert_id": f"a{n}",
            "kind": kind,
            "probability": said,
            "label": "attack" if is_true else "not_an_attack",
        }
        for n, (said, is_true) in enumerate(true)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_what_people_said_of_alerts_sets_the_prior(tmp_path: Path) -> None:
    """Alerts said 0.9 and every second was none: a probability of 0.5 would have been right, some three bits less."""
    told = labels(tmp_path / "labels.jsonl", [(0.9, n % 2 == 0) for n in range(200)])
    result = invoke(
        "flood", "--labels", told, "--out", tmp_path / "flood.toml", "--report", tmp_path / "report"
    )
    assert result.exit_code == 0, result.output
    found = parse((tmp_path / "flood.toml").read_text("utf-8"))
    assert found.prior == pytest.approx(FLOOD.prior + np.log2(9), abs=0.02)
    assert found.made["calibrated"]["alerts"] == 200
    assert json.loads((tmp_path / "report" / "figures.json").read_text("utf-8"))["alerts"] == 200


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "0 labelled alerts of flood; at least 20 are needed"),
        ("{}\n", "line 1: is no label"),
        ("[1]\n", "line 1: is no label"),
        (
            '{"kind": "flood", "label": "perhaps", "probability": 0.5}\n',
            "line 1: label or probability is none",
        ),
        ('{"kind": "flood", "label": "attack", "probability": null}\n', "line 1: is no label"),
        ('{"kind": "flood", "label": "attack", "probability": 7}\n', "line 1: label or probability is none"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "labels.jsonl").write_text(content, "utf-8")
    result = invoke("flood", "--labels", tmp_path / "labels.jsonl", "--out", tmp_path / "flood.toml")
    assert result.exit_code == 2
    assert told in result.output.replace("\n", " ")
    assert not (tmp_path / "flood.toml").exists()


def test_labels_of_other_detectors_do_not_count(tmp_path: Path) -> None:
    told = labels(tmp_path / "labels.jsonl", [(0.9, True)] * 30, "scam_call")
    result = invoke("flood", "--labels", told, "--out", tmp_path / "flood.toml")
    assert (result.exit_code, "0 labelled alerts" in result.output) == (2, True)


@pytest.mark.parametrize("both", [True, False])
def test_cities_or_labels(tmp_path: Path, both: bool) -> None:
    told = labels(tmp_path / "labels.jsonl", [(0.9, True)] * 30)
    given = (tmp_path, "--labels", told) if both else ()
    result = invoke("flood", *given, "--out", tmp_path / "flood.toml")
    assert (result.exit_code, "one of them" in result.output) == (2, True)


def test_labels_that_are_not_there(tmp_path: Path) -> None:
    result = invoke("flood", "--labels", tmp_path / "none.jsonl", "--out", tmp_path / "flood.toml")
    assert (result.exit_code, "none.jsonl: No such file" in result.output.replace("\n", "")) == (1, True)
