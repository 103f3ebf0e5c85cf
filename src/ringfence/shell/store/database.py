"""The database of the store: opened, brought to the newest form, read and written in transactions.

SQLite in a file of its own (write-ahead log; a commit returns when the disk has it), or any database that SQLAlchemy knows by
its URL. In SQLite one writes at a time, so a lock in this process lines writers up: SQLite's own waiting is blind and unfair.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ringfence.shell.store.schema import META, VERSION

FILE: Final = "ringfence.db"
"""The name of the file in the folder of the service's data."""
WAIT_S: Final = 10.0
"""How long another process (a command line beside the service) may hold the database."""

_BIGGEST: Final = 2**63 - 1
_WRITES: Final = "ringfence_writes"
_MIGRATIONS: Final = Path(__file__).with_name("migrations")
# primary result codes of SQLite (https://www.sqlite.org/rescode.html): (word for the state, what is wrong, what to do)
_WRONG: Final = {
    5: ("busy", "is held by another process", "end what else uses it"),
    6: ("busy", "is held by another connection", "end what else uses it"),
    3: ("unreachable", "may not be opened", "give the service's user the right to it"),
    8: ("read_only", "can only be read", "make the disk and the file writable"),
    10: ("unreachable", "cannot be read or written: the disk reports an error", "look into the system's log"),
    11: ("damaged", "is damaged", "put it back from a copy; the journal brings back what came after"),
    13: ("full", "cannot grow: the disk is full", "make room"),
    14: (
        "unreachable",
        "cannot be opened",
        "look whether the folder exists and belongs to the service's user",
    ),
    26: ("damaged", "is no SQLite database", "put it back from a copy, or move the file away to begin anew"),
}


class StoreError(Exception):
    """The store cannot do it: one line, what is wrong and what to do.

    Attributes:
        state: a word for `/healthz`: busy, read_only, unreachable, damaged, full, newer or failed.
    """

    def __init__(self, message: str, state: str = "failed") -> None:
        super().__init__(message)
        self.state = state


class Database:
    """Connections to the store. May be used from any number of threads.

    Args:
        engine: of SQLAlchemy; `open_database` makes one.
        name: how errors call it.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._writer = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine beneath."""
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads; it sees one state of all tables.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._failing_plainly(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: whole and on disk at the end of the block, or, after any exception, not at all.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._writer, self._failing_plainly(), self._engine.connect() as fresh:
            connection = fresh.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def wipe(self) -> None:
        """Have what was deleted overwritten in the log beside the file, too (in the file it is, by `secure_delete`)."""
        if self._engine.dialect.name == "sqlite":
            with self._writer, self._failing_plainly(), self._engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                with suppress(sqlite3.Error):  # what was to be deleted is; the log is cut at its next turn
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def upgrade(self) -> None:
        """Bring the tables to the newest form.

        Raises:
            StoreError: it cannot be done, or a newer program has written them.
        """
        with self.reading() as connection:
            found = _version(connection)
        if found == VERSION:
            return
        if found is not None and not found < VERSION:
            raise StoreError(
                f"{self._name}: was written by a newer Ringfence (form {found}, this one knows forms up to {VERSION}); "
                "install that one, or put back a copy from before",
                "newer",
            )
        with self.writing() as connection:
            _migrate(connection)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _failing_plainly(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _in_words(self._name, error) from error


def open_database(where: Path | str) -> Database:
    """Open the store, made or brought to the newest form where needed.

    Args:
        where: the folder of the service's data, or an SQLAlchemy URL (`postgresql+psycopg://…`).

    Raises:
        StoreError: it cannot be opened.
    """
    is_url = isinstance(where, str) and "://" in where
    database = _by_url(str(where)) if is_url else _in_folder(Path(where))
    try:
        database.upgrade()
    except BaseException:
        database.close()
        raise
    return database


def to_json(document: Any) -> str:
    """A document as the tables hold it; figures of NumPy among it are figures."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def bounded(value: int) -> int:
    """A whole number that a database can hold; one from outside may be of any size."""
    return max(-_BIGGEST, min(value, _BIGGEST))


def get_meta(connection: Connection, name: str, *, lock: bool = False) -> str | None:
    """A value of the table `meta`; `lock` keeps other writers out where the database has several at a time."""
    query = select(META.c.value).where(META.c.name == name)
    found: str | None = connection.scalar(query.with_for_update() if lock else query)
    return found


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Set a value of the table `meta`."""
    done = connection.execute(META.update().where(META.c.name == name).values(value=value))
    if not done.rowcount:
        connection.execute(META.insert().values(name=name, value=value))


def _by_url(url: str) -> Database:
    try:
        parsed = make_url(url)
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(
            f"the store's URL cannot be used: {str(error).splitlines()[0]}", "unreachable"
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare(engine)
    return Database(engine, parsed.render_as_string(hide_password=True))


def _in_folder(folder: Path) -> Database:
    path = folder / FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its log and its index the rights of the file itself, so it must have them before anything is in it
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror or error}; the service's user must be able to write there",
            "unreachable",
        ) from error
    engine = create_engine(f"sqlite:///{path}", pool_size=8, max_overflow=24)
    _prepare(engine)
    return Database(engine, str(path))


def _prepare(engine: Engine) -> None:
    """Have SQLite do as said: transactions where they are asked for, and nothing acknowledged before it is on disk."""

    @event.listens_for(engine, "connect")
    def _connected(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = (
            None  # the driver begins nothing by itself: "BEGIN" is said below, before DDL too
        )
        for pragma in (
            f"busy_timeout={int(WAIT_S * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        # Whoever reads first and writes later in one transaction may find that another has written: never begin so.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: Connection) -> None:
    # half a second to import, and needed once a release
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _in_words(name: str, error: DBAPIError) -> StoreError:
    # what SQLAlchemy says would repeat the statement and its values: numbers of people
    code = getattr(error.orig, "sqlite_errorcode", None)
    state, wrong, remedy = _WRONG.get((code or 0) & 0xFF, ("failed", "", ""))
    if wrong:
        return StoreError(f"{name}: the database {wrong}; {remedy}", state)
    if error.connection_invalidated or type(error.orig).__name__ == "OperationalError":
        state = "unreachable"
    return StoreError(f"{name}: the database refused ({type(error.orig).__name__})", state)
