"""Scam call: somebody is kept on the line by a false official, now.

The crime goes in stages, and the case says in which one the victim is: contact (a stranger: forged, from abroad, or through a SIM box),
hand-over (another stranger within minutes: "the police"), grip (a call that does not end), isolation (a cell the person was never in, a
new number in the same phone, people who do not get through, the bank's hotline), payment.

A case begins when a stranger's call has lasted for a minute, and is told of every further one that passes. What speaks against: the
person rang first, or has known the caller for days (such calls are no evidence at all); the caller is a firm, or is known to many; the
person is used to long calls with strangers. Whoever was warned and is still of this mind is watched for weeks, at a lower bar.
"""

from typing import Any, Final

import numpy as np

from ringfence.compiled import jit, routine
from ringfence.detect.evidence import (
    CLOSED,
    KEPT,
    OPEN,
    QUIET,
    Scene,
    case_dtype,
    codes,
    end_episode,
    link,
    restart,
    weigh,
)
from ringfence.detect.memory import (
    DAY,
    HOUR,
    HOUSEHOLD,
    KNOWN,
    LONG,
    MINUTE,
    SAME_CALLER,
    SAME_PHONE,
    SECOND,
    TALK,
)
from ringfence.detect.rules import Rules
from ringfence.detect.scam_weights import (
    BOX,
    FIRM,
    FORGED,
    FROM_ABROAD,
    UNNAMED,
    again_bits,
    is_nobody,
    length_bits,
    may_hold,
    payment_bits,
    relay_bits,
    sort_of,
    strangers_an_hour,
    weighed_before,
    young_bits,
)
from ringfence.detect.table import claim_marked, find_marked
from ringfence.model.caller_class import BANK, BANK_NEVER, CLASS_BITS
from ringfence.model.callers import number_class
from ringfence.model.calls import NEVER
from ringfence.model.pack_keys import Words
from ringfence.model.tables import BY_CALLEE, BY_CALLER

NAME: Final = "scam_call"
TITLE: Final = ("Scam call", "诈骗电话")
HYPOTHESES: Final = (
    ("callers abroad", "境外来电"),
    ("callers at home, such as SIM boxes", "境内来电（如GOIP卡池）"),
)

CALLERS: Final = 4
CASE: Final = case_dtype(
    [
        ("callers", "i8", (CALLERS,)),  # numbers that held the person, the latest first
        ("up", "i8"),  # key of the call that holds the person now; 0: none
        ("answered", "i8"),  # when it was answered, µs
        ("ended", "i8"),  # when the last of them ended; 0: none
        ("gripped", "i8"),  # answer of the first that became a grip; 0: none so far
        ("watched", "i8"),  # until when the bar is lower
        ("hung", "i8"),  # when the habits below were last aged
        ("habit", "f4"),  # aged count of long calls with strangers that came to nothing
        ("minutes", "f4"),  # on the line with these numbers, up to the last call's end
        ("rate", "f4"),  # strangers' calls of a minute and more an hour, at the last set-up
        ("sort", "f4"),  # bits of the most telling caller
        ("debt", "f4", (2,)),  # bits against, which evidence for must make up before it counts
        ("others", "u1"),  # strangers that held the person after another one
        ("again", "u1"),  # times the same number rang again
        ("friends", "u1"),  # calls of people the person knows that did not get through
        ("talked", "u1"),  # talks with people the person knows
        ("known", "u1"),  # 1: it was weighed who rings
        ("stage", "u1"),
        ("flags", "u1"),  # what was weighed once: a new cell, another number, the bank
    ]
)

FALSE_ALARMS: Final = 8.5e-5
"""Bound per line-day, by Wald; a tenth of it is seen: docs/scam_call.md."""
STARTS: Final = 0.1
"""Strangers' calls that last for a minute, per line-day."""
PRIOR_BITS: Final = 8.2
"""Odds against, where the alerts of five cities (seeds 81 to 83, 91, 92) were true as often as they said: 138 of 156, on average .88."""

