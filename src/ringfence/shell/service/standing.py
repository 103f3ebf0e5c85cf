"""What the engine keeps of a number, in words: as a line, as a caller, and what speaks for and against it."""

from typing import Any, Final

import numpy as np

from ringfence.detect import scam_call
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.evidence import CLOSED, OPEN, probability
from ringfence.detect.memory import HALF_LIFE, SECOND, fan_out
from ringfence.model.alert import rfc3339
from ringfence.model.caller_class import CLASS_BITS, NAMES
from ringfence.model.numbers import to_text
from ringfence.shell.judge import Judge
from ringfence.shell.named_calls import observation

_STATES: Final = {OPEN: "open", CLOSED: "closed"}


def standing(judge: Judge, number: int) -> dict[str, Any]:
    """What is known of a number.

    Args:
        judge: whose engine stands still meanwhile.
        number: as in `model.numbers`.
    """
    kind = int(judge.callers.classify(np.array([number]))[0]) & CLASS_BITS
    return {
        "number": to_text(number, judge.names),
        "class": NAMES[kind],
        "as_of": rfc3339(judge.engine.last),
        "line": _line(judge, number),
        "caller": _caller(judge, number),
        "evidence": [
            found for detector in DETECTORS if (found := _evidence(judge, detector, number)) is not None
        ],
    }


def _line(judge: Judge, number: int) -> dict[str, Any] | None:
    """As a line that is called: calls a day, as habits that fade by half in `HALF_LIFE` days."""
    row = judge.engine.shard_of(number).lines.row(number)
    if row is None:
        return None
    days = HALF_LIFE / np.log(2.0)
    return {
        "last_call_at": rfc3339(int(row["seen"]) * SECOND),
        "known_a_day": round(float(row["known"]) / days, 2),
        "strangers_a_day": round(float(row["strangers"].sum()) / days, 2),
        "withheld_a_day": round(float(row["withheld"]) / days, 2),
    }


def _caller(judge: Judge, number: int) -> dict[str, Any] | None:
    """As a number that calls: this week, and half of what was before."""
    row = judge.engine.shard_of(number).profiles.row(number)
    if row is None:
        return None
    calls = max(float(row["calls"]), 1e-9)
    return {
        "first_at": rfc3339(int(row["first"]) * SECOND),
        "last_at": rfc3339(int(row["seen"]) * SECOND),
        "calls": round(float(row["calls"]), 1),
        "people": round(float(fan_out(row)), 1),
        "unanswered": round(float(row["unanswered"]) / calls, 3),
        "dropped": round(float(row["dropped"]) / calls, 3),
        "conversations": round(float(row["talks"]), 1),
    }


def _evidence(judge: Judge, detector: Any, number: int) -> dict[str, Any] | None:
    """What a detector holds for and against a number; None: nothing."""
    engine = judge.engine
    case = engine.case_of(detector.NAME, number)
    if case is None or (case["entries"] == 0 and case["state"] != OPEN):
        return None
    bits = float(case["bits"].max())
    seen = engine.observations(detector.NAME, number)
    hypothesis = int(np.argmax(case["bits"]))
    texts = judge.stories.ids.texts(seen["call"], np.full(len(seen), engine.last)) if len(seen) else []
    why, total = [], 0.0
    for row, call_id in zip(seen, texts, strict=True):
        total += float(row["bits"][hypothesis])
        entry = observation(_as_entry(row, number, hypothesis, total), detector, call_id, judge.names, judge)
        why.append({**entry.as_dict(), "what_zh": entry.text_zh})
    found = {
        "kind": detector.NAME,
        "state": _STATES.get(int(case["state"]), "watched"),
        "bits": round(bits, 2),
        "threshold": round(engine.threshold(detector.NAME), 2),
        "probability": round(probability(bits, detector.PRIOR_BITS), 4),
        "hypothesis": detector.HYPOTHESES[min(hypothesis, len(detector.HYPOTHESES) - 1)][0],
        "calls": int(case["calls"]),
        "why": why,
    }
    if detector is scam_call:
        found["stage"] = scam_call.STAGES[int(case["stage"])]
    return found


def _as_entry(row: np.void, number: int, hypothesis: int, total: float) -> Any:
    """An observation in the shape of a ledger entry."""
    names = ("at", "call", "caller", "cell", "other", "value", "what", "link")
    entry = {name: row[name] for name in names}
    return {**entry, "subject": number, "bits": row["bits"][hypothesis], "total": total}
