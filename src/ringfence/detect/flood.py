"""Flood: one phone rung again and again by withheld or ever-new numbers that do not want to talk.

What ordinary life looks like, for this line, is its own past (`memory`). Three hypotheses are held against it:

- `hang up`: strangers or withheld calls come sooner than this line's own do, and nobody talks: they drop the call when it
  is answered, ring once, or ring out;
- `linger`: the same, but bots stay on the line for some seconds. Wrong numbers and callers-back stay as long, so it starts
  with a handicap;
- `borrowed numbers`: the numbers shown are the victim's own contacts. Birthdays look alike until somebody talks, so it starts
  with a handicap too.

How soon is soon: gaps of an attack are a mixture of exponentials with means of seconds to a quarter of an hour (16 calls in ten minutes,
one every one to two minutes: Shanghai Daily, May 2013; calls 1 s to 1 min apart: US 2025/0211673). Ordinary gaps are
exponential at the line's own rate, but for a share that come in small clusters (a courier, then another).
A line can become popular within minutes (an advert, a storm of call-backs): haste alone is therefore worth a
limited sum, and what decides is whether people talk.

What an observation is worth stands in `weights/flood.toml`, learned from labelled cities (docs/weights.md).
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import jit
from ringfence.detect.evidence import (
    CLOSED,
    OPEN,
    QUIET,
    Scene,
    case_dtype,
    codes,
    end_episode,
    restart,
    weigh,
)
from ringfence.detect.memory import (
    CALLED,
    DAY,
    DROPPED,
    HEARD,
    HOUR,
    KNOWN,
    MINUTE,
    SECOND,
    STRANGER,
    TALK,
    UNKNOWN_END,
    WITHHELD,
    known_rate,
    stranger_rate,
    withheld_rate,
)
from ringfence.detect.popular import (
    POPULAR,
    forget_popularity,
    is_short,
    known_rings,
    unknown_ends,
    unknown_rings,
    unknown_talks,
)
from ringfence.detect.table import claim_marked, find_marked
from ringfence.detect.ways import (
    VERIFIED,
    borrowed_bits,
    has_life,
    is_borrowed,
    is_verified,
    verified_bits,
    way_bits,
)
from ringfence.detect.weights import (
    CALLER_NOBODY_TALKS,
    CALLER_TALKS,
    CALLER_UNKNOWN,
    END_DROPPED,
    END_ENGAGED,
    END_LONG,
    END_LOST,
    END_NOT_REACHED,
    END_RANG_ONCE,
    END_RANG_OUT,
    END_SHORT,
    TALK_HELD,
    TALK_LONG,
    TALK_SHORT,
)
from ringfence.detect.weights import FLOOD as WEIGHTS
from ringfence.model.calls import NEVER
from ringfence.model.tables import INTERNATIONAL, SUBSCRIBER

NAME: Final = "flood"
TITLE: Final = ("Flood of calls", "呼死你")

CASE: Final = case_dtype(
    [
        ("haste", "f4"),  # bits gained so far by coming soon, strangers
        ("haste_known", "f4"),  # the same, people the line knows
        ("extra", "f4"),  # bits by which the bar of a line with many strangers is higher
        ("lives", "f4"),  # bits lost so far because callers have a life of their own
        ("again", "f4"),  # bits gained so far by numbers that ring again
        ("counted", "i8"),  # the call counted last, and the time of the one before
        ("last_before", "i8"),
        ("talk_since", "i8"),  # a stranger's call was answered then and is still up
        ("talk_call", "i8"),
        ("talk_credit", "f4"),  # bits already taken for that call
        ("talked", "i8"),  # when a stranger last talked
        ("talks", "f4"),  # strangers who talked, halved every TALK_FADE
        ("outside", "f4"),  # bits gained so far by callers from outside the own network
        ("verified", "f4"),  # bits lost so far by own subscribers with a life
        ("elsewhere", "f4"),  # bits gained so far by contacts' numbers that are not where their owners are
        *POPULAR,
    ]
)

FALSE_ALARMS: Final = 2e-6
"""Wanted per line-day of ordinary life: one in 500,000."""
STARTS: Final = 0.5
"""Strangers' calls that begin a trial on an ordinary line, a day."""
PRIOR_BITS: Final = WEIGHTS.prior
"""Odds against a flood when a burst of strangers begins."""
HANDICAP: Final = WEIGHTS.handicap
BORROWED: Final = 2
HYPOTHESES: Final = (
    ("hang up", "接通即挂"),
    ("linger", "接通后不挂断"),
    ("borrowed numbers", "冒用熟人号码"),
)