CONTACT, HAND_OVER, GRIP, ISOLATION, PAYMENT = range(5)
STAGES: Final = ("contact", "hand_over", "grip", "isolation", "payment")
COLUMNS: Final = ("ingress", "callee_cell", "callee_device", "caller_device", "released_by", "transfers")
"""What the records may tell beyond who rang whom, when and for how long: the bits of a case's `told`."""
WATCHED: Final = 64
"""A further bit: the bar was lower, because the person was warned before."""

GRIPPED: Final = 10 * MINUTE
"""From here on a stranger's call is a grip: scammers hold their victims for hours, one ordinary call in fifteen gets there."""
QUIET_LIFE: Final = DAY
"""So long after the last sign of it a scam is over."""
RETURN: Final = 2 * DAY
WATCH: Final = 45 * DAY
"""A second alert came 18 days after a first visit had been brushed off (Changning 2026: calibration.md)."""
_WATCH_BITS: Final = 4.0
_CALLERS_LIFE: Final = 7 * DAY
_HABIT_LIFE: Final = 60 * DAY
_HABIT: Final = 3.0
_MOST_DEBT: Final = 8.0
_AGAIN_SORT: Final = 0.7
_KNOWN_SORT: Final = 6.5
_APART: Final = 0.6  # h; strangers' calls so far apart have nothing to do with each other, unless
_STRONG: Final = 5.0  # the evidence is so strong already
_FRIENDS: Final = 6
FRIENDS_CUT_OFF: Final = 3
"""So many calls of known people that do not get through are isolation."""
_SOON: Final = 2 * HOUR
_TALKS: Final = 3
_SHORT: Final = 2.0  # min; from a first call so short nobody is put through so often
_PAYS: Final = 12 * HOUR
"""A transfer so soon after the last call belongs to it."""

_ENDS_TOLD: Final = 16
_NO_WORD: Final[Any] = np.int64(0)
_NO_THIRD: Final = (0.0, 0.0, 64.0)  # handicaps: there is no third form
_LEARNING: Final = 5 * DAY
"""So long cells are learned before one is new."""
_CELL, _PHONE, _BANK, _HOME, _OTHERS = 1, 2, 4, 8, 16

