"""The figures of a calls table that real data sets are known by: activity, acquaintances, redials, durations, hours, devices.

Measured from the table alone, as one would measure a real one; `docs/city.md` and `bench/city.py` set them beside the real figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_S: Final = 1_000_000
_TEN_MINUTES: Final = 600 * _S
_HOUR: Final = 3_600 * _S
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """A calls table as integers, in order of time.

    Attributes:
        start, answer, end: µs; answer -1: none.
        caller, callee: codes of numbers; -1: withheld.
        own: for each code, whether it is a line of the network.
        device: codes of the caller's device, -1: unknown; other_device: of the callee's.
    """

    start: Ints
    answer: Ints
    end: Ints
    caller: Ints
    callee: Ints
    own: npt.NDArray[np.bool_]
    device: Ints
    other_device: Ints


def columns_of(calls: pa.Table) -> Columns:
    """Codes for a `calls` table."""
    parties = (
        pa.chunked_array([*calls["caller"].chunks, *calls["callee"].chunks])
        .combine_chunks()
        .dictionary_encode()
    )
    codes = _codes(parties)
    caller, callee = codes[: len(calls)], codes[len(calls) :]
    devices = pa.chunked_array(
        [*calls["caller_device"].chunks, *calls["callee_device"].chunks]
    ).combine_chunks().dictionary_encode()  # fmt: skip
    device = _codes(devices)
    inside = pc.equal(calls["ingress"], "subscriber").to_numpy()
    own = np.zeros(len(parties.dictionary), np.bool_)
    own[caller[inside & (caller >= 0)]] = True
    own[callee[device[len(calls) :] >= 0]] = True
    start, answer, end = (_times(calls[name]) for name in ("start_time", "answer_time", "end_time"))
    return Columns(start, answer, end, caller, callee, own, device[: len(calls)], device[len(calls) :])


def _codes(column: Any) -> Ints:
    return np.asarray(pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False), np.int64)


def _times(column: Any) -> Ints:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), -1).to_numpy(), np.int64)


def marginals(calls: pa.Table, hours: float = 8.0) -> dict[str, float]:
    """All figures, by name.

    Args:
        calls: in the contract's schema, ordered by start_time.
        hours: local time minus UTC.
    """
    c = columns_of(calls)
    found: dict[str, float] = {}
    for part in (_activity(c), _pairs(c), _tries(c), _lengths(c), _hours(c, hours), _devices(c)):
        found |= part
    return found


def _activity(c: Columns) -> dict[str, float]:
    """Answered records per line, as bills count them."""
    talked = (c.answer >= 0) & (c.caller >= 0)
    size = len(c.own)
    made = np.bincount(c.caller[talked], minlength=size)[c.own].astype(float)
    got = np.bincount(c.callee[talked], minlength=size)[c.own].astype(float)
    records = made + got
    seen = records > 0
    days = (c.start[-1] - c.start[0]) / (24 * _HOUR)
    log = np.log(records[seen])
    pair = np.concatenate(
        [c.caller[talked] * size + c.callee[talked], c.callee[talked] * size + c.caller[talked]]
    )
    distinct = np.bincount(np.unique(pair) // size, minlength=size)[c.own][seen]
    quiet, busy = records[seen] < 300 * days / 244, records[seen] > 1_000 * days / 244
    share = made[seen] / records[seen]
    return {
        "lines": float(seen.sum()),
        "records a line-day: mean": float(records.mean() / days),
        "records a line-day: median": float(np.median(records) / days),
        "log records a line: mean": float(log.mean()),
        "log records a line: sd": float(log.std()),
        "outgoing share": float(made.sum() / records.sum()),
        "outgoing share: median line": float(np.median(share)),
        "outgoing share: p10 of busy lines": float(np.quantile(share[busy], 0.1)) if busy.any() else np.nan,
        "outgoing share: p90 of busy lines": float(np.quantile(share[busy], 0.9)) if busy.any() else np.nan,
        "outgoing share: p90 of quiet lines": float(np.quantile(share[quiet], 0.9))
        if quiet.any()
        else np.nan,
        "log counterparts a line: mean": float(np.log(distinct).mean()),
        "log counterparts a line: sd": float(np.log(distinct).std()),
        "counterparts: median": float(np.median(distinct)),
        "counterparts: p90": float(np.quantile(distinct, 0.9)),
        "correlation of log records and log counterparts": float(np.corrcoef(log, np.log(distinct))[0, 1]),
        "counterparts / records: median": float(np.median(distinct / records[seen])),
        "counterparts / records: pooled": float(distinct.sum() / records.sum()),
    }


def _pairs(c: Columns) -> dict[str, float]:
    """How calls fall on pairs."""
    size = len(c.own)
    talked = (c.answer >= 0) & (c.caller >= 0)
    inside = (
        (c.caller >= 0) & c.own[np.maximum(c.caller, 0)] & c.own[c.callee]
    )  # attempts, as Copenhagen counts
    links = np.unique(c.caller[inside] * size + c.callee[inside])
    back = links % size * size + links // size
    low, high = np.minimum(c.caller, c.callee), np.maximum(c.caller, c.callee)
    _, per_pair = np.unique(low[inside] * size + high[inside], return_counts=True)
    top = _top_share(c, talked)
    known = (c.caller >= 0) & (c.start >= 0)
    order = np.lexsort((c.start[known], c.caller[known] * size + c.callee[known]))
    key, start = (c.caller[known] * size + c.callee[known])[order], c.start[known][order]
    gap = np.diff(start)[key[1:] == key[:-1]] / _S
    late = c.start > c.start[0] + 14 * 24 * _HOUR
    pair = np.where(c.caller >= 0, low * size + high, -1)
    _, first = np.unique(pair, return_index=True)
    new = np.zeros(len(pair), np.bool_)
    new[first] = True
    late &= c.caller >= 0
    return {
        "reciprocity": float(np.isin(back, links).mean()),
        "calls a pair: median": float(np.median(per_pair)),
        "calls a pair: mean": float(per_pair.mean()),
        "calls a pair: max": float(per_pair.max()),
        "share of the first counterpart: median line": top,
        "first contacts after 14 days": float(new[late].mean()) if late.any() else np.nan,
        **{f"gap to the same callee, s: p{q}": float(np.quantile(gap, q / 100)) for q in (5, 10, 25, 50)},
    }


def _top_share(c: Columns, talked: npt.NDArray[np.bool_]) -> float:
    size = len(c.own)
    ends = np.concatenate([c.caller[talked], c.callee[talked]])
    others = np.concatenate([c.callee[talked], c.caller[talked]])
    pair, count = np.unique(ends * size + others, return_counts=True)
    line = pair // size
    most = np.zeros(size)
    np.maximum.at(most, line, count)
    total = np.bincount(line, weights=count, minlength=size)
    fits = c.own & (total >= 20)
    return float(np.median(most[fits] / total[fits]))


def _tries(c: Columns) -> dict[str, float]:
    """What follows an attempt that was not answered."""
    size = len(c.own)
    known = c.caller >= 0
    start, answer, end = c.start[known], c.answer[known], c.end[known]
    there, back = c.caller[known] * size + c.callee[known], c.callee[known] * size + c.caller[known]
    missed = answer < 0
    redialled = _follows(there, start, there[missed], end[missed])
    called_back = _follows(there, start, back[missed], end[missed])
    order = np.lexsort((start, there))
    failed, key = missed[order], there[order]
    soon = np.diff(start[order]) < 2 * _TEN_MINUTES  # a run is what one does at one go
    goes_on = failed[:-1] & (key[1:] == key[:-1]) & soon
    begins = np.flatnonzero(failed & ~np.r_[False, goes_on])
    marks = np.zeros(len(failed), np.int64)
    marks[begins] = 1
    runs = np.bincount(np.cumsum(marks)[failed])[1:]
    return {
        "unanswered": float((c.answer < 0).mean()),
        "redialled in 10 min": float(redialled.mean()),
        "called back in 10 min": float(called_back.mean()),
        **{f"runs of {n} unanswered": float((runs == n).mean()) for n in (1, 2, 3)},
        "runs of 4 or more unanswered": float((runs >= 4).mean()),
    }


def _follows(keys: Ints, times: Ints, wanted: Ints, since: Ints) -> npt.NDArray[np.bool_]:
    """Whether a call of the wanted key begins within ten minutes."""
    order = np.lexsort((times, keys))
    keys, times = keys[order], times[order]
    base = int(times.min())
    span = int(max(times.max(), since.max())) - base + 1
    _, code = np.unique(np.concatenate([keys, wanted]), return_inverse=True)
    line = code[: len(keys)].astype(float) * span + (times - base)
    ask = code[len(keys) :].astype(float) * span + (since - base)
    at = np.searchsorted(line, ask, side="right")
    found = np.zeros(len(wanted), np.bool_)
    fits = at < len(keys)
    place = at[fits]
    found[fits] = (keys[place] == wanted[fits]) & (times[place] - since[fits] < _TEN_MINUTES)
    return found


def _lengths(c: Columns) -> dict[str, float]:
    talked = c.answer >= 0
    talk, ring = (c.end - c.answer)[talked] / _S, (c.answer - c.start)[talked] / _S
    return {
        "conversation, s: median": float(np.median(talk)),
        "conversation, s: mean": float(talk.mean()),
        "conversations up to 3 s": float((talk <= 3).mean()),
        "conversation over 8 s, log: mean": float(np.log(talk[talk > 8]).mean()),
        "ring before the answer, s: mean": float(ring.mean()),
    }


def _hours(c: Columns, hours: float) -> dict[str, float]:
    local = ((c.start + int(hours * _HOUR)) // _HOUR) % 24
    share = np.bincount(local, minlength=24) / len(local)
    size = len(c.own)
    mine = (c.caller >= 0) & (c.answer >= 0)
    table = np.zeros((size, 24), np.int32)
    for side in (c.caller[mine], c.callee[mine]):
        np.add.at(table, (side, local[mine]), 1)
    table = table[c.own]
    table = table[table.sum(1) >= 20]
    mode = np.bincount(table.argmax(1), minlength=24) / max(len(table), 1)
    weekday = ((c.start + int(hours * _HOUR)) // (24 * _HOUR) + 3) % 7
    by_day = np.bincount(weekday, minlength=7)
    return {
        "calls at night, 0 to 6 h": float(share[:6].sum()),
        "busiest hour's share": float(share.max()),
        "lines busiest at 10 or 11 h": float(mode[10:12].sum()),
        "lines busiest at 17 or 18 h": float(mode[17:19].sum()),
        "lines busiest at 14 or 15 h": float(mode[14:16].sum()),
        "weekend day against working day": float(by_day[5:].mean() / by_day[:5].mean())
        if by_day.all()
        else np.nan,
        **{f"hour {hour:02d}": float(part) for hour, part in enumerate(share)},
    }


def _devices(c: Columns) -> dict[str, float]:
    lines = np.concatenate([c.caller, c.callee])
    devices = np.concatenate([c.device, c.other_device])
    fits = (devices >= 0) & (lines >= 0)
    pair = np.unique(lines[fits] * (int(devices.max()) + 1) + devices[fits])
    count = np.bincount(pair // (int(devices.max()) + 1), minlength=len(c.own))
    count = count[count > 0]
    return {
        "devices a number: mean": float(count.mean()),
        "devices a number: one": float((count == 1).mean()),
        "devices a number: p90": float(np.quantile(count, 0.9)),
    }


def texts_a_line(texts: pa.Table, lines: Iterable[str]) -> dict[str, float]:
    """Texts per line: median, and the share received."""
    own = pa.array(list(lines), pa.string())
    got, sent = (pc.index_in(texts[name], own).drop_null().to_numpy() for name in ("recipient", "sender"))
    count = np.bincount(np.concatenate([got, sent]), minlength=len(own))
    return {
        "texts a line: median": float(np.median(count)),
        "texts received": len(got) / max(len(got) + len(sent), 1),
    }
