"""From HEP3 packets to rows of calls: how many messages a second a core takes."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import orjson
from tests.ingest.sip_made import PHONE, PROXY, Call, Sent, later, packet, through_a_proxy

from bench._tables import Table, figure, quantile
from ringfence.ingest._hep3 import decode
from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest._sip import CALL_METHODS, method_of, parse, tells_nothing

NAME: Final = "hep"
TITLE: Final = "SIP from a tap (HEP3)"
CALLS: Final = 2_000
OPEN: Final = 20_000
BATCH: Final = 500
REPEATS: Final = 7
WANTED: Final = 20_000
_HEADERS: Final = (
    "Contact: <sip:+8613800000100@192.0.2.1:5060;transport=udp>",
    "User-Agent: Example-SBC 9.40.100",
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, PRACK, UPDATE",
    "Supported: timer, 100rel, replaces, path",
    "Session-Expires: 1800;refresher=uac",
    "P-Asserted-Identity: <sip:+8613800000100@net.example;user=phone>",
    "P-Charging-Vector: icid-value=4bd1b2c0f3c5;icid-generated-at=192.0.2.1",
    "Record-Route: <sip:192.0.2.2;lr;ftag=a;did=bf6.ce62>",
    "X-Ingress: gw-intl-3",
)
_SDP: Final = (
    "v=0\r\no=- 53655765 2353687637 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 6004 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
MEASURED: Final = (
    f"{CALLS:,} answered calls side by side, each as a tap on a proxy sees it (every message twice, with 16 headers or more, INVITE "
    f"and 200 with an SDP body), in feeds of {BATCH} packets; each load in turn, {REPEATS} times, CPU time of the process. The parts are "
    f"timed alone over the same packets. Memory: {OPEN:,} calls that ring."
)
READING: Final = (
    f"At least {WANTED:,} messages per CPU-second are wanted, so that 5,000 a second take at most a quarter of a core. A call makes 13 "
    "messages here, 16 with a redirect query. The messages are made by this project's tests."
)


def load(query: bool, requests: int = 0) -> list[bytes]:
    """Packets of many calls side by side; `requests`: for each call so many OPTIONS and REGISTER with their answers."""
    sent: list[Sent] = []
    for n in range(CALLS):
        call = replace(Call(), call_id=f"{n}-4bd1b2c0f3c511ef@pbx.example", extra=_HEADERS)
        at = n * 0.01
        sent += later(through_a_proxy(call, query=query), at)
        for i in range(requests):
            method, other = ("OPTIONS", "REGISTER")[i % 2], replace(call, call_id=f"{n}-{i}@pbx.example")
            sent += [(at + i, PHONE, PROXY, other.request(method, "x"))]
            sent += [(at + i + 0.01, PROXY, PHONE, other.response(200, "x", method=method))]
    return [packet((at, source, dest, _with_body(text))) for at, source, dest, text in sorted(sent)]


def _with_body(text: str) -> str:
    if text.startswith("INVITE") or ("\r\nCSeq: 1 INVITE" in text and text.startswith("SIP/2.0 200")):
        return (
            text.replace("Content-Length: 0", f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}")
            + _SDP
        )
    return text


def _feed(packets: list[bytes]) -> None:
    calls = HepCalls()
    for first in range(0, len(packets), BATCH):
        calls.feed(packets[first : first + BATCH], first_row=first + 1)


def _speeds(works: dict[str, tuple[Callable[[], object], int]]) -> Table:
    spent: dict[str, list[float]] = {name: [] for name in works}
    gc.freeze()  # the packets are no rubbish
    for _ in range(REPEATS):
        for name, (work, _) in works.items():
            began = time.process_time()
            work()
            spent[name].append(time.process_time() - began)
    gc.unfreeze()
    result = Table(
        "Messages", ("", "messages", "per CPU-second: median", "most", "µs a message: median", "least")
    )
    for name, (_, count) in works.items():
        middle, least = quantile(spent[name], 0.5) or 0.0, min(spent[name])
        rates = [figure(count / seconds) for seconds in (middle, least)]
        result.add(name, figure(count), *rates, *(figure(1e6 * part / count, 1) for part in (middle, least)))
    return result


def _memory() -> Table:
    ringing = [
        packet(
            (
                n / 1000,
                PHONE,
                PROXY,
                replace(Call(), call_id=f"{n}-4bd1b2c0f3c511ef@x").request("INVITE", "phone"),
            )
        )
        for n in range(OPEN)
    ]
    calls = HepCalls()
    calls.feed(ringing[:1])
    tracemalloc.start()
    calls.feed(ringing[1:])
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    began = time.process_time()
    kept = orjson.dumps(calls.as_json())
    spent = time.process_time() - began
    result = Table(
        "Memory and snapshots",
        ("", "calls", "bytes a call", "bytes a call in a snapshot", "CPU-seconds to write it"),
    )
    result.add("ringing", figure(OPEN), figure(taken / OPEN), figure(len(kept) / OPEN), figure(spent, 2))
    return result


def run() -> list[Table]:
    """Measure."""
    plain, query, mixed = load(query=False), load(query=True), load(query=False, requests=6)
    payloads = [decode(one).payload for one in query]
    read = [one for one in payloads if (m := method_of(one)) in CALL_METHODS and not tells_nothing(one, m)]
    speeds = _speeds({
        "calls": (lambda: _feed(plain), len(plain)),
        "calls, with a redirect query": (lambda: _feed(query), len(query)),
        "calls, and as many OPTIONS and REGISTER": (lambda: _feed(mixed), len(mixed)),
        "of it: HEP3 alone": (lambda: list(map(decode, query)), len(query)),
        "of it: SIP alone, of those that are read": (lambda: list(map(parse, read)), len(read)),
    })  # fmt: skip
    return [speeds, _memory()]
