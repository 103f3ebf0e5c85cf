"""The doctor sees what is wrong, says what to do, changes nothing, and never fails itself."""

import json
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer
from tests.shell.service.floods import batch, flood
from tests.shell.service.made import NOW, plan, put
from typer.testing import CliRunner

from ringfence.cli.doctor import doctor
from ringfence.shell.service import doctor as checks
from ringfence.shell.service import doctor_stores
from ringfence.shell.service.doctor import admit, examine
from ringfence.shell.service.findings import Check, Finding, Patient
from ringfence.shell.service.service import Service

app = typer.Typer()
app.command()(doctor)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o750)
    return folder


def patient(data: Path, text: str = "", port: int = 0) -> Patient:
    path = data.parent / "r.toml"
    path.write_text(f'[service]\ndata = "{data}"\nport = {port or free_port()}\n{text}')
    path.chmod(0o600)
    return admit(path, {})


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def told(check: Check, of: Patient) -> list[tuple[str, str]]:
    return [(finding.level, finding.what[0]) for finding in check(of)]


def test_every_finding_is_told_in_both_languages_and_says_what_to_do(data: Path) -> None:
    for finding in examine(patient(data)):
        assert all(finding.what)
        assert bool(finding.do[0]) == bool(finding.do[1])
        assert "\n" not in "".join(finding.what + finding.do)


def test_a_mistake_in_the_configuration_is_a_finding(data: Path) -> None:
    of = patient(data, '[sources.a]\nkind = "hepp"')
    (found,) = told(checks._configuration, of)
    assert found[0] == "bad"
    assert "did you mean hep?" in found[1]
    assert told(checks._configuration, admit(data / "none.toml", {}))[0][0] == "bad"
    assert [level for level, _ in told(checks._configuration, patient(data))] == ["warn", "ok"]
    assert told(checks._configuration, patient(data, '[network]\ntimezone = "Mars"'))[0][0] == "bad"


def test_a_data_folder_that_others_can_read_is_bad(data: Path) -> None:
    assert told(checks._data_folder, patient(data))[0][0] == "ok"
    data.chmod(0o755)
    assert told(checks._data_folder, patient(data))[0][0] == "bad"
    assert told(checks._data_folder, patient(data / "none"))[0][0] == "warn"


def test_a_key_that_others_can_read_is_bad(data: Path) -> None:
    of = patient(data)
    assert told(checks._pseudonym_key, of)[0][0] == "ok"
    of.config.pseudonym_key.parent.mkdir()
    of.config.pseudonym_key.write_bytes(b"x" * 32)
    of.config.pseudonym_key.chmod(0o600)
    assert told(checks._pseudonym_key, of)[0][0] == "ok"
    of.config.pseudonym_key.chmod(0o640)
    assert told(checks._pseudonym_key, of)[0][0] == "bad"


