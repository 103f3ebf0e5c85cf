"""The pass written in plain Python, event by event: what the compiled pass must equal, and what it is measured against.

It does for one shard and the detector `flood` what `ringfence.detect` does, with dicts, dataclasses and `math`. It shares the
constants of that package, and of its compiled functions only `mix`, by which a phone marks the numbers that call from it. Where an idiom of Python is the quicker and plainer one it is
taken: pairs are found by a tuple, the numbers a caller rang are a set, a call is forgotten by deleting it.

Numbers are Python's own floats. The compiled state keeps most of them as float32, so bits agree to about 1e-3 only.
Where rounding decides which way to go, it is done here too: the pace of an attack (`_single`), whose tenfold in whole
seconds decides when it is over, and what tells a flood from a popular line (`_unlike`), for whether it is enough.
"""

import math
import struct
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ringfence.detect import evidence, flood, memory, popular, ways, weights
from ringfence.detect.evidence import CLOSED, ENDED, HYPOTHESES, LEDGER, OPEN, QUIET, RAISED, REOPENED
from ringfence.detect.memory import (
    CALLED,
    DAY,
    DROPPED,
    HEARD,
    HOUR,
    KNOWN,
    MINUTE,
    SECOND,
    SLICES,
    STRANGER,
    TALK,
    WITHHELD,
)
from ringfence.detect.moments import ANSWER, END, SETUP, TICK
from ringfence.detect.table import mix
from ringfence.model import tables
from ringfence.model.calls import NEVER, Calls

Bits = tuple[float, float, float]


class Row(NamedTuple):
    """A call as the records tell it."""

    key: int
    caller: int
    callee: int
    device: int
    trunk: int
    cell: int
    ingress: int
    start: int
    answer: int
    end: int
    cause: int


class Moment(NamedTuple):
    """What is learned of a call at one time; the place of its call among all of them comes second, so moments sort."""

    time: int
    place: int
    kind: int
    row: Row
    answer: int
    cause: int


class Outcome(NamedTuple):
    """What is given out about a case."""

    at: int
    subject: int
    call: int
    story: int
    last: int
    began: int
    bits: float
    odds: float
    calls: int
    entries: int
    given: int
    detector: str
    what: int
    hypothesis: int
    callee: int = 0
    trunk: int = 0
    reason: int = 0


class Entry(NamedTuple):
    """A ledger entry as it is given out."""

    at: int
    subject: int
    call: int
    caller: int
    story: int
    value: float
    bits: float
    total: float
    what: int
    detector: str


@dataclass(slots=True)
class Line:
    """What a called line is used to."""

    seen: int = 0
    last_unknown: int = 0
    last_known: int = 0
    frozen: int = 0
    strangers: list[float] = field(default_factory=lambda: [0.0] * SLICES)
    known: float = 0.0
    withheld: float = 0.0
    own: int = memory.OWN
    abroad: int = memory.ABROAD
    same_trunk: int = memory.SAME_TRUNK
    last_trunk: int = 0


@dataclass(slots=True)
class Pair:
    """What two numbers had to do with one another; times in whole seconds."""

    seen: int = 0
    talks: int = 0
    called: dict[int, int] = field(default_factory=dict)  # by caller, when it last rang the other
    tries: Counter[int] = field(default_factory=Counter)
    drops: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Profile:
    """What a number does when it calls; times in whole seconds."""

    first: int
    since: int
    seen: int
    callees: set[int] = field(default_factory=set)
    calls: float = 0.0
    unanswered: float = 0.0
    dropped: float = 0.0
    talks: float = 0.0
    home: int = 0


@dataclass(slots=True)
class Device:
    """Which numbers call from one phone (64 marks); times in whole seconds."""

    since: int
    seen: int
    numbers: set[int] = field(default_factory=set)
    before: int = 0


class Note(NamedTuple):
    """What is known of a caller at the set-up."""

    calls: float = 0.0
    unanswered: float = 0.0
    dropped: float = 0.0
    talks: float = 0.0
    age: float = 0.0
    home: int = memory.AWAY

    @property
    def life(self) -> bool:
        """Seen for a day, and talks with others."""
        return self.talks >= 2 and self.age >= 1


@dataclass(slots=True)
class Call:
    """A call that is up."""

    key: int
    caller: int
    callee: int
    start: int
    relation: int
    ingress: int = 0
    trunk: int = 0
    numbers: int = 0
    tries: int = 0
    drops: int = 0
    before: int = 0
    answer: int = NEVER
    minutes: int = 0
    weighed: bool = False


class Seen(NamedTuple):
    """One observation in a case's ledger."""

    at: int
    call: int
    caller: int
    what: int
    value: float
    bits: Bits