QUIET_LIFE: Final = 6 * HOUR
RETURN: Final = 7 * DAY
"""A flood that comes back within this time is the same story."""
HOPELESS: Final = 2 * HOUR
"""A gap that no flood leaves: the slowest mixture has a mean of 800 s."""
TALK_FADE: Final = 2 * HOUR
"""Where strangers talk, others who do not are no attack: an advert, a shop. That holds for some hours."""
MOST_TALKATIVE: Final = 3.0
"""A shop can be flooded too."""
SHORTEST_QUIET: Final = 30 * MINUTE
LONGEST_QUIET: Final = 6 * HOUR
BURST: Final = 15 * MINUTE
NEVER_ALONE: Final = 1e3
"""Bits that are missing as long as the line may just be popular."""
MOST_OUTSIDE: Final = 4.0
"""That all come from outside is worth so much, then a tenth."""
MOST_VERIFIED: Final = 12.0
"""Own subscribers with a life count in full up to here, then three tenths."""
CONTACT_ELSEWHERE: Final = (4.0, 3.0)
"""A contact's number that comes in from another network, or from abroad, while its owner is in this one."""
MOST_ELSEWHERE: Final = 12.0
CONTACT_OWN: Final = -3.0
"""A contact who rings from the own network and talks with others: nobody has borrowed that number."""
BOT_TALK: Final = 0.5
"""Of a bot that stays, a talk of less than a minute is that much evidence against a flood; of bots that hang up it is all."""
WATCH_BITS: Final = 5.0
"""A line that was flooded in the last days is that much more likely to be flooded again."""

FREEZE_BITS: Final = 9.0
"""From here on the line stops learning, or the attack would become its habit."""

# Codes of the ledger and their words; {} is the figure.
(
    STRANGER_SOON,
    WITHHELD_SOON,
    KNOWN_SOON,
    AGAIN,
    CALL_DROPPED,
    RANG_OUT,
    RANG_ONCE,
    ENGAGED,
    LINGERED,
    TALKED,
    TALKING,
    FIRST_STRANGER,
    FIRST_WITHHELD,
    LOST,
    NOT_REACHED,
    OWN_SOON,
    ABROAD_SOON,
    KNOWN_ELSEWHERE,
) = codes(18)

WORDS: Final = {
    FIRST_STRANGER: ("a stranger rings", "陌生号码来电"),
    FIRST_WITHHELD: ("a withheld number rings", "隐藏号码来电"),
    STRANGER_SOON: ("stranger, {} after the last", "陌生号码，距上一通 {}"),
    WITHHELD_SOON: ("withheld number, {} after the last", "隐藏号码，距上一通 {}"),
    KNOWN_SOON: ("a contact's number, {} after another contact's", "熟人号码，距另一熟人来电 {}"),
    OWN_SOON: ("a known customer of this network, {} after the last", "本网活跃用户，距上一通 {}"),
    ABROAD_SOON: ("stranger from abroad, {} after the last", "境外陌生号码，距上一通 {}"),
    KNOWN_ELSEWHERE: (
        "a contact's number, but not from where the contact is, {} after another contact's",
        "熟人号码，但并非机主所在处呼入，距另一熟人来电 {}",
    ),
    AGAIN: ("the same number again, {} after its last try", "同一号码再次来电，距其上次 {}"),
    CALL_DROPPED: ("dropped {} after the answer", "接通 {}后即挂断"),
    RANG_OUT: ("never answered, rang {}", "无人接听，响铃 {}"),
    RANG_ONCE: ("rang {} and gave up", "响铃 {}即挂断"),
    ENGAGED: ("the line was engaged or switched off", "线路占线或关机"),
    NOT_REACHED: ("did not reach the phone", "未能接续到被叫"),
    LOST: ("no record of an answer or an end within {}", "{}内没有接通或结束的记录"),
    LINGERED: ("stayed {} without a real conversation", "接通 {}，没有真正通话"),
    TALKED: ("a real conversation of {}", "有效通话 {}"),
    TALKING: ("rings while a stranger has been talking for {}", "来电时，机主正与另一陌生号码通话（已 {}）"),
}

