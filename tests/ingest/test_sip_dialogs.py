"""Calls from what a tap sees: each story is told as packets, and the rows are those a person would write."""

import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.sip_made import (
    CALLEE,
    CALLER,
    FIRST,
    PHONE,
    PROXY,
    QUERY,
    SECOND,
    SECOND_PHONE,
    START,
    Call,
    Sent,
    feed,
    folded,
    later,
    packet,
    recorded,
    renamed,
    rows_of,
    shape,
    through_a_proxy,
)

from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest._sip_dialogs import MAX_LEGS
from ringfence.ingest._sip_state import LONGEST_TEXT, SipSettings

CALL = Call()


def story(sent: list[Sent], settings: SipSettings | None = None) -> list[tuple[object, ...]]:
    return [shape(call) for call in folded(feed(sent, settings)[0])]


def invite(at: float = 0.0, call: Call = CALL, *, cseq: int = 1) -> Sent:
    return (at, PHONE, PROXY, call.request("INVITE", f"phone{cseq}", cseq=cseq))


def reply(
    at: float, code: int, call: Call = CALL, *, cseq: int = 1, tag: str | None = None, extra: str = ""
) -> Sent:
    return (at, PROXY, PHONE, call.response(code, f"phone{cseq}", cseq=cseq, tag=tag, extra=extra))


def bye(at: float, call: Call = CALL, *, by: str = "caller") -> Sent:
    return (at, PHONE, PROXY, call.request("BYE", "bye", cseq=9, inside=True, backwards=by == "callee"))


@pytest.mark.parametrize("by", ["caller", "callee"])
@pytest.mark.parametrize("query", [True, False])
def test_an_answered_call_is_told_as_it_happens(by: str, query: bool) -> None:
    rows, notes = feed(through_a_proxy(CALL, by=by, query=query))
    known = {
        "call_id": "1@pbx.example",
        "caller": CALLER,
        "callee": CALLEE,
        "trunk": None,
        "attestation": None,
    }
    assert all(row.items() >= known.items() for row in rows)
    assert [shape(row) for row in rows] == [
        (0.0, None, None, None, None),
        (0.0, 4.0, None, None, None),
        (0.0, 4.0, 9.0, 16, by),
    ]
    assert notes["copies"] == 1 + query
    assert notes.get("tries", 0) == query  # the 404 of the redirect server is no end


@pytest.mark.parametrize(
    ("code", "extra", "cause", "by"),
    [
        (486, "", 17, "callee"),
        (600, "", 17, "callee"),
        (603, "", 21, "callee"),
        (480, "", 18, None),
        (404, "", 1, "network"),
        (503, "", 41, "network"),
        (503, 'Reason: SIP;cause=503, Q.850 ;cause=34;text="none"', 34, "network"),
        (302, "", None, None),
        (499, "", 31, "network"),
    ],
)  # fmt: skip
def test_a_call_that_fails(code: int, extra: str, cause: int | None, by: str | None) -> None:
    assert story([invite(), reply(0.1, 100), reply(2, code, extra=extra)]) == [(0.0, None, 2.0, cause, by)]


def test_a_call_that_is_cancelled() -> None:
    cancel = (3.0, PHONE, PROXY, CALL.request("CANCEL", "phone1"))
    ended = (3.01, PROXY, PHONE, CALL.response(200, "phone1", method="CANCEL"))
    assert story([invite(), reply(1, 180), cancel, ended, reply(3.02, 487)]) == [
        (0.0, None, 3.02, 16, "caller")
    ]
    assert story([invite(), reply(1, 180), cancel, ended]) == [
        (0.0, None, 3.0, 16, "caller")
    ]  # the 487 is lost
    # The answer crosses the CANCEL: the call is up, and the caller hangs up at once.
    assert story([invite(), reply(1, 180), cancel, reply(3.02, 200), bye(3.1)]) == [
        (0.0, 3.02, 3.1, 16, "caller")
    ]


def test_a_response_that_lost_its_vias_is_told_by_its_way() -> None:
    bare = reply(3.02, 487)[3].replace(CALL.via("phone1"), "X: y")
    sent = [
        invite(),
        reply(1, 180),
        (3.0, PHONE, PROXY, CALL.request("CANCEL", "phone1")),
        (3.02, PROXY, PHONE, bare),
    ]
    assert story(sent) == [(0.0, None, 3.02, 16, "caller")]


