"""Mistakes in a configuration, each told in one line: where it stands, what must be there, what was probably meant."""

import types
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ringfence.shell.service.settings import KINDS, Config

ENV: Final = "RINGFENCE__"

_WANTED: Final = {
    "string_type": 'must be text in quotation marks, such as "…"',
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list, such as [ … ]",
    "path_type": 'must be a path in quotation marks, such as "…"',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "missing": "is missing; it has no default",
}
_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_PATTERNS: Final = {
    r"^[A-Z]{2}$": 'must be a country by its two capital letters (ISO 3166), such as "CN"',
    r"^[a-z][a-z0-9_-]{0,39}$": "must be a name of lower-case letters, digits, - and _, beginning with a letter, at most 40",
}


def lines(error: ValidationError, where: str, overrides: set[tuple[str, ...]]) -> Iterator[str]:
    """Yield a line for each mistake that a validation found.

    Args:
        error: of `Config`.
        where: the file, for the beginning of a line.
        overrides: settings that the environment alone gave; their mistakes are told by the variable's name.
    """
    for found in error.errors(include_url=False):
        place = _place(found)
        text = tuple(str(part) for part in place)
        given = next((given for given in sorted(overrides) if given[: len(text)] == text), None)
        if given is not None and text:
            yield f"{ENV}{'__'.join(given).upper()}: {_what(found, place)}"
        else:
            yield f"{where}: {_told(place)}{_what(found, place)}"


def _place(found: ErrorDetails) -> tuple[int | str, ...]:
    """Where a mistake stands in the file: pydantic also names the member of a union it looked at."""
    place = list(found["loc"])
    if len(place) > 2 and place[0] == "sources" and place[2] in KINDS:
        del place[2]
    if place and place[-1] == "[key]":
        place.pop()
    if found["type"].startswith("union_tag"):
        place.append("kind")
    return tuple(place)


def _told(place: tuple[int | str, ...]) -> str:
    if not place:
        return ""
    if len(place) == 1:
        return f"[{place[0]}]: "
    if place[0] == "webhooks":
        key = ".".join(str(part) for part in place[2:])
        return f"[[webhooks]] number {int(place[1]) + 1}{f' {key}' if key else ''}: "
    if place[0] == "sources":
        table, rest = f"[sources.{place[1]}]", place[2:]
    else:
        table, rest = f"[{place[0]}]", place[1:]
    key = str(rest[0]) if rest else ""
    nth = "".join(f" {'number ' + str(part + 1) if isinstance(part, int) else part}" for part in rest[1:])
    return f"{table} {key}{nth}: " if key else f"{table}: "


def _what(found: ErrorDetails, place: tuple[int | str, ...]) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(place)
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"must be {word} {context[bound]}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}" + _meant(
            found["input"], _literals(context["expected"])
        )
    if kind == "union_tag_invalid":
        given = found["input"].get("kind") if isinstance(found["input"], dict) else None
        return f"must be one of {_either(KINDS)}" + _meant(given, list(KINDS))
    if kind == "union_tag_not_found":
        return f"is missing; must be one of {_either(KINDS)}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]]
    if kind == "value_error":
        return str(context["error"])
    return _WANTED.get(kind, found["msg"])


def _unknown(place: tuple[int | str, ...]) -> str:
    key = str(place[-1])
    known = _siblings(place)
    if len(place) == 1:
        close = get_close_matches(key, known, 1)
        return "no such section" + (
            f"; did you mean [{close[0]}]?" if close else f"; there are {', '.join(known)}"
        )
    return "no such setting" + (_meant(key, known) or f"; there are {', '.join(known)}")


def _siblings(place: tuple[int | str, ...]) -> list[str]:
    """The settings there are beside an unknown one."""
    if place[0] == "sources":
        # Whichever kind it is: a key of another kind is the likelier mistake than one that no kind has.
        return sorted({name for kind in KINDS.values() for name in kind.model_fields})
    model: type[BaseModel] = Config
    for part in place[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, Union, types.UnionType}:
        return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
    return None


def _either(words: Any) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _literals(expected: str) -> list[str]:
    return [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]


def _meant(given: object, known: list[str]) -> str:
    close = get_close_matches(str(given), known, 1) if isinstance(given, str) else []
    return f"; did you mean {close[0]}?" if close else ""
