"""The truth beside a simulated city: truth.json and truth_calls.parquet, read and checked."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.evaluate.inputs import (
    NEVER,
    Flags,
    InputError,
    Ints,
    Words,
    microseconds,
    parse_times,
    the_file,
)

FORMAT: Final = "ringfence-truth/1"
CRIMES: Final = ("flood", "scam_call", "forged_caller", "fraud_line")
PERSON: Final = "person"
OUTSIDE: Final = "outside"
"""The kind of a line of another country: it is nobody's own subscriber and has no line-days here."""
DAY: Final = 86_400_000_000
"""µs."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Rows of truth_calls.parquet.

    Attributes:
        call_id: Arrow strings.
        names: the roles there are; `code`: which of them a row has.
        start: µs; `episode`: its place in the truth's episodes, -1: none.
    """

    call_id: Any
    names: Words
    code: Ints
    start: Ints
    episode: Ints

    def __len__(self) -> int:
        return len(self.code)

    def role_of(self, rows: Ints) -> Words:
        """The role of some rows."""
        roles: Words = self.names[self.code[rows]]
        return roles

    def has(self, *roles: str) -> Flags:
        """Which rows have one of these roles."""
        return np.asarray(np.isin(self.names, roles)[self.code], dtype=np.bool_)

    def begins(self, prefix: str) -> Flags:
        """Which rows have a role that begins so."""
        return np.array([name.startswith(prefix) for name in self.names], dtype=np.bool_)[self.code]


