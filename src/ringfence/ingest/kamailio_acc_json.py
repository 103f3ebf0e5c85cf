"""Kamailio's accounting as JSON objects: the acc_json module, in the system log or one object a line.

```
… json_acc[2211]: {"time": 1795279521, "method": "INVITE", "from_tag": "a1", "to_tag": "b2", "callid": "7@sip1",
"sip_code": "200", "sip_reason": "OK", "caller": "+8613800000100", "callee": "+8613800000900"}
```

The module calls three keys otherwise than the text log: `callid`, `sip_code` and `sip_reason`. What follows them is chosen
with `acc_extra`, in the same way and with the same advice as in `kamailio_acc`. Its CDRs (`cdr_enable`) are objects with
`start_time`, `end_time` and `duration`. A time that is text (`acc_time_mode` 3) is in the time zone of the settings.

Sources: acc_json_mod.c, its README, and the log of a real Kamailio 5.6 (`tests/real/kamailio`).
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from ringfence.ingest import _sip_calls
from ringfence.ingest._sip_calls import BadRecordError, Calls
from ringfence.ingest.format import Chunk, Settings

NAME = "kamailio_acc_json"
TITLE = "Kamailio: JSON objects of the acc_json module, in the system log or one a line"

_NAMES = {"callid": "call_id", "sip_code": "code", "sip_reason": "reason"}  # theirs: the text log's
_CDR_KEYS = ("start_time", "end_time", "duration")
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
_CUT_OFF = "the line has a record of Kamailio's acc_json that is no whole JSON object; it may be cut off"


def sniff(head: bytes) -> int:
    """Return 94 if an object of acc_json is among the first lines, else 0."""
    for line in head.decode(errors="replace").splitlines()[:2000]:
        record = _record(line)
        if record is not None and (_is_transaction(record) or ("callid" in record and _is_cdr(record))):
            return 94
    return 0


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield the calls of a log; a record is a line.

    Raises:
        UnreadableError: the file is UTF-16, the stream broke, or there is no such time zone.
    """
    return _sip_calls.read(stream, settings, taker())


def taker() -> _sip_calls.Take:
    """Return what takes in the lines of one log."""
    return _take


def _take(calls: Calls, row: int, line: str, _whole: bool) -> bool:
    record = _record(line)
    if record is None:
        if _looks_cut(line):
            raise BadRecordError(_CUT_OFF)
        return False
    if _is_transaction(record):
        time = _sip_calls.moment(record["time"], calls.zone)
        if time is None:
            raise BadRecordError("the record's time is no time")
        calls.add(row, time, record)
    elif _is_cdr(record):
        start, end = (_sip_calls.moment(record[key], calls.zone) for key in ("start_time", "end_time"))
        if start is None or end is None or end < start:
            raise BadRecordError("the start and the end of the record make no call")
        calls.add_cdr(row, start, end, record)
    else:
        return False
    return True


def _record(line: str) -> dict[str, str] | None:
    """Return the object in a line, with the names of the text log; None: there is none."""
    line = _sip_calls.message(line)
    begin = line.find('{"')
    if begin < 0:
        return None
    try:
        found = _DECODER.decode(line[begin:])
    except (ValueError, RecursionError):
        return None
    record = {name: value for name, value in found.items() if isinstance(value, str)}
    for theirs, ours in _NAMES.items():
        if theirs in record:
            record[ours] = record[theirs]
    if "\\u" in line:
        record = {name: _sip_calls.clean(value) for name, value in record.items()}
    return record


def _is_transaction(record: dict[str, str]) -> bool:
    return "time" in record and "method" in record and "call_id" in record and "code" in record


def _is_cdr(record: dict[str, str]) -> bool:
    return all(key in record for key in _CDR_KEYS) and "method" not in record


def _looks_cut(line: str) -> bool:
    begin = line.find('{"')
    return begin >= 0 and (
        line.startswith(('{"time"', '{"start_time"'), begin) or "json_acc[" in line[:begin]
    )
