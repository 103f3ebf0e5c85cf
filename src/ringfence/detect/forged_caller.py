"""Forged caller id: a shown number that cannot be where it claims to be.

Where a call came in, the class of the shown number and the attestation give a verdict (`model.verdicts`, from the country's
pack). Three hypotheses follow from it:

- `impossible number`: the verdict stands by itself (a fixed line from abroad, a number that no plan has);
- `in two places at once`: a mobile arrives from abroad. Either its owner travels, or the number is forged while the owner is at
  home. What decides is how long before and after the call the number was in use at home, and whom it rings;
- `suspect number`: all other verdicts that do not stand by themselves.

An owner at home uses the phone at his own rate r, which is known only roughly: with a Gamma distribution of shape 2 the gap from
the call to his nearest use has the Lomax density r (1 + r t / 2)^-3. A traveller needs hours from the last use at home to the
first call from abroad, and back: half of all journeys take more than three, one in ten less than one (a land border), one in a hundred
minutes; and half of all stays last more than three days, with a heavy tail to short ones (both log-logistic). These figures are
estimates.

An alert stands for a number and a UTC day. Every forged call is told (`NAMED`), so that each can be an alert of its own and can be
counted by trunk. A case keeps what its ledger is made of; nothing goes through the notebook, whose lines last for hours only.
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import jit, routine
from ringfence.detect.evidence import NAMED, RAISED, Scene, Told, case_dtype, codes, name_call, tell
from ringfence.detect.memory import CALLED, DAY, HOUR, KNOWN, MINUTE, SECOND, STRANGER
from ringfence.detect.rules import verdict_on
from ringfence.detect.table import claim_marked, find_marked, mix
from ringfence.model import verdicts
from ringfence.model.pack_keys import Words
from ringfence.model.tables import SUBSCRIBER
from ringfence.model.verdicts import (
    FIXED_FROM_ABROAD,
    FORM_FROM_ABROAD,
    IMPOSSIBLE,
    MOBILE_FROM_ABROAD,
    NO_SUCH_FOREIGN,
    OWN_FROM_OUTSIDE,
    REASON_BITS,
    SIGNED,
)

NAME: Final = "forged_caller"
TITLE: Final = ("Forged caller id", "改号来电")
NAMES_CALLS: Final = True
"""Alerts are about single calls: the shell can raise one for each (`--each-call`)."""

PENDING: Final = 4
"""Calls from abroad that are kept until it is known whether their number was at home; of more, the latest."""
CASE: Final = case_dtype(
    [
        ("home", "i8"),  # last use at home before the calls below, µs; 0: not known
        ("abroad", "i8"),  # the last of them, µs; 0: none since the last use at home
        ("day", "i8"),  # days since 1970, when an alert was raised
        ("proven", "i8"),  # the same, when its number turned out to have been at home
        ("rate", "f4"),  # uses at home an hour
        ("week", "u4"),  # as in PROFILE, and calls that came from elsewhere in it
        ("elsewhere", "f4"),
        ("places", "f4"),  # bits: from the two places, or from the verdict
        ("people", "f4"),  # from whom it rings
        ("before", "f4"),  # from having been forged on a day before
        ("rang", "i8"),  # when it last rang a stranger from elsewhere, µs
        ("met", "u8"),  # lines that it rang as a stranger, from elsewhere: a bit for each, by its hash
        ("strangers", "u1"),  # rung in a row
        ("verdict", "u1"),
        ("pending", "u1"),
        ("keys", "i8", (PENDING,)),
        ("times", "i8", (PENDING,)),
        ("callees", "i8", (PENDING,)),
        ("trunks", "i8", (PENDING,)),
    ]
)

FALSE_ALARMS: Final = 4e-5
"""Wanted per line-day: at the most one call from abroad in fifty, if all of them were as hard to tell as those that are judged by
the hours at home alone; most are to people the caller knows, and far from it."""
STARTS: Final = 0.002
"""Calls from abroad under one's own number, a day and line: 0.6 % are away, and a traveller rings home every third day."""
PRIOR_BITS: Final = 3.0
"""Odds against forging where the evidence begins. Of the mobiles of a country that arrive from abroad half and more may be
forged (India 2024: 90 % of all calls from abroad), so this is on the careful side."""
HYPOTHESES: Final = (
    ("impossible number", "不可能的号码"),
    ("in two places at once", "号码同时身处两地"),
    ("suspect number", "可疑号码"),
)
_ALONE: Final[Any] = np.int64(0)  # of NumPy's int64, or Numba would compile what takes them anew for each
_PLACES: Final[Any] = np.int64(1)
_SUSPECT: Final[Any] = np.int64(2)

