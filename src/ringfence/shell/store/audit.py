"""The audit log: who looked at whose records or changed what, in a chain that shows what was altered afterwards.

Each entry has the SHA-256 of the entry before and of itself (canonical JSON). Whose records were read must be told to that
person one day, and must be erasable: so the number stands beside the chain, and within it an HMAC of it under a salt of the
entry's own. Erasing takes number and salt; the chain holds, and nobody can try numbers against what is left.
docs/audit.md says what a chain cannot show.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, select

from ringfence.model.alert import rfc3339
from ringfence.shell.store.database import Database, get_meta, set_meta
from ringfence.shell.store.redact import digest as digest_of
from ringfence.shell.store.redact import strings_with_a_number
from ringfence.shell.store.schema import AUDIT

GENESIS: Final = "0" * 64
"""The hash before the first entry."""

_HEAD: Final = "audit_head"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many entries, and the hash of the last."""

    id: int
    hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read what `str` wrote.

        Raises:
            ValueError: it is no head.
        """
        place, colon, value = text.strip().partition(":")
        if not (colon and place.isascii() and place.isdigit() and re.fullmatch(r"[0-9a-f]{64}", value)):
            raise ValueError("a head is written NUMBER:HASH, as `audit verify` prints it")
        return cls(int(place), value)


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody did.

    Attributes:
        who: name of the token, or `cli:USER`.
        what: a word such as number.read, alert.read, person.export, token.create.
        object: what it was done to, such as the id of an alert. No number.
        number: whose records, E.164; None: nobody's.
        details: anything else, small; no numbers.
    """

    who: str
    what: str
    object: str | None = None
    number: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a check. `broken`: the first entry that does not fit, `why`; None: all fit. `head`: where it ends."""

    entries: int
    head: Head
    broken: int | None = None
    why: str = ""


class Audit:
    """The audit log of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, at: int, *accesses: Access) -> Head:
        """Write down what is about to be done; on disk when this returns.

        Args:
            at: µs since 1970, UTC.
            accesses: one entry each, one after the other.

        Raises:
            ValueError: what was done names a number outside of the field for it.
            StoreError: it could not be written; then it must not be done.
        """
        for access in accesses:
            _refuse_numbers(access)
        with self._database.writing() as connection:
            head = _head(connection, lock=True)
            for access in accesses:
                head = _append(connection, head, at, access)
            set_meta(connection, _HEAD, str(head))
        return head

    def head(self) -> Head:
        """The end of the chain as it is now. Keep it elsewhere: only against it a log that was cut or rewritten shows."""
        with self._database.reading() as connection:
            return _head(connection)

    def verify(self, expected: Head | None = None) -> Verified:
        """Go over the whole chain.

        Args:
            expected: a head from before, kept elsewhere; it must lie on the chain.
        """
        before = Head(0, GENESIS)
        with self._database.reading() as connection:
            end = _head(connection)
            for row in _rows(connection):
                why = _wrong_with(row, before)
                if why:
                    return Verified(before.id, before, row.id, why)
                before = Head(row.id, row.hash)
                if expected is not None and expected.id == before.id and expected != before:
                    return Verified(
                        before.id, before, row.id, "the log was rewritten: the head from before is not on it"
                    )
        if before != end:
            return Verified(
                before.id, before, before.id + 1, f"entries are missing at the end: there were {end.id}"
            )
        if expected is not None and expected.id > before.id:
            return Verified(
                before.id, before, before.id + 1, f"entries are missing at the end: there were {expected.id}"
            )
        return Verified(before.id, before)

    def entries(self, *, number: str | None = None, numbers: bool = True) -> Iterator[dict[str, Any]]:
        """Entries in the order of the chain, as they are exported.

        Args:
            number: only those about a person.
            numbers: with numbers and salts; without them the chain can be followed all the same.
        """
        with self._database.reading() as connection:
            for row in _rows(connection, number):
                entry = {**_content(row), "time": rfc3339(row.at), "hash": row.hash}
                yield {**entry, "number": row.number, "salt": row.salt} if numbers else entry

    def lines(self, *, numbers: bool = True) -> Iterator[bytes]:
        """All entries as JSON Lines."""
        for entry in self.entries(numbers=numbers):
            yield orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)

    def erase(self, number: str) -> int:
        """Take a number out of all entries; the chain stays as it is. Returns in how many it stood."""
        with self._database.writing() as connection:
            found = AUDIT.update().where(AUDIT.c.number == number).values(number=None, salt=None)
            count = connection.execute(found).rowcount
        self._database.wipe()
        return count


def _refuse_numbers(access: Access) -> None:
    if strings_with_a_number([access.who, access.what, access.object, dict(access.details)]):
        raise ValueError(
            "an entry of the audit log names a number outside of `number`: it could not be erased"
        )


def _append(connection: Connection, head: Head, at: int, access: Access) -> Head:
    salt = None if access.number is None else secrets.token_hex(16)
    row = {
        "id": head.id + 1,
        "at": at,
        "who": access.who,
        "what": access.what,
        "object": access.object,
        "details": orjson.dumps(dict(access.details), option=orjson.OPT_SORT_KEYS).decode(),
        "number": access.number,
        "salt": salt,
        "digest": None if access.number is None or salt is None else digest_of(access.number, salt),
    }
    content = {name: row[name] for name in _CHAINED}
    row["hash"] = chain(head.hash, content)
    connection.execute(AUDIT.insert().values(**row))
    return Head(head.id + 1, str(row["hash"]))


_CHAINED: Final = ("id", "at", "who", "what", "object", "details", "digest")


def chain(before: str, content: Mapping[str, Any]) -> str:
    """The hash of an entry: SHA-256 over the hash before (64 hexadecimal digits) and the entry's JSON, keys sorted, no blanks.

    Args:
        before: the hash before, `GENESIS` for the first entry.
        content: `id`, `at`, `who`, `what`, `object`, `details` (JSON as text) and `digest`.
    """
    own = orjson.dumps(dict(content), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(before.encode() + own).hexdigest()


def _content(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CHAINED}


def _wrong_with(row: Row[Any], before: Head) -> str:
    if row.id != before.id + 1:
        return f"entry {before.id + 1} is missing"
    if not hmac.compare_digest(row.hash, chain(before.hash, _content(row))):
        return "it was altered, or stands in the place of another one"
    if row.number is not None and not hmac.compare_digest(
        digest_of(row.number, row.salt or ""), row.digest or ""
    ):
        return "its number was altered"
    return ""


def _head(connection: Connection, *, lock: bool = False) -> Head:
    found = get_meta(connection, _HEAD, lock=lock)
    return Head(0, GENESIS) if found is None else Head.parse(found)


def _rows(connection: Connection, number: str | None = None) -> Iterator[Row[Any]]:
    query = select(AUDIT).order_by(AUDIT.c.id)
    if number is not None:
        query = query.where(AUDIT.c.number == number)
    yield from connection.execution_options(yield_per=1000).execute(query)
