"""What a look-alike or a crime has at hand: chance, people, numbers, and where to put its calls."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry
from ringfence.simulate import habits
from ringfence.simulate.chance import mix, mixed, share
from ringfence.simulate.contacts import Graph, counterpart, line_at, stranger_number
from ringfence.simulate.money import accounts
from ringfence.simulate.numbering import foreign_numbers
from ringfence.simulate.population import ABROAD, PERSON, Population
from ringfence.simulate.rows import DAY, HOUR, ROLE, SECOND, Rows, rows_of
from ringfence.simulate.truth import Truth

Parties = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    time: int
    sender: int
    recipient: int
    body: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that moves from the account of a party to that of `target` (a party, or any other integer)."""

    time: int
    subscriber: int
    target: int
    amount: float


@dataclass(slots=True)
class Stage:
    """One city while it is being made.

    Attributes:
        people: all lines.
        truth: what really happens.
        begins: µs, of the city; ends: the same; now: the beginning of the slice; until: its end.
        offset: local time minus UTC, µs.
        offices: fixed lines that ring anybody; reporters etc. of other networks.
        centres: forged_caller episodes that go on: (mark, from, until, trunk), for crimes that ring through them.
        boxes: fraud_line episodes of SIM boxes: (mark, from, until, party, device); mules: lines of accomplices and since when (µs).
        away: int64 (t, 5), travels: line, when it leaves home, is abroad, leaves there, is at home again (µs); ordered by line. The
            phone is off on the way.
        leaked: victims of a leak, by the begin of their episode: (line, shop).
        rng: the chance of the present act.
        taken: lines that something extraordinary happens to.
        order: see `by_number`.
    """

    people: Population
    truth: Truth
    begins: int
    ends: int
    now: int
    until: int
    offset: int
    offices: Parties
    centres: list[tuple[int, int, int, int]] = field(default_factory=list)
    boxes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    mules: list[tuple[int, int]] = field(default_factory=list)
    away: Parties = field(default_factory=lambda: np.zeros((0, 5), np.int64))
    leaked: dict[int, tuple[int, int]] = field(default_factory=dict)
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    taken: set[int] = field(default_factory=set)
    order: Parties = field(default_factory=lambda: np.zeros(0, np.int64))
    rows: list[Rows] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)

    # --- people ---

    def person(self, *, busy: float = 0.0) -> int:
        """A line of a person to whom nothing extraordinary happens yet; `busy`: with at least so many calls made a day."""
        people, rng = self.people, self.rng
        for attempt in range(400):
            line = int(rng.integers(people.lines))
            fits = people.kind[line] == PERSON and people.out[line] >= busy * (attempt < 200)
            if fits and line not in self.taken and not people.flags[line] & ABROAD:
                self.taken.add(line)
                return line
        return int(rng.integers(people.lines))

    def lines(self, kind: str) -> Parties:
        """The lines of a kind."""
        return self.people.of_kind[kind]

    def contacts(self, line: int, count: int | None = None) -> Parties:
        """The people a line knows, the closest first (parties)."""
        degree = int(self.people.degree[line])
        return _contacts(self.people.graph, line, min(degree, count if count is not None else degree))

    def known(self, lines: Parties) -> Parties:
        """For each line somebody it knows, the closest more often."""
        return _known(self.people.graph, self.people.degree, lines, self.rng.random(len(lines)))

    def own(self, count: int) -> Parties:
        """Parties of the city; who knows many, and is rung much, more often."""
        return _own(self.people.graph, self.people.welcome, self.rng.integers(1 << 63, size=count))

    def strangers(self, count: int) -> Parties:
        """Numbers of customers of other networks."""
        seeds = self.rng.integers(1 << 63, size=count)
        return _strangers(self.people.graph, mixed(self.people.seed, seeds, 5))

    def public(self, count: int, own: float = 0.45) -> Parties:
        """Anybody: the city's lines and customers of other networks."""
        return np.where(self.rng.random(count) < own, self.own(count), self.strangers(count))

    def by_number(self) -> Parties:
        """The lines in order of their numbers."""
        if not len(self.order):
            self.order = np.argsort(self.people.number, kind="stable")
        return self.order

    def owned(self, parties: Parties) -> Parties:
        """The same parties; a number that is a line of the city is named as such."""
        order, number = self.by_number(), self.people.number
        at = np.minimum(np.searchsorted(number, parties, sorter=order), len(order) - 1)
        return np.where(number[order[at]] == parties, -1 - order[at], parties)

    def far(self, count: int) -> Parties:
        """Mobile numbers of other networks whose owners the city never hears of."""
        far = self.people.numbering.far
        return self.rng.choice(far, count) * 10_000 + self.rng.integers(0, 10_000, count)

    def fixed(self, count: int) -> Parties:
        """Fixed lines of other networks, in the city and elsewhere."""
        return self.rng.choice(self.offices, count)

    def abroad(self, count: int) -> Parties:
        """Numbers of people abroad."""
        return foreign_numbers(self.people.numbering, self.rng, count)

    # --- time ---

    def local_hour(self, time: int) -> int:
        """The hour of the day where the city is."""
        return (time + self.offset) // HOUR % 24

    def at_hour(self, time: int, hours: npt.NDArray[np.float64] = habits.OFFICE) -> int:
        """A moment of the same local day as `time`, drawn by hours."""
        return int(self.at_hours(np.array([time]), hours)[0])

    def at_hours(self, times: Parties, hours: npt.NDArray[np.float64] = habits.OFFICE) -> Parties:
        """The same for many."""
        midnight = (times + self.offset) // DAY * DAY - self.offset
        hour = np.searchsorted(np.cumsum(hours), self.rng.random(len(times)) * 0.999_999_999, side="right")
        return midnight + hour * HOUR + (self.rng.random(len(times)) * HOUR).astype(np.int64)

    def clock(
        self, a_day: Any, hours: npt.NDArray[np.float64] = habits.OFFICE, weekend: float = 0.4
    ) -> tuple[Parties, Parties]:
        """When things happen in this slice that happen `a_day` times.

        Args:
            a_day: float64[n].
            hours: weights of the hours of the day.
            weekend: rate on Saturdays and Sundays against weekdays.

        Returns:
            (which, times): places in `a_day` and µs.
        """
        steps = np.arange(self.now, self.until, HOUR)
        local = (steps + self.offset) // HOUR
        weekday = (local // 24 + 3) % 7
        weights = hours[local % 24] * np.where(weekday >= 5, weekend, 1.0)
        counts = self.rng.poisson(np.outer(np.asarray(a_day, np.float64), weights))
        which, step = np.nonzero(counts)
        many = counts[which, step]
        which, step = np.repeat(which, many), np.repeat(step, many)
        return which, steps[step] + (self.rng.random(len(which)) * HOUR).astype(np.int64)

    # --- what happens ---

    def put(self, rows: Rows) -> None:
        """Let calls happen."""
        self.rows.append(rows)

    def calls(
        self, start: Any, caller: Any, callee: Any, ring: Any, talk: Any, cause: Any = 0, **more: Any
    ) -> Rows:
        """Let calls happen; see `rows_of`."""
        rows = rows_of(start, caller, callee, ring, talk, cause, **more)
        self.put(rows)
        return rows

    def attempts(
        self, start: Any, caller: Any, callee: Any, answered: Any = 0.75, talk: Any = None, redial: float = 0.3,
        patience: float = 17.0, **more: Any,
    ) -> Rows:  # fmt: skip
        """Calls as people make them: some are not answered, some of these are tried again within ten minutes.

        Gives back the first attempts.
        """
        start = np.atleast_1d(np.asarray(start, np.int64))
        first = self.calls(
            start, caller, callee, **habits.outcomes(self.rng, len(start), answered, talk, patience), **more
        )
        failed = first
        for _ in range(3):
            failed = failed[(failed["answer"] < 0) & (self.rng.random(len(failed)) < redial)]
            if not len(failed):
                break
            gap = 2 + np.minimum(self.rng.lognormal(3.8, 1.2, len(failed)), 590)
            outcome = habits.outcomes(
                self.rng, len(failed), 0.73 * float(np.mean(answered)), patience=patience
            )
            again = rows_of(
                failed["end"] + (gap * SECOND).astype(np.int64), failed["caller"], failed["callee"], **outcome
            )
            for name in ("episode", "role", "ingress", "trunk", "firm", "episode2", "role2", "caller_device"):
                again[name] = failed[name]
            self.put(again)
            failed = again
        return first

    def look_alike(self, shape: str, subject: int) -> dict[str, Any]:
        """Begin a burst that looks like a crime; gives the fields its calls carry."""
        return {"episode": self.truth.begin(None, shape, subject), "role": ROLE["look_alike"]}

    def text(self, time: int, sender: int, recipient: int, body: str | None) -> None:
        """Let a text be sent."""
        self.texts.append(Text(int(time), int(sender), int(recipient), body))

    def account(self, owner: int) -> str:
        """The bank account of a party or of any other integer."""
        return str(accounts(self.people.seed, np.array([owner]))[0])

    def transfer(self, time: int, line: int, target: int, amount: float) -> None:
        """Let a line's owner send money to the account of `target` (see `account`)."""
        self.transfers.append(Transfer(int(time), -1 - line, int(target), amount))


@entry
def _contacts(graph: Graph, line: int, count: int) -> Parties:
    found = np.empty(count, np.int64)
    for rank in range(count):
        found[rank] = counterpart(graph, line, rank)
    return found


@entry
def _known(graph: Graph, degree: Any, lines: Parties, chance: Any) -> Parties:
    found = np.empty(len(lines), np.int64)
    for n in range(len(lines)):
        many = degree[lines[n]]
        rank = min(int((many + 1.0) ** chance[n]) - 1, many - 1)
        found[n] = counterpart(graph, lines[n], rank)
    return found


@entry
def _own(graph: Graph, welcome: Any, seeds: Any) -> Parties:
    found = np.empty(len(seeds), np.int64)
    places = graph.offset[graph.lines] - 1
    for n in range(len(seeds)):
        chance, line = mix(np.uint64(seeds[n])), 0
        for _ in range(6):
            line = line_at(graph, int(share(chance) * places))
            chance = mix(chance + np.uint64(1))
            if share(chance) < welcome[line]:
                break
            chance = mix(chance)
        found[n] = -1 - line
    return found


@entry
def _strangers(graph: Graph, seeds: Any) -> Parties:
    found = np.empty(len(seeds), np.int64)
    for n in range(len(seeds)):
        found[n] = stranger_number(graph, seeds[n])
    return found
