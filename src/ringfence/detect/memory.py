"""What is remembered: of every line, of every pair that had to do with one another, of every number that calls.

Each record has a fixed size and a time to live. A record past its time counts as absent whether or not it has been
swept away yet, so that nothing depends on when a table happens to grow.

- LINE: what a called line is used to: how often strangers and known people ring it, by time of day.
- PAIR: what two numbers had to do with one another, in either direction.
- PROFILE: what a number does when it calls: fan-out, distinct share, unanswered and dropped share, devices.
- DEVICE: which numbers call from one phone.
- HOLD: whom a stranger kept on the line for long lately, by the called phone and by the caller's number.
- MONEY: what a person pays, and whom.
- CALL: a call that is up; PAYMENT: a transfer of money.

Where seconds will do, times are whole seconds since 1970 in 32 bits (until 2106): records are small because there are many.
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import jit
from ringfence.detect.rules import Rules
from ringfence.detect.table import mix
from ringfence.model.callers import number_class
from ringfence.model.calls import NEVER

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

LINE_LIFE: Final = 90 * DAY
PAIR_LIFE: Final = 180 * DAY
STRANGER_LIFE: Final = 21 * DAY  # a pair that never talked
PROFILE_LIFE: Final = 30 * DAY
CALL_LIFE: Final = 12 * HOUR  # a call whose end was lost

DROPPED: Final = 3 * SECOND
"""A call that ends this soon after its answer was dropped: a fifth of all answered calls in the Copenhagen data."""
RING_MINUTES: Final = 3
"""A phone does not ring for longer (RFC 3261, timer C); a call without an answer or an end by then has lost its record."""
UNKNOWN_END: Final = -1
"""The cause of an end that no record tells."""
TALK: Final = 22 * SECOND
"""From here on two people talk. Bots that linger stay for 5 to 20 s; half of all real talks last longer than 44 s."""
TRY_AGAIN: Final = 60 * MINUTE
"""Attempts of one caller that follow each other this closely are one wish to talk."""
CALL_BACK: Final = 7 * DAY
"""Whoever the line rang within this time may be ringing back."""

SLICES: Final = 6
"""The day in slices of four hours: what a line is used to differs between noon and night."""
HALF_LIFE: Final = 14.0
"""Days after which a line's old habits count half."""

LINE: Final = np.dtype(
    [
        ("key", "i8"),
        ("last_unknown", "i8"),  # set-up of the last stranger or withheld call, µs
        ("last_known", "u4"),  # s
        ("frozen", "u4"),  # habits are not learned before this time: the line may be under attack
        ("seen", "u4"),  # the counts below were last aged then
        ("known", "f4"),  # aged count of calls from known people
        ("withheld", "f4"),  # aged count of withheld calls
        ("strangers", "f4", (SLICES,)),  # aged count of calls from strangers, by slice of the day (UTC)
        # how its callers come in, see `ways`; shares are in 255ths
        ("own", "u1"),  # share of its calls that come from own subscribers
        ("abroad", "u1"),  # share that comes from abroad
        ("same_trunk", "u1"),  # share of calls over a trunk that came over the same one as the one before
        ("last_trunk", "u1"),  # 0: none so far
        ("cells", "u8", (2,)),  # sets of 64 bits: cells it was rung in, this week and the one before
        ("week", "u4"),  # beginning of the present week, s; 0: no cell known so far
    ],
    align=True,
)

PAIR: Final = np.dtype(
    [
        ("key", "i8"),
        ("seen", "u4"),  # s
        ("first", "u4"),
        (
            "called",
            "u4",
            (2,),
        ),  # when the lower number last rang the higher one, and the other way round; 0: never
        ("talks", "u2"),  # conversations of TALK or longer, either direction
        ("tries", "u1", (2,)),  # attempts of one since they last talked, within TRY_AGAIN of each other
        ("drops", "u1", (2,)),  # of these: answered, and ended within DROPPED
    ],
    align=True,
)

