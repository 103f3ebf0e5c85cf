"""SIP messages: the torture tests of RFC 4475, how headers may be written, and damage."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.sip_made import CALLEE, CALLER, Call, recorded

from ringfence.ingest._hep3 import decode
from ringfence.ingest._sip import CALL_METHODS, MAX_BYTES, Message, SipError, method_of, parse
from ringfence.ingest._sip_address import address, addresses, user_of
from ringfence.ingest._sip_check import refusal

VALID, REFUSE, LATER = "valid", "must be refused", "well formed; a SIP element reacts further up"

# Each message of RFC 4475: its section, the RFC's verdict, and what a passive reader takes it for:
# a message of a call, of none (counted), or nothing that can be understood.
A_CALL, NO_CALL, REFUSED = "a call's", "no call's", "refused"
TORTURE = {
    "wsinv": ("3.1.1.1", VALID, A_CALL),
    "intmeth": ("3.1.1.2", VALID, NO_CALL),
    "esc01": ("3.1.1.3", VALID, A_CALL),
    "escnull": ("3.1.1.4", VALID, NO_CALL),
    "esc02": ("3.1.1.5", VALID, NO_CALL),
    "lwsdisp": ("3.1.1.6", VALID, NO_CALL),
    "longreq": ("3.1.1.7", VALID, A_CALL),
    "dblreq": ("3.1.1.8", VALID, NO_CALL),
    "semiuri": ("3.1.1.9", VALID, NO_CALL),
    "transports": ("3.1.1.10", VALID, NO_CALL),
    "mpart01": ("3.1.1.11", VALID, NO_CALL),
    "unreason": ("3.1.1.12", VALID, A_CALL),
    "noreason": ("3.1.1.13", VALID, A_CALL),
    "badinv01": ("3.1.2.1", REFUSE, A_CALL),
    "clerr": ("3.1.2.2", REFUSE, A_CALL),
    "ncl": ("3.1.2.3", REFUSE, A_CALL),
    "scalar02": ("3.1.2.4", REFUSE, NO_CALL),
    "scalarlg": ("3.1.2.5", REFUSE, NO_CALL),
    "quotbal": ("3.1.2.6", REFUSE, A_CALL),
    "ltgtruri": ("3.1.2.7", REFUSE, A_CALL),
    "lwsruri": ("3.1.2.8", REFUSE, A_CALL),
    "lwsstart": ("3.1.2.9", REFUSE, A_CALL),
    "trws": ("3.1.2.10", REFUSE, NO_CALL),
    "escruri": ("3.1.2.11", REFUSE, A_CALL),
    "baddate": ("3.1.2.12", REFUSE, A_CALL),
    "regbadct": ("3.1.2.13", REFUSE, NO_CALL),
    "badaspec": ("3.1.2.14", REFUSE, NO_CALL),
    "baddn": ("3.1.2.15", REFUSE, NO_CALL),
    "badvers": ("3.1.2.16", REFUSE, REFUSED),
    "mismatch01": ("3.1.2.17", REFUSE, NO_CALL),
    "mismatch02": ("3.1.2.18", REFUSE, NO_CALL),
    "bigcode": ("3.1.2.19", REFUSE, REFUSED),
    "badbranch": ("3.2.1", LATER, NO_CALL),  # the magic cookie alone: the transaction layer's
    "insuf": ("3.3.1", REFUSE, REFUSED),  # 400: no Call-ID, From, To
    "unkscm": ("3.3.2", LATER, NO_CALL),  # 416
    "novelsc": ("3.3.3", LATER, NO_CALL),  # 416
    "unksm2": ("3.3.4", LATER, NO_CALL),  # a registrar refuses the To
    "bext01": ("3.3.5", LATER, NO_CALL),  # 420
    "invut": ("3.3.6", LATER, A_CALL),  # 415
    "regaut01": ("3.3.7", LATER, NO_CALL),  # 401
    "multi01": ("3.3.8", REFUSE, A_CALL),  # 400: two of each; what stands first counts
    "mcl01": ("3.3.9", REFUSE, NO_CALL),  # 400: two lengths
    "bcast": ("3.3.10", LATER, A_CALL),  # a response: dropped by whom the second Via does not name
    "zeromf": ("3.3.11", LATER, NO_CALL),  # 483, or answered by the one addressed
    "cparam01": ("3.3.12", LATER, NO_CALL),
    "cparam02": ("3.3.13", LATER, NO_CALL),
    "regescrt": ("3.3.14", LATER, NO_CALL),
    "sdp01": ("3.3.15", LATER, A_CALL),  # 406
    "inv2543": ("3.4.1", VALID, A_CALL),  # RFC 2543: neither branch nor tag
}  # fmt: skip


def torture(folder: Path, name: str) -> bytes:
    return (folder / "sip" / "rfc4475" / f"{name}.dat").read_bytes()


def test_the_table_is_complete(shared_data: Path) -> None:
    assert len(TORTURE) == 49
    assert {path.stem for path in (shared_data / "sip" / "rfc4475").iterdir()} == set(TORTURE)


@pytest.mark.parametrize("name", TORTURE)
def test_each_torture_message_gets_the_rfcs_verdict(shared_data: Path, name: str) -> None:
    _, verdict, taken = TORTURE[name]
    raw = torture(shared_data, name)
    try:
        message = parse(raw)
    except SipError:
        assert (verdict, taken) == (REFUSE, REFUSED)
        return
    assert bool(refusal(message)) == (verdict == REFUSE), refusal(message)
    assert taken == (A_CALL if message.method in CALL_METHODS else NO_CALL)
    assert method_of(raw) == message.method or name in {"wsinv", "intmeth"}  # the quick look sees most


def test_torture_is_understood(shared_data: Path) -> None:
    def read(name: str) -> Message:
        return parse(torture(shared_data, name))

    tortuous = read("wsinv")
    assert (tortuous.sender.user, tortuous.sender.tag, tortuous.recipient.tag) == (
        "jdrosen",
        "98asjd8",
        "1918181833n",
    )
    assert (tortuous.cseq, tortuous.method, tortuous.branch, tortuous.vias) == (9, "INVITE", "390skdjuw", 3)
    assert user_of(read("esc01").uri) == "sips:user@example.com"
    assert read("esc01").sender.user == "I have spaces"
    assert read("escnull").sender.user == "null-\0-null"
    assert read("semiuri").uri == "sip:user;par=u%40example.net@example.com"
    assert read("dblreq").call_id.startswith("dblreq.0ha0isndaksdj99")
    assert read("inv2543").sender[1:3] == ("+13035551111", "")
    assert read("longreq").vias == 34
    assert (read("unreason").code, read("noreason").code) == (200, 100)
    assert read("multi01").call_id == "multi01.98asdh@192.0.2.1"
    assert read("intmeth").sender.tag == "_token~1'+`*%!-."
    assert (
        user_of(read("ltgtruri").uri)
        == user_of(read("lwsstart").uri)
        == user_of(read("escruri").uri)
        == "user"
    )
    assert read("quotbal").sender.tag == "93334"
    assert read("baddn").sender.user == "a.g.bell"


COMPACT = (
    "BYE sip:b@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/TCP [2001:db8::9]:5060;branch=z9hG4bKx\r\nf:<sip:+4930123@[2001:db8::1]>;tag=1\r\n"
    't: "B; tag=no" <tel:+49-30-124;phone-context=x>;TAG=2\r\ni : a@b\r\nCSEQ: 7 BYE\r\nk: timer\r\nl: 0\r\n\r\n'
)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_compact_forms_ipv6_and_line_ends(end: str) -> None:
    message = parse(COMPACT.replace("\r\n", end).encode())
    assert (message.method, message.cseq, message.call_id) == ("BYE", 7, "a@b")
    assert message.sender == ("sip:+4930123@[2001:db8::1]", "+4930123", "1", "")
    assert message.recipient == ("tel:+49-30-124;phone-context=x", "+49-30-124", "2", "")
    assert message.branch == "z9hG4bKx"
    assert refusal(message) == ""


def test_line_ends_before_a_message_are_ignored() -> None:
    assert parse(b"\r\n\r\n" + COMPACT.encode()) == parse(COMPACT.encode())


def test_vias_are_counted_however_they_are_written() -> None:
    one, two = Call().request("INVITE", "x"), Call().request("INVITE", "y", "x")
    folded = two.replace("\r\nVia:", ",\r\n\t", 2).replace(",\r\n\t", "\r\nVia:", 1)
    assert [parse(text.encode()).vias for text in (one, two, folded)] == [1, 2, 2]
    assert parse(two.encode()).branch == parse(folded.encode()).branch == "z9hG4bK-y-1@pbx.example"


@pytest.mark.parametrize(
    ("value", "user", "tag", "sound"),
    [
        ("<sip:alice@a.example>;tag=1", "alice", "1", True),
        ("sip:alice@a.example;tag=1", "alice", "1", True),
        ("sip:+86138;isub=1@a.example;tag=1", "+86138", "1", True),
        ('"Eve <sip:eve@x>;tag=no" <sip:alice@a.example>;x=y;tag=1', "alice", "1", True),
        (r'"a\"b\\" <sip:alice@a.example>;tag=1', "alice", "1", True),
        ("Alice A <sip:alice:secret@a.example;user=phone>", "alice", "", True),
        ('<sip:%2B86138%30@a.example>;x=";tag=no";tag=1', "+861380", "1", True),
        ("<sip:a.example>;tag=1", "", "1", True),
        ("<http://www.a.example>;tag=1", "", "1", True),
        ("张三 <sip:alice@a.example>;tag=1", "alice", "1", False),  # a display name like this must be quoted
        ("< sip:alice@a.example >;tag=1", "alice", "1", False),
        ('"Alice <sip:alice@a.example>;tag=1', "alice", "1", False),
        ("sip:alice@a.example?x=y;tag=1", "alice", "1", False),
        ("", "", "", False),
    ],
)  # fmt: skip
def test_addresses(value: str, user: str, tag: str, sound: bool) -> None:
    found = address(value)
    assert (found.user, found.tag, found.fault == "") == (user, tag, sound)


def test_several_addresses_in_a_header() -> None:
    found = addresses('"Zhang, San" <sip:1@a>, <tel:+862>;x="a,b" ,sip:3@c')
    assert [one.user for one in found] == ["1", "+862", "3"]


SOUND = Call().request("INVITE", "x")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Call-ID: 1@pbx.example\r\n", "", "no Call-ID"),
        ("CSeq: 1 INVITE\r\n", "", "no CSeq"),
        ("CSeq: 1 INVITE", "CSeq: 1", "CSeq is not"),
        ("CSeq: 1 INVITE", "CSeq: -1 INVITE", "CSeq is not"),
        ("CSeq: 1 INVITE", "CSeq: ² INVITE", "CSeq is not"),
        ("From: ", "Frm: ", "no From"),
        ("To: ", "T0: ", "no To"),
        ("SIP/2.0\r\n", "SIP/3.0\r\n", "version 2.0"),
        ("SIP/2.0\r\n", "HTTP/1.1\r\n", "not a SIP message"),
        ("INVITE sip:+8613800000900@proxy.example ", "INVITE ", "incomplete"),
        ("\r\n\r\n", "\r\nX: y" * 300, "256 headers"),
        ("\r\n\r\n", "\r\n\r\n" + "x" * MAX_BYTES, "64 KiB"),
    ],
)  # fmt: skip
def test_what_nobody_understands_is_refused(old: str, new: str, reason: str) -> None:
    assert parse(SOUND.encode())
    broken = SOUND.replace(old, new, 1)
    assert broken != SOUND
    with pytest.raises(SipError, match=reason):
        parse(broken.encode())


@pytest.mark.parametrize("line", ["SIP/2.0 99 Low", "SIP/2.0 700 High", "SIP/2.0 2000 Long", "SIP/2.0 20", "SIP/2.0  200 OK", "SIP/2.0 ２００"])  # fmt: skip
def test_a_response_without_a_status_code(line: str) -> None:
    with pytest.raises(SipError):
        parse(SOUND.replace(SOUND.splitlines()[0], line).encode())


def test_a_sound_message_has_no_fault_and_its_numbers() -> None:
    message = parse(SOUND.encode())
    assert refusal(message) == ""
    assert (message.sender.user, user_of(message.uri)) == (CALLER, CALLEE)
    assert refusal(parse(SOUND.replace("Max-Forwards: 70", "Max-Forwards: 256").encode()))
    stream = parse(SOUND.replace("Content-Length: 0", "Content-Length: 5").encode())
    assert refusal(stream)
    assert refusal(stream, datagram=False) == ""


def try_all(raw: bytes) -> None:
    """Nothing but `SipError` may come out of any of it."""
    method_of(raw)
    with contextlib.suppress(SipError):
        message = parse(raw)
        assert "\n" not in refusal(message)
        user_of(message.uri)
        addresses(message.headers.get("contact", ""))


@given(st.data())
def test_damaged_messages_are_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([SOUND, COMPACT, Call().response(200, "a", "b")])).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"<", b";", b"\r\n ", b"\r\n\r\n", b"%", b"\\"])
        )
        raw[place : place + data.draw(st.integers(0, 4))] = piece
        raw = raw or bytearray(b"x")
    try_all(bytes(raw))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try_all(raw)
    try_all(b"INVITE sip:1@a SIP/2.0\r\n" + raw)


@given(st.text(alphabet='"\\<>;,:= \t@?%ab(張\0', max_size=60))
def test_any_address_is_read(value: str) -> None:
    found = address(value)
    assert "\n" not in found.fault
    addresses(value)


@given(data=st.data())
def test_mutations_of_torture_and_of_real_messages(shared_data: Path, data: st.DataObject) -> None:
    folder = shared_data / "sip"
    real = [decode(one).payload for one in recorded((folder / "hep3_kamailio.bin").read_bytes())]
    raw = data.draw(st.sampled_from([*real[:16], *(torture(shared_data, name) for name in TORTURE)]))
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try_all(bytes(changed[: data.draw(st.integers(0, len(changed)))]))


@pytest.mark.parametrize(
    "piece", ['"', "<", " ", "a ", ";", ";a=", '\\"', ",", "a" * 50 + " ", ';a="', "<a>", "%"]
)
def test_no_header_takes_long(piece: str) -> None:
    """Patterns that backtrack would not come back from these; nothing is timed, but a failure would be felt."""
    long = piece * (60_000 // len(piece))
    for header in ("From", "To", "Contact", "Via", "CSeq", "Reason"):
        try_all(SOUND.replace("Max-Forwards: 70", f"{header}: {long}").encode())
        try_all(SOUND.replace(f"{header}: ", f"{header}: {long}").encode())
