"""Endpoints: what is configured wrongly is refused, answers mean what they should, pauses grow and end."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.shell.service.endpoints import SECOND, Answer, Endpoint, EndpointError, asked_pause_s, pause_s

NOW = 1_772_676_000 * SECOND  # Thu, 05 Mar 2026 02:00:00 GMT
URL = "https://desk.example/hook"


def test_defaults() -> None:
    assert Endpoint("desk", URL).channel == "ringfence"
    Endpoint("desk", "http://127.0.0.1:8080/x?y=1", secrets=("x" * 16, "y" * 16), kinds=frozenset({"flood"}))


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "ftp://desk.example/"},
        {"url": "file:///etc/passwd"},
        {"url": "desk.example"},
        {"url": "https://"},
        {"url": "https://desk.example:99999/"},
        {"url": "https://[::1/"},
        {"url": "https://me:secret@desk.example/"},
        {"channel": "pigeon"},
        {"types": frozenset({"alert.eaten"})},
        {"secrets": ("short",)},
        {"secrets": ("x" * 16, "y" * 16, "z" * 16)},
        {"concurrency": 0},
        {"max_attempts": 0},
        {"backlog": 0},
        {"answer_s": 0},
        {"max_age_s": -1},
    ],
    ids=str,
)
def test_what_is_configured_wrongly(fields: dict[str, Any]) -> None:
    with pytest.raises(EndpointError, match="webhook desk: ") as caught:
        Endpoint("desk", **{"url": URL} | fields)
    assert "\n" not in str(caught.value)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "arrived", "refused", "busy"),
    [
        (200, True, False, False),
        (202, True, False, False),
        (299, True, False, False),
        (301, False, False, False),
        (400, False, True, False),
        (408, False, False, False),
        (422, False, True, False),
        (429, False, False, True),
        (500, False, False, False),
        (503, False, False, True),
        (None, False, False, False),
    ],
)
def test_answers(status: int | None, arrived: bool, refused: bool, busy: bool) -> None:
    answer = Answer(status)
    assert (answer.arrived, answer.is_refused, answer.is_busy) == (arrived, refused, busy)


@given(failures=st.integers(1, 10**6), chance=st.floats(0, 1))
def test_pauses_are_bounded(failures: int, chance: float) -> None:
    assert 0 <= pause_s(failures, lambda: chance) <= min(2.0 ** (min(failures, 40) - 1), 300)


def test_pauses_grow() -> None:
    assert [pause_s(n, lambda: 1.0) for n in (1, 2, 3, 9, 10, 99)] == [1, 2, 4, 256, 300, 300]


@pytest.mark.parametrize(
    ("status", "asked", "seconds"),
    [
        (503, "120", 120),
        (429, " 7 ", 7),
        (503, "999999999999999999999", 3600),
        (503, "Thu, 05 Mar 2026 02:01:00 GMT", 60),
        (503, "Thu, 05 Mar 2026 02:01:00", 60),
        (503, "Thu, 05 Mar 2020 02:01:00 GMT", 0),
        (503, "Thu, 05 Mar 2029 02:01:00 GMT", 3600),
        (503, "Mon, 01 Jan 99999999999 00:00:00 GMT", 0),
        (503, "Mon, 01 Jan 2029 00:00:00 +99999999999999999999", 0),
        (503, "soon", 0),
        (503, "-5", 0),
        (503, "²", 0),
        (503, None, 0),
        (500, "120", 0),
    ],
)
def test_the_pause_that_is_asked_for(status: int, asked: str | None, seconds: float) -> None:
    assert asked_pause_s(Answer(status, retry_after=asked), NOW) == seconds


@given(st.text())
def test_whatever_is_asked(asked: str) -> None:
    assert 0 <= asked_pause_s(Answer(503, retry_after=asked), NOW) <= 3600


def test_certificates_that_are_none(tmp_path: Path) -> None:
    from ringfence.shell.service.webhooks import Webhooks
    from ringfence.shell.store.deliveries import Deliveries
    from ringfence.shell.store.store import Store

    (tmp_path / "ca.pem").write_text("no certificate")
    with Store.open(tmp_path) as store:
        assert isinstance(store.deliveries, Deliveries)
        for path in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
            with pytest.raises(EndpointError, match="certificates"):
                Webhooks(
                    store.deliveries, [Endpoint("w", URL, ca_file=path)], now=lambda: 0, chance=lambda: 0.0
                )
        with pytest.raises(EndpointError, match="two"):
            Webhooks(store.deliveries, [Endpoint("w", URL)] * 2, now=lambda: 0, chance=lambda: 0.0)