PROFILE: Final = np.dtype(
    [
        ("key", "i8"),
        ("callees", "u8", (2,)),  # linear counting (Whang 1990) over 128 bits of the numbers called this week
        ("devices", "u4"),  # the same over 32 bits
        ("seen", "u4"),  # s
        ("first", "u4"),
        ("since", "u4"),  # beginning of the present week
        (
            "home",
            "u4",
        ),  # when it was last active in its own network: rang from there, or talked in one of its cells; 0: never
        ("calls", "f4"),  # this week plus half of what was before
        ("unanswered", "f4"),
        ("dropped", "f4"),
        ("talks", "f4"),  # conversations, either direction
        ("before", "u2"),  # fan-out up to the present week
        ("received", "u1"),  # conversations that others began
        ("kind", "u1"),  # class of the number, see model.caller_class
    ],
    align=True,
)

DEVICE: Final = np.dtype(
    [
        ("key", "i8"),
        ("numbers", "u8"),  # linear counting over 64 bits of the numbers that called from it this week
        ("seen", "u4"),  # s
        ("since", "u4"),  # beginning of the present week
        ("before", "u4"),  # numbers of the week before
        ("spare", "u4"),
    ],
    align=True,
)

HOLD: Final = np.dtype(
    [
        ("key", "i8"),  # see `held_key`
        ("line", "i8"),  # who was kept on the line
        ("seen", "u4"),  # s
        ("minutes", "f4"),  # of the last day
    ],
    align=True,
)

MONEY: Final = np.dtype(
    [
        ("key", "i8"),  # a payer's number, or a payer and a payee: see `payee_key`
        ("seen", "u4"),  # s
        ("count", "u4"),  # transfers
        ("mean", "f4"),  # of the natural logarithm of their sums
        ("spread", "f4"),  # its mean square deviation
    ],
    align=True,
)

CALL: Final = np.dtype(
    [
        ("key", "i8"),
        ("caller", "i8"),  # as in model.numbers; 0: withheld
        ("callee", "i8"),
        ("start", "i8"),  # µs
        ("answer", "i8"),  # NEVER: not answered so far
        ("pair", "i8"),  # key of the pair
        ("trunk", "i8"),  # hashes of text; 0: not known
        ("caller_device", "i8"),
        ("callee_device", "i8"),
        ("callee_cell", "i8"),
        ("before", "u4"),  # the caller's attempt before this one, s; 0: none
        ("tries", "u1"),  # as in PAIR, before this call
        ("drops", "u1"),
        ("minutes", "u2"),  # passed since the answer
        ("relation", "i1"),  # of the caller to the line, before this call
        ("ingress", "i1"),  # codes of model.tables; 0: not known
        ("attestation", "i1"),
        ("weighed", "i1"),  # a bit for each detector that took the set-up for evidence
        ("helped", "i1"),  # 1: the line rang an emergency service lately, which may be ringing back
        (
            "numbers",
            "u1",
        ),  # different numbers that called from the caller's phone lately, this one too; 0: phone not known
        ("home", "u1"),  # hours since the caller was last active in its own network; AWAY: longer, or never
        (
            "acquainted",
            "u1",
        ),  # hours since the caller first had to do with the line; AWAY: longer, or the line rang it too
        # what is known of the caller, before this call
        ("kind", "u1"),  # class of the number, see model.caller_class
        ("received", "u1"),  # conversations that others began
        ("link", "u1"),  # what `other` is: SAME_PHONE, SAME_CALLER, HOUSEHOLD; 0: nothing
        ("held", "u1"),  # minutes that it was held
        ("calls", "f4"),  # in the last weeks
        ("talks", "f4"),
        ("unanswered", "f4"),  # share
        ("dropped", "f4"),  # share
        ("age", "f4"),  # days since first seen
        ("people", "f4"),  # fan-out, of strangers only
        ("abroad", "u1"),  # share of the line's calls that come from abroad, in 255ths
        ("elsewhere", "u1"),  # 1: in a cell in which the line was not rung in the last weeks
        ("released", "i1"),  # code of who hung up; 0: not known, or not over
        ("spare", "u1"),
        ("other", "i8"),  # a line that a stranger held for long, lately, see `link`
    ],
    align=True,
)
"""What is known by now of a call that is up."""

