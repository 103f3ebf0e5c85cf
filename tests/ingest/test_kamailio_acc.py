"""The text log of Kamailio's acc: what is one call, and what is not."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ringfence.ingest import _sip_calls, kamailio_acc
from ringfence.ingest.format import Chunk, Settings, UnreadableError

SAMPLES = Path(__file__).parents[1] / "samples"
START = 1_795_279_500
CALLER, CALLEE = "+8613800000100", "+8613800000900"


def line(
    second: int,
    code: int,
    *,
    method: str = "INVITE",
    call_id: str = "1@sip1",
    tags: tuple[str, str] = ("a", "b"),
    extra: str = f"src_ip=127.0.0.1;caller={CALLER};callee={CALLEE}",
    reason: str = "OK",
    prefix: str = "Nov 21 19:00:00 sip1 kamailio[9]: NOTICE: acc [acc.c:268]: acc_log_request(): ",
) -> str:
    text = "call missed" if method == "INVITE" and code >= 300 else "transaction answered"
    return (
        f"{prefix}ACC: {text}: timestamp={START + second};method={method};from_tag={tags[0]};to_tag={tags[1]};"
        f"call_id={call_id};code={code};reason={reason};{extra}"
    )


def chunks(lines: Iterable[str], end: str = "\n", **settings: str) -> list[Chunk]:
    stream = io.BytesIO("\n".join(lines).encode() + end.encode())
    return list(kamailio_acc.read(stream, Settings(**settings)))


def calls(lines: Iterable[str], **settings: str) -> list[dict[str, Any]]:
    """The calls, with times in seconds since START."""
    return told(chunks(lines, **settings))


def told(read: list[Chunk]) -> list[dict[str, Any]]:
    for chunk in read:
        assert len(chunk.rows) == len(chunk.records) <= _sip_calls.CALLS_PER_CHUNK
    assert sum(c.read for c in read) == sum(len(c.records) + c.ignored + len(c.rejected) for c in read)
    found: list[dict[str, Any]] = pa.Table.from_batches([chunk.records for chunk in read]).to_pylist()
    for call in found:
        for name in ("start_time", "answer_time", "end_time"):
            call[name] = None if call[name] is None else call[name].timestamp() - START
    return found


def shape(call: dict[str, Any]) -> tuple[object, ...]:
    return tuple(call[key] for key in ("start_time", "answer_time", "end_time", "cause", "released_by"))


def note(read: list[Chunk], name: str) -> int:
    return sum(chunk.notes.get(name, 0) for chunk in read)


def test_an_answered_call_is_one_call() -> None:
    (call,) = calls([line(5, 200), line(9, 200, method="BYE")])
    assert shape(call) == (5, 5, 9, 16, "caller")
    assert (call["call_id"], call["caller"], call["callee"]) == ("1@sip1", CALLER, CALLEE)


def test_the_tag_of_the_bye_tells_who_hung_up() -> None:
    (call,) = calls([line(5, 200), line(9, 200, method="BYE", tags=("b", "a"), extra="caller=x;callee=uac")])
    assert call["released_by"] == "callee"
    assert (call["caller"], call["callee"]) == (CALLER, CALLEE)


@pytest.mark.parametrize("final", [200, 486, 603, 487])
def test_m8_the_404_of_a_redirect_query_is_no_call(final: int) -> None:
    lines = [line(0, 404, tags=("a", "query"), reason="Not Found"), line(7, final)]
    if final == 200:
        lines.append(line(9, 200, method="BYE"))
    read = chunks(lines)
    (call,) = told(read)
    assert call["start_time"] == 0
    assert call["answer_time"] == (7 if final == 200 else None)
    assert call["cause"] != 1
    assert read[0].rows.tolist() == [1]


def test_a_lone_404_is_an_attempt_to_a_number_that_is_not() -> None:
    assert [shape(call) for call in calls([line(3, 404)])] == [(3, None, 3, 1, "network")]


def test_route_advance_and_forks_are_one_attempt_and_the_last_response_wins() -> None:
    (call,) = calls([line(0, 404), line(1, 503), line(21, 480), line(22, 486)])
    assert shape(call) == (0, None, 22, 17, "callee")


def test_the_last_response_is_the_latest_not_the_last_line() -> None:
    (call,) = calls([line(22, 486), line(0, 404)])
    assert shape(call) == (0, None, 22, 17, "callee")


@pytest.mark.parametrize(
    ("code", "cause", "by"),
    [
        (404, 1, "network"),
        (408, 102, "network"),
        (480, 18, None),
        (486, 17, "callee"),
        (487, 16, "caller"),
        (503, 41, "network"),
        (600, 17, "callee"),
        (603, 21, "callee"),
        (607, 21, "callee"),
        (499, 31, "network"),
        (302, None, None),
    ],
)
def test_causes_by_rfc_3398(code: int, cause: int | None, by: str | None) -> None:
    (call,) = calls([line(0, code)])
    assert (call["cause"], call["released_by"]) == (cause, by)


def test_a_reason_header_tells_the_cause_itself() -> None:
    (call,) = calls([line(0, 480, reason='Q.850;cause=20;text="absent"')])
    assert (call["cause"], call["callee"]) == (20, CALLEE)


def test_records_that_come_twice_change_nothing() -> None:
    lines = [line(0, 404), line(2, 200), line(8, 200, method="BYE")]
    twice = [each for each in lines for _ in range(2)]
    assert calls(twice) == calls(lines)


def test_a_failure_logged_as_missed_and_as_failed_transaction_is_one() -> None:
    failed = line(2, 486)
    assert len(calls([failed, failed.replace("call missed", "transaction answered")])) == 1


def test_a_call_without_bye_is_still_up() -> None:
    assert [shape(call) for call in calls([line(5, 200)])] == [(5, 5, None, None, None)]


@pytest.mark.parametrize("tags", [("a", "b"), ("b", "a")])
def test_a_bye_before_its_invite(tags: tuple[str, str]) -> None:
    read = chunks([line(9, 200, method="BYE", tags=tags), line(5, 200)])
    (call,) = told(read)
    assert shape(call) == (5, 5, 9, 16, "caller" if tags[0] == "a" else "callee")
    assert read[0].rows.tolist() == [1]


def test_a_bye_whose_invite_is_in_an_earlier_file_is_counted() -> None:
    read = chunks([line(9, 200, method="BYE")])
    assert told(read) == []
    assert note(read, "bye_without_invite") == 1


def test_a_re_invite_is_no_call_and_no_failure() -> None:
    (call,) = calls([
        line(5, 200),
        line(6, 200),
        line(7, 488, tags=("b", "a"), extra="caller=x;callee=uac"),
        line(8, 491),
        line(9, 200, method="BYE"),
    ])  # fmt: skip
    assert shape(call) == (5, 5, 9, 16, "caller")


def test_a_dialler_cannot_hide_behind_one_call_id() -> None:
    answered = [
        each
        for second in range(0, 200, 20)
        for each in (
            line(second, 200, tags=("a", f"b{second}")),
            line(second + 3, 200, method="BYE", tags=("a", f"b{second}")),
        )
    ]
    assert len(calls(answered)) == 10
    assert len(calls(line(second, 487) for second in range(0, 200, 20))) == 10
    assert len(calls(line(second, 486, tags=(f"a{second}", "b")) for second in range(0, 200, 20))) == 10
    assert len(calls(line(second, 486) for second in range(0, 6000, 20))) >= 9
    told_by_setup = (
        line(s, 486, extra=f"callee={CALLEE};setup_time={START + s}.5") for s in range(0, 200, 20)
    )
    assert len(calls(told_by_setup)) == 10


def test_other_methods_are_counted() -> None:
    read = chunks([
        line(0, 202, method="MESSAGE"),
        line(0, 200, method="REGISTER"),
        line(0, 200, method="CANCEL"),
        line(1, 487),
    ])  # fmt: skip
    assert len(told(read)) == 1
    assert note(read, "other_methods") == 2


def test_an_early_response_is_where_the_call_begins() -> None:
    (call,) = calls([line(1, 183), line(6, 200), line(9, 200, method="BYE")])
    assert shape(call) == (1, 6, 9, 16, "caller")


def test_values_with_semicolons() -> None:
    (call,) = calls([
        line(0, 486, extra="caller=sip:+8613800000100@h;user=phone;callee=sip:900;phone-context=+86@h;user=phone;ua=x;y=z")
    ])  # fmt: skip
    assert call["caller"] == "sip:+8613800000100@h;user=phone"
    assert call["callee"] == "sip:900;phone-context=+86@h;user=phone"


def test_what_a_caller_writes_does_not_stand_in_for_a_key_before_it() -> None:
    read = chunks([line(0, 486, extra=f"caller={CALLER};callee={CALLEE};ua=x;callee=+8613800000999")])
    (call,) = told(read)
    assert call["callee"] == CALLEE
    assert note(read, "key_twice") == 1


def test_the_keys_of_kamailios_own_configuration() -> None:
    extra = "src_user=anonymous;src_domain=h;src_ip=127.0.0.1;dst_ouser=forged;dst_user=+8613800000900;dst_domain=h"
    (call,) = calls([line(0, 486, extra=extra)])
    assert (call["caller"], call["callee"]) == ("anonymous", CALLEE)


def test_an_empty_caller_is_null_and_trunk_ingress_and_attestation_are_taken() -> None:
    extra = f"caller=;callee={CALLEE};trunk=gw-3;ingress=international;attestation=C"
    (call,) = calls([line(0, 486, extra=extra)])
    assert [call[key] for key in ("caller", "trunk", "ingress", "attestation")] == [
        None,
        "gw-3",
        "international",
        "C",
    ]
    (call,) = calls([line(0, 486, extra=f"callee={CALLEE};ingress=moon;attestation=Z")])
    assert (call["ingress"], call["attestation"]) == (None, None)


def test_the_called_person_is_the_first_one_rung() -> None:
    (call,) = calls([line(0, 480), line(20, 200, extra=f"caller={CALLER};callee=voicemail")])
    assert call["callee"] == CALLEE


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (f"{START + 2}", 2),
        (f"{START + 2}.25", 2.25),
        (f"{START + 2}500", 2.5),
        (f"{START + 2}500000", 2.5),
        ("2026-11-21T16:45:02Z", 2),
        ("2026-11-22 00:45:02.5", 2.5),
        ("", 9),
        ("0", 9),
        ("soon", 9),
        (f"{START + 60}", 9),
        (f"{START - 7200}", 9),
    ],
)
def test_set_up_as_the_operator_logs_it(value: str, start: float) -> None:
    lines = [line(9, 200, extra=f"callee={CALLEE};setup_time={value}")]
    assert [call["start_time"] for call in calls(lines, timezone="Asia/Shanghai")] == [start]


def test_finer_times_of_the_time_modes() -> None:
    plain = line(5, 200)
    for finer in (f"time_exten={250_000}", f"time_attr={START + 5}.250", f"seconds={START + 5}.250"):
        (call,) = calls([plain.replace(";method", f";{finer};method")])
        assert call["answer_time"] == 5.25
    (call,) = calls([plain.replace(";method", ";time_attr=2026-11-21 16:45:05;method")])
    assert call["answer_time"] == 5


def test_a_record_that_does_not_say_who_was_called_tells_what_to_log() -> None:
    read = chunks([line(0, 486, extra="src_ip=127.0.0.1")])
    assert told(read) == []
    (rejected,) = read[0].rejected
    assert rejected.row == 1
    assert "log_extra" in rejected.reason


def test_a_record_without_called_person_takes_nothing_else_away() -> None:
    read = chunks([line(9, 200, method="BYE", tags=("b", "a")), line(5, 200, extra="x=y")])
    assert told(read) == []
    assert (len(read[0].rejected), note(read, "bye_without_invite")) == (1, 1)
    read = chunks([line(0, 487), line(60, 487, extra="x=y"), line(61, 487)])
    assert len(told(read)) == 2


def test_lines_that_say_acc_but_are_none_are_rejected_and_others_are_counted() -> None:
    read = chunks([
        "Nov 21 19:00:00 sip1 kamailio[9]: ACC: transac",
        line(0, 486)[:170],
        line(0, 486).replace(f"timestamp={START}", "timestamp=99999999999"),
        "",
        "Nov 21 19:00:00 sip1 sshd[1]: MACC: transaction",
        line(0, 486, call_id="2@sip1"),
    ])  # fmt: skip
    assert len(told(read)) == 1
    assert [each.row for each in read[0].rejected] == [1, 2, 3]
    assert note(read, "other_lines") == 1
    assert all("+86" not in each.reason for each in read[0].rejected)


def test_a_tail_cut_within_a_line() -> None:
    whole = line(0, 486)
    cut = line(5, 486, call_id="2@sip1", extra="src_ip=127.0.0.1;callee=+8613")
    read = chunks([whole, cut], end="")
    assert len(told(read)) == 1
    assert [each.row for each in read[0].rejected] == [2]
    assert len(told(chunks([whole, line(5, 486, call_id="2@sip1")], end=""))) == 2


def test_bytes_that_are_no_utf8_do_not_hide_a_call() -> None:
    raw = line(0, 486, extra=f"callee={CALLEE};display=").encode() + "张三".encode("gbk") + b"\n"
    (chunk,) = kamailio_acc.read(io.BytesIO(raw), Settings())
    assert chunk.records["callee"].to_pylist() == [CALLEE]


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "<133>1 2026-11-21T19:00:00Z sip1 kamailio 9 - - ",
        "MESSAGE=NOTICE: acc [acc.c:268]: acc_log_request(): ",
        " 1(5475) NOTICE: {1 1 INVITE 1@sip1} acc [acc.c:268]: acc_log_request(): ",
    ],
)
def test_any_prefix(prefix: str) -> None:
    assert len(calls([line(0, 486, prefix=prefix)])) == 1
    assert kamailio_acc.sniff(line(0, 486, prefix=prefix).encode()) == 95


def test_a_cdr_alone_and_beside_its_transactions() -> None:
    cdr = f"log_write_cdr(): start_time={START}.5; end_time={START + 9}.5; duration=9.000; call_id=1@sip1; callee={CALLEE}"
    (alone,) = calls([cdr])
    assert shape(alone) == (0.5, 0.5, 9.5, 16, None)
    (joined,) = calls([line(4, 200), line(9, 200, method="BYE"), cdr])
    assert shape(joined) == (0.5, 4, 9, 16, "caller")
    (ended,) = calls([line(4, 200), cdr])
    assert shape(ended) == (0.5, 4, 9.5, 16, None)
    (told_more,) = calls([f"{cdr}; answer_time={START + 3}"])
    assert told_more["answer_time"] == 3
    nameless = cdr.replace("call_id=1@sip1; ", "")
    assert len(calls([line(4, 200), line(9, 200, method="BYE"), nameless])) == 1
    failed = cdr.replace(f"end_time={START + 9}", f"end_time={START}").replace("9.000", "0")
    assert [shape(call) for call in calls([failed])] == [(0.5, None, 0.5, None, None)]
    assert [shape(call) for call in calls([failed, line(2, 486)])] == [(0.5, None, 2, 17, "callee")]
    read = chunks([cdr.replace(f"; callee={CALLEE}", "")])
    assert "cdr_extra" in read[0].rejected[0].reason


def test_a_failed_call_is_given_out_while_the_log_goes_on() -> None:
    early = line(0, 486)
    late = [line(400 + i % 100, 404, call_id=f"{i}@sip1") for i in range(_sip_calls.LINES_PER_CHUNK + 10)]
    first, *_ = kamailio_acc.read(io.BytesIO("\n".join([early, *late]).encode()), Settings())
    assert first.records["cause"].to_pylist() == [17]


def test_the_table_of_open_calls_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sip_calls, "MAX_OPEN", 10)
    read = chunks(line(i, 200, call_id=f"{i}@sip1") for i in range(25))
    assert [call["end_time"] for call in told(read)] == [None] * 25
    assert note(read, "open_calls_dropped") == 15
    read = chunks(line(i, 486, call_id=f"{i}@sip1") for i in range(25))
    assert len(told(read)) == 25


def test_too_long_lines_utf16_and_a_broken_stream() -> None:
    stream = io.BytesIO(b"x" * (3 << 20) + b"\n" + line(0, 486).encode() + b"\n")
    (chunk,) = kamailio_acc.read(stream, Settings())
    assert (len(chunk.records), [each.row for each in chunk.rejected], chunk.rows.tolist()) == (1, [1], [2])
    with pytest.raises(UnreadableError, match="UTF-16"):
        list(kamailio_acc.read(io.BytesIO(line(0, 486).encode("utf-16")), Settings()))
    with pytest.raises(UnreadableError, match="Moon"):
        list(kamailio_acc.read(io.BytesIO(), Settings(timezone="Moon/Base")))

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if piece := super().read(size):
                return piece
            raise EOFError("the compressed data end too early")

    read = kamailio_acc.read(Broken(line(0, 486).encode() + b"\n"), Settings())
    assert len(next(read).records) == 1
    with pytest.raises(UnreadableError, match="after line 1"):
        next(read)


@pytest.mark.parametrize("name", ["stderr", "syslog", "cdr"])
def test_samples_of_a_real_kamailio_tell_the_same_ten_calls(name: str) -> None:
    data = (SAMPLES / f"kamailio_acc.{name}.log").read_bytes()
    assert kamailio_acc.sniff(data) == 95
    found = told(list(kamailio_acc.read(io.BytesIO(data), Settings())))
    assert len(found) == 10
    assert sum(call["caller"] == "anonymous" for call in found) == 3
    assert sum(call["answer_time"] is not None for call in found) == 5


def test_the_sample_of_the_journal() -> None:
    data = (SAMPLES / "kamailio_acc.journal.log").read_bytes()
    assert kamailio_acc.sniff(data) == 95
    assert len(told(list(kamailio_acc.read(io.BytesIO(data), Settings())))) == 7


def test_a_record_forged_in_a_header_that_the_script_logs_is_none() -> None:
    read = chunks([line(0, 486, prefix="Nov 21 19:00:00 sip1 kamailio[9]: INFO: <script>: agent is ")])
    assert told(read) == []
    assert note(read, "other_lines") == 1


def test_sniff_leaves_other_files_alone() -> None:
    for other in (
        b"",
        b"\0\1\2",
        b"start_time,caller,callee\n",
        b'{"start_time": 1}',
        b"Nov 21 sip1 sshd[1]: ACC: yes",
    ):
        assert kamailio_acc.sniff(other) == 0
    assert 0 < kamailio_acc.sniff(b"Nov 21 19:00:00 sip1 /usr/sbin/kamailio[9]: INFO: hello\n") < 50