_CODES: Final[list[Any]] = codes(24)
(
    STRANGER_RINGS, ABROAD_RINGS, FORGED_RINGS, BOX_RINGS, UNNAMED_RINGS, FIRM_RINGS, IS_YOUNG, IS_USED, PUT_THROUGH, SAME_AGAIN,
    ON_LINE, CALLER_LEFT, PERSON_LEFT, BROKE_OFF, NOT_REACHED, NEW_CELL, OTHER_NUMBER, OTHER_LINE, RINGS_BANK, TALKS, PAYS_NEW, PAYS_KNOWN, MANY_RING, HELD_OTHERS,
) = _CODES  # fmt: skip
WORDS: Final[dict[Any, Words]] = {
    STRANGER_RINGS: ("a stranger, on the line for {}", "陌生号码来电，已通话 {}"),
    ABROAD_RINGS: ("a stranger from abroad, on the line for {}", "境外陌生号码来电，已通话 {}"),
    FORGED_RINGS: ("under a number that cannot come from there, on the line for {}", "改号来电，已通话 {}"),
    BOX_RINGS: (
        "a number that calls as a SIM box does, on the line for {}",
        "疑似GOIP卡池号码来电，已通话 {}",
    ),
    UNNAMED_RINGS: ("a withheld number, on the line for {}", "隐藏号码来电，已通话 {}"),
    FIRM_RINGS: ("a firm's or an office's number, on the line for {}", "企业或机构号码来电，已通话 {}"),
    IS_YOUNG: ("the records are young, and many look like strangers", "记录时间尚短，不少熟人看似陌生"),
    IS_USED: ("is used to long calls with strangers", "平时就常与陌生人长时间通话"),
    PUT_THROUGH: ("another stranger, {} after the last call", "上一通电话结束 {}后，换另一陌生号码来电"),
    MANY_RING: (
        "yet another stranger, {} after the last call: many ring this line",
        "上一通电话结束 {}后，又有陌生号码来电：此号来电者众多",
    ),
    SAME_AGAIN: ("the same number again, {} after the last call", "上一通电话结束 {}后，同一号码再次来电"),
    ON_LINE: ("still on the line after {}", "通话已持续 {}，仍未挂断"),
    CALLER_LEFT: ("the caller hung up, after {}", "通话 {}后，对方挂断"),
    PERSON_LEFT: ("the person hung up, after {}", "通话 {}后，当事人挂断"),
    BROKE_OFF: ("the call broke off, after {}", "通话 {}后，线路中断"),
    NOT_REACHED: ("somebody the person knows does not get through", "熟人来电未能接通"),
    NEW_CELL: ("in a cell where the person was not rung before", "身处从未出现过的基站小区"),
    OTHER_NUMBER: (
        "the same phone was held under another number, for {}",
        "同一部手机的另一号码此前被通话控制 {}",
    ),
    OTHER_LINE: ("the caller held somebody the person knows, for {}", "该号码此前曾通话控制当事人的熟人 {}"),
    HELD_OTHERS: ("the caller held another stranger, for {}", "该号码此前曾通话控制另一陌生人 {}"),
    RINGS_BANK: ("rings a bank's hotline", "拨打银行客服热线"),
    TALKS: ("talks with somebody the person knows", "与熟人正常通话"),
    PAYS_NEW: ("pays {:,.2f} to an account never paid before", "向从未付过款的账户转账 {:,.2f}"),
    PAYS_KNOWN: ("pays {:,.2f} to an account paid before", "向曾付过款的账户转账 {:,.2f}"),
}
SUMS: Final = (PAYS_NEW, PAYS_KNOWN)
"""Words whose figure is a sum of money; what is seen is a transfer, no call."""


# --- cases -----------------------------------------------------------------------------------------------------------
#
# What is seen is data: (word, figure, bits for callers abroad, for callers at home); word 0 is nothing. Each moment weighs it in one place.


@jit
def _weigh(
    case: Any, scene: Scene, call: Any, what: int, value: float, abroad: float, at_home: float
) -> None:
    """Weigh what is seen.

    The sum is kept above zero, but the calls of one case belong together: what would take it below is owed.
    """
    bar = scene.threshold - (_WATCH_BITS if scene.now < case.watched else 0.0)
    bits = _paid(case, 0, abroad), _paid(case, 1, at_home), 0.0
    weigh(case, scene, call, what, value, bits, _NO_THIRD, bar)


@routine
def _paid(case: Any, h: int, bits: float) -> float:
    """The bits that are left after the debt."""
    if bits > 0:
        pays = min(np.float64(case.debt[h]), bits)
        case.debt[h] -= np.float32(pays)
        return bits - pays
    short = np.float64(case.bits[h]) + bits
    if short < 0:
        case.debt[h] = min(np.float64(case.debt[h]) - short, _MOST_DEBT)
    return bits


@jit
def _renew(case: Any, now: int, scene: Scene) -> None:
    """Bring a case up to now: close it, forget old evidence and an old story."""
    over = case.state == OPEN and case.last + QUIET_LIFE < now
    if over:
        case.watched = case.last + QUIET_LIFE + WATCH
        case.minutes = 0  # they did not come to nothing
        end_episode(case, case.last + QUIET_LIFE, scene)
    if case.state == CLOSED and now - case.closed > RETURN:
        case.state = QUIET
        case.raised = 0
    if over or (case.state != OPEN and now - case.last > KEPT and case.up == 0):
        _forget(case)
    if now - case.last > _CALLERS_LIFE:
        case.callers[:] = 0


