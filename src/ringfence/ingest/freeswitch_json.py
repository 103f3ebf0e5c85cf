"""FreeSWITCH's JSON call records: what mod_json_cdr writes to files or posts to a web server.

A record is one JSON object: a file of its own (`UUID.cdr.json`), one a line, or several one after another. As posted with
`encode` set it is `cdr=` and the object URL-encoded or in base64. `rows` and `read` count objects, not lines.

Every leg has a record. The A leg (from the caller to FreeSWITCH) is the call; a B leg (to the called side) is one only
if its A leg is nowhere in the file, and then bears the A leg's uuid as `call_id`, so that the two can be told to be one
call when they come in two files. With `log-b-leg` set to false there are no B legs to tell apart.

Two traps. The values in `variables` are URL-encoded by default (`encode-values`), those in `callflow` never; nothing in the
record says so, but an encoded value has no blank, colon, plus or at sign. And older versions write `callflow`
once for each profile, as a key that stands several times in one object, where others write a list.

Sources: mod_json_cdr.c, switch_ivr.c (`switch_ivr_generate_json_cdr`), switch_utils.h (`SWITCH_URL_UNSAFE`), mod_sofia.c and sofia.c
(`sip_hangup_disposition`), switch_channel.c (`switch_channel_cause_q850`) of FreeSWITCH.
"""

import base64
import json
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from ringfence.ingest._causes import FREESWITCH
from ringfence.ingest._sip_calls import clean, lines
from ringfence.ingest.format import Chunk, Rejected, Settings, UnreadableError
from ringfence.model.tables import CALLS

NAME = "freeswitch_json"
TITLE = "FreeSWITCH: JSON call records of mod_json_cdr, as files or as posted"

CALLS_PER_CHUNK = 20_000
RECORDS_PER_CHUNK = 50_000
NORMAL_CLEARING = 16
MAX_LEGS = 200_000
MAX_RECORD = 4 << 20  # bytes; a record of a long call through many applications has some 100 KiB
EARLIEST, LATEST = 631_152_000_000_000, 4_102_444_800_000_000  # 1990 and 2100, in microseconds

# What switch_url_encode replaces (but for %): a value that has one of these as it is was not encoded.
_UNSAFE = re.compile(r'[\r\n #&+:;<=>?@\[\\\]^`{|}"]')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]')

_PERSON_REFUSES = frozenset({"USER_BUSY", "CALL_REJECTED", "UNWANTED", "BUSY_EVERYWHERE", "DECLINE"})