END_WORDS: Final = (
    CALL_DROPPED, LINGERED, LINGERED, RANG_ONCE, RANG_OUT, ENGAGED, LOST, NOT_REACHED,
)  # fmt: skip
"""The words for each row of `ENDS`."""

MEANS: Final = WEIGHTS.means  # s
SHARES: Final = WEIGHTS.shares
ENDS: Final = WEIGHTS.ends
CALLERS: Final = WEIGHTS.callers
TALKS: Final = WEIGHTS.talks
WITHHELD_BITS: Final = WEIGHTS.withheld
AGAIN_BITS: Final = WEIGHTS.again
AGAIN_DROPPED_BITS: Final = WEIGHTS.again_dropped
HEARD_SHARE: Final = WEIGHTS.heard
# Share and scale (s) of the clusters in ordinary gaps.
STRANGERS_GAPS: Final = (WEIGHTS.clusters["stranger"].share, WEIGHTS.clusters["stranger"].scale)
WITHHELD_GAPS: Final = (WEIGHTS.clusters["withheld"].share, WEIGHTS.clusters["withheld"].scale)
WITHHELD_SLOW_GAPS: Final = (WEIGHTS.clusters["withheld_slow"].share, WEIGHTS.clusters["withheld_slow"].scale)
KNOWN_GAPS: Final = (WEIGHTS.clusters["known"].share, WEIGHTS.clusters["known"].scale)
# Q.850. Engaged or off: busy, no user responding, absent. It rang: not known, normal, no answer, rejected, unspecified. With any
# other cause the call never came to the phone (no such number, network out of order, no circuit): an outage, a number in an
# advert that does not exist.
_ENGAGED: Final = (17, 18, 20)
_RANG: Final = (0, 16, 19, 21, 31)


@jit
def soon_bits(gap: float, rate: float, share: float, scale: float) -> float:
    """Bits for a call that comes `gap` seconds after the last of its sort.

    Args:
        gap: s.
        rate: the line's own calls of this sort a day.
        share: of ordinary gaps that belong to a cluster.
        scale: mean gap within a cluster, s.
    """
    attack = 0.0
    for k in range(len(MEANS)):
        attack += SHARES[k] / MEANS[k] * math.exp(-gap / MEANS[k])
    own = rate / 86_400.0
    ordinary = (1.0 - share) * own * math.exp(-own * gap) + share / scale * math.exp(-gap / scale)
    return math.log2((attack + 1e-12) / (ordinary + 1e-12))


@jit
def _limited(haste: float, gain: float, limit: float, beyond: float = 0.1) -> float:
    """What a gain adds to a sum that counts in full up to a limit and a share of it, a tenth, beyond."""
    before = min(haste, limit) + beyond * max(haste - limit, 0.0)
    after = min(haste + gain, limit) + beyond * max(haste + gain - limit, 0.0)
    return after - before


@jit
def _quiet_needed(case: Any) -> int:
    """How long the line must stay quiet for the flood to be over: ten of its gaps."""
    return min(max(int(10 * case.pace) * SECOND, SHORTEST_QUIET), LONGEST_QUIET)


@jit
def _close_if_over(case: Any, scene: Scene) -> None:
    """Close the episode if the line has been quiet for long enough before now."""
    if case.state == OPEN:
        over = case.last + _quiet_needed(case)
        if over < scene.now:
            end_episode(case, over, scene)


@jit
def _is_stale(case: Any, now: int) -> bool:
    """Whether a case counts as absent, as `stale` says for many."""
    told = case.state == CLOSED and now - case.closed > RETURN
    return (case.state == QUIET or told) and now - case.seen > QUIET_LIFE


