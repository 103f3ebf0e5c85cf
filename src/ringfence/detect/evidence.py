"""Evidence in bits, the ledger, and the test that adds them up.

Every observation is worth log2 P(observation | attack) / P(observation | ordinary life). The sum never falls below
zero (Page's CUSUM, Biometrika 1954), an alert is raised when it passes a threshold, and the ledger lists what the sum is
made of since it last was zero.

A detector may hold several hypotheses of one crime ("they hang up", "they linger"); each has its own sum, starting from
its own handicap in bits, and the alert follows the one that passes first.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, jit, routine
from ringfence.detect.memory import HOUR
from ringfence.detect.rules import Rules

HYPOTHESES: Final = 3
LEDGER: Final = 24
"""Observations that an alert lists; older ones are summed up."""

CASE_HEADER: Final = [
    ("key", "i8"),  # the subject
    ("seen", "i8"),  # last evidence, µs
    ("raised", "i8"),  # first alert of the story, 0: none
    ("closed", "i8"),  # end of the last episode
    ("last", "i8"),  # last call that belongs to the attack
    ("began", "i8"),  # first observation of the evidence
    ("odds", "f4"),  # bits at the alert beyond what its form and its line must do better than others
    ("pace", "f4"),  # running mean of the gaps between these, in s
    ("calls", "u4"),  # calls since the evidence began
    ("entries", "u4"),  # ledger entries since the evidence began
    ("told", "i2"),  # what its records told, in the detector's own terms
    ("state", "i1"),  # QUIET, OPEN, CLOSED
    ("hypothesis", "i1"),  # the one that raised the alert
    ("bits", "f4", (HYPOTHESES,)),
    ("newest", "i8"),  # number of the newest observation in the notebook
]
"""What every case has; a detector adds its own fields."""

OBSERVATION: Final = np.dtype(
    [
        ("at", "i8"),
        ("call", "i8"),
        ("caller", "i8"),
        ("previous", "i8"),  # number of the case's observation before this one, 0: none
        ("cell", "i8"),  # where the called line was, of calls to the subject; a hash, 0: not known
        ("other", "i8"),  # another line it was linked with, 0: none
        ("value", "f4"),
        ("bits", "f4", (HYPOTHESES,)),
        ("what", "i2"),
        ("link", "i1"),  # what `other` is, see CALL
    ],
    align=True,
)
"""A line of the notebook."""

_AT_ONCE: Final = LEDGER  # observations that one moment may make, all detectors together
_MOMENTS: Final = 128  # between two looks at the room that is left
KEPT: Final = 6 * HOUR
"""Evidence older than this is forgotten by every detector."""


class Notebook(NamedTuple):
    """Where observations are written down, of all cases one after the other.

    It is a ring: what was observed long ago is overwritten. Observations have numbers, from 1; number n stands in row
    n % len(rows). So an observation costs the same whether or not anything comes of it, and nothing is set aside for cases
    that never become any.

    Attributes:
        rows: OBSERVATION records.
        ends: int64[2], the number of the next observation, and 1 if the ring may not grow any more.
    """

    rows: npt.NDArray[np.void]
    ends: npt.NDArray[np.int64]


QUIET: Final = 0
OPEN: Final = 1
CLOSED: Final = 2

RAISED: Final = 1
REOPENED: Final = 2
ENDED: Final = 3
NAMED: Final = 4
"""One more call that an alert is about; only of detectors that name calls (`NAMES_CALLS`)."""
LINKED: Final = 5
"""The subject has to do with another line, `callee` (`reason`: how, see `link` in CALL), whether or not an alert was raised."""

OUTCOME: Final = np.dtype(
    [
        ("at", "i8"),
        ("subject", "i8"),
        ("call", "i8"),
        ("story", "i8"),  # time of the first alert of the story
        ("last", "i8"),  # last call of the attack
        ("began", "i8"),  # first observation of the evidence
        ("bits", "f4"),
        ("odds", "f4"),  # bits beyond what its form and its line must do better than others
        ("calls", "u4"),
        ("entries", "u4"),  # observations of the evidence
        ("given", "u4"),  # of these, the newest: given out as entries with the alert
        ("detector", "i1"),
        ("what", "i1"),  # RAISED, REOPENED, ENDED, NAMED
        ("hypothesis", "i1"),
        # of detectors that name calls, and of LINKED; else 0
        ("callee", "i8"),
        ("trunk", "i8"),  # hash of its text; of LINKED: of the cell
        ("reason", "i2"),  # why, in the detector's own terms; of other detectors what the records told
    ],
    align=True,
)
"""What the pass gives out about a case."""

ENTRY: Final = np.dtype(
    [
        ("at", "i8"),
        ("subject", "i8"),
        ("call", "i8"),
        ("caller", "i8"),
        ("story", "i8"),  # time of the first alert of the story
        ("cell", "i8"),  # as in OBSERVATION
        ("other", "i8"),
        ("value", "f4"),  # the figure in the words of the entry
        ("bits", "f4"),  # for the hypothesis that raised the alert
        ("total", "f4"),  # the sum after it
        ("what", "i2"),
        ("link", "i1"),
        ("detector", "i1"),
    ],
    align=True,
)
"""A ledger entry as the pass gives it out: those before an alert with the alert, later ones as they come."""


class Out(NamedTuple):
    """Where the pass writes: outcomes, ledger entries, and how many there are of each (int64[2]); scratch: int64[LEDGER]."""

    outcomes: npt.NDArray[np.void]
    entries: npt.NDArray[np.void]
    counts: npt.NDArray[np.int64]
    scratch: npt.NDArray[np.int64]


class Told(NamedTuple):
    """A call that an alert names: its key, set-up (µs), called number, trunk (hash), and why."""

    key: int
    at: int
    callee: int
    trunk: int
    reason: int


class Scene(NamedTuple):
    """What every function of a detector is told beside the call.

    Attributes:
        now: time of the moment, µs.
        born: time of the first moment ever seen: how much the memory can know.
        threshold: bits that raise an alert.
        detector: index of the detector that is asked.
        rules: the country's.
        notebook: where observations are written down.
        out: where outcomes and entries go.
    """

    now: int
    born: int
    threshold: float
    detector: int
    rules: Rules
    notebook: Notebook
    out: Out


def case_dtype(own: Sequence[tuple[str, str] | tuple[str, str, tuple[int]]]) -> np.dtype[np.void]:
    """The record of a case: the header and a detector's own fields."""
    return np.dtype([*CASE_HEADER, *own], align=True)


