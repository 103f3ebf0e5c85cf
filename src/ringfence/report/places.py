"""Where numbers belong, from the data of `phonenumbers.geocoder`, kept in a form that opens at once.

The library's own tables are Python source of some 30 MB; importing them takes a second, which is too long for the report of
a small scan. They are written once into the cache folder as sorted arrays, which later runs map into memory.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import cache_dir

LANGUAGES: Final = ("en", "zh")


class Gazetteer(NamedTuple):
    """Names of areas by prefix, and of countries.

    Attributes:
        prefixes: int64, E.164 prefixes in ascending order.
        areas: int32[n, 2], for each the place of its name in `names`, English and Chinese; -1: none.
        names: the distinct names.
        countries: region code to (English, Chinese).
    """

    prefixes: npt.NDArray[np.int64]
    areas: npt.NDArray[np.int32]
    names: list[str]
    countries: dict[str, list[str]]


@cache
def gazetteer() -> Gazetteer:
    """The names, from the cache folder or made anew."""
    folder = cache_dir() / f"places-1-{version('phonenumbers')}"
    try:
        words = json.loads((folder / "names.json").read_text("utf-8"))
        prefixes = np.load(folder / "prefixes.npy", mmap_mode="r", allow_pickle=False)
        areas = np.load(folder / "areas.npy", mmap_mode="r", allow_pickle=False)
        return Gazetteer(prefixes, areas, words["names"], words["countries"])
    except (OSError, ValueError, KeyError):
        made = _build()
        _save(folder, made)
        return made


def _build() -> Gazetteer:
    from phonenumbers.geodata import GEOCODE_DATA
    from phonenumbers.geodata.locale import LOCALE_DATA

    prefixes = np.array(sorted(int(prefix) for prefix in GEOCODE_DATA), np.int64)
    places: dict[str, int] = {}
    areas = np.full((len(prefixes), len(LANGUAGES)), -1, np.int32)
    for row, prefix in enumerate(prefixes.tolist()):
        known: Mapping[str, str] = GEOCODE_DATA[str(prefix)]
        for column, language in enumerate(LANGUAGES):
            # as the library does: English stands in for most languages, but not for Chinese
            name = known.get(language)
            if name is not None:
                areas[row, column] = places.setdefault(name, len(places))
    countries = {
        region: [_country(known, lang) for lang in LANGUAGES] for region, known in LOCALE_DATA.items()
    }
    return Gazetteer(prefixes, areas, list(places), countries)


def _country(known: Mapping[str, str], language: str) -> str:
    name = known.get(language, "")
    return known.get(name[1:], "") if name.startswith("*") else name


def _save(folder: Path, made: Gazetteer) -> None:
    """Write into a folder of another name and rename it; whoever comes second keeps the first one's."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".places-"))
        np.save(temporary / "prefixes.npy", made.prefixes)
        np.save(temporary / "areas.npy", made.areas)
        text = json.dumps({"names": made.names, "countries": made.countries}, ensure_ascii=False)
        (temporary / "names.json").write_text(text, "utf-8")
        os.rename(temporary, folder)  # noqa: PTH104
    except OSError:
        return  # an unwritable cache costs a second a run


def country(parsed: Any) -> tuple[str, str]:
    """The country of a parsed number, English and Chinese; empty: not known, or it could be several."""
    from phonenumbers import region_codes_for_country_code
    from phonenumbers.phonenumberutil import is_valid_number_for_region

    regions = list(region_codes_for_country_code(parsed.country_code))
    if len(regions) > 1:
        regions = [region for region in regions if is_valid_number_for_region(parsed, region)]
    english, chinese = gazetteer().countries.get(regions[0], ["", ""]) if len(regions) == 1 else ("", "")
    return english, chinese


def area(parsed: Any) -> tuple[str, str]:
    """The area of a parsed number as exactly as known, English and Chinese; the country where there is none."""
    from phonenumbers import (
        PhoneNumberType,
        country_mobile_token,
        national_significant_number,
        number_type,
    )
    from phonenumbers.phonenumberutil import is_number_type_geographical

    kind = number_type(parsed)
    whole = country(parsed)
    if kind == PhoneNumberType.UNKNOWN:
        return "", ""
    if not is_number_type_geographical(kind, parsed.country_code):
        return whole
    national = national_significant_number(parsed)
    token = country_mobile_token(parsed.country_code)
    found = [_longest(f"{parsed.country_code}{national}", column) for column in range(len(LANGUAGES))]
    if token and national.startswith(token):
        # as the library does: a mobile number that shows its area behind a token
        found = [_longest(f"{parsed.country_code}{national[len(token) :]}", column) for column in range(2)]
    return found[0] or whole[0], found[1] or whole[1]


def _longest(digits: str, column: int) -> str:
    """The name for the longest prefix that has one in this language."""
    book = gazetteer()
    for length in range(min(len(digits), 12), 0, -1):
        prefix = int(digits[:length])
        place = int(np.searchsorted(book.prefixes, prefix))
        if place < len(book.prefixes) and book.prefixes[place] == prefix and book.areas[place, column] >= 0:
            return book.names[int(book.areas[place, column])]
    return ""
