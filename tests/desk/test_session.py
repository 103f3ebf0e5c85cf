import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from ringfence.desk.guard import Guard, is_own
from ringfence.desk.session import COOKIE, LASTS_S, OpenDoor, Sessions, key_in
from ringfence.shell.store.store import Store

NOW = 1_772_676_000_000_000


class Moment:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "desk.db") as opened:
        yield opened


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def sessions(store: Store, moment: Moment) -> Sessions:
    return Sessions(b"k" * 32, store.tokens, moment)


def token(store: Store, name: str = "li", scopes: tuple[str, ...] = ("alerts:read",), **more: Any) -> str:
    return store.tokens.create(name, scopes, at=NOW, **more)


def test_a_token_begins_a_session_and_stands_in_no_cookie(store: Store, sessions: Sessions) -> None:
    secret = token(store)
    cookie = sessions.begin(secret)
    assert cookie is not None
    who = sessions.principal(cookie)
    assert who is not None
    assert (who.name, who.scopes) == ("li", frozenset({"alerts:read"}))
    readable = base64.urlsafe_b64decode(cookie.split(".")[0] + "==").decode()
    assert secret not in cookie + readable
    assert secret[3:20] not in cookie + readable


def test_who_may_not_look_gets_no_session(store: Store, sessions: Sessions) -> None:
    assert sessions.begin(token(store, scopes=("events:write",))) is None
    assert sessions.begin("rf_" + "x" * 43) is None
    assert sessions.begin("") is None


def test_a_session_ends_with_its_token(store: Store, sessions: Sessions, moment: Moment) -> None:
    cookie = sessions.begin(token(store))
    store.tokens.revoke("li", NOW)
    sessions._read_at = -1e9  # some seconds later
    assert sessions.principal(cookie) is None
    short = sessions.begin(token(store, "wang", expires_at=NOW + 1_000_000))
    assert sessions.principal(short) is not None
    moment.now += 1_000_000
    assert sessions.principal(short) is None


def test_a_session_ends_after_a_working_day_and_when_its_owner_says_so(
    store: Store, sessions: Sessions, moment: Moment
) -> None:
    secret = token(store)
    one, other = sessions.begin(secret), sessions.begin(secret)
    sessions.end(one)
    assert sessions.principal(one) is None
    assert sessions.principal(other) is not None
    moment.now += LASTS_S * 1_000_000
    assert sessions.principal(other) is None


def test_a_clock_set_back_does_not_make_a_session_longer(
    store: Store, sessions: Sessions, moment: Moment
) -> None:
    cookie = sessions.begin(token(store))
    moment.now -= 3_600_000_000
    assert sessions.principal(cookie) is None


def test_another_key_signs_nothing_here(store: Store, sessions: Sessions, moment: Moment) -> None:
    cookie = Sessions(b"x" * 32, store.tokens, moment).begin(token(store))
    assert sessions.principal(cookie) is None


@given(st.text(max_size=300), st.integers(0, 200), st.integers(1, 255))
def test_no_made_up_cookie_is_taken(
    tmp_path_factory: pytest.TempPathFactory, text: str, place: int, change: int
) -> None:
    with Store.open(tmp_path_factory.mktemp("s") / "desk.db") as store:
        sessions = Sessions(b"k" * 32, store.tokens, Moment())
        assert sessions.principal(text) is None
        cookie = sessions.begin(token(store))
        assert cookie is not None
        altered = bytearray(cookie.encode())
        altered[place % len(altered)] ^= change
        read = altered.decode("latin-1")
        if _decoded(read) != _decoded(cookie):  # the last letter of base64 has bits to spare
            assert sessions.principal(read) is None


def _decoded(cookie: str) -> Any:
    try:
        return [base64.urlsafe_b64decode(part + "==") for part in cookie.split(".")]
    except ValueError:
        return None