def test_several_phones_ring_and_the_first_answer_wins() -> None:
    legs = {FIRST: "desk", SECOND_PHONE: "mobile"}
    sent = [invite()]
    sent += [(0.01, PROXY, to, CALL.request("INVITE", name, "phone1")) for to, name in legs.items()]
    sent += [
        (1.0, FIRST, PROXY, CALL.response(486, "desk", "phone1", tag="d")),  # one is busy, the other rings on
        (5.0, SECOND_PHONE, PROXY, CALL.response(200, "mobile", "phone1", tag="m")),
        reply(5.001, 200, tag="m"),
        bye(9, replace(CALL, to_tag="m"), by="callee"),
    ]
    rows, notes = feed(sent)
    assert [shape(call) for call in folded(rows)] == [(0.0, 5.0, 9.0, 16, "callee")]
    assert notes["tries"] == 1


def test_two_phones_answer_at_once_and_one_is_hung_up() -> None:
    other = replace(CALL, to_tag="m")
    sent = [invite(), reply(5, 200), reply(5.01, 200, tag="m"), bye(5.05, other), bye(9)]
    rows, notes = feed(sent)
    assert [shape(call) for call in folded(rows)] == [(0.0, 5.0, 9.0, 16, "caller")]
    assert notes["answered_twice"] == 1


def test_a_bye_with_other_tags_ends_nothing() -> None:
    rows, notes = feed([invite(), reply(5, 200), bye(6, replace(CALL, to_tag="guessed")), bye(9)])
    assert [shape(call) for call in folded(rows)] == [(0.0, 5.0, 9.0, 16, "caller")]
    assert notes["bye_of_another"] == 1


def test_a_challenge_and_its_answer_are_one_call() -> None:
    sent = [
        invite(),
        reply(0.01, 407),
        invite(0.5, cseq=2),
        reply(0.6, 100, cseq=2),
        reply(3, 200, cseq=2),
        bye(8),
    ]
    assert story(sent) == [(0.0, 3.0, 8.0, 16, "caller")]
    slow = [
        invite(),
        reply(0.01, 401),
        invite(20, cseq=2),
        reply(23, 486, cseq=2),
    ]  # a person types the password
    assert story(slow) == [(0.0, None, 23.0, 17, "callee")]
    assert story([invite(), reply(0.01, 407)]) == [(0.0, None, 0.01, 21, "network")]


def test_a_second_try_with_the_same_call_id_is_another_call() -> None:
    """As for the readers of accounting logs: without a challenge only what comes within a second is the same attempt."""
    sent = [invite(), reply(5, 486), invite(9, cseq=2), reply(11, 200, cseq=2), bye(20)]
    assert story(sent) == [(0.0, None, 5.0, 17, "callee"), (9.0, 11.0, 20.0, 16, "caller")]
    soon = [invite(), reply(0.2, 503), invite(0.4, cseq=2), reply(3, 200, cseq=2), bye(8)]
    assert story(soon) == [(0.0, 3.0, 8.0, 16, "caller")]


def attempt(n: int, how: str, *, same_cseq: bool, same_branch: bool, hops: tuple[str, ...]) -> list[Sent]:
    """One call of a flood, all of whose INVITEs have the same Call-ID and From tag."""
    cseq, at, branch = 1 if same_cseq else n + 1, 8.0 * n, "n" if same_branch else f"n{n}"
    first = (at, PHONE, PROXY, CALL.request("INVITE", branch, *hops, cseq=cseq))
    tag = f"t{n}"

    def back(seconds: float, code: int) -> Sent:
        return (at + seconds, PROXY, PHONE, CALL.response(code, branch, *hops, cseq=cseq, tag=tag))

    match how:
        case "dropped":
            end = CALL.request("BYE", f"e{n}", cseq=cseq + 1, inside=True)
            return [first, back(1, 200), (at + 2, PHONE, PROXY, end.replace(";tag=b", f";tag={tag}"))]
        case "held":  # the first is never ended
            return [first, back(1, 200)]
        case "cancelled":
            return [
                first,
                (at + 2.9, PHONE, PROXY, CALL.request("CANCEL", branch, cseq=cseq)),
                back(2.95, 487),
            ]
        case _:
            return [first, back(1, 486)]


