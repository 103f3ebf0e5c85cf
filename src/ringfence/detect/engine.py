"""The one pass: all detectors over all moments, in compiled code.

A shard holds everything about the lines that belong to it, in its own flat arrays; nothing is shared between shards. A
moment is delivered to the shard of its caller and to the shard of its callee. The pass has two steps, so that shards
can run apart and still give the same alerts:

1. `_follow`: what callers do. For every set-up, the caller's shard writes a note about the caller.
2. `_judge`: what lines live through. The callee's shard reads the note and runs the detectors.

A detector is a module of this package with a `NAME` and a `CASE`, the record it keeps for a number under suspicion; `flood`
shows the rest, CONTRIBUTING.md the shortest one. Of `on_setup`, `on_answer`, `on_tick`, `on_end` and `on_quiet` it has
those it needs. All that are found are chained into the pass; a bit mask says which of them run.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

import ringfence.detect
from ringfence.compiled import borrowed, entry, jit
from ringfence.detect.evidence import ENDED, ENTRY, LEDGER, OPEN, OUTCOME, Out, Scene, threshold_bits
from ringfence.detect.memory import (
    CALL,
    CALL_LIFE,
    KNOWN,
    LINE,
    LINE_LIFE,
    MINUTE,
    NOTE,
    PAIR,
    PAIR_LIFE,
    PROFILE,
    PROFILE_LIFE,
    RING_MINUTES,
    STRANGER_LIFE,
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
from ringfence.detect.table import FULL, Rows, Table, claim, find, mix, remove
from ringfence.model.calls import NEVER


def _detectors() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(ringfence.detect.__path__))
    modules = [
        importlib.import_module(f"{ringfence.detect.__name__}.{name}") for name in names if name != "engine"
    ]
    return [module for module in modules if hasattr(module, "CASE")]


DETECTORS: Final = _detectors()
"""The detectors found, by name; their place is their index in outcomes and entries."""

SUBSCRIBER: Final = 1
"""Code of the ingress `subscriber`; 0: not known."""

Handler = Callable[..., None]


@jit
def _nothing(*_: Any) -> None:
    pass


def _chain(moment: str, index: int = 0) -> Handler:
    """Put the detectors' functions for one sort of moment into one compiled function.

    Its arguments: a bit mask of the detectors that run, their tables, their thresholds, the scene; the rest is passed on.
    """
    if index == len(DETECTORS):
        return _nothing
    here: Handler = getattr(DETECTORS[index], moment, _nothing)
    rest = _chain(moment, index + 1)

    @jit
    def run(enabled: int, cases: Any, thresholds: Any, scene: Scene, *what: Any) -> None:
        if enabled & (1 << index):
            here(cases[0], Scene(scene.now, scene.born, thresholds[index], index, scene.out), *what)
        rest(enabled, cases[1:], thresholds, scene, *what)

    return run


def _chain_full(index: int = 0) -> Callable[..., bool]:
    """Whether any detector's table must make room."""
    if index == len(DETECTORS):
        return _never
    rest = _chain_full(index + 1)

    @jit
    def run(cases: Any) -> bool:
        return _is_full(cases[0]) or rest(cases[1:])

    return run


@jit
def _never(_: Any) -> bool:
    return False


@jit
def _is_full(table: Any) -> bool:
    return table[1][0] > len(table[0]) * FULL - 8


_on_setup = _chain("on_setup")
_on_answer = _chain("on_answer")
_on_tick = _chain("on_tick")
_on_end = _chain("on_end")
_on_quiet = _chain("on_quiet")
_cases_full = _chain_full()

_ROOM: Final = (LEDGER + 4) * 2 * max(len(DETECTORS), 1)
"""Entries that one moment can write at the most."""


@jit
def shard_of(number: int, shards: int) -> Any:
    """The shard a number belongs to."""
    return np.int64(np.uint64(mix(number, 3)) % np.uint64(shards))


class State(NamedTuple):
    """The arrays of a shard that `_judge` works on; tables are (rows, count)."""

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
def _borrow_table(table: Any) -> Any:
    return borrowed(table[0]), borrowed(table[1])


