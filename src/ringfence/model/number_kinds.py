"""What kind of number an E.164 number is, and of which region: all plans of the world in one automaton.

The patterns of `phonenumbers` for every sort of number (fixed, mobile, toll-free …) of every region are run side by side
and made into one deterministic, minimal automaton over digits, so that compiled code answers as ``number_type`` and
``region_code_for_number`` do. Building takes some seconds, once for each version of the library; the result is kept.
"""

import contextlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import cache_dir
from ringfence.model.automata import Automata

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata
    from phonenumbers.phonemetadata import PhoneNumberDesc

_LAYOUT: Final = 1  # raised whenever the meaning of the table changes

WIDTH: Final = 11
"""A state is ten places of the next states and, behind them, its answer."""
ANSWER: Final = 10
NO_COUNTRY: Final = 0  # the answer of a number whose country code is not assigned
NO_NUMBER: Final = 1  # of one that its plan does not have
_FIRST: Final = 2  # of a number of kind k in region r: _FIRST + len(KINDS) * r + k

KINDS: Final = (
    "fixed", "mobile", "fixed_or_mobile", "toll_free", "premium", "shared_cost", "voip", "personal", "pager", "uan",
    "voicemail",
)  # fmt: skip
"""The library's sorts of number; their place is the library's number for them, but for the last."""

# The order in which the library asks; the first that matches counts.
_ASKED: Final = ("premium", "toll_free", "shared_cost", "voip", "personal", "pager", "uan", "voicemail")
_DESCRIPTIONS: Final = {"personal": "personal_number", "premium": "premium_rate"}
_LONGEST: Final = 14  # digits of a national number; E.164 has 15 with the country code

_Ints = npt.NDArray[np.int32]
_Node = tuple[tuple[int, ...], int]


class Kinds(NamedTuple):
    """The automaton (read-only int32, its first state at `WIDTH`) and the regions its answers speak of, in order."""

    table: _Ints
    regions: tuple[str, ...]

    def answers(self, region: str) -> dict[str, int]:
        """The answer for each kind of number of a region. ValueError: there is no such region."""
        first = _FIRST + len(KINDS) * self.regions.index(region)
        return {kind: first + i for i, kind in enumerate(KINDS)}

    @property
    def size(self) -> int:
        """One more than the highest answer."""
        return _FIRST + len(KINDS) * len(self.regions)


@lru_cache(maxsize=1)
def kinds() -> Kinds:
    """The automaton, from the cache if it holds this version, else built and kept there if it can be."""
    path = cache_dir() / f"number-kinds-{_LAYOUT}-{version('phonenumbers')}.npz"
    found = _load(path)
    if found is None:
        found = _build()
        _save(path, found)
    found.table.flags.writeable = False
    return found


def _load(path: Path) -> Kinds | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            found = Kinds(kept["table"], tuple(kept["regions"].tolist()))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None
    return found if _sound(found) else None


def _sound(found: Kinds) -> bool:
    # Compiled code does not check its indices: a damaged file must not get that far.
    table = found.table
    if table.ndim != 1 or table.dtype != np.int32 or len(table) < 2 * WIDTH or len(table) % WIDTH:
        return False
    states = table.reshape(-1, WIDTH)
    following, answers = states[:, :ANSWER], states[:, ANSWER]
    return bool(
        np.all((following >= 0) & (following < len(table)) & (following % WIDTH == 0))
        and np.all((answers >= 0) & (answers < found.size))
    )


def _save(path: Path, found: Kinds) -> None:
    # Written beside and renamed, so that a reader never sees half a file; no cache is no error.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, table=found.table, regions=np.array(found.regions))
            os.replace(name, path)  # noqa: PTH105
        except OSError:
            os.unlink(name)  # noqa: PTH108


class Minimal:
    """A minimal automaton, built from its ends: states with the same answer and the same continuation are one.

    States 0 and, if `failing` is given, 1 go on to themselves for ever: nothing matches any more.
    """

    def __init__(self, *failing: int) -> None:
        """Begin with the states that never lead anywhere.

        Args:
            failing: the answers of further such states, numbered from 1.
        """
        self.nodes: list[_Node] = [((i,) * 10, answer) for i, answer in enumerate((0, *failing))]
        self._known = {node: i for i, node in enumerate(self.nodes)}

    def state(self, following: list[int], answer: int) -> int:
        """The state with these ten next states and this answer."""
        node = (tuple(following), answer)
        if node not in self._known:
            self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return self._known[node]

    def all_of(
        self,
        automata: Automata,
        starts: list[int],
        answer: Callable[[frozenset[int], int], int],
        dead: int,
        longest: int,
    ) -> int:
        """The first state of an automaton that runs several at once.

        Args:
            automata: their states.
            starts: the first state of each, which are also their names.
            answer: given the names of those that match and how many digits were read, the answer.
            dead: the state in which nothing can match any more.
            longest: how many digits are read at most.
        """
        known: dict[tuple[tuple[tuple[int, int], ...], int], int] = {}
        states = automata.states

        def build(live: tuple[tuple[int, int], ...], read: int) -> int:
            if not live:
                return dead
            if (live, read) not in known:
                following = [dead] * 10
                if read < longest:
                    for digit in range(10):
                        after = ((name, states[state][digit]) for name, state in live)
                        following[digit] = build(tuple(pair for pair in after if pair[1]), read + 1)
                matching = frozenset(name for name, state in live if states[state][ANSWER + 1])
                known[live, read] = self.state(following, answer(matching, read))
            return known[live, read]

        return build(tuple((start, start) for start in dict.fromkeys(starts) if start > 0), 0)

    def table(self, first: int) -> _Ints:
        """The flat table, with `first` moved to place `WIDTH` (its old place there is swapped with it)."""
        place = {0: 0, first: 1}
        for i in range(len(self.nodes)):
            place.setdefault(i, len(place))
        rows = np.zeros((len(self.nodes), WIDTH), np.int32)
        for i, (following, answer) in enumerate(self.nodes):
            rows[place[i], :ANSWER] = [place[state] * WIDTH for state in following]
            rows[place[i], ANSWER] = answer
        return rows.ravel()