def codes(count: int) -> list[int]:
    """Codes for the words of a ledger, from 1.

    They are of NumPy's int64: for every plain number Numba would compile `weigh` anew.
    """
    return list(np.arange(1, count + 1))


def threshold_bits(false_alarms: float, starts: float) -> float:
    """The threshold that keeps false alarms at a wanted rate.

    Each time the sum leaves zero is a trial, and by Wald's likelihood-ratio identity a trial passes h bits in ordinary
    life with probability of at most 2^-h. So false alarms per line-day are at most starts * 2^-h.

    Args:
        false_alarms: wanted, per line-day.
        starts: how often a day the sum of an ordinary line leaves zero.
    """
    return math.log2(starts / false_alarms)


def probability(bits: float, prior_bits: float) -> float:
    """How probable an attack is, given the bits and the prior odds (bits against it)."""
    return 1.0 / (1.0 + 2.0 ** (prior_bits - bits))


@jit
def restart(case: Any) -> None:
    """Forget the evidence, not the story."""
    case.bits[:] = 0
    case.entries = 0
    case.calls = 0


@jit
def _write(case: Any, scene: Scene, call: Any, what: int, value: float, bits: Any) -> None:
    rows, ends = scene.notebook
    n = ends[0]
    line = rows[n % len(rows)]
    line.at = scene.now
    line.call = call.key
    line.caller = call.caller
    line.previous = case.newest if case.entries > 0 else 0
    line.cell = call.callee_cell if call.callee == case.key else 0
    line.other = call.other
    line.link = call.link
    line.value = value
    line.what = what
    for h in range(HYPOTHESES):
        line.bits[h] = bits[h]
    if case.entries == 0:
        case.began = scene.now
    case.newest = n
    case.entries += 1
    ends[0] = n + 1


