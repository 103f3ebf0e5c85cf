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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import cache_dir

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata

_LAYOUT: Final = 2  # raised whenever the meaning of the tables changes
_DIGIT: Final = (1 << 10) - 1  # a set of digits is a mask of ten bits
_MATCH, _MATCH_AT_END, _SPLIT, _SAVE = range(-1, -5, -1)

PLAIN: Final = 1  # a prefix matched
TRANSFORMED: Final = 2  # it matched with the group that the plan's rewriting rule needs

Node = tuple[str, Any]


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
# At the place of a state: the place of the next state for each digit (0: none), and
STATE_FOUND: Final = 10  # 0, PLAIN or TRANSFORMED: what has matched when this state is reached
STATE_FOUND_AT_END: Final = 11  # the same, if the text ends here
_STATE_WIDTH: Final = 12

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
    first_state = CODES + parts.zones.size - _STATE_WIDTH  # the dead state has no place
    main = np.where(parts.main < 0, 0, CODES + parts.main * _ZONE_WIDTH)
    zones, states = parts.zones.copy(), parts.states[1:].copy()
    for part in (zones[:, ZONE_IDD:], states[:, :STATE_FOUND]):
        part[...] = np.where(part > 0, first_state + part * _STATE_WIDTH, part)
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
        and (zones.shape[1], states.shape[1]) == (_ZONE_WIDTH, _STATE_WIDTH)
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
    automata = _Automata()
    zones = np.array([_zone(automata, one) for one in metadata if one], np.int32)
    return _Parts(main, zones, np.array(automata.states, np.int32), np.array(regions))


def _zone(automata: "_Automata", plan: "PhoneMetadata") -> list[int]:
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


class _Automata:
    """Deterministic automata over digits, all in one transition table.

    Ways: "whole" asks whether the whole text matches; "prefix" finds the match that a backtracking
    matcher finds at the start of the text (alternatives in their order of writing, repetition greedy);
    "rule" is "prefix" and tells whether the last group took part.
    """

    def __init__(self) -> None:
        self.states = [[0] * _STATE_WIDTH]
        self._starts: dict[tuple[str, str], int] = {}

    def start(self, pattern: str | None, way: str) -> int:
        """First state of the automaton of a pattern; 0 if there is none, -1 if it is not understood."""
        if not pattern:
            return 0
        if (pattern, way) not in self._starts:
            try:
                self._starts[pattern, way] = self._determinise(_Program(pattern), way)
            except ValueError:
                self._starts[pattern, way] = -1
        return self._starts[pattern, way]

    def _determinise(self, program: "_Program", way: str) -> int:
        states: dict[tuple[Any, ...], int] = {}
        waiting: list[tuple[list[tuple[int, bool]], int]] = []

        def state(threads: list[tuple[int, bool]]) -> int:
            threads, found, at_end = program.close(threads, whole=way == "whole")
            if not threads and not found and not at_end:
                return 0
            key = (tuple(sorted(threads) if way == "whole" else threads), found, at_end)
            if key not in states:
                states[key] = len(self.states)
                most = TRANSFORMED if way == "rule" else PLAIN
                self.states.append([0] * 10 + [min(found, most), min(at_end, most)])
                waiting.append((threads, states[key]))
            return states[key]

        first = state([(program.first, False)])
        while waiting:
            threads, number = waiting.pop()
            for digit in range(10):
                after = [
                    (program.code[pc][1], saved) for pc, saved in threads if program.code[pc][0] >> digit & 1
                ]
                self.states[number][digit] = state(after)
        return first


