"""What a SIP element must refuse a message for, measured on the torture tests of RFC 4475.

A front that answers calls needs this; a passive reader does not, and takes the message all the same.
"""

import re
from typing import Final

from ringfence.ingest._sip import Message
from ringfence.ingest._sip_address import PARAMS, TOKEN, addresses

MAX_SEQUENCE: Final = 1 << 31  # RFC 3261, section 8.1.1.5
MAX_HOPS: Final = 255  # section 20.22

_REQUEST_LINE: Final = re.compile(rf"{TOKEN}++ [^\s<>]++ SIP/2\.0")
_SIP_URI: Final = re.compile(
    r"sips?:(?:[^\s<>@]++@)?(?:\[[0-9A-Fa-f:.]++\]|[-A-Za-z0-9._]++)(?::\d++)?(?:;[^\s<>?@]*+)?",
    re.IGNORECASE,
)
_VIA: Final = re.compile(
    rf"[ \t]*+SIP[ \t]*+/[ \t]*+2\.0[ \t]*+/[ \t]*+{TOKEN}++[ \t]++"
    rf"(?:\[[0-9A-Fa-f:.]++\]|[-A-Za-z0-9._]++)(?:[ \t]*+:[ \t]*+\d++)?{PARAMS}[ \t]*+",
    re.IGNORECASE | re.DOTALL,
)
_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
_SINGLE: Final = frozenset({"call-id", "cseq", "from", "to", "max-forwards", "content-length"})


def refusal(message: Message, *, datagram: bool = True) -> str:
    """Why a SIP element must refuse the message (400; a response is dropped), in one line; "" if it need not.

    Args:
        message: as `parse` gave it.
        datagram: it came alone in a datagram, so that its length is known.
    """
    return (
        _request(message)
        or _single(message)
        or _numbers(message, datagram=datagram)
        or _vias(message)
        or _addresses(message)
        or _date(message)
    )


def _request(message: Message) -> str:
    if message.code:
        return ""
    if not _REQUEST_LINE.fullmatch(message.start):
        return "the request line is not method, URI and version with one space between each"
    if message.uri.lower().startswith(("sip:", "sips:")) and not _SIP_URI.fullmatch(message.uri):
        return "the request URI is malformed, or carries headers"
    if message.headers["cseq"].split(None, 1)[1] != message.method:
        return "the method of CSeq is not that of the request"
    return ""


def _single(message: Message) -> str:
    name = next((name for name in message.repeated if name in _SINGLE), None)
    return f"{name} stands more than once" if name else ""


def _numbers(message: Message, *, datagram: bool) -> str:
    if message.cseq >= MAX_SEQUENCE:
        return "the number of CSeq is too large"
    hops = message.headers.get("max-forwards")
    if hops is not None and not (_is_number(hops) and int(hops) <= MAX_HOPS):
        return "Max-Forwards is no number up to 255"
    length = message.headers.get("content-length")
    if length is None:
        return ""
    if not _is_number(length):
        return "Content-Length is no number"
    return "Content-Length is more than there is" if datagram and int(length) > message.body else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _vias(message: Message) -> str:
    vias = message.headers.get("via")
    if vias is None:
        return "there is no Via"
    well = all(_VIA.fullmatch(via) for via in vias.split(","))
    return "" if well else "a Via is malformed"


def _addresses(message: Message) -> str:
    for name, one in (("From", message.sender), ("To", message.recipient)):
        if one.fault:
            return f"{name}: {one.fault}"
    contacts = message.headers.get("contact", "")
    if contacts != "*":
        for one in addresses(contacts):
            if one.fault:
                return f"Contact: {one.fault}"
    return ""


def _date(message: Message) -> str:
    date = message.headers.get("date")
    return "" if date is None or _DATE.fullmatch(date) else "Date is not in GMT"