SURE: Final = 20.0
"""Bits of a verdict that stands by itself: one such call in a million is an error of plan, pack or records."""
LIFE: Final = 8 * DAY
"""So long a suspect number is remembered."""
_STILL: Final = (
    3.0  # so far may the evidence fall on the day of an alert before calls no longer count as forged
)
_MOST: Final = 30.0
_LOST: Final = 72.0  # h; so long after a call from abroad its number's use at home tells of a return
_WATCH: Final = 4.0  # bits of a number that was forged, and proven to be, within a week
_FORWARDED: Final = 90 * SECOND  # so soon after its caller's own set-up comes a call that was forwarded
_OURS: Final = 4.0  # bits of an own number from another network: the list of the ported lacks few
_HERE: Final = 3.0  # bits more if its owner was here on a day close by
_CLOSE_BY: Final = 3.0  # days

_BORDER: Final = 0.01
_JOURNEY: Final = 3.0  # h, the median
_STAY: Final = 72.0  # h, the median; 127 h the mean
_SHAPE: Final = 1.8
_MEAN_STAY: Final = _STAY * math.pi / _SHAPE / math.sin(math.pi / _SHAPE)

NOT_ABROAD: Final = (
    "a mobile of this country, arriving from abroad though its owner is not there",
    "国内手机号码，从境外呼入，而机主并不在境外",
)
"""Why a call of the second hypothesis is forged, in one line."""

# Codes of the ledger: those of the verdicts, with and without SIGNED, and these.
_FIRST: Final = int(REASON_BITS) + 1
_CODES: Final[list[Any]] = [np.int64(_FIRST + code) for code in codes(6)]
HOME_BEFORE, HOME_AFTER, HOME_MEANWHILE, STRANGERS, ACQUAINTED, FORGED_BEFORE = _CODES
_NO_MORE: Final[Any] = np.int64(0)
WORDS: Final[dict[Any, Words]] = {
    **{reason: verdicts.words(reason) for reason in verdicts.WORDS},
    **{SIGNED | reason: verdicts.words(SIGNED | reason) for reason in verdicts.WORDS},
    HOME_BEFORE: ("from abroad, {} after it was in use at home", "从境外呼入，此前 {}该号码尚在国内使用"),
    HOME_AFTER: ("in use at home {} after that call", "该呼叫之后 {}，号码在国内使用"),
    HOME_MEANWHILE: ("talking at home during that call, since {}", "该呼叫之时，号码正在国内通话（已 {}）"),
    STRANGERS: ("rings people it has nothing to do with", "呼叫与其素无联系的人"),
    ACQUAINTED: ("rings people it knows", "呼叫与其有联系的人"),
    FORGED_BEFORE: ("was forged on a day before", "前几日曾被冒用"),
}


# --- how likely ------------------------------------------------------------------------------------------------------


@jit
def _used(rate: float, hours: float) -> float:
    """Density of the gap to the nearest use by an owner at home."""
    return rate * (1.0 + rate * hours / 2.0) ** -3


@jit
def _journey(hours: float) -> float:
    """P(a journey takes less)."""
    return max(1.0 / (1.0 + (_JOURNEY / max(hours, 0.01)) ** 2), _BORDER)


@jit
def _stays(hours: float) -> float:
    """P(a stay abroad lasts longer)."""
    return 1.0 / (1.0 + (hours / _STAY) ** _SHAPE)


@jit
def _stay(hours: float) -> float:
    """Density of how long a stay lasts."""
    share = max(hours, 0.25) / _STAY
    return _SHAPE / _STAY * share ** (_SHAPE - 1.0) * _stays(hours) ** 2


@jit
def before_bits(hours: float, rate: float) -> float:
    """Bits for a call from abroad so many hours after the number was in use at home, `rate` times an hour."""
    travelled = _journey(hours) * _stays(hours) / _MEAN_STAY
    return min(max(math.log2(_used(rate, hours) / travelled), -12.0), 11.0)