@routine
def _forget(case: Any) -> None:
    """Begin anew with the evidence; a long call that came to nothing becomes a habit."""
    if case.minutes * MINUTE >= GRIPPED:
        fade = (
            np.float32(2.0 ** (-(case.last - case.hung) / (_HABIT_LIFE / 2)))
            if case.hung != 0
            else np.float32(0.0)
        )
        case.habit = case.habit * fade + np.float32(1.0)
        case.hung = case.last
    restart(case)
    if case.raised == 0 and case.watched == 0:
        case.callers[:] = 0
    case.up = 0
    case.ended = 0
    case.gripped = 0
    case.minutes = 0
    case.again = 0
    case.friends = 0
    case.talked = 0
    case.known = 0
    case.sort = 0
    case.stage = CONTACT
    case.flags = 0
    case.told = 0
    case.others = 0
    case.debt[:] = 0


@jit
def _holds(case: Any, number: int) -> bool:
    """Whether a number is one of those that held the person."""
    return number != 0 and (case.callers[:] == number).any()


@jit
def _remember(case: Any, number: int) -> None:
    """Put a number before the others."""
    if number == 0 or case.callers[0] == number:
        return
    place = CALLERS - 1
    for k in range(CALLERS):
        if case.callers[k] == number:
            place = k
    for k in range(place, 0, -1):
        case.callers[k] = case.callers[k - 1]
    case.callers[0] = number


@jit
def _grow(case: Any, stage: int) -> None:
    case.stage = max(case.stage, np.uint8(stage))


@jit
def _nothing() -> tuple[int, float, float, float]:
    return _NO_WORD, 0.0, 0.0, 0.0


@jit
def _both(what: int, value: float, bits: float) -> tuple[int, float, float, float]:
    """The same for both hypotheses."""
    return what, value, bits, bits


# --- a stranger's call -----------------------------------------------------------------------------------------------


@routine
def _begin(case: Any, now: int, call: Any) -> tuple[bool, bool, float]:
    """A stranger's call has lasted for a minute; is it the first of a case, the same number's again, and h since the last one."""
    again = case.ended != 0 and _holds(case, call.caller)
    gap = (call.answer - case.ended) / HOUR if case.ended != 0 else -1.0
    is_weak = case.state != OPEN and max(case.bits[0], case.bits[1]) < _STRONG
    if gap > _APART and not again and is_weak:
        _forget(case)
        gap = -1.0
    fresh = case.ended == 0
    if fresh:
        case.told |= _ENDS_TOLD | (WATCHED if now < case.watched else 0)
    case.up = call.key
    case.answered = call.answer
    case.last = now
    case.calls += 1
    _columns(case, call)
    return fresh, again, gap


@jit
def _columns(case: Any, call: Any) -> None:
    """Note what the records tell."""
    if call.ingress != 0:
        case.told |= 1
    if call.callee_cell != 0:
        case.told |= 2
    if call.callee_device != 0:
        case.told |= 4
    if call.caller_device != 0:
        case.told |= 8


@jit
def _whom(case: Any, call: Any, rules: Rules) -> tuple[int, float, float, float]:
    """Who rings. Of one who follows another only what is more telling: gangs ring from here and from there."""
    sort, abroad, at_home = sort_of(call, rules)
    most = max(abroad, at_home)
    if case.known:
        most = min(max(most, 0.0), _KNOWN_SORT)
        if most <= case.sort:
            return _nothing()
        abroad = at_home = _AGAIN_SORT * (most - np.float64(case.sort))
    case.known = 1
    case.sort = max(case.sort, np.float32(most))
    what = STRANGER_RINGS
    if sort == FROM_ABROAD:
        what = ABROAD_RINGS
    elif sort == FORGED:
        what = FORGED_RINGS
    elif sort == BOX:
        what = BOX_RINGS
    elif sort == UNNAMED:
        what = UNNAMED_RINGS
    elif sort == FIRM:
        what = FIRM_RINGS
    return what, 60.0, abroad, at_home