PAYMENT: Final = np.dtype(
    [
        ("key", "i8"),
        ("caller", "i8"),  # the payee's account: a hash of its text
        ("callee", "i8"),  # the payer's number
        ("start", "i8"),  # µs
        ("callee_cell", "i8"),  # not known: 0
        ("other", "i8"),  # 0
        ("link", "i1"),  # 0
        ("amount", "f8"),
    ],
    align=True,
)
"""A transfer of money, in the terms of a call where these have a meaning."""

# How the caller stands to the line at the set-up.
WITHHELD: Final = 0
STRANGER: Final = 1
HEARD: Final = 2  # rang before, they never talked
CALLED: Final = 3  # the line rang this number lately: a call-back
KNOWN: Final = 4

SAME_PHONE: Final = 1  # another number was held in the phone that is called
SAME_CALLER: Final = 2  # the caller held another line
HOUSEHOLD: Final = 3  # the same, and the two lines know each other

EMERGENCY: Final = -1
"""Stands for all emergency services in a pair with the number that rang one."""

AWAY: Final = 255
"""Hours since a number was at home: that many, or more, or it never was."""

LATELY: Final = 72
"""Hours. Who talked with a line for the first time within these was a stranger until lately."""
HOLD_LIFE: Final = 14 * DAY
LONG: Final = 5 * MINUTE
"""From here on a stranger's call is remembered by phone and caller: one in six of the strangers' calls longer than a minute."""
MONEY_LIFE: Final = 365 * DAY

_MANY: Final = 255
_VERY_MANY: Final = 60_000


@jit
def pair_key(one: int, other: int) -> int:
    """The key under which two numbers are remembered together."""
    return mix(min(one, other), max(one, other))


@jit
def direction(caller: int, callee: int) -> int:
    """Which of a pair's two directions a call takes."""
    return 1 if caller > callee else 0


