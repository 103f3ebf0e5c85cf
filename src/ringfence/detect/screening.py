"""A call that is arriving: what is known that speaks against it, at once and without changing anything.

It reads what the pass keeps, and adds nothing to it: the call itself is told by its source, and judged then. So a question that
is asked twice, or about a call that never comes, leaves no trace.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ringfence.compiled import entry
from ringfence.detect import flood, forged_caller, fraud_line
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import OPEN
from ringfence.detect.memory import (
    AWAY,
    CALL,
    CALLED,
    HEARD,
    KNOWN,
    STRANGER,
    WITHHELD,
    acquainted_for,
    direction,
    is_new,
    pair_is_stale,
    pair_key,
    relation_of,
)
from ringfence.detect.passes import was_helped
from ringfence.detect.rules import is_emergency, verdict_on
from ringfence.detect.table import find
from ringfence.model.callers import number_class
from ringfence.model.verdicts import IMPOSSIBLE, NOTHING, REASON_BITS, SIGNED

RELATIONS: Final = {
    WITHHELD: "withheld",
    STRANGER: "stranger",
    HEARD: "rang before",
    CALLED: "called back",
    KNOWN: "known",
}
LET_THROUGH: Final = "pass"
SUSPECT: Final = "suspect"
REFUSE: Final = "refuse"


@dataclass(frozen=True, slots=True)
class Arriving:
    """A call that is arriving.

    Attributes:
        at: µs.
        caller, callee: numbers as in `model.numbers`; caller 0: withheld.
        trunk: hash of its name, 0: not told.
        ingress, attestation: codes of `model.tables`, 0: not told.
    """

    at: int
    caller: int
    callee: int
    trunk: int = 0
    ingress: int = 0
    attestation: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for or against it: the detector it comes from, its words, and what it is worth in bits."""

    kind: str
    text: str
    text_zh: str
    bits: float

    def as_dict(self) -> dict[str, Any]:
        """The form of the API."""
        return {"kind": self.kind, "what": self.text, "what_zh": self.text_zh, "bits": round(self.bits, 2)}


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer.

    Attributes:
        verdict: LET_THROUGH, SUSPECT (the line is under attack, or the caller is suspect: ask before it rings) or REFUSE (the number
            shown cannot be the caller's).
        relation: of the caller to the line, see `RELATIONS`.
        why: what was found.
    """

    verdict: str
    relation: str
    why: list[Reason] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The form of the API."""
        return {
            "verdict": self.verdict,
            "relation": self.relation,
            "bits": round(sum(reason.bits for reason in self.why), 2),
            "why": [reason.as_dict() for reason in self.why],
        }


class Screen:
    """Answers for calls that are arriving, from what an engine keeps; the caller sees to it that the pass stands still meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._call = np.zeros(1, CALL)

    def look(self, call: Arriving) -> Screening:
        """What is known that speaks against a call."""
        engine, record = self._engine, self._call[0]
        record["caller"], record["callee"], record["start"] = call.caller, call.callee, call.at
        record["trunk"], record["ingress"], record["attestation"] = call.trunk, call.ingress, call.attestation
        pairs = engine.shard_of(call.callee).pairs.rows
        relation, fresh, spared, verdict = _look(pairs, self._call, engine.rules)
        if spared:
            return Screening(LET_THROUGH, RELATIONS[relation])
        why = [*self._forged(call.caller, verdict, call.at), *self._flooded(call.callee, fresh)]
        why += self._fraud_line(call.caller, fresh)
        found = LET_THROUGH
        if why:
            found = REFUSE if why[0].kind == forged_caller.NAME else SUSPECT
        return Screening(found, RELATIONS[relation], why)

    def _forged(self, caller: int, verdict: int, now: int) -> list[Reason]:
        if verdict == NOTHING:
            return []
        if verdict & IMPOSSIBLE:
            words = forged_caller.WORDS[verdict & (REASON_BITS | SIGNED)]
            return [Reason(forged_caller.NAME, *words, forged_caller.SURE)]
        case = self._engine.case_of(forged_caller.NAME, caller)
        if case is None or now - int(case["seen"]) > forged_caller.LIFE:
            return []
        bits = float(case["places"]) + float(case["people"]) + float(case["before"])
        bar = self._engine.threshold(forged_caller.NAME)
        if bits < bar:
            return []
        return [Reason(forged_caller.NAME, *forged_caller.NOT_ABROAD, bits)]

    def _flooded(self, callee: int, fresh: bool) -> list[Reason]:
        if not fresh:
            return []
        return self._open(
            flood.NAME,
            callee,
            ("a stranger rings a line that is being flooded", "陌生来电，被叫正遭呼死你攻击"),
        )

    def _fraud_line(self, caller: int, fresh: bool) -> list[Reason]:
        if not fresh or caller == 0:
            return []
        return self._open(fraud_line.NAME, caller, ("the caller is a line of fraud", "主叫为涉诈号码"))

    def _open(self, name: str, number: int, words: tuple[str, str]) -> list[Reason]:
        case = self._engine.case_of(name, number)
        if case is None or case["state"] != OPEN:
            return []
        return [Reason(name, *words, float(case["bits"][int(case["hypothesis"])]))]


@entry
def _look(pairs: Any, calls: Any, rules: Any) -> tuple[int, bool, bool, int]:
    """Relation of the caller, whether it is a stranger, whether the call is never to be stopped, and what the rules say."""
    call = calls[0]
    call.relation = WITHHELD if call.caller == 0 else STRANGER
    call.acquainted = AWAY
    if call.caller != 0:
        place = find(pairs, pair_key(call.caller, call.callee))
        if place >= 0 and not pair_is_stale(pairs[place], call.start):
            way = direction(call.caller, call.callee)
            call.relation = relation_of(pairs[place], way, call.start)
            call.acquainted = acquainted_for(pairs[place], way, call.start)
    kind = number_class(call.caller, rules.numbers)
    spared = is_emergency(call.callee, rules) or was_helped(call, (pairs,), rules) != 0
    return int(call.relation), is_new(call), spared, verdict_on(call, kind, rules)