@routine
def _follows(case: Any, again: bool, gap: float) -> tuple[int, float, float, float]:
    """A call after another one, so many hours later."""
    if again:
        case.again = min(np.int64(case.again) + 1, 200)
        return _both(SAME_AGAIN, gap * 3600.0, again_bits(gap, case.again - 1))
    if case.minutes == 0:
        return _nothing()
    case.others = min(np.int64(case.others) + 1, 200)
    bits = relay_bits(gap, np.float64(case.rate), case.others)
    if case.minutes < _SHORT and bits > 0:
        bits *= 0.5
    if bits > 0.5:
        _grow(case, HAND_OVER)
    return _both(PUT_THROUGH if bits >= 0 else MANY_RING, gap * 3600.0, bits)


@routine
def _is_used(case: Any, now: int) -> tuple[int, float, float, float]:
    """The person often talks long with strangers."""
    if case.habit <= 0.1:
        return _nothing()
    fade = 2.0 ** (-(now - case.hung) / (_HABIT_LIFE / 2))
    return _both(IS_USED, 0.0, -np.log2(1.0 + _HABIT * case.habit * fade))


@jit
def _where(case: Any, call: Any, now: int, born: int) -> tuple[int, float, float, float]:
    """In which cell the person is."""
    if not call.elsewhere or now - born <= _LEARNING or case.flags & _CELL or case.gripped == 0:
        return _nothing()
    case.flags |= _CELL
    _grow(case, ISOLATION)
    return _both(NEW_CELL, 0.0, 1.0)


@jit
def _linked(case: Any, call: Any) -> tuple[int, float, float, float]:
    """Whom else these callers held, and in which phone."""
    value = call.held * 60.0
    if call.link == SAME_PHONE and not case.flags & _PHONE:
        case.flags |= _PHONE
        return _both(OTHER_NUMBER, value, 4.0)
    if call.link == HOUSEHOLD and not case.flags & _HOME:
        case.flags |= _HOME
        return _both(OTHER_LINE, value, 2.0)
    if (
        call.link == SAME_CALLER
        and not case.flags & _OTHERS
        and call.held >= GRIPPED // MINUTE
        and is_nobody(call)
    ):
        case.flags |= _OTHERS
        return _both(HELD_OTHERS, value, 2.0)
    return _nothing()


@jit
def _first_minute(case: Any, scene: Scene, call: Any) -> None:
    """A stranger's call has lasted for a minute: weigh all that is known of it."""
    fresh, again, gap = _begin(case, scene.now, call)
    for part in range(6):
        seen = _nothing()
        if part == 0 and not again:
            seen = _whom(case, call, scene.rules)
        elif part == 1 and gap >= 0:
            seen = _follows(case, again, gap)
        elif part == 2 and fresh:
            young = young_bits(scene.now, scene.born)
            seen = _both(IS_YOUNG, 0.0, young) if young < -0.1 else seen
        elif part == 3 and fresh:
            seen = _is_used(case, scene.now)
        elif part == 4:
            seen = _where(case, call, scene.now, scene.born)
        elif part == 5:
            seen = _linked(case, call)
            if seen[0] in (OTHER_NUMBER, OTHER_LINE):
                link(case, scene, call)
        if seen[0] != 0:
            _weigh(case, scene, call, seen[0], seen[1], seen[2], seen[3])
    _remember(case, call.caller)


@routine
def _on_line(case: Any, now: int, lasted: int) -> tuple[int, float, float, float]:
    """The call that holds the person is still up, after so many minutes."""
    case.last = now
    before = weighed_before(lasted)
    if before < 0:
        return _nothing()
    so_far = np.float64(case.minutes)
    if lasted * MINUTE >= GRIPPED:
        if case.gripped == 0:
            case.gripped = case.answered
        _grow(case, GRIP)
    return _both(ON_LINE, lasted * 60.0, length_bits(so_far + lasted) - length_bits(so_far + before))


