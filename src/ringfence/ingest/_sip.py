"""Reads SIP messages as far as call accounting needs them (RFC 3261).

A passive reader takes a message as the network took it: it refuses only what nobody can understand, so that no caller
hides behind a stray space. What a SIP element would have to answer with 400 tells `_sip_check.refusal`.
"""

import re
from typing import Final, NamedTuple

from ringfence.ingest._sip_address import Address, address

MAX_BYTES: Final = 65_536
MAX_HEADERS: Final = 256
MAX_CSEQ: Final = 1 << 32  # RFC 3261, section 8.1.1.5: less than 2**31; larger ones are all the same

CALL_METHODS: Final = frozenset({"INVITE", "BYE", "CANCEL"})
"""Methods that begin and end calls."""
PART_METHODS: Final = frozenset({"ACK", "PRACK", "UPDATE", "INFO", "REFER"})
"""Methods within a call that tell accounting nothing."""
OTHER_METHODS: Final = frozenset({"OPTIONS", "REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE"})
"""Methods that belong to no call."""

_COMPACT: Final = {
    "i": "call-id", "f": "from", "t": "to", "v": "via", "m": "contact", "l": "content-length", "c": "content-type",
    "k": "supported", "s": "subject", "e": "content-encoding", "o": "event", "r": "refer-to", "b": "referred-by",
    "y": "identity", "n": "identity-info", "x": "session-expires", "u": "allow-events", "a": "accept-contact",
    "j": "reject-contact", "d": "request-disposition",
}  # fmt: skip
_USUAL: Final = (
    "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Type", "Content-Length", "User-Agent",
    "Server", "Allow", "Supported", "Record-Route", "Route", "Expires", "Reason", "Privacy", "P-Asserted-Identity",
    "Identity", "Date", "Session-Expires", "Min-SE", "Subject", "Require", "Accept", "Call-Id", "Allow-Events",
)  # fmt: skip
# How a header is written nearly always; others are looked up in small letters.
_NAMES: Final = {name: name.lower() for name in _USUAL} | _COMPACT
_LISTS: Final = frozenset({
    "via", "contact", "route", "record-route", "p-asserted-identity", "remote-party-id", "reason", "diversion", "privacy",
    "allow", "supported", "require", "proxy-require", "accept", "identity", "history-info",
})  # fmt: skip
_BRANCH: Final = re.compile(r";[ \t]*branch[ \t]*=[ \t]*([^\s;,]+)", re.IGNORECASE)
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_CSEQ_METHOD: Final = re.compile(rb"\ncseq[ \t]*:\s*\d+\s+([^\s]+)", re.IGNORECASE)


class SipError(ValueError):
    """A message cannot be understood; one line that repeats nothing of it."""


class Message(NamedTuple):
    """A SIP message.

    Attributes:
        start: the start line.
        method: of a request; of a response, the one it answers.
        code: of a response; 0 for a request.
        uri: of a request; "" for a response.
        call_id: as it stands in the message.
        cseq: the number of CSeq, at most `MAX_CSEQ`.
        sender: From.
        recipient: To.
        branch: of the topmost Via, or all of that Via where it has none (RFC 2543).
        vias: how many hops stand in Via.
        headers: all of them, by full name in small letters; the values of a list are joined by commas.
        repeated: names of headers that may stand once and stood twice; the first counts.
        body: how many bytes follow the headers.
    """

    start: str
    method: str
    code: int
    uri: str
    call_id: str
    cseq: int
    sender: Address
    recipient: Address
    branch: str
    vias: int
    headers: dict[str, str]
    repeated: tuple[str, ...]
    body: int


def method_of(payload: bytes) -> str:
    """The method of a request or of what a response answers, without reading the rest; "" if it is not to be seen."""
    if payload.startswith(b"SIP/"):
        found = _CSEQ_METHOD.search(payload, 0, MAX_BYTES)
        return found[1].decode(errors="replace") if found else ""
    return payload[:64].partition(b" ")[0].decode(errors="replace")