@jit
def _give_out(case: Any, n: int, total: float, scene: Scene) -> None:
    line = scene.notebook.rows[n % len(scene.notebook.rows)]
    out = scene.out
    entry = out.entries[out.counts[1]]
    entry.at = line.at
    entry.subject = case.key
    entry.call = line.call
    entry.caller = line.caller
    entry.story = case.raised
    entry.cell = line.cell
    entry.other = line.other
    entry.link = line.link
    entry.value = line.value
    entry.bits = line.bits[case.hypothesis]
    entry.total = total
    entry.what = line.what
    entry.detector = scene.detector
    out.counts[1] += 1


@jit
def _give_out_ledger(case: Any, scene: Scene) -> int:
    """Give out the newest observations of the evidence, oldest first; returns how many."""
    rows, ends = scene.notebook
    chain = scene.out.scratch
    count = 0
    n = case.newest
    total = float(case.bits[case.hypothesis])  # less what is listed: what older observations were worth
    while n > 0 and count < LEDGER and ends[0] - n <= len(rows):
        chain[count] = n
        count += 1
        total -= rows[n % len(rows)].bits[case.hypothesis]
        n = rows[n % len(rows)].previous
    for k in range(count - 1, -1, -1):
        total += rows[chain[k] % len(rows)].bits[case.hypothesis]
        _give_out(case, chain[k], total, scene)
    return count


@jit
def _outcome(case: Any, what: int, at: int, call: int, given: int, scene: Scene) -> None:
    out = scene.out
    outcome = out.outcomes[out.counts[0]]
    outcome.at = at
    outcome.subject = case.key
    outcome.call = call
    outcome.story = case.raised
    outcome.last = case.last
    outcome.began = case.began
    outcome.odds = case.odds
    outcome.entries = case.entries
    outcome.given = given
    outcome.bits = case.bits[case.hypothesis]
    outcome.calls = case.calls
    outcome.detector = scene.detector
    outcome.what = what
    outcome.hypothesis = case.hypothesis
    outcome.callee = 0
    outcome.trunk = 0
    outcome.reason = case.told
    out.counts[0] += 1


@jit
def _best(case: Any, handicap: Any) -> int:
    """The hypothesis that is nearest to its alert."""
    best = 0
    for h in range(1, HYPOTHESES):
        if case.bits[h] - handicap[h] > case.bits[best] - handicap[best]:
            best = h
    return best


@routine
def weigh(
    case: Any, scene: Scene, call: Any, what: int, value: float, bits: Any, handicap: Any, bar: float
) -> None:
    """Add an observation to a case, and raise or reopen its alert if it is enough.

    Args:
        case: the record.
        scene: the moment.
        call: the call it was seen in.
        what: code of the words.
        value: the figure in them.
        bits: for each hypothesis, what the observation is worth.
        handicap: for each hypothesis, bits by which it must do better.
        bar: bits that raise the alert.
    """
    case.seen = scene.now
    alive = False
    for h in range(HYPOTHESES):
        case.bits[h] = max(case.bits[h] + bits[h], 0.0)
        alive |= case.bits[h] > 0
    if case.state != OPEN and not alive:
        restart(case)
        return
    _write(case, scene, call, what, value, bits)
    if case.state == OPEN:
        _give_out(case, case.newest, float(case.bits[case.hypothesis]), scene)
        return
    best = _best(case, handicap)
    if case.bits[best] - handicap[best] >= bar:
        _raise(case, scene, call, best, case.bits[best] - handicap[best] - (bar - scene.threshold))


@jit
def _raise(case: Any, scene: Scene, call: Any, hypothesis: int, odds: float) -> None:
    again = case.state == CLOSED
    case.hypothesis = hypothesis
    case.state = OPEN
    case.odds = odds
    if not again:
        case.raised = scene.now
    given = _give_out_ledger(case, scene)
    _outcome(case, REOPENED if again else RAISED, scene.now, call.key, given, scene)


