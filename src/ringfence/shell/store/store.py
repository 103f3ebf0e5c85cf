"""The whole store under one name."""

from pathlib import Path
from typing import Self

from ringfence.shell.store.alerts import AlertStore
from ringfence.shell.store.audit import Audit
from ringfence.shell.store.database import Database, open_database
from ringfence.shell.store.deliveries import Deliveries
from ringfence.shell.store.marks import Marks
from ringfence.shell.store.outbox import Outbox
from ringfence.shell.store.people import People
from ringfence.shell.store.tokens import Tokens


class Store:
    """Alerts, what people say of them, the feed, deliveries, tokens and the audit log, over one database.

    May be used from any number of threads; every method blocks until the disk has answered.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.alerts = AlertStore(database)
        self.marks = Marks(database)
        self.people = People(database)
        self.outbox = Outbox(database)
        self.deliveries = Deliveries(database)
        self.tokens = Tokens(database)
        self.audit = Audit(database)

    @classmethod
    def open(cls, where: Path | str) -> Self:
        """Open it; see `open_database`.

        Raises:
            StoreError: it cannot be opened.
        """
        return cls(open_database(where))

    def close(self) -> None:
        """Close it."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
