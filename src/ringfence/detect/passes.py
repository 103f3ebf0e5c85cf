"""The pass in three steps, in compiled code.

A moment is delivered to the shard of its caller and to the shard of its callee, so that shards can run apart and still give
the same alerts. Each step goes through all moments of a window with one sort of table at hand:

1. `relate`: who knows whom. The shards of both numbers remember the pair; the callee's writes the relation into the call.
   The shard of the phone it came from writes how many numbers call from that phone.
2. `originate`: what callers do. The caller's shard writes into the call what is known of the caller; it and the shard of the
   called phone, whom a stranger held there lately.
3. `terminate`: what lines live through, whom their owners ring, and what they pay. The callee's shard runs the detectors, the caller's
   those that follow its owner.

Every step stops where a table must make room, and says how far it came. Rows that will be needed are asked for some
moments ahead: the tables of a city do not fit into the processor's caches, and waiting for memory would take most of the
time.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from ringfence.compiled import borrowed, entry, jit, prefetch, routine
from ringfence.detect.detectors import (
    DETECTORS,
    borrow_cases,
    expect_cases_of_caller,
    expect_cases_of_line,
    expect_cases_of_owner,
    on_answer,
    on_end,
    on_home,
    on_originate,
    on_outgoing,
    on_outgoing_end,
    on_outgoing_tick,
    on_payment,
    on_quiet,
    on_release,
    on_setup,
    on_tick,
    room_for_cases,
)
from ringfence.detect.evidence import (
    LEDGER,
    Notebook,
    Out,
    Scene,
    borrow_notebook,
    borrow_out,
    room_in_notebook,
)
from ringfence.detect.memory import (
    CALLED,
    DAY,
    EMERGENCY,
    HOUSEHOLD,
    KNOWN,
    LONG,
    MINUTE,
    SAME_CALLER,
    SAME_PHONE,
    SECOND,
    TALK,
    UNKNOWN_END,
    WITHHELD,
    acquainted_for,
    age_line,
    beyond_usual,
    direction,
    end_pair,
    held_key,
    is_held,
    is_new,
    learn_cell,
    learn_line,
    learn_payment,
    moves_pair,
    note_caller,
    note_hold,
    number_in_device,
    pair_key,
    payee_key,
    profile_call,
    profile_end,
    relation_of,
    renew_pair,
    renew_profile,
    try_pair,
)
from ringfence.detect.moments import (
    ANSWER,
    END,
    PAID,
    SETUP,
    TICK,
    Window,
    kind_of,
    payment_of,
    row_of,
    time_of,
)
from ringfence.detect.rules import Rules, borrow_rules, is_emergency
from ringfence.detect.table import (
    borrow_marked,
    borrow_table,
    claim,
    claim_marked,
    expect,
    expect_marked,
    find,
    find_marked,
    mix,
    room_in,
)
from ringfence.detect.ways import learn_way
from ringfence.model.calls import NEVER
from ringfence.model.tables import SUBSCRIBER

_ROOM: Final = (LEDGER + 4) * 2 * max(len(DETECTORS), 1)
"""Entries that one moment can write at the most."""

_PHONE: Final[Any] = np.int64(
    SAME_PHONE
)  # of NumPy's int64, or Numba would compile what takes them anew for each
_CALLER: Final[Any] = np.int64(SAME_CALLER)

_AHEAD: Final = 12
"""Moments between asking for a row and using it: about the time that memory takes."""


@jit
def shard_of(number: int, shards: int) -> Any:
    """The shard a number belongs to."""
    return np.int64(np.uint64(mix(number, 3)) % np.uint64(shards))


class Ask(NamedTuple):
    """What the pass is asked to do: which shard of how many, which detectors, at which thresholds."""

    shard: int
    shards: int
    enabled: int
    born: int
    thresholds: Any
    rules: Rules


class State(NamedTuple):
    """What the steps after the first work on; tables are (rows, count)."""

    lines: Any
    profiles: Any
    pairs: Any
    holds: Any
    money: Any
    cases: Any  # one table a detector
    notebook: Notebook


@jit
def _mine(number: int, ask: Ask) -> bool:
    return ask.shards == 1 or shard_of(number, ask.shards) == ask.shard


@jit
def _borrow_window(window: Window) -> Window:
    calls, plans = borrowed(window.calls), borrowed(window.plans)
    return Window(borrowed(window.keys), window.base, calls, plans, borrowed(window.payments))


@jit
def _borrow_ask(ask: Ask) -> Ask:
    return Ask(
        ask.shard, ask.shards, ask.enabled, ask.born, borrowed(ask.thresholds), borrow_rules(ask.rules)
    )


@jit
def _borrow_state(state: State) -> State:
    return State(
        borrow_table(state.lines),
        borrow_table(state.profiles),
        borrow_table(state.pairs),
        borrow_marked(state.holds),
        borrow_table(state.money),
        borrow_cases(state.cases),
        borrow_notebook(state.notebook),
    )


@jit
def _room(state: State, out: Out, now: int) -> int:
    """For how many moments there is room at the least."""
    written = min((len(out.entries) - out.counts[1]) // _ROOM, (len(out.outcomes) - out.counts[0]) // _ROOM)
    tables = min(room_in(state.lines), room_in(state.profiles), room_for_cases(state.cases))
    seldom = min(room_in(state.holds), room_in(state.money))
    return min(written, tables, seldom, room_in_notebook(state.notebook, now))


@jit
def was_helped(call: Any, pairs: Any, rules: Rules) -> int:
    """1 if the called line rang an emergency service lately."""
    place = find(pairs[0], pair_key(call.callee, EMERGENCY))
    if place < 0:
        return 0
    return 1 if call.start // SECOND - np.int64(pairs[0][place].seen) <= rules.call_back else 0


@jit
def _concerns_pair(key: int, plans: Any) -> bool:
    kind = kind_of(key)
    if kind != END:
        return kind == SETUP
    plan = plans[row_of(key)]
    return moves_pair(plan.answer, plan.end)


@jit
def _may_be_help(pair: Any, call: Any, rules: Rules) -> bool:
    """Whether a caller may be an emergency service that rings back: not whom the line has known for longer than such a call takes."""
    if call.relation != KNOWN:
        return True
    return call.start // SECOND - np.int64(pair.first) <= rules.call_back


@entry
def relate(window: Window, first: int, ask: Ask, pairs: Any, devices: Any) -> int:
    """Step 1: who knows whom. Returns how far it came before a table must make room."""
    keys, base, calls, plans, _ = _borrow_window(window)
    ask = _borrow_ask(ask)
    pairs = borrow_table(pairs)
    devices = borrow_table(devices)
    for i in range(first, len(keys)):
        if i + 2 * _AHEAD < len(keys):
            prefetch(calls, row_of(keys[i + 2 * _AHEAD]))
            prefetch(plans, row_of(keys[i + 2 * _AHEAD]))
            if _concerns_pair(keys[i + _AHEAD], plans):
                expect(pairs, calls[row_of(keys[i + _AHEAD])].pair)
                expect(devices, calls[row_of(keys[i + _AHEAD])].caller_device)
        if not _concerns_pair(keys[i], plans):
            continue
        kind = kind_of(keys[i])
        row = row_of(keys[i])
        call = calls[row]
        if call.caller == 0:
            continue
        if kind == SETUP:
            if min(room_in(pairs), room_in(devices)) <= 0:
                return i
            if call.caller_device != 0 and call.ingress <= SUBSCRIBER and _mine(call.caller_device, ask):
                number_in_device(devices[0][claim(devices[0], devices[1], call.caller_device)], call)
        called = _mine(call.callee, ask)
        if not called and not _mine(call.caller, ask):
            continue
        way = direction(call.caller, call.callee)
        if kind == SETUP:
            pair = pairs[0][claim(pairs[0], pairs[1], call.pair)]
            renew_pair(pair, call.start)
            if called:
                call.relation = relation_of(pair, way, call.start)
                call.acquainted = acquainted_for(pair, way, call.start)
                if call.ingress != SUBSCRIBER and _may_be_help(pair, call, ask.rules):
                    call.helped = was_helped(call, pairs, ask.rules)
            try_pair(pair, way, call)
            if is_emergency(call.callee, ask.rules) and _mine(call.caller, ask):
                helped = pairs[0][claim(pairs[0], pairs[1], pair_key(call.caller, EMERGENCY))]
                renew_pair(helped, call.start)
        else:
            place = find(pairs[0], call.pair)
            if place >= 0:
                end_pair(pairs[0][place], way, plans[row].answer, time_of(keys[i], base))
    return len(keys)


@entry
def acquaint(calls: Any, first: int, now: int, ask: Ask, pairs: Any) -> int:
    """Let people whose talk was told too late to be judged know each other; returns how far it came before room must be made.

    Args:
        calls: int64[n, 4], caller, callee, answer and end (µs).
        first: row to begin with.
        now: µs, the first moment that is not judged yet.
        ask: which shard.
        pairs: the table, as (rows, count).
    """
    ask = _borrow_ask(ask)
    pairs = borrow_table(pairs)
    for i in range(first, len(calls)):
        if room_in(pairs) <= 0:
            return i
        caller, callee = calls[i, 0], calls[i, 1]
        if _mine(caller, ask) or _mine(callee, ask):
            pair = pairs[0][claim(pairs[0], pairs[1], pair_key(caller, callee))]
            renew_pair(pair, now)
            end_pair(pair, direction(caller, callee), calls[i, 2], calls[i, 3])
    return len(calls)


@jit
def _expect_callers(key: int, calls: Any, plans: Any, state: State) -> None:
    kind = kind_of(key)
    if kind in (SETUP, END):
        row = row_of(key)
        profiles = state.profiles
        expect(profiles, calls[row].caller)
        expect_cases_of_caller(state.cases, calls[row].caller)
        if kind == SETUP and is_new(calls[row]):
            expect_marked(state.holds, held_key(calls[row].callee_device, SAME_PHONE))
        if kind == END and _was_talk(plans[row]):
            expect(profiles, calls[row].callee)


@jit
def _was_talk(plan: Any) -> bool:
    return plan.answer != NEVER and plan.end - plan.answer >= TALK


@routine
def _find_held(holds: Any, call: Any, what: int, salt: int) -> None:
    """Write into a stranger's call who was held before, in the same phone or, if none was, by the same caller."""
    place = find_marked(holds, held_key(what, salt))
    if place < 0:
        return
    hold = holds[0][place]
    if is_held(hold, call.callee, call.start) and (salt == SAME_PHONE or call.link == 0):
        call.other, call.link, call.held = hold.line, salt, min(hold.minutes, 255)