class _Region:
    """The patterns of one region, as first states of automata."""

    def __init__(self, automata: Automata, plan: "PhoneMetadata") -> None:
        self._general = _Description(automata, plan.general_desc)
        self._by_kind = [
            (KINDS.index(kind), _Description(automata, getattr(plan, _DESCRIPTIONS.get(kind, kind))))
            for kind in _ASKED
        ]
        self._fixed = _Description(automata, plan.fixed_line)
        self._mobile = _Description(automata, plan.mobile)
        self._one_pattern = plan.same_mobile_and_fixed_line_pattern
        self.leading = _leading(automata, plan.leading_digits)

    @property
    def starts(self) -> list[int]:
        parts = [self._general, *(part for _, part in self._by_kind), self._fixed, self._mobile]
        return [self.leading, *(part.start for part in parts)]

    def kind(self, matching: frozenset[int], length: int) -> int | None:
        """What `number_type` says, as a place in KINDS; None: no number of this region."""
        if not self._general.fits(matching, length):
            return None
        for kind, part in self._by_kind:
            if part.fits(matching, length):
                return kind
        mobile = self._mobile.fits(matching, length)
        if self._fixed.fits(matching, length):
            return KINDS.index("fixed_or_mobile" if self._one_pattern or mobile else "fixed")
        return KINDS.index("mobile") if mobile and not self._one_pattern else None


class _Description:
    """One pattern of the library and the lengths it is meant for."""

    def __init__(self, automata: Automata, description: "PhoneNumberDesc | None") -> None:
        pattern = description.national_number_pattern if description else None
        self.start = automata.start(pattern, "whole")
        if self.start < 0:
            raise ValueError(f"a pattern of phonenumbers is not understood: {pattern}")
        self._lengths = frozenset(description.possible_length) if description else frozenset()

    def fits(self, matching: frozenset[int], length: int) -> bool:
        return self.start in matching and (not self._lengths or length in self._lengths)


def _leading(automata: Automata, digits: str | None) -> int:
    """An automaton of the numbers that begin so; 0: the region has no such rule."""
    return automata.start(f"(?:{digits})\\d{{0,{_LONGEST}}}", "whole") if digits else 0


def _build() -> Kinds:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    automata, minimal = Automata(), Minimal(NO_NUMBER)
    names: list[str] = []
    first_states: dict[str, int] = {}
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        parts: list[tuple[int, _Region]] = []
        for region in regions:
            plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            if plan is not None:
                parts.append((len(names), _Region(automata, plan)))
                names.append(f"+{code}" if region == "001" else region)
        starts = [start for _, part in parts for start in part.starts]
        longest = 15 - len(str(code))
        first_states[str(code)] = minimal.all_of(automata, starts, _answer_of(parts), NO_NUMBER, longest)
    return Kinds(minimal.table(_codes(minimal, first_states, "")), tuple(names))


def _answer_of(parts: list[tuple[int, _Region]]) -> Callable[[frozenset[int], int], int]:
    """The library's way to choose among the regions of one country code, and then the kind."""

    def answer(matching: frozenset[int], length: int) -> int:
        for index, region in parts:
            kind = region.kind(matching, length)
            chosen = region.leading in matching if region.leading else kind is not None or len(parts) == 1
            if chosen:
                return NO_NUMBER if kind is None else _FIRST + len(KINDS) * index + kind
        return NO_NUMBER

    return answer


def _codes(minimal: Minimal, first_states: dict[str, int], begun: str) -> int:
    """The state in which the country code has been read up to `begun`."""
    if begun in first_states:
        return first_states[begun]
    if not any(code.startswith(begun) for code in first_states):
        return NO_COUNTRY
    following = [_codes(minimal, first_states, f"{begun}{digit}") for digit in range(10)]
    return minimal.state(following, NO_COUNTRY)