def test_guessing_is_slowed_down(sessions: Sessions) -> None:
    assert [sessions.wait("192.0.2.1") > 0 for _ in range(7)] == [False] * 5 + [True] * 2
    assert sessions.wait("192.0.2.2") == 0
    assert [sessions.wait(f"2001:db8::{n}") > 0 for n in range(1, 7)] == [False] * 5 + [True]


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    key = key_in(tmp_path)
    assert len(key) == 32
    assert key_in(tmp_path) == key
    assert (tmp_path / "desk.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["desk.key"]


# --- the guard -------------------------------------------------------------------------------------------------------


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    body = b"<html><script>1</script><script src='x'></script>&lt;script></html>"
    headers = [(b"content-type", b"text/html"), (b"content-length", b"9999")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[:10], "more_body": True})
    await send({"type": "http.response.body", "body": body[10:]})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def ask(guard: Guard, path: str, kind: str = "http", method: str = "GET", **headers: str) -> Answer:
    """Ask for a page, or open a socket: status 101 where it is opened."""
    sent: list[Message] = []
    given = [(name.encode(), value.encode()) for name, value in {"host": "desk.example", **headers}.items()]
    scope = {
        "type": kind,
        "path": path,
        "headers": given,
        "query_string": b"",
        **({"method": method} if kind == "http" else {}),
    }

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(guard(scope, receive, send))
    if kind == "websocket":
        return Answer(101 if sent[0]["type"] == "websocket.accept" else 403, {}, "")
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(one["body"] for one in sent[1:]).decode())


@pytest.fixture
def guarded(sessions: Sessions) -> Guard:
    return Guard(inner, sessions)


SOCKET = "/_nicegui_ws/socket.io/"


def test_nobody_gets_in_without_a_session(guarded: Guard) -> None:
    assert ask(guarded, "/").headers["location"] == "/sign-in"
    assert ask(guarded, SOCKET).status == 401
    assert ask(guarded, SOCKET, "websocket").status == 403
    for path in ("/nothing", "/v1/nothing", "/_nicegu", "//", "/_nicegui_ws"):
        assert ask(guarded, path).status == 404, path
        assert ask(guarded, path, "websocket").status == 403, path
    assert ask(guarded, "/", method="POST").status == 404
    assert ask(guarded, "/", "websocket").status == 403


def test_a_session_opens_the_page_and_its_socket(guarded: Guard, store: Store, sessions: Sessions) -> None:
    cookie = f"{COOKIE}={sessions.begin(token(store))}"
    answer = ask(guarded, "/", cookie=cookie)
    nonce = answer.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert answer.text == (
        f'<html><script nonce="{nonce}">1</script><script nonce="{nonce}" src=\'x\'></script>&lt;script></html>'
    )
    assert answer.headers["content-length"] == str(len(answer.text))
    assert nonce not in ask(guarded, "/", cookie=cookie).text
    assert ask(guarded, SOCKET, "websocket", cookie=cookie).status == 101
    for site in ("https://evil.example", "null", "http://desk.example.evil.example"):
        assert ask(guarded, SOCKET, "websocket", cookie=cookie, origin=site).status == 403
        assert ask(guarded, SOCKET, cookie=cookie, origin=site).status == 403


def test_another_sites_page_opens_no_socket_even_where_everybody_may_look() -> None:
    guard = Guard(inner, OpenDoor())
    assert ask(guard, SOCKET, "websocket", origin="http://desk.example").status == 101
    assert ask(guard, SOCKET, "websocket", origin="http://evil.example").status == 403


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ({"origin": "http://desk.example:8080"}, True),
        ({"origin": "https://DESK.example:8080", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, True),
        ({}, True),
        ({"origin": "http://desk.example"}, False),
        ({"origin": "http://desk.example:8080.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://desk.example:8080", "sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
    ],
)
def test_only_pages_from_here_are_ones_own(given: dict[str, str], *, own: bool) -> None:
    assert is_own(Headers({"host": "desk.example:8080"} | given)) is own