@routine
def _hold(holds: Any, what: int, salt: int, line: int, now: int, minutes: float) -> None:
    """Remember that a stranger held somebody for long, in a phone or by a caller."""
    note_hold(holds[0][claim_marked(holds, held_key(what, salt))], line, now, minutes)


@entry
def originate(window: Window, first: int, ask: Ask, state: State, out: Out) -> int:
    """Step 2: what callers do. Returns how far it came before room must be made."""
    keys, base, calls, plans, _ = _borrow_window(window)
    ask = _borrow_ask(ask)
    state = _borrow_state(state)
    out = borrow_out(out)
    rows, count = state.profiles
    checked = first
    # One body: functions that take all of the state would have to be compiled for ten times as long.
    for i in range(first, len(keys)):
        if i + 2 * _AHEAD < len(keys):
            prefetch(calls, row_of(keys[i + 2 * _AHEAD]))
            prefetch(plans, row_of(keys[i + 2 * _AHEAD]))
            _expect_callers(keys[i + _AHEAD], calls, plans, state)
        now = time_of(keys[i], base)
        if i == checked:
            room = _room(state, out, now)
            if room <= 0:
                return i
            checked = i + room
        kind = kind_of(keys[i])
        if kind not in (SETUP, END):
            continue
        row = row_of(keys[i])
        call = calls[row]
        mine = call.caller != 0 and _mine(call.caller, ask)
        scene = Scene(now, ask.born, 0.0, 0, ask.rules, state.notebook, out)
        if kind == SETUP:
            if is_new(call):
                if call.callee_device != 0 and _mine(call.callee_device, ask):
                    _find_held(state.holds, call, call.callee_device, _PHONE)
                if mine:
                    _find_held(state.holds, call, call.caller, _CALLER)
            if mine:
                profile = rows[claim(rows, count, call.caller)]
                renew_profile(profile, now, ask.rules)
                note_caller(profile, call)
                on_originate(ask.enabled, state.cases, ask.thresholds, scene, profile, call)
                profile_call(profile, call)
                if call.ingress == SUBSCRIBER:
                    profile.home = now // SECOND
        else:
            answer = plans[row].answer
            if mine and plans[row].lost == 0:
                place = find(rows, call.caller)
                if place >= 0:
                    profile_end(rows[place], answer, now)
                    on_release(ask.enabled, state.cases, ask.thresholds, scene, rows[place], call, answer)
            talk = now - answer if answer != NEVER else 0
            if talk >= TALK and _mine(call.callee, ask):
                profile = rows[claim(rows, count, call.callee)]
                renew_profile(profile, now, ask.rules)
                profile.talks += 1
                profile.received = min(np.int64(profile.received) + 1, 255)
                if call.callee_cell != 0:
                    on_home(ask.enabled, state.cases, ask.thresholds, scene, profile, call)
                    profile.home = now // SECOND
            if talk >= LONG and is_new(call):
                if call.callee_device != 0 and _mine(call.callee_device, ask):
                    _hold(state.holds, call.callee_device, _PHONE, call.callee, now, talk / MINUTE)
                if mine:
                    _hold(state.holds, call.caller, _CALLER, call.callee, now, talk / MINUTE)
    return len(keys)


