"""Asterisk's `Master.csv` (cdr_csv), and what FreeSWITCH writes in the same columns.

No header. The columns, by Asterisk's `cdr_csv.c`: accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp,
lastdata, start, answer, end, duration, billsec, disposition, amaflags; then uniqueid if `loguniqueid`, userfield if
`loguserfield`, and peeraccount, linkedid, sequence if `newcdrcolumns`. Which of them a line has follows from how many there
are (16 to 21) and, where that leaves two ways, from whether the 17th looks like a uniqueid (`1772675469.42`, or with
a system's name before it). Lines of different kinds may be mixed: the configuration changed while the file grew.

A call is `src` (empty: withheld) to `dst`; it was answered if it has an answer time and is `ANSWERED`. Times carry no
zone: they are in the server's (`--timezone`), or UTC if `usegmtime` is set. A uniqueid may stand in several lines (legs of
one call). FreeSWITCH's template "asterisk" of mod_cdr_csv writes its cause names in the place of the disposition: there
an answer time alone decides. An unknown disposition is counted as `bad_optional_value`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.ingest import _csv, _timestamps
from ringfence.ingest._causes import ASTERISK, FREESWITCH, FREESWITCH_RELEASED_BY, causes, released_by
from ringfence.ingest._cells import Cells, text
from ringfence.ingest._lines import blocks
from ringfence.ingest._rows import Source, calls
from ringfence.ingest.format import Chunk, Settings

NAME = "asterisk_csv"
TITLE = "Asterisk's Master.csv (cdr_csv), all sets of columns; FreeSWITCH's template \"asterisk\""

_SRC, _DST, _START, _ANSWER, _END, _DURATION, _BILLSEC, _DISPOSITION, _UNIQUEID = (
    1,
    2,
    9,
    10,
    11,
    12,
    13,
    14,
    16,
)
_WANTED = (_SRC, _DST, _START, _ANSWER, _END, _DURATION, _BILLSEC, _DISPOSITION, _UNIQUEID)
_LEAST, _MOST = 16, 21
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_ID = r"^([^ ]+-)?[0-9]{9,11}[.][0-9]+$|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def sniff(head: bytes) -> int:
    """Return 90 if the first lines have Asterisk's number of columns, its dates and a disposition."""
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 20)[:20] if line.strip()]
    hits = 0
    for line in lines:
        row = _csv.fields(line.rstrip(b"\r"), ",")
        hits += (
            _LEAST <= len(row) <= _MOST
            and bool(_STAMP.match(row[_START]) and _STAMP.match(row[_END]))
            and (not row[_ANSWER] or bool(_STAMP.match(row[_ANSWER])))
            and (row[_DISPOSITION] in ASTERISK or row[_DISPOSITION] in FREESWITCH)
        )
    return 90 if hits * 2 > len(lines) else 0


def _chunk(split: _csv.Split, settings: Settings) -> Chunk:
    src, dst, start, answer, end, duration, billsec, disposition, unique = split.columns
    words = text(disposition)
    cause, strange = causes(words, ASTERISK)
    switch_cause, stranger = causes(words, FREESWITCH)
    from_switch = strange & ~stranger
    unanswered = np.asarray(pc.fill_null(pc.not_equal(words, "ANSWERED"), True)) & ~from_switch
    answered = Cells(answer.data, np.where(unanswered, -1, answer.first), answer.last)
    # 16 and 19 columns have no uniqueid (that is peeraccount's place in the latter), 18 and 21 have; 17 and 20 may.
    call_id = text(unique)
    sure = (split.counts == 18) | (split.counts == 21)
    likely = np.asarray(pc.fill_null(pc.match_substring_regex(call_id, _ID), False))
    has_id = sure | (likely & ((split.counts == 17) | (split.counts == 20)))
    return calls(
        {
            "call_id": pc.if_else(pa.array(has_id), call_id, None),
            "start_time": start,
            "answer_time": _timestamps.parse(answered),
            "end_time": end,
            "caller": src,
            "callee": dst,
            "cause": pc.coalesce(cause, switch_cause),
            "released_by": released_by(words, FREESWITCH_RELEASED_BY),
        },
        Source(split.rows, split.read, split.rejected),
        settings,
        duration=duration,
        talk=billsec,
        odd=strange & stranger,
    )


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield a chunk for each 4 MiB of lines.

    Raises:
        UnreadableError: the stream broke.
    """
    for block in blocks(stream):
        yield _chunk(_csv.split(block, ",", _WANTED, _LEAST, _MOST), settings)