@jit
def after_bits(hours: float, before: float, rate: float) -> float:
    """Bits for a use at home so many hours after a call from abroad; `before` as above, negative: not known."""
    if before < 0:
        return before_bits(hours, rate)
    returned = _journey(hours) * _stay(before + hours) / _stays(before)
    return min(max(math.log2(_used(rate, hours) / returned), -12.0), 11.0)


@jit
def silence_bits(hours: float, before: float, rate: float) -> float:
    """Bits for another call from abroad so many hours after the last, the number not having been used at home meanwhile."""
    home = ((1.0 + rate * before / 2.0) / (1.0 + rate * (before + hours) / 2.0)) ** 2
    return math.log2(home * _stays(before) / _stays(before + hours))


@jit
def here_bits(days: float) -> float:
    """Bits for an own number from another network whose owner was here so many days before or after.

    The odds that he took it to that network in between grow with the time.
    """
    return max(_HERE - math.log2(max(days / _CLOSE_BY, 1.0)), 0.0)


@jit
def _people_bits(case: Any, call: Any, scene: Scene) -> float:
    """Bits for whom it rings.

    A traveller rings people he knows, as far as the memory knows them (of the calls among acquaintances .098 are first
    contacts after 14 days of history: Copenhagen); a forger strangers, or now and then on purpose somebody who knows the
    number (newspaper case 5: a relative's). Whom the forger has talked to by now is no acquaintance.
    """
    met = np.uint64(1) << np.uint64(mix(call.callee, 13) & 63)
    if case.met & met:
        return 0.0
    if call.relation == KNOWN or call.relation == CALLED:  # noqa: PLR1714  (compiled)
        case.strangers = 0
        return -3.5 if call.relation == KNOWN else -2.5
    case.met |= met
    if call.relation != STRANGER:
        return 0.0
    bits = math.log2(0.95 / (1.0 - 0.85 * (1.0 - math.exp(-(scene.now - scene.born) / (6.0 * DAY)))))
    case.strangers = min(np.int64(case.strangers) + 1, 100)
    if case.strangers > 1:  # one after another, or in the course of days
        bits *= 0.4 if scene.now - case.rang < 30 * MINUTE else 0.15
    case.rang = scene.now
    return max(bits, 0.0)


@jit
def _rate(case: Any, profile: Any, now: int) -> float:
    """How often an hour its owner uses it at home: a prior of 1.4 a day (Sichuan: 1.9 records), then its own past."""
    since: Any = np.int64(profile.since)
    days: Any = (now // SECOND - since + min(since - np.int64(profile.first), 7 * DAY // SECOND)) / (
        DAY // SECOND
    )
    uses = max(profile.calls + 0.5 * profile.talks - 1.3 * case.elsewhere, 0.0)
    return (1.0 + uses) / (0.7 + days) / 24.0


# --- cases -----------------------------------------------------------------------------------------------------------


@jit
def _renew(case: Any, profile: Any, now: int, verdict: int) -> None:
    """Begin a case, or begin again after its life, or with a verdict for another reason."""
    if now - case.seen > LIFE:
        case.day = 0
        case.proven = 0
        case.elsewhere = 0
    if now - case.seen > LIFE or (case.verdict ^ verdict) & (REASON_BITS | IMPOSSIBLE):
        case.home = 0
        case.abroad = 0
        case.pending = 0
        case.strangers = 0
        case.met = 0
        _forget(case)
    case.verdict = verdict
    if case.week != profile.since:
        case.elsewhere *= np.float32(0.5)
        case.week = profile.since
    case.seen = now


@jit
def _forget(case: Any) -> None:
    case.places = 0
    case.people = 0
    case.before = 0


@jit
def _sum(case: Any) -> float:
    """The evidence; what falls below zero is forgotten."""
    total = np.float64(case.places) + np.float64(case.people) + np.float64(case.before)
    if total > 0:
        return total
    _forget(case)
    return 0.0


@jit
def _keep(case: Any, call: Any) -> None:
    """Keep a call until more is known."""
    if case.pending == PENDING:
        for k in range(PENDING - 1):
            case.keys[k] = case.keys[k + 1]
            case.times[k] = case.times[k + 1]
            case.callees[k] = case.callees[k + 1]
            case.trunks[k] = case.trunks[k + 1]
        case.pending = PENDING - 1
    free: Any = np.int64(case.pending)
    case.keys[free] = call.key
    case.times[free] = call.start
    case.callees[free] = call.callee
    case.trunks[free] = call.trunk
    case.pending = free + 1