@routine
def _know_each_other(pairs: Any, call: Any) -> bool:
    """Whether the called line and the call's other one had to do with each other a day ago or earlier.

    The table is a window ahead: it is asked only for what cannot have changed since.
    """
    place = find(pairs, pair_key(call.callee, call.other))
    return place >= 0 and call.start // SECOND - np.int64(pairs[place].first) > DAY // SECOND


@routine
def _book(money: Any, payment: Any, now: int) -> tuple[bool, float, int]:
    """Take a transfer in: whether its payee was paid before, how far the sum lies beyond the payer's past, and of how many."""
    rows, count = money
    payer = rows[claim(rows, count, payment.callee)]
    beyond = beyond_usual(payer, payment.amount, now)
    known = False
    if payment.caller != 0:
        payee = rows[claim(rows, count, payee_key(payment.callee, payment.caller))]
        known = payee.count > 0
        learn_payment(payee, payment.amount, now)
    before: Any = np.int64(payer.count)
    learn_payment(payer, payment.amount, now)
    return known, beyond, before


@jit
def _line_rings(call: Any, ask: Ask, state: State, scene: Scene) -> None:
    """A set-up, seen from the called line."""
    line = state.lines[0][claim(state.lines[0], state.lines[1], call.callee)]
    age_line(line, scene.now)
    call.abroad = line.abroad
    if call.callee_cell != 0:
        call.elsewhere = learn_cell(line, call.callee_cell, scene.now)
    if call.link == SAME_CALLER and _know_each_other(state.pairs[0], call):
        call.link = HOUSEHOLD
    on_setup(ask.enabled, state.cases, ask.thresholds, scene, line, call)
    if call.relation == KNOWN:
        line.last_known = scene.now // SECOND
    elif call.relation == WITHHELD or (call.relation != CALLED and call.tries == 0):
        line.last_unknown = scene.now
    if call.tries == 0 and scene.now // SECOND >= np.int64(line.frozen):
        learn_line(line, call.relation, scene.now)
        learn_way(line, call)


