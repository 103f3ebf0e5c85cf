"""FreeSWITCH's JSON records: their encodings, their legs, and who hung up."""

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

from ringfence.ingest import freeswitch_json
from ringfence.ingest.format import Chunk, Settings

SAMPLES = Path(__file__).parents[1] / "samples"
START = 1_772_676_600


def profile(**changes: object) -> dict[str, object]:
    return {
        "caller_id_name": "张三",
        "caller_id_number": "+8613800000311",
        "destination_number": "+8613800000201",
        "uuid": "a",
    } | changes


def record(
    *,
    answered: int = 4,
    direction: str = "inbound",
    changes: Mapping[str, object] | None = None,
    **variables: str,
) -> dict[str, Any]:
    times = {
        "created_time": f"{START}000000",
        "answered_time": f"{START + answered}500000" if answered else "0",
    }
    return {
        "core-uuid": "c",
        "switchname": "sip1",
        "channel_data": {"direction": direction},
        "variables": {"uuid": "a", "hangup_cause": "NORMAL_CLEARING", "hangup_cause_q850": "16"} | variables,
        "callflow": [
            {
                "caller_profile": profile(**(changes or {})),
                "times": times | {"hangup_time": f"{START + 9}000000"},
            }
        ],
    }


def b_leg(uuid: str, originator: str, **more: Any) -> dict[str, Any]:
    origin = {"originator_caller_profiles": [profile(uuid=originator)]}
    return record(direction="outbound", changes={"originator": origin, "uuid": uuid}, **more) | {}


def chunks(data: str | bytes | list[dict[str, Any]]) -> list[Chunk]:
    if isinstance(data, list):
        data = "".join(json.dumps(each) + "\n" for each in data)
    read = list(
        freeswitch_json.read(io.BytesIO(data.encode() if isinstance(data, str) else data), Settings())
    )
    assert sum(c.read for c in read) == sum(len(c.records) + c.ignored + len(c.rejected) for c in read)
    assert all(len(c.rows) == len(c.records) for c in read)
    return read