@jit
def _told(case: Any, k: int) -> Told:
    why: Any = np.int64(case.verdict)
    return Told(case.keys[k], case.times[k], case.callees[k], case.trunks[k], why)


@routine
def _name(case: Any, scene: Scene, told: Told, hypothesis: int, what: int, value: float, last: float) -> None:
    """Tell a forged call, and why: its ledger and its outcome; `last` are bits of `what`, which came after the call."""
    total = 0.0
    given = 0
    first: Any = np.int64(told.reason) & (REASON_BITS | SIGNED)
    age = 0.0
    if hypothesis == _PLACES and case.home != 0:
        first = HOME_BEFORE
        age = (told.at - case.home) / SECOND
    for part in range(4):
        code = (first, STRANGERS if case.people > 0 else ACQUAINTED, FORGED_BEFORE, what)[part]
        bits = (np.float64(case.places), np.float64(case.people), np.float64(case.before), last)[part]
        if part > 0 and (bits == 0 or hypothesis == _ALONE):
            continue
        total += bits
        given += 1
        late = part == 3
        tell(
            case, scene, scene.now if late else told.at, told, code, value if late else age if part == 0 else 0.0,
            bits, total,
        )  # fmt: skip
    case.hypothesis = hypothesis
    case.last = max(case.last, told.at)
    fresh = case.day != scene.now // DAY
    if fresh:
        case.day = scene.now // DAY
        case.raised = scene.now
        case.calls = 0
    case.calls += 1
    name_call(case, scene, told, RAISED if fresh else NAMED, total, given)


@jit
def _name_pending(case: Any, scene: Scene, hypothesis: int, what: int, value: float, last: float) -> None:
    """Tell all calls that were kept: the last one first, for it decided."""
    count: Any = np.int64(case.pending)
    case.pending = 0
    for k in range(count - 1, -1, -1):
        _name(case, scene, _told(case, k), hypothesis, what, value, last)


