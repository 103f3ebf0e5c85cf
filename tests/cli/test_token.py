"""`ringfence token` and `ringfence audit`, as a person types them."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from ringfence.cli.audit import audit
from ringfence.cli.person import person
from ringfence.cli.token import now_us, token
from ringfence.shell.store.audit import Access, Audit
from ringfence.shell.store.database import FILE, StoreError
from ringfence.shell.store.store import Store

NUMBER = "+8613800000001"


def run(app: Typer, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def one_line(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("ringfence: ")
    for part in parts:
        assert part in result.stderr


def test_a_token_is_made_shown_once_listed_and_revoked(tmp_path: Path) -> None:
    made = run(
        token,
        "create",
        "desk",
        "--scope",
        "alerts:read,screen",
        "--scope",
        "metrics",
        "--days",
        "90",
        "--data",
        tmp_path,
    )
    assert made.exit_code == 0
    secret = made.stdout.strip()
    with Store.open(tmp_path) as store:
        principal = store.tokens.check(secret, now_us())
        assert principal is not None
        assert principal.scopes == {"alerts:read", "screen", "metrics"}
    shown = run(token, "list", "--data", tmp_path)
    assert secret not in shown.stdout
    assert secret[:8] in shown.stdout
    assert "desk: alerts:read, metrics, screen" in shown.stdout
    assert "until " in shown.stdout
    assert "used 2" in shown.stdout
    assert run(token, "revoke", "desk", "--data", tmp_path).exit_code == 0
    with Store.open(tmp_path) as store:
        assert store.tokens.check(secret, now_us()) is None
        said = [(entry["what"], entry["object"]) for entry in store.audit.entries()]
        assert said == [("token.create", "desk"), ("token.revoke", "desk")]
        assert all(str(entry["who"]).startswith("cli") for entry in store.audit.entries())
    assert "revoked " in run(token, "list", "--data", tmp_path).stdout


def test_what_cannot_be_written_down_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    with Store.open(tmp_path) as store:
        secret = store.tokens.create("old", ["screen"], at=now_us())
    monkeypatch.setattr(Audit, "append", refuse)
    one_line(run(token, "create", "new", "--scope", "screen", "--data", tmp_path), 1, "the disk is full")
    one_line(run(token, "revoke", "old", "--data", tmp_path), 1, "the disk is full")
    with Store.open(tmp_path) as store:
        assert [each.name for each in store.tokens.list()] == ["old"]
        assert store.tokens.check(secret, now_us()) is not None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create", "desk", "--scope", "all"), "no scope all"),
        (("create", "a b", "--scope", "screen"), "name"),
        (("create", "desk", "--scope", ","), "needs a scope"),
        (("revoke", "nobody"), "no token nobody"),
        (("create", "+8613800000001", "--scope", "screen"), "no telephone number"),
        (("revoke", "+8613800000001"), "no token +8613800000001"),
    ],
)
def test_asked_wrongly(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    one_line(run(token, *words, "--data", tmp_path), 2, says)
    with Store.open(tmp_path) as store:
        assert not list(store.audit.entries())


def test_a_name_is_given_once(tmp_path: Path) -> None:
    words = ("create", "desk", "--scope", "screen", "--data", tmp_path)
    assert run(token, *words).exit_code == 0
    one_line(run(token, *words), 2, "there is or was a token desk")
    with Store.open(tmp_path) as store:
        assert len(list(store.audit.entries())) == 1


def test_a_folder_that_is_none_or_damaged(tmp_path: Path) -> None:
    one_line(run(token, "list", "--data", tmp_path / "x"), 2, "no such folder", FILE)
    assert not (tmp_path / "x").exists()
    (tmp_path / FILE).write_text("no database, though it is as long as the head of one would be " * 9)
    one_line(run(token, "list", "--data", tmp_path), 1, "no SQLite database")


def test_a_person_is_not_exported_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / "x.zip"
    one_line(
        run(person, "export", NUMBER, "--data", tmp_path, "--out", nowhere),
        2,
        "no folder",
        "make the folder first",
    )


def test_the_audit_log_is_verified_against_a_head(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        head = store.audit.append(1, Access("desk", "number.read", number=NUMBER))
        store.audit.append(2, Access("desk", "number.read", number=NUMBER))
    whole = run(audit, "verify", "--data", tmp_path, "--head", str(head))
    assert whole.exit_code == 0
    assert whole.stdout.startswith("2:")
    one_line(
        run(audit, "verify", "--data", tmp_path, "--head", "1:" + "0" * 64),
        1,
        "broken at entry 1",
        "rewritten",
    )
    one_line(run(audit, "verify", "--data", tmp_path, "--head", "x"), 2, "NUMBER:HASH")
    with Store.open(tmp_path) as store, store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE audit SET who = 'nobody' WHERE id = 2")
    one_line(run(audit, "verify", "--data", tmp_path), 1, "broken at entry 2", "altered")


def test_the_audit_log_is_exported_and_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.audit.append(1, Access("desk", "number.read", number=NUMBER))
    out = tmp_path / "audit.jsonl"
    assert run(audit, "export", "--data", tmp_path, "--out", out).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    first, second = (json.loads(line) for line in out.read_text("utf-8").splitlines())
    assert (first["number"], second["what"], second["details"]) == (
        NUMBER,
        "audit.export",
        '{"numbers":true}',
    )
    one_line(run(audit, "export", "--data", tmp_path, "--out", out), 2, "is there already")
    nowhere = tmp_path / "none" / "x"
    one_line(
        run(audit, "export", "--data", tmp_path, "--out", nowhere), 2, "no folder", "make the folder first"
    )
    shown = run(audit, "export", "--data", tmp_path, "--no-numbers")
    assert NUMBER not in shown.stdout
    assert len(shown.stdout.splitlines()) == 4
