"""Tells the class of a shown number in compiled code: number plans, the country's pack and the operator's lists together.

Two automata read the digits side by side: the plans of the world (`number_kinds`) and the special numbers of the pack.
The operator's lists outrank both. The class is meant to be kept once for each caller; docs/packs.md tells what it means.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit, routine
from ringfence.model import caller_class as cc
from ringfence.model import number_kinds
from ringfence.model.automata import Automata
from ringfence.model.number_kinds import ANSWER, NO_COUNTRY, NO_NUMBER, WIDTH, Minimal, kinds
from ringfence.model.number_lists import NumberLists, flatten
from ringfence.model.packs import NumberRule, Pack

Classes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
_Ints = npt.NDArray[np.int32]

# The head of the flat table: where things lie in it
_KINDS_AT: Final = 0  # the automaton of the plans
_CODED_AT: Final = 1  # special numbers with a country code
_PLUS_AT: Final = 2  # digits with a plus that are no possible number
_PLAIN_AT: Final = 3  # digits without a country code
_RULES_AT: Final = 4  # the class of each rule of the pack, from 1
_CODE: Final = 5  # the own country code
_CODE_WIDTH: Final = 6
_HEAD: Final = 7  # behind it the class of each answer of the plans

_E164_END: Final = 10**15
_PLUS: Final = 1 << 59
_LOCAL: Final = 1 << 60
_PACKED: Final = 1 << 61
_DIGITS: Final = (1 << 58) - 1
_MOST_E164: Final = 15  # digits
_MOST: Final = 16  # digits that fit into 64 bits, four each
_U0, _U1, _U4, _U10, _U15 = (np.uint64(n) for n in (0, 1, 4, 10, 15))

_AUTHORITIES: Final = {"emergency", "state", "bank"}
_CLASS_OF_KIND: Final = {
    "fixed": cc.FIXED,
    "mobile": cc.MOBILE,
    "fixed_or_mobile": cc.FIXED_OR_MOBILE,
    "toll_free": cc.TOLL_FREE,
    "premium": cc.PREMIUM,
    "shared_cost": cc.SERVICE,
}


class Tables(NamedTuple):
    """What compiled code needs to classify; hand it on as it is.

    Attributes:
        table: int32, head, classes and automata.
        starts: int64[m], where the ranges of the operator's lists begin.
        marks: uint8[m], what they say.
    """

    table: _Ints
    starts: Numbers
    marks: Classes


class Callers:
    """The classes of shown numbers in one country, for one operator."""

    def __init__(self, pack: Pack, lists: NumberLists | None = None) -> None:
        """Put the tables together (some milliseconds once the plans are in the cache).

        Args:
            pack: the country's rules.
            lists: what the operator knows beyond them.
        """
        self.pack = pack
        starts, marks = flatten(lists or NumberLists(), portable=pack.portable)
        self.tables = Tables(_table(pack), starts, marks)

    def classify(self, numbers: Numbers) -> Classes:
        """The class and flags of each number.

        Args:
            numbers: (n,) as in `model.numbers`.

        Returns:
            (n,) uint8, see `model.caller_class`.
        """
        classes = np.empty(len(numbers), np.uint8)
        _classify(np.ascontiguousarray(numbers, np.int64), self.tables, classes)
        return classes

    def rule(self, number: int) -> NumberRule | None:
        """The rule of the pack that speaks of this number, to explain it; None: there is none."""
        index = _rule_one(number, self.tables.table)
        return self.pack.numbers[index - 1] if index > 0 else None


# --- compiled --------------------------------------------------------------------------------------------------------


@jit
def _read(number: int, table: _Ints) -> tuple[int, int, bool, int]:
    # The rule of the pack (0: none), the answer of the plans, whether the own country code is in front, how many digits.
    coded = number < _E164_END
    value, end = (np.uint64(number), _U0) if coded else (np.uint64(number & _DIGITS), _U1)
    packed, count = _U0, 0  # the first digit ends in the lowest four bits
    while value > end and count < _MOST:
        rest = value // _U10
        packed = packed << _U4 | (value - rest * _U10)
        value = rest
        count += 1
    if value > end:
        return 0, NO_COUNTRY, False, _MOST + 1
    rules = table[_CODED_AT] if coded else table[_PLUS_AT] if number & _PLUS else table[_PLAIN_AT]
    plans = table[_KINDS_AT]
    rule, kind, code, width = WIDTH, WIDTH, 0, table[_CODE_WIDTH]
    for i in range(count):
        digit = int(packed & _U15)
        packed >>= _U4
        rule = table[rules + rule + digit]  # the two do not wait for one another
        kind = table[plans + kind + digit]
        if i < width:
            code = code * 10 + digit
    return table[rules + rule + ANSWER], table[plans + kind + ANSWER], code == table[_CODE], count


@jit
def _plan_class(number: int, table: _Ints) -> int:
    # What pack and plans say of a number.
    rule, answer, own, count = _read(number, table)
    if rule > 0:
        return int(table[table[_RULES_AT] + rule])
    if count > _MOST_E164:
        return cc.MALFORMED
    if number >= _E164_END and number & _PLUS == 0:
        return cc.LOCAL
    if answer > NO_NUMBER and number < _E164_END:
        return int(table[_HEAD + answer])
    if own:
        return cc.UNALLOCATED if number < _E164_END else cc.MALFORMED
    return cc.NO_COUNTRY if answer == NO_COUNTRY else cc.NO_SUCH_FOREIGN


@jit
def _mark(starts: Numbers, marks: Classes, number: int) -> int:
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) >> 1
        if starts[middle] <= number:
            low = middle + 1
        else:
            high = middle
    return int(marks[low - 1]) if low > 0 else 0


@routine
def number_class(number: int, tables: Tables) -> int:
    """The class and flags of one number, for compiled code (see `model.caller_class`)."""
    if number == 0:
        return cc.WITHHELD
    if number >= _PACKED:
        return cc.NAME
    mark = _mark(tables.starts, tables.marks, number)
    if mark & cc.CLASS_BITS:
        return mark
    return _plan_class(number, tables.table) | mark


@entry
def _classify(numbers: Numbers, tables: Tables, classes: Classes) -> None:
    for row in range(len(numbers)):
        classes[row] = number_class(numbers[row], tables)


@entry
def _rule_one(number: int, table: _Ints) -> int:
    return 0 if number == 0 or number >= _PACKED else int(_read(number, table)[0])


# --- building --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _table(pack: Pack) -> _Ints:
    plans = kinds()
    answers = np.full(plans.size, cc.FOREIGN, np.int32)
    for region in pack.regions:
        for kind, answer in plans.answers(region).items():
            answers[answer] = _CLASS_OF_KIND.get(kind, cc.OTHER)
    for region in pack.shared:
        for kind, answer in plans.answers(region).items():
            if kind not in {"fixed", "mobile", "fixed_or_mobile"}:
                answers[answer] = _CLASS_OF_KIND.get(kind, cc.OTHER)
    rules = np.array([0, *(rule.caller_class for rule in pack.numbers)], np.int32)
    parts = [answers, rules, plans.table, *_special(pack)]
    places = np.cumsum([_HEAD, *map(len, parts)])[:-1]
    head = np.zeros(_HEAD, np.int32)
    head[[_RULES_AT, _KINDS_AT, _CODED_AT, _PLUS_AT, _PLAIN_AT]] = places[1:]
    head[[_CODE, _CODE_WIDTH]] = pack.code, len(str(pack.code))
    table = np.concatenate([head, *parts], dtype=np.int32)
    table.flags.writeable = False
    return table


def _special(pack: Pack) -> list[_Ints]:
    """Automata of the pack's rules: with a country code, with a plus but not possible, and without."""
    area, code, trunk = f"(?:{pack.area})", str(pack.code), f"(?:{pack.trunk})?" if pack.trunk else ""
    coded, plus, plain = [], [], []
    for rule in pack.numbers:
        own = [f"{area}?(?:{pattern})" if rule.area_code else f"(?:{pattern})" for pattern in rule.national]
        dialled = [f"{trunk}{pattern}" for pattern in own]
        coded.append([*(f"{code}{pattern}" for pattern in dialled), *rule.international])
        # +110, 00110, +10086 are how a gateway that adds a prefix shows a forged 110 or 10086
        plus.append([*coded[-1], *(dialled if rule.kind in _AUTHORITIES else own)])
        prefixed = [f"(?:{pack.international})?{pattern}" for pattern in plus[-1]]
        plain.append([*dialled, *rule.dialled, *prefixed])
    return [_automaton(coded, _MOST_E164), _automaton(plus, _MOST), _automaton(plain, _MOST)]


def _automaton(rules: list[list[str]], longest: int) -> _Ints:
    """Answers the place (from 1) of the first rule that has a pattern of all digits; 0: none has."""
    automata, minimal = Automata(), Minimal()
    starts = {automata.start(pattern, "whole"): 0 for patterns in rules for pattern in patterns}
    for place in range(len(rules), 0, -1):
        starts.update({automata.start(pattern, "whole"): place for pattern in rules[place - 1]})

    def answer(matching: frozenset[int], read: int) -> int:
        del read
        return min((starts[start] for start in matching), default=0)

    first = minimal.all_of(automata, list(starts), answer, number_kinds.NO_COUNTRY, longest)
    return minimal.table(first)
