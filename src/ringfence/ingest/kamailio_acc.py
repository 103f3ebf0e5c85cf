"""Kamailio's accounting in the system log: the lines of the acc module.

```
… NOTICE: acc [acc.c:268]: acc_log_request(): ACC: transaction answered: timestamp=1795279521;method=INVITE;from_tag=a1;
to_tag=b2;call_id=7@sip1;code=200;reason=OK;src_ip=127.0.0.1;caller=+8613800000100;callee=+8613800000900
```

Whatever stands before `ACC:` does not matter: any syslog, a journal export (`journalctl -o json` too), or nothing.
What comes after `reason` is the operator's choice, and without it nobody knows who was called. A good choice is

```
modparam("acc", "log_extra", "src_ip=$si;caller=$fU;callee=$rU;setup_time=$avp(setup);trunk=$avp(trunk);display=$fn;ua=$ua")
modparam("acc", "time_mode", 2)
```

with `$avp(setup) = $TV(Sn);` where the INVITE comes in, `setflag` of the missed-call flag again in every failure route
(acc takes it off after the first failure), and the flag of `failed_transaction_flag` set. What the caller may write as it likes
(display name, user agent) belongs at the end: acc escapes nothing, and of a key that stands twice the first counts.
With `detect_direction`, acc swaps the tags of what the called side sends, and every call seems to be ended by its caller.

The CDR mode (`start_time=…; end_time=…; duration=…; …`) is read too. There the extra values are taken from the last message of
the dialog, so they must be dialog variables: `cdr_extra` = `call_id=$dlg_var(call_id);caller=$dlg_var(caller);callee=$dlg_var(callee)`.

Sources: acc.c, acc_logic.c, acc_cdr.c and acc.h of Kamailio 5.6, its README, and a log made by the real thing
(`tests/real/kamailio`).
"""

import re
from collections.abc import Iterator
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ringfence.ingest import _sip_calls
from ringfence.ingest._sip_calls import LATEST, SECOND, BadRecordError, Calls
from ringfence.ingest.format import Chunk, Settings

NAME = "kamailio_acc"
TITLE = "Kamailio: lines of the acc module in the system log"

_SAYS_ACC = re.compile(r"(?:^|[\s:\]])ACC: ")
_TRANSACTION = re.compile(
    r"ACC: (transaction answered|call missed|request accounted|request acknowledged): (?=timestamp=\d)"
)
# So begins what the operator's script logs with xlog: often headers, in which a caller could forge a record.
_SCRIPT = "<script>: "
_KAMAILIO = re.compile(r"(?m)^[^{\n]{1,80}[ /]kamailio\[\d+\]: ")
# The names of start, end and duration can be chosen (cdr_start_id, …); the function's name tells such a line.
_CDR = re.compile(
    r"(?:log_write_cdr\(\): (?=\w+=)|(?=\bstart_time=\d))(\w+)=(\d+\.\d+); (\w+)=(\d+\.\d+); (\w+)=(\d+(?:\.\d+)?)"
)

# A value ends where `;name=` begins the next key; but SIP URIs and headers are full of parameters that look just so.
# These names are such parameters (RFC 3261, RFC 4694, RFC 4904, RFC 3326, …) and never begin a key.
_PARAMETERS = frozenset({
    "user", "transport", "tag", "lr", "maddr", "ttl", "ob", "gr", "rn", "npdi", "cic", "phone-context", "isub", "ext",
    "cpc", "oli", "tgrp", "trunk-context", "verstat", "cause", "text", "location", "q", "expires", "privacy", "screen",
    "counter", "branch", "rport", "received", "alias", "purpose", "fs_path", "ftag", "did", "line", "sip.instance",
})  # fmt: skip
_KEY = re.compile(r";([A-Za-z_][\w.-]*)=", re.ASCII)
_CDR_KEY = re.compile(r"; ([A-Za-z_][\w.-]*)=")