@dataclass(slots=True)
class Case:
    """A line under suspicion."""

    subject: int
    seen: int = 0
    raised: int = 0
    closed: int = 0
    last: int = 0
    pace: float = 0.0
    began: int = 0
    odds: float = 0.0
    entries: int = 0
    calls: int = 0
    state: int = QUIET
    hypothesis: int = 0
    bits: Bits = (0.0, 0.0, 0.0)
    ledger: deque[Seen] = field(default_factory=lambda: deque(maxlen=LEDGER))
    haste: float = 0.0
    haste_known: float = 0.0
    extra: float = 0.0
    lives: float = 0.0
    again: float = 0.0
    counted: int = 0
    last_before: int = 0
    talk_since: int = 0
    talk_call: int = 0
    talk_credit: float = 0.0
    talked: int = 0
    talks: float = 0.0
    outside: float = 0.0
    verified: float = 0.0
    elsewhere: float = 0.0
    unlike: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    unlike_at: int = 0
    abroad: float = 0.0
    trunks: set[int] = field(default_factory=set)
    withheld: int = 0


_FLOAT32 = struct.Struct("f")


def _single(value: float) -> float:
    """A number as float32 keeps it."""
    single: float = _FLOAT32.unpack(_FLOAT32.pack(value))[0]
    return single


