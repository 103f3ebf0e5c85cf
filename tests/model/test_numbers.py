"""Numbers: equal to phonenumbers, the same one by one and by column, back to the same text, never an error."""

import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import phonenumbers as library
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from ringfence.model import number_plan
from ringfence.model.automata import Automata
from ringfence.model.numbers import Names, NumberPlan, is_e164, is_withheld, to_text, to_texts

REGIONS = sorted(library.SUPPORTED_REGIONS)
OFTEN = ["CN", "GB", "US", "CA", "IN", "DE", "FR", "AU", "HK", "SG", "DK", "IT", "BR", "AR", "JP", "RU", "BB"]
LOCAL = 1 << 60


@pytest.fixture(scope="module")
def china() -> NumberPlan:
    return NumberPlan.of("CN")


def judge(text: str, country: str) -> int:
    """E.164 by the library, 0 if the text is no possible number."""
    try:
        number = library.parse(text, country, keep_raw_input=True)
    except library.NumberParseException:
        return 0
    national = number.country_code_source == library.CountryCodeSource.FROM_DEFAULT_COUNTRY
    number.raw_input = None
    possible = library.is_possible_number(number)
    if national and possible:  # without an area code: local digits
        reason = library.is_possible_number_with_reason(number)
        possible = reason == library.ValidationResult.IS_POSSIBLE
    value = int(library.format_number(number, library.PhoneNumberFormat.E164)[1:])
    return value if possible and value < 10**15 else 0


def examples() -> list[tuple[str, library.PhoneNumber]]:
    kinds = (0, 1, 2, 3, 4, 6)
    found = [(region, library.example_number_for_type(region, kind)) for region in REGIONS for kind in kinds]
    found += [
        ("CN", library.example_number_for_non_geo_entity(c))
        for c in library.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    ]
    return [(region, number) for region, number in found if number is not None]


def variant(rng: random.Random, region: str, number: library.PhoneNumber) -> str:
    """The number as somebody might write or dial it, rightly or wrongly."""
    code, digits = str(number.country_code), library.national_significant_number(number)
    damage = rng.random()
    if damage < 0.1:
        digits = digits[: rng.randrange(len(digits))]
    elif damage < 0.2:
        digits += "".join(rng.choices("0123456789", k=rng.randrange(1, 6)))
    elif damage < 0.3:
        digits = "".join(rng.choices("0123456789", k=rng.randrange(1, 18)))
    trunk = library.ndd_prefix_for_region(region, strip_non_digits=True) or "0"
    idd = rng.choice(["00", "011", "0011", "810", "001", "119", "1795100", "99", "14110011"])
    plus = rng.choice(["+", "++", "＋"])
    forms = ["", trunk, "0", "1", "8", code, idd + code, plus + code, plus, idd, plus + idd + code]
    forms += [plus + code + trunk, plus + code + "(0)", idd + code + trunk, trunk + code]
    text = rng.choice(forms) + digits
    if rng.random() < 0.4:
        separator = rng.choice([" ", "-", ".", "/", "(", ")", "\u00a0", "  ", "\uff0d", "\u2010"])
        text = re.sub(r"\d", lambda d: d[0] + (separator if rng.random() < 0.25 else ""), text)
        text = rng.choice(["", "(", " ", "-"]) + text
    if rng.random() < 0.05:
        text = "".join(chr(0xFF10 + int(c)) if c in "0123456789" else c for c in text)
    return text


def test_equal_to_the_library_in_every_country() -> None:
    rng = random.Random(20)
    known = examples()
    texts = defaultdict(list)
    for region, number in known * 6:
        home = region if rng.random() < 0.6 else rng.choice(OFTEN + REGIONS)
        texts[home].append(variant(rng, region, number))
    agreed = 0
    for country, column in texts.items():
        for text, value in zip(column, NumberPlan.of(country).parse(pa.array(column)).tolist(), strict=True):
            expected = judge(text, country)
            agreed += expected > 0
            assert (value if is_e164(value) else 0) == expected, (country, text)
    assert agreed > 2000


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"\A[+(]?[0-9]{1,20}\Z"), st.sampled_from(OFTEN))
@example("000", "GB")
@example("0000000000", "IT")
@example("+490301234567890", "DE")
@example("+8613800000001", "CN")
def test_equal_to_the_library_for_any_digits(text: str, country: str) -> None:
    value = NumberPlan.of(country).parse_one(text)
    assert (value if is_e164(value) else 0) == judge(text, country)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([86, 44, 1, 91, 39, 55, 54, 7, 388, 999]), st.integers(0, 10**12), st.sampled_from(OFTEN)
)
@example(86, 17911_13800000, "CN")
@example(39, 612345678, "IT")
def test_the_usual_form_is_read_as_any_other(code: int, digits: int, country: str) -> None:
    plan = NumberPlan.of(country)
    for text in (f"+{code}{digits}", f"+{code}0{digits}"):
        assert plan.parse_one(text) == plan.parse_one(f" {text[:-1]} {text[-1]}")