@jit
def _renew(case: Any, scene: Scene) -> None:
    """Bring a case up to now: close it, forget old evidence, forget an old story."""
    _close_if_over(case, scene)
    idle = scene.now - case.seen
    if case.state == CLOSED and scene.now - case.closed > RETURN:
        case.state = QUIET
        case.raised = 0
        case.pace = 0
    if case.state == QUIET and idle > QUIET_LIFE:
        case.talks = 0
        case.extra = 0
    if case.talks > 0:
        case.talks *= 2.0 ** (-(scene.now - case.talked) / TALK_FADE)
        case.talked = scene.now
    if case.state != OPEN and (idle > QUIET_LIFE or (idle > HOUR and case.bits[0] < 3 and case.bits[2] < 3)):
        restart(case)
    if case.entries == 0:
        case.haste = 0
        case.haste_known = 0
        case.again = 0
        case.lives = 0
        case.outside = 0
        case.verified = 0
        case.elsewhere = 0
        case.talk_since = 0
    forget_popularity(case, scene.now)


@jit
def _under_way(cases: Any, scene: Scene, line: int) -> int:
    """The place of a line's case, or -1 where none is fresh."""
    place = find_marked(cases, line)
    if place < 0 or scene.now - cases[0][place].seen > QUIET_LIFE:
        return -1
    _renew(cases[0][place], scene)
    return place


@jit
def _count(case: Any, call: Any, now: int) -> None:
    """Take a call into the attack's pace."""
    case.counted = call.key
    case.last_before = case.last
    if case.calls > 0:
        gap = (now - case.last) / SECOND
        case.pace = gap if case.calls == 1 else case.pace + (gap - case.pace) / min(case.calls, 16)
    case.last = now
    case.calls += 1


@jit
def _handicap(case: Any) -> tuple[float, float, float]:
    """For each form, bits by which it must do better; it cannot while the line may just be popular."""
    return (
        HANDICAP[0] + (NEVER_ALONE if is_short(case, 0) else 0.0),
        HANDICAP[1] + (NEVER_ALONE if is_short(case, 1) else 0.0),
        HANDICAP[2] + (NEVER_ALONE if is_short(case, 2) else 0.0),
    )


@jit
def _weigh(case: Any, scene: Scene, call: Any, what: int, value: float, bits: Any) -> None:
    bar = scene.threshold + case.extra - (WATCH_BITS if case.state == CLOSED else 0.0)
    weights = (float(bits[0]), float(bits[1]), float(bits[2]))
    weigh(case, scene, call, what, float(value), weights, _handicap(case), float(bar))


@jit
def _row(table: Any, row: int) -> tuple[float, float, float]:
    """What a table of weights says: (hang up, linger, borrowed numbers)."""
    return table[row, 0], table[row, 1], table[row, 2]


@jit
def _interrupt_talk(case: Any, scene: Scene, call: Any) -> None:
    """A call comes in while a stranger is being talked to: that talk counts now, not only at its end."""
    since = case.talk_since
    if since == 0 or case.talk_credit != 0 or scene.now - since < 8 * SECOND:
        return
    bits = _row(TALKS, TALK_LONG if scene.now - since >= TALK else TALK_SHORT)
    case.talk_credit = -bits[0]
    _weigh(case, scene, call, TALKING, (scene.now - since) / SECOND, bits)


@jit
def _caller_bits(case: Any, call: Any, scene: Scene) -> tuple[float, float, float]:
    """What a stranger's own life is worth.

    People who ring back, couriers and customers talk to others too; a made-up number has no life. But the numbers of
    neighbours and contacts can be borrowed, one after the other, so this counts in full only a few times. A number that
    rings many and talks to none is known as such.
    """
    if scene.now - scene.born < 2 * DAY or is_verified(call):
        return 0.0, 0.0, 0.0
    if has_life(call):
        bits = _row(CALLERS, CALLER_TALKS)
        main, linger = _limited(case.lives, -bits[0], 5.0), _limited(case.lives, -bits[1], 10.0)
        case.lives -= bits[0]
        return -main, -linger, -main
    nobody_talks = call.unanswered + call.dropped > 0.7499  # three in four; shares are rounded
    if call.calls >= 8 and call.talks == 0 and nobody_talks:
        return _row(CALLERS, CALLER_NOBODY_TALKS)
    return _row(CALLERS, CALLER_UNKNOWN)


