"""The automaton of kinds answers as phonenumbers does, in every plan of the world; damage to what is kept is noticed."""

import random
from pathlib import Path

import numpy as np
import phonenumbers as library
import pytest

from ringfence.model import number_kinds
from ringfence.model.automata import Automata
from ringfence.model.number_kinds import ANSWER, KINDS, WIDTH, Kinds, Minimal, kinds

TYPES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)


def answer_of(digits: str) -> int:
    table, state = kinds().table, WIDTH
    for digit in digits:
        state = int(table[state + int(digit)])
    return int(table[state + ANSWER])


def judge(digits: str) -> int:
    """What the library says, as an answer."""
    for width in (1, 2, 3):
        code, national = digits[:width], digits[width:]
        if int(code) in library.COUNTRY_CODE_TO_REGION_CODE and not code.startswith("0"):
            break
    else:
        return number_kinds.NO_COUNTRY
    zeros = len(national) - len(national.lstrip("0"))
    number = library.PhoneNumber(
        country_code=int(code),
        national_number=int(national or 0),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    kind = library.number_type(number)
    if kind == library.PhoneNumberType.UNKNOWN:
        return number_kinds.NO_NUMBER
    region = library.region_code_for_number(number)
    assert region is not None
    return kinds().answers(f"+{code}" if region == "001" else region)[KINDS[kind]]


def samples(rng: random.Random) -> set[str]:
    """Example numbers of every kind in every plan, as they are and changed a little."""
    found = set()
    for code, regions in library.COUNTRY_CODE_TO_REGION_CODE.items():
        numbers = [library.example_number_for_type(region, kind) for region in regions for kind in TYPES]
        numbers.append(library.example_number_for_non_geo_entity(code))
        for number in filter(None, numbers):
            national = library.national_significant_number(number)
            for _ in range(3):
                changed = list(national)
                for _ in range(rng.randrange(4)):
                    changed[rng.randrange(len(changed))] = rng.choice("0123456789")
                text = "".join(changed)
                if rng.random() < 0.1:
                    text = text[: rng.randrange(1, len(text) + 1)] + rng.choice(["", "0", "12"])
                if text.strip("0"):
                    found.add(f"{code}{text}"[:15])
    return found


def test_every_plan_is_answered_as_the_library_does() -> None:
    answers = {digits: (answer_of(digits), judge(digits)) for digits in samples(random.Random(3))}
    assert [digits for digits, (ours, theirs) in answers.items() if ours != theirs] == []
    regions = {
        kinds().regions[(ours - 2) // len(KINDS)]
        for ours, _ in answers.values()
        if ours > number_kinds.NO_NUMBER
    }
    assert len(regions) > 250  # the samples reached every plan (the library itself never says EH)
    assert sum(ours == number_kinds.NO_NUMBER for ours, _ in answers.values()) > 800  # and went beyond it


def test_random_digits_are_answered_as_the_library_does() -> None:
    rng = random.Random(4)
    for _ in range(3000):
        digits = rng.choice("123456789") + "".join(rng.choices("0123456789", k=rng.randrange(3, 15)))
        if digits[3:].strip("0"):
            assert answer_of(digits) == judge(digits), digits


def test_a_minimal_automaton_has_no_two_states_that_do_the_same() -> None:
    automata, minimal = Automata(), Minimal()
    starts = [automata.start(pattern, "whole") for pattern in ("1[2-4]5", "2[2-4]5", "3\\d{0,2}")]
    first = minimal.all_of(automata, starts, lambda matching, _: int(bool(matching)), 0, 5)
    # dead, end, "5", "[2-4]5", "\\d?", "\\d{0,2}", first
    assert len(set(minimal.nodes)) == len(minimal.nodes) == 7
    table = minimal.table(first)

    def matches(text: str) -> bool:
        state = WIDTH
        for digit in text:
            state = int(table[state + int(digit)])
        return bool(table[state + ANSWER])

    assert [text for text in map(str, range(4000)) if matches(text)] == [
        "3", *map(str, range(30, 40)), "125", "135", "145", "225", "235", "245", *map(str, range(300, 400)),
    ]  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ringfence"


def test_the_automaton_is_kept_and_damage_is_noticed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = kinds()
    monkeypatch.setattr(number_kinds, "_build", lambda: Kinds(built.table.copy(), built.regions))
    assert np.array_equal(kinds.__wrapped__().table, built.table)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(number_kinds, "_build", None)  # what is kept is used
        assert kinds.__wrapped__().regions == built.regions
    for damaged in (b"", whole[: len(whole) // 2], b"x" * 100):
        file.write_bytes(damaged)
        assert number_kinds._load(file) is None
    for place, wrong in ((0, 3), (0, len(built.table)), (ANSWER, built.size), (5, -WIDTH)):
        table = built.table.copy()
        table[place] = wrong
        np.savez(file, table=table, regions=np.array(built.regions))
        assert number_kinds._load(file) is None
    np.savez(file, table=np.zeros(5, np.int32), regions=np.array(["CN"]))
    assert number_kinds._load(file) is None
    assert np.array_equal(kinds.__wrapped__().table, built.table)


def test_no_cache_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    built = kinds()
    monkeypatch.setattr(number_kinds, "_build", lambda: built)
    assert kinds.__wrapped__().answers("CN")["mobile"] > number_kinds.NO_NUMBER
