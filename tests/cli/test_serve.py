"""`ringfence serve`, as far as it says why it does not begin."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ringfence.cli.main import app
from ringfence.shell.records import RecordStore
from ringfence.shell.service import run as run_module
from ringfence.shell.service.endpoints import EndpointError
from ringfence.shell.service.settings import Config

HOOK = '[[webhooks]]\nname = "a"\nurl = "https://x"\n'
LOG = '[sources.a]\nkind = "tail"\npath = "x"\nformat = "json_lines"\n'


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The configurations that a service would have begun with."""
    found: list[Config] = []
    monkeypatch.setattr(run_module, "run", lambda config, _: found.append(config))
    return found


def serve(folder: Path, text: str = "", *options: str) -> Result:
    file = folder / "r.toml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    words = ["serve", "--config", str(file), "--data", str(folder / "data"), *options]
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[detect]\ndetectors = ["flod"]', "[detect] detectors: no detector flod"),
        (LOG.replace("json_lines", "nope"), "[sources.a] format: no format nope"),
        (LOG + 'timezone = "Mars/X"', "[sources.a] timezone: Mars/X is not known"),
        ('[network]\ncountry = "XX"', "[network] country: XX is not known"),
        (HOOK + 'secret = "short"', "at least 16 characters"),
        (HOOK + 'secret_file = "none"', "none: No such file or directory"),
        ("[service]\nprot = 1", "prot"),
    ],
)
def test_a_mistake_keeps_it_from_beginning(tmp_path: Path, begun: list[Config], text: str, says: str) -> None:
    done = serve(tmp_path, text)
    assert done.exit_code == 2, done.output
    lines = [line for line in done.stderr.splitlines() if "warning: " not in line]
    assert len(lines) == 1
    assert lines[0].startswith("ringfence: ")
    assert says in lines[0]
    assert not begun


def test_what_should_be_thought_over_is_said_and_does_not_stop_it(
    tmp_path: Path, begun: list[Config]
) -> None:
    done = serve(tmp_path, "[detect]\nlines = 9_000_000")
    assert done.exit_code == 0, done.output
    assert "warning: [detect] lines" in done.stderr
    assert "warning: no [sources]" in done.stderr
    assert len(begun) == 1


@pytest.mark.parametrize("options", [("--demo",), ("--replay", "calls.csv")])
def test_a_demonstration_and_a_replay_need_no_sources(
    tmp_path: Path, begun: list[Config], options: tuple[str, ...]
) -> None:
    done = serve(tmp_path, "", *options)
    assert done.exit_code == 0, done.output
    assert "warning" not in done.stderr
    assert len(begun) == 1


def test_a_second_service_on_the_same_data_is_refused_in_a_line(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "data" / "records")
    try:
        done = serve(tmp_path, LOG)
    finally:
        store.close()
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.splitlines()[-1].startswith("ringfence: ")


def test_what_is_wrong_after_the_check_is_a_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EndpointError("webhook a: its certificates are gone")

    monkeypatch.setattr(run_module, "run", refuse)
    done = serve(tmp_path, LOG)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        2,
        "ringfence: webhook a: its certificates are gone",
    )
