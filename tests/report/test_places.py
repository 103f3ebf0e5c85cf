"""The quick way to a number's place gives what the library's own geocoder gives."""

import random

import phonenumbers
import pytest
from phonenumbers import geocoder

from ringfence.report import places


def numbers() -> list[phonenumbers.PhoneNumber]:
    chance = random.Random(1)
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            text = str(example.national_number)
            for _ in range(4):
                mutated = "".join(chance.choice("0123456789") if chance.random() < 0.3 else c for c in text)
                found.append(phonenumbers.PhoneNumber(example.country_code, int(mutated)))
            found.append(example)
    found += [
        phonenumbers.PhoneNumber(86, chance.randrange(13_000_000_000, 20_000_000_000)) for _ in range(500)
    ]
    return found


def test_places_are_the_librarys() -> None:
    for number in numbers():
        for column, language in enumerate(places.LANGUAGES):
            assert places.country(number)[column] == geocoder.country_name_for_number(number, language)
            expected = geocoder.description_for_number(number, language)
            assert places.area(number)[column] == expected, (number, language)


def test_an_unwritable_cache_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    places.gazetteer.cache_clear()
    assert places.country(phonenumbers.parse("+8613800000001")) == ("China", "中国")
    places.gazetteer.cache_clear()