def test_space_is_held_against_what_the_journal_may_take(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((10**8, "bad"), (10**10, "warn"), (10**11, "ok")):
        monkeypatch.setattr(checks.shutil, "disk_usage", lambda _, free=free: type("U", (), {"free": free}))  # type: ignore[attr-defined]
        assert told(checks._space, patient(data))[0][0] == level


def test_fsync_is_timed_and_leaves_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = [each for each in told(checks._file_system, patient(data)) if "fsync takes" in each[1]]
    assert found[0] in {"ok", "warn"}
    assert list(data.iterdir()) == []

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert told(checks._file_system, patient(data))[-1][0] == "bad"


class Health(BaseHTTPRequestHandler):
    body = b'{"state": "degraded", "version": "1"}'

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def neighbour() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_ports_are_free_ours_or_somebody_elses(
    data: Path, neighbour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(checks._ports, patient(data))[0][0] == "ok"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        text = f'[sources.a]\nkind = "hep"\nudp = "127.0.0.1:{taken.getsockname()[1]}"'
        ours = told(checks._ports, patient(data, text, neighbour))
        assert [level for level, _ in ours] == ["warn", "ok"]
        assert "its state is degraded" in ours[0][1]
        monkeypatch.setattr(Health, "body", json.dumps(["somebody", "else"]).encode())
        assert [level for level, _ in told(checks._ports, patient(data, text, neighbour))] == ["bad", "bad"]


def test_a_small_receive_buffer_is_told_where_it_matters(data: Path) -> None:
    assert told(checks._receive_buffer, patient(data)) == []
    of = patient(data, '[sources.a]\nkind = "hep"\nudp = "127.0.0.1:9060"\nreceive_buffer_kb = 100000000')
    assert told(checks._receive_buffer, of)[0][0] == "warn"


@pytest.fixture
def kept(data: Path) -> Path:
    """What a service has kept."""
    service = Service(plan(data), clock=lambda: NOW)
    service.recover()
    service.start()
    for row in flood():
        seq = put(service, "calls", batch([row]))
    assert service.settled(seq, 60)
    service.stop()
    return data


STORES = (doctor_stores.journal, doctor_stores.database, doctor_stores.records)


def test_what_is_kept_is_looked_through(data: Path, kept: Path) -> None:
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    found = [one for check in STORES for one in told(check, patient(data))]
    assert [level for level, _ in found] == ["ok"] * 3
    assert found[0][1].startswith("journal: 12 records")
    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before


def test_nothing_is_kept_yet(data: Path) -> None:
    assert [one for check in STORES for one in told(check, patient(data))] == []


def test_a_broken_segment(data: Path, kept: Path) -> None:
    (path,) = (kept / "journal").glob("*.journal")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    ((level, what),) = told(doctor_stores.journal, patient(data))
    assert level == "bad"
    assert f"{path.name}, byte" in what


@pytest.mark.parametrize("spoil", ["cut", "text"])
def test_a_damaged_database(data: Path, kept: Path, spoil: str) -> None:
    path = kept / "ringfence.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if spoil == "cut" else b"no database" * 500)
    ((level, what),) = told(doctor_stores.database, patient(data))
    assert (level, "is damaged" in what) == ("bad", True)


@pytest.mark.parametrize("spoil", ["missing", "cut", "manifest"])
def test_records_that_are_not_there(data: Path, kept: Path, spoil: str) -> None:
    path = next((kept / "records").rglob("*.parquet"))
    if spoil == "missing":
        path.unlink()
    elif spoil == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        (kept / "records" / "manifest.json").write_text("{", "utf-8")
    ((level, what),) = told(doctor_stores.records, patient(data))
    assert level == "bad"
    assert ("cannot be read" if spoil == "manifest" else "1 files are missing or cut off") in what


def test_libraries_are_compared_by_number_not_by_text() -> None:
    assert list(checks._too_old(["numpy>=1.9", "pydantic>=2.6", "click"])) == []
    assert [name for name, _, _ in checks._too_old(["numpy>=999.1", "no-such-thing>=1"])] == [
        "numpy",
        "no-such-thing",
    ]
    assert checks._release("2.10.1") > checks._release("2.9") > checks._release("")


def test_a_check_that_fails_is_a_finding(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Patient) -> Iterator[Finding]:
        raise OSError(5, "Input/output error")
        yield

    monkeypatch.setattr(checks, "CHECKS", [broken])
    (found,) = examine(patient(data))
    assert (found.level, found.what[0]) == ("bad", "broken: cannot be looked at: Input/output error")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command(data: Path, language: str) -> None:
    of = patient(data)
    done = CliRunner().invoke(app, ["--config", str(of.path), "--language", language])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) >= 10
    assert all(line.startswith(("ok", "warn") if language == "en" else ("正常", "注意")) for line in lines)
    data.chmod(0o777)
    done = CliRunner().invoke(app, ["--config", str(of.path), "--language", language])
    assert done.exit_code == 1
    assert f"chmod 750 {data}" in done.stdout
