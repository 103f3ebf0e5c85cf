"""Joins what a SIP proxy logs of a call (one record a final response) into calls.

Kamailio's accounting writes a record for every INVITE and every BYE that got a final response, not for every call. What
a call is, is put together here, in the same way for the text log and for its JSON form:

- an INVITE with a 2xx response is the answer, the BYE with the same Call-ID is the end;
- an INVITE with another final response is a failed try. Several of them are one attempt (a proxy that asks a redirect
  server first, tries the next route, or rings one phone after another), and the last one tells how it ended. So the 404
  with which a redirect server says "no objection" is not a call of its own, nor does it end one;
- a record that comes twice changes nothing, and a BYE may stand before its INVITE.

Call-ID and tags are the caller's to choose. So that nobody hides a flood behind one Call-ID, records are one attempt
only where they can be: the same From tag, nothing after a BYE or a CANCEL, and ten minutes at most.

Times are int, microseconds since 1970 in UTC.
"""

import json
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa

from ringfence.ingest.format import Chunk, Rejected, Settings, UnreadableError
from ringfence.model.tables import ATTESTATION, CALLS, INGRESS

CALLS_PER_CHUNK = 20_000
LINES_PER_CHUNK = 100_000
MAX_OPEN = 200_000
BLOCK_BYTES = 1 << 20
MAX_LINE = 1 << 20
SECOND = 1_000_000

# A failed or ended call is held back this long, in the time of the log: the next try of the same call, a doubled record
# or one out of order may still come. Timer C of RFC 3261 lets one try ring for a little over three minutes.
HOLD = 300 * SECOND
LONGEST_SETUP = 600 * SECOND
LATEST = 4_102_444_800 * SECOND  # the year 2100; what lies beyond is no time of a call

# Names under which operators log these with `log_extra`, best first. dst_user is the user of the request URI, which is
# who was rung; dst_ouser is the To header, which the caller may write as it likes.
CALLER_KEYS = ("caller", "src_user", "from_user", "calling_number", "from_uri", "src_uri")
CALLEE_KEYS = (
    "callee", "dst_user", "ruri_user", "called_number", "ruri", "dst_uri", "to_user", "dst_ouser", "to_uri",
)  # fmt: skip
SETUP_KEYS = ("setup_time", "start_time", "time_start", "invite_time")
TRUNK_KEYS = ("trunk", "ingress_trunk")

NO_CALLEE = "the record does not say who was called; add for example callee=$rU;caller=$fU to log_extra of Kamailio's acc"

# RFC 3398, section 8.2.6.1: the Q.850 cause of a final SIP response. 487 is left open there: the caller gave up, which
# is normal clearing. 607 and 608 (RFC 8197, RFC 8688) are rejections. A redirection (3xx) says nothing about the end.
CAUSES = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127, 414: 127,
    415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17,
    487: 16, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1, 607: 21, 608: 21,
}  # fmt: skip
NORMAL_CLEARING = 16
NORMAL_UNSPECIFIED = 31
# Who ended an unanswered call. 480 may be the person (do not disturb) or the network (not registered): left open.
BY_CALLEE = frozenset({486, 600, 603, 607})

_Q850 = re.compile(r"Q\.850\s*;(?:[^,]*;)?\s*cause\s*=\s*(\d{1,3})", re.IGNORECASE)
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d+))?|(\d{12,13})|(\d{15,16})", re.ASCII)


class BadRecordError(ValueError):
    """A record cannot be used; the message is the reason given to the user."""


@dataclass(slots=True)
class Call:
    key: str
    row: int
    call_id: str
    first: int  # the earliest record
    last: int  # the latest record
    invited: bool = False
    setup: int | None = None
    from_tag: str = ""
    to_tag: str = ""
    caller: str | None = None
    callee: str | None = None
    trunk: str | None = None
    ingress: str | None = None
    attestation: str | None = None
    answer: int | None = None
    failed: int | None = None
    code: int = 0
    failed_cause: int | None = None
    end: int | None = None
    bye_tag: str = ""
    bye_cause: int | None = None
    # what was told of the call while it was up (`_acc_lines`), and as what: its start, caller and callee then
    told: int = 0
    shown: tuple[int, str | None, str | None] | None = None