class _Program:
    """A pattern as instructions: (mask of digits, next), (_SPLIT, [next …]), (_SAVE, next), (_MATCH, 0)."""

    def __init__(self, pattern: str) -> None:
        tree, groups = _Reader(pattern).read()
        self._last_group = groups
        self.code: list[tuple[int, Any]] = [(_MATCH, 0), (_MATCH_AT_END, 0)]
        self.first = self._emit(tree, 0)

    def _add(self, operation: int, argument: object) -> int:
        self.code.append((operation, argument))
        return len(self.code) - 1

    def _emit(self, node: Node, after: int) -> int:
        kind, value = node
        if kind == "digits":
            return self._add(value, after)
        if kind == "all":
            for part in reversed(value):
                after = self._emit(part, after)
            return after
        if kind == "any":
            return self._add(_SPLIT, [self._emit(part, after) for part in value])
        if kind == "group":
            number, body = value
            return self._emit(body, self._add(_SAVE, after) if number == self._last_group else after)
        if kind == "end":
            if after != 0:
                raise ValueError("an end that is not at the end")
            return 1
        body, least, most = value
        skip = after
        for _ in range(most - least):
            after = self._add(_SPLIT, [self._emit(body, after), skip])
        for _ in range(least):
            after = self._emit(body, after)
        return after

    def close(
        self, threads: list[tuple[int, bool]], *, whole: bool
    ) -> tuple[list[tuple[int, bool]], int, int]:
        """Follows all steps that read nothing.

        Args:
            threads: (instruction, whether the last group has been passed), the preferred first.
            whole: All threads go on; otherwise those less preferred than a match are dropped.

        Returns:
            The threads that wait for a digit, what has matched here, and what if the text ends here.
        """
        kept: list[tuple[int, bool]] = []
        seen: set[int] = set()
        found = at_end = 0
        stack = list(reversed(threads))
        while stack:
            pc, saved = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            operation, argument = self.code[pc]
            if operation >= 0:
                kept.append((pc, saved))
            elif operation == _SPLIT:
                stack.extend((target, saved) for target in reversed(argument))
            elif operation == _SAVE:
                stack.append((argument, True))
            else:
                at_end = at_end or (TRANSFORMED if saved else PLAIN)
                if operation == _MATCH:
                    found = found or (TRANSFORMED if saved else PLAIN)
                    if not whole:
                        break
        return kept, found, at_end


class _Reader:
    """Reads the regular expressions that number plans are written in: digits, sets, groups, repetition."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._groups = 0

    def read(self) -> tuple[Node, int]:
        """Returns the tree and the number of capturing groups; ValueError for anything not understood."""
        tree = self._alternatives()
        if self._at != len(self._text):
            raise ValueError(f"not understood at {self._at}: {self._text}")
        return tree, self._groups

    def _take(self, wanted: str) -> bool:
        found = self._text.startswith(wanted, self._at)
        self._at += len(wanted) if found else 0
        return found

    def _alternatives(self) -> Node:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return ("any", parts) if len(parts) > 1 else parts[0]

    def _sequence(self) -> Node:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._item()))
        return ("all", parts)

    def _item(self) -> Node:
        if self._take("$"):
            return ("end", None)
        if self._take("\\d"):
            return ("digits", _DIGIT)
        if self._take("["):
            return ("digits", self._set())
        if self._take("(?:"):
            return self._closed(self._alternatives())
        if self._take("(?"):
            raise ValueError("a group of another kind")
        if self._take("("):
            self._groups += 1
            number = self._groups
            return ("group", (number, self._closed(self._alternatives())))
        return ("digits", 1 << self._digit())

    def _closed(self, body: Node) -> Node:
        if not self._take(")"):
            raise ValueError("a group is not closed")
        return body

    def _digit(self) -> int:
        digit = self._text[self._at : self._at + 1]
        if not (digit.isascii() and digit.isdigit()):
            raise ValueError(f"no digit: {digit!r}")
        self._at += 1
        return int(digit)

    def _set(self) -> int:
        mask = 0
        while not self._take("]"):
            if self._take("\\d"):
                mask = _DIGIT
                continue
            low = self._digit()
            high = self._digit() if self._take("-") else low
            for digit in range(low, high + 1):
                mask |= 1 << digit
        return mask

    def _repeated(self, item: Node) -> Node:
        if self._take("?"):
            least, most = 0, 1
        elif self._take("{"):
            numbers, closed, _ = self._text[self._at :].partition("}")
            self._at += len(numbers) + len(closed)
            low, _, high = numbers.partition(",")
            least, most = int(low), int(high or low)
        else:
            return item
        if self._text[self._at : self._at + 1] in ("?", "+"):
            raise ValueError("repetition that is not greedy")
        return ("repeat", (item, least, most))
