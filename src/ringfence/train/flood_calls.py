"""A labelled city as the detector `flood` saw it: one row for each call that it may weigh, with what it really was."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.compiled import routine
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import RAISED
from ringfence.detect.flood import NAME, end_answered, end_unanswered
from ringfence.detect.memory import (
    CALLED,
    DAY,
    DROPPED,
    KNOWN,
    LINE,
    SECOND,
    TALK,
    UNKNOWN_END,
    WITHHELD,
    age_line,
    known_rate,
    learn_line,
    stranger_rate,
    withheld_rate,
)
from ringfence.detect.moments import Window
from ringfence.detect.weights import CALLER_NOBODY_TALKS, CALLER_TALKS, CALLER_UNKNOWN, ENDS
from ringfence.evaluate.inputs import InputError
from ringfence.evaluate.truth import Truth
from ringfence.model.calls import NEVER, Calls
from ringfence.train.city import calls_in_order

END_TALK: Final = len(ENDS)
"""The call became a talk; beside the `ENDS`."""
END_OPEN: Final = -1
"""The records do not tell of its end in time."""
CALLER_UNTOLD: Final = -1

ORDINARY: Final = 0
LOOK_ALIKE: Final = 1
ATTACK: Final = 2
OTHER: Final = 3
"""Belongs to another crime: no evidence for either side."""

SEEN: Final = np.dtype(
    [
        ("key", "i8"),
        ("line", "i8"),
        ("start", "i8"),  # µs
        ("caller", "i8"),
        ("sort", "i1"),  # ORDINARY, LOOK_ALIKE, ATTACK, OTHER
        ("episode", "i4"),  # place in the truth's episodes, -1: none
        ("relation", "i1"),
        ("again", "?"),
        ("weighed", "?"),  # its set-up was evidence
        ("end", "i1"),  # place in ENDS, END_TALK, END_OPEN
        ("talk", "f4"),  # s, 0: not answered
        ("life", "i1"),  # place in CALLERS, CALLER_UNTOLD
        ("gap", "f8"),  # s since the last call of its sort (unknown or known people), inf: none
        ("rate", "f8"),  # calls of its sort a day that the line was used to
    ]
)


class _Recorder:
    """Takes down the calls whose set-up was in a window, as the pass left them."""

    def __init__(self) -> None:
        self.parts: list[npt.NDArray[np.void]] = []
        self.bit = next(n for n, detector in enumerate(DETECTORS) if detector.NAME == NAME)

    def __call__(self, window: Window, born: int) -> None:
        fresh = window.calls["start"] >= window.base
        self.parts.append(_seen(window.calls[fresh], window.plans[fresh], born, self.bit))


def _seen(calls: Any, plans: Any, born: int, bit: int) -> npt.NDArray[np.void]:
    rows = np.zeros(len(calls), SEEN)
    for name in ("key", "start", "caller", "relation"):
        rows[name] = calls[name]
    rows["line"] = calls["callee"]
    rows["again"] = (calls["tries"] > 0) & (calls["relation"] != WITHHELD)
    rows["weighed"] = calls["weighed"] >> bit & 1
    _ends(calls["start"], plans["answer"], plans["end"], plans["cause"].astype(np.int64), plans["lost"], rows)
    share = calls["unanswered"] + calls["dropped"]
    talks = (calls["talks"] >= 2) & (calls["age"] >= 1)
    nobody = (calls["calls"] >= 8) & (calls["talks"] == 0) & (share > 0.7499)
    rows["life"] = np.select([talks, nobody], [CALLER_TALKS, CALLER_NOBODY_TALKS], CALLER_UNKNOWN)
    untold = (calls["start"] - born < 2 * DAY) | (calls["relation"] == WITHHELD) | rows["again"]
    rows["life"][untold | (calls["relation"] == KNOWN)] = CALLER_UNTOLD
    return rows


@routine
def _ends(start: Any, answer: Any, end: Any, cause: Any, lost: Any, rows: Any) -> None:
    for i in range(len(start)):
        if answer[i] != NEVER:
            talk = end[i] - answer[i] if end[i] != NEVER else TALK
            rows[i].talk = talk / SECOND
            rows[i].end = END_TALK if talk >= TALK else end_answered(talk)
        elif end[i] == NEVER:
            rows[i].end = END_OPEN
        else:
            rows[i].end = end_unanswered(end[i] - start[i], UNKNOWN_END if lost[i] else cause[i])


@routine
def _habits(rows: Any, order: Any, born: int, line: Any) -> None:
    """Write gap and rate of every row; `order` goes line by line in order of time. Attacks teach a line nothing."""
    here = np.int64(0)
    for i in order:
        row = rows[i]
        if row.line != here:
            here = row.line
            line[0].seen = 0
            line[0].last_unknown = 0
            line[0].last_known = 0
            line[0].known = 0
            line[0].withheld = 0
            line[0].strangers[:] = 0
        age_line(line[0], row.start)
        last = line[0].last_unknown
        if row.relation in (KNOWN, CALLED):
            row.rate = known_rate(line[0], row.start, born)
            last = np.int64(line[0].last_known) * SECOND
        elif row.relation == WITHHELD:
            row.rate = withheld_rate(line[0], row.start, born)
        else:
            row.rate = stranger_rate(line[0], row.start, born)
        row.gap = (row.start - last) / SECOND if last != 0 else np.inf
        if row.relation == KNOWN:
            line[0].last_known = row.start // SECOND
        elif row.relation == WITHHELD or (row.relation != CALLED and not row.again):
            line[0].last_unknown = row.start
        if not row.again and row.sort != ATTACK:
            learn_line(line[0], row.relation, row.start)


def observe(truth: Truth) -> tuple[npt.NDArray[np.void], npt.NDArray[np.float64]]:
    """What the detector saw in a city, and the alerts it raised.

    Args:
        truth: of the city; the calls are looked for beside it.

    Returns:
        SEEN records ordered by time, and float64[alerts, 2]: odds in bits, 1 if the alert belongs to an attack.

    Raises:
        InputError: the calls are missing or cannot be read.
    """
    if truth.records is None:
        raise InputError(f"{truth.path}: the calls are missing: there is no calls.parquet beside it")
    calls, ids = calls_in_order(truth.records, truth.country or "CN")
    recorder = _Recorder()
    outcomes, _ = Engine([NAME], recorder=recorder).process(calls, NEVER)
    rows = np.concatenate([np.zeros(0, SEEN), *recorder.parts])
    rows = rows[np.lexsort((rows["key"], rows["start"]))]
    _label(rows, calls, ids, truth)
    order = np.lexsort((rows["start"], rows["line"]))
    born = int(rows["start"][0]) if len(rows) else 0
    _habits(rows, order, born, np.zeros(1, LINE))
    return rows, _alerts(outcomes[outcomes["what"] == RAISED], rows)


def _label(rows: npt.NDArray[np.void], calls: Calls, ids: pa.Array, truth: Truth) -> None:
    """Write down what each call was; where it has several labels the attack counts first, then a look-alike."""
    labels = truth.labels
    rows["episode"] = -1
    order = np.argsort(calls.key, kind="stable")
    place = order[np.searchsorted(calls.key[order], rows["key"])]  # of the rows among the calls
    row_of = np.full(len(calls), -1, np.int64)
    row_of[place] = np.arange(len(rows))
    found = pc.index_in(labels.call_id, value_set=pa.array(ids))
    there = np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)
    crime = np.append(truth.crime, "?")[labels.episode]
    sort = np.select(
        [labels.has("attack"), (crime == "") & (labels.episode >= 0)], [ATTACK, LOOK_ALIKE], OTHER
    )
    for kind in (OTHER, LOOK_ALIKE, ATTACK):
        chosen = (sort == kind) & (there >= 0)
        at = row_of[there[chosen]]
        rows["sort"][at[at >= 0]] = kind
        rows["episode"][at[at >= 0]] = labels.episode[chosen][at >= 0]


def _alerts(raised: Any, rows: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
    """Odds of each alert, and whether the line was under attack at that time (within an hour of one of its calls)."""
    attack = rows[rows["sort"] == ATTACK]
    found = np.zeros((len(raised), 2))
    for place, outcome in enumerate(raised):
        times = attack["start"][attack["line"] == outcome["subject"]]
        near = (times <= outcome["at"]) & (times > outcome["at"] - 3_600 * SECOND)
        found[place] = float(outcome["odds"]), float(near.any())
    return found


def answered_short(rows: npt.NDArray[np.void]) -> bool:
    """Whether those who were answered in these calls stayed for longer than a dropped call, most of them."""
    talks = rows["talk"][rows["talk"] > 0]
    return len(talks) >= 2 and float(np.median(talks)) > DROPPED / SECOND