@jit
def pair_is_stale(pair: Any, now: int) -> bool:
    """Whether the two are strangers again."""
    life = PAIR_LIFE if pair.talks > 0 else STRANGER_LIFE
    return bool(now // SECOND - np.int64(pair.seen) > life // SECOND)


@jit
def renew_pair(pair: Any, now: int) -> None:
    """Begin with a pair, or begin again if it is out of date."""
    if pair.seen == 0 or pair_is_stale(pair, now):
        pair.first = now // SECOND
        pair.talks = 0
        for way in range(2):
            pair.called[way] = 0
            pair.tries[way] = 0
            pair.drops[way] = 0
    pair.seen = now // SECOND


@jit
def relation_of(pair: Any, way: int, now: int) -> int:
    """How the caller stands to the line, before a call that takes the direction `way`; the pair is renewed."""
    back = np.int64(pair.called[1 - way])
    if pair.talks > 0:
        return KNOWN
    if back > 0:
        return CALLED if now // SECOND - back < CALL_BACK // SECOND else KNOWN
    return HEARD if pair.called[way] > 0 else STRANGER


@jit
def try_pair(pair: Any, way: int, call: Any) -> None:
    """Take a set-up into the pair, and what went before it into the call."""
    now = call.start // SECOND
    if now - np.int64(pair.called[way]) > TRY_AGAIN // SECOND:
        pair.tries[way] = 0
        pair.drops[way] = 0
    call.tries = pair.tries[way]
    call.drops = pair.drops[way]
    call.before = pair.called[way]
    pair.tries[way] = min(np.int64(pair.tries[way]) + 1, _MANY)
    pair.called[way] = now


@jit
def moves_pair(answer: int, end: int) -> bool:
    """Whether the end of a call says anything of a pair."""
    talk = end - answer
    return answer != NEVER and (talk >= TALK or talk <= DROPPED)


@jit
def end_pair(pair: Any, way: int, answer: int, end: int) -> None:
    """Take the end of an answered call into the pair."""
    if end - answer >= TALK:
        pair.talks = min(np.int64(pair.talks) + 1, _VERY_MANY)
        for either in range(2):
            pair.tries[either] = 0
            pair.drops[either] = 0
    elif end - answer <= DROPPED:
        pair.drops[way] = min(np.int64(pair.drops[way]) + 1, _MANY)


@jit
def acquainted_for(pair: Any, way: int, now: int) -> Any:
    """Hours since the caller first had to do with the line; AWAY: that many, or more, or the line rang the caller too."""
    if pair.called[1 - way] != 0:
        return AWAY
    return min((now // SECOND - np.int64(pair.first)) // (HOUR // SECOND), AWAY)


@jit
def is_new(call: Any) -> bool:
    """Whether the caller is a stranger to the line, or was one until lately (and no call-back)."""
    if call.relation == KNOWN:
        return bool(call.acquainted <= LATELY)
    return bool(call.relation != CALLED)


@jit
def slice_of(now: int) -> int:
    """The slice of the day (UTC)."""
    return (now % DAY) // (DAY // SLICES)


# What is supposed of a line's callers before any is seen, in 255ths: .3 own subscribers, .02 from abroad, .3 over the same trunk
# as the one before.
OWN: Final = 77
ABROAD: Final = 5
SAME_TRUNK: Final = 77


@jit
def age_line(line: Any, now: int) -> None:
    """Let a line's habits fade."""
    idle = now // SECOND - np.int64(line.seen)
    if line.seen == 0 or idle > LINE_LIFE // SECOND:
        line.own = OWN
        line.abroad = ABROAD
        line.same_trunk = SAME_TRUNK
        line.last_trunk = 0
        line.week = 0
    if line.seen != 0 and idle > LINE_LIFE // SECOND:
        line.last_unknown = 0
        line.last_known = 0
        line.frozen = 0
        line.strangers[:] = 0
        line.known = 0
        line.withheld = 0
    elif line.seen != 0:
        fade = np.float32(2.0 ** (-idle / (HALF_LIFE * DAY / SECOND)))
        for k in range(SLICES):
            line.strangers[k] *= fade
        line.known *= fade
        line.withheld *= fade
    line.seen = now // SECOND


@jit
def watched_days(now: int, born: int) -> float:
    """Days of observation, older ones counting less: the exposure that belongs to the aged counts."""
    scale = HALF_LIFE / math.log(2.0)
    return scale * (1.0 - 2.0 ** (-(now - born) / (HALF_LIFE * DAY)))


@jit
def stranger_rate(line: Any, now: int, born: int) -> float:
    """Calls a day that this line gets from people it does not know, at this time of the day.

    A Gamma prior worth two days of watching, then the line's own past. While the memory is young nearly everybody looks
    like a stranger: of the calls among acquaintances .098 are first contacts after 14 days of history, .077 after 21
    (Copenhagen), and a line is called about twice a day (Sichuan: median 1.9 records).
    """
    days = watched_days(now, born)
    prior = 0.5 + 2.0 * math.exp(-(now - born) / (3.0 * DAY))
    total = 0.0
    for k in range(SLICES):
        total += line.strangers[k]
    base = (2.0 * prior + total) / (2.0 + days)
    here = line.strangers[slice_of(now)]
    shape = (1.0 + here) / (1.0 + total / SLICES)
    return base * min(max(shape, 0.5), float(SLICES))


@jit
def known_rate(line: Any, now: int, born: int) -> float:
    """Calls a day that this line gets from people it knows (prior: two a day, worth two days)."""
    return (4.0 + line.known) / (2.0 + watched_days(now, born))


@jit
def withheld_rate(line: Any, now: int, born: int) -> float:
    """Withheld calls a day (prior: one in twenty days, worth two days)."""
    return (0.1 + line.withheld) / (2.0 + watched_days(now, born))


@jit
def learn_line(line: Any, relation: int, now: int) -> None:
    """Take one call into the habits of the line."""
    if relation == WITHHELD:
        line.withheld += 1
    elif relation in (STRANGER, HEARD):
        line.strangers[slice_of(now)] += 1
    else:
        line.known += 1


@jit
def learn_cell(line: Any, cell: int, now: int) -> bool:
    """Take in where a line is rung; says whether it was never rung there in the last weeks, as far as can be told.

    Sets of 64 bits: a cell never seen is taken for a known one with the share of the bits that are set, one in three for a
    person who moves about in twenty cells.
    """
    second: Any = np.uint32(now // SECOND)
    bit = np.uint64(1) << np.uint64(mix(cell, 23) & 63)
    if line.week == 0:
        line.week = second
        line.cells[0] = bit
        return False
    if second - line.week > np.uint32(7 * DAY // SECOND):
        old = second - line.week > np.uint32(14 * DAY // SECOND)
        line.cells[1] = np.uint64(0) if old else line.cells[0]
        line.cells[0] = np.uint64(0)
        line.week = second
    fresh = (line.cells[0] | line.cells[1]) & bit == 0
    line.cells[0] |= bit
    return bool(fresh)


@jit
def count_bits(word: int) -> Any:
    """How many bits of a word of 64 are set."""
    w = np.uint64(word)
    w = w - ((w >> np.uint64(1)) & np.uint64(0x5555555555555555))
    w = (w & np.uint64(0x3333333333333333)) + ((w >> np.uint64(2)) & np.uint64(0x3333333333333333))
    w = (w + (w >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((w * np.uint64(0x0101010101010101)) >> np.uint64(56))


@jit
def _linear_count(ones: int, size: float) -> float:
    return size * math.log(size / max(size - ones, 0.5))


@jit
def fan_out(profile: Any) -> float:
    """How many different numbers this caller rang, this week and half of those before, as its calls are counted.

    128 bits: within a tenth up to 300 a week.
    """
    ones = count_bits(profile.callees[0]) + count_bits(profile.callees[1])
    return _linear_count(ones, 128.0) + 0.5 * profile.before


@jit
def renew_profile(profile: Any, now: int, rules: Rules) -> None:
    """Begin with a number, begin again after a long silence, or begin a new week."""
    second = now // SECOND
    if profile.seen == 0:
        profile.kind = number_class(profile.key, rules.numbers)
    if profile.seen == 0 or second - np.int64(profile.seen) > PROFILE_LIFE // SECOND:
        profile.first = second
        profile.since = second
        profile.home = 0
        profile.callees[:] = 0
        profile.devices = 0
        profile.calls = 0
        profile.unanswered = 0
        profile.dropped = 0
        profile.talks = 0
        profile.received = 0
        profile.before = 0
    elif second - np.int64(profile.since) > 7 * DAY // SECOND:
        profile.before = min(fan_out(profile), 60_000.0)
        profile.since = second
        profile.callees[:] = 0
        profile.devices = 0
        profile.calls *= 0.5
        profile.unanswered *= 0.5
        profile.dropped *= 0.5
        profile.talks *= 0.5
        profile.received //= 2
    profile.seen = second


@jit
def number_in_device(device: Any, call: Any) -> None:
    """Take a set-up into the phone it came from, and how many numbers call from that phone into the call."""
    now = call.start // SECOND
    if device.seen == 0 or now - np.int64(device.seen) > PROFILE_LIFE // SECOND:
        device.numbers = 0
        device.before = 0
        device.since = now
    elif now - np.int64(device.since) > 7 * DAY // SECOND:
        device.before = count_bits(device.numbers)
        device.numbers = 0
        device.since = now
    device.seen = now
    device.numbers |= np.uint64(1) << (np.uint64(mix(call.caller, 13)) & np.uint64(63))
    call.numbers = max(count_bits(device.numbers), np.int64(device.before))


@jit
def note_caller(profile: Any, call: Any) -> None:
    """Write into a call what is known of its caller, before this call."""
    share = np.float32(1.0) / max(profile.calls, np.float32(1.0))
    call.calls = profile.calls
    call.talks = profile.talks
    call.unanswered = profile.unanswered * share
    call.dropped = profile.dropped * share
    call.age = (call.start // SECOND - np.int64(profile.first)) / (DAY / SECOND)
    call.kind = profile.kind
    call.received = profile.received
    if is_new(call):
        call.people = fan_out(profile)
    call.home = AWAY
    if profile.home != 0:
        call.home = min((call.start // SECOND - np.int64(profile.home)) // (HOUR // SECOND), AWAY)


@jit
def held_key(what: int, salt: int) -> int:
    """The key of a HOLD: of a phone (salt SAME_PHONE), or of a caller's number (salt SAME_CALLER)."""
    return mix(what, 40 + salt)


@jit
def note_hold(hold: Any, line: int, now: int, minutes: float) -> None:
    """Take in that a line was held on the phone for some minutes."""
    second = now // SECOND
    if hold.line != line or second - np.int64(hold.seen) > DAY // SECOND:
        hold.minutes = 0
    hold.line = line
    hold.seen = second
    hold.minutes += np.float32(minutes)


@jit
def is_held(hold: Any, line: int, now: int) -> bool:
    """Whether another line than this one was held."""
    return bool(hold.line != line and now // SECOND - np.int64(hold.seen) <= HOLD_LIFE // SECOND)


@jit
def payee_key(payer: int, account: int) -> int:
    """The key of what a payer had to do with a payee."""
    return mix(mix(payer, 51), account)


@jit
def learn_payment(money: Any, amount: float, now: int) -> None:
    """Take a transfer into a MONEY record; its figures follow the last twenty transfers or so."""
    if money.seen != 0 and now // SECOND - np.int64(money.seen) > MONEY_LIFE // SECOND:
        money.count = 0
    size = math.log(max(amount, 0.01))
    money.seen = now // SECOND
    money.count = min(np.int64(money.count) + 1, 1 << 30)
    if money.count == 1:
        money.mean = size
        money.spread = 1.0
        return
    share = max(1.0 / money.count, 0.05)
    off = size - money.mean
    money.mean += share * off
    money.spread += share * (off * off - money.spread)


@jit
def beyond_usual(money: Any, amount: float, now: int) -> float:
    """How far beyond a payer's own past a sum lies, in standard deviations of its logarithm; 0 where there is no past."""
    if money.count < 2 or now // SECOND - np.int64(money.seen) > MONEY_LIFE // SECOND:
        return 0.0
    return (math.log(max(amount, 0.01)) - money.mean) / math.sqrt(max(money.spread, 0.25))


@jit
def profile_call(profile: Any, call: Any) -> None:
    """Take a set-up into the profile of its caller."""
    h = np.uint64(mix(call.callee, 7))
    profile.callees[np.int64(h >> np.uint64(63))] |= np.uint64(1) << (h & np.uint64(63))
    if call.caller_device != 0:
        profile.devices |= np.uint32(1 << (mix(call.caller_device, 11) & 31))
    profile.calls += 1


@jit
def profile_end(profile: Any, answer: int, end: int) -> None:
    """Take an end into the profile of its caller."""
    if answer == NEVER:
        profile.unanswered += 1
    elif end - answer <= DROPPED:
        profile.dropped += 1
    elif end - answer >= TALK:
        profile.talks += 1
