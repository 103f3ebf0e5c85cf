"""The picture of a scam call: one person's day, from the first call on.

Lanes from top to bottom: the alert; calls that held the person, in the colour of the stage; transfers; known people and the bank; cells;
other numbers. x in per cent of the width, y in pixels, as in `picture`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

from ringfence.detect import scam_call as seen
from ringfence.model.alert import Episode, LedgerEntry, Victim
from ringfence.report.axis import MINUTE, SECOND
from ringfence.report.broken_axis import BrokenAxis, broken
from ringfence.report.label_rows import Label, Rows
from ringfence.report.labels import fill
from ringfence.report.scam_labels import STAGES
from ringfence.report.words import Both, Clock, duration, money, number, plain
from ringfence.respond.victim import ENDS

MOST: Final = 300
"""Calls, marks of a lane and stays in a cell that are drawn."""
MOST_CELLS: Final = 12
"""Cells that are named; the others are counted."""

_HOLDS: Final = ENDS | {
    int(code)
    for code in (
        seen.STRANGER_RINGS, seen.ABROAD_RINGS, seen.FORGED_RINGS, seen.BOX_RINGS, seen.UNNAMED_RINGS, seen.FIRM_RINGS,
        seen.IS_YOUNG, seen.IS_USED, seen.PUT_THROUGH, seen.MANY_RING, seen.SAME_AGAIN, seen.ON_LINE, seen.NEW_CELL,
        seen.OTHER_NUMBER, seen.OTHER_LINE, seen.HELD_OTHERS,
    )
}  # fmt: skip
"""What is observed in a call that holds the person."""
_MEASURED: Final = ENDS | {int(seen.ON_LINE)}
"""Observations whose value is how long the call has lasted; the others are made when it has lasted for a minute."""
_SAME_CALL: Final = 2 * MINUTE
_THINNEST: Final = 0.5
_LANE_NAME, _GAP = 17, 9
_BAR, _MARK, _STRIP = 20, 16, 16
_KNOWN: Final[dict[int, tuple[str, str]]] = {
    int(seen.NOT_REACHED): ("engaged", "not_through"),
    int(seen.TALKS): ("talked", "with_known"),
    int(seen.RINGS_BANK): ("bank", "bank_rung"),
}
_PAYS: Final[dict[int, tuple[str, str]]] = {
    int(seen.PAYS_NEW): ("paid", "pays_new"),
    int(seen.PAYS_KNOWN): ("paid-known", "pays_known"),
}

Thing = TypeVar("Thing")


@dataclass(slots=True)
class HeldCall:
    """A call that held the person: µs from the answer to the last that is known of it; `up`: not over."""

    call_id: str
    caller: str | None
    begin: int
    end: int
    over: bool = False
    row: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A call, or the part of it in one stage: from `x`, so wide; `up`: it goes on beyond."""

    x: float
    y: float
    width: float
    stage: str
    up: bool
    title: Both


@dataclass(frozen=True, slots=True)
class Spot:
    """A mark: the head's name as in the templates, its place, and what stands beside it (None: there is no room)."""

    x: float
    y: float
    head: str
    title: Both
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch of the strip of cells; `letter`: its name in the key, where there is room for it."""

    x: float
    width: float
    new: bool
    letter: str
    title: Both


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell in the key: its letter, its name, from when on, and whether the person had not been rung there before."""

    letter: str
    name: str
    since: Both
    new: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """The name of a lane and where it stands."""

    key: str
    y: float


@dataclass(frozen=True, slots=True)
class ScamPicture:
    """All that is drawn.

    Attributes:
        axis: of time; `height` of the whole, `bottom` of the lanes, px.
        lanes: names; `bars`: calls; `spots`: all other marks; `heads`: sorts of marks, with the key of their words.
        stays: the strip of cells at `strip`; `cells`: its key; `more_cells`: how many the key leaves out.
        stages: name, words and time of all that were reached, the key of the bars.
        alerts: x of each alert and its label; `dated`: whether there are several days.
        more: whether anything is left out for its number; `up`: a call goes on when the records end.
    """

    axis: BrokenAxis
    height: float
    bottom: float
    lanes: list[Lane]
    bars: list[Bar]
    spots: list[Spot]
    heads: dict[str, str]
    strip: float
    stays: list[Stay]
    cells: list[Cell]
    more_cells: int
    stages: list[tuple[str, Both, Both]]
    alerts: list[tuple[float, Label | None]]
    dated: bool
    more: bool
    up: bool


