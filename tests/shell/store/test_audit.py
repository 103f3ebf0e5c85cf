"""The audit log: whatever is altered shows, and a number can be erased without breaking it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from tests.shell.store.making import T0, number, opened

from ringfence.shell.store.audit import GENESIS, Access, Head, chain
from ringfence.shell.store.store import Store

READ = Access(who="desk", what="number.read", number=number(1))


def fill(store: Store, entries: int = 6) -> Head:
    for n in range(entries):
        access = Access("desk", "number.read", number=number(n % 2), details={"n": n})
        store.audit.append(T0 + n, access if n % 3 else Access("cli:root", "token.create", object="desk"))
    return store.audit.head()


def tamper(store: Store, *statements: str) -> None:
    with store.database.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_log_that_nobody_touched(store: Store) -> None:
    assert store.audit.verify().head == Head(0, GENESIS)
    head = fill(store)
    found = store.audit.verify(head)
    assert (found.broken, found.entries, found.head) == (None, 6, head)
    assert store.audit.append(T0, READ, READ).id == 8
    assert store.audit.verify(head).broken is None


@pytest.mark.parametrize("column", ["at", "who", "what", "object", "details", "digest", "hash"])
def test_an_edit_shows(store: Store, column: str) -> None:
    fill(store)
    value = 5 if column == "at" else '{"n":9}'
    tamper(store, f"UPDATE audit SET \"{column}\" = '{value}' WHERE id = 3")
    assert store.audit.verify().broken == 3


def test_another_number_shows(store: Store) -> None:
    fill(store)
    tamper(store, f"UPDATE audit SET number = '{number(7)}' WHERE id = 3")
    found = store.audit.verify()
    assert (found.broken, found.why) == (3, "its number was altered")


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (["DELETE FROM audit WHERE id = 3"], 4),
        (["DELETE FROM audit WHERE id = 1"], 2),
        (["DELETE FROM audit WHERE id = 6"], 6),
        (["DELETE FROM audit"], 1),
        (["DELETE FROM audit WHERE id = 3", "UPDATE audit SET id = id - 1 WHERE id > 3"], 3),
        (["UPDATE audit SET id = -1 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 3", "UPDATE audit SET id = 3 WHERE id = -1"], 2),
        (["INSERT INTO audit SELECT 7, at, who, what, object, details, number, salt, digest, hash FROM audit WHERE id = 6"], 7),
    ],
    ids=["one deleted", "the first", "the last", "all", "deleted and moved up", "two exchanged", "one repeated"],
)  # fmt: skip
def test_what_is_missing_moved_or_put_in_shows(store: Store, statements: list[str], broken: int) -> None:
    fill(store)
    tamper(store, *statements)
    found = store.audit.verify()
    assert found.broken == broken
    assert found.why
    assert "\n" not in found.why


def rewrite(
    connection: Connection, alter: Callable[[list[dict[str, object]]], list[dict[str, object]]]
) -> None:
    """As somebody would who knows how the chain is made: all hashes anew, the kept head too."""
    rows = alter([dict(row._mapping) for row in connection.execute(text("SELECT * FROM audit ORDER BY id"))])
    connection.execute(text("DELETE FROM audit"))
    before = GENESIS
    for place, row in enumerate(rows, 1):
        row["id"] = place
        content = {name: row[name] for name in ("id", "at", "who", "what", "object", "details", "digest")}
        before = row["hash"] = chain(before, content)
        names = ", ".join(row)
        connection.execute(
            text(f"INSERT INTO audit ({names}) VALUES ({', '.join(':' + name for name in row)})"), row
        )
    connection.execute(
        text("UPDATE meta SET value = :v WHERE name = 'audit_head'"), {"v": f"{len(rows)}:{before}"}
    )


@pytest.mark.parametrize("how", ["cut", "without one", "longer again"])
def test_one_who_makes_the_chain_anew_is_found_by_a_head_that_was_kept(store: Store, how: str) -> None:
    head = fill(store)
    with store.database.writing() as connection:
        rewrite(connection, lambda rows: rows[:4] if how == "cut" else rows[:2] + rows[3:])
    if how == "longer again":
        store.audit.append(T0, READ, READ)
    assert store.audit.verify().broken is None, "the chain alone cannot show it"
    assert store.audit.verify(head).broken is not None


def test_a_number_is_erased_and_the_chain_holds(store: Store, tmp_path: Path) -> None:
    head = fill(store)
    assert store.audit.erase(number(1)) == 2
    assert store.audit.verify(head).broken is None
    assert number(1).encode() not in b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert list(store.audit.entries(number=number(1))) == []
    assert store.audit.erase(number(1)) == 0


def test_a_digest_without_its_salt_tells_nothing(store: Store) -> None:
    """The same number has another digest in each entry: nobody can see that two are about one person."""
    store.audit.append(T0, READ, READ)
    digests = [entry["digest"] for entry in store.audit.entries()]
    assert len(set(digests)) == 2


def test_a_person_can_be_told_who_looked(store: Store) -> None:
    fill(store)
    assert [
        (entry["who"], entry["what"], entry["id"]) for entry in store.audit.entries(number=number(1))
    ] == [
        ("desk", "number.read", 2),
        ("desk", "number.read", 6),
    ]


def test_the_export_can_be_verified_by_anybody(store: Store) -> None:
    head = fill(store)
    before = GENESIS
    for line in store.audit.lines(numbers=False):
        entry = json.loads(line)
        assert "number" not in entry
        assert "salt" not in entry
        before = chain(
            before, {name: entry[name] for name in ("id", "at", "who", "what", "object", "details", "digest")}
        )
        assert entry["hash"] == before
    assert Head(entry["id"], before) == head
    assert json.loads(next(store.audit.lines()))["time"] == "2026-03-05T02:00:00.000000Z"


@pytest.mark.parametrize(
    "access",
    [
        Access(number(1), "x"),
        Access("desk", "x", object=number(1)),
        Access("desk", "x", object="13800000001"),
        Access("desk", "x", details={"a": [f"call {number(1)}"]}),
    ],
)
def test_no_number_gets_in_where_it_could_not_be_erased(store: Store, access: Access) -> None:
    with pytest.raises(ValueError, match="names a number"):
        store.audit.append(T0, READ, access)
    assert store.audit.head().id == 0


@pytest.mark.parametrize(
    "head", ["", "1", "1:", ":" + "0" * 64, "x:" + "0" * 64, "1:" + "0" * 63, "²:" + "0" * 64]
)
def test_what_is_no_head(head: str) -> None:
    with pytest.raises(ValueError, match="NUMBER:HASH"):
        Head.parse(head)
    assert Head.parse(f" 3:{GENESIS}\n") == Head(3, GENESIS)


@settings(max_examples=15)
@given(
    words=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Nd"]), max_size=20), min_size=1, max_size=5
    ),
    victim=st.integers(0, 4),
)
def test_any_words_hold_and_any_edit_of_them_shows(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], victim: int
) -> None:
    with opened(tmp_path_factory.mktemp("data")) as store:
        store.audit.append(T0, *(Access("desk", word, object=word, details={word: word}) for word in words))
        assert store.audit.verify().broken is None
        place = victim % len(words) + 1
        tamper(store, f"UPDATE audit SET what = what || 'x' WHERE id = {place}")
        assert store.audit.verify().broken == place
