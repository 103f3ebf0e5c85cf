"""The pass in two steps, in compiled code.

A moment is delivered to the shard of its caller and to the shard of its callee, so that shards can run apart and still give
the same alerts:

1. `follow`: what callers do. For every set-up, the caller's shard writes a note about the caller.
2. `judge`: what lines live through. The callee's shard reads the note and runs the detectors.

Both stop where a table must make room, and say how far they came.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from ringfence.compiled import borrowed, entry, jit
from ringfence.detect.detectors import (
    DETECTORS,
    borrow_cases,
    cases_full,
    on_answer,
    on_end,
    on_quiet,
    on_setup,
    on_tick,
)
from ringfence.detect.evidence import LEDGER, Out, Scene
from ringfence.detect.memory import (
    CALL_LIFE,
    CALLED,
    KNOWN,
    MINUTE,
    RING_MINUTES,
    TALK,
    UNKNOWN_END,
    WITHHELD,
    age_line,
    call_pair,
    end_pair,
    learn_line,
    note_of,
    pair_key,
    profile_call,
    profile_end,
    relation_of,
    renew_pair,
    renew_profile,
    try_pair,
)
from ringfence.detect.moments import ANSWER, END, SETUP
from ringfence.detect.table import borrow_table, claim, find, is_full, mix, remove
from ringfence.model.calls import NEVER

SUBSCRIBER: Final = 1
"""Code of the ingress `subscriber`; 0: not known."""

_ROOM: Final = (LEDGER + 4) * 2 * max(len(DETECTORS), 1)
"""Entries that one moment can write at the most."""


@jit
def shard_of(number: int, shards: int) -> Any:
    """The shard a number belongs to."""
    return np.int64(np.uint64(mix(number, 3)) % np.uint64(shards))


class State(NamedTuple):
    """The arrays of a shard that `judge` works on; tables are (rows, count)."""

    lines: Any
    pairs: Any
    calls: Any
    ticks: Any  # int64[n, 2], ring of (time, call): every tick is one minute on, so the ring stays in order
    ends: Any  # int64[2], the ring's head and tail
    blank: Any  # one empty CALL
    cases: Any  # one table a detector


class Ask(NamedTuple):
    """What the pass is asked to do: which shard of how many, which detectors, at which thresholds."""

    shard: int
    shards: int
    enabled: int
    born: int
    thresholds: Any


@jit
def _borrow_ask(ask: Ask) -> Ask:
    return Ask(ask.shard, ask.shards, ask.enabled, ask.born, borrowed(ask.thresholds))


@jit
def _borrow_state(state: State) -> State:
    return State(
        borrow_table(state.lines),
        borrow_table(state.pairs),
        borrow_table(state.calls),
        borrowed(state.ticks),
        borrowed(state.ends),
        borrowed(state.blank),
        borrow_cases(state.cases),
    )


@entry
def follow(moments: Any, notes: Any, first: int, ask: Ask, profiles: Any) -> int:
    """Step 1: what callers do. Returns how far it came before the table must make room."""
    rows, count = profiles
    for i in range(first, len(moments)):
        m = moments[i]
        if is_full(profiles):
            return i
        if m.caller != 0 and (ask.shards == 1 or shard_of(m.caller, ask.shards) == ask.shard):
            if m.kind == SETUP:
                profile = rows[claim(rows, count, m.caller)]
                renew_profile(profile, m.time)
                note_of(profile, notes[i], m.time)
                profile_call(profile, m.callee, m.caller_device)
            elif m.kind == END:
                place = find(rows, m.caller)
                if place >= 0:
                    profile_end(rows[place], m.answer, m.time)
        talked = m.kind == END and m.answer != NEVER and m.time - m.answer >= TALK
        if talked and (ask.shards == 1 or shard_of(m.callee, ask.shards) == ask.shard):
            profile = rows[claim(rows, count, m.callee)]
            renew_profile(profile, m.time)
            profile.talks += 1
    return len(moments)


@jit
def _open_call(m: Any, calls: Any, pairs: Any) -> Any:
    """Write down a call that begins, and how its caller stands to the line."""
    call = calls[0][claim(calls[0], calls[1], m.call)]
    call.seen = m.time
    call.caller = m.caller
    call.callee = m.callee
    call.start = m.time
    call.answer = NEVER
    call.minutes = 0
    call.tries = 0
    call.drops = 0
    call.before = 0
    call.pair = 0
    call.relation = WITHHELD
    if m.caller != 0:
        call.pair = pair_key(m.callee, m.caller)
        pair = pairs[0][claim(pairs[0], pairs[1], call.pair)]
        renew_pair(pair, m.time)
        call.relation = relation_of(pair, m.time)
        call.tries, call.drops, call.before = try_pair(pair, m.time)
    return call


@jit
def _line_rings(m: Any, note: Any, ask: Ask, state: State, scene: Scene) -> None:
    """A set-up, seen from the called line."""
    line = state.lines[0][claim(state.lines[0], state.lines[1], m.callee)]
    age_line(line, m.time)
    call = _open_call(m, state.calls, state.pairs)
    on_setup(ask.enabled, state.cases, ask.thresholds, scene, line, call, note)
    _schedule(m.time + MINUTE, m.call, state)
    if call.relation == KNOWN:
        line.last_known = m.time
    elif call.relation == WITHHELD or (call.relation != CALLED and call.tries == 0):
        line.last_unknown = m.time
    if call.tries == 0 and m.time >= line.frozen:
        learn_line(line, call.relation, m.time)


@jit
def _line_answers(m: Any, ask: Ask, state: State, scene: Scene) -> None:
    """An answer, seen from the called line."""
    place = find(state.calls[0], m.call)
    if place < 0:
        return
    call = state.calls[0][place]
    if m.time - call.seen > CALL_LIFE:
        return
    call.answer = m.time
    call.seen = m.time
    call.minutes = 0
    _schedule(m.time + MINUTE, m.call, state)
    on_answer(ask.enabled, state.cases, ask.thresholds, scene, call)


@jit
def _schedule(time: int, call: int, state: State) -> None:
    place = state.ends[1] % len(state.ticks)
    state.ticks[place, 0] = time
    state.ticks[place, 1] = call
    state.ends[1] += 1


@jit
def _line_is_left(m: Any, ask: Ask, state: State, scene: Scene) -> None:
    """An end, seen from the called line."""
    place = find(state.calls[0], m.call)
    if place >= 0:
        _end_call(place, m.cause, ask, state, scene)


@jit
def _end_call(place: int, cause: int, ask: Ask, state: State, scene: Scene) -> None:
    """Let a call be over."""
    call = state.calls[0][place]
    if scene.now - call.seen > CALL_LIFE:
        remove(state.calls[0], state.calls[1], state.blank, place)
        return
    on_end(ask.enabled, state.cases, ask.thresholds, scene, call, np.int64(cause))
    if call.pair != 0:
        known = find(state.pairs[0], call.pair)
        if known >= 0:
            end_pair(state.pairs[0][known], call.answer, scene.now)
    remove(state.calls[0], state.calls[1], state.blank, place)


@jit
def _line_calls(m: Any, pairs: Any) -> None:
    """A moment seen from the calling line: whom one rings, one knows."""
    key = pair_key(m.caller, m.callee)
    if m.kind == SETUP:
        pair = pairs[0][claim(pairs[0], pairs[1], key)]
        renew_pair(pair, m.time)
        call_pair(pair, m.time)
    elif m.kind == END and m.answer != NEVER and m.time - m.answer >= TALK:
        place = find(pairs[0], key)
        if place >= 0:
            end_pair(pairs[0][place], m.answer, m.time)


@jit
def _pass_minutes(until: int, ask: Ask, state: State, out: Out) -> bool:
    """Let the minutes pass up to and including `until`; False if there is no room to write."""
    size = len(state.ticks)
    while state.ends[0] < state.ends[1] and state.ticks[state.ends[0] % size, 0] <= until:
        if out.counts[1] + _ROOM > len(out.entries) or out.counts[0] + _ROOM > len(out.outcomes):
            return False
        now = state.ticks[state.ends[0] % size, 0]
        place = find(state.calls[0], state.ticks[state.ends[0] % size, 1])
        state.ends[0] += 1
        if place < 0:
            continue
        call = state.calls[0][place]
        since = call.start if call.answer == NEVER else call.answer
        if since + (call.minutes + 1) * MINUTE != now:
            continue
        call.minutes += 1
        scene = Scene(now, ask.born, 0.0, 0, out)
        if call.answer == NEVER:
            if call.minutes < RING_MINUTES:
                _schedule(now + MINUTE, call.key, state)
            else:
                _end_call(place, UNKNOWN_END, ask, state, scene)
            continue
        on_tick(ask.enabled, state.cases, ask.thresholds, scene, call)
        if now - call.answer < CALL_LIFE:
            _schedule(now + MINUTE, call.key, state)
    return True


@jit
def _has_room(state: State, out: Out) -> bool:
    return not (
        out.counts[1] + _ROOM > len(out.entries)
        or out.counts[0] + _ROOM > len(out.outcomes)
        or is_full(state.lines)
        or is_full(state.pairs)
        or is_full(state.calls)
        or state.ends[1] - state.ends[0] >= len(state.ticks) - 2
        or cases_full(state.cases)
    )


@entry
def judge(moments: Any, notes: Any, first: int, ask: Ask, state: State, out: Out) -> int:
    """Step 2: what lines live through. Returns how far it came before room must be made."""
    moments = borrowed(moments)
    notes = borrowed(notes)
    ask = _borrow_ask(ask)
    state = _borrow_state(state)
    out = Out(borrowed(out.outcomes), borrowed(out.entries), borrowed(out.counts))
    for i in range(first, len(moments)):
        m = moments[i]
        called = ask.shards == 1 or shard_of(m.callee, ask.shards) == ask.shard
        # whom a number of another network rings is of no use: its line is not ours to protect
        own = m.caller != 0 and m.ingress <= SUBSCRIBER
        calling = own and (ask.shards == 1 or shard_of(m.caller, ask.shards) == ask.shard)
        if not called and not calling:
            continue
        if not _has_room(state, out) or not _pass_minutes(m.time, ask, state, out):
            return i
        if called:
            scene = Scene(m.time, ask.born, 0.0, 0, out)
            if m.kind == SETUP:
                _line_rings(m, notes[i], ask, state, scene)
            elif m.kind == ANSWER:
                _line_answers(m, ask, state, scene)
            else:
                _line_is_left(m, ask, state, scene)
        if calling:
            _line_calls(m, state.pairs)
    return len(moments)


@entry
def advance(until: int, ask: Ask, state: State, out: Out) -> bool:
    """Let time pass up to and including `until` (µs) without a moment; False if it must be called again."""
    return _pass_minutes(until, ask, state, out)


@entry
def settle(detector: int, subject: int, until: int, ask: Ask, state: State, out: Out) -> None:
    """Let a detector close the open case of a subject if it is over before `until` (µs)."""
    on_quiet(1 << detector, state.cases, ask.thresholds, Scene(until, ask.born, 0.0, 0, out), subject)
