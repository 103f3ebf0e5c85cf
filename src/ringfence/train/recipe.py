"""Recipes: what the columns of a table of lines mean, in which group they stand, and what can be made of them.

A recipe is a TOML file of definitions; it holds no figure learned from data. One that comes with the program is used
when a table has all columns it needs.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import numpy as np

from ringfence.train.bins import Floats


class RecipeError(ValueError):
    """A recipe cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A feature made of columns (or of features made before it)."""

    name: str
    how: str
    of: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Definitions for a table.

    Attributes:
        title: of the table.
        needs: columns it is recognised by.
        ignore: columns that are no measurements.
        groups: names of groups and their features.
        derived: features to be made, in this order.
        titles: feature to its name (English, Chinese).
    """

    title: str = ""
    needs: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: tuple[Derived, ...] = ()
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def _log_ratio(a: Floats, b: Floats) -> Floats:
    """log2((1 + a) / (1 + b)); what is below zero counts as zero (a refund is not a charge)."""
    return np.asarray(np.log2((1.0 + np.maximum(a, 0.0)) / (1.0 + np.maximum(b, 0.0))), np.float64)


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.divide(a, b, out=np.full(len(a), np.nan), where=b != 0.0), np.float64)


FORMULAS: Final[Mapping[str, Callable[[Floats, Floats], Floats]]] = {
    "log_ratio": _log_ratio,
    "ratio": _ratio,
    "difference": np.subtract,
    "product": np.multiply,
}
NONE: Final = Recipe()


def parse(text: str) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: it is no TOML, or not as `docs/train.md` says.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"it is not TOML: {error}") from None
    if unknown := set(found) - {"title", "needs", "ignore", "groups", "names", "derived"}:
        raise RecipeError(f"unknown entry: {min(unknown)}")
    derived = tuple(_derived(entry) for entry in found.get("derived", []))
    titles = {name: _both(name, title) for name, title in found.get("names", {}).items()}
    titles |= {
        d["name"]: _both(d["name"], [d.get("en", d["name"]), d.get("zh", d["name"])])
        for d in found.get("derived", [])
    }
    return Recipe(
        title=str(found.get("title", "")),
        needs=frozenset(found.get("needs", [])),
        ignore=frozenset(found.get("ignore", [])),
        groups={name: tuple(members) for name, members in found.get("groups", {}).items()},
        derived=derived,
        titles=titles,
    )


def _derived(entry: Mapping[str, Any]) -> Derived:
    how = [key for key in FORMULAS if key in entry]
    if not isinstance(entry.get("name"), str) or len(how) != 1:
        raise RecipeError(f"a derived feature needs a name and one of {', '.join(FORMULAS)}: {dict(entry)}")
    of = entry[how[0]]
    if not isinstance(of, list) or len(of) != 2 or not all(isinstance(name, str) for name in of):
        raise RecipeError(f"{entry['name']}: {how[0]} needs two columns")
    return Derived(entry["name"], how[0], (of[0], of[1]))


def _both(name: str, title: Any) -> tuple[str, str]:
    if not isinstance(title, list) or len(title) != 2:
        raise RecipeError(f"names.{name} needs two names, English and Chinese")
    return str(title[0]), str(title[1])


def shipped() -> list[Recipe]:
    """The recipes that come with the program."""
    folder = files("ringfence.train") / "recipes"
    texts = sorted(
        (path.name, path.read_text("utf-8")) for path in folder.iterdir() if path.name.endswith(".toml")
    )
    return [parse(text) for _, text in texts]


def recognise(columns: Sequence[str]) -> Recipe:
    """The recipe for a table with these columns; an empty one if none fits."""
    return next((recipe for recipe in shipped() if recipe.needs and recipe.needs <= set(columns)), NONE)


def derive(columns: Mapping[str, Floats], derived: Sequence[Derived]) -> dict[str, Floats]:
    """The columns, and what is made of them. What cannot be computed is missing (NaN).

    Raises:
        RecipeError: a formula names a column that is not there.
    """
    made = dict(columns)
    for feature in derived:
        for name in feature.of:
            if name not in made:
                raise RecipeError(f"{feature.name} needs the column {name}, which is not there")
        with np.errstate(all="ignore"):
            found = FORMULAS[feature.how](made[feature.of[0]], made[feature.of[1]])
        # 8 months are 8 months, not 8.000000000000002: bins must not tell one from the other
        made[feature.name] = np.where(np.isfinite(found), np.round(found, 6) + 0.0, np.nan)
    return made