@routine
def _over(case: Any, now: int, lasted: int, released: int) -> tuple[int, float, float, float]:
    """The call that held the person ends."""
    case.up = 0
    case.ended = now
    case.last = now
    case.minutes += np.float32(lasted / MINUTE)
    if released == 0:
        case.told &= ~_ENDS_TOLD
    what, bits = BROKE_OFF, 0.1
    if released == BY_CALLER:
        what, bits = CALLER_LEFT, 0.2
    elif released == BY_CALLEE:
        what, bits = PERSON_LEFT, -0.5
    return _both(what, lasted / SECOND, min(bits, 0.05) if lasted < GRIPPED else bits)


# --- others ----------------------------------------------------------------------------------------------------------


@routine
def _not_reached(case: Any, call: Any, now: int) -> tuple[int, float, float, float]:
    """Somebody the person knows does not get through, in the grip or soon after it."""
    if case.gripped == 0 or now - case.last > _SOON or case.friends >= _FRIENDS or _holds(case, call.caller):
        return _nothing()
    case.friends += 1
    if case.friends >= FRIENDS_CUT_OFF:
        _grow(case, ISOLATION)
    return _both(NOT_REACHED, 0.0, 0.3 if case.up != 0 else 0.5)


@routine
def _talks(case: Any, number: int, now: int) -> tuple[int, float, float, float]:
    """The person talks with somebody known."""
    is_soon = case.ended != 0 and now - case.last <= KEPT
    if not is_soon or case.entries == 0 or case.talked >= _TALKS or _holds(case, number):
        return _nothing()
    case.talked += 1
    return _both(TALKS, 0.0, -1.0)


@routine
def _rings_out(case: Any, call: Any, now: int, rules: Rules) -> tuple[int, float, float, float]:
    """The person rings somebody: a bank?"""
    if case.gripped == 0 or case.flags & _BANK or now - case.last > _PAYS:
        return _nothing()
    if number_class(call.callee, rules.numbers) & CLASS_BITS not in (BANK, BANK_NEVER):
        return _nothing()
    case.flags |= _BANK
    _grow(case, ISOLATION)
    return _both(RINGS_BANK, 0.0, 2.5)


@routine
def _pays(
    case: Any, amount: float, known: bool, beyond: float, before: int
) -> tuple[int, float, float, float]:
    """The person transfers money."""
    case.told |= 32
    bits = payment_bits(known, beyond, before)
    if bits > 0 and case.gripped != 0:
        _grow(case, PAYMENT)
    return _both(PAYS_KNOWN if known else PAYS_NEW, amount, bits)


# --- moments ---------------------------------------------------------------------------------------------------------


@jit
def on_setup(cases: Any, scene: Scene, line: Any, call: Any) -> None:
    """A call comes in."""
    place = find_marked(cases, call.callee)
    if place < 0:
        return
    case = cases[0][place]
    _renew(case, scene.now, scene)
    if may_hold(call) or _holds(case, call.caller):
        case.rate = strangers_an_hour(line, scene.now, scene.born)


@jit
def on_tick(cases: Any, scene: Scene, call: Any) -> None:
    """A minute of a call has passed."""
    new = call.minutes == 1 and may_hold(call)
    place = claim_marked(cases, call.callee) if new else find_marked(cases, call.callee)
    if place < 0:
        return
    case = cases[0][place]
    if call.minutes == 1:
        if case.up == 0 and (new or _holds(case, call.caller)):  # of two calls at once the first one goes on
            _first_minute(case, scene, call)
    elif case.up == call.key:
        seen = _on_line(case, scene.now, call.minutes)
        if seen[0] != 0:
            _weigh(case, scene, call, seen[0], seen[1], seen[2], seen[3])


