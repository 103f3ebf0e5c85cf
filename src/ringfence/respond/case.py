"""An open case, and who can be sent: what triage looks at. Times are µs since 1970, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

STAGES: Final = ("contact", "hand_over", "grip", "isolation", "payment")
"""How far a scam call has come: the cold call, "the police", the call that does not end, hotel or second number, money moves."""

CALL: Final = "call"
VISIT: Final = "visit"
NO_ANSWER: Final = "no answer"
BRUSHED_OFF: Final = "brushed off"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tried to reach the person.

    Attributes:
        by: `CALL` or `VISIT`.
        at: µs.
        outcome: `NO_ANSWER` (engaged, not at home, the door stayed shut) or `BRUSHED_OFF` (reached, did not believe it). A case
            that ended well is closed and is not planned any more.
    """

    by: str
    at: int
    outcome: str = NO_ANSWER


@dataclass(frozen=True, slots=True)
class Case:
    """One person who may be about to lose money.

    Attributes:
        case_id: unique among the open cases.
        subject: the number that was attacked, E.164; `kind`: of the alert.
        stage: one of `STAGES`.
        probability: that the alert is right, 0 to 1.
        opened_at: µs.
        grip_began_at: µs, None: no call of the kind that does not end has been seen.
        at_risk: what the person can still lose, told by a bank; None: not told, a prior stands in (`Assumptions.salaries`).
        moved: what has gone already, told by a bank; None: nobody tells, and it may have gone unseen.
        currency: ISO 4217, of both sums.
        numbers: E.164, where the person can be rung; empty: the subject only.
        cell: where the phone is, None: not known.
        on_call: the line is engaged now.
        attempts: all so far, in any order.
        watch: dissuaded or brushed off in an earlier case, and back.
    """

    case_id: str
    subject: str
    kind: str
    stage: str
    probability: float
    opened_at: int
    grip_began_at: int | None = None
    at_risk: float | None = None
    moved: float | None = None
    currency: str = "CNY"
    numbers: tuple[str, ...] = ()
    cell: str | None = None
    on_call: bool = False
    attempts: tuple[Attempt, ...] = ()
    watch: bool = False

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"stage {self.stage!r} is none of {', '.join(STAGES)}")
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"the probability {self.probability} of {self.case_id} is not between 0 and 1")


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees, WGS 84."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who can be sent to a door.

    Attributes:
        officer_id: unique; `station`: in words.
        place: where the officer is now, None: not known.
        minutes: of travel to any case where places are not known, None: the usual (`Assumptions.travel_minutes`).
        free_from: µs, when the officer can leave; in the past: now.
        under_way_to: the case this officer is already driving to.
    """

    officer_id: str
    station: str = ""
    place: Place | None = None
    minutes: float | None = None
    free_from: int = 0
    under_way_to: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan depends on, besides the moment.

    Attributes:
        cases: open, without those to whom a caller is talking or at whose door an officer stands.
        callers: how many are free.
        officers: those who are free or will be soon, and those under way.
        places: of cells; a case whose cell is not among them is at an unknown place.
        turn: how many calls have been begun before this plan, ever or today: every n-th is a fair turn (`plan`).
    """

    cases: tuple[Case, ...]
    callers: int
    officers: tuple[Officer, ...] = ()
    places: Mapping[str, Place] | None = None
    turn: int = 0
