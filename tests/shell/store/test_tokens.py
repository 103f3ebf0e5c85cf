"""Tokens: shown once, kept as hashes, gone when revoked."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.store.making import DAY, SECOND, T0

from ringfence.shell.store.store import Store
from ringfence.shell.store.tokens import SCOPES, Principal, TokenError

HOUR = 3600 * SECOND


def test_a_token_opens_what_it_is_for(store: Store) -> None:
    secret = store.tokens.create("desk", ["alerts:read", "screen", "screen"], at=T0)
    assert store.tokens.check(secret, T0) == Principal("desk", frozenset({"alerts:read", "screen"}))
    assert secret.startswith("rf_")
    assert len(secret) == 46


def test_no_two_are_the_same(store: Store) -> None:
    secrets = {store.tokens.create(f"t{n}", ["screen"], at=T0) for n in range(20)}
    assert len(secrets) == 20


def test_only_a_hash_is_kept(store: Store, tmp_path: Path) -> None:
    secret = store.tokens.create("desk", ["screen"], at=T0)
    raw = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert secret[8:].encode() not in raw
    assert hashlib.sha256(secret.encode()).hexdigest().encode() in raw
    (token,) = store.tokens.list()
    assert (token.name, token.beginning) == ("desk", secret[:8])


@pytest.mark.parametrize("change", ["last", "first", "cut", "longer", "case", "empty", "newline", "wide"])
def test_what_is_nearly_a_token_opens_nothing(store: Store, change: str) -> None:
    secret = store.tokens.create("desk", ["screen"], at=T0)
    other = {
        "last": secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        "first": "rg_" + secret[3:],
        "cut": secret[:-1],
        "longer": secret + "A",
        "case": secret.swapcase(),
        "empty": "",
        "newline": secret + "\n",
        "wide": "rf_" + "１" * 43,
    }[change]
    assert store.tokens.check(other, T0) is None


@settings(max_examples=8)
@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_text_is_an_error(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    with Store.open(tmp_path_factory.mktemp("data")) as store:
        for text in texts:
            assert store.tokens.check(text, T0) is None
            assert store.tokens.check("rf_" + text, T0) is None


def test_revoked_at_once_here_and_soon_elsewhere(store: Store, tmp_path: Path) -> None:
    secret = store.tokens.create("desk", ["screen"], at=T0)
    with Store.open(tmp_path / "data") as elsewhere:
        assert elsewhere.tokens.check(secret, T0)
        store.tokens.revoke("desk", T0)
        assert store.tokens.check(secret, T0) is None
        assert elsewhere.tokens.check(secret, T0 + 4 * SECOND), "remembered for five seconds"
        assert elsewhere.tokens.check(secret, T0 + 5 * SECOND) is None
        assert elsewhere.tokens.check(secret, T0) is None
    assert store.tokens.list()[0].revoked_at == T0
    with pytest.raises(TokenError, match="no token desk"):
        store.tokens.revoke("desk", T0)


def test_a_clock_that_steps_back_does_not_keep_a_revoked_one(store: Store, tmp_path: Path) -> None:
    secret = store.tokens.create("desk", ["screen"], at=T0)
    assert store.tokens.check(secret, T0 + DAY)
    with Store.open(tmp_path / "data") as elsewhere:
        elsewhere.tokens.revoke("desk", T0)
    assert store.tokens.check(secret, T0) is None


def test_expiry(store: Store) -> None:
    secret = store.tokens.create("desk", ["screen"], at=T0, expires_at=T0 + 3 * SECOND)
    assert store.tokens.check(secret, T0 + 3 * SECOND - 1)
    assert store.tokens.check(secret, T0 + 3 * SECOND) is None, "to the moment, though it is remembered"


def test_last_use_is_coarse(store: Store) -> None:
    secret = store.tokens.create("desk", ["screen"], at=T0)
    assert store.tokens.list()[0].used_at is None
    for now in (T0 + 7, T0 + 10 * SECOND):
        store.tokens.check(secret, now)
        assert store.tokens.list()[0].used_at == T0
    store.tokens.check(secret, T0 + HOUR + 7)
    assert store.tokens.list()[0].used_at == T0 + HOUR


def test_a_full_disk_locks_nobody_out(store: Store) -> None:
    from sqlalchemy import event

    secret = store.tokens.create("desk", ["screen"], at=T0)
    store.database.engine.dispose()
    event.listen(store.database.engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only=1").close())
    assert store.tokens.check(secret, T0)


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "match"),
    [
        ("desk", ["nonsense"], None, "no scope nonsense"),
        ("desk", [], None, "needs a scope"),
        ("", ["screen"], None, "name"),
        ("a b", ["screen"], None, "name"),
        ("x" * 65, ["screen"], None, "name"),
        ("13800000001", ["screen"], None, "name"),
        ("taken", ["screen"], None, "given once"),
        ("desk", ["screen"], T0, "expired"),
    ],
)
def test_a_token_that_cannot_be(
    store: Store, name: str, scopes: list[str], expires_at: int | None, match: str
) -> None:
    store.tokens.create("taken", ["screen"], at=T0)
    store.tokens.revoke("taken", T0)
    with pytest.raises(TokenError, match=match) as caught:
        store.tokens.create(name, scopes, at=T0, expires_at=expires_at)
    assert "\n" not in str(caught.value)
    assert len(store.tokens.list()) == 1


def test_every_scope_is_said_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "tokens.md").read_text("utf-8")
    for scope in SCOPES:
        assert f"`{scope}`" in page
