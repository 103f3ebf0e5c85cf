"""Number plans of the world as flat tables for compiled code.

The plans come from the library ``phonenumbers``. Its regular expressions over digits are turned into
automata, so that compiled code gives the same answers as the library, digit by digit. Building takes
about a second and is done once for each version of the library; the result lies in the user's cache.
"""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata

_LAYOUT: Final = 1  # raised whenever the meaning of the tables changes
_DIGIT: Final = (1 << 10) - 1  # a set of digits is a mask of ten bits
_MATCH, _MATCH_AT_END, _SPLIT, _SAVE = range(-1, -5, -1)

PLAIN: Final = 1  # a prefix matched
TRANSFORMED: Final = 2  # it matched with the group that the plan's rewriting rule needs

Node = tuple[str, Any]


class Tables(NamedTuple):
    """All plans, as arrays that compiled code can take. A zone is one plan: a region or a world-wide code.

    Attributes:
        step: (states, 10) next state for a digit; state 0 is dead.
        found: (states,) 0, ``PLAIN`` or ``TRANSFORMED``: what has matched when this state is reached.
        found_at_end: (states,) the same, if the text ends here.
        main: (1000,) the zone that speaks for a country code, -1 where there is no such code.
        code: (zones,) country code.
        possible: (zones,) bit n is set if a national number may have n digits.
        local: (zones,) bit n is set if n digits can only be dialled inside an area.
        idd: (zones,) first state of the international prefix, 0 if there is none, -1 if not understood.
        prefix: (zones,) the same for the national prefix.
        national: (zones,) the same for the national number as a whole.
    """

    step: npt.NDArray[np.int32]
    found: npt.NDArray[np.uint8]
    found_at_end: npt.NDArray[np.uint8]
    main: npt.NDArray[np.int32]
    code: npt.NDArray[np.int32]
    possible: npt.NDArray[np.int64]
    local: npt.NDArray[np.int64]
    idd: npt.NDArray[np.int32]
    prefix: npt.NDArray[np.int32]
    national: npt.NDArray[np.int32]


class Plans(NamedTuple):
    """The tables and, for each region's two letters, its zone."""

    tables: Tables
    zones: dict[str, int]


@lru_cache(maxsize=1)
def plans() -> Plans:
    """All number plans, from the cache if it holds this version, else built and kept there if it can be.

    Returns:
        The tables, shared: they must not be written to.
    """
    path = _cache_dir() / f"number-plan-{_LAYOUT}-{version('phonenumbers')}.npz"
    kept = _load(path)
    if kept is None:
        kept = _build()
        _save(path, kept)
    for table in kept.tables:
        table.flags.writeable = False
    return kept


def _cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")  # a relative path is to be ignored (XDG base directories)
    return (Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~/.cache"))) / "ringfence"  # noqa: PTH111, PTH117


def _load(path: Path) -> Plans | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            tables = Tables(*(kept[name] for name in Tables._fields))
            regions = kept["regions"].tolist()
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return Plans(tables, dict(zip(regions, range(len(regions)), strict=True))) if _sound(tables) else None


def _sound(tables: Tables) -> bool:
    # Compiled code does not check its indices: a damaged file must not get that far.
    states, zones = len(tables.found), len(tables.code)
    starts = (tables.idd, tables.prefix, tables.national)
    return (
        tables.step.shape == (states, 10)
        and tables.found_at_end.shape == (states,)
        and tables.main.shape == (1000,)
        and all(column.shape == (zones,) for column in (tables.possible, tables.local, *starts))
        and bool(np.all((tables.step >= 0) & (tables.step < states)))
        and all(bool(np.all((start >= -1) & (start < states))) for start in starts)
        and bool(np.all((tables.main >= -1) & (tables.main < zones)))
        and bool(np.all((tables.code > 0) & (tables.code < 1000)))
    )


def _save(path: Path, built: Plans) -> None:
    # Written beside and renamed, so that a reader never sees half a file; no cache is no error.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **built.tables._asdict(), regions=np.array(list(built.zones)))
            os.replace(name, path)  # noqa: PTH105
        except OSError:
            os.unlink(name)  # noqa: PTH108


def _build() -> Plans:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

    regions = sorted(SUPPORTED_REGIONS)
    metadata = [PhoneMetadata.metadata_for_region(region, None) for region in regions]
    main = np.full(1000, -1, np.int32)
    for code, names in COUNTRY_CODE_TO_REGION_CODE.items():
        if names[0] == "001":  # the library's name for a code of no single country
            main[code] = len(metadata)
            metadata.append(PhoneMetadata.metadata_for_nongeo_region(code))
        else:
            main[code] = regions.index(names[0])
    return Plans(_tables(metadata, main), dict(zip(regions, range(len(regions)), strict=True)))


def _tables(metadata: "list[PhoneMetadata]", main: npt.NDArray[np.int32]) -> Tables:
    automata = _Automata()

    def starts(pattern_of: "Callable[[PhoneMetadata], tuple[str | None, str]]") -> npt.NDArray[np.int32]:
        return np.array([automata.start(*pattern_of(one)) for one in metadata], np.int32)

    idd = starts(lambda one: (one.international_prefix, "prefix"))
    prefix = starts(
        lambda one: (one.national_prefix_for_parsing, "rule" if one.national_prefix_transform_rule else "prefix")
    )
    national = starts(lambda one: (one.general_desc.national_number_pattern, "whole"))
    return Tables(
        step=np.array(automata.step, np.int32),
        found=np.array(automata.found, np.uint8),
        found_at_end=np.array(automata.found_at_end, np.uint8),
        main=main,
        code=np.array([one.country_code for one in metadata], np.int32),
        possible=_masks([one.general_desc.possible_length for one in metadata]),
        local=_masks([one.general_desc.possible_length_local_only for one in metadata]),
        idd=idd,
        prefix=prefix,
        national=national,
    )


def _masks(lengths: list[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    return np.array([sum(1 << n for n in set(one) if n >= 0) for one in lengths], np.int64)


class _Automata:
    """Deterministic automata over digits, all in one transition table.

    Ways: "whole" asks whether the whole text matches; "prefix" finds the match that a backtracking
    matcher finds at the start of the text (alternatives in their order of writing, repetition greedy);
    "rule" is "prefix" and tells whether the last group took part.
    """

    def __init__(self) -> None:
        self.step = [[0] * 10]
        self.found = [0]
        self.found_at_end = [0]
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
                states[key] = len(self.step)
                self.step.append([0] * 10)
                self.found.append(found if way == "rule" else min(found, PLAIN))
                self.found_at_end.append(at_end if way == "rule" else min(at_end, PLAIN))
                waiting.append((threads, states[key]))
            return states[key]

        first = state([(program.first, False)])
        while waiting:
            threads, number = waiting.pop()
            for digit in range(10):
                after = [(program.code[pc][1], saved) for pc, saved in threads if program.code[pc][0] >> digit & 1]
                self.step[number][digit] = state(after)
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

    def close(self, threads: list[tuple[int, bool]], *, whole: bool) -> tuple[list[tuple[int, bool]], int, int]:
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
