"""FreeSWITCH's `Master.csv` (mod_cdr_csv) in its template "example".

No header, all fields quoted: caller_id_name, caller_id_number, destination_number, context, start_stamp, answer_stamp,
end_stamp, duration, billsec, hangup_cause, uuid, bleg_uuid, accountcode, read_codec, write_codec. Lines may lack fields
from the 12th on, or have up to five more at the end, as edited templates do. (The template "asterisk" is read by `asterisk_csv`.)

A call was answered if it has an answer stamp. Stamps carry no zone: they are in the server's (`--timezone`). A caller
number that is empty or one of FreeSWITCH's words for a withheld one is null. mod_cdr_csv does not double quotation marks, so
a line whose caller name has one is rejected. Causes are in `_causes`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.ingest import _csv
from ringfence.ingest._causes import FREESWITCH, FREESWITCH_RELEASED_BY, causes, released_by
from ringfence.ingest._cells import text
from ringfence.ingest._lines import blocks
from ringfence.ingest._rows import Source, calls
from ringfence.ingest.format import Chunk, Settings

NAME = "freeswitch_csv"
TITLE = 'FreeSWITCH\'s Master.csv (mod_cdr_csv), template "example"'

_WANTED = (1, 2, 4, 5, 6, 7, 8, 9, 10)
_LEAST, _MOST = 11, 20
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A privacy header or a caller without number leaves one of these in caller_id_number.
_WITHHELD = (
    "anonymous",
    "Anonymous",
    "unknown",
    "Unknown",
    "restricted",
    "private",
    "0000000000",
    "unavailable",
)


def sniff(head: bytes) -> int:
    """Return 90 if the first lines have stamps, a cause of FreeSWITCH and a UUID in their places."""
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 20)[:20] if line.strip()]
    hits = 0
    for line in lines:
        row = _csv.fields(line.rstrip(b"\r"), ",")
        hits += (
            _LEAST <= len(row) <= _MOST
            and bool(_STAMP.match(row[4]) and _STAMP.match(row[6]) and _UUID.fullmatch(row[10]))
            and row[9] in FREESWITCH
        )
    return 90 if hits * 2 > len(lines) else 0


def _chunk(split: _csv.Split, settings: Settings) -> Chunk:
    number, destination, start, answer, end, duration, billsec, hangup, uuid = split.columns
    words = text(hangup)
    cause, strange = causes(words, FREESWITCH)
    caller = text(number)
    caller = pc.if_else(pc.is_in(caller, value_set=pa.array(_WITHHELD)), None, caller)
    return calls(
        {
            "call_id": uuid,
            "start_time": start,
            "answer_time": answer,
            "end_time": end,
            "caller": caller,
            "callee": destination,
            "cause": cause,
            "released_by": released_by(words, FREESWITCH_RELEASED_BY),
        },
        Source(split.rows, split.read, split.rejected),
        settings,
        duration=duration,
        talk=billsec,
        odd=strange,
    )


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield a chunk for each 4 MiB of lines.

    Raises:
        UnreadableError: the stream broke.
    """
    for block in blocks(stream):
        yield _chunk(_csv.split(block, ",", _WANTED, _LEAST, _MOST), settings)