def tells_nothing(payload: bytes, method: str) -> bool:
    """Whether it is a response that accounting need not read: 100 Trying, and what answers a BYE or a CANCEL."""
    return payload.startswith(b"SIP/2.0 ") and (method != "INVITE" or payload.startswith(b"100 ", 8))


def parse(payload: bytes) -> Message:
    """Read a message.

    Raises:
        SipError: it is no SIP message, too long, or does not tell which call it belongs to.
    """
    if len(payload) > MAX_BYTES:
        raise SipError("the message is longer than 64 KiB")
    if payload[:1] in {b"\r", b"\n"}:  # RFC 3261, section 7.5: line ends before a message are ignored
        payload = payload.lstrip(b"\r\n")
    lines, body = _lines(payload)
    method, code, uri = _start(lines[0])
    headers, repeated = _headers(lines)
    number, answered = _cseq(headers)
    via = headers.get("via", "")
    top = via.partition(",")[0]
    branch = _BRANCH.search(top)
    return Message(
        lines[0],
        method or answered,
        code,
        uri,
        _must(headers, "call-id"),
        number,
        address(_must(headers, "from")),
        address(_must(headers, "to")),
        branch[1] if branch else top,
        via.count(",") + 1,
        headers,
        repeated,
        body,
    )


def _lines(payload: bytes) -> tuple[list[str], int]:
    """The lines before the body, unfolded, and the length of the body."""
    end = payload.find(b"\r\n\r\n")
    head, body = (payload, 0) if end < 0 else (payload[:end], len(payload) - end - 4)
    if end < 0 and (end := payload.find(b"\n\n")) >= 0:
        head, body = payload[:end], len(payload) - end - 2
    text = str(head, "utf-8", "replace")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if text.count("\n") != len(lines) - 1:  # some write LF alone
        lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_HEADERS:
        raise SipError("the message has more than 256 headers")
    return lines, body


def _start(line: str) -> tuple[str, int, str]:
    """Method ("" for a response), code and URI."""
    if line.startswith("SIP/2.0 "):
        code = line[8:12].rstrip(" ")
        if not (len(code) == 3 and code.isascii() and code.isdigit() and "100" <= code < "700"):
            raise SipError("the response has no status code")
        return "", int(code), ""
    method, _, rest = line.partition(" ")
    uri, _, version = rest.rstrip().rpartition(" ")
    if version != "SIP/2.0":
        if version.upper().startswith("SIP/") or line.startswith("SIP/"):
            raise SipError("the message is not of SIP version 2.0")
        raise SipError("not a SIP message")
    uri = uri.strip()
    if not (method and uri):
        raise SipError("the request line is incomplete")
    return method, 0, uri.removeprefix("<").removesuffix(">") if uri.startswith("<") else uri


def _headers(lines: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    headers: dict[str, str] = {}
    repeated = list[str]()
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = _NAMES.get(name)
        if key is None:
            key = name.strip().lower()
            key = _COMPACT.get(key, key)
        if not colon:
            continue
        if key not in headers:
            headers[key] = value.strip()
        elif key in _LISTS:
            headers[key] += "," + value.strip()
        else:
            repeated.append(key)
    return headers, tuple(repeated)


def _must(headers: dict[str, str], name: str) -> str:
    if value := headers.get(name):
        return value
    raise SipError(f"the message has no {_TITLES[name]}")


_TITLES: Final = {"call-id": "Call-ID", "from": "From", "to": "To", "cseq": "CSeq"}


def _cseq(headers: dict[str, str]) -> tuple[int, str]:
    parts = _must(headers, "cseq").split(None, 1)
    if len(parts) != 2 or not (parts[0].isascii() and parts[0].isdigit()):
        raise SipError("the CSeq is not a number and a method")
    digits = parts[0].lstrip("0")
    return (min(int(digits or "0"), MAX_CSEQ) if len(digits) <= 10 else MAX_CSEQ), parts[1]
