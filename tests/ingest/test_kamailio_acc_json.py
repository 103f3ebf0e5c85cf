"""Kamailio's acc_json; what makes a call is tested with the text log."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ringfence.ingest import kamailio_acc, kamailio_acc_json
from ringfence.ingest.format import Chunk, Settings

SAMPLES = Path(__file__).parents[1] / "samples"
RECORD = {
    "time": 1_795_279_500,
    "method": "INVITE",
    "from_tag": "a",
    "to_tag": "b",
    "callid": "1@sip1",
    "sip_code": "200",
    "sip_reason": "OK",
    "caller": "+8613800000100",
    "callee": "+8613800000900",
}


def chunk(*lines: str | dict[str, object], end: str = "\n", timezone: str = "UTC") -> Chunk:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (read,) = kamailio_acc_json.read(
        io.BytesIO(("\n".join(texts) + end).encode()), Settings(timezone=timezone)
    )
    assert read.read == len(read.records) + read.ignored + len(read.rejected)
    return read


def rows(read: Chunk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read.records.to_pylist()
    return found


def test_m8_and_the_end_of_a_call() -> None:
    query = RECORD | {
        "time": 1_795_279_498.5,
        "to_tag": "query",
        "sip_code": "404",
        "sip_reason": "Not Found",
    }
    bye = RECORD | {"time": 1_795_279_509, "method": "BYE", "from_tag": "b", "to_tag": "a", "callee": "uac"}
    (call,) = rows(chunk(query, RECORD, bye))
    assert call["start_time"].timestamp() == 1_795_279_498.5
    assert call["answer_time"].timestamp() == 1_795_279_500
    assert (call["cause"], call["released_by"], call["callee"]) == (16, "callee", "+8613800000900")


@pytest.mark.parametrize(
    "prefix", ["", "Nov 21 19:00:00 sip1 json_acc[9]: ", "NOTICE: {1 2 INVITE x} <script>: "]
)
def test_any_prefix(prefix: str) -> None:
    text = prefix + json.dumps(RECORD)
    assert kamailio_acc_json.sniff(text.encode()) == 94
    assert len(rows(chunk(text))) == 1
    journal = json.dumps({"_HOSTNAME": "sip1", "MESSAGE": text})
    assert kamailio_acc_json.sniff(journal.encode()) == 94
    assert len(rows(chunk(journal))) == 1


def test_a_local_time_is_in_the_zone_of_the_settings() -> None:
    (call,) = rows(chunk(RECORD | {"time": "2026-11-22 00:45:00"}, timezone="Asia/Shanghai"))
    assert call["answer_time"].timestamp() == 1_795_279_500


def test_other_lines_cut_lines_and_bad_times() -> None:
    read = chunk(
        "Nov 21 19:00:00 sip1 sshd[1]: hello",
        '{"start": "of something else"}',
        'Nov 21 19:00:00 sip1 json_acc[9]: {"time": 17952',
        RECORD | {"time": "yesterday"},
        {key: value for key, value in RECORD.items() if key != "callee"},
        RECORD | {"nested": {"a": 1}},
        json.dumps(RECORD | {"callid": "2@sip1"})[:-20],
        end="",
    )
    assert len(rows(read)) == 1
    assert [each.row for each in read.rejected] == [3, 4, 5, 7]
    assert read.notes["other_lines"] == 2


def test_half_a_surrogate_pair_does_no_harm() -> None:
    text = json.dumps(RECORD).replace("+8613800000100", "\\ud800")
    (call,) = rows(chunk(text))
    assert call["caller"] == "?"


def test_a_cdr() -> None:
    cdr: dict[str, object] = {
        "start_time": "1795279500.500",
        "end_time": "1795279509.500",
        "duration": "9.000",
        "callid": "1@sip1",
        "caller": "anonymous",
        "callee": "+8613800000900",
    }
    assert kamailio_acc_json.sniff(json.dumps(cdr).encode()) == 94
    (call,) = rows(chunk(cdr))
    assert (call["caller"], call["end_time"].timestamp()) == ("anonymous", 1_795_279_509.5)


@pytest.mark.parametrize("name", ["lines", "stderr", "rfc5424"])
def test_samples_of_a_real_kamailio_tell_the_calls_of_its_text_log(name: str) -> None:
    data = (SAMPLES / f"kamailio_acc_json.{name}.log").read_bytes()
    assert kamailio_acc_json.sniff(data) == 94
    assert kamailio_acc.sniff(data) == 0
    same = ["call_id", "caller", "callee", "cause", "released_by"]
    found = pa.Table.from_batches([c.records for c in kamailio_acc_json.read(io.BytesIO(data), Settings())])
    text = (SAMPLES / "kamailio_acc.stderr.log").read_bytes()
    expected = pa.Table.from_batches([c.records for c in kamailio_acc.read(io.BytesIO(text), Settings())])
    assert found.select(same).sort_by("call_id").equals(expected.select(same).sort_by("call_id"))


def test_sniff_leaves_other_files_alone() -> None:
    contract = b'{"start_time": "2026-03-05T02:11:09Z", "caller": null, "callee": "+8613800000900"}\n'
    for other in (b"", b"\0\1\2", contract, (SAMPLES / "kamailio_acc.syslog.log").read_bytes()):
        assert kamailio_acc_json.sniff(other) == 0