def held_calls(entries: Iterable[LedgerEntry]) -> list[HeldCall]:
    """The calls that held the person, in order. Ids may be missing or used twice: a call is also known by when it began."""
    calls: list[HeldCall] = []
    latest: dict[str, HeldCall] = {}
    for entry in entries:
        if entry.what not in _HOLDS:
            continue
        begin = entry.at - int((entry.value if entry.what in _MEASURED else 60.0) * SECOND)
        call = latest.get(entry.call_id)
        if call is None or call.over or abs(begin - call.begin) > _SAME_CALL:
            call = latest[entry.call_id] = HeldCall(entry.call_id, entry.caller, begin, entry.at)
            calls.append(call)
        if entry.what in _MEASURED:
            call.begin = min(call.begin, begin)
        call.end = max(call.end, entry.at)
        call.over = entry.what in ENDS
    calls.sort(key=lambda call: call.begin)
    for before, call in pairwise(calls):
        call.row = 1 - before.row if call.begin < before.end else 0
    return calls


def draw(
    entries: Sequence[LedgerEntry], victim: Victim, episodes: Sequence[Episode], clock: Clock
) -> ScamPicture | None:
    """Draw what was seen of a person.

    Args:
        entries: all observations.
        victim: the person's state after them.
        episodes: of the alert.
        clock: the report's zone.

    Returns:
        None: nothing was kept.
    """
    entries = sorted(entries, key=lambda one: one.at)
    if not entries:
        return None
    calls = held_calls(entries)
    axis = broken(
        [
            *((call.begin, call.end) for call in calls),
            *((one.at, one.at) for one in entries),
            *((episode.raised_at, episode.raised_at) for episode in episodes),
        ],
        clock,
    )
    return _Drawing(entries, calls, victim, axis, clock).picture(episodes)