@jit
def _borrow_ask(ask: Ask) -> Ask:
    return Ask(ask.shard, ask.shards, ask.enabled, ask.born, borrowed(ask.thresholds))


def _chain_borrow(index: int = 0) -> Callable[..., Any]:
    """Borrow every detector's table."""
    if index == len(DETECTORS):
        return _none_borrowed
    rest = _chain_borrow(index + 1)

    @jit
    def run(cases: Any) -> Any:
        return (_borrow_table(cases[0]), *rest(cases[1:]))

    return run


@jit
def _none_borrowed(_: Any) -> Any:
    return ()


_borrow_cases = _chain_borrow()


@jit
def _borrow_state(state: State) -> State:
    return State(
        _borrow_table(state.lines),
        _borrow_table(state.pairs),
        _borrow_table(state.calls),
        borrowed(state.ticks),
        borrowed(state.ends),
        borrowed(state.blank),
        _borrow_cases(state.cases),
    )


@entry
def _follow(moments: Any, notes: Any, first: int, ask: Ask, profiles: Any) -> int:
    """Step 1: what callers do. Returns how far it came before the table must make room."""
    rows, count = profiles
    for i in range(first, len(moments)):
        m = moments[i]
        if _is_full(profiles):
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
    _on_setup(ask.enabled, state.cases, ask.thresholds, scene, line, call, note)
    _schedule(m.time + MINUTE, m.call, state)
    if call.relation == KNOWN:
        line.last_known = m.time
    elif call.relation == WITHHELD or call.tries == 0:
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
    _on_answer(ask.enabled, state.cases, ask.thresholds, scene, call)


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
    _on_end(ask.enabled, state.cases, ask.thresholds, scene, call, np.int64(cause))
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
        _on_tick(ask.enabled, state.cases, ask.thresholds, scene, call)
        if now - call.answer < CALL_LIFE:
            _schedule(now + MINUTE, call.key, state)
    return True


@jit
def _has_room(state: State, out: Out) -> bool:
    return not (
        out.counts[1] + _ROOM > len(out.entries)
        or out.counts[0] + _ROOM > len(out.outcomes)
        or _is_full(state.lines)
        or _is_full(state.pairs)
        or _is_full(state.calls)
        or state.ends[1] - state.ends[0] >= len(state.ticks) - 2
        or _cases_full(state.cases)
    )


@entry
def _judge(moments: Any, notes: Any, first: int, ask: Ask, state: State, out: Out) -> int:
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
def _advance(until: int, ask: Ask, state: State, out: Out) -> bool:
    return _pass_minutes(until, ask, state, out)


@entry
def _settle(detector: int, subject: int, until: int, ask: Ask, state: State, out: Out) -> None:
    _on_quiet(1 << detector, state.cases, ask.thresholds, Scene(until, ask.born, 0.0, 0, out), subject)


Arrays = dict[str, npt.NDArray[Any]]

OUT_ROOM: Final = 1 << 14
"""Entries the pass writes before they are taken from it."""


class Limits(NamedTuple):
    """The most rows a shard's tables may have; what they take is stated in docs/capacity.md."""

    lines: int = 1 << 24
    pairs: int = 1 << 27
    profiles: int = 1 << 24
    calls: int = 1 << 21
    cases: int = 1 << 20


