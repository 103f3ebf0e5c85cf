"""Telephone numbers in documents: which there are, and how one is taken out. Plain data in, plain data out."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import Any, Final

ERASED: Final = "erased"
"""What stands where a number was. Not null: a caller that is null was withheld."""

_NUMBER: Final = re.compile(r"\+\d{3,15}")
# What begins or ends with a letter, a digit or a dash is part of an id.
_LIKE_A_NUMBER: Final = re.compile(r"(?<![\w-])\+?\d{7,15}(?![\w-])")


def numbers_in(document: Any) -> set[str]:
    """All strings of a document that are a number in E.164 form."""
    found, rest = set(), [document]
    while rest:  # no recursion: this is done for every change of every alert, with its observations
        one = rest.pop()
        if isinstance(one, str):
            if one.startswith("+") and _NUMBER.fullmatch(one):
                found.add(one)
        elif isinstance(one, dict):
            rest.extend(one.values())
        elif isinstance(one, list | tuple):
            rest.extend(one)
    return found


def strings_with_a_number(document: Any) -> list[str]:
    """All strings of a document that are, or contain, what looks like a telephone number; wider than `numbers_in`."""
    return [text for text in _strings(document) if _LIKE_A_NUMBER.search(text)]


def without(document: Any, number: str) -> Any:
    """The document with one number taken out: as a whole string, and in E.164 form also within a longer text."""
    pattern = re.compile(re.escape(number) + r"(?!\d)") if number.startswith("+") else None
    return _without(document, number, pattern)


def digest(number: str, salt: str) -> str:
    """HMAC-SHA256 of a number under a random salt, hexadecimal: says nothing to whoever has not got the salt."""
    return hmac.new(salt.encode(), number.encode(), hashlib.sha256).hexdigest()


def _strings(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from _strings(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from _strings(value)


def _without(document: Any, number: str, pattern: "re.Pattern[str] | None") -> Any:
    if isinstance(document, str):
        if document == number:
            return ERASED
        return pattern.sub(ERASED, document) if pattern else document
    if isinstance(document, dict):
        return {key: _without(value, number, pattern) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_without(value, number, pattern) for value in document]
    return document