class _Drawing:
    """Puts lanes below each other."""

    def __init__(
        self,
        entries: Sequence[LedgerEntry],
        calls: list[HeldCall],
        victim: Victim,
        axis: BrokenAxis,
        clock: Clock,
    ) -> None:
        self.entries, self.calls, self.victim, self.axis, self.clock = entries, calls, victim, axis, clock
        self.dated = len(axis.days_seen()) > 1
        self.y = 0.0
        self.lanes: list[Lane] = []
        self.spots: list[Spot] = []
        self.heads: dict[str, str] = {}
        self.more = len(calls) > MOST

    def picture(self, episodes: Sequence[Episode]) -> ScamPicture:
        alerts = self._alerts(episodes)
        bars = self._bars()
        self._marks("lane_money", _PAYS)
        self._marks("lane_known", _KNOWN)
        strip, stays, cells = self._cells()
        self._others()
        return ScamPicture(
            axis=self.axis,
            height=self.y + (40 if self.axis.dates() else 22),
            bottom=self.y,
            lanes=self.lanes,
            bars=bars,
            spots=self.spots,
            heads=self.heads,
            strip=strip,
            stays=stays,
            cells=cells[:MOST_CELLS],
            more_cells=max(len(cells) - MOST_CELLS, 0),
            stages=[
                (stage, STAGES.get(stage, Both(stage, stage)), self._when(time))
                for stage, time in self.victim.stages.items()
            ],
            alerts=alerts,
            dated=self.dated,
            more=self.more,
            up=any(bar.up for bar in bars),
        )

    def _lane(self, key: str, height: float) -> float:
        """Begin a lane; its top."""
        self.lanes.append(Lane(key, self.y + 12))
        top = self.y + _LANE_NAME
        self.y = top + height + _GAP
        return top

    def _some(self, things: list[Thing]) -> list[Thing]:
        """The first of them; that there are more is remembered."""
        self.more |= len(things) > MOST
        return things[:MOST]

    def _when(self, time: int) -> Both:
        at = f"{self.clock.at(time):%H:%M}"
        day = self.clock.day(time)
        return Both(f"{day.en}, {at}", f"{day.zh} {at}") if self.dated else Both(at, at)

    def _alerts(self, episodes: Sequence[Episode]) -> list[tuple[float, Label | None]]:
        rows = Rows(top=14)
        found = []
        for i, episode in enumerate(episodes):
            x, when = self.axis.x(episode.raised_at), self._when(episode.raised_at)
            text = fill("returned_time", time=when) if i else fill("recognised_time", time=when)
            found.append((x, rows.place(x, text, strong=True)))
        self.y = 14 + 16 * max(rows.used, 1)
        return found

    def _bars(self) -> list[Bar]:
        rows = 1 + max((call.row for call in self.calls), default=0)
        top = self._lane("lane_calls", rows * (_BAR + 2))
        last = self.calls[-1] if self.calls else None
        found: list[Bar] = []
        for call in self.calls[:MOST]:
            up = call is last and self.victim.on_call and not call.over
            found += self._parts(call, top + call.row * (_BAR + 2), up=up)
        return found

    def _parts(self, call: HeldCall, y: float, *, up: bool) -> Iterator[Bar]:
        title = self._call_title(call, up=up)
        starts = [(at, stage) for stage, at in self.victim.stages.items()]
        begin, stage = call.begin, seen.STAGES[0]
        for at, reached in sorted(starts, key=lambda start: (start[0], seen.STAGES.index(start[1]))):
            if (
                at - MINUTE <= call.begin + SECOND
            ):  # seen before, or in the call's first minute: of the whole call
                stage = max(stage, reached, key=seen.STAGES.index)
            elif at < call.end:
                yield self._bar(begin, at, y, stage, title)
                begin, stage = at, max(stage, reached, key=seen.STAGES.index)
        yield self._bar(begin, call.end, y, stage, title, up=up)

    def _bar(self, begin: int, end: int, y: float, stage: str, title: Both, *, up: bool = False) -> Bar:
        x = self.axis.x(begin)
        width = round(max(self.axis.x(end) - x, _THINNEST), 2)
        return Bar(min(x, 100 - _THINNEST), y, width, stage, up, title)

    def _call_title(self, call: HeldCall, *, up: bool) -> Both:
        who, when = number(call.caller), self._when(call.begin)
        long = duration((call.end - call.begin) / SECOND)
        still = fill("still_up") if up else Both("", "")
        return Both(
            f"{when.en}, {who.en}, {long.en}{', ' if up else ''}{still.en}",
            f"{when.zh}，{who.zh}，{long.zh}{'，' if up else ''}{still.zh}",
        )

    def _marks(self, lane: str, sorts: dict[int, tuple[str, str]]) -> None:
        """A lane of marks; transfers have their sums below them."""
        found = self._some([one for one in self.entries if one.what in sorts])
        if not found:
            return
        top = self._lane(lane, _MARK)
        rows = Rows(top=top + _MARK + 13)
        for one in found:
            head, key = sorts[one.what]
            self.heads[head] = key
            x, when = self.axis.x(one.at), self._when(one.at)
            title = Both(f"{when.en}: {one.text}", f"{when.zh}：{one.text_zh}")
            label = rows.place(x, money(one.value, one.currency)) if sorts is _PAYS else None
            self.spots.append(Spot(x, top + _MARK / 2, head, title, label))
        self.y += 16 * rows.used

    def _cells(self) -> tuple[float, list[Stay], list[Cell]]:
        visits = self._some(self._visits())
        if not visits:
            return 0.0, [], []
        top = self._lane("lane_cells", _STRIP)
        cells: dict[str, Cell] = {}
        for start, name, new in visits:
            letter = chr(ord("A") + len(cells)) if len(cells) < MOST_CELLS else ""
            cells.setdefault(name, Cell(letter, plain(name), self._when(start), new))
        stays = []
        ends = [start for start, _, _ in visits[1:]] + [max(self.entries[-1].at, visits[-1][0])]
        for (start, name, _), end in zip(visits, ends, strict=True):
            x = self.axis.x(start)
            width = round(max(self.axis.x(end) - x, _THINNEST), 2)
            cell = cells[name]
            title = fill("cell_from", cell=cell.name, time=self._when(start))
            stays.append(
                Stay(min(x, 100 - _THINNEST), width, cell.new, cell.letter if width >= 5 else "", title)
            )
        return top, stays, list(cells.values())

    def _visits(self) -> list[tuple[int, str, bool]]:
        """When the phone came to a cell, and whether it was new there."""
        fresh = {one.cell for one in self.entries if one.what == seen.NEW_CELL}
        begins = {call.call_id: call.begin for call in self.calls}
        found: list[tuple[int, str, bool]] = []
        for one in self.entries:
            if one.cell is None or (found and found[-1][1] == one.cell):
                continue
            begin = begins.get(one.call_id, one.at) if one.what in _HOLDS else one.at
            start = min(max(begin, found[-1][0] if found else begin), one.at)
            found.append((start, one.cell, one.cell in fresh))
        return found

    def _others(self) -> None:
        found = self._some([one for one in self.entries if one.other is not None])
        if not found:
            return
        top = self._lane("lane_others", _MARK)
        rows = Rows(top=top + _MARK + 13)
        for one in found:
            x, when = self.axis.x(one.at), self._when(one.at)
            other = number(one.other)
            title = Both(f"{when.en}, {other.en}: {one.text}", f"{when.zh}，{other.zh}：{one.text_zh}")
            self.spots.append(Spot(x, top + _MARK / 2, "number", title, rows.place(x, other)))
        self.y += 16 * rows.used