class Shard:
    """The state of the lines of one shard."""

    def __init__(self, limits: Limits) -> None:
        self.lines = Table(LINE, limits.lines)
        self.pairs = Table(PAIR, limits.pairs)
        self.profiles = Table(PROFILE, limits.profiles)
        self.calls = Table(CALL, limits.calls)
        self.cases = [Table(detector.CASE, limits.cases) for detector in DETECTORS]
        self.ticks = np.zeros((1024, 2), np.int64)
        self.ends = np.zeros(2, np.int64)
        self.open: set[tuple[int, int]] = set()
        self._blank = np.zeros(1, CALL)

    def state(self) -> State:
        """The arrays for the pass."""
        return State(
            lines=(self.lines.rows, self.lines.count),
            pairs=(self.pairs.rows, self.pairs.count),
            calls=(self.calls.rows, self.calls.count),
            ticks=self.ticks,
            ends=self.ends,
            blank=self._blank,
            cases=tuple((table.rows, table.count) for table in self.cases),
        )

    def make_room(self, now: int) -> None:
        """Sweep and grow whatever is full."""
        for table, stale, weak in (
            (self.lines, _stale_lines, _none),
            (self.pairs, _stale_pairs, _weak_pairs),
            (self.profiles, _stale_profiles, _weak_profiles),
            (self.calls, _stale_calls, _none),
        ):
            if table.full:
                table.make_room(stale(table.rows, now), weak(table.rows))
        for detector, table in zip(DETECTORS, self.cases, strict=True):
            if table.full:
                table.make_room(detector.stale(table.rows, now), table.rows["state"] != OPEN)
        if self.ends[1] - self.ends[0] >= len(self.ticks) - 2:
            self._grow_ticks()

    def _grow_ticks(self) -> None:
        places = np.arange(self.ends[0], self.ends[1]) % len(self.ticks)
        ticks = np.zeros((2 * len(self.ticks), 2), np.int64)
        ticks[: len(places)] = self.ticks[places]
        self.ticks = ticks
        self.ends[:] = 0, len(places)

    def _tables(self) -> dict[str, Table]:
        tables = {"lines": self.lines, "pairs": self.pairs, "profiles": self.profiles, "calls": self.calls}
        cases = {f"cases.{d.NAME}": table for d, table in zip(DETECTORS, self.cases, strict=True)}
        return tables | cases

    def arrays(self) -> Arrays:
        """The whole state, for a snapshot."""
        arrays = {
            f"{name}.{part}": array
            for name, table in self._tables().items()
            for part, array in table.arrays().items()
        }
        return arrays | {"ticks": self.ticks, "ends": self.ends}

    def restore(self, arrays: Arrays) -> None:
        """Take the state of a snapshot."""
        for name, table in self._tables().items():
            table.restore({part: arrays[f"{name}.{part}"] for part in ("rows", "count", "forgotten")})
        self.ticks = arrays["ticks"].copy()
        self.ends = arrays["ends"].copy()
        self.open = {
            (index, int(subject))
            for index, table in enumerate(self.cases)
            for subject in table.rows["key"][table.rows["state"] == OPEN]
        }

    def nbytes(self) -> int:
        """Bytes of all tables."""
        return self.ticks.nbytes + sum(table.rows.nbytes for table in self._tables().values())


