"""The operator's own lists of numbers, as ranges of integers that compiled code searches by halving.

A list is a text, one entry a line: a number, a beginning (`+8610*`), or a range (`+441632960000 - +441632960999`);
`#` begins a comment. A list of do-not-originate numbers from a regulator has the same form.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.model import caller_class as cc
from ringfence.model.numbers import NumberPlan, is_e164

Ranges = list[tuple[int, int]]
"""Numbers from the first up to, but not including, the second."""

_PLUS: Final = 1 << 59
_LOCAL: Final = 1 << 60
_MOST_DIGITS: Final = 15
_MOST_LOCAL: Final = 17
_BEGINNING: Final = re.compile(r"(\+?)(\d{1,15})\*")
_RANGE: Final = re.compile(r"(\+?\d+)\s*(?:-|–|\.\.)\s*(\+?\d+)")


class ListError(ValueError):
    """A list that cannot be used: which list, which line, what is wrong and what is wanted."""


@dataclass(frozen=True, slots=True)
class NumberLists:
    """What an operator knows beyond the country's rules; each a list of ranges.

    Attributes:
        allow: never judged; outranks everything (answering points that call back with unassigned numbers).
        never: do not originate.
        own: the operator's own subscribers.
        ported_out: own numbers that other operators serve now. None: not known, and then where numbers can be ported an own
            number from another network says nothing.
        abroad: may arrive from abroad (customers on foreign nodes or in a cloud).
        roaming: numbers lent to visitors' phones (MSRN): calls to them come back from abroad.
    """

    allow: Ranges = field(default_factory=list)
    never: Ranges = field(default_factory=list)
    own: Ranges = field(default_factory=list)
    ported_out: Ranges | None = None
    abroad: Ranges = field(default_factory=list)
    roaming: Ranges = field(default_factory=list)


def read_list(text: str, name: str, plan: NumberPlan) -> Ranges:
    """Read a list.

    Args:
        text: one entry a line.
        name: of the list, for messages.
        plan: how numbers without a country code are meant.

    Raises:
        ListError: A line is no number, beginning or range.
    """
    ranges: Ranges = []
    for row, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if entry:
            ranges.extend(_entry(entry, f"{name}, line {row}", plan))
    return ranges


def _entry(entry: str, where: str, plan: NumberPlan) -> Ranges:
    if beginning := _BEGINNING.fullmatch(entry):
        return _beginning(beginning[2], plus=bool(beginning[1]))
    if both := _RANGE.fullmatch(entry):
        first, last = (_number(part, where, plan) for part in both.groups())
        if len(str(first)) != len(str(last)) or first > last or is_e164(first) != is_e164(last):
            raise ListError(
                f"{where}: {entry!r} is no range: two numbers of the same length, the lower first"
            )
        return [(first, last + 1)]
    number = _number(entry, where, plan)
    return [(number, number + 1)]


def _number(text: str, where: str, plan: NumberPlan) -> int:
    number = plan.parse_one(text)
    if not is_e164(number) and not number & _LOCAL:
        raise ListError(f"{where}: {text!r} is no number: +8613800000001, 10086, +8610* or a range is wanted")
    return number


def _beginning(digits: str, *, plus: bool) -> Ranges:
    """All numbers that begin so: one range for each length."""
    mark, value = _LOCAL, int(f"1{digits}")
    ranges: Ranges = []
    if plus:  # behind a plus there are E.164 numbers and others, such as +8695588
        mark |= _PLUS
        first, sizes = int(digits), [10**more for more in range(_MOST_DIGITS + 1 - len(digits))]
        ranges = [(first * size, (first + 1) * size) for size in sizes]
    sizes = [10**more for more in range(_MOST_LOCAL + 1 - len(digits))]
    return [*ranges, *((mark | value * size, (mark | value * size) + size) for size in sizes)]


def flatten(lists: NumberLists, *, portable: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """All lists as one sequence of ranges that do not overlap.

    Args:
        lists: the operator's.
        portable: whether numbers can be ported; own numbers are then marked only if `ported_out` is known.

    Returns:
        (m,) where each range begins, ascending, and (m,) its mark: a class that is forced on the numbers (0: none) and
        flags, up to where the next begins.
    """
    own = lists.own if lists.ported_out is not None or not portable else []
    parts: list[tuple[Iterable[tuple[int, int]], int]] = [
        (lists.allow, cc.ALLOWED),
        (lists.never, cc.LISTED),
        (own, cc.OWN),
        (lists.ported_out or [], 0),
        (lists.abroad, cc.ABROAD),
        (lists.roaming, cc.ROAMING),
    ]
    columns = [np.array(list(ranges), np.int64).reshape(-1, 2) for ranges, _ in parts]
    starts = np.unique(np.concatenate([column.ravel() for column in columns]))
    covered = [_covered(column, starts) for column in columns]
    covered[2] &= ~covered[3]
    marks = np.zeros(len(starts), np.uint8)
    for (_, mark), where in zip(parts[2:], covered[2:], strict=True):
        marks[where] |= np.uint8(mark)
    marks[covered[1]] |= np.uint8(cc.LISTED)
    marks[covered[0]] = cc.ALLOWED  # outranks everything, flags too
    return starts, marks


def _covered(ranges: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of the pieces between `starts` lie in one of the ranges."""
    change = np.zeros(len(starts) + 1, np.int64)
    np.add.at(change, np.searchsorted(starts, ranges[:, 0]), 1)
    np.add.at(change, np.searchsorted(starts, ranges[:, 1]), -1)
    inside: npt.NDArray[np.bool_] = np.cumsum(change[:-1]) > 0
    return inside