def sniff(head: bytes) -> int:
    """Return 95 if a line of acc is in it, 15 if it is at least Kamailio's system log, else 0."""
    text = head.decode(errors="replace")
    if _TRANSACTION.search(text) or _CDR.search(text):
        return 95
    return 15 if _KAMAILIO.search(text) else 0


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield the calls of a log; a record is a line.

    Raises:
        UnreadableError: there is no such time zone, the file is UTF-16, or the stream broke.
    """
    return _sip_calls.read(stream, settings, taker())


def taker() -> _sip_calls.Take:
    """Return what takes in the lines of one log."""
    return _Lines().take


class _Lines:
    """Takes lines in; remembers how many keys a record has, to know a cut one."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}

    def take(self, calls: Calls, row: int, line: str, whole: bool) -> bool:
        line = _sip_calls.message(line)
        found = _TRANSACTION.search(line)
        if found and _SCRIPT in line[: found.start()]:
            return False
        if found:
            time, record, keys = _parse(line[found.end() :], calls.zone)
            self._check(found[1], keys, whole)
            if keys > len(record):
                calls.notes["key_twice"] += 1
            if found[1] == "request acknowledged" or (
                found[1] == "request accounted" and not record.get("code")
            ):
                calls.ignored += 1  # an ACK, or a remark of the operator's script: no response is known
                return True
            calls.add(row, time, record)
            return True
        if found := _CDR.search(line):
            record = _pairs(_CDR_KEY.split(line[found.end() :])[1:])
            self._check("cdr", len(record), whole)
            calls.add_cdr(row, *_bounds(found[2], found[4], calls.zone), record)
            return True
        if _SAYS_ACC.search(line) or "log_write_cdr(): " in line:
            raise BadRecordError("the line says ACC but is not a record of Kamailio's acc; it may be cut off")
        return False

    def _check(self, kind: str, keys: int, whole: bool) -> None:
        """Refuse a last line without line end that has fewer keys than the others of its kind."""
        if not whole and keys < self._keys.get(kind, 0):
            raise BadRecordError("the line is cut off where the file ends")
        self._keys[kind] = keys


def _parse(text: str, zone: ZoneInfo) -> tuple[int, dict[str, str], int]:
    """Return the time of a record, its values, and how many keys it has."""
    parts = _KEY.split(";" + text)[1:]
    if not _PARAMETERS.isdisjoint(parts[::2]):
        parts = _join(parts)
    names = parts[::2]
    record = _pairs(parts)
    time = _seconds(record["timestamp"])
    # Between timestamp and method stands a finer time, under names that can be chosen: mode 1 writes the microseconds
    # within the second, mode 2 the seconds with decimals; modes 3 and 4 write text that says no more than timestamp.
    finer = record[names[1]] if len(names) > 1 and names[1] != "method" else ""
    if finer.isascii() and finer.isdigit() and len(finer) <= 6:
        time += int(finer)
    elif (exact := _sip_calls.moment(finer, zone)) is not None and abs(exact - time) < SECOND:
        time = exact
    return time, record, len(names)


def _join(parts: list[str]) -> list[str]:
    """Put parameters back into the values they belong to."""
    joined: list[str] = []
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        if name in _PARAMETERS and joined:
            joined[-1] += f";{name}={value}"
        else:
            joined += (name, value)
    return joined


def _pairs(parts: list[str]) -> dict[str, str]:
    """Return names and values that follow each other; of a name that stands twice the first value."""
    return dict(zip(parts[-2::-2], parts[::-2], strict=False))


def _bounds(start: str, end: str, zone: ZoneInfo) -> tuple[int, int]:
    first, last = _sip_calls.moment(start, zone), _sip_calls.moment(end, zone)
    if first is None or last is None or last < first:
        raise BadRecordError("the start and the end of the record make no call")
    return first, last


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) * SECOND < LATEST):
        raise BadRecordError("the record's timestamp is no time")
    return int(text) * SECOND