def rows_of(calls: Calls) -> list[Row]:
    """Calls as tuples."""
    columns = (
        calls.key, calls.caller, calls.callee, calls.words[:, 1], calls.words[:, 0], calls.words[:, 3], calls.codes[:, 2],
        calls.start,
        calls.answer, calls.end, calls.codes[:, 0],
    )  # fmt: skip
    return [Row(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def moments_of(rows: list[Row]) -> list[Moment]:
    """All moments of calls in order, up to the last one that the records tell of."""
    moments = []
    last = 0
    for place, row in enumerate(rows):
        own = _moments_of_call(place, row)
        told = [moment.time for moment in own if moment.kind != TICK and moment.cause != memory.UNKNOWN_END]
        last = max(last, *told)
        moments += own
    return sorted(moment for moment in moments if moment.time <= last)


def _moments_of_call(place: int, row: Row) -> list[Moment]:
    moments = [Moment(row.start, place, SETUP, row, NEVER, 0)]
    given_up = row.start + memory.RING_MINUTES * MINUTE
    if row.answer < given_up:
        moments.append(Moment(row.answer, place, ANSWER, row, row.answer, 0))
        over = row.answer + memory.CALL_LIFE
        if row.end <= over:
            over = row.end
            moments.append(Moment(row.end, place, END, row, row.answer, row.cause))
        minutes = (over - row.answer) // MINUTE
        moments += [
            Moment(row.answer + minute * MINUTE, place, TICK, row, row.answer, 0)
            for minute in range(1, minutes + 1)
        ]
    elif row.end < given_up:
        moments.append(Moment(row.end, place, END, row, NEVER, row.cause))
    else:
        moments.append(Moment(given_up, place, END, row, NEVER, memory.UNKNOWN_END))
    return moments


class PlainPass:
    """One shard with the detector `flood`; what it finds is in `outcomes` and `entries`."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.entries: list[Entry] = []
        self._lines: dict[int, Line] = {}
        self._pairs: dict[frozenset[int], Pair] = {}
        self._profiles: dict[int, Profile] = {}
        self._devices: dict[int, Device] = {}
        self._calls: dict[int, Call] = {}
        self._cases: dict[int, Case] = {}
        self._born = 0
        self._last = 0
        self._bar = evidence.threshold_bits(flood.FALSE_ALARMS, flood.STARTS)

    def run(self, rows: list[Row]) -> "PlainPass":
        """Take all calls, to the end of the records."""
        moments = moments_of(rows)
        for moment in moments:
            self.take(moment)
        if moments:
            self.finish(moments[-1].time + 1)
        return self

    def finish(self, until: int) -> None:
        """Close what is over by `until` (exclusive)."""
        for case in self._cases.values():
            self._close_if_over(case, until)
        self.outcomes.sort(key=lambda outcome: (outcome.at, outcome.subject))

    def take(self, moment: Moment) -> None:
        """Take one moment."""
        now, row = moment.time, moment.row
        if self._last == 0 or now - self._last > memory.LINE_LIFE:
            self._born = now
        self._last = now
        if moment.kind == SETUP:
            call = self._relate(row)
            self._rings(call, self._follow(row))
            return
        if moment.kind == TICK:
            call = self._calls[row.key]
            call.minutes += 1
            if call.minutes == 1:
                self._talked(call, now)
        elif moment.kind == ANSWER:
            call = self._calls[row.key]
            call.answer = now
            self._on_answer(call, now)
        else:
            self._ends(moment)

    # Who knows whom.

    def _relate(self, row: Row) -> Call:
        call = Call(row.key, row.caller, row.callee, row.start, WITHHELD, row.ingress, row.trunk)
        self._calls[row.key] = call
        if row.caller == 0:
            return call
        now = row.start // SECOND
        if row.device != 0 and row.ingress <= tables.SUBSCRIBER:
            call.numbers = self._numbers_of(row, now)
        both = frozenset((row.caller, row.callee))
        pair = self._pairs.get(both)
        if pair is None or _pair_is_stale(pair, now):
            pair = self._pairs[both] = Pair()
        pair.seen = now
        call.relation = _relation(pair, row, now)
        before = pair.called.get(row.caller, 0)
        if now - before > memory.TRY_AGAIN // SECOND:
            pair.tries[row.caller] = pair.drops[row.caller] = 0
        call.tries, call.drops, call.before = pair.tries[row.caller], pair.drops[row.caller], before
        pair.tries[row.caller] += 1
        pair.called[row.caller] = now
        return call

    def _numbers_of(self, row: Row, now: int) -> int:
        """How many numbers call from the phone of a call, this one too."""
        device = self._devices.get(row.device)
        if device is None or now - device.seen > memory.PROFILE_LIFE // SECOND:
            device = self._devices[row.device] = Device(now, now)
        elif now - device.since > 7 * DAY // SECOND:
            device.before = len(device.numbers)
            device.numbers = set()
            device.since = now
        device.seen = now
        device.numbers.add(int(mix(row.caller, 13)) & 63)
        return max(len(device.numbers), device.before)

    # What callers do.

    def _follow(self, row: Row) -> Note:
        if row.caller == 0:
            return Note()
        profile = self._renewed_profile(row.caller, row.start // SECOND)
        note = _note(profile, row.start // SECOND)
        profile.callees.add(row.callee)
        profile.calls += 1
        if row.ingress == tables.SUBSCRIBER:
            profile.home = row.start // SECOND
        return note

    def _renewed_profile(self, number: int, now: int) -> Profile:
        profile = self._profiles.get(number)
        if profile is None or now - profile.seen > memory.PROFILE_LIFE // SECOND:
            profile = self._profiles[number] = Profile(first=now, since=now, seen=now)
        elif now - profile.since > 7 * DAY // SECOND:
            profile.since = now
            profile.callees = set()
            profile.calls *= 0.5
            profile.unanswered *= 0.5
            profile.dropped *= 0.5
            profile.talks *= 0.5
        profile.seen = now
        return profile

    # What lines live through.

    def _rings(self, call: Call, note: Note) -> None:
        now = call.start
        line = self._aged_line(call.callee, now)
        self._on_setup(line, call, note, now)
        if call.relation == KNOWN:
            line.last_known = now // SECOND
        elif call.relation == WITHHELD or (call.relation != CALLED and call.tries == 0):
            line.last_unknown = now
        if call.tries == 0 and now // SECOND >= line.frozen:
            _learn(line, call.relation, now)
            _learn_way(line, call)

    def _aged_line(self, number: int, now: int) -> Line:
        second = now // SECOND
        line = self._lines.get(number)
        if line is None or second - line.seen > memory.LINE_LIFE // SECOND:
            line = self._lines[number] = Line(seen=second)
            return line
        fade = 2.0 ** (-(second - line.seen) / (memory.HALF_LIFE * DAY / SECOND))
        line.strangers = [count * fade for count in line.strangers]
        line.known *= fade
        line.withheld *= fade
        line.seen = second
        return line

    def _ends(self, moment: Moment) -> None:
        now, row = moment.time, moment.row
        call = self._calls.pop(row.key)
        if row.caller != 0 and moment.answer != NEVER:
            pair = self._pairs.get(frozenset((row.caller, row.callee)))
            if pair is not None:
                _end_pair(pair, row.caller, now - moment.answer)
        if moment.cause != memory.UNKNOWN_END and row.caller in self._profiles:
            _profile_end(self._profiles[row.caller], moment)
        if moment.answer != NEVER and now - moment.answer >= TALK:
            profile = self._renewed_profile(row.callee, now // SECOND)
            profile.talks += 1
            if row.cell != 0:
                profile.home = now // SECOND
        self._on_end(call, moment.cause, now)

    # The detector.

    def _on_setup(self, line: Line, call: Call, note: Note, now: int) -> None:
        if call.relation == CALLED:
            return
        second = now // SECOND
        if call.relation == KNOWN and second - line.last_known > flood.BURST // SECOND:
            return
        case = self._cases.get(call.callee)
        if (case is None or _case_is_stale(case, now)) and _is_nothing_yet(line, call, now):
            return
        call.weighed = True
        if case is None:
            case = self._cases[call.callee] = Case(call.callee)
        self._renew(case, now)
        self._interrupt_talk(case, call, now)
        if call.tries > 0 and call.relation != WITHHELD:
            self._rings_again(case, call, now)
        elif call.relation == KNOWN:
            self._known_rings(case, line, call, note, now)
        else:
            self._unknown_rings(case, line, call, note, now)
        if case.state == OPEN or max(case.bits) > flood.FREEZE_BITS:
            line.frozen = (now + HOUR) // SECOND

    def _on_answer(self, call: Call, now: int) -> None:
        if call.relation in {KNOWN, CALLED}:
            return
        case = self._under_way(call.callee, now)
        if case is not None:
            case.talk_since = now
            case.talk_call = call.key
            case.talk_credit = 0.0

    def _on_end(self, call: Call, cause: int, now: int) -> None:
        if call.relation == CALLED:
            return
        answered = call.answer != NEVER
        case = self._under_way(call.callee, now)
        if case is None:
            if call.relation not in {STRANGER, HEARD} or (answered and now - call.answer >= TALK):
                return
            case = self._cases.setdefault(call.callee, Case(call.callee))
            self._renew(case, now)
            _count(case, call, call.start)
        elif call.relation == KNOWN and not call.weighed:
            return
        if answered and now - call.answer >= TALK:
            if call.minutes == 0:
                self._talked(call, now)
            return
        if case.talk_call == call.key:
            case.talk_since = 0
        again = call.tries > 0 and call.relation != WITHHELD
        if answered:
            span = now - call.answer
            end = _end_answered(span)
        else:
            span = now - call.start
            end = _end_unanswered(span, cause)
        if call.relation != KNOWN:
            _unknown_ends(case, end, again)
        what = int(flood.END_WORDS[end])
        bits = _ENDS[int(again)][end]
        if again and bits[0] > 0:
            bits = _times(bits, _repeated(case, bits[0]) / bits[0])
        talkative = 1.0 if what == flood.CALL_DROPPED else _talkative(case)
        bits = (0.0, 0.0, bits[2]) if call.relation == KNOWN else _times(bits, 1.0 / talkative)
        self._weigh(case, call, what, span / SECOND, bits, now)

    def _talked(self, call: Call, now: int) -> None:
        case = self._under_way(call.callee, now)
        if case is None:
            return
        value = (now - call.answer) / SECOND
        if call.relation in {KNOWN, CALLED}:
            if case.bits[flood.BORROWED] <= 0:
                return
            self._weigh(case, call, flood.TALKED, value, (0.0, 0.0, _TALKS[weights.TALK_HELD][2]), now)
            return
        case.talks += 1
        case.talked = now
        credit = 0.0
        if case.talk_call == call.key:
            credit = case.talk_credit
            case.talk_since = 0
        if case.state == OPEN and case.calls > 1:
            case.calls -= 1
            if case.counted == call.key:
                case.last = case.last_before
        minute = call.minutes > 0
        hang_up, linger = popular._TALK[int(minute)].tolist()
        _unlike(case, hang_up, linger, hang_up)
        bits = _TALKS[weights.TALK_HELD]
        held = bits[1] if minute else bits[1] * flood.BOT_TALK
        self._weigh(case, call, flood.TALKED, value, (bits[0] + credit, held + credit, bits[2] + credit), now)

    def _under_way(self, subject: int, now: int) -> Case | None:
        case = self._cases.get(subject)
        if case is None or now - case.seen > flood.QUIET_LIFE:
            return None
        self._renew(case, now)
        return case

    def _renew(self, case: Case, now: int) -> None:
        self._close_if_over(case, now)
        if case.state == CLOSED and now - case.closed > flood.RETURN:
            case.state = QUIET
            case.raised = 0
            case.pace = 0.0
        idle = now - case.seen
        if case.state == QUIET and idle > flood.QUIET_LIFE:
            case.talks = case.extra = 0.0
        if case.talks > 0:
            case.talks *= 2.0 ** (-(now - case.talked) / flood.TALK_FADE)
            case.talked = now
        faint = case.bits[0] < 3 and case.bits[2] < 3
        if case.state != OPEN and (idle > flood.QUIET_LIFE or (idle > HOUR and faint)):
            _restart(case)
        if not case.ledger:
            case.haste = case.haste_known = case.again = case.lives = 0.0
            case.outside = case.verified = case.elsewhere = 0.0
            case.talk_since = 0
        self._forget_popularity(case, now)

    def _forget_popularity(self, case: Case, now: int) -> None:
        if case.unlike_at != 0:
            fade = 2.0 ** (-(now - case.unlike_at) / popular._FADE)
            case.unlike = [_single(bits * fade) if bits < 0 else bits for bits in case.unlike]
        case.unlike_at = now
        if not case.ledger:
            case.unlike = [min(bits, 0.0) for bits in case.unlike]
            case.abroad = 0.0
            case.trunks = set()
            case.withheld = 0

    def _close_if_over(self, case: Case, now: int) -> None:
        if case.state != OPEN:
            return
        quiet = int(10 * case.pace) * SECOND
        over = case.last + min(max(quiet, flood.SHORTEST_QUIET), flood.LONGEST_QUIET)
        if over < now:
            self._give_out(case, ENDED, over, 0)
            case.state = CLOSED
            case.closed = over
            _restart(case)

    def _interrupt_talk(self, case: Case, call: Call, now: int) -> None:
        if case.talk_since == 0 or case.talk_credit != 0 or now - case.talk_since < 8 * SECOND:
            return
        span = now - case.talk_since
        bits = _TALKS[weights.TALK_LONG if span >= TALK else weights.TALK_SHORT]
        case.talk_credit = -bits[0]
        self._weigh(case, call, flood.TALKING, span / SECOND, bits, now)

    def _rings_again(self, case: Case, call: Call, now: int) -> None:
        bits = _repeated(case, flood.AGAIN_DROPPED_BITS if call.drops > 0 else flood.AGAIN_BITS)
        own = 0.0 if call.relation == KNOWN else bits
        if case.state != OPEN or call.relation != KNOWN or case.hypothesis == flood.BORROWED:
            _count(case, call, now)
        gap = now // SECOND - call.before
        self._weigh(case, call, flood.AGAIN, gap, (own, own / 2, own if own > 0 else bits / 3), now)

    def _known_rings(self, case: Case, line: Line, call: Call, note: Note, now: int) -> None:
        gap = now // SECOND - line.last_known
        rate = (4.0 + line.known) / (2.0 + self._watched_days(now))
        haste = max(soon_bits(gap, rate, *flood.KNOWN_GAPS), 0.0) / _talkative(case)
        bits = _limited(case.haste_known, haste, 13.0)
        case.haste_known += haste
        borrowed = _is_borrowed(call, note)
        own = popular._KNOWN_OWN if call.ingress == tables.SUBSCRIBER else popular._KNOWN_OUTSIDE
        _unlike(case, 0.0, 0.0, popular._KNOWN_ELSEWHERE if borrowed or call.ingress == 0 else own)
        what = flood.KNOWN_SOON
        if now - self._born >= 2 * DAY:
            if borrowed:
                what = flood.KNOWN_ELSEWHERE
                gain = flood.CONTACT_ELSEWHERE[int(call.ingress == tables.INTERNATIONAL)]
                bits += _limited(case.elsewhere, gain, flood.MOST_ELSEWHERE)
                case.elsewhere += gain
            elif call.ingress == tables.SUBSCRIBER and note.life:
                bits += flood.CONTACT_OWN
        if case.state != OPEN or case.hypothesis == flood.BORROWED:
            _count(case, call, now)
        self._weigh(case, call, int(what), gap, (0.0, 0.0, bits), now)

    def _unknown_rings(self, case: Case, line: Line, call: Call, note: Note, now: int) -> None:
        withheld = call.relation == WITHHELD
        self._popular_rings(case, line, call, note, now)
        main = linger = gap = 0.0
        caller: Bits = (0.0, 0.0, 0.0)
        what = flood.FIRST_WITHHELD if withheld else flood.FIRST_STRANGER
        if line.last_unknown != 0 and now - line.last_unknown <= flood.HOPELESS:
            what = flood.WITHHELD_SOON if withheld else flood.STRANGER_SOON
            gap = (now - line.last_unknown) / SECOND
            if _is_verified(call, note):
                what = flood.OWN_SOON
            elif call.ingress == tables.INTERNATIONAL and not withheld:
                what = flood.ABROAD_SOON
            main, linger = self._haste(case, line, call.relation, gap, now)
        way = self._way(case, line, call, note, now)
        if not withheld:
            caller = (0.0, 0.0, 0.0) if _is_verified(call, note) else self._caller_bits(case, note, now)
        elif not case.ledger:
            caller = flood.WITHHELD_BITS
        _count(case, call, now)
        bits = (main + way + caller[0], linger + way + caller[1], main + way + caller[2])
        self._weigh(case, call, int(what), gap, bits, now)

    def _way(self, case: Case, line: Line, call: Call, note: Note, now: int) -> float:
        if now - self._born < 2 * DAY:
            return 0.0
        if _is_verified(call, note):
            loss = -_verified_bits(line, ways.VERIFIED)
            bits = _limited(case.verified, loss, flood.MOST_VERIFIED, 0.3)
            case.verified += loss
            return -bits
        withheld = call.relation == WITHHELD
        bits = 0.0
        if call.ingress == tables.SUBSCRIBER and withheld:
            bits = ways._WITHHELD_OWN
        elif call.ingress == tables.INTERNATIONAL:
            bits = math.log2(ways._FLOOD_ABROAD / max(line.abroad / 255.0, ways._LEAST_ABROAD))
        elif call.ingress == tables.DOMESTIC and not withheld:
            bits = _outside_bits(line)
        if bits > 0:
            gain = bits
            bits = _limited(case.outside, gain, flood.MOST_OUTSIDE)
            case.outside += gain
        if withheld or not _is_borrowed(call, note):
            return bits
        return bits + (ways._BORROWED if call.ingress == tables.DOMESTIC else ways._BORROWED_ABROAD)

    def _popular_rings(self, case: Case, line: Line, call: Call, note: Note, now: int) -> None:
        if call.relation == WITHHELD:
            bits = 0.0
            if case.withheld < len(popular._WITHHELD):
                own = call.ingress == tables.SUBSCRIBER
                bits = popular._WITHHELD_OWN if own else float(popular._WITHHELD[case.withheld])
            case.withheld += 1
            _unlike(case, bits, bits, bits)
        elif now - self._born < 2 * DAY:
            _unlike(case, *(popular._NO_LIFE_ANYWHERE,) * 3)
        else:
            bits = _popular_stranger(case, line, call, note)
            verifiable = call.ingress == tables.SUBSCRIBER or not note.life
            elsewhere = popular._ELSEWHERE if _is_borrowed(call, note) else 0.0
            lenient = bits if verifiable else max(bits, 0.0)
            _unlike(case, bits + elsewhere, bits + elsewhere, lenient + elsewhere)
        bits = _trunk_bits(case, line, call)
        _unlike(case, bits, bits, bits)

    def _haste(self, case: Case, line: Line, relation: int, gap: float, now: int) -> tuple[float, float]:
        rate = self._stranger_rate(line, now)
        case.extra = max(math.log2(rate / 3.0), 0.0)
        if relation == WITHHELD:
            withheld_rate = (0.1 + line.withheld) / (2.0 + self._watched_days(now))
            haste = min(
                soon_bits(gap, withheld_rate, *flood.WITHHELD_GAPS),
                soon_bits(gap, withheld_rate, *flood.WITHHELD_SLOW_GAPS),
            )
        else:
            haste = soon_bits(gap, rate, *flood.STRANGERS_GAPS)
        if haste <= 0:
            return haste, haste
        if relation == HEARD:
            haste *= flood.HEARD_SHARE
        haste /= _talkative(case)
        watched = min((now - self._born) / (3.0 * DAY), 1.0)
        main = _limited(case.haste, haste, 8.0 + 10.0 * watched)
        linger = _limited(case.haste, haste, 8.0 + 6.0 * watched)
        case.haste += haste
        return main, linger

    def _caller_bits(self, case: Case, note: Note, now: int) -> Bits:
        if now - self._born < 2 * DAY:
            return 0.0, 0.0, 0.0
        if note.talks >= 2 and note.age >= 1:
            bits = _CALLERS[weights.CALLER_TALKS]
            main, linger = _limited(case.lives, -bits[0], 5.0), _limited(case.lives, -bits[1], 10.0)
            case.lives -= bits[0]
            return -main, -linger, -main
        # as float32 a share of exactly .8 is above .8, so it counts; here it is below
        if note.calls >= 8 and note.talks == 0 and note.unanswered + note.dropped > 0.7499:
            return _CALLERS[weights.CALLER_NOBODY_TALKS]
        return _CALLERS[weights.CALLER_UNKNOWN]

    def _watched_days(self, now: int) -> float:
        scale = memory.HALF_LIFE / math.log(2.0)
        return scale * (1.0 - 2.0 ** (-(now - self._born) / (memory.HALF_LIFE * DAY)))

    def _stranger_rate(self, line: Line, now: int) -> float:
        prior = 0.5 + 2.0 * math.exp(-(now - self._born) / (3.0 * DAY))
        total = sum(line.strangers)
        base = (2.0 * prior + total) / (2.0 + self._watched_days(now))
        shape = (1.0 + line.strangers[_slice(now)]) / (1.0 + total / SLICES)
        return base * min(max(shape, 0.5), float(SLICES))

    # The sums.

    def _weigh(self, case: Case, call: Call, what: int, value: float, bits: Bits, now: int) -> None:
        case.seen = now
        case.bits = (
            max(case.bits[0] + bits[0], 0.0),
            max(case.bits[1] + bits[1], 0.0),
            max(case.bits[2] + bits[2], 0.0),
        )
        if case.state != OPEN and not any(case.bits):
            _restart(case)
            return
        if case.entries == 0:
            case.began = now
        case.entries += 1
        case.ledger.append(Seen(now, call.key, call.caller, what, value, bits))
        if case.state == OPEN:
            self._give_out_entry(case, case.ledger[-1], case.bits[case.hypothesis])
            return
        handicap = [
            flood.HANDICAP[h] + (flood.NEVER_ALONE if case.unlike[h] < popular.ENOUGH else 0.0)
            for h in range(HYPOTHESES)
        ]
        best = max(range(HYPOTHESES), key=lambda h: case.bits[h] - handicap[h])
        watched = flood.WATCH_BITS if case.state == CLOSED else 0.0
        if case.bits[best] - handicap[best] < self._bar + case.extra - watched:
            return
        again = case.state == CLOSED
        case.hypothesis = best
        case.state = OPEN
        case.odds = case.bits[best] - flood.HANDICAP[best] - (case.extra - watched)
        if not again:
            case.raised = now
        total = case.bits[best] - sum(seen.bits[best] for seen in case.ledger)
        for seen in case.ledger:
            total += seen.bits[best]
            self._give_out_entry(case, seen, total)
        self._give_out(case, REOPENED if again else RAISED, now, call.key, len(case.ledger))

    def _give_out_entry(self, case: Case, seen: Seen, total: float) -> None:
        bits = seen.bits[case.hypothesis]
        self.entries.append(
            Entry(
                seen.at, case.subject, seen.call, seen.caller, case.raised, seen.value, bits, total,
                seen.what, flood.NAME,
            )
        )  # fmt: skip

    def _give_out(self, case: Case, what: int, at: int, call: int, given: int = 0) -> None:
        bits = case.bits[case.hypothesis]
        self.outcomes.append(
            Outcome(
                at, case.subject, call, case.raised, case.last, case.began, bits, case.odds, case.calls, case.entries,
                given, flood.NAME, what, case.hypothesis,
            )
        )  # fmt: skip


def _note(profile: Profile, now: int) -> Note:
    calls = max(profile.calls, 1.0)
    return Note(
        calls=profile.calls,
        unanswered=profile.unanswered / calls,
        dropped=profile.dropped / calls,
        talks=profile.talks,
        age=(now - profile.first) / (DAY / SECOND),
        home=min((now - profile.home) // 3_600, memory.AWAY) if profile.home else memory.AWAY,
    )


def _profile_end(profile: Profile, moment: Moment) -> None:
    if moment.answer == NEVER:
        profile.unanswered += 1
    elif moment.time - moment.answer <= DROPPED:
        profile.dropped += 1
    elif moment.time - moment.answer >= TALK:
        profile.talks += 1


def _pair_is_stale(pair: Pair, now: int) -> bool:
    life = memory.PAIR_LIFE if pair.talks > 0 else memory.STRANGER_LIFE
    return now - pair.seen > life // SECOND


def _relation(pair: Pair, row: Row, now: int) -> int:
    if pair.talks > 0:
        return KNOWN
    if row.callee in pair.called and row.callee != row.caller:
        return CALLED if now - pair.called[row.callee] < memory.CALL_BACK // SECOND else KNOWN
    return HEARD if row.caller in pair.called else STRANGER


def _end_pair(pair: Pair, caller: int, talk: int) -> None:
    if talk >= TALK:
        pair.talks += 1
        pair.tries.clear()
        pair.drops.clear()
    elif talk <= DROPPED:
        pair.drops[caller] += 1


def _is_nothing_yet(line: Line, call: Call, now: int) -> bool:
    if call.relation == KNOWN:
        return call.tries > 0
    late = line.last_unknown == 0 or now - line.last_unknown > flood.HOPELESS
    return late and call.relation != WITHHELD and call.tries == 0


def _case_is_stale(case: Case, now: int) -> bool:
    told = case.state == CLOSED and now - case.closed > flood.RETURN
    return (case.state == QUIET or told) and now - case.seen > flood.QUIET_LIFE


def _slice(now: int) -> int:
    return now % DAY // (DAY // SLICES)


def _learn(line: Line, relation: int, now: int) -> None:
    if relation == WITHHELD:
        line.withheld += 1
    elif relation in {STRANGER, HEARD}:
        line.strangers[_slice(now)] += 1
    else:
        line.known += 1


def _restart(case: Case) -> None:
    case.bits = (0.0, 0.0, 0.0)
    case.entries = 0
    case.ledger.clear()
    case.calls = 0


def _talkative(case: Case) -> float:
    return min(1.0 + case.talks, flood.MOST_TALKATIVE)


def _count(case: Case, call: Call, now: int) -> None:
    case.counted = call.key
    case.last_before = case.last
    if case.calls > 0:
        gap = (now - case.last) / SECOND
        case.pace = _single(gap if case.calls == 1 else case.pace + (gap - case.pace) / min(case.calls, 16))
    case.last = now
    case.calls += 1


def _limited(sum_: float, gain: float, limit: float, beyond: float = 0.1) -> float:
    before = min(sum_, limit) + beyond * max(sum_ - limit, 0.0)
    after = min(sum_ + gain, limit) + beyond * max(sum_ + gain - limit, 0.0)
    return after - before


# How calls come in, and whether the line is popular.


def _learn_way(line: Line, call: Call) -> None:
    if call.ingress == 0:
        return
    line.own = _moved(line.own, call.ingress == tables.SUBSCRIBER)
    line.abroad = _moved(line.abroad, call.ingress == tables.INTERNATIONAL)
    if call.ingress != tables.SUBSCRIBER and call.trunk != 0:
        trunk = 1 + (call.trunk & 0xFFFF) % 255
        if line.last_trunk != 0:
            line.same_trunk = _moved(line.same_trunk, line.last_trunk == trunk)
        line.last_trunk = trunk


def _moved(share: int, happened: bool) -> int:
    return (share * 15 + (255 if happened else 0) + 8) // 16


def _is_verified(call: Call, note: Note) -> bool:
    return call.ingress == tables.SUBSCRIBER and note.life and call.numbers <= ways._PHONE_NUMBERS


def _is_borrowed(call: Call, note: Note) -> bool:
    if call.ingress == tables.INTERNATIONAL:
        return note.home < ways._AT_HOME_TODAY
    return call.ingress == tables.DOMESTIC and note.home < ways._AT_HOME


def _verified_bits(line: Line, least: float) -> float:
    return math.log2(ways.VERIFIED / min(max(line.own / 255.0, least), ways._MOST_OWN))


def _outside_bits(line: Line) -> float:
    return math.log2((1.0 - ways.VERIFIED) / max(1.0 - line.own / 255.0, ways._LEAST_OUTSIDE))


def _trunk_bits(case: Case, line: Line, call: Call) -> float:
    if call.ingress <= tables.SUBSCRIBER or call.trunk == 0:
        return 0.0
    mark = (call.trunk >> 8) & 63
    used = len(case.trunks)
    known = mark in case.trunks
    case.trunks.add(mark)
    if used == 0:
        return 0.0
    fresh = (1.0 - max(line.same_trunk / 255.0, ways._LEAST_SAME)) ** min(used, 8)
    new = float(ways._NEW_TRUNK[min(used, 5) - 1])
    if known:
        return min(max(math.log2((1.0 - new) / (1.0 - fresh)), 0.0), ways._TRUNK_BITS)
    return max(min(math.log2(new / fresh), 0.0), -ways._TRUNK_BITS)


def _unlike(case: Case, hang_up: float, linger: float, borrowed: float) -> None:
    gains = (hang_up, linger, borrowed)
    case.unlike = [
        _single(max(bits + gain, popular._FLOOR)) for bits, gain in zip(case.unlike, gains, strict=True)
    ]


def _popular_stranger(case: Case, line: Line, call: Call, note: Note) -> float:
    if call.ingress == tables.SUBSCRIBER:
        return _verified_bits(line, popular._LEAST_OWN) if _is_verified(call, note) else 0.0
    if call.ingress == tables.INTERNATIONAL:
        gain = min(popular._FROM_ABROAD, max(popular._MOST_FROM_ABROAD - case.abroad, 0.0))
        case.abroad += gain
        return gain
    if call.ingress == tables.DOMESTIC:
        return _outside_bits(line) + (popular._LIFE if note.life else popular._NO_LIFE)
    return popular._LIFE_ANYWHERE if note.life else popular._NO_LIFE_ANYWHERE


def _unknown_ends(case: Case, end: int, again: bool) -> None:
    hang_up, linger = popular._ENDS[end].tolist()
    if again:
        half = 0.5 if end == 0 else 0.0
        hang_up = hang_up * half if hang_up > 0 else hang_up
        linger = min(linger, 0.0)
    _unlike(case, hang_up, linger, hang_up)


def _repeated(case: Case, gain: float) -> float:
    bits = _limited(case.again, gain, 9.0)
    case.again += gain
    return bits


def _times(bits: Bits, factor: float) -> Bits:
    return bits[0] * factor, bits[1] * factor, bits[2] * factor


_MIXTURE = tuple(zip(flood.SHARES, flood.MEANS, strict=True))


def _rows(table: Any) -> list[Bits]:
    """A table of weights as plain tuples."""
    return [(float(row[0]), float(row[1]), float(row[2])) for row in table]


_ENDS = [_rows(flood.ENDS[0]), _rows(flood.ENDS[1])]
_CALLERS = _rows(flood.CALLERS)
_TALKS = _rows(flood.TALKS)


def soon_bits(gap: float, rate: float, share: float, scale: float) -> float:
    """Bits for a call that comes `gap` seconds after the last of its sort (see `flood.soon_bits`)."""
    attack = sum(part / mean * math.exp(-gap / mean) for part, mean in _MIXTURE)
    own = rate / 86_400.0
    ordinary = (1.0 - share) * own * math.exp(-own * gap) + share / scale * math.exp(-gap / scale)
    return math.log2((attack + 1e-12) / (ordinary + 1e-12))


def _end_answered(span: int) -> int:
    if span <= DROPPED:
        return weights.END_DROPPED
    return weights.END_SHORT if span <= 8 * SECOND else weights.END_LONG


def _end_unanswered(span: int, cause: int) -> int:
    if cause == memory.UNKNOWN_END:
        return weights.END_LOST
    if cause in flood._ENGAGED:
        return weights.END_ENGAGED
    if cause not in flood._RANG:
        return weights.END_NOT_REACHED
    return weights.END_RANG_ONCE if 0 < span <= 6 * SECOND else weights.END_RANG_OUT
