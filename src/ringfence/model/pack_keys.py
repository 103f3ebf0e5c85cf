"""The keys of a country pack, taken one by one and checked."""

import re
from typing import Any, Final, NoReturn

from ringfence.model.automata import Program

_DATE: Final = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")

Words = tuple[str, str]
"""English and Chinese."""


class PackError(ValueError):
    """A pack that cannot be used: which file, which key, what is wrong and what is wanted."""


class Keys:
    """The keys of one TOML table; each is taken once, with its check, and what is left over is a mistake."""

    def __init__(self, file: str, path: str, table: dict[str, Any]) -> None:
        """Take a table; `file` and `path` (empty, or ending in a dot) are for messages."""
        self._file, self._path, self._table = file, path, dict(table)

    def wrong(self, key: str, problem: str) -> NoReturn:
        """Say what is wrong with a key. Raises PackError."""
        raise PackError(f"{self._file}: {self._path}{key}: {problem}")

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def done(self) -> None:
        """Hold that nothing is left over."""
        for key in self._table:
            self.wrong(key, "there is no such key")

    def _take(self, key: str, sort: type, wanted: str) -> Any:
        if key not in self._table:
            self.wrong(key, f"is missing: {wanted} is needed")
        value = self._table.pop(key)
        if not isinstance(value, sort) or (isinstance(value, bool) and sort is not bool):
            self.wrong(key, f"must be {wanted}")
        return value

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value: str = self._take(key, str, "a text")
        return value if value.strip() else self.wrong(key, "must not be empty")

    def matching(self, key: str, pattern: str, wanted: str) -> str:
        """A text of a form; `wanted` tells it in words."""
        value: str = self._take(key, str, wanted)
        return value if re.fullmatch(pattern, value) else self.wrong(key, f"must be {wanted}")

    def source(self, key: str) -> Words:
        """One text for both languages, or two."""
        if isinstance(self._table.get(key), list):
            return self.words(key)
        one = self.text(key)
        return one, one

    def date(self, key: str) -> str:
        """A date, in quotes, as exactly as it is known."""
        return self.matching(key, _DATE.pattern, "a date such as 2025-01-29, 2025-01 or 2025, in quotes")

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """True or false."""
        if key not in self._table and default is not None:
            return default
        return bool(self._take(key, bool, "true or false"))

    def hours(self, key: str) -> float:
        """Hours, at most a month."""
        value = float(self._take(key, (int, float), "a number of hours"))  # type: ignore[arg-type]
        return value if 0 <= value <= 24 * 31 else self.wrong(key, "must be hours, at most a month")

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        """One of some words."""
        value: str = self._take(key, str, "one of " + ", ".join(known))
        return value if value in known else self.wrong(key, f"{value!r} is not one of {', '.join(known)}")

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts, at least one."""
        values = self._take(key, list, "a list of texts")
        if not values or not all(isinstance(value, str) for value in values):
            self.wrong(key, "must be a list of texts, not empty")
        return tuple(values)

    def all_of(self, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Some of some words, at least one."""
        for value in (values := self.texts(key)):
            if value not in known:
                self.wrong(key, f"{value!r} is not one of {', '.join(known)}")
        return values

    def words(self, key: str) -> Words:
        """A text in English and Chinese."""
        values = self.texts(key)
        if len(values) != 2 or not all(value.strip() for value in values):
            self.wrong(key, "must be two texts, English and Chinese")
        return values[0], values[1]

    def patterns(self, key: str, *, one: bool = False) -> tuple[str, ...]:
        """Patterns over digits, none if the key is missing; `one`: a single one, which must not be."""
        if key not in self._table and not one:
            return ()
        values = (self.text(key),) if one else self.texts(key)
        for value in values:
            try:
                Program(value)
            except ValueError as error:
                self.wrong(
                    key,
                    f"the pattern {value!r} cannot be read ({error}); digits, \\d, [..], (?:..|..), ? and {{m,n}} can",
                )
        return values

    def table(self, key: str) -> "Keys":
        """A table within this one."""
        return Keys(self._file, f"{self._path}{key}.", self._take(key, dict, "a table"))

    def tables(self, key: str) -> list["Keys"]:
        """A list of tables, which may be told as [[key]]."""
        values = self._take(key, list, f"a list of tables, [[{key}]]")
        if not all(isinstance(value, dict) for value in values):
            self.wrong(key, f"must be a list of tables, [[{key}]]")
        return [Keys(self._file, f"{self._path}{key}[{i}].", value) for i, value in enumerate(values)]
