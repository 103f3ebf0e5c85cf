"""What was seen on a line, call by call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ringfence.detect import flood
from ringfence.detect.evidence import threshold_bits
from ringfence.model.alert import Episode, LedgerEntry
from ringfence.report.story import Story

SETUPS = frozenset(
    {
        flood.FIRST_STRANGER,
        flood.FIRST_WITHHELD,
        flood.STRANGER_SOON,
        flood.WITHHELD_SOON,
        flood.KNOWN_SOON,
        flood.OWN_SOON,
        flood.ABROAD_SOON,
        flood.KNOWN_ELSEWHERE,
        flood.AGAIN,
    }
)
OUTCOMES = {
    flood.CALL_DROPPED: "dropped",
    flood.RANG_OUT: "rang_out",
    flood.RANG_ONCE: "rang_once",
    flood.LINGERED: "lingered",
    flood.TALKED: "talked",
    flood.ENGAGED: "engaged",
}
UNKNOWN = "unknown"
NOBODY_TALKED = frozenset({"dropped", "rang_out", "rang_once", "engaged"})


@dataclass(slots=True)
class Call:
    """One call and what was seen in it.

    Attributes:
        at: µs, when it was first seen.
        caller: the number shown, None: withheld.
        entries: in order.
    """

    at: int
    caller: str | None
    entries: list[LedgerEntry] = field(default_factory=list)

    @property
    def bits(self) -> float:
        """What it was worth."""
        return sum(entry.bits for entry in self.entries)

    @property
    def outcome(self) -> str:
        """How it ended: a value of OUTCOMES, or UNKNOWN."""
        return next((OUTCOMES[e.what] for e in reversed(self.entries) if e.what in OUTCOMES), UNKNOWN)

    @property
    def again(self) -> bool:
        """Whether the same number had rung before."""
        return any(entry.what == flood.AGAIN for entry in self.entries)

    @property
    def begun(self) -> bool:
        """Whether its set-up was seen."""
        return any(entry.what in SETUPS for entry in self.entries)


def calls_of(entries: Iterable[LedgerEntry]) -> list[Call]:
    """Entries put together to calls, in the order in which the calls were first seen.

    Ids may be missing or used twice in bad records, so a set-up always begins a call.
    """
    calls: list[Call] = []
    latest: dict[str, Call] = {}
    for entry in entries:
        call = latest.get(entry.call_id)
        if call is None or (entry.what in SETUPS and call.begun):
            call = Call(entry.at, entry.caller)
            latest[entry.call_id] = call
            calls.append(call)
        call.entries.append(entry)
    return sorted(calls, key=lambda call: call.at)


def entries_by_episode(story: Story, episodes: Sequence[Episode]) -> list[list[LedgerEntry]]:
    """The entries of each episode: from its first call to the first call of the next."""
    starts = [episode.began_at for episode in episodes]
    parts: list[list[LedgerEntry]] = [[] for _ in starts]
    place = 0
    for entry in story.entries:
        while place + 1 < len(starts) and entry.at >= starts[place + 1]:
            place += 1
        parts[place].append(entry)
    return parts


def decided_at_call(calls: Sequence[Call], raised_at: int) -> int:
    """Which call, from 1, was the latest when the alert was raised; calls known by their end only do not count."""
    return max(sum(call.begun and call.at <= raised_at for call in calls), 1)


def threshold_of(story: Story, episode: int) -> float:
    """The sum of bits that raises the alert of an episode, counted from 0."""
    names = [name for name, _ in flood.HYPOTHESES]
    form = story.alert.hypothesis
    handicap = flood.HANDICAP[names.index(form)] if form in names else 0.0
    watched = flood.WATCH_BITS if episode else 0.0
    return threshold_bits(flood.FALSE_ALARMS, flood.STARTS) + handicap - watched
