"""Accounting while it is written: the same calls as a scan of the whole log, told as soon as they are known."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.ingest._acc_lines import ROUTE_HOLD, AccLines
from ringfence.ingest._sip_calls import HOLD, SECOND
from ringfence.ingest.format import Chunk, Settings, formats

SAMPLES = Path(__file__).parents[1] / "samples"
LOGS = sorted(SAMPLES.glob("kamailio_acc*.log"))
START = 1_795_279_500
CALLER, CALLEE = "+8613800000100", "+8613800000900"
LATER = 10**18


def line(second: float, code: int, *, method: str = "INVITE", call: str = "1", tags: tuple[str, str] = ("a", "b"), more: str = "") -> str:  # fmt: skip
    text = "call missed" if method == "INVITE" and code >= 300 else "transaction answered"
    whole, part = divmod(round(second * 1000), 1000)
    return (
        f"sip1 kamailio[9]: ACC: {text}: timestamp={START + whole};time={START + whole}.{part:03};method={method};"
        f"from_tag={tags[0]};to_tag={tags[1]};call_id={call};code={code};reason=OK;caller={CALLER};callee={CALLEE}{more}\n"
    )


def bye(second: float, call: str = "1", tags: tuple[str, str] = ("a", "b")) -> str:
    return line(second, 200, method="BYE", call=call, tags=tags)


def cdr(start: float, end: float, call: str = "1") -> str:
    return (
        f"sip1 kamailio[9]: NOTICE: acc_log_write_cdr(): start_time={START + start:.3f}; end_time={START + end:.3f};"
        f" duration={end - start:.3f}; call_id={call}; caller={CALLER}; callee={CALLEE}\n"
    )


def rows(chunks: list[Chunk]) -> list[dict[str, Any]]:
    table = pa.Table.from_batches([chunk.records for chunk in chunks])
    found: list[dict[str, Any]] = table.to_pylist()
    for row in found:
        for name in ("start_time", "answer_time", "end_time"):
            row[name] = None if row[name] is None else round(row[name].timestamp() - START, 3)
    return found


def shape(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row[key] for key in ("start_time", "answer_time", "end_time", "cause", "released_by"))


def fed(reader: AccLines, *lines: str) -> list[tuple[object, ...]]:
    return [shape(row) for row in rows(reader.feed("".join(lines).encode()))]


def live(hold: float = 5) -> AccLines:
    return AccLines("kamailio_acc", Settings(), round(hold * SECOND))


def notes(chunks: list[Chunk], name: str) -> int:
    return sum(chunk.notes.get(name, 0) for chunk in chunks)


def test_a_call_is_told_at_its_answer_and_at_its_bye() -> None:
    reader = live()
    setup = f";setup_time={START + 1}.500"
    assert fed(reader, line(5, 200, more=setup)) == [(1.5, 5, None, None, None)]
    assert fed(reader, line(6, 503, call="2")) == []
    assert fed(reader, bye(9)) == [(1.5, 5, 9, 16, "caller")]
    assert fed(reader, bye(9.5), bye(9), line(5, 200, more=setup)) == []


def test_start_caller_and_callee_are_the_same_in_all_rows() -> None:
    reader = live()
    told = rows(reader.feed(line(5, 200).encode()))
    # a try before it, out of order, and a CDR that knows an earlier set-up: what was told stays
    told += rows(reader.feed((line(2, 404) + cdr(1, 9) + bye(9)).encode()))
    assert [(row["start_time"], row["caller"], row["callee"], row["call_id"]) for row in told] == [
        (5, CALLER, CALLEE, "1")
    ] * 2
    assert told[1]["released_by"] == "caller"


@pytest.mark.parametrize(
    ("code", "hold"), [(486, 5), (487, 5), (603, 5), (404, 200), (503, 200), (302, 200), (408, 200)]
)
def test_a_failure_is_told_when_no_further_try_can_be_expected(code: int, hold: int) -> None:
    reader = live()
    assert fed(reader, line(0, code)) == []
    assert rows(reader.advance((START + hold) * SECOND - 1)) == []
    (row,) = rows(reader.advance((START + hold) * SECOND))
    assert (row["start_time"], row["answer_time"], row["end_time"]) == (0, None, 0)
    assert rows(reader.advance(LATER)) == []


def test_other_lines_let_the_log_go_on_too() -> None:
    reader = live()
    assert fed(reader, line(0, 486), line(4.9, 486, call="2")) == []
    assert fed(reader, line(5, 200, call="3")) == [(5, 5, None, None, None), (0, None, 0, 17, "callee")]


def test_the_404_of_a_redirect_query_makes_no_call_while_the_phone_rings() -> None:
    reader = live()
    assert fed(reader, line(0, 404), line(60, 486, call="2"), line(66, 486, call="3")) == [
        (60, None, 60, 17, "callee")
    ]
    assert fed(reader, line(170, 200))[0] == (0, 170, None, None, None)


def test_a_further_try_begins_the_wait_anew_and_the_last_one_tells() -> None:
    reader = live()
    assert fed(reader, line(0, 486), line(4, 486), line(8, 603)) == []
    assert [shape(row) for row in rows(reader.advance((START + 13) * SECOND))] == [(0, None, 8, 21, "callee")]


def test_an_answer_after_a_failure_was_told_is_told_and_counted() -> None:
    reader = live()
    assert fed(reader, line(0, 486), line(9, 200, call="2")) == [
        (9, 9, None, None, None),
        (0, None, 0, 17, "callee"),
    ]
    chunks = reader.feed((line(20, 200) + bye(30)).encode())
    assert [shape(row) for row in rows(chunks)] == [(0, 20, None, None, None), (0, 20, 30, 16, "caller")]
    assert notes(chunks, "failed_then_answered") == 1


def test_a_bye_before_its_invite_is_told_once() -> None:
    reader = live()
    assert fed(reader, bye(9)) == []
    assert fed(reader, line(5, 200)) == [(5, 5, 9, 16, "caller")]


def test_a_bye_proves_an_answer_whose_record_is_missing() -> None:
    reader = live()
    assert fed(reader, line(2, 404), bye(9)) == []
    assert [shape(row) for row in rows(reader.advance((START + 14) * SECOND))] == [(2, 2, 9, 16, "caller")]


def test_a_bye_of_a_call_before_our_time_is_counted() -> None:
    reader = live()
    assert fed(reader, bye(9)) == []
    chunks = reader.advance((START + 10) * SECOND + HOLD)
    assert rows(chunks) == []
    assert notes(chunks, "bye_without_invite") == 1


def test_a_cdr_beside_transactions_waits_for_who_released() -> None:
    reader = live()
    assert fed(reader, line(5, 200), cdr(4.5, 9)) == [(5, 5, None, None, None)]
    assert fed(reader, bye(9, tags=("b", "a"))) == [(5, 5, 9, 16, "callee")]
    assert rows(reader.advance(LATER)) == []


def test_cdrs_alone_are_told_at_once() -> None:
    assert fed(live(), cdr(4.5, 9)) == [(4.5, 4.5, 9, 16, None)]


def test_the_next_call_with_the_same_call_id_is_another() -> None:
    reader = live()
    told = fed(reader, line(0, 200), bye(5), line(20, 200, tags=("a", "c")), bye(25, tags=("a", "c")))
    assert told == [
        (0, 0, None, None, None),
        (0, 0, 5, 16, "caller"),
        (20, 20, None, None, None),
        (20, 20, 25, 16, "caller"),
    ]


def test_a_damaged_line_costs_itself_and_is_counted_with_its_row() -> None:
    reader = live()
    reader.feed(b"\n\nsomething else\n")
    chunks = reader.feed(
        b"\xff\xfe\nACC: transaction answered: timestamp=17\n" + line(5, 200).encode() + b"x" * (1 << 21)
    )
    assert [(each.row, each.reason) for chunk in chunks for each in chunk.rejected] == [
        (5, "the record has no method, call_id or code; it may be cut off"),
        (7, "the line is longer than 1 MiB"),
    ]
    assert chunks[0].rows.tolist() == [6]
    assert chunks[0].read == 4


def folded(found: list[dict[str, Any]]) -> dict[tuple[object, ...], dict[str, Any]]:
    """What all rows of a call know together."""
    calls: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in found:
        key = tuple(row[name] for name in ("call_id", "start_time", "caller", "callee"))
        known = calls.setdefault(key, dict(row))
        known.update({name: value for name, value in row.items() if value is not None})
    return calls


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.name)
@settings(max_examples=12)
@given(data=st.data())
def test_a_log_in_pieces_gives_the_calls_of_a_scan(log: Path, data: st.DataObject) -> None:
    """With the hold of a scan; wherever it is cut, and whether or not the service was restarted at the cut."""
    raw, name = log.read_bytes(), log.name.split(".")[0]
    whole = folded(rows(list(formats()[name].read(io.BytesIO(raw), Settings()))))
    cuts = sorted(data.draw(st.sets(st.integers(0, raw.count(b"\n")), max_size=6)))
    lines = raw.splitlines(keepends=True)
    reader, told = AccLines(name, Settings(), HOLD), list[dict[str, Any]]()
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        told += rows(reader.feed(b"".join(lines[first:last])))
        if data.draw(st.booleans()):
            state = json.dumps(reader.as_json())
            reader = AccLines(name, Settings(), HOLD)
            reader.restore(json.loads(state))
    told += rows(reader.advance(LATER))
    assert folded(told) == whole


@st.composite
def logs(draw: st.DrawFn) -> list[str]:
    """Calls with tries, answers, ends and repeats, in about the order of time."""
    made: list[tuple[float, str]] = []
    for number in range(draw(st.integers(1, 6))):
        call, at = str(number), draw(st.floats(0, 100))
        for code in draw(st.lists(st.sampled_from([404, 486, 503, 480, 302]), max_size=3)):
            made.append((at, line(at, code, call=call)))
            at += draw(st.floats(0, 3))
        if draw(st.booleans()):
            made.append((at, line(at, 200, call=call)))
            at += draw(st.floats(0, 1000))
            if draw(st.booleans()):
                made.append((at, bye(at, call=call)))
    repeats = draw(st.lists(st.sampled_from(made), max_size=4)) if made else []
    return [text for _, text in sorted([*made, *repeats], key=lambda item: item[0])]


@given(logs(), st.integers(1, 5))
def test_pieces_and_restarts_change_no_row(lines: list[str], size: int) -> None:
    whole = live()
    expected = rows(whole.feed("".join(lines).encode())) + rows(whole.advance(LATER))
    reader, told = live(), list[dict[str, Any]]()
    for place in range(0, len(lines), size):
        told += rows(reader.feed("".join(lines[place : place + size]).encode()))
        state = json.loads(json.dumps(reader.as_json()))
        reader = live()
        reader.restore(state)
    assert told + rows(reader.advance(LATER)) == expected
    scanned = rows(list(formats()["kamailio_acc"].read(io.BytesIO("".join(lines).encode()), Settings())))
    assert {(row["call_id"], row["answer_time"]) for row in scanned} == {
        (row["call_id"], row["answer_time"]) for row in folded(expected).values()
    }


def test_what_waits_is_bounded_by_what_was_logged_lately() -> None:
    reader = live()
    for second in range(2000):
        reader.feed(line(second, 486, call=f"c{second}").encode())
    state = reader.as_json()
    assert len(state["held"]) <= HOLD // SECOND + 2
    assert len(state["due"]) <= 7
    assert ROUTE_HOLD < HOLD
