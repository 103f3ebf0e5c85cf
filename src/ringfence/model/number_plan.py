"""Number plans of the world as one flat table for compiled code.

The plans come from the library ``phonenumbers``. Its regular expressions over digits are turned into
automata, so that compiled code gives the same answers as the library, digit by digit. Building takes
about half a second and is done once for each version of the library; the result lies in the user's cache.
"""

import contextlib
import os
import tempfile
import zipfile
import zlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import cache_dir
from ringfence.model.automata import STATE_FOUND, STATE_WIDTH, TRANSFORMED, Automata

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata

_LAYOUT: Final = 2  # raised whenever the meaning of the tables changes

# The flat table: for each country code the place of the zone that speaks for it (0: no such code), then the
# zones, then the states. One array, because compiled code counts references for every array it hands on.
CODES: Final = 1000
# A zone is one plan, of a region or of a code of no single country. At its place:
ZONE_CODE: Final = 0  # country code
ZONE_POSSIBLE: Final = 1  # bit n is set if a national number may have n digits
ZONE_LOCAL: Final = 2  # bit n is set if n digits can only be dialled inside an area
ZONE_IDD: Final = 3  # first state of the international prefix; 0: there is none, -1: not understood
ZONE_PREFIX: Final = 4  # the same for the national prefix
ZONE_NATIONAL: Final = 5  # the same for the national number as a whole
_ZONE_WIDTH: Final = 6

_Ints = npt.NDArray[np.int32]


class Plans(NamedTuple):
    """The flat table of all plans (read-only), and the place of each region's zone by its two letters."""

    table: _Ints
    zones: dict[str, int]


class _Parts(NamedTuple):
    """What the flat table is made of: zones and states counted from 0 (state 0 is dead), -1: none."""

    main: _Ints  # (1000,)
    zones: _Ints  # (zones, 6)
    states: _Ints  # (states, 12)
    regions: npt.NDArray[np.str_]  # names of the first zones


@lru_cache(maxsize=1)
def plans() -> Plans:
    """All number plans, from the cache if it holds this version, else built and kept there if it can be.

    Returns:
        The plans, shared by all callers.
    """
    path = cache_dir() / f"number-plan-{_LAYOUT}-{version('phonenumbers')}.npz"
    parts = _load(path)
    if parts is None:
        parts = _build()
        _save(path, parts)
    return _flat(parts)


def _flat(parts: _Parts) -> Plans:
    first_state = CODES + parts.zones.size - STATE_WIDTH  # the dead state has no place
    main = np.where(parts.main < 0, 0, CODES + parts.main * _ZONE_WIDTH)
    zones, states = parts.zones.copy(), parts.states[1:].copy()
    for part in (zones[:, ZONE_IDD:], states[:, :STATE_FOUND]):
        part[...] = np.where(part > 0, first_state + part * STATE_WIDTH, part)
    table = np.concatenate([main, zones.ravel(), states.ravel()], dtype=np.int32)
    table.flags.writeable = False
    return Plans(table, {str(region): CODES + i * _ZONE_WIDTH for i, region in enumerate(parts.regions)})


def _load(path: Path) -> _Parts | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            parts = _Parts(*(kept[name] for name in _Parts._fields))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None
    return parts if _sound(parts) else None


def _sound(parts: _Parts) -> bool:
    # Compiled code does not check its indices: a damaged file must not get that far.
    def within(part: _Ints, low: int, end: int) -> bool:
        return part.dtype == np.int32 and bool(np.all((part >= low) & (part < end)))

    main, zones, states, regions = parts
    return (
        main.shape == (CODES,)
        and zones.ndim == states.ndim == 2
        and (zones.shape[1], states.shape[1]) == (_ZONE_WIDTH, STATE_WIDTH)
        and len(regions) <= len(zones)
        and within(main, -1, len(zones))
        and within(zones[:, ZONE_CODE], 1, CODES)
        and within(zones[:, ZONE_IDD:], -1, len(states))
        and within(states[:, :STATE_FOUND], 0, len(states))
        and within(states[:, STATE_FOUND:], 0, TRANSFORMED + 1)
    )


def _save(path: Path, parts: _Parts) -> None:
    # Written beside and renamed, so that a reader never sees half a file; no cache is no error.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **parts._asdict())
            os.replace(name, path)  # noqa: PTH105
        except OSError:
            os.unlink(name)  # noqa: PTH108


def _build() -> _Parts:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

    regions = sorted(SUPPORTED_REGIONS)
    metadata = [PhoneMetadata.metadata_for_region(region, None) for region in regions]
    main = np.full(CODES, -1, np.int32)
    for code, names in COUNTRY_CODE_TO_REGION_CODE.items():
        if names[0] == "001":  # the library's name for a code of no single country
            main[code] = len(metadata)
            metadata.append(PhoneMetadata.metadata_for_nongeo_region(code))
        else:
            main[code] = regions.index(names[0])
    automata = Automata()
    zones = np.array([_zone(automata, one) for one in metadata if one], np.int32)
    return _Parts(main, zones, np.array(automata.states, np.int32), np.array(regions))


def _zone(automata: Automata, plan: "PhoneMetadata") -> list[int]:
    numbers = plan.general_desc
    assert numbers is not None
    return [
        plan.country_code or 0,
        _mask(numbers.possible_length),
        _mask(numbers.possible_length_local_only),
        automata.start(plan.international_prefix, "prefix"),
        automata.start(
            plan.national_prefix_for_parsing, "rule" if plan.national_prefix_transform_rule else "prefix"
        ),
        automata.start(numbers.national_number_pattern, "whole"),
    ]


def _mask(lengths: tuple[int, ...]) -> int:
    return sum(1 << n for n in set(lengths) if n >= 0)
