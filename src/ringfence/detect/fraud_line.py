"""Fraud line: a number that calls as lines of fraud call.

It rings strangers only, few of them twice, is never rung itself, is dropped or talks briefly, works in office hours, from many
phones (or many numbers from one phone: a SIM box). One feature does most of the work: the calls for each person
called (normal median 6.8, fraud 1.24 in the Sichuan data).

Unlike a flood, a line is judged as a whole: after each of its calls all features are read anew and added up. What each is
worth is learned (`ringfence train`), from the same `measure` that is used here.
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import entry, jit, routine
from ringfence.detect.evidence import CLOSED, OPEN, QUIET, Scene, assess, case_dtype, end_episode, restart
from ringfence.detect.line_weights import BASE, BITS, EDGES, FEATURES, STARTS_AT
from ringfence.detect.memory import DAY, DROPPED, HOUR, SECOND, STRANGER, count_bits, fan_out
from ringfence.detect.table import claim_marked, find, find_marked
from ringfence.model.calls import NEVER

NAME: Final = "fraud_line"
TITLE: Final = ("Line of fraud", "涉诈号码")
HYPOTHESES: Final = (("calls like a line of fraud", "拨打行为似涉诈号码"),)

CASE: Final = case_dtype(
    [
        ("since", "i8"),  # when the counts below were last halved
        ("made", "f4"),  # calls; all counts are of the last week and half of what was before
        ("strangers", "f4"),  # of these: to numbers it never had to do with
        ("answered", "f4"),
        ("short", "f4"),  # answered, and over within DROPPED
        ("numbers", "f4"),  # most numbers seen in the phone it called from
        ("hours", "u4"),  # hours of the day in which it called, a bit each
    ]
)

FALSE_ALARMS: Final = 1.1e-4
"""Bound per line-day, by Wald; a third to a half of it is seen: docs/fraud_line.md."""
STARTS: Final = 0.02
"""Lines that come to be judged, per line-day."""
PRIOR_BITS: Final = 7.3
"""Odds against, where a line is watched at all."""

WATCHED: Final = 6
"""Calls in the last weeks from which on a number is watched."""
JUDGED: Final = 8
"""Calls since then from which on it is judged."""
DISTINCT: Final = 0.45
"""Different numbers called for each call, below which nobody looks: half of all normal lines have .15 (Sichuan)."""
UNSEEN: Final = 3 * DAY
"""Who has not called for so long since the watching began is new: a line has two records a day, half of them its own (Sichuan)."""
OLD: Final = 7.0
"""Days. Who has called for longer is no throw-away number, whenever it began."""
QUIET_LIFE: Final = 7 * DAY
"""A line that has not called for so long is given up by its users."""
RETURN: Final = 30 * DAY

WORDS: Final = {
    1: ("what a line that is watched at all is worth", "先验证据值"),
    **{code + 2: feature.words for code, feature in enumerate(FEATURES)},
}


@routine
def measure(case: Any, profile: Any, age: float, values: Any) -> None:
    """Read all features of a line.

    Args:
        case: its CASE record.
        profile: its PROFILE record.
        age: as `age_of` says.
        values: float64[len(FEATURES)], written; NaN where nothing can be said.
    """
    made = max(float(case.made), 1.0)
    calls = max(float(profile.calls), 1.0)
    values[0] = calls / max(fan_out(profile), 1.0)
    values[1] = case.strangers / made
    values[2] = profile.received / (profile.received + calls)
    values[3] = case.answered / made
    values[4] = case.short / max(float(case.answered), 1.0)
    values[5] = count_bits(case.hours) / min(made, 16.0)
    values[6] = _devices(profile) / min(calls, 16.0) if profile.devices != 0 else math.nan
    values[7] = case.numbers if case.numbers > 0 else math.nan
    values[8] = age


@jit
def age_of(profile: Any, now: int, born: int) -> float:
    """Days since a number first called; NaN in the first week of one that may have called before the watching began."""
    first = np.int64(profile.first)
    days = (now // SECOND - first) / (DAY / SECOND)
    is_new = first - born // SECOND > UNSEEN // SECOND
    return days if is_new or days >= OLD else math.nan


@jit
def _devices(profile: Any) -> float:
    ones = count_bits(profile.devices)
    return 32.0 * math.log(32.0 / max(32 - ones, 0.5))


@routine
def worth(values: Any, bits: Any) -> float:
    """What the features are worth: `bits` is written, float64[len(FEATURES)]; returns their sum with the base."""
    total = BASE
    for i in range(len(values)):
        first, last = STARTS_AT[i], STARTS_AT[i + 1]
        place = first  # a missing value
        if not math.isnan(values[i]):
            # the k-th bin begins at edge k - 1; bits have two more entries than edges: missing, and the lowest bin
            place += 1
            edge = first - 2 * i
            while edge < last - 2 * (i + 1) and values[i] >= EDGES[edge]:
                place += 1
                edge += 1
        bits[i] = BITS[place]
        total += bits[i]
    return total


@jit
def _renew(case: Any, scene: Scene) -> None:
    """Bring a case up to now: close it, forget an old story, let old counts fade."""
    if case.state == OPEN and case.last + QUIET_LIFE < scene.now:
        end_episode(case, case.last + QUIET_LIFE, scene)
    if case.state == CLOSED and scene.now - case.closed > RETURN:
        case.state = QUIET
        case.raised = 0
    if case.last != 0 and scene.now - case.last > QUIET_LIFE:
        case.since = 0
    if case.since == 0:
        _begin(case, scene.now)
    elif scene.now - case.since > 7 * DAY:
        case.since = scene.now
        case.made *= 0.5
        case.strangers *= 0.5
        case.answered *= 0.5
        case.short *= 0.5
        case.hours = 0


@jit
def _begin(case: Any, now: int) -> None:
    case.since = now
    case.made = 0
    case.strangers = 0
    case.answered = 0
    case.short = 0
    case.numbers = 0
    case.hours = 0
    if case.state == QUIET:
        restart(case)


@jit
def on_originate(cases: Any, scene: Scene, profile: Any, call: Any) -> None:
    """A number calls."""
    place = find_marked(cases, call.caller)
    if place < 0:
        if profile.calls < WATCHED or fan_out(profile) < DISTINCT * profile.calls:
            return
        place = claim_marked(cases, call.caller)
    case = cases[0][place]
    _renew(case, scene)
    case.last = scene.now
    case.seen = scene.now
    case.made += 1
    case.calls += 1
    if call.relation == STRANGER:
        case.strangers += 1
    case.numbers = max(case.numbers, np.float32(call.numbers))
    case.hours |= np.uint32(1 << (scene.now // HOUR % 24))


@jit
def on_release(cases: Any, scene: Scene, profile: Any, call: Any, answer: int) -> None:
    """A call of a number ends."""
    place = find_marked(cases, call.caller)
    if place < 0:
        return
    case = cases[0][place]
    if case.made == 0 or scene.now - case.last > QUIET_LIFE:
        return
    if answer != NEVER:
        case.answered += 1
        if scene.now - answer <= DROPPED:
            case.short += 1
    if case.state == OPEN or case.made < JUDGED or case.calls % 4 != 0:  # one call changes little
        return
    values = np.empty(len(FEATURES))
    bits = np.empty(len(FEATURES))
    measure(case, profile, age_of(profile, scene.now, scene.born), values)
    if worth(values, bits) >= scene.threshold:
        assess(case, scene, call, values, bits, BASE)


@jit
def on_quiet(cases: Any, scene: Scene, subject: int) -> None:
    """Time passes without a call."""
    place = find_marked(cases, subject)
    if place >= 0 and cases[0][place].state == OPEN:
        _renew(cases[0][place], scene)


@entry
def measure_all(cases: Any, profiles: Any, now: int, born: int, values: Any, keys: Any) -> int:
    """Measure every line that would be judged.

    Args:
        cases: rows of the table of cases.
        profiles: rows of the table of profiles.
        now: µs.
        born: µs, when the watching began.
        values: float64[n, len(FEATURES)], written, a row a line.
        keys: int64[n], written, their numbers.

    Returns:
        How many lines there are; n must be at least the number of cases.
    """
    count = 0
    for i in range(len(cases)):
        case = cases[i]
        if case.key == 0 or case.made < JUDGED:
            continue
        place = find(profiles, case.key)
        if place >= 0:
            measure(case, profiles[place], age_of(profiles[place], now, born), values[count])
            keys[count] = case.key
            count += 1
    return count


def stale(cases: Any, now: int) -> Any:
    """Which cases may be swept away: bool per row."""
    told = (cases["state"] == CLOSED) & (now - cases["closed"] > RETURN)
    return ((cases["state"] == QUIET) | told) & (now - cases["last"] > QUIET_LIFE)