_USED = (
    "uuid", "sip_from_user", "sip_req_user", "sip_to_user", "sip_gateway", "hangup_cause", "hangup_cause_q850",
    "sip_hangup_disposition", "bridge_uuid", "last_bridge_to", "start_uepoch", "start_epoch", "answer_uepoch",
    "answer_epoch", "end_uepoch", "end_epoch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Leg:
    row: int
    uuid: str
    originator: str | None  # the A leg's uuid, of a B leg
    values: dict[str, object]
    clock_jump: bool  # its times run backwards: the clock was set during the call


@dataclass(slots=True)
class _State:
    legs_a: OrderedDict[str, None] = field(default_factory=OrderedDict)
    legs_b: OrderedDict[str, _Leg] = field(default_factory=OrderedDict)
    done: list[_Leg] = field(default_factory=list)
    ignored: int = 0
    notes: Counter[str] = field(default_factory=Counter)


class _BadRecordError(ValueError):
    """A record cannot be used; the message is the reason given to the user."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; a `callflow` that stands several times in it becomes a list."""
    made = dict(pairs)
    if len(made) < len(pairs) and len(flows := [value for name, value in pairs if name == "callflow"]) > 1:
        made["callflow"] = flows
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def sniff(head: bytes) -> int:
    """Return 97 if the file begins with a record of mod_json_cdr, else 0."""
    start = head[:8192].decode(errors="replace").lstrip("\ufeff \t\r\n")
    body = start if start.startswith("{") else _body(start.split("\n", 1)[0])
    return 97 if body.startswith("{") and '"core-uuid"' in body[:200] and '"switchname"' in body[:1000] else 0


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:  # noqa: ARG001 - the times are in UTC
    """Yield the calls of a file; a row is a record, from 1.

    Raises:
        UnreadableError: the file is UTF-16, or the stream broke; the calls before the break are yielded first.
    """
    state, rejected, row, count = _State(), list[Rejected](), 0, 0
    broken: UnreadableError | None = None
    try:
        for text in _records(stream):
            row, count = row + 1, count + 1
            try:
                if text is None:
                    rejected.append(Rejected(row, "the record is too long, or cut off before its end"))
                else:
                    _take(state, row, text)
            except _BadRecordError as error:
                rejected.append(Rejected(row, str(error)))
            if len(state.done) >= CALLS_PER_CHUNK or count >= RECORDS_PER_CHUNK:
                yield _chunk(state, count, rejected)
                count, rejected = 0, []
    except UnreadableError as error:
        broken = error
    yield _chunk(state, count, rejected)
    while state.legs_b:
        for _ in range(min(CALLS_PER_CHUNK, len(state.legs_b))):
            _give_out(state)
        yield _chunk(state, 0, [])
    if broken:
        raise broken


# --- bytes to records -----------------------------------------------------------------------------------------------


def _records(stream: BinaryIO) -> Iterator[str | None]:
    """Yield the text of each record, however they are laid out; None for one that is too long or cut off."""
    pending: list[str] = []
    size = depth = 0
    for _, line, _ in lines(stream):
        text = (line or "").rstrip()
        if pending and (line is None or size > MAX_RECORD or text.startswith('{"core-uuid"')):
            yield None  # the record before has no end
            pending, size, depth = [], 0, 0
        elif line is None:
            yield None
        if not text:
            continue
        if not pending:
            text = _body(text.lstrip("\ufeff \t"))
            if not text.startswith("{") or (text.endswith("}") and "}{" not in text):
                yield text  # a whole record, as nearly always, or no record at all
                continue
        ended, rest, depth = _split(text, depth)
        for piece in ended:
            yield "".join((*pending, piece))
            pending, size = [], 0
        if rest:
            pending.append(f"{rest}\n")
            size += len(rest)
    if pending:
        yield None


def _split(text: str, depth: int) -> tuple[list[str], str, int]:
    """Return the pieces of a line that end an object, what is left, and how many braces are open after it."""
    ended, begin = [], 0
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                ended.append(text[begin : token.end()])
                begin = token.end()
    return ended, text[begin:].strip(), depth


def _body(text: str) -> str:
    """Return the JSON text of a body that is plain, URL-encoded or in base64, with `cdr=` before it or not."""
    body = text.removeprefix("cdr=")
    if body.startswith("%7B"):
        return unquote(body, errors="replace").rstrip()
    if body.startswith("eyJ"):  # {" in base64
        # A web server that takes the body for a form has turned + into a blank.
        quads = body.replace(" ", "+").rstrip("=")
        quads = quads[:-1] if len(quads) % 4 == 1 else quads  # cut off
        try:
            return (
                base64.b64decode(quads + "=" * (-len(quads) % 4)).decode(errors="replace").rstrip("\0\r\n ")
            )
        except ValueError:
            return text
    return body


# --- records to legs ------------------------------------------------------------------------------------------------


def _take(state: _State, row: int, text: str) -> None:
    try:
        record = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise _BadRecordError("the record is no JSON object; it may be cut off") from None
    if (
        not isinstance(record, dict)
        or not isinstance(record.get("variables"), dict)
        or "callflow" not in record
    ):
        raise _BadRecordError("the object is no call record of FreeSWITCH: variables or callflow is missing")
    leg = _leg(row, record)
    if leg.clock_jump:
        state.notes["clock_jump"] += 1
    if leg.originator is None:
        _take_a(state, leg)
    elif leg.originator in state.legs_a:
        state.ignored += 1
    else:
        _take_b(state, leg, leg.originator)


def _take_a(state: _State, leg: _Leg) -> None:
    if leg.uuid in state.legs_a:
        state.ignored += 1
        state.notes["doubled"] += 1
        return
    if leg.uuid:
        state.legs_a[leg.uuid] = None
        if len(state.legs_a) > MAX_LEGS:
            state.legs_a.popitem(last=False)
        if state.legs_b.pop(leg.uuid, None):
            state.ignored += 1
    state.done.append(leg)


def _take_b(state: _State, leg: _Leg, originator: str) -> None:
    """Keep a B leg until its A leg comes; of several (a group that rings) the one that answered, else the last."""
    other = state.legs_b.pop(originator, None)
    if other is not None:
        state.ignored += 1
        if other.values["answer_time"] is not None:
            leg = other
    state.legs_b[originator] = leg
    if len(state.legs_b) > MAX_LEGS:
        _give_out(state)


def _give_out(state: _State) -> None:
    _, leg = state.legs_b.popitem(last=False)
    state.notes["b_leg_alone"] += 1
    state.done.append(leg)


def _leg(row: int, record: dict[str, Any]) -> _Leg:
    variables = _variables(record["variables"])
    # The newest profile comes first; the oldest has what the caller dialled, before any transfer within the switch.
    flows = record["callflow"] if isinstance(record["callflow"], list) else [record["callflow"]]
    flows = [flow for flow in flows if isinstance(flow, dict)]
    profiles = [profile for flow in flows if isinstance(profile := flow.get("caller_profile"), dict)]
    dialled: dict[str, Any] = profiles[-1] if profiles else {}
    callee = (
        _text(dialled, "destination_number")
        or _text(variables, "sip_req_user")
        or _text(variables, "sip_to_user")
    )
    if callee is None:
        raise _BadRecordError("the record does not say who was called")
    start = _time(flows, "created_time", min) or _variable_time(variables, "start")
    if start is None:
        raise _BadRecordError("the record has no time of set-up")
    answer = _time(flows, "answered_time", min) or _variable_time(variables, "answer")
    end = _time(flows, "hangup_time", max) or _variable_time(variables, "end")
    set_back = min(answer or end or start, end or answer or start) < start or (end or LATEST) < (answer or 0)
    originator = _originator(profiles)
    uuid = _text(variables, "uuid") or _text(dialled, "uuid") or ""
    channel = record.get("channel_data")
    values: dict[str, object] = {
        "call_id": originator or uuid or None,
        "start_time": start,
        "answer_time": _later(start, answer),
        "end_time": _later(max(start, answer or 0), end),
        "caller": _text(dialled, "caller_id_number") or _text(variables, "sip_from_user"),
        "callee": callee,
        "cause": _cause(variables),
        "released_by": _released_by(
            variables, _text(channel, "direction") if isinstance(channel, dict) else None
        ),
        "trunk": _text(variables, "sip_gateway"),
    }
    return _Leg(row, uuid, originator, values, clock_jump=set_back)


def _variables(written: dict[str, Any]) -> dict[str, str]:
    """Return the variables that are used here, decoded if they were encoded."""
    values = {name: value for name in _USED if isinstance(value := written.get(name), str)}
    if _UNSAFE.search(",".join(value for value in written.values() if isinstance(value, str))):
        return values
    return {name: unquote(value, errors="replace") for name, value in values.items()}


def _originator(profiles: list[dict[str, Any]]) -> str | None:
    """Return the uuid of the A leg, if this is a B leg."""
    for profile in profiles:
        try:
            return _text(profile["originator"]["originator_caller_profiles"][0], "uuid")
        except (KeyError, IndexError, TypeError):
            continue
    return None


def _text(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    return clean(value.strip()) or None if isinstance(value, str) else None


def _time(flows: list[dict[str, Any]], name: str, choose: Callable[[list[int]], int]) -> int | None:
    """Return a moment out of the profiles; 0 stands for one that did not come."""
    texts = [str(times.get(name)) for flow in flows if isinstance(times := flow.get("times"), dict)]
    moments = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= 16]
    moments = [moment for moment in moments if EARLIEST <= moment < LATEST]
    return choose(moments) if moments else None


def _later(earliest: int, time: int | None) -> int | None:
    return None if time is None else max(earliest, time)


def _variable_time(variables: dict[str, str], name: str) -> int | None:
    micros, seconds = variables.get(f"{name}_uepoch", ""), variables.get(f"{name}_epoch", "")
    text = micros or f"{seconds}000000"
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    return int(text) if EARLIEST <= int(text) < LATEST else None


def _cause(variables: dict[str, str]) -> int | None:
    name, number = variables.get("hangup_cause", ""), variables.get("hangup_cause_q850", "")
    cause = int(number) if number.isascii() and number.isdigit() and int(number[:4]) <= 127 else 0
    if 0 < cause <= 127 and cause != NORMAL_CLEARING:
        return cause
    # FreeSWITCH writes 16 for the causes of its own invention too; their names say more.
    return FREESWITCH.get(name, cause or None)


def _released_by(variables: dict[str, str], direction: str | None) -> str | None:
    """Return who hung up: FreeSWITCH says whether it got or sent the BYE, CANCEL or refusal on this leg."""
    cause = variables.get("hangup_cause", "")
    near, far = ("caller", "callee") if direction == "inbound" else ("callee", "caller")
    match variables.get("sip_hangup_disposition", ""):
        case "recv_bye" | "recv_cancel":
            return near
        case "send_bye":  # passed on from the other leg, if there was one and the cause is a person's
            bridged = "bridge_uuid" in variables or "last_bridge_to" in variables or direction == "outbound"
            return far if bridged and cause in {"", "NORMAL_CLEARING"} else "network"
        case "send_cancel":
            return "caller" if cause in {"", "ORIGINATOR_CANCEL"} else "network"
        case "send_refuse" | "recv_refuse":
            return "callee" if cause in _PERSON_REFUSES else "network"
    return "caller" if cause == "ORIGINATOR_CANCEL" else None


# --- legs to tables -------------------------------------------------------------------------------------------------


def _chunk(state: _State, count: int, rejected: list[Rejected]) -> Chunk:
    legs, state.done = state.done, []
    ignored, state.ignored = state.ignored, 0
    notes, state.notes = dict(state.notes), Counter()
    arrays = [pa.array([leg.values.get(name.name) for leg in legs], name.type) for name in CALLS]
    records = pa.RecordBatch.from_arrays(arrays, schema=CALLS)
    return Chunk(
        records, np.array([leg.row for leg in legs], np.int64), count, ignored, tuple(rejected), notes
    )