@jit
def _way(case: Any, line: Any, call: Any, scene: Scene) -> float:
    """What the way a stranger's or a withheld call came in is worth, for all forms."""
    if scene.now - scene.born < 2 * DAY:
        return 0.0
    if is_verified(call):
        loss = -verified_bits(line, VERIFIED)
        bits = _limited(case.verified, loss, MOST_VERIFIED, 0.3)
        case.verified += loss
        return -bits
    bits = way_bits(line, call)
    if bits > 0:
        gain = bits
        bits = _limited(case.outside, gain, MOST_OUTSIDE)
        case.outside += gain
    return bits + borrowed_bits(call)


@jit
def _talkative(case: Any) -> float:
    """By what to divide evidence on a line where strangers talked lately."""
    return min(1.0 + case.talks, MOST_TALKATIVE)


@jit
def _haste(case: Any, line: Any, scene: Scene, relation: int, gap: float) -> tuple[float, float]:
    """Bits for a stranger or a withheld call that comes this soon: (hang up, linger)."""
    rate = stranger_rate(line, scene.now, scene.born)
    case.extra = max(math.log2(rate / 3.0), 0.0)  # more trials a day, so each must be judged more strictly
    if relation == WITHHELD:
        # one withheld caller may try again and again: a third of unanswered calls is redialled within 10 min, and a surgery
        # or an office that did not get through tries again within the hour
        own = withheld_rate(line, scene.now, scene.born)
        fast = soon_bits(gap, own, WITHHELD_GAPS[0], WITHHELD_GAPS[1])
        haste = min(fast, soon_bits(gap, own, WITHHELD_SLOW_GAPS[0], WITHHELD_SLOW_GAPS[1]))
    else:
        haste = soon_bits(gap, rate, STRANGERS_GAPS[0], STRANGERS_GAPS[1])
    if haste <= 0:
        return haste, haste
    if relation == HEARD:
        haste *= HEARD_SHARE  # who never got through tries again
    haste /= _talkative(case)
    # an unknown line may be a hotline: haste is worth less while little has been seen of it
    watched = min((scene.now - scene.born) / (3.0 * DAY), 1.0)
    main = _limited(case.haste, haste, 8.0 + 10.0 * watched)
    linger = _limited(case.haste, haste, 8.0 + 6.0 * watched)
    case.haste += haste
    return main, linger


@jit
def _unknown_rings(case: Any, scene: Scene, line: Any, call: Any) -> None:
    """A stranger or a withheld number rings."""
    withheld = call.relation == WITHHELD
    unknown_rings(case, line, call, scene.now - scene.born)
    main = 0.0
    linger = 0.0
    caller = (0.0, 0.0, 0.0)
    gap = 0.0
    what = FIRST_WITHHELD if withheld else FIRST_STRANGER
    if line.last_unknown != 0 and scene.now - line.last_unknown <= HOPELESS:
        what = WITHHELD_SOON if withheld else STRANGER_SOON
        gap = (scene.now - line.last_unknown) / SECOND
        if is_verified(call):
            what = OWN_SOON
        elif call.ingress == INTERNATIONAL and not withheld:
            what = ABROAD_SOON
        main, linger = _haste(case, line, scene, call.relation, gap)
    way = _way(case, line, call, scene)
    if not withheld:
        caller = _caller_bits(case, call, scene)
    elif case.entries == 0:
        caller = WITHHELD_BITS
    _count(case, call, scene.now)
    main, linger = main + way, linger + way
    _weigh(case, scene, call, what, gap, (main + caller[0], linger + caller[1], main + caller[2]))