def _none(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.zeros(len(rows), np.bool_)


def _stale_lines(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    return np.asarray(now - rows["seen"] > LINE_LIFE)


def _stale_pairs(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    life = np.where(_weak_pairs(rows), STRANGER_LIFE, PAIR_LIFE)
    return np.asarray(now - rows["seen"] > life)


def _weak_pairs(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.asarray(rows["talks"] == 0)


def _stale_profiles(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    return np.asarray(now - rows["seen"] > PROFILE_LIFE)


def _weak_profiles(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.asarray((rows["talks"] == 0) & (rows["calls"] <= 1))


def _stale_calls(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    return np.asarray(now - rows["seen"] > CALL_LIFE)


class Engine:
    """All shards, and the pass over them.

    Args:
        detect: names of the detectors that run; None: all.
        shards: into how many parts the state is split; the alerts do not depend on it.
        limits: of each shard's tables.
    """

    def __init__(
        self, detect: Iterable[str] | None = None, shards: int = 1, limits: Limits | None = None
    ) -> None:
        wanted = set(detect) if detect is not None else {detector.NAME for detector in DETECTORS}
        unknown = wanted - {detector.NAME for detector in DETECTORS}
        if unknown:
            raise ValueError(f"no such detector: {', '.join(sorted(unknown))}")
        self.shards = [Shard(limits or Limits()) for _ in range(shards)]
        self._enabled = sum(1 << i for i, detector in enumerate(DETECTORS) if detector.NAME in wanted)
        self._thresholds = np.array([threshold_bits(d.FALSE_ALARMS, d.STARTS) for d in DETECTORS])
        self._born = 0
        self._out = Out(np.zeros(OUT_ROOM, OUTCOME), np.zeros(OUT_ROOM, ENTRY), np.zeros(2, np.int64))

    def process(
        self, moments: npt.NDArray[np.void], watermark: int
    ) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
        """Run the pass over a batch.

        Args:
            moments: MOMENT records ordered as `moments.Unfolder` orders them, all before the watermark and not before
                the last one.
            watermark: µs; no later moment comes before it.

        Returns:
            OUTCOME records ordered by time, and ENTRY records, for each subject in the order of its evidence.
        """
        if self._born == 0 and len(moments):
            self._born = int(moments["time"][0])
        notes = np.zeros(len(moments), NOTE)
        for index, shard in enumerate(self.shards):
            self._run_follow(moments, notes, self._ask(index), shard)
        taken = [
            part
            for index, shard in enumerate(self.shards)
            for part in self._run_judge(moments, notes, watermark, self._ask(index), shard)
        ]
        outcomes = np.concatenate([part[0] for part in taken])
        entries = np.concatenate([part[1] for part in taken])
        order = np.lexsort((outcomes["subject"], outcomes["detector"], outcomes["at"]))
        return outcomes[order], entries

    def _ask(self, index: int) -> Ask:
        return Ask(index, len(self.shards), self._enabled, self._born, self._thresholds)

    @staticmethod
    def _run_follow(moments: Rows, notes: Rows, ask: Ask, shard: Shard) -> None:
        done = 0
        while done < len(moments):
            done = _follow(moments, notes, done, ask, (shard.profiles.rows, shard.profiles.count))
            if done < len(moments):
                shard.make_room(int(moments["time"][done]))

    def _run_judge(
        self, moments: Rows, notes: Rows, watermark: int, ask: Ask, shard: Shard
    ) -> list[tuple[Rows, Rows]]:
        taken = []
        done = 0
        while done < len(moments):
            done = _judge(moments, notes, done, ask, shard.state(), self._out)
            taken.append(self._take(shard))
            if done < len(moments):
                shard.make_room(int(moments["time"][done]))
        last = int(moments["time"][-1]) if len(moments) else 0
        until = watermark if watermark < NEVER else last + 1
        finished = False
        while not finished:
            finished = _advance(until - 1, ask, shard.state(), self._out)
            taken.append(self._take(shard))
        for detector, subject in sorted(shard.open):
            _settle(detector, subject, until, ask, shard.state(), self._out)
            taken.append(self._take(shard))
        return taken

    def _take(self, shard: Shard) -> tuple[Rows, Rows]:
        outcomes = self._out.outcomes[: self._out.counts[0]].copy()
        entries = self._out.entries[: self._out.counts[1]].copy()
        self._out.counts[:] = 0
        for outcome in outcomes:
            episode = (int(outcome["detector"]), int(outcome["subject"]))
            if outcome["what"] == ENDED:
                shard.open.discard(episode)
            else:
                shard.open.add(episode)
        return outcomes, entries

    def arrays(self) -> Arrays:
        """The whole state, for a snapshot."""
        shards = {
            f"{index}.{name}": array
            for index, shard in enumerate(self.shards)
            for name, array in shard.arrays().items()
        }
        return shards | {"born": np.array([self._born])}

    def restore(self, arrays: Arrays) -> None:
        """Take the state of a snapshot made with the same number of shards.

        Raises:
            ValueError: the snapshot is of another shape.
        """
        if sum(name.endswith(".ends") for name in arrays) != len(self.shards):
            raise ValueError("the snapshot was made with another number of shards")
        for index, shard in enumerate(self.shards):
            prefix = f"{index}."
            shard.restore({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        self._born = int(arrays["born"][0])

    def nbytes(self) -> int:
        """Bytes of all state."""
        return sum(shard.nbytes() for shard in self.shards)
