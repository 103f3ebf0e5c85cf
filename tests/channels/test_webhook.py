"""Signatures: what was sent by whom, when; nothing else passes."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.channel import Event
from ringfence.channels.webhook import body, headers, sign, verify

NOW = 1_772_676_000
SECRET, OTHER = "a secret of sixteen", "another secret, newer"
EVENT = Event("flood-1:raised:1", "alert.raised", NOW * 1_000_000, {"alert_id": "flood-1", "kind": "flood"})


def test_the_body() -> None:
    assert json.loads(body(EVENT)) == {
        "id": "flood-1:raised:1",
        "type": "alert.raised",
        "at": "2026-03-05T02:00:00.000000Z",
        "alert": {"alert_id": "flood-1", "kind": "flood"},
    }


def test_the_signature_is_what_the_documentation_says() -> None:
    expected = hmac.new(SECRET.encode(), b"1772676000.{}", hashlib.sha256).hexdigest()
    assert sign(b"{}", [SECRET], NOW) == f"t=1772676000,v1={expected}"


def test_the_headers() -> None:
    given = headers(EVENT, b"{}", "application/json", [SECRET], NOW)
    assert given["Ringfence-Event"] == "flood-1:raised:1"
    assert given["Ringfence-Type"] == "alert.raised"
    assert verify(given["Ringfence-Signature"], b"{}", [SECRET], NOW)
    assert "Ringfence-Signature" not in headers(EVENT, b"{}", "application/json", [], NOW)


@pytest.mark.parametrize("known", [[SECRET], [OTHER], [OTHER, SECRET]])
def test_while_a_secret_is_changed_either_will_do(known: list[str]) -> None:
    assert verify(sign(b"{}", [SECRET, OTHER], NOW), b"{}", known, NOW)
    assert not verify(sign(b"{}", ["a third one, unknown"], NOW), b"{}", known, NOW)


@pytest.mark.parametrize(
    ("late", "fits"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_what_was_recorded_cannot_be_sent_later(late: int, fits: bool) -> None:
    assert verify(sign(b"{}", [SECRET], NOW), b"{}", [SECRET], NOW + late) is fits


@pytest.mark.parametrize(
    "header",
    ["", "t=", "t=1", "v1=00", "t=x,v1=00", "t=1,t=2,v1=00", "t=²,v1=00", "t=" + "9" * 5000 + ",v1=00", "t=1,v1=é", ",,,="],
)  # fmt: skip
def test_no_header_is_an_error(header: str) -> None:
    assert not verify(header, b"{}", [SECRET], NOW)


@given(payload=st.binary(max_size=200), place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_one_bit_of_another_body_does_not_pass(payload: bytes, place: int, bit: int) -> None:
    signed = sign(payload, [SECRET], NOW)
    assert verify(signed, payload, [SECRET], NOW)
    assert not verify(signed, payload + b"\n", [SECRET], NOW)
    if payload:
        changed = bytearray(payload)
        changed[place % len(payload)] ^= 1 << bit
        assert not verify(signed, bytes(changed), [SECRET], NOW)


def test_another_time_under_the_same_signature_does_not_pass() -> None:
    signed = sign(b"{}", [SECRET], NOW)
    assert not verify(signed.replace(f"t={NOW}", f"t={NOW + 1}"), b"{}", [SECRET], NOW)
    assert not verify(signed, b"{}", [], NOW)
