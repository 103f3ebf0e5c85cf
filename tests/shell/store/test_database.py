"""The database by itself: its form, its rights, and what it says when it cannot."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

import ringfence.shell.store
from ringfence.shell.store.database import FILE, Database, StoreError, get_meta, open_database, set_meta
from ringfence.shell.store.schema import METADATA, VERSION

MIGRATIONS = Path(ringfence.shell.store.__file__).with_name("migrations")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path) as one:
        yield one


def limit(database: Database, pragma: str) -> None:
    """Have every connection from now on be limited, as a disk would limit it."""
    database.engine.dispose()

    @event.listens_for(database.engine, "connect")
    def _limited(raw: sqlite3.Connection, _: Any) -> None:
        raw.execute(f"PRAGMA {pragma}").close()


def one_line(error: StoreError) -> str:
    message = str(error)
    assert message
    assert "\n" not in message
    assert "secret" not in message
    return message


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_migrations_are_one_line_and_end_in_the_version_known() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert revisions[0] == VERSION
    assert script.get_heads() == [VERSION]


def test_a_damaged_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Any) -> None:
        connection.execute(text("CREATE TABLE half (n INTEGER)"))
        raise RuntimeError("power failed")

    with monkeypatch.context() as patched:
        patched.setattr("ringfence.shell.store.database._migrate", fail)
        with pytest.raises(RuntimeError, match="power"):
            open_database(tmp_path)
    with open_database(tmp_path) as database, database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opened_again_it_holds_what_it_held(tmp_path: Path) -> None:
    with open_database(tmp_path) as database, database.writing() as connection:
        set_meta(connection, "x", "1")
        set_meta(connection, "x", "2")
    with open_database(tmp_path) as database, database.reading() as connection:
        assert get_meta(connection, "x") == "2"


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / FILE
    path.parent.mkdir()
    path.touch(mode=0o644)
    with open_database(path.parent) as database:
        with database.writing() as connection:
            set_meta(connection, "x", "secret")
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
        assert len(list(path.parent.iterdir())) == 3, "the log and its index have the same rights"


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    with database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_what_fails_in_the_middle_is_not_there(database: Database) -> None:
    def fail_half_way() -> None:
        with database.writing() as connection:
            set_meta(connection, "x", "1")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    with database.reading() as connection:
        assert get_meta(connection, "x") is None


def test_a_newer_form_is_left_alone(tmp_path: Path) -> None:
    with open_database(tmp_path) as database, database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StoreError, match="newer Ringfence") as caught:
        open_database(tmp_path)
    one_line(caught.value)
    assert caught.value.state == "newer"
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("pragma", "state"),
    [("max_page_count=1", "full"), ("query_only=1", "read_only")],
    ids=["full", "read only"],
)
def test_a_disk_that_takes_nothing(database: Database, pragma: str, state: str) -> None:
    limit(database, pragma)
    with pytest.raises(StoreError) as caught, database.writing() as connection:
        set_meta(connection, "x", "secret" * 10_000)
    assert caught.value.state == state
    one_line(caught.value)
    with database.reading() as connection:
        assert get_meta(connection, "x") is None


@pytest.mark.parametrize(
    "junk", [b"not a database, but long enough to have a head" * 9, None], ids=["junk", "damaged"]
)
def test_a_file_that_is_none(tmp_path: Path, junk: bytes | None) -> None:
    open_database(tmp_path).close()
    path = tmp_path / FILE
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + b"\xff" * (len(raw) - 100) if junk is None else junk)
    with pytest.raises(StoreError) as caught:
        open_database(tmp_path)
    assert caught.value.state == "damaged"
    assert str(path) in one_line(caught.value)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        open_database(tmp_path / "file" / "data")
    assert caught.value.state == "unreachable"
    one_line(caught.value)
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreError) as caught:
        open_database(tmp_path)
    one_line(caught.value)


def test_another_process_that_holds_it(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        limit(database, "busy_timeout=1")
        other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE").close()
        with pytest.raises(StoreError) as caught, database.writing():
            pass
        assert caught.value.state == "busy"
        with database.reading() as connection:
            assert get_meta(connection, "x") is None, "readers do not wait for a writer"
        other.rollback()
        other.close()
        with database.writing() as connection:
            set_meta(connection, "x", "1")


@pytest.mark.parametrize("url", ["nosuch://host/db", "postgresql+nosuch://u:secret@host/db", "://"])
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_database(url)
    one_line(caught.value)


def test_a_url_of_sqlite(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path / 'x.db'}") as database, database.writing() as connection:
        set_meta(connection, "x", "1")
    assert os.path.getsize(tmp_path / "x.db")  # noqa: PTH202


def test_two_open_it_at_once(tmp_path: Path) -> None:
    with open_database(tmp_path) as one, open_database(tmp_path) as other:
        with one.writing() as connection:
            set_meta(connection, "x", "1")
        with other.reading() as connection:
            assert get_meta(connection, "x") == "1"
