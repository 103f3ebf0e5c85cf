"""Every figure that triage assumes, in one place. They are replaced by what the squad books, once it has booked enough.

Where nothing public tells a figure, it says "assumed"; `bench/triage.py` shows what it costs if it is wrong by half.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ringfence.respond.case import STAGES

# a month's usual wage, the same figures as the simulated cities' (`simulate/countries.py`)
_SALARIES: Final = MappingProxyType({"CNY": 9_000.0, "USD": 4_200.0, "GBP": 2_400.0, "INR": 35_000.0, "CAD": 4_000.0})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Chances are 0 to 1, hazards a minute, times in minutes.

    Attributes:
        salary: a month's wage by currency. Sums are compared in wages, so that currencies can be mixed; one that is not listed
            counts as the first.
        salaries: (least, most) a victim loses, in wages, all sizes equally likely (log-uniform): the simulator's spread; the
            newspapers' cases run from 9,900 yuan of tuition to "hundreds of thousands".
        transfers: how many victims pay in the end if nobody intervenes: three in four in the simulator; assumed.
        hazard: of the money moving, by stage. Grip: in the simulator 0.002 to 0.004 a minute from the first half hour to the
            twelfth hour, half have paid after four hours (Mr Chen: squad in the afternoon, about to transfer in a hotel that
            he had gone to in the morning). Before the grip slower, in a hotel or on a second number faster: assumed. Payment:
            the parts of one victim's transfers follow each other within 20 min on average.
        answers: somebody who is not on the line answers a call that a text has announced, one number tried. "Calls 600 to 800
            people a day, some ignore it": a good half; assumed.
        answers_engaged: the same while the line is engaged: waiting calls are ignored, the scammer says "stay on the line";
            assumed. `other_number`: each further number tried in the same call closes so much of the gap.
        believes: by stage, somebody who answers stops. Putian and Ma'anshan report losses down 40 to 70 % where everyone is
            rung; less in isolation: "buy silence by telling them they are suspects". Payment: doubt sets in; assumed.
        found: by stage, an officer finds the person: many do not open the door; in isolation they have left home (Mr Chen).
            `found_cell`: the same where the phone's cell is known.
        convinced: by stage, somebody who is found stops: officers show similar cases and bring relatives; better than a call.
        missed: each attempt that reached nobody multiplies the chance to reach: those who do not answer do not answer.
        recovers: minutes after a call nobody answered until it is worth 63 % of a new one.
        brushed_off: each time somebody was reached and did not stop multiplies the chance to convince. Not nought: a second
            alert 18 days after a visit that was brushed off saved 240,000 yuan (Changning, January 2026).
        watch_odds: how much likelier the alert is right about somebody on the watch list; assumed.
        call_minutes: a caller's time for one case, text and notes included: 100 calls in a day of 14 hours.
        call_after: from the plan to the voice in the ear.
        visit_minutes: at the door, and writing it up; assumed. `retry_visit`: minutes until a door is tried again.
        detour: roads against the great circle: 1.2 to 1.4 in cities. `speed`: km/h through a city, with parking and stairs;
            assumed. `travel_minutes`: where a place is not known: 10 km.
        fair_every: every so many calls goes to whoever has waited longest (`plan`).
        redirect: an officer under way turns round only for a case worth this many times as much a minute.
    """

    salary: Mapping[str, float] = field(default_factory=lambda: _SALARIES)
    salaries: tuple[float, float] = (0.3, 60.0)
    transfers: float = 0.75
    hazard: tuple[float, ...] = (0.0010, 0.0015, 0.0025, 0.0040, 0.0300)
    answers: float = 0.60
    answers_engaged: float = 0.30
    other_number: float = 0.35
    believes: tuple[float, ...] = (0.70, 0.60, 0.50, 0.30, 0.40)
    found: tuple[float, ...] = (0.65, 0.65, 0.65, 0.40, 0.60)
    found_cell: tuple[float, ...] = (0.75, 0.75, 0.75, 0.65, 0.70)
    convinced: tuple[float, ...] = (0.90, 0.85, 0.80, 0.70, 0.70)
    missed: float = 0.75
    recovers: float = 20.0
    brushed_off: float = 0.50
    watch_odds: float = 2.0
    call_minutes: float = 8.4
    call_after: float = 2.0
    visit_minutes: float = 25.0
    retry_visit: float = 120.0
    detour: float = 1.3
    speed: float = 25.0
    travel_minutes: float = 31.0
    fair_every: int = 20
    redirect: float = 2.0

    def __post_init__(self) -> None:
        for name in ("hazard", "believes", "found", "found_cell", "convinced"):
            if len(getattr(self, name)) != len(STAGES):
                raise ValueError(f"{name} needs one figure a stage: {', '.join(STAGES)}")


USUAL: Final = Assumptions()