@pytest.mark.parametrize("how", ["dropped", "held", "cancelled", "busy"])
@pytest.mark.parametrize("same_cseq", [True, False])
@pytest.mark.parametrize("same_branch", [True, False])
@pytest.mark.parametrize("deeper", [True, False])
def test_no_flood_hides_behind_one_call_id(
    how: str, same_cseq: bool, same_branch: bool, deeper: bool
) -> None:
    sent = [
        one
        for n in range(10)
        for one in attempt(
            n, how, same_cseq=same_cseq, same_branch=same_branch, hops=("made-up",) if deeper and n else ()
        )
    ]
    found = story(sent)
    assert [call[0] for call in found] == [8.0 * n for n in range(10)]
    if how != "held":
        assert all(call[2] is not None for call in found)


def test_an_answer_may_overtake_the_invite_with_credentials() -> None:
    sent = [invite(), reply(0.01, 407), reply(0.5, 200, cseq=2), invite(0.51, cseq=2), bye(8)]
    assert story(sent) == [(0.0, 0.5, 8.0, 16, "caller")]


def test_the_next_route_after_a_failed_one() -> None:
    sent = [
        invite(),
        (0.01, PROXY, FIRST, CALL.request("INVITE", "one", "phone1")),
        (1.0, FIRST, PROXY, CALL.response(503, "one", "phone1")),
        (4.0, PROXY, SECOND_PHONE, CALL.request("INVITE", "two", "phone1")),
        (6.0, SECOND_PHONE, PROXY, CALL.response(486, "two", "phone1")),
        reply(6.01, 486),
    ]
    assert story(sent) == [(0.0, None, 6.01, 17, "callee")]


def test_where_the_callers_own_leg_is_not_seen_all_side_by_side_must_fail() -> None:
    def leg(at: float, name: str, to: str) -> Sent:
        return (at, PROXY, to, CALL.request("INVITE", name, "phone1"))

    def failed(at: float, name: str, by: str, code: int) -> Sent:
        return (at, by, PROXY, CALL.response(code, name, "phone1"))

    sent = [leg(0, "query", QUERY), failed(0.01, "query", QUERY, 404), leg(0.02, "route", FIRST)]
    assert story([*sent, failed(7, "route", FIRST, 486)]) == [(0.0, None, 7.0, 17, "callee")]
    answer = (5.0, FIRST, PROXY, CALL.response(200, "route", "phone1"))
    assert story([*sent, answer, bye(9)]) == [(0.0, 5.0, 9.0, 16, "caller")]


def test_a_proxy_that_hides_the_way() -> None:
    """Its INVITEs have one Via as well; what it refuses or tries does not end the caller's call."""
    sent = [
        invite(),
        (0.01, PROXY, QUERY, CALL.request("INVITE", "query")),
        (0.02, QUERY, PROXY, CALL.response(404, "query")),
        (0.03, PROXY, FIRST, CALL.request("INVITE", "route")),
        (3.0, FIRST, PROXY, CALL.response(486, "route")),
        reply(3.01, 486),
    ]
    assert story(sent) == [(0.0, None, 3.01, 17, "callee")]
    assert story(sent[:4]) == [(0.0, None, None, None, None)]


def test_changes_within_a_call_are_no_calls() -> None:
    def inside(at: float, method: str, *, backwards: bool = False) -> Sent:
        return (at, FIRST, PROXY, CALL.request(method, f"in{at}", cseq=5, inside=True, backwards=backwards))

    def backwards(code: int) -> str:  # a response to the called side
        other = replace(CALL, caller=f"<sip:{CALLEE}@x>", from_tag=CALL.to_tag)
        return other.response(code, "in4", cseq=5, tag=CALL.from_tag)

    sent = [
        invite(), inside(1, "PRACK"), reply(2, 200), inside(2.1, "ACK"), inside(3, "INVITE"),
        (3.1, PROXY, FIRST, CALL.response(200, "in3", cseq=5)), inside(4, "INVITE", backwards=True),
        (4.1, PROXY, FIRST, backwards(200)), inside(5, "INVITE", backwards=True), (5.1, PROXY, FIRST, backwards(488)),
        inside(6, "UPDATE"), inside(7, "INFO"), bye(9),
    ]  # fmt: skip
    rows, notes = feed(sent)
    assert [shape(row) for row in rows][-1] == (0.0, 2.0, 9.0, 16, "caller")
    assert len(rows) == 3
    assert notes == {"in_dialog": 6, "parts_of_calls": 4}