@jit
def _judge(case: Any, scene: Scene, hypothesis: int) -> None:
    """Whether the evidence is enough by now."""
    total = _sum(case)
    bar = scene.threshold - (_STILL if case.day == scene.now // DAY else 0.0)
    if total >= bar:
        _name_pending(case, scene, hypothesis, _NO_MORE, 0.0, 0.0)


@routine
def _from_abroad(case: Any, scene: Scene, profile: Any, call: Any) -> None:
    """A mobile arrives from abroad."""
    now = scene.now
    if case.abroad != 0:
        if case.home != 0:
            hours = (now - case.abroad) / HOUR
            case.places += silence_bits(hours, (case.abroad - case.home) / HOUR, np.float64(case.rate))
    else:
        case.rate = _rate(case, profile, now)
        case.home = np.int64(profile.home) * SECOND
        if case.home != 0:
            case.places = min(
                case.places + before_bits((now - case.home) / HOUR, np.float64(case.rate)), _MOST
            )
        case.before = _WATCH if case.proven != 0 and now // DAY - case.proven <= 7 else 0.0
    case.people = min(case.people + _people_bits(case, call, scene), 7.0)
    case.elsewhere += 1
    case.abroad = now
    _keep(case, call)
    _judge(case, scene, _PLACES)


@routine
def _suspect(case: Any, scene: Scene, profile: Any, call: Any) -> None:
    """A verdict that does not stand by itself, on another number than a mobile."""
    reason = case.verdict & REASON_BITS
    now = scene.now
    if case.abroad == 0 or now - case.abroad > DAY:
        _forget(case)
        case.strangers = 0
        case.met = 0
        case.pending = 0
    case.abroad = now
    home = np.int64(profile.home) * SECOND
    if reason == OWN_FROM_OUTSIDE:
        # forwarded, unless its owner has not rung anybody just now; ported out (and the list too old), unless he was here lately
        case.places = _OURS + here_bits((now - home) / DAY) if home != 0 else _OURS
        if home != 0 and now - home <= _FORWARDED:
            case.places = -6.0
    elif reason in (FORM_FROM_ABROAD, NO_SUCH_FOREIGN):
        case.places = 2.5
    else:
        case.places = 1.0  # newer than the plan, or a call centre abroad: by itself never enough
    case.people = min(case.people + _people_bits(case, call, scene), 4.5)
    case.elsewhere += 1
    forwarded = case.places < 0
    if not forwarded:
        _keep(case, call)
    _judge(case, scene, _SUSPECT)
    if forwarded:
        case.pending = 0


@routine
def _impossible(case: Any, scene: Scene, call: Any) -> None:
    """A verdict that stands by itself."""
    _forget(case)
    case.places = SURE
    case.proven = 0
    case.elsewhere = 0
    case.pending = 0
    _keep(case, call)
    _name_pending(case, scene, _ALONE, _NO_MORE, 0.0, 0.0)


@routine
def _is_ours(case: Any, scene: Scene) -> None:
    """An own number that came from another network is in use at home: its owner did not take it there."""
    gap = (scene.now - case.abroad) / SECOND
    bits = _OURS + here_bits(gap * SECOND / DAY) - np.float64(case.places)
    total = np.float64(case.places) + np.float64(case.people) + bits
    if case.pending > 0 and bits > 0 and total >= scene.threshold:
        _name_pending(case, scene, _SUSPECT, HOME_AFTER, gap, bits)
        case.places = np.float64(case.places) + bits


@routine
def _at_home(case: Any, scene: Scene, since: int) -> None:
    """The number is in use at home, since a time: what does that say of its last calls from abroad?"""
    abroad, reason = case.abroad, case.verdict & REASON_BITS
    if abroad != 0 and reason == OWN_FROM_OUTSIDE:
        _is_ours(case, scene)
    if abroad == 0 or reason not in (MOBILE_FROM_ABROAD, FIXED_FROM_ABROAD):
        return
    before = (abroad - case.home) / HOUR if case.home != 0 else -1.0
    meanwhile = since <= abroad
    hours = 0.0 if meanwhile else (scene.now - abroad) / HOUR
    bits = after_bits(hours, before, np.float64(case.rate)) if hours < _LOST else -12.0
    total = np.float64(case.places) + np.float64(case.people) + np.float64(case.before) + bits
    if bits > 0 and case.pending > 0 and total >= scene.threshold:
        what = HOME_MEANWHILE if meanwhile else HOME_AFTER
        value = ((abroad - since) if meanwhile else (scene.now - abroad)) / SECOND
        _name_pending(case, scene, _PLACES, what, value, bits)
    case.places = min(case.places + bits, _MOST)
    if _sum(case) >= scene.threshold:
        case.proven = scene.now // DAY
    case.abroad = 0
    case.home = 0
    case.pending = 0


# --- moments ---------------------------------------------------------------------------------------------------------


@jit
def on_originate(cases: Any, scene: Scene, profile: Any, call: Any) -> None:
    """A number calls, or somebody under it."""
    if scene.rules.verdicts[profile.kind, call.ingress, call.attestation] == verdicts.NOTHING:
        if call.ingress == SUBSCRIBER:
            place = find_marked(cases, call.caller)
            if place >= 0:
                _at_home(cases[0][place], scene, scene.now)
        return
    if call.helped != 0:
        return  # an emergency service may be ringing back, under whatever number
    verdict = verdict_on(call, profile.kind, scene.rules)
    if verdict == verdicts.NOTHING:
        return
    case = cases[0][claim_marked(cases, call.caller)]
    _renew(case, profile, scene.now, verdict)
    if verdict & IMPOSSIBLE:
        _impossible(case, scene, call)
    elif verdict & REASON_BITS == MOBILE_FROM_ABROAD or verdict & REASON_BITS == FIXED_FROM_ABROAD:
        _from_abroad(case, scene, profile, call)
    else:
        _suspect(case, scene, profile, call)


@jit
def on_release(cases: Any, scene: Scene, profile: Any, call: Any, answer: int) -> None:  # noqa: ARG001  (the form of the moment)
    """A call of the number ends: if it was made at home, it was at home all the while."""
    if call.ingress == SUBSCRIBER:
        place = find_marked(cases, call.caller)
        if place >= 0:
            _at_home(cases[0][place], scene, call.start)


@jit
def on_home(cases: Any, scene: Scene, profile: Any, call: Any) -> None:
    """The number has been talking in a cell of its own network."""
    place = find_marked(cases, profile.key)
    if place >= 0:
        _at_home(cases[0][place], scene, call.start)


def stale(cases: Any, now: int) -> Any:
    """Which cases may be swept away: bool per row."""
    over = (cases["verdict"] & IMPOSSIBLE > 0) & (now // DAY > cases["day"])
    return over | (now - cases["seen"] > LIFE)