@jit
def _expect_lines(key: int, window: Window, state: State) -> None:
    if kind_of(key) == PAID:
        return
    coming = window.calls[row_of(key)]
    expect_cases_of_line(state.cases, coming.callee)
    if kind_of(key) in (SETUP, END):
        expect_cases_of_owner(state.cases, coming.caller)
    if kind_of(key) == SETUP:
        expect(state.lines, coming.callee)


@entry
def terminate(window: Window, first: int, ask: Ask, state: State, out: Out) -> int:
    """Step 3: what lines live through. Returns how far it came before room must be made."""
    window = _borrow_window(window)
    keys, base, calls, plans, payments = window
    ask = _borrow_ask(ask)
    state = _borrow_state(state)
    out = borrow_out(out)
    checked = first
    for i in range(first, len(keys)):
        if i + 2 * _AHEAD < len(keys):
            prefetch(calls, row_of(keys[i + 2 * _AHEAD]))
            _expect_lines(keys[i + _AHEAD], window, state)
        now = time_of(keys[i], base)
        if i == checked:
            room = _room(state, out, now)
            if room <= 0:
                return i
            checked = i + room
        kind = kind_of(keys[i])
        scene = Scene(now, ask.born, 0.0, 0, ask.rules, state.notebook, out)
        if kind == PAID:
            payment = payments[payment_of(keys[i], len(payments))]
            if _mine(payment.callee, ask):
                known, beyond, before = _book(state.money, payment, now)
                on_payment(ask.enabled, state.cases, ask.thresholds, scene, payment, known, beyond, before)
            continue
        row = row_of(keys[i])
        call = calls[row]
        if kind == END:
            call.released = plans[row].released_by
        if call.caller != 0 and _mine(call.caller, ask):
            if kind == SETUP:
                on_outgoing(ask.enabled, state.cases, ask.thresholds, scene, call)
            elif kind == TICK and now - plans[row].answer >= LONG:
                on_outgoing_tick(ask.enabled, state.cases, ask.thresholds, scene, call, plans[row].answer)
            elif kind == END and plans[row].lost == 0:
                on_outgoing_end(ask.enabled, state.cases, ask.thresholds, scene, call, plans[row].answer)
        if not _mine(call.callee, ask):
            continue
        if kind == SETUP:
            _line_rings(call, ask, state, scene)
        elif kind == ANSWER:
            call.answer = plans[row].answer
            on_answer(ask.enabled, state.cases, ask.thresholds, scene, call)
        elif kind == TICK:
            call.minutes += 1
            on_tick(ask.enabled, state.cases, ask.thresholds, scene, call)
        else:
            cause = np.int64(UNKNOWN_END if plans[row].lost else plans[row].cause)
            on_end(ask.enabled, state.cases, ask.thresholds, scene, call, cause)
    return len(keys)


@entry
def settle(episodes: Any, first: int, until: int, ask: Ask, state: State, out: Out) -> int:
    """Let detectors close the episodes (index of the detector and subject, int64[n, 2]) that are over before `until` (µs).

    Returns how far it came before room must be made.
    """
    for i in range(first, len(episodes)):
        if _room(state, out, until) <= 0:
            return i
        scene = Scene(until, ask.born, 0.0, 0, ask.rules, state.notebook, out)
        on_quiet(1 << episodes[i, 0], state.cases, ask.thresholds, scene, episodes[i, 1])
    return len(episodes)