def test_repeated_packets_change_nothing() -> None:
    once = through_a_proxy(CALL)
    twice = sorted([*once, *later(once, 0.5)])
    assert feed(twice)[0] == feed(once)[0]
    late = [*once, *later(once[:8], 12)]
    assert folded(feed(late)[0]) == folded(feed(once)[0])


def test_other_methods_keep_alives_and_other_protocols_are_counted() -> None:
    calls = HepCalls()
    ask = CALL.request("OPTIONS", "x")
    sent: list[Sent] = [
        (0, PHONE, PROXY, ask), (1, PROXY, PHONE, CALL.response(200, "x", method="OPTIONS")),
        (2, PHONE, PROXY, CALL.request("REGISTER", "x")), (3, PHONE, PROXY, "\r\n\r\n"), (3, PHONE, PROXY, ""),
    ]  # fmt: skip
    packets = [*map(packet, sent), packet((4, PHONE, PROXY, "{}"), protocol=5)]
    chunk = calls.feed(packets)
    assert chunk.notes == {"other_methods": 3, "keep_alives": 2, "other_protocols": 1}
    assert (chunk.read, chunk.ignored, len(chunk.records)) == (6, 6, 0)


def test_what_cannot_be_used_is_put_aside_with_its_reason() -> None:
    nobody = CALL.request("INVITE", "x", uri="sip:proxy.example")
    packets = [
        b"GET / HTTP/1.1",
        packet((0, PHONE, PROXY, "hello")),
        packet((1, PHONE, PROXY, nobody)),
        packet(invite(2)),
    ]
    chunk = HepCalls().feed(packets, first_row=100)
    assert [(bad.row, bad.reason.split(";")[0].split(":")[0]) for bad in chunk.rejected] == [
        (100, "not a HEP3 packet"),
        (101, "not a SIP message"),
        (102, "the INVITE does not say who is called"),
    ]
    assert chunk.rows.tolist() == [103]
    assert (chunk.read, chunk.ignored) == (4, 0)
    assert chunk.notes == {"not_hep": 1, "not_sip": 1, "sip_without_callee": 1}


def test_what_has_no_beginning_is_counted() -> None:
    other = renamed(CALL, 2)
    rows, notes = feed([bye(0), reply(1, 200, other), reply(3, 486, renamed(CALL, 3))])
    assert rows == []
    assert notes == {"bye_without_invite": 1, "answer_without_invite": 1, "failure_without_invite": 1}


def test_an_answer_whose_packet_was_lost_is_proved_by_the_bye() -> None:
    rows, notes = feed([invite(), reply(3, 180), bye(9, by="callee")])
    assert [shape(call) for call in folded(rows)] == [(0.0, 3.0, 9.0, 16, "callee")]
    assert notes["answers_missed"] == 1
    # Who only rings may be hung up by BYE as well; then a 487 follows.
    assert story([invite(), reply(3, 180), bye(9), reply(9.01, 487)]) == [(0.0, None, 9.01, 16, "caller")]


@pytest.mark.parametrize("lost", range(1, 16))
def test_one_lost_packet_loses_little(lost: int) -> None:
    sent = through_a_proxy(CALL)
    del sent[lost]
    (call,) = folded(feed(sent)[0])
    assert call["start_time"] == 0
    assert call["answer_time"] == pytest.approx(4, abs=0.01)
    assert (call["end_time"], call["released_by"]) == (pytest.approx(9, abs=0.01), "caller")


