"""The person in a scam call, read from what was observed: how far it has come, and where to reach the person."""

from collections.abc import Iterable, Sequence

from ringfence.detect import scam_call as seen
from ringfence.detect.memory import HOUSEHOLD, SAME_PHONE, SECOND
from ringfence.model.alert import LedgerEntry, Payment, Victim

_RINGS = {
    int(code)
    for code in (
        seen.STRANGER_RINGS, seen.ABROAD_RINGS, seen.FORGED_RINGS, seen.BOX_RINGS, seen.UNNAMED_RINGS, seen.FIRM_RINGS,
        seen.PUT_THROUGH, seen.SAME_AGAIN, seen.MANY_RING, seen.ON_LINE,
    )
}  # fmt: skip
ENDS = {int(code) for code in (seen.CALLER_LEFT, seen.PERSON_LEFT, seen.BROKE_OFF)}
"""Observations that say that a call that held the person is over; their value is how long it was, s."""
_ISOLATES = {int(code) for code in (seen.NEW_CELL, seen.OTHER_NUMBER, seen.RINGS_BANK)}
_PAYS = {int(seen.PAYS_NEW): True, int(seen.PAYS_KNOWN): False}


def victim_of(
    subject: str,
    observations: Iterable[LedgerEntry],
    *,
    linked: Sequence[str] = (),
    missing: Sequence[str] = (),
    watch: bool = False,
) -> Victim:
    """The state of a person after some observations.

    Args:
        subject: the number that was called.
        observations: of one case, in order of time.
        linked: further numbers of the person that are known, the nearest first.
        missing: columns that the records do not tell.
        watch: warned before, lately.
    """
    stages: dict[str, int] = {}
    phones: list[str] = []
    household: list[str] = []
    payments: list[Payment] = []
    cell = currency = grip = None
    on_call, friends = False, 0
    for one in observations:
        friends += one.what == seen.NOT_REACHED
        if one.what in _RINGS:
            on_call = True
        elif one.what in ENDS:
            on_call = False
        elif one.what in _PAYS:
            payments.append(Payment(one.at, one.value, _PAYS[one.what]))
            currency = one.currency or currency
        cell = one.cell or cell
        if one.other is not None and one.link in (SAME_PHONE, HOUSEHOLD):
            (phones if one.link == SAME_PHONE else household).append(one.other)
        if grip is None and one.what == seen.ON_LINE and one.value * SECOND >= seen.GRIPPED:
            grip = one.at - int(one.value * SECOND)
        for stage in _reached(one, held=grip is not None, friends=friends):
            stages.setdefault(stage, one.at)
    stages = {stage: stages[stage] for stage in seen.STAGES if stage in stages}
    numbers = list(dict.fromkeys([subject, *phones, *linked, *household]))
    return Victim(
        stage=next(reversed(stages), seen.STAGES[0]),
        stages=stages,
        numbers=numbers,
        cell=cell,
        on_call=on_call,
        grip_began_at=grip,
        payments=payments,
        currency=currency,
        missing=list(missing),
        watch=watch,
    )


def _reached(one: LedgerEntry, *, held: bool, friends: int) -> list[str]:
    """The stages that an observation stands for."""
    found = [seen.STAGES[seen.CONTACT]]
    if one.what == seen.PUT_THROUGH:
        found.append(seen.STAGES[seen.HAND_OVER])
    if held:
        found.append(seen.STAGES[seen.GRIP])
        if one.what in _ISOLATES or friends >= seen.FRIENDS_CUT_OFF:
            found.append(seen.STAGES[seen.ISOLATION])
        if _PAYS.get(one.what):
            found.append(seen.STAGES[seen.PAYMENT])
    return found
