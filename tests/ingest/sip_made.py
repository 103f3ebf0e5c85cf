"""SIP messages of made-up calls, and the HEP3 packets in which a tap sends them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from ringfence.ingest._hep3 import SIP, UDP, Packet, encode
from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest._sip_state import SipSettings

START = 1_795_279_500_000_000
MILLI = 1_000
SECOND = 1_000_000
CALLER, CALLEE = "+8613800000100", "+8613800000900"
PHONE, PROXY, QUERY, FIRST, SECOND_PHONE = (f"192.0.2.{n}:5060" for n in (1, 2, 3, 4, 5))

Sent = tuple[float, str, str, str]
"""Seconds after START, from, to, message."""


@dataclass(frozen=True)
class Call:
    """What stays the same in all messages of a call."""

    call_id: str = "1@pbx.example"
    caller: str = f'"Zhang, San" <sip:{CALLER}@pbx.example>'
    callee: str = CALLEE
    from_tag: str = "a"
    to_tag: str = "b"
    extra: tuple[str, ...] = field(default=())

    def via(self, *hops: str) -> str:
        """The Vias of a message: the branch of each hop, the newest first."""
        return "\r\n".join(
            f"Via: SIP/2.0/UDP {hop}.example:5060;branch=z9hG4bK-{hop}-{self.call_id}" for hop in hops
        )

    def request(
        self,
        method: str,
        *hops: str,
        cseq: int = 1,
        backwards: bool = False,
        inside: bool = False,
        uri: str = "",
    ) -> str:
        """A request. `inside`: within the dialog, with a To tag. `backwards`: from the called side."""
        caller, callee = f"{self.caller};tag={self.from_tag}", f"<sip:{self.callee}@proxy.example>"
        if inside or backwards:
            callee += f";tag={self.to_tag}"
        sender, recipient = (callee, caller) if backwards else (caller, callee)
        return self._message(
            f"{method} {uri or f'sip:{self.callee}@proxy.example'} SIP/2.0",
            method,
            hops,
            cseq,
            sender,
            recipient,
        )

    def response(
        self,
        code: int,
        *hops: str,
        method: str = "INVITE",
        cseq: int = 1,
        tag: str | None = None,
        extra: str = "",
    ) -> str:
        """A response; 100 has no To tag."""
        tag = tag if tag is not None else "" if code == 100 else self.to_tag
        recipient = f"<sip:{self.callee}@proxy.example>" + (f";tag={tag}" if tag else "")
        sender = f"{self.caller};tag={self.from_tag}"
        made = self._message(f"SIP/2.0 {code} So be it", method, hops, cseq, sender, recipient)
        return made.replace("Max-Forwards: 70", extra) if extra else made

    def _message(
        self, start: str, method: str, hops: tuple[str, ...], cseq: int, sender: str, recipient: str
    ) -> str:
        lines = [
            start, self.via(*hops), "Max-Forwards: 70", f"From: {sender}", f"To: {recipient}", f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}", *self.extra, "Content-Length: 0", "", "",
        ]  # fmt: skip
        return "\r\n".join(lines)


def packet(sent: Sent, **changes: Any) -> bytes:
    """A message as a tap sends it."""
    at, source, dest, message = sent
    (ip, port), (to_ip, to_port) = (one.rpartition(":")[::2] for one in (source, dest))
    made = Packet(
        START + round(at * SECOND),
        ip,
        int(port),
        to_ip,
        int(to_port),
        UDP,
        SIP,
        2001,
        "",
        b"",
        "",
        message.encode(),
    )
    return encode(replace_packet(made, **changes))


def replace_packet(made: Packet, **changes: Any) -> Packet:
    return made._replace(**changes)


def feed(
    sent: Iterable[Sent], settings: SipSettings | None = None
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The rows that a tap's packets make, once a day has passed after them, and what was met."""
    calls = HepCalls(settings)
    chunk = calls.feed([packet(one) for one in sent])
    assert not chunk.rejected, chunk.rejected
    later = calls.advance(START + 200_000 * SECOND)
    assert len(calls) == 0
    notes = dict(chunk.notes)
    for name, count in later.notes.items():
        notes[name] = notes.get(name, 0) + count
    return rows_of(chunk.records, later.records), notes


def rows_of(*batches: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows with times in seconds since START."""
    rows: list[dict[str, Any]] = pa.Table.from_batches(list(batches)).to_pylist()
    for row in rows:
        for name in ("start_time", "answer_time", "end_time"):
            row[name] = None if row[name] is None else round(row[name].timestamp() - START / SECOND, 3)
    return rows


def folded(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of one call as one: what any of them knows."""
    calls: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("call_id", "start_time", "caller", "callee"))
        known = calls.setdefault(key, dict(row))
        known.update({name: value for name, value in row.items() if value is not None})
    return list(calls.values())


def shape(call: dict[str, Any]) -> tuple[object, ...]:
    return tuple(call[name] for name in ("start_time", "answer_time", "end_time", "cause", "released_by"))


def through_a_proxy(call: Call, *, by: str = "caller", at: float = 0.0, query: bool = True) -> list[Sent]:
    """An answered call as a tap on a proxy sees it: asked about at a redirect server first, and every message twice."""
    made: list[Sent] = [
        (0.000, PHONE, PROXY, call.request("INVITE", "phone")),
        (0.001, PROXY, PHONE, call.response(100, "phone")),
    ]
    if query:
        made += [
            (0.002, PROXY, QUERY, call.request("INVITE", "query", "phone")),
            (0.004, QUERY, PROXY, call.response(404, "query", "phone", tag="q")),
            (0.005, PROXY, QUERY, call.request("ACK", "query", inside=True)),
        ]
    made += [
        (0.006, PROXY, FIRST, call.request("INVITE", "proxy", "phone")),
        (0.020, FIRST, PROXY, call.response(180, "proxy", "phone")),
        (0.021, PROXY, PHONE, call.response(180, "phone")),
        (4.000, FIRST, PROXY, call.response(200, "proxy", "phone")),
        (4.001, PROXY, PHONE, call.response(200, "phone")),
        (4.010, PHONE, PROXY, call.request("ACK", "phone2", inside=True)),
        (4.011, PROXY, FIRST, call.request("ACK", "proxy2", "phone2", inside=True)),
    ]
    ends = [(PHONE, PROXY, FIRST), (FIRST, PROXY, PHONE)][by == "callee"]
    backwards = by == "callee"
    made += [
        (9.000, ends[0], ends[1], call.request("BYE", "end", cseq=2, inside=True, backwards=backwards)),
        (
            9.001,
            ends[1],
            ends[2],
            call.request("BYE", "end2", "end", cseq=2, inside=True, backwards=backwards),
        ),
        (9.010, ends[2], ends[1], call.response(200, "end2", "end", method="BYE", cseq=2)),
        (9.011, ends[1], ends[0], call.response(200, "end", method="BYE", cseq=2)),
    ]
    return later(made, at)


def later(sent: Iterable[Sent], seconds: float) -> list[Sent]:
    """The same, some seconds later."""
    return [(at + seconds, source, dest, message) for at, source, dest, message in sent]


def recorded(raw: bytes) -> list[bytes]:
    """The packets of a recording: each preceded by its length in four bytes."""
    found, at = [], 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        found.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def renamed(call: Call, number: int) -> Call:
    """Another call like this one."""
    return replace(call, call_id=re.sub(r"^\w+", str(number), call.call_id))