@jit
def on_end(cases: Any, scene: Scene, call: Any, cause: int) -> None:  # noqa: ARG001  (the form of the moment)
    """A call to the person ends."""
    place = find_marked(cases, call.callee)
    if place < 0:
        return
    case = cases[0][place]
    seen = _nothing()
    if case.up == call.key:
        seen = _over(case, scene.now, scene.now - call.answer, call.released)
    elif call.relation == KNOWN:
        if call.answer == NEVER:
            seen = _not_reached(case, call, scene.now)
        elif scene.now - call.answer >= TALK:
            seen = _talks(case, call.caller, scene.now)
    if seen[0] != 0:
        _weigh(case, scene, call, seen[0], seen[1], seen[2], seen[3])


@jit
def on_outgoing(cases: Any, scene: Scene, call: Any) -> None:
    """The person rings somebody."""
    place = find_marked(cases, call.caller)
    if place >= 0:
        case = cases[0][place]
        seen = _rings_out(case, call, scene.now, scene.rules)
        if seen[0] != 0:
            _weigh(case, scene, call, seen[0], seen[1], seen[2], seen[3])


@jit
def on_outgoing_tick(cases: Any, scene: Scene, call: Any, answer: int) -> None:
    """A call that the person made goes on: to somebody who held the person before."""
    place = find_marked(cases, call.caller)
    if place < 0:
        return
    case = cases[0][place]
    if not _holds(case, call.callee):
        return
    if case.up == 0 and scene.now - answer < LONG + MINUTE and scene.now - case.last <= KEPT:
        case.up = call.key
        case.answered = answer
        case.calls += 1
        case.again = min(np.int64(case.again) + 1, 200)
    if case.up == call.key:
        seen = _on_line(case, scene.now, (scene.now - answer) // MINUTE)
        if seen[0] != 0:
            _weigh(case, scene, call, seen[0], seen[1], seen[2], seen[3])


@jit
def on_outgoing_end(cases: Any, scene: Scene, call: Any, answer: int) -> None:
    """A call that the person made ends."""
    place = find_marked(cases, call.caller)
    if place < 0:
        return
    case = cases[0][place]
    seen = _nothing()
    if case.up == call.key:
        seen = _over(case, scene.now, scene.now - answer, call.released)
    elif answer != NEVER and call.relation == KNOWN and scene.now - answer >= TALK:
        seen = _talks(case, call.callee, scene.now)
    if seen[0] != 0:
        _weigh(case, scene, call, seen[0], seen[1], seen[2], seen[3])


@jit
def on_payment(cases: Any, scene: Scene, payment: Any, known: bool, beyond: float, before: int) -> None:
    """The person transfers money."""
    place = find_marked(cases, payment.callee)
    if place < 0:
        return
    case = cases[0][place]
    if case.entries > 0 and scene.now - case.last <= _PAYS:
        seen = _pays(case, payment.amount, known, beyond, before)
        _weigh(case, scene, payment, seen[0], seen[1], seen[2], seen[3])


@jit
def on_quiet(cases: Any, scene: Scene, subject: int) -> None:
    """Time passes without a call."""
    place = find_marked(cases, subject)
    if place >= 0 and cases[0][place].state == OPEN:
        _renew(cases[0][place], scene.now, scene)


def stale(cases: Any, now: int) -> Any:
    """Which cases may be swept away: bool per row."""
    over = (
        (cases["state"] != OPEN)
        & (now > cases["watched"])
        & (now - cases["seen"] > KEPT)
        & (now - cases["last"] > KEPT)
    )
    told = (cases["state"] == CLOSED) & (now - cases["closed"] <= RETURN)
    used = (cases["habit"] > 0) & (now - cases["hung"] <= _HABIT_LIFE)
    known = now - cases["last"] <= _CALLERS_LIFE
    return over & ~told & ~used & ~known
