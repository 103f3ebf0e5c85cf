"""A real Kamailio sends HEP3 of SIPp's calls: they are the calls its own accounting tells.

Every call is asked about at a redirect server first, whose 404 is no end of it.
"""

import io
import socket
import threading
import time
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from tests.ingest.sip_made import folded
from tests.real.kamailio.network import network
from tests.real.test_kamailio_acc import ACTS, EXPECTED

from ringfence.ingest import kamailio_acc
from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest.format import Settings

SECOND = 1_000_000


class Tap:
    """Receives HEP3 on a UDP port."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.packets: list[bytes] = []
        self.received: list[int] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join(2)
        self._socket.close()

    def _serve(self) -> None:
        while (packet := self._socket.recvfrom(65535)[0]) != b"end":
            self.packets.append(packet)
            self.received.append(time.time_ns() // 1_000)


def key(call: dict[str, Any]) -> tuple[object, ...]:
    shown = call["caller"] or "anonymous"  # the log says what stood in From
    return (
        call["call_id"],
        shown,
        call["callee"],
        call["answer_time"] is not None,
        call["cause"],
        call["released_by"],
    )


def test_hep_and_accounting_tell_the_same_calls(tmp_path: Path) -> None:
    with Tap() as tap, network(tmp_path, f'HEP_URI="sip:127.0.0.1:{tap.port}"') as running:
        running.perform(ACTS, tmp_path)
        log = running.settled()
    calls = HepCalls()
    chunk = calls.feed(tap.packets, received=tap.received)
    later = calls.advance(tap.received[-1] + 2 * SECOND)
    assert not chunk.rejected
    assert "clock_differs" not in chunk.notes
    assert chunk.notes["tries"] >= len(EXPECTED)  # the trap was really set: a 404 for each call

    rows: list[dict[str, Any]] = pa.Table.from_batches([chunk.records, later.records]).to_pylist()
    told = sorted(folded(rows), key=key)
    logged = sorted(
        (row for part in kamailio_acc.read(io.BytesIO(log), Settings()) for row in part.records.to_pylist()),
        key=key,
    )
    assert list(map(key, told)) == list(map(key, logged))
    assert sorted(key(call)[1:] for call in told) == EXPECTED
    answered = [call for call in told if call["answer_time"]]
    assert len(rows) == 2 * len(told) + len(answered)
    for call, record in zip(told, logged, strict=True):
        for name in ("start_time", "answer_time", "end_time"):
            if call[name]:
                assert abs((call[name] - record[name]).total_seconds()) < 1.1, (
                    name
                )  # acc may know whole seconds only
    for call in told:  # as it happened: what a later row of a call knows, no earlier one did
        own = [row for row in rows if row["call_id"] == call["call_id"]]
        known = [(row["answer_time"] is not None, row["end_time"] is not None) for row in own]
        up = [(True, False), (True, True)] if call["answer_time"] else [(False, True)]
        assert known == [(False, False), *up]