class Calls:
    """The calls of one log.

    Attributes:
        zone: of times that carry none.
        notes: counts of what was met, by name.
        ignored: records that are no call of their own.
        done: the calls that are complete.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.notes: Counter[str] = Counter()
        self.ignored = 0
        self._open: OrderedDict[str, Call] = OrderedDict()
        self._held: OrderedDict[str, Call] = OrderedDict()
        self._latest: dict[str, str] = {}  # the key of the latest call of a Call-ID
        self.done: list[Call] = []
        self._accounted = False

    def add(self, row: int, time: int, record: Mapping[str, str]) -> None:
        """Take in one record of a transaction.

        Args:
            row: the line it stands in.
            time: when the final response was sent.
            record: `method`, `call_id`, `code`, and where known `from_tag`, `to_tag`, `reason` and the keys above.

        Raises:
            BadRecordError: the record is incomplete.
        """
        method = record.get("method", "")
        call_id, code = record.get("call_id", ""), record.get("code", "")
        if not method or not call_id or not (len(code) == 3 and code.isascii() and code.isdigit()):
            raise BadRecordError("the record has no method, call_id or code; it may be cut off")
        if method == "INVITE":
            self._accounted = True
            self._invite(row, time, record, int(code))
        elif method == "BYE":
            self._bye(row, time, record)
        else:
            self.ignored += 1
            if method not in {"CANCEL", "ACK", "PRACK"}:  # parts of a call, told by its INVITE
                self.notes["other_methods"] += 1
        self._release(time)

    def add_cdr(self, row: int, start: int, end: int, record: Mapping[str, str]) -> None:
        """Take in one record of a whole dialog (the CDR mode of acc).

        Where the log has the transactions too, they are the call and this adds its set-up and its end.

        Raises:
            BadRecordError: the record stands alone and does not say who was called.
        """
        call_id = record.get("call_id") or record.get("callid") or ""
        known = self._find(self._latest.get(call_id, "")) if call_id else None
        if known is None and self._accounted and not call_id:
            self.ignored += 1
            self.notes["cdr_without_call_id"] += 1
        elif known is None:
            self._add_lone_cdr(row, start, end, record, call_id)
        else:
            self.ignored += 1
            known.setup = start if known.setup is None else min(known.setup, start)
            if known.answer is not None and known.end is None and end > start:
                known.end = end
            self._put(known, end)
        self._release(end)

    def take(self) -> list[Call]:
        """Hand over the calls that are complete."""
        done, self.done = self.done, []
        return done

    def finish(self) -> None:
        """Complete everything: the log has ended, and calls without a BYE are still up."""
        for call in (*self._held.values(), *self._open.values()):
            self._complete(call)
        self._held.clear()
        self._open.clear()
        self._latest.clear()

    def _add_lone_cdr(self, row: int, start: int, end: int, record: Mapping[str, str], call_id: str) -> None:
        callee = _first(record, CALLEE_KEYS)
        if callee is None:
            raise BadRecordError(NO_CALLEE.replace("log_extra", "cdr_extra"))
        call = Call(
            _key(call_id, ""), row, call_id, first=start, last=end, invited=True, setup=start, callee=callee
        )
        _describe(call, record, start)
        # acc writes duration 0 for a dialog that was never confirmed. When a confirmed one was answered is not in the
        # record unless a key says so; the beginning is the nearest known moment.
        if end > start:
            named = _first(record, ("answer_time", "connect_time"))
            answer = moment(named, self.zone) if named else None
            call.answer = answer if answer is not None and start <= answer <= end else start
            call.end = end
        else:
            call.failed = end
        if call_id:
            self._put(call, end)
        else:
            self._complete(call)

    def _find(self, key: str) -> Call | None:
        return self._open.get(key) or self._held.get(key)

    def _invite(self, row: int, time: int, record: Mapping[str, str], code: int) -> None:
        call_id, from_tag, to_tag = record["call_id"], record.get("from_tag", ""), record.get("to_tag", "")
        setup_text = _first(record, SETUP_KEYS)
        setup = moment(setup_text, self.zone) if setup_text else None
        key = _key(call_id, from_tag)
        call = self._find(key) or self._find(_key(call_id, to_tag)) or self._find(_key(call_id, ""))
        if (
            call is not None and call.key != key and call.from_tag
        ):  # the called side changes the running call (re-INVITE)
            self.ignored += 1
            self._put(call, time)
            return
        another = call is not None and _is_another(call, time, setup, to_tag)
        callee = _first(record, CALLEE_KEYS)
        if callee is None and (call is None or another or call.callee is None):
            raise BadRecordError(NO_CALLEE)
        if call is not None:
            self._drop(call)
        if call is not None and another:
            self._complete(call)
            call = None
        if call is None:
            call = Call(key, row, call_id, first=time, last=time)
        else:  # known by this key, or so far only by a CDR or by the called side's BYE
            call.key = key
            self.ignored += 1
        if not call.invited or time < call.first:
            call.callee = callee or call.callee  # the first try: later ones may go to a mailbox
        call.invited, call.from_tag = True, from_tag
        _describe(call, record, setup)
        if 200 <= code < 300:
            call.answer = time if call.answer is None else min(call.answer, time)
            call.to_tag = call.to_tag or to_tag
        elif code >= 300 and (call.failed is None or time >= call.failed):
            call.failed, call.code, call.failed_cause = time, code, _q850(record)
        self._put(call, time)

    def _bye(self, row: int, time: int, record: Mapping[str, str]) -> None:
        call_id, from_tag = record["call_id"], record.get("from_tag", "")
        call = self._find(_key(call_id, from_tag)) or self._find(_key(call_id, record.get("to_tag", "")))
        if call is None:
            call = Call(_key(call_id, from_tag), row, call_id, first=time, last=time)
        else:
            self.ignored += 1
        if call.end is None or time < call.end or not call.bye_tag:  # a CDR knows the end, but not by whom
            call.end = time if call.end is None else min(call.end, time)
            call.bye_tag, call.bye_cause = from_tag, _q850(record)
        self._put(call, time)

    def _put(self, call: Call, time: int) -> None:
        """Keep the call where it belongs: up, or held back for what may still come."""
        call.first, call.last = min(call.first, time), max(call.last, time)
        up = call.end is None and (call.answer is not None or call.failed is None)
        (self._held if up else self._open).pop(call.key, None)
        place = self._open if up else self._held
        place[call.key] = call
        self._latest[call.call_id] = call.key
        if not up:
            place.move_to_end(call.key)
        if len(place) > MAX_OPEN:
            oldest = next(iter(place.values()))
            self.notes["open_calls_dropped" if up else "held_calls_early"] += 1
            self._drop(oldest)
            self._complete(oldest)

    def _drop(self, call: Call) -> None:
        self._open.pop(call.key, None)
        self._held.pop(call.key, None)
        if self._latest.get(call.call_id) == call.key:
            del self._latest[call.call_id]

    def _release(self, time: int) -> None:
        while self._held:
            oldest = next(iter(self._held.values()))
            if oldest.last + HOLD >= time:
                return
            self._drop(oldest)
            self._complete(oldest)

    def _complete(self, call: Call) -> None:
        if call.invited:
            self.done.append(call)
        else:  # its INVITE is in an earlier file
            self.ignored += 1
            self.notes["bye_without_invite"] += 1


Take: TypeAlias = Callable[[Calls, int, str, bool], bool]


def read(stream: BinaryIO, settings: Settings, take: Take) -> Iterator[Chunk]:
    """Yield the chunks of a log.

    Args:
        stream: the log, decompressed.
        settings: for the zone of times that carry none.
        take: given the calls so far, the number of a line, its text and whether its line end is there, takes the line
            in and returns true; returns false if it is no line of the accounting.

    Raises:
        UnreadableError: there is no such time zone, the file is UTF-16, or the stream broke; the calls before the break
            are yielded first.
    """
    calls, rejected, count = Calls(zone_of(settings)), list[Rejected](), 0
    broken: UnreadableError | None = None
    try:
        for row, line, whole in lines(stream):
            count += 1
            try:
                if line is None:
                    rejected.append(Rejected(row, "the line is longer than 1 MiB"))
                elif not take(calls, row, line, whole):
                    calls.ignored += 1
                    calls.notes["other_lines"] += 1
            except BadRecordError as error:
                rejected.append(Rejected(row, str(error)))
            if len(calls.done) >= CALLS_PER_CHUNK or count >= LINES_PER_CHUNK:
                yield from chunks(calls, count, rejected)
                count, rejected = 0, []
    except UnreadableError as error:
        broken = error
    calls.finish()
    yield from chunks(calls, count, rejected)
    if broken:
        raise broken


def lines(stream: BinaryIO) -> Iterator[tuple[int, str | None, bool]]:
    """Yield the number (from 1), the text and "it has its line end" of every line that is not blank; None: too long.

    A byte that is not UTF-8 becomes U+FFFD: a caller chooses the display name, and must not be able to hide a call
    behind a damaged one.

    Raises:
        UnreadableError: the text is UTF-16, or the stream broke (after the whole lines before the break).
    """
    row, rest, skipping = 0, b"", False
    while True:
        try:
            piece = stream.read(BLOCK_BYTES)
        except (OSError, EOFError) as error:
            raise UnreadableError(f"the file cannot be read on after line {row}: {error}") from error
        if row == 0 and not skipping and (rest + piece)[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise UnreadableError("the text is UTF-16; save it as UTF-8")
        parts = (rest + piece).split(b"\n")
        rest = parts.pop()
        for part in parts:
            if skipping:
                skipping = False
                continue
            row += 1
            if len(part) > MAX_LINE:
                yield row, None, True
            elif text := line_text(part, row):
                yield row, text, True
        if len(rest) > MAX_LINE:
            if not skipping:
                row += 1
                yield row, None, True
            rest, skipping = b"", True
        if not piece:
            if not skipping and (text := line_text(rest, row + 1)):
                yield row + 1, text, False
            return


def line_text(part: bytes, row: int) -> str | None:
    """Return the text of a line without CR and byte order mark, or None for a blank one."""
    part = part.removeprefix(b"\xef\xbb\xbf") if row == 1 else part
    return part.decode(errors="replace").rstrip("\r") if part.strip(b" \t\r") else None


def message(line: str) -> str:
    """Return what a program logged, from a line of `journalctl -o json`; any other line is returned as it is."""
    if not (line.startswith("{") and '"MESSAGE"' in line):
        return line
    try:
        logged = json.loads(line)["MESSAGE"]
        # The journal writes a message that is not plain text as a list of its bytes.
        return bytes(logged).decode(errors="replace") if isinstance(logged, list) else clean(str(logged))
    except (ValueError, KeyError, TypeError, RecursionError):
        return line


def clean(text: str) -> str:
    """Return the text without lone surrogates, which JSON can write and UTF-8 cannot."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def moment(text: str, zone: ZoneInfo) -> int | None:
    """Return the time that a text tells, or None if it tells none.

    Args:
        text: seconds (with decimals or without), milliseconds or microseconds since 1970, or a time in ISO 8601.
        zone: the zone of a time that carries none.
    """
    text = text.strip()
    if found := _EPOCH.fullmatch(text):
        seconds, fraction, millis, micros = found.groups()
        if seconds:
            since = int(seconds) * SECOND + int(((fraction or "") + "000000")[:6])
        else:
            since = int(millis) * 1000 if millis else int(micros)
        return since if since < LATEST else None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone)
    try:
        passed = time - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        return None
    since = (passed.days * 86_400 + passed.seconds) * SECOND + passed.microseconds
    return since if 0 < since < LATEST else None