@pytest.mark.parametrize(
    "country", sorted(set(OFTEN) - {"AR", "BB", "BR", "JP"})
)  # these rewrite numbers by a rule
def test_usual_forms_need_no_library(country: str) -> None:
    plan, rng = NumberPlan.of(country), random.Random(1)
    asked = 0
    for region, number in examples():
        text = variant(rng, region, number)
        asked += plan._compiled_one(text, bare=False) < 0
    assert asked < 10


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
@example("~0123456789abcde")
@example("sip%3Aalice")
@example('"a<b" <sip:x>')
@example("100%")
@example("%2B8613800000001")
@example('"')
@example("<")
@example("\ud800")
def test_any_text_is_read_and_shown_again(text: str) -> None:
    plan, names = NumberPlan.of("CN"), Names()
    value = plan.parse_one(text)
    assert 0 <= value < 1 << 63
    if "\ud800" not in text:
        assert plan.parse(pa.array([text]), names).tolist() == [value]
    shown = to_text(value, names)
    assert (shown is None) == is_withheld(value)
    assert to_texts(np.array([value]), names).to_pylist() == [shown]
    if shown is not None and not is_e164(value):
        assert plan.parse_one(shown) == value
    elif shown is not None:  # the library itself does not always take its own E.164 form as final
        assert plan.parse_one(shown) in (value, judge(shown, "CN"))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='<>"@:;%sipteladmn+0123456789 =-[]?\\', max_size=40))
def test_any_address_is_read_the_same_by_column(text: str) -> None:
    plan, names = NumberPlan.of("GB"), Names()
    (value,) = plan.parse(pa.array([text]), names).tolist()
    assert value == plan.parse_one(text)
    shown = to_text(value, names)
    if shown is not None and not is_e164(value):
        assert plan.parse_one(shown) == value


TEXTS = {
    "+8613800000001": "+8613800000001",
    "13800000001": "+8613800000001",
    "013800000001": "+8613800000001",
    "17951 13800000001": "+8613800000001",
    "008613800000001": "+8613800000001",
    "(+86) 138-0000-0001": "+8613800000001",
    "＋８６１３８０００００００１": "+8613800000001",
    "0755 2345 6789": "+8675523456789",
    "+390612345678": "+390612345678",
    "110": "110",
    "10086": "10086",
    "95588": "95588",
    "1001": "1001",
    "007": "007",
    "+0123": "+0123",
    "+86123": "+86123",
    "+": "+",
    "alice": "alice",
    "agent-7": "agent-7",
    "Agent-7": "Agent-7",
    "张三": "张三",
    "reception.desk.4": "reception.desk.4",
    "123456789012345678": "123456789012345678",
    "12+34": "12+34",
    "tel:+86-138-0000-0001": "+8613800000001",
    "TEL:13800000001;phone-context=+86": "+8613800000001",
    "tel:79460000;phone-context=+4420": "+442079460000",
    "tel:2079460000;phone-context=+44": "+442079460000",
    "tel:110;phone-context=+86": "110",
    "tel:110;phone-context=example.com": "110",
    "tel:+8613800000001;ext=12": "+8613800000001",
    "sip:alice@example.com": "alice",
    "alice@example.com": "alice",
    "sips:13800000001@[2001:db8::1]:5061": "+8613800000001",
    "sip:13800000001;rn=+8610;npdi@example.com": "+8613800000001",
    "sip:alice:secret@example.com": "alice",
    "sip:%2B8613800000001@example.com": "+8613800000001",
    "sip:2079460000;phone-context=+44@example.com;user=phone": "+442079460000",
    '"Zhang San" <sip:+8613800000001@host;user=phone>;tag=x': "+8613800000001",
    '"a \\" <b>" <sip:110@host>': "110",
    "Zhang San <tel:110>;tag=x": "110",
    '"10086"': "10086",
    "sip:a%40b@example.com": "a%40b",
    "sip:1001": "1001",
}
WITHHELD = [
    "anonymous",
    "Anonymous",
    "ANONYMOUS",
    "unavailable",
    "Restricted",
    "private",
    "unknown",
    "withheld",
    "blocked",
    "-",
    "--",
    "n/a",
    "匿名",
    "sip:anonymous@anonymous.invalid",
    "sip:x@anonymous.invalid",
    "<unknown>",
    '""',
    "sip:@host",
    "tel:",
    "<>",
]


@pytest.mark.parametrize(("text", "shown"), TEXTS.items())
def test_forms(china: NumberPlan, text: str, shown: str) -> None:
    names = Names()
    (value,) = china.parse(pa.array([text]), names)
    assert to_text(int(value), names) == shown
    assert china.parse_one(shown) == value