@given(st.integers(0, 10_000), st.sampled_from(["caller", "callee"]), st.booleans())
def test_packets_that_overtake_each_other(seed: int, by: str, query: bool) -> None:
    """By up to 90 ms, with clocks that agree: as when a proxy's processes send their copies side by side."""
    chance = random.Random(seed)
    sent = through_a_proxy(CALL, by=by, query=query)
    shuffled = sorted(sent, key=lambda one: one[0] + chance.random() * 0.09)
    rows, _ = feed(shuffled)
    (call,) = folded(rows)
    expected = (0.0, pytest.approx(4, abs=0.02), pytest.approx(9, abs=0.02), 16, by)
    assert shape(call) == expected
    refused = [
        *sent[: 6 if query else 3],
        (2.0, FIRST, PROXY, CALL.response(486, "proxy", "phone")),
        reply_486(),
    ]
    (call,) = folded(feed(sorted(refused, key=lambda one: one[0] + chance.random() * 0.09))[0])
    assert shape(call) == (0.0, None, pytest.approx(2, abs=0.02), 17, "callee")


def reply_486() -> Sent:
    return (2.001, PROXY, PHONE, CALL.response(486, "phone"))


WITHHELD = '"Anonymous" <sip:anonymous@anonymous.invalid>'
PAI = f'P-Asserted-Identity: "Bank" <sip:{CALLER}@net.example>, <tel:+8613800000777>'


@pytest.mark.parametrize(
    ("caller", "extra", "trusted", "shown"),
    [
        (f"<sip:{CALLER}@x>", (), False, CALLER),
        (f"<sip:{CALLER}@x>", (), True, CALLER),
        ("<tel:+86-138-0000-0100>", (), False, "+86-138-0000-0100"),
        ("<sip:1@x>", (PAI,), False, "1"),  # anyone can write P-Asserted-Identity
        ("<sip:1@x>", (PAI,), True, CALLER),
        (WITHHELD, (PAI,), False, None),
        (WITHHELD, (PAI,), True, CALLER),
        (
            WITHHELD,
            (PAI, "Privacy: id;critical"),
            True,
            None,
        ),  # the network knows it, the called person does not
        (f"<sip:{CALLER}@x>", ("Privacy: user, id",), False, None),
        (f"<sip:{CALLER}@x>", ("Privacy: none",), False, CALLER),
        (f"<sip:{CALLER}@x>", ("Privacy: header;session",), False, CALLER),
        ("<sip:1@x>", (f"Remote-Party-ID: <sip:{CALLER}@x>;party=calling",), True, CALLER),
        ("<sip:1@x>", (f"Remote-Party-ID: <sip:{CALLER}@x>;party=calling;privacy=full",), True, None),
        ("<sip:proxy.example>", (), False, None),
    ],
)
def test_the_caller_is_what_the_called_person_is_shown(
    caller: str, extra: tuple[str, ...], trusted: bool, shown: str | None
) -> None:
    call = replace(CALL, caller=caller, extra=extra)
    (row,) = feed([invite(0, call)], SipSettings(trust_asserted=trusted))[0]
    assert row["caller"] == shown


def test_who_was_called_is_the_request_uri_of_the_first_invite() -> None:
    call = replace(CALL, callee="+8613800000111")  # To: what the caller's phone wrote
    sent: list[Sent] = [
        (0.0, PROXY, FIRST, call.request("INVITE", "b", "a", uri="sip:55#%2B861%305;npdi@10.0.0.1")),
        (0.05, PHONE, PROXY, call.request("INVITE", "a", uri="tel:+86-138-0000-0005;phone-context=x")),
    ]
    (row,) = feed(sent)[0]
    assert (row["callee"], row["start_time"]) == ("+86-138-0000-0005", 0.0)
    (row,) = feed(sent[:1])[0]
    assert row["callee"] == "55#+86105"


def test_the_trunk_by_address_or_by_header() -> None:
    call = replace(CALL, extra=("x-ingress: gw-intl-3",))
    settings = SipSettings(trunk_header="X-Ingress")
    (row,) = feed([invite(0, call)], settings)[0]
    assert (row["trunk"], row["ingress"]) == ("gw-intl-3", None)
    known = SipSettings(trunk_header="X-Ingress", trunks={"192.0.2.1": ("gw-1", "international")})
    (row,) = feed([invite(0, call)], known)[0]
    assert (row["trunk"], row["ingress"]) == ("gw-1", "international")
    (row,) = feed([invite(0, call)])[0]
    assert row["trunk"] is None  # who calls could write it


