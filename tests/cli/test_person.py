"""`ringfence person`: whose data, in what order, and what is said of it."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringfence.cli.main import app
from ringfence.shell.service import person as person_module
from ringfence.shell.service.service import Service
from ringfence.shell.store.audit import Audit
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.store import Store

NUMBER = "+8613800000001"


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is judged here."""
    monkeypatch.setattr(Service, "compile", lambda _: None)


def person(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["person", *words, "--data", str(folder)])


def entries(folder: Path) -> list[tuple[Any, Any]]:
    with Store.open(folder) as store:
        return [(entry["what"], entry["number"]) for entry in store.audit.entries()]


@pytest.mark.parametrize("command", ["export", "erase"])
@pytest.mark.parametrize("number", ["Zhang", "138O0000001", "13800000001 or so", "anonymous"])
def test_what_is_no_number_is_refused(tmp_path: Path, command: str, number: str) -> None:
    out = tmp_path / "person.zip"
    done = person(tmp_path, command, number, *(["--out", str(out)] if command == "export" else []))
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("ringfence: this is no telephone number")
    assert "--name" in done.stderr
    assert not out.exists()
    assert entries(tmp_path) == []


@pytest.mark.parametrize("words", [(NUMBER,), ("10086",), ("Zhang", "--name")])
def test_nothing_to_erase_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = person(tmp_path, "erase", *words)
    assert (done.exit_code, done.stderr) == (0, "ringfence: nothing was found\n")
    assert entries(tmp_path) == [("person.erase", None)]


def test_an_export_holds_its_own_entry(tmp_path: Path) -> None:
    out = tmp_path / "person.zip"
    done = person(tmp_path, "export", "13800000001", "--out", str(out))
    assert (done.exit_code, done.stderr) == (0, f"ringfence: {out}: nothing was found\n")
    with zipfile.ZipFile(out) as archive:
        (entry,) = map(json.loads, archive.read("audit.jsonl").splitlines())
    assert (entry["what"], entry["number"]) == ("person.export", NUMBER)


@pytest.mark.parametrize("command", ["export", "erase"])
def test_what_cannot_be_written_down_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreError("the disk is full")

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it was done")

    monkeypatch.setattr(Audit, "append", refuse)
    monkeypatch.setattr(person_module, command, never)
    out = ["--out", str(tmp_path / "person.zip")] if command == "export" else []
    done = person(tmp_path, command, NUMBER, *out)
    assert (done.exit_code, done.stderr) == (1, "ringfence: the disk is full\n")