def zone_of(settings: Settings) -> ZoneInfo:
    try:
        return ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnreadableError(f"the time zone {settings.timezone!r} is not known to this machine") from error


def _key(call_id: str, tag: str) -> str:
    return f"{call_id}\0{tag}"


def _is_another(call: Call, time: int, setup: int | None, to_tag: str) -> bool:
    """Return whether a record of an INVITE belongs to a later attempt than the call with the same Call-ID and tag."""
    if not call.invited:
        return False
    if call.end is not None:
        return time > call.end and bool(to_tag) and to_tag != call.to_tag
    if call.answer is not None:
        return False
    if (
        setup is not None
        and call.setup is not None
        and setup - call.setup > SECOND
        and call.code not in {401, 407}
    ):
        return True
    # After a CANCEL a proxy tries nothing more (RFC 3261, section 16.10).
    cancelled = call.code == 487 and call.failed is not None and time - call.failed > SECOND
    return cancelled or time - call.first > LONGEST_SETUP


def _first(record: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        if (value := record.get(key)) and (value := value.strip()):
            return value
    return None


def _describe(call: Call, record: Mapping[str, str], setup: int | None) -> None:
    """Fill in what the record says of the call and the records before it did not."""
    call.caller = call.caller or _first(record, CALLER_KEYS)
    call.callee = call.callee or _first(record, CALLEE_KEYS)
    call.trunk = call.trunk or _first(record, TRUNK_KEYS)
    call.ingress = call.ingress or _one_of(record.get("ingress"), INGRESS)
    call.attestation = call.attestation or _one_of(
        record.get("attestation") or record.get("attest"), ATTESTATION
    )
    if setup is not None:
        call.setup = setup if call.setup is None else min(call.setup, setup)


def _one_of(value: str | None, words: tuple[str, ...]) -> str | None:
    return value if value in words else None


def _q850(record: Mapping[str, str]) -> int | None:
    """Return the Q.850 cause of a Reason header (RFC 3326), which acc logs as `reason` if told to."""
    if "850" in (reason := record.get("reason", "")) and (found := _Q850.search(reason)):
        cause = int(found[1])
        return cause if cause <= 127 else None
    return None


def _end(call: Call) -> tuple[int | None, int | None, int | None, str | None]:
    """Return answer, end, cause and who released the call."""
    if call.answer is None and call.end is not None:
        # A BYE proves an answer whose record is missing; the last response before it is the nearest known moment.
        call.answer = call.failed if call.failed is not None else call.first
    if call.answer is not None:
        if call.end is None:
            return call.answer, None, None, None
        by = None
        if call.bye_tag and call.from_tag:
            by = "caller" if call.bye_tag == call.from_tag else "callee"
        return call.answer, max(call.end, call.answer), call.bye_cause or NORMAL_CLEARING, by
    if call.failed is None:
        return None, None, None, None
    if call.code < 400:
        return None, call.failed, call.failed_cause, None
    cause = call.failed_cause or CAUSES.get(call.code, NORMAL_UNSPECIFIED)
    return None, call.failed, cause, _refused_by(call.code)


def _refused_by(code: int) -> str | None:
    if code == 487:
        return "caller"
    if code in BY_CALLEE:
        return "callee"
    return None if code == 480 else "network"


def chunks(calls: Calls, count: int, rejected: list[Rejected]) -> Iterator[Chunk]:
    """Yield what is complete, at most `CALLS_PER_CHUNK` calls at a time; the counts go with the first chunk."""
    done = calls.take()
    ignored, notes = calls.ignored, dict(calls.notes)
    calls.ignored = 0
    calls.notes.clear()
    for i in range(0, max(len(done), 1), CALLS_PER_CHUNK):
        part = done[i : i + CALLS_PER_CHUNK]
        rows = np.array([call.row for call in part], np.int64)
        if i == 0:
            yield Chunk(_batch(part), rows, count, ignored, tuple(rejected), notes)
        else:
            yield Chunk(_batch(part), rows, 0)


def _batch(calls: list[Call]) -> pa.RecordBatch:
    ends = [_end(call) for call in calls]
    columns: dict[str, list[object]] = {
        "call_id": [call.call_id or None for call in calls],
        # A set-up told after the answer, or hours before the first response, is some other time or a forged header.
        "start_time": [start_of(call) for call in calls],
        "answer_time": [end[0] for end in ends],
        "end_time": [end[1] for end in ends],
        "caller": [call.caller for call in calls],
        "callee": [call.callee for call in calls],
        "cause": [end[2] for end in ends],
        "released_by": [end[3] for end in ends],
        "ingress": [call.ingress for call in calls],
        "trunk": [call.trunk for call in calls],
        "attestation": [call.attestation for call in calls],
    }
    nothing = [None] * len(calls)
    return pa.RecordBatch.from_arrays(
        [pa.array(columns.get(field.name, nothing), field.type) for field in CALLS], schema=CALLS
    )


def start_of(call: Call) -> int:
    """Return when the call was set up."""
    if call.setup is not None and 0 <= call.first - call.setup <= LONGEST_SETUP:
        return call.setup
    return call.first