def test_ipv6() -> None:
    phone, proxy = "2001:db8::1:5060", "2001:db8::2:5060"
    call = replace(CALL, caller=f"<sip:{CALLER}@[2001:db8::1]>")
    sent: list[Sent] = [
        (at, phone, proxy, text) for at, _, _, text in [invite(0, call), reply(1, 200, call), bye(2, call)]
    ]
    settings = SipSettings(trunks={"2001:db8::1": ("six", "domestic")})
    (row,) = folded(feed(sent, settings)[0])
    assert shape(row) == (0.0, 1.0, 2.0, 16, "caller")
    assert (row["caller"], row["trunk"]) == (CALLER, "six")


def many(count: int) -> list[Sent]:
    """Calls of several outcomes, side by side."""
    sent: list[Sent] = []
    for n in range(count):
        call, at = renamed(CALL, n), n * 0.7
        match n % 4:
            case 0:
                sent += through_a_proxy(call, at=at, by="callee")
            case 1:
                sent += [invite(at, call), reply(at + 2, 486, call)]
            case 2:
                sent += [invite(at, call), reply(at + 0.1, 407, call), invite(at + 0.2, call, cseq=2)]
                sent += [reply(at + 2, 200, call, cseq=2), bye(at + 4, call)]
            case 3:
                sent += [(at, PROXY, FIRST, call.request("INVITE", "b", "a"))]
    return sorted(sent)


@given(st.lists(st.integers(1, 99), max_size=4))
def test_feeds_and_snapshots_may_be_cut_anywhere(cuts: list[int]) -> None:
    packets = [packet(one) for one in many(12)]
    whole = HepCalls()
    at_once = [whole.feed(packets), whole.advance(START + 60 * SECOND)]
    parts, calls, batches = sorted({0, len(packets), *cuts}), HepCalls(), []
    for first, last in pairwise(parts):
        chunk = calls.feed(packets[first:last], first_row=first + 1)
        batches.append(chunk)
        kept = json.loads(json.dumps(calls.as_json()))
        calls = HepCalls()
        calls.restore(kept)
        assert calls.as_json() == kept
    batches.append(calls.advance(START + 60 * SECOND))
    assert rows_of(*(one.records for one in batches)) == rows_of(*(one.records for one in at_once))
    assert [int(row) for one in batches for row in one.rows] == [
        int(row) for one in at_once for row in one.rows
    ]
    assert calls.as_json() == whole.as_json()


