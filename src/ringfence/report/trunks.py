"""The report by trunk: how many forged calls each let in, ready to send to the operator at its other end.

`Trunks` takes forged calls one by one and keeps counts and a few examples; `letter` makes a page of one trunk, `table` the
list of its calls as CSV.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ringfence.report import words
from ringfence.report.trunk_labels import LABELS
from ringfence.report.words import Both, Clock

NO_RULE: Final = Both("", "")
EXAMPLES: Final = 20
TOP_NUMBERS: Final = 10
MOST_DISTINCT: Final = 100_000
"""Distinct numbers counted for each trunk; who invents more does not fill our memory."""
_MOST_BARS: Final = 60
_HOUR: Final = 3_600_000_000
_BAR_HOURS: Final = (1, 2, 3, 6, 12, 24, 48, 168, 720)
_LANGUAGES: Final = ("en", "zh")
_SHORT: Final = 6  # digits of a number that belongs to no person
_HEADER: Final = ("time_utc", "trunk", "call_id", "shown_number", "called_number", "reason", "rule")


@dataclass(frozen=True, slots=True)
class ForgedCall:
    """One forged call.

    Attributes:
        at: set-up, µs since 1970, UTC.
        trunk: where it came in; None: not recorded.
        shown: the number shown; None: withheld.
        callee: who was rung.
        reason: what is wrong with it, in both languages.
        rule: the regulation behind it.
        call_id: as in the records.
    """

    at: int
    trunk: str | None
    shown: str | None
    callee: str
    reason: Both
    rule: Both = NO_RULE
    call_id: str = ""


@dataclass(slots=True)
class Count:
    """Calls counted together: how many, of how many numbers, and when the first and last were set up (µs)."""

    calls: int = 0
    first: int = 0
    last: int = 0
    numbers: set[str | None] = field(default_factory=set)

    def add(self, call: ForgedCall, number: str | None) -> None:
        """Count a call; calls may come in any order."""
        self.first = min(self.first, call.at) if self.calls else call.at
        self.last = max(self.last, call.at) if self.calls else call.at
        self.calls += 1
        if len(self.numbers) < MOST_DISTINCT:
            self.numbers.add(number)


@dataclass(slots=True)
class Trunk:
    """What is known of one trunk.

    Attributes:
        name: None: the records do not say.
        all: its forged calls by number shown; `callees`: the same by number rung.
        reasons: by reason and rule; `shown`: by number shown.
        hours: calls by hour since 1970.
        total: all calls of the trunk, None: not given.
    """

    name: str | None
    total: int | None = None
    all: Count = field(default_factory=Count)
    callees: Count = field(default_factory=Count)
    reasons: dict[tuple[Both, Both], Count] = field(default_factory=dict)
    shown: dict[str | None, int] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    _latest: dict[tuple[Both, Both], dict[tuple[str | None, str], ForgedCall]] = field(default_factory=dict)

    def add(self, call: ForgedCall) -> None:
        """Count a call."""
        self.all.add(call, call.shown)
        self.callees.add(call, call.callee)
        self.reasons.setdefault((call.reason, call.rule), Count()).add(call, call.shown)
        if call.shown in self.shown or len(self.shown) < MOST_DISTINCT:
            self.shown[call.shown] = self.shown.get(call.shown, 0) + 1
        hour = call.at // _HOUR
        self.hours[hour] = self.hours.get(hour, 0) + 1
        self._keep(call)

    def _keep(self, call: ForgedCall) -> None:
        """Keep the latest calls of each reason, one for each number shown and rung."""
        latest = self._latest.setdefault((call.reason, call.rule), {})
        key = call.shown, call.callee
        before = latest.get(key)
        if before is None or _order(call) > _order(before):
            latest[key] = call
        if len(latest) > EXAMPLES:
            del latest[min(latest, key=lambda one: _order(latest[one]))]

    def examples(self) -> list[ForgedCall]:
        """Up to `EXAMPLES` calls in order of time: the latest of each reason in turn, so that none is left out."""
        queues = [sorted(kept.values(), key=_order) for _, kept in sorted(self._latest.items())]
        found: list[ForgedCall] = []
        while any(queues) and len(found) < EXAMPLES:
            found.extend(queue.pop() for queue in queues if queue)
        return sorted(found[:EXAMPLES], key=_order)


def _order(call: ForgedCall) -> tuple[int, str, str, str]:
    """By time; the rest only makes the order the same however the calls come in."""
    return call.at, call.shown or "", call.callee, call.call_id


def trunks(calls: Iterable[ForgedCall], totals: Mapping[str, int] | None = None) -> list[Trunk]:
    """Count forged calls by trunk.

    Args:
        calls: in any order.
        totals: all calls of each trunk, where known.

    Returns:
        The trunks with forged calls, the most first.
    """
    found: dict[str | None, Trunk] = {}
    for call in calls:
        if call.trunk not in found:
            known = (totals or {}).get(call.trunk) if call.trunk is not None else None
            found[call.trunk] = Trunk(call.trunk, known)
        found[call.trunk].add(call)
    return sorted(found.values(), key=lambda trunk: (-trunk.all.calls, trunk.name or ""))


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom.

    Attributes:
        sender, recipient: names and addresses, several lines; may be empty.
        written: µs, when the letter is written.
        reference: to be quoted in the answer, may be empty.
        timezone: of all times in the letter.
        full_numbers: give called numbers in full (only on a lawful request).
    """

    sender: str
    recipient: str
    written: int
    reference: str = ""
    timezone: str = "UTC"
    full_numbers: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Calls over time: heights from 0 to 1, how long a bar is, and the calls of the highest."""

    heights: list[float]
    length: Both
    most: int


def letter(trunk: Trunk, envelope: Envelope, language: str = "en") -> str:
    """A page about one trunk, for its operator, in one language: HTML that needs nothing but itself.

    Args:
        trunk: with at least one forged call.
        envelope: who writes to whom.
        language: `en` or `zh`.

    Raises:
        ValueError: There is no such language, or nothing to write about.
    """
    if language not in _LANGUAGES:
        raise ValueError(f"no language {language!r}: there are {' and '.join(_LANGUAGES)}")
    if not trunk.all.calls:
        raise ValueError(f"no forged calls on the trunk {trunk.name!r}: nothing to write about")
    clock = Clock(envelope.timezone)

    def text(key: str, **values: object) -> str:
        return say(LABELS[key]).format(**values)

    def say(both: Both) -> str:
        return both[_LANGUAGES.index(language)]

    def how_many(numbers: set[str | None]) -> str:
        exact = words.count(len(numbers))
        return text("at_least", n=exact) if len(numbers) >= MOST_DISTINCT else exact

    reasons = sorted(trunk.reasons.items(), key=lambda item: (-item[1].calls, item[0]))

    return _environment().get_template("trunk.html").render(
        t=text, say=say, w=words, language="zh-Hans" if language == "zh" else "en", clock=clock,
        trunk=trunk, envelope=envelope, examples=trunk.examples(), bars=_bars(trunk), how_many=how_many,
        name=text("no_trunk") if trunk.name is None else words.plain(trunk.name),
        top=sorted(trunk.shown.items(), key=lambda item: (-item[1], item[0] or ""))[:TOP_NUMBERS],
        reasons=reasons, place={one: i for i, (one, _) in enumerate(reasons, 1)},
        called=lambda number: words.plain(number if envelope.full_numbers else masked(number)),
        share=None if not trunk.total else f"{100 * trunk.all.calls / trunk.total:.2g}%",
        policy="default-src 'none'; style-src 'unsafe-inline'",
    )  # fmt: skip


def _bars(trunk: Trunk) -> Bars:
    """Calls over time in at most `_MOST_BARS` bars."""
    first, last = min(trunk.hours), max(trunk.hours)
    fits = (hours for hours in _BAR_HOURS if (last - first) // hours < _MOST_BARS)
    hours = next(fits, (last - first) // _MOST_BARS + 1)
    counts = [0] * ((last - first) // hours + 1)
    for hour, calls in trunk.hours.items():
        counts[(hour - first) // hours] += calls
    return Bars([count / max(counts) for count in counts], words.duration(hours * 3600), max(counts))


def masked(number: str) -> str:
    """A number of which a person cannot be rung but a call can be found: `+86138****0001`.

    At most the four last digits are left, and the first ones up to half of the others; short numbers belong to no person.
    """
    if len(number) <= _SHORT:
        return number if number.isdigit() else "*" * len(number)
    end = min(4, len(number) // 3)
    begin = min(6, (len(number) - end) // 2)
    return number[:begin] + "*" * (len(number) - begin - end) + number[-end:]


def table(calls: Iterable[ForgedCall], *, full_numbers: bool = False, language: str = "en") -> Iterator[str]:
    """The calls as lines of CSV, with a header, for a spreadsheet or for the other operator's own search.

    Args:
        calls: usually of one trunk.
        full_numbers: give called numbers in full.
        language: of the reasons.
    """
    yield _row(_HEADER)
    clock = Clock("UTC")
    for call in calls:
        callee = call.callee if full_numbers else masked(call.callee)
        time = f"{clock.at(call.at):%Y-%m-%dT%H:%M:%S.%fZ}"
        reason = call.reason[_LANGUAGES.index(language)]
        rule = call.rule[_LANGUAGES.index(language)]
        yield _row((time, call.trunk or "", call.call_id, call.shown or "", callee, reason, rule))


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_harmless(cell) for cell in cells])
    return line.getvalue()


def _harmless(cell: str) -> str:
    """A spreadsheet takes a cell for a formula if it begins so; a shown name is chosen by whoever calls."""
    number = cell.startswith("+") and cell[1:].replace("*", "").isdigit()
    return f"'{cell}" if cell[:1] in set("=+-@\t\r") and cell[:1] and not number else cell


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ringfence.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = lambda text: Markup("<br>").join(text.strip().splitlines())
    environment.filters["count"] = words.count
    return environment
