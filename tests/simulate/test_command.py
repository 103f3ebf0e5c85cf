"""`ringfence simulate` at a terminal."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringfence.cli.main import app


def test_it_writes_a_city(tmp_path: Path) -> None:
    said = ["simulate", "--subscribers", "500", "--days", "0.5", "--seed", "9", "--out", str(tmp_path)]
    result = CliRunner().invoke(
        app, [*said, "--intensity", "0", "--intensity", "texts=0.1", "--country", "gb"]
    )
    assert result.exit_code == 0, result.output
    assert "calls" in result.output
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert truth["made_by"]["seed"] == 9
    assert truth["made_by"]["intensity"] == {"crime": 0.0, "texts": 0.1}
    assert (truth["begins"], truth["ends"]) == ("2026-03-02T00:00:00.000000Z", "2026-03-02T12:00:00.000000Z")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--country", "XX"], "--country XX"),
        (["--begin", "tomorrow"], "--begin tomorrow"),
        (["--intensity", "flod=2"], "no flod"),
        (["--intensity", "flood=many"], "many is no number"),
        (["--intensity", "flood=-1"], "between 0 and 10000"),
    ],
)
def test_it_says_what_is_wrong(tmp_path: Path, wrong: list[str], said: str) -> None:
    result = CliRunner().invoke(
        app, ["simulate", "--subscribers", "500", "--days", "1", "--out", str(tmp_path), *wrong]
    )
    assert result.exit_code == 2
    assert said in result.output
    assert not list(tmp_path.iterdir())


def test_it_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = ["simulate", "--subscribers", "500", "--days", "0.1", "--out", str(tmp_path / "file")]
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 1
    assert "file" in result.output
