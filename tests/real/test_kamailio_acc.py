"""A real Kamailio and real SIPp on loopback: what the reader makes of the log is what was dialled.

Every call is asked about at a redirect server first, whose 404 acc logs as a missed call (trap M8).
"""

import io
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from tests.real.kamailio.network import Act, Caller, network

from ringfence.ingest import kamailio_acc, kamailio_acc_json
from ringfence.ingest.format import Settings

VICTIM = "+8613800000901"
ANONYMOUS = Caller('"Anonymous" <sip:anonymous@anonymous.invalid>', VICTIM, "+12025550147")


def shown(number: int, rung: str = VICTIM) -> Caller:
    return Caller(f'"张三" <sip:+8613800000{number}@127.0.0.1>', rung, f"+8613800000{number}")


ACTS = [
    Act(
        "caller_hangs_up", "callee_answers", [shown(101), shown(102), shown(103, "+8613800000902"), ANONYMOUS]
    ),
    Act("callee_hangs_up", "callee_answers_and_hangs_up", [shown(111), shown(112), ANONYMOUS]),
    Act("caller_gives_up", "callee_rings", [shown(121), shown(122), ANONYMOUS, ANONYMOUS]),
    Act("refused", "callee_refuses", [shown(131), shown(132), shown(133, "+8613800000903")]),
    Act("refused", "callee_refuses", [shown(141), ANONYMOUS], "603 Decline"),
    Act("refused", "callee_refuses", [shown(151, "+8613800000999")], "404 Not Found"),
    Act("refused", "callee_refuses", [shown(161), shown(162)], "480 Temporarily Unavailable"),
]
# Answered, Q.850 cause, released by: of each act, in order.
ENDS = [
    (True, 16, "caller"),
    (True, 16, "callee"),
    (False, 16, "caller"),
    (False, 17, "callee"),
    (False, 21, "callee"),
    (False, 1, "network"),
    (False, 18, None),
]
EXPECTED = sorted(
    (call.shown.split("sip:")[1].split("@")[0], call.rung, *end)
    for act, end in zip(ACTS, ENDS, strict=True)
    for call in act.calls
)  # fmt: skip


def read(reader: ModuleType, log: bytes) -> list[dict[str, Any]]:
    chunks = list(reader.read(io.BytesIO(log), Settings()))
    assert not [rejected for chunk in chunks for rejected in chunk.rejected]
    assert sum(c.read for c in chunks) == sum(len(c.records) + c.ignored for c in chunks)
    calls: list[dict[str, Any]] = pa.Table.from_batches([chunk.records for chunk in chunks]).to_pylist()
    return calls


def told(calls: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return sorted(
        (c["caller"], c["callee"], c["answer_time"] is not None, c["cause"], c["released_by"]) for c in calls
    )


@pytest.mark.parametrize("defines", [(), ("WITH_CDR",)], ids=["transactions", "with CDRs of dialogs"])
def test_the_log_tells_what_sipp_did(tmp_path: Path, defines: tuple[str, ...]) -> None:
    began = time.time()
    with network(tmp_path, *defines) as running:
        running.perform(ACTS, tmp_path)
        log = running.settled()
    for reader in (kamailio_acc, kamailio_acc_json):
        calls = read(reader, log)
        assert told(calls) == EXPECTED
        for call in calls:
            moments = [
                call[name].timestamp() for name in ("start_time", "answer_time", "end_time") if call[name]
            ]
            assert began - 1 < moments[0]
            assert moments == sorted(moments)
            assert moments[-1] < time.time() + 1
    answered = [call for call in read(kamailio_acc, log) if call["answer_time"]]
    assert all(0.2 < (call["end_time"] - call["answer_time"]).total_seconds() < 5 for call in answered)
    assert log.count(b"code=404") > len(EXPECTED) - 1  # the trap was really set