@routine
def assess(case: Any, scene: Scene, call: Any, values: Any, bits: Any, base: float) -> None:
    """Raise or reopen the alert of a case that is judged as a whole, by features: each is an observation of the ledger.

    Args:
        case: the record; not OPEN.
        scene: the moment.
        call: the call after which it was judged.
        values: float64[n], of the features, NaN: not known; n is at most LEDGER - 1.
        bits: float64[n], what they are worth; the word of feature i has the code i + 2.
        base: bits that every line begins with; its word, which also stands for what is not known, has the code 1.
    """
    calls = case.calls
    restart(case)
    case.calls = calls
    case.seen = scene.now
    for i in range(len(bits)):
        if math.isnan(values[i]):
            base += bits[i]
    _write(case, scene, call, 1, 0.0, (base, 0.0, 0.0))
    total = base
    for i in range(len(bits)):
        if not math.isnan(values[i]):
            _write(case, scene, call, i + 2, values[i], (bits[i], 0.0, 0.0))
            total += bits[i]
    case.bits[0] = total
    _raise(case, scene, call, 0, total)


@routine
def tell(
    case: Any, scene: Scene, at: int, told: Told, what: int, value: float, bits: float, total: float
) -> None:
    """Give out an entry of a ledger that a detector keeps itself, not in the notebook.

    Args:
        case: the record.
        scene: the moment.
        at: when it was observed, µs.
        told: the call.
        what: code of the words.
        value: the figure in them.
        bits: what the observation is worth.
        total: the sum after it.
    """
    out = scene.out
    entry = out.entries[out.counts[1]]
    entry.at = at
    entry.subject = case.key
    entry.call = told.key
    entry.caller = case.key
    entry.story = 0
    entry.cell = 0
    entry.other = 0
    entry.link = 0
    entry.value = value
    entry.bits = bits
    entry.total = total
    entry.what = what
    entry.detector = scene.detector
    out.counts[1] += 1


@jit
def name_call(case: Any, scene: Scene, told: Told, what: int, bits: float, given: int) -> None:
    """Give out a call that an alert is about, whose ledger are the `given` entries told last.

    The first one of a story is RAISED, the others are NAMED. `case` says of which story they are (`raised`), and how many there
    were (`calls`); no episode is opened, so that nothing has to be closed.
    """
    case.bits[case.hypothesis] = bits
    case.odds = bits
    case.entries = given
    case.began = told.at
    _outcome(case, what, scene.now, told.key, given, scene)
    outcome = scene.out.outcomes[scene.out.counts[0] - 1]
    outcome.callee = told.callee
    outcome.trunk = told.trunk
    outcome.reason = told.reason


@jit
def link(case: Any, scene: Scene, call: Any) -> None:
    """Give out that the subject has to do with the call's other line."""
    _outcome(case, LINKED, scene.now, call.key, 0, scene)
    outcome = scene.out.outcomes[scene.out.counts[0] - 1]
    outcome.callee = call.other
    outcome.trunk = call.callee_cell
    outcome.reason = call.link


@jit
def borrow_notebook(notebook: Notebook) -> Notebook:
    """The notebook for use within one call."""
    return Notebook(borrowed(notebook.rows), borrowed(notebook.ends))


@jit
def borrow_out(out: Out) -> Out:
    """The same of where the pass writes."""
    return Out(borrowed(out.outcomes), borrowed(out.entries), borrowed(out.counts), borrowed(out.scratch))


@jit
def room_in_notebook(notebook: Notebook, now: int) -> int:
    """How many moments can be observed before fresh observations would be overwritten, where the ring may still grow."""
    rows, ends = notebook
    if ends[1]:
        return _MOMENTS
    moments = min(len(rows) // 2 // _AT_ONCE, _MOMENTS)
    return moments if rows[(ends[0] + moments * _AT_ONCE) % len(rows)].at <= now - KEPT else 0


@jit
def end_episode(case: Any, at: int, scene: Scene) -> None:
    """Close an episode at a time."""
    _outcome(case, ENDED, at, 0, 0, scene)
    case.state = CLOSED
    case.closed = at
    restart(case)