def test_time_may_pass_in_steps_or_at_once() -> None:
    packets = [packet(one) for one in many(8)]
    steps, leap = HepCalls(), HepCalls()
    told = [rows_of(calls.feed(packets).records) for calls in (steps, leap)]
    told[0] += rows_of(*(steps.advance(START + n * SECOND // 7).records for n in range(60 * 7)))
    told[1] += rows_of(leap.advance(START + 60 * SECOND).records)
    assert told[0] == told[1]


def test_memory_is_bounded_and_calls_that_are_up_go_last() -> None:
    settings = SipSettings(max_open=100)
    calls = HepCalls(settings)
    up = [invite(0, renamed(CALL, 9999)), reply(0.1, 200, renamed(CALL, 9999))]
    flood = [invite(1 + n / 1000, renamed(CALL, n)) for n in range(1000)]
    chunk = calls.feed([packet(one) for one in [*up, *flood]])
    assert len(calls) == 100
    assert len(chunk.records) == 1002  # every set-up was told all the same
    assert chunk.notes["open_calls_dropped"] == 901
    ended = calls.feed([packet(bye(5, renamed(CALL, 9999)))])
    assert [row["released_by"] for row in ended.records.to_pylist()] == ["caller"]


def test_what_a_caller_chooses_takes_bounded_memory() -> None:
    long = "x" * 5_000
    call = replace(
        CALL, call_id=long, from_tag=long, to_tag=long, callee="9" * 5_000, caller=f"<sip:{long}@x>"
    )
    calls = HepCalls()
    chunk = calls.feed([packet(one) for one in [invite(0, call), reply(1, 200, call)]])
    chunk2 = calls.feed([packet(bye(2, call))])
    rows = rows_of(chunk.records, chunk2.records)
    assert [shape(call) for call in folded(rows)] == [(0.0, 1.0, 2.0, 16, "caller")]
    assert all(len(row[name]) <= LONGEST_TEXT for row in rows for name in ("call_id", "caller", "callee"))
    assert len(json.dumps(calls.as_json())) < 3_000
    legs: list[Sent] = [
        (n / 1000, PROXY, FIRST, CALL.request("INVITE", f"leg{n}", "phone")) for n in range(200)
    ]
    calls = HepCalls()
    notes = calls.feed([packet(one) for one in [invite(), *legs]]).notes
    assert notes["legs_too_many"] == 200 - MAX_LEGS + 1
    other = replace(call, call_id=long + "y")  # told apart, though the beginning is the same
    assert len(story([invite(0, call), invite(0, other)])) == 2


def test_a_clock_that_is_wrong_hurts_nobody_else() -> None:
    calls = HepCalls()
    now = START + 10 * SECOND
    packets = [
        packet(invite(10)),
        packet(invite(90_000_000, renamed(CALL, 2))),
        packet(reply(12, 200)),
        packet(bye(14)),
    ]
    chunk = calls.feed(packets, received=[now, now, now + 2 * SECOND, now + 4 * SECOND])
    assert [shape(call) for call in folded(rows_of(chunk.records))] == [
        (10.0, 12.0, 14.0, 16, "caller"),
        (10.0, None, None, None, None),
    ]
    assert chunk.notes["clock_differs"] == 1


def test_calls_without_an_end_are_forgotten_in_time_and_counted() -> None:
    calls = HepCalls()
    calls.feed(
        [packet(one) for one in [invite(), invite(0, renamed(CALL, 2)), reply(1, 200, renamed(CALL, 2))]]
    )
    assert not len(calls.advance(START + 599 * SECOND).records)
    assert len(calls) == 2
    assert calls.advance(START + 602 * SECOND).notes == {"setups_without_end": 1}
    assert calls.advance(START + 86_402 * SECOND).notes == {"calls_without_end": 1}
    assert len(calls) == 0


@given(data=st.data())
def test_any_order_and_any_loss_keeps_the_rules_of_rows(data: st.DataObject) -> None:
    sent = many(8)
    picked = data.draw(st.lists(st.sampled_from(sent), max_size=60))
    calls = HepCalls()
    chunks = [calls.feed(map(packet, picked)), calls.advance(START + 200_000 * SECOND)]
    rows = rows_of(*(chunk.records for chunk in chunks))
    for row in rows:
        assert row["callee"] == CALLEE
        assert row["answer_time"] is None or row["answer_time"] >= row["start_time"]
        assert row["end_time"] is None or row["end_time"] >= max(row["start_time"], row["answer_time"] or 0)
        assert (row["end_time"] is not None) >= (row["cause"] is not None)
    ends = [(row["call_id"], row["start_time"]) for row in rows if row["end_time"] is not None]
    assert len(set(ends)) == len(ends)  # one end a call
    assert len(calls) == 0


@given(data=st.data())
def test_damaged_packets_break_nothing(data: st.DataObject) -> None:
    packets = []
    for one in data.draw(st.lists(st.sampled_from(many(4)), max_size=20)):
        raw = bytearray(packet(one))
        for _ in range(data.draw(st.integers(0, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        packets.append(bytes(raw))
    calls = HepCalls()
    chunk = calls.feed(packets, received=[START] * len(packets))
    chunk.records.validate(full=True)
    calls.restore(json.loads(json.dumps(calls.as_json())))
    calls.advance(START + 200_000 * SECOND).records.validate(full=True)
    assert len(calls) == 0
    assert all("\n" not in bad.reason for bad in chunk.rejected)


def test_the_calls_in_what_kamailio_sent(shared_data: Path) -> None:
    calls = HepCalls()
    packets = recorded((shared_data / "sip" / "hep3_kamailio.bin").read_bytes())
    chunk = calls.feed(packets)
    assert not chunk.rejected
    later = calls.advance(START + 10**15)
    rows = rows_of(chunk.records, later.records)
    found = folded(rows)
    assert len(found) == 14
    assert {(call["caller"], call["callee"]) for call in found} == {("sipp", "8613800000001")}
    assert [(call["answer_time"] is not None, call["cause"], call["released_by"]) for call in found] == [
        *[(True, 16, "caller")] * 9,
        *[(False, 21, "callee")] * 5,
    ]
    assert all(0.2 < call["end_time"] - call["answer_time"] < 0.5 for call in found[:9])
    assert len(rows) == 9 * 3 + 5 * 2