@pytest.mark.parametrize(
    "text", [*WITHHELD, "", " \t", "private number", "No Caller ID", '"Anonymous" <sip:anonymous@x>']
)
def test_withheld(china: NumberPlan, text: str) -> None:
    assert is_withheld(china.parse_one(text))


def test_layout(china: NumberPlan) -> None:
    assert china.parse_one("+8613800000001") == 8613800000001
    assert china.parse_one("007") == LOCAL | 1007
    assert china.parse_one("+0123") == LOCAL | 1 << 59 | 10123
    assert china.parse_one("a") == 1 << 61 | 1
    assert china.parse_one("A") >> 60 == 4
    assert china.parse_one(None) == 0


def test_columns_of_every_kind(china: NumberPlan) -> None:
    texts = [None, *TEXTS, None, *WITHHELD, "sip:%31%31%30@h"] * 3
    expected = [china.parse_one(text) for text in texts]
    column = pa.array(texts, pa.string())
    chunked = pa.chunked_array([column[:7], column[7:7], column[7:]])
    for kind in (column, column.cast(pa.large_string()), column.dictionary_encode(), chunked):
        assert china.parse(kind).tolist() == expected
        assert china.parse(kind[5:60]).tolist() == expected[5:60]
        assert china.parse(kind[3:3]).tolist() == []
    assert china.parse(pa.chunked_array([], pa.string())).tolist() == []
    assert china.parse(pa.nulls(2)).tolist() == [0, 0]
    assert china.parse(pa.array([13800000001, None])).tolist() == [8613800000001, 0]
    numbers = np.array(expected)
    assert to_texts(numbers).to_pylist() == [to_text(number) for number in expected]
    assert china.parse(to_texts(numbers)).tolist() == expected
    with pytest.raises(TypeError, match="telephone numbers are text, this column is double"):
        china.parse(pa.array([1.5]))


def test_bytes_that_are_no_text(china: NumberPlan) -> None:
    # A string column that came through C code need not be UTF-8.
    raw = pa.array([b"\xff\xfe", b"%\xff", b"+8613800000001"], pa.binary())
    column = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    names = Names()
    assert china.parse(column, names).tolist()[2] == 8613800000001


def test_names_are_bounded_and_kept(china: NumberPlan) -> None:
    names = Names(limit=2)
    first = china.parse_one("Alice")
    china.parse(pa.array(["Alice", "Bob", "Alice", "short"]), names)
    china.parse(pa.array(["Alice"]), names)  # seen again: Bob is now the older one
    china.parse(pa.array(["Carol"]), names)
    numbers, texts = names.to_lists()
    assert texts == ["Alice", "Carol"]
    again = Names.of_lists(numbers, texts)
    assert len(again) == 2
    assert to_text(first, again) == "Alice"
    unknown = to_text(first)
    assert unknown is not None
    assert re.fullmatch("~[0-9a-f]{15}", unknown)
    assert china.parse(pa.array([unknown]), names).tolist() == [first]
    with pytest.raises(ValueError, match="shorter"):
        Names.of_lists([1, 2], ["a"])


def test_helpers_in_compiled_code() -> None:
    def plain(number: int) -> tuple[bool, bool]:
        return is_e164(number), is_withheld(number)

    both: Any = njit(plain)
    assert both(0) == (False, True)
    assert both(8613800000001) == (True, False)
    assert both(LOCAL | 1110) == (False, False)


def test_unknown_country() -> None:
    assert NumberPlan.of("cn") == NumberPlan.of("CN")
    for country in ("", "XX", "CHN", "86"):
        with pytest.raises(ValueError, match="unknown country"):
            NumberPlan.of(country)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ringfence"


def fresh() -> number_plan.Plans:
    return number_plan.plans.__wrapped__()


def test_plans_are_kept_and_damage_is_noticed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = fresh()
    (file,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(number_plan, "_build", None)  # what is kept is used
        assert np.array_equal(fresh().table, built.table)
        assert fresh().zones == built.zones
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"x" * 100):
        file.write_bytes(damaged)
        assert number_plan._load(file) is None
    np.savez(file, main=np.zeros(3), zones=np.zeros(3), states=np.zeros(3), regions=np.zeros(3))
    assert number_plan._load(file) is None
    assert np.array_equal(fresh().table, built.table)
    assert file.read_bytes() == whole


def test_no_cache_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert fresh().zones["CN"]


@pytest.mark.parametrize("pattern", ["a", "1*", "1+?", "(?=1)1", "(1", "1)", "[1", "1{2}?", "$1", "\\w"])
def test_patterns_not_understood_are_left_to_the_library(pattern: str) -> None:
    assert Automata().start(pattern, "whole") == -1