def calls(data: str | bytes | list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.Table.from_batches([c.records for c in chunks(data)]).to_pylist()
    return found


def test_a_call() -> None:
    (call,) = calls([record(sip_hangup_disposition="recv_bye")])
    assert (call["call_id"], call["caller"], call["callee"]) == ("a", "+8613800000311", "+8613800000201")
    assert [call[name].timestamp() for name in ("start_time", "answer_time", "end_time")] == [
        START,
        START + 4.5,
        START + 9,
    ]
    assert (call["cause"], call["released_by"]) == (16, "caller")


@pytest.mark.parametrize("layout", ["lines", "glued", "indented", "form", "base64", "bare base64"])
def test_layouts(layout: str) -> None:
    texts = [json.dumps(record(uuid=name, note='a } and a { and \\ "'), ensure_ascii=False) for name in "xyz"]
    lengthy = [json.dumps(json.loads(text), indent="\t", ensure_ascii=False) for text in texts]
    data = {
        "lines": "\n".join(texts),
        "glued": "".join(texts),
        "indented": "\n".join(lengthy) + "\n",
        "form": "".join(f"cdr={quote(text, safe='')}\n" for text in texts),
        "base64": "".join(
            f"cdr={base64.b64encode(text.encode()).decode().replace('+', ' ')}\n" for text in texts
        ),
        "bare base64": "\r\n".join(base64.b64encode(text.encode()).decode() for text in texts),
    }[layout]
    assert freeswitch_json.sniff(data.encode()[:65536]) == 97
    assert [call["call_id"] for call in calls(data)] == ["x", "y", "z"]


def test_values_are_url_encoded_or_not() -> None:
    bare = {"caller_id_number": "", "destination_number": ""}
    encoded = record(
        changes=bare,
        sip_from_user="%2B8613800000311",
        sip_req_user="%2B8613800000201",
        name="%E5%BC%A0%E4%B8%89",
    )
    plain = record(changes=bare, sip_from_user="+8613800000311", sip_to_user="+8613800000201", name="100%25")
    for call in calls([encoded]) + calls([plain]):
        assert (call["caller"], call["callee"]) == ("+8613800000311", "+8613800000201")
    (call,) = calls([record(changes=bare, sip_from_user="%E5%BC%A0%E4%B8%89", sip_to_user="1007")])
    assert call["caller"] == "张三"


def test_an_old_record_has_callflow_several_times() -> None:
    text = json.dumps(record())
    newest = json.dumps(record()["callflow"][0])
    oldest = json.dumps(
        {"caller_profile": profile(destination_number="+8613800000777"), "times": {"answered_time": "0"}}
    )
    old = text[: text.index('"callflow"')] + f'"callflow": {newest}, "callflow": {oldest}}}'
    (call,) = calls(old)
    assert call["callee"] == "+8613800000777"
    assert call["answer_time"].timestamp() == START + 4.5


def test_b_legs_are_no_calls_beside_their_a_leg() -> None:
    for legs in (
        [record(), b_leg("b", "a")],
        [b_leg("b", "a"), record()],
        [b_leg("b", "a"), b_leg("c", "a"), record()],
    ):
        assert [call["call_id"] for call in calls(legs)] == ["a"]


def test_b_legs_alone_are_one_call_and_the_answered_one_counts() -> None:
    legs = [b_leg("b", "a", answered=0), b_leg("c", "a"), b_leg("d", "a", answered=0)]
    read = chunks(legs)
    table = pa.Table.from_batches([c.records for c in read])
    assert table["call_id"].to_pylist() == ["a"]
    assert table["answer_time"].null_count == 0
    assert sum(c.notes.get("b_leg_alone", 0) for c in read) == 1
    assert [row for c in read for row in c.rows] == [2]


def test_a_record_that_comes_twice_is_one() -> None:
    assert len(calls([record(), record()])) == 1


@pytest.mark.parametrize(
    ("direction", "disposition", "cause", "bridged", "by"),
    [
        ("inbound", "recv_bye", "NORMAL_CLEARING", True, "caller"),
        ("inbound", "send_bye", "NORMAL_CLEARING", True, "callee"),
        ("inbound", "send_bye", "NORMAL_CLEARING", False, "network"),
        ("inbound", "send_bye", "MEDIA_TIMEOUT", True, "network"),
        ("inbound", "recv_cancel", "ORIGINATOR_CANCEL", False, "caller"),
        ("inbound", "", "ORIGINATOR_CANCEL", False, "caller"),
        ("inbound", "send_refuse", "USER_BUSY", False, "callee"),
        ("inbound", "send_refuse", "NO_ROUTE_DESTINATION", False, "network"),
        ("outbound", "recv_bye", "NORMAL_CLEARING", True, "callee"),
        ("outbound", "send_bye", "NORMAL_CLEARING", True, "caller"),
        ("outbound", "send_cancel", "ORIGINATOR_CANCEL", False, "caller"),
        ("outbound", "send_cancel", "NO_ANSWER", False, "network"),
        ("outbound", "recv_refuse", "CALL_REJECTED", False, "callee"),
        ("inbound", "", "NORMAL_CLEARING", False, None),
    ],
)
def test_who_hung_up(direction: str, disposition: str, cause: str, bridged: bool, by: str | None) -> None:
    variables = {"sip_hangup_disposition": disposition, "hangup_cause": cause}
    if bridged:
        variables["last_bridge_to"] = "b"
    (call,) = calls([record(direction=direction, changes=None, answered=4, **variables)])
    assert call["released_by"] == by


@pytest.mark.parametrize(
    ("name", "number", "cause"),
    [
        ("USER_BUSY", "17", 17),
        ("ORIGINATOR_CANCEL", "16", 16),
        ("ORIGINATOR_CANCEL", "487", 16),
        ("USER_NOT_REGISTERED", "16", 20),
        ("NORMAL_CLEARING", "", 16),
        ("INVENTED", "16", 16),
        ("INVENTED", "", None),
    ],
)
def test_causes(name: str, number: str, cause: int | None) -> None:
    assert [call["cause"] for call in calls([record(hangup_cause=name, hangup_cause_q850=number)])] == [cause]


def test_an_unanswered_call_and_times_out_of_the_variables() -> None:
    (call,) = calls([record(answered=0, answer_uepoch="0", answer_epoch="0")])
    assert call["answer_time"] is None
    bare = record(start_uepoch=f"{START}250000", answer_epoch=f"{START + 3}", end_uepoch="junk")
    del bare["callflow"][0]["times"]
    (call,) = calls([bare])
    assert [call["start_time"].timestamp(), call["answer_time"].timestamp()] == [START + 0.25, START + 3]
    assert call["end_time"] is None


def test_a_clock_set_back_during_the_call() -> None:
    odd = record()
    odd["callflow"][0]["times"]["hangup_time"] = f"{START - 5}000000"
    (chunk,) = chunks([odd])
    assert chunk.notes == {"clock_jump": 1}
    assert chunk.records["end_time"] == chunk.records["answer_time"]


def test_what_cannot_be_used_is_rejected_and_the_next_record_is_not_lost() -> None:
    whole = json.dumps(record(uuid="x"), separators=(",", ":"))
    nobody = json.dumps(record(changes={"destination_number": ""}))
    timeless = json.dumps(record(changes={}) | {"callflow": [{"caller_profile": profile(), "times": "?"}]})
    data = "\n".join(
        [whole[:200], whole, "garbage", '{"a": 1}', nobody, timeless, "[]", whole.replace('"x"', '"y"')[:-1]]
    )
    read = chunks(data)
    assert sum(len(c.records) for c in read) == 1
    reasons = {each.row: each.reason for c in read for each in c.rejected}
    assert sorted(reasons) == [1, 3, 4, 5, 6, 7, 8]
    assert "cut off" in reasons[1]
    assert "cut off" in reasons[8]
    assert all("+86" not in reason for reason in reasons.values())


def test_strange_json_does_no_harm() -> None:
    strange = record(changes={"caller_id_number": "\ud800", "originator": [7]}, uuid="\0") | {
        "channel_data": []
    }
    strange["callflow"].append("no profile")
    (call,) = calls([strange])
    assert call["caller"] == "?"
    assert len(chunks("{" * 100_000 + "\n")[0].rejected) == 1
    assert chunks("")[0].read == 0


@pytest.mark.parametrize(
    ("name", "count"), [("encoded", 6), ("plain", 4), ("base64", 2), ("form", 1), ("indented", 2)]
)
def test_samples(name: str, count: int) -> None:
    data = (SAMPLES / f"freeswitch_json.{name}.json").read_bytes()
    assert freeswitch_json.sniff(data) == 97
    found = calls(data)
    assert len(found) == count
    assert all(call["callee"].startswith("+") and call["start_time"] for call in found)


def test_sniff_leaves_other_files_alone() -> None:
    contract = b'{"start_time": "2026-03-05T02:11:09Z", "caller": null, "callee": "+8613800000900"}\n'
    for other in (b"", b"\0\1\2", contract, b"eyJhIjoxfQ==", b"cdr=1", b"cdr=%7B%7D", b'{"core-uuid": 1}'):
        assert freeswitch_json.sniff(other) == 0