class Truth:
    """What happened.

    Attributes:
        path: truth.json.
        begins, ends: µs, of the records.
        country: ISO 3166.
        lines: own subscribers' lines by kind.
        ids: of the episodes; `told`: all that is said of each.
        crime, shape: words; crime is "" for a look-alike.
        subject: Arrow strings, null: none.
        start, end: µs, first and last moment of each episode; a scam ends with its transfer if that is later.
    """

    def __init__(self, path: Path, told: dict[str, Any]) -> None:
        self.path = path
        self._check_head(told)
        self.begins, self.ends = (self._moment(told, name) for name in ("begins", "ends"))
        if self.begins >= self.ends:
            raise InputError(f"{path}: begins {told['begins']} is not before ends {told['ends']}")
        made_by = told.get("made_by")
        self.country = str(made_by.get("country", "")) if isinstance(made_by, dict) else ""
        self.made_by: dict[str, Any] = made_by if isinstance(made_by, dict) else {}
        self.lines: dict[str, int] = told["lines"]
        self._special: dict[str, str] = told["special_lines"]
        self._calls = path.parent / str(told["calls"])
        self.told: list[dict[str, Any]] = told["episodes"]
        self._read_episodes()

    def _check_head(self, told: dict[str, Any]) -> None:
        if told.get("format") != FORMAT:
            said = json.dumps(told.get("format"))[:40]
            raise InputError(
                f"{self.path}: is not a truth this program reads: format is {said}, not {FORMAT!r}"
            )
        for name, kind in (("lines", dict), ("special_lines", dict), ("episodes", list), ("calls", str)):
            if not isinstance(told.get(name), kind):
                raise InputError(f"{self.path}: {name} is missing or of the wrong form")
        if not all(isinstance(n, int) and n >= 0 for n in told["lines"].values()):
            raise InputError(f"{self.path}: lines must give a whole number for each kind of line")

    def _moment(self, told: dict[str, Any], field: str) -> int:
        if told.get(field) is None:
            raise InputError(f"{self.path}: {field} is missing")
        return int(self._times([told], field, ["the truth"])[0])

    def _read_episodes(self) -> None:
        for place, each in enumerate(self.told):
            if not isinstance(each, dict) or not isinstance(each.get("id"), str):
                raise InputError(f"{self.path}: episode {place + 1} has no id")
        self.ids = [each["id"] for each in self.told]
        if len(set(self.ids)) < len(self.ids):
            twice = next(name for name in self.ids if self.ids.count(name) > 1)
            raise InputError(f"{self.path}: two episodes have the id {twice}")
        everything = np.arange(len(self.told))
        crimes = self.words("crime", everything)
        strange = [place for place, crime in enumerate(crimes) if crime and crime not in CRIMES]
        if strange:
            raise InputError(
                f"{self.path}: episode {self.ids[strange[0]]}: no crime is called {crimes[strange[0]]}"
            )
        self.crime: Words = crimes
        self.shape: Words = self.words("shape", everything)
        self.subject = pa.array([word or None for word in self.words("subject", everything)], pa.string())
        self.start, self.end = self.times("begins", everything), self.times("ends", everything)
        for field, times in (("begins", self.start), ("ends", self.end)):
            if (times == NEVER).any():
                raise InputError(f"{self.path}: episode {self.ids[int(times.argmax())]}: {field} is missing")
        scams = self.of("scam_call")
        transfer = self.times("transfer_at", scams)
        self.end = self.end.copy()
        self.end[scams] = np.maximum(self.end[scams], np.where(transfer == NEVER, self.begins, transfer))
        late = np.flatnonzero(self.start > self.end)
        if len(late):
            raise InputError(f"{self.path}: episode {self.ids[late[0]]} ends before it begins")

    def words_if_told(self, field: str, places: Ints) -> Words:
        """The same as `words`; where an episode lacks the field, ""."""
        return np.array([self.told[place].get(field) or "" for place in places], dtype=object)

    def words(self, field: str, places: Ints) -> Words:
        """A field of some episodes as text; null becomes "".

        Raises:
            InputError: an episode lacks it, or it is no text.
        """
        found = np.empty(len(places), dtype=object)
        for row, place in enumerate(places):
            word = self._field(place, field)
            if not isinstance(word, str | None):
                raise InputError(f"{self.path}: episode {self.ids[place]}: {field} is not a text")
            found[row] = word or ""
        return found

    def times(self, field: str, places: Ints) -> Ints:
        """A field of some episodes as µs; null becomes `NEVER`.

        Raises:
            InputError: an episode lacks it, or it is no time.
        """
        return self._times(
            [{field: self._field(place, field)} for place in places], field, [self.ids[p] for p in places]
        )

    def _field(self, place: int, field: str) -> Any:
        try:
            return self.told[place][field]
        except KeyError:
            raise InputError(f"{self.path}: episode {self.ids[place]}: {field} is missing") from None

    def _times(self, rows: list[dict[str, Any]], field: str, names: list[str]) -> Ints:
        return parse_times([row.get(field) for row in rows], f"{self.path}: {field}", names)

    @property
    def days(self) -> float:
        """Length of the records in days."""
        return (self.ends - self.begins) / DAY

    def of(self, crime: str) -> Ints:
        """Places of the episodes of a crime; "": of the look-alikes."""
        return np.flatnonzero(self.crime == crime)

    @cached_property
    def _prefix(self) -> str:
        code = phonenumbers.country_code_for_region(self.country)
        return f"+{code}" if code else "+"

    @cached_property
    def _special_columns(self) -> tuple[Any, Words]:
        kinds = np.empty(len(self._special) + 1, dtype=object)
        kinds[:-1], kinds[-1] = list(self._special.values()), PERSON
        return pa.array(list(self._special), pa.string()), kinds

    def kinds(self, subjects: Any) -> Words:
        """The kind of line of each number: as listed, `OUTSIDE` for other countries' numbers, else a person's."""
        numbers, kinds = self._special_columns
        found = pc.fill_null(pc.index_in(subjects, value_set=numbers), len(numbers)).to_numpy(
            zero_copy_only=False
        )
        outside = pc.fill_null(pc.invert(pc.starts_with(subjects, self._prefix)), False).to_numpy(
            zero_copy_only=False
        )
        result: Words = kinds[found]
        result[(found == len(numbers)) & outside] = OUTSIDE
        return result

    @cached_property
    def labels(self) -> Labels:
        """The rows of truth_calls.parquet.

        Raises:
            InputError: the file is missing, broken, or names an episode that the truth does not have.
        """
        path = the_file(self._calls, (), "calls of the truth")
        try:
            table = pq.read_table(path, columns=["call_id", "start_time", "episode", "role"])
            start = microseconds(table["start_time"])
            call_id = table["call_id"].combine_chunks().cast(pa.string())
            episode = self._places(path, table["episode"].combine_chunks().cast(pa.string()))
            role = table["role"].combine_chunks().cast(pa.string()).dictionary_encode()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError) as error:
            raise InputError(
                f"{path}: is not the calls of a truth: {str(error).splitlines()[0][:200]}"
            ) from error
        names = np.array([*role.dictionary.to_pylist(), ""], dtype=object)
        codes = pc.fill_null(role.indices, len(names) - 1).to_numpy(zero_copy_only=False)
        return Labels(call_id, names, codes.astype(np.int64), start, episode)

    def _places(self, path: Path, names: Any) -> Ints:
        names = pc.if_else(pc.equal(names, ""), pa.scalar(None, pa.string()), names)
        found = pc.index_in(names, value_set=pa.array(self.ids, pa.string()))
        strange = pc.and_(pc.is_null(found), pc.is_valid(names))
        if pc.any(strange).as_py():
            name = names.filter(strange)[0].as_py()
            raise InputError(f"{path}: names an episode {name} that {self.path.name} does not have")
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)

    @property
    def records(self) -> Path | None:
        """The calls themselves (calls.parquet beside the truth), if they are there."""
        path = self.path.parent / "calls.parquet"
        return path if path.is_file() else None


def read_truth(path: Path) -> Truth:
    """Read truth.json, or that of the folder a simulation wrote.

    Raises:
        InputError: missing, broken, or not a truth.
    """
    path = the_file(path, ("truth.json",), "truth of a simulation")
    try:
        told = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise InputError(f"{path}: is not a truth: it is no JSON object")
    return Truth(path, told)
