"""The operator's own lists: read, laid over one another, and searched."""

import re
from itertools import pairwise

import numpy as np
import phonenumbers as library
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.model import caller_class as cc
from ringfence.model.callers import Callers
from ringfence.model.number_lists import ListError, NumberLists, Ranges, flatten, read_list
from ringfence.model.numbers import NumberPlan
from ringfence.model.packs import countries, pack_of

CHINA = NumberPlan.of("CN")


def marked(ranges: Ranges, text: str) -> bool:
    number = CHINA.parse_one(text)
    return any(low <= number < high for low, high in ranges)


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("+8613800000001", "+8613800000001", "+8613800000002"),
        ("13800000001  # the mayor", "+8613800000001", "+8613800000000"),
        ("95588", "95588", "955881"),
        ("+8610*", "+861062345678", "+862162345678"),
        ("+8610*", "+8610", "+8611"),
        ("955*", "95588", "95488"),
        ("955*", "955", "+95512345678"),
        ("+441632960000 - +441632960999", "+441632960999", "+441632961000"),
        ("+441632960000-+441632960999", "+441632960000", "+441632959999"),
        ("10000 .. 10099", "10086", "10100"),
        ("# nothing\n\n  \n110", "110", "+110"),
    ],
)
def test_entries(entry: str, inside: str, outside: str) -> None:
    ranges = read_list(entry, "own.txt", CHINA)
    assert marked(ranges, inside)
    assert not marked(ranges, outside)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "alice",
            "own.txt, line 1: 'alice' is no number: +8613800000001, 10086, +8610* or a range is wanted",
        ),
        ("110\n*", "own.txt, line 2: '*' is no number"),
        ("110\n\nanonymous", "own.txt, line 3: 'anonymous' is no number"),
        ("+8613800000002 - +8613800000001", "own.txt, line 1: '+8613800000002 - +8613800000001' is no range"),
        ("+8613800000002 - 110", "own.txt, line 1: '+8613800000002 - 110' is no range"),
    ],
)
def test_a_mistake_is_told_with_list_and_line(text: str, message: str) -> None:
    with pytest.raises(ListError, match=re.escape(message)):
        read_list(text, "own.txt", CHINA)


RANGE = st.tuples(st.integers(1, 60), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
RANGES = st.lists(RANGE, max_size=6)


@given(RANGES, RANGES, RANGES, RANGES, RANGES, RANGES)
def test_lists_laid_over_one_another(
    allow: Ranges, never: Ranges, own: Ranges, ported: Ranges, abroad: Ranges, roaming: Ranges
) -> None:
    lists = NumberLists(allow, never, own, ported, abroad, roaming)
    starts, marks = flatten(lists, portable=True)
    assert all(low < high for low, high in pairwise(starts.tolist()))
    for number in range(80):
        place = int(np.searchsorted(starts, number, "right")) - 1
        found = int(marks[place]) if place >= 0 else 0

        def within(ranges: Ranges, number: int = number) -> bool:
            return any(low <= number < high for low, high in ranges)

        flags = (
            cc.OWN * (within(own) and not within(ported))
            | cc.ABROAD * within(abroad)
            | cc.ROAMING * within(roaming)
        )
        expected = cc.ALLOWED if within(allow) else cc.LISTED * within(never) | flags
        assert found == expected, number


def test_own_numbers_where_none_can_be_ported_need_no_list_of_those() -> None:
    lists = NumberLists(own=[(5, 6)])
    assert flatten(lists, portable=False)[1].tolist() == [cc.OWN, 0]
    assert flatten(lists, portable=True)[1].tolist() == []


@given(st.sampled_from(countries()), st.lists(st.text("0123456789+ *#-a", max_size=20), max_size=20))
def test_any_text_has_a_class(country: str, texts: list[str]) -> None:
    numbers = NumberPlan.of(country).parse(pa.array(texts, pa.string()))
    callers = Callers(pack_of(country))
    classes = callers.classify(numbers)
    assert set(classes.tolist()) <= set(range(len(cc.NAMES)))
    for number, one in zip(numbers.tolist(), classes.tolist(), strict=True):
        rule = callers.rule(number)
        assert rule is None or rule.caller_class == one
        assert (one == cc.WITHHELD) == (number == 0)


@given(st.sampled_from(countries()), st.integers(10**6, 10**15 - 1))
def test_a_number_is_foreign_only_if_the_library_finds_it_valid(country: str, number: int) -> None:
    pack = pack_of(country)
    (one,) = Callers(pack).classify(np.array([number]))
    try:
        parsed = library.parse(f"+{number}")
    except library.NumberParseException:
        assert one in {cc.NO_COUNTRY, cc.NO_SUCH_FOREIGN, cc.MALFORMED, cc.UNALLOCATED}
        return
    if f"{parsed.country_code}{library.national_significant_number(parsed)}" != str(number):
        return  # the library takes a trunk prefix off: not the number that was shown
    foreign = library.is_valid_number(parsed) and library.region_code_for_number(parsed) not in pack.regions
    special = Callers(pack).rule(number) is not None
    assert (one == cc.FOREIGN) == (foreign and not special)


def test_numbers_stay_what_they_are_however_they_are_handed_over() -> None:
    callers = Callers(pack_of("CN"))
    numbers = np.array([8613800000001, 862162345678, 0, 8613800000001])
    assert callers.classify(numbers[::2]).tolist() == [cc.MOBILE, cc.WITHHELD]
    assert callers.classify(numbers[:0]).tolist() == []
    assert callers.classify(np.zeros(4, np.int64)).tolist() == [cc.WITHHELD] * 4