@jit
def _known_rings(case: Any, scene: Scene, line: Any, call: Any) -> None:
    """Another contact's number rings shortly after one."""
    gap = float(scene.now // SECOND - np.int64(line.last_known))
    haste = soon_bits(gap, known_rate(line, scene.now, scene.born), KNOWN_GAPS[0], KNOWN_GAPS[1])
    haste = max(haste, 0.0) / _talkative(case)
    bits = _limited(case.haste_known, haste, 13.0)
    case.haste_known += haste
    known_rings(case, call)
    what = KNOWN_SOON
    if scene.now - scene.born >= 2 * DAY:
        if is_borrowed(call):
            what = KNOWN_ELSEWHERE
            gain = CONTACT_ELSEWHERE[1 if call.ingress == INTERNATIONAL else 0]
            bits += _limited(case.elsewhere, gain, MOST_ELSEWHERE)
            case.elsewhere += gain
        elif call.ingress == SUBSCRIBER and has_life(call):
            bits += CONTACT_OWN
    if case.state != OPEN or case.hypothesis == BORROWED:
        _count(case, call, scene.now)
    _weigh(case, scene, call, what, gap, (0.0, 0.0, bits))


@jit
def _repeated(case: Any, gain: float) -> float:
    """What one more call of the same number is worth: little, and less and less (a bad connection, a quarrel)."""
    bits = _limited(case.again, gain, 9.0)
    case.again += gain
    return bits


@jit
def _rings_again(case: Any, scene: Scene, call: Any) -> None:
    """The same number once more.

    A worried relative tries fifteen times; but who is answered and hangs up does not ring again at once.
    """
    bits = _repeated(case, AGAIN_DROPPED_BITS if call.drops > 0 else AGAIN_BITS)
    own = 0.0 if call.relation == KNOWN else bits
    if case.state != OPEN or call.relation != KNOWN or case.hypothesis == BORROWED:
        _count(case, call, scene.now)
    gap = float(scene.now // SECOND - np.int64(call.before))
    _weigh(case, scene, call, AGAIN, gap, (own, own / 2, own if own > 0 else bits / 3))


@jit
def _is_nothing_yet(line: Any, scene: Scene, call: Any) -> bool:
    """Whether a call on a line without a case says nothing so far: a stranger long after the last, a friend who tries again."""
    if call.relation == KNOWN:
        return call.tries > 0
    if call.relation == WITHHELD or call.tries > 0:
        return False
    return line.last_unknown == 0 or scene.now - line.last_unknown > HOPELESS


@jit
def on_setup(cases: Any, scene: Scene, line: Any, call: Any) -> None:
    """A call arrives."""
    if call.relation == CALLED:
        return  # the line rang this number: a call-back
    if call.relation == KNOWN and scene.now // SECOND - np.int64(line.last_known) > BURST // SECOND:
        return
    place = find_marked(cases, call.callee)
    absent = place < 0 or _is_stale(cases[0][place], scene.now)
    if absent and _is_nothing_yet(line, scene, call):
        return
    call.weighed |= 1 << scene.detector
    case = cases[0][claim_marked(cases, call.callee)]
    _renew(case, scene)
    _interrupt_talk(case, scene, call)
    if call.tries > 0 and call.relation != WITHHELD:
        _rings_again(case, scene, call)
    elif call.relation == KNOWN:
        _known_rings(case, scene, line, call)
    else:
        _unknown_rings(case, scene, line, call)
    if case.state == OPEN or max(case.bits[0], case.bits[1], case.bits[2]) > FREEZE_BITS:
        line.frozen = (scene.now + HOUR) // SECOND


@jit
def on_answer(cases: Any, scene: Scene, call: Any) -> None:
    """A call is answered."""
    if call.relation in (KNOWN, CALLED):
        return
    place = _under_way(cases, scene, call.callee)
    if place >= 0:
        case = cases[0][place]
        case.talk_since = scene.now
        case.talk_call = call.key
        case.talk_credit = 0


@jit
def on_tick(cases: Any, scene: Scene, call: Any) -> None:
    """A minute has passed and the call is still up."""
    if call.minutes == 1:
        _talked(cases, scene, call)


@jit
def _talked(cases: Any, scene: Scene, call: Any) -> None:
    """Two people talk: nobody does that in a flood."""
    place = _under_way(cases, scene, call.callee)
    if place < 0:
        return
    case = cases[0][place]
    value = (scene.now - call.answer) / SECOND
    if call.relation in (KNOWN, CALLED):
        if case.bits[BORROWED] > 0:
            _weigh(case, scene, call, TALKED, value, (0.0, 0.0, TALKS[TALK_HELD, BORROWED]))
        return
    case.talks += 1
    case.talked = scene.now
    credit = 0.0
    if case.talk_call == call.key:
        credit = float(case.talk_credit)
        case.talk_since = 0
    if case.state == OPEN and case.calls > 1:
        # it was not the attack's: the line may have been quiet since the call before
        case.calls -= 1
        if case.counted == call.key:
            case.last = case.last_before
    unknown_talks(case, call.minutes > 0)
    bits = _row(TALKS, TALK_HELD)
    linger = bits[1] if call.minutes > 0 else bits[1] * BOT_TALK
    _weigh(case, scene, call, TALKED, value, (bits[0] + credit, linger + credit, bits[2] + credit))


@jit
def end_answered(talk: int) -> int:
    """How an answered call ended that was no talk: the row of `ENDS`."""
    if talk <= DROPPED:
        return END_DROPPED
    return END_SHORT if talk <= 8 * SECOND else END_LONG


@jit
def end_unanswered(rang: int, cause: int) -> int:
    """The same of a call that nobody answered."""
    if cause == UNKNOWN_END:
        return END_LOST
    if cause in _ENGAGED:
        return END_ENGAGED
    if cause not in _RANG:
        return END_NOT_REACHED
    return END_RANG_ONCE if 0 < rang <= 6 * SECOND else END_RANG_OUT


@jit
def _begin(cases: Any, scene: Scene, call: Any) -> int:
    """The place of the case of a line whose first stranger did not want to talk."""
    place = claim_marked(cases, call.callee)
    case = cases[0][place]
    _renew(case, scene)
    _count(case, call, call.start)
    return place


@jit
def on_end(cases: Any, scene: Scene, call: Any, cause: int) -> None:
    """A call ends."""
    if call.relation == CALLED:
        return
    answered = call.answer != NEVER
    place = _under_way(cases, scene, call.callee)
    if place < 0:
        if call.relation not in (STRANGER, HEARD) or (answered and scene.now - call.answer >= TALK):
            return
        place = _begin(cases, scene, call)
    elif call.relation == KNOWN and call.weighed & (1 << scene.detector) == 0:
        return
    case = cases[0][place]
    if answered and scene.now - call.answer >= TALK:
        if call.minutes == 0:
            _talked(cases, scene, call)
        return
    if case.talk_call == call.key:
        case.talk_since = 0
    again = call.tries > 0 and call.relation != WITHHELD
    if answered:
        value = scene.now - call.answer
        end = end_answered(value)
    else:
        value = scene.now - call.start
        end = end_unanswered(value, cause)
    if call.relation != KNOWN:
        unknown_ends(case, end, again)
    what = END_WORDS[end]
    bits = _row(ENDS[1 if again else 0], end)
    if again and bits[0] > 0:
        less = _repeated(case, bits[0]) / bits[0]
        bits = (bits[0] * less, bits[1] * less, bits[2] * less)
    # where strangers talk, one who does not is no sign; but nobody hangs up on a shop again and again
    talkative = 1.0 if what == CALL_DROPPED else _talkative(case)
    if call.relation == KNOWN:
        bits = (0.0, 0.0, bits[2])
    else:
        bits = (bits[0] / talkative, bits[1] / talkative, bits[2] / talkative)
    _weigh(case, scene, call, what, value / SECOND, bits)


@jit
def on_quiet(cases: Any, scene: Scene, subject: int) -> None:
    """Time passes without a call."""
    place = find_marked(cases, subject)
    if place >= 0:
        _close_if_over(cases[0][place], scene)


def stale(cases: Any, now: int) -> Any:
    """Which cases may be swept away: bool per row."""
    told = (cases["state"] == CLOSED) & (now - cases["closed"] > RETURN)
    return ((cases["state"] == QUIET) | told) & (now - cases["seen"] > QUIET_LIFE)
