"""Small situations with known answers."""

from typing import Any

from hypothesis import strategies as st

from ringfence.respond.case import BRUSHED_OFF, CALL, NO_ANSWER, STAGES, VISIT, Attempt, Case, Officer, Place

NOW = 1_772_450_000_000_000
MINUTE = 60_000_000
HOME = Place(31.2, 121.4)


def ago(minutes: float) -> int:
    return NOW - int(minutes * MINUTE)


def case(name: str = "a", **more: Any) -> Case:
    told: dict[str, Any] = {"kind": "scam_call", "stage": "grip", "probability": 0.5, "opened_at": ago(30), "grip_began_at": ago(30)}  # fmt: skip
    return Case(case_id=name, subject=f"+86{name}", **(told | more))


def north(km: float) -> Place:
    return Place(HOME.lat + km / 111.195, HOME.lon)


attempts = st.builds(
    Attempt,
    by=st.sampled_from([CALL, VISIT]),
    at=st.floats(0, 600).map(ago),
    outcome=st.sampled_from([NO_ANSWER, BRUSHED_OFF]),
)
places = st.builds(Place, lat=st.floats(31.0, 31.4), lon=st.floats(121.2, 121.6))


@st.composite
def cases(draw: st.DrawFn, most: int = 5, least: int = 0) -> tuple[Case, ...]:
    count = draw(st.integers(least, most))
    return tuple(
        case(
            f"c{number}",
            stage=draw(st.sampled_from(STAGES)),
            probability=draw(st.floats(0, 1)),
            opened_at=draw(st.floats(0, 900).map(ago)),
            grip_began_at=draw(st.none() | st.floats(0, 900).map(ago)),
            at_risk=draw(st.none() | st.floats(0, 1e6)),
            numbers=("+1",) * draw(st.integers(0, 3)),
            cell=draw(st.none() | st.sampled_from(["x", "y", "z"])),
            on_call=draw(st.booleans()),
            attempts=tuple(draw(st.lists(attempts, max_size=2))),
            watch=draw(st.booleans()),
        )
        for number in range(count)
    )


@st.composite
def officers(draw: st.DrawFn, most: int = 3, least: int = 0) -> tuple[Officer, ...]:
    count = draw(st.integers(least, most))
    return tuple(
        Officer(
            f"o{number}",
            place=draw(st.none() | places),
            minutes=draw(st.none() | st.floats(0, 90)),
            free_from=draw(st.floats(-60, 60).map(lambda m: ago(-m))),
        )
        for number in range(count)
    )


cells = st.fixed_dictionaries({}, optional={"x": places, "y": places, "z": places})
