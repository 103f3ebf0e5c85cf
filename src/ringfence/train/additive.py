"""An additive model: for each feature a table of bins and what they are worth, in bits; a few tables for pairs.

A line's evidence is the sum of what its bins are worth: log2 P(features | fraud line) / P(features | ordinary line). The
share of fraud lines in the training table is not in it, so any prior can be added (`probability`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringfence.train.bins import Floats, codes_of
from ringfence.train.recipe import FORMULAS, Derived, derive

FORMAT: Final = "ringfence additive model"
VERSION: Final = 1


class ModelError(ValueError):
    """A file is no model, or does not fit the columns; the message says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one feature is worth.

    Attributes:
        name, en, zh, group: of the feature.
        edges: where its bins begin (inclusive); the first bin has no lower edge.
        bits: worth of a missing value, then of each bin; shape (2 + edges,).
        error: standard error of each, in bits.
        lines, frauds: how many training lines fell into each, and how many of them were fraud.
    """

    name: str
    en: str
    zh: str
    group: str
    edges: Floats
    bits: Floats
    error: Floats
    lines: NDArray[np.int64]
    frauds: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """What two features are worth together beyond what each is worth alone; `bits` by (bin of first, bin of second)."""

    first: int
    second: int
    first_edges: Floats
    second_edges: Floats
    bits: Floats
    lines: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Model:
    """An additive model.

    Attributes:
        shapes: one for each feature; `pairs`: a few.
        base: bits every line begins with, so that the sum is a log-likelihood ratio.
        prior: share of fraud lines in the training table: for reading its figures, not for use.
        thresholds: name of an aim to the sum of bits that serves it, found on lines kept out of the fit.
        derived: formulas of the features that are not columns of a table.
        made: provenance: rows, positives, digest of the data, date, program version, settings.
    """

    shapes: tuple[Shape, ...]
    pairs: tuple[Pair, ...]
    base: float
    prior: float
    thresholds: Mapping[str, float]
    derived: tuple[Derived, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs(self) -> list[str]:
        """The columns a table must have."""
        made = {d.name for d in self.derived}
        used = {shape.name for shape in self.shapes}
        for formula in reversed(self.derived):
            if formula.name in used:
                used |= set(formula.of)
        return sorted(used - made)

    def score(self, columns: Mapping[str, Floats]) -> "Scored":
        """Add up the evidence of lines.

        Args:
            columns: name to values, each of shape (lines,); NaN: missing. Further columns are fine.

        Raises:
            ModelError: a column is not there.
        """
        for name in self.needs:
            if name not in columns:
                raise ModelError(f"the model needs the column {name!r}, which is not there")
        made = derive(columns, [d for d in self.derived if d.name in self._used()])
        values = [np.asarray(made[shape.name], np.float64) for shape in self.shapes]
        codes = codes_of(values, [shape.edges for shape in self.shapes])
        parts = np.empty((len(codes), len(self.shapes) + len(self.pairs)))
        for place, shape in enumerate(self.shapes):
            parts[:, place] = shape.bits[codes[:, place]]
        for place, pair in enumerate(self.pairs, len(self.shapes)):
            both = codes_of([values[pair.first], values[pair.second]], [pair.first_edges, pair.second_edges])
            parts[:, place] = pair.bits[both[:, 0], both[:, 1]]
        names = [shape.name for shape in self.shapes]
        names += [f"{names[pair.first]} × {names[pair.second]}" for pair in self.pairs]
        return Scored(self.base + parts.sum(1), parts, names, values)

    def _used(self) -> set[str]:
        used = {shape.name for shape in self.shapes}
        for formula in reversed(self.derived):
            if formula.name in used:
                used |= set(formula.of)
        return used

    def explain(self, scored: "Scored", line: int, most: int = 8) -> list[tuple[float, str, str]]:
        """What one line's evidence is made of, the weightiest first: bits, and a sentence in English and in Chinese."""
        order = np.argsort(-np.abs(scored.parts[line]), kind="stable")[:most]
        return [(float(scored.parts[line, part]), *self._sentence(scored, line, int(part))) for part in order]

    def _sentence(self, scored: "Scored", line: int, part: int) -> tuple[str, str]:
        worth = f"{scored.parts[line, part]:+.1f}"
        if part >= len(self.shapes):
            pair = self.pairs[part - len(self.shapes)]
            one, two = self.shapes[pair.first], self.shapes[pair.second]
            return (
                f"{one.en} together with {two.en}: {worth} bits",
                f"“{one.zh}”与“{two.zh}”合看：证据值 {worth}",
            )
        shape, value = self.shapes[part], scored.values[part][line]
        place = int(codes_of([np.array([value])], [shape.edges])[0, 0])
        many, few = int(shape.lines[place]), int(shape.frauds[place])
        seen = (f"{value:.4g}", f"{value:.4g}") if place else ("not known", "未知")
        return (
            f"{shape.en} {seen[0]}: {worth} bits (in training {few} of {many} such lines were fraud)",
            f"{shape.zh} {seen[1]}：证据值 {worth}（训练数据中此类号码 {many} 个，其中诈骗 {few} 个）",
        )

    def to_json(self) -> str:
        """The model as a file a person can read: one line for each list of figures."""
        shapes = [
            {
                "name": s.name, "en": s.en, "zh": s.zh, "group": s.group, "from": s.edges.tolist(),
                "bits": _short(s.bits), "error": _short(s.error), "lines": s.lines.tolist(), "frauds": s.frauds.tolist(),
            }
            for s in self.shapes
        ]  # fmt: skip
        pairs = [
            {
                "features": [self.shapes[p.first].name, self.shapes[p.second].name],
                "from": [p.first_edges.tolist(), p.second_edges.tolist()],
                "bits": _short(p.bits), "lines": p.lines.tolist(),
            }
            for p in self.pairs
        ]  # fmt: skip
        content = {
            "format": FORMAT, "version": VERSION, "made": self.made, "base": round(self.base, 4), "prior": self.prior,
            "thresholds": {name: round(bits, 4) for name, bits in self.thresholds.items()},
            "derived": [{"name": d.name, d.how: list(d.of)} for d in self.derived], "features": shapes, "pairs": pairs,
        }  # fmt: skip
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        return re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s*\n\s*", " ", found[0]), text) + "\n"


@dataclass(frozen=True, slots=True)
class Scored:
    """Lines and their evidence.

    Attributes:
        bits: the sum, shape (lines,).
        parts: what each feature and pair is worth, shape (lines, features + pairs); `names` of them.
        values: the features' values.
    """

    bits: Floats
    parts: Floats
    names: list[str]
    values: list[Floats]


def probability(bits: Floats, prior: float) -> Floats:
    """P(fraud line) for a sum of bits, where a share `prior` of lines is fraud."""
    total = np.clip(bits + np.log2(prior / (1.0 - prior)), -1000.0, 1000.0)
    return np.asarray(1.0 / (1.0 + np.exp2(-total)), np.float64)


def _short(values: Floats) -> Any:
    return (np.round(values, 3) + 0.0).tolist()


def rounded(model: Model) -> Model:
    """The model as it will be read again: the digits of its file."""
    return from_json(model.to_json())


def from_json(text: str) -> Model:
    """Read a model.

    Raises:
        ModelError: the text is no model of this version, or is damaged.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ModelError(f"it is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ModelError(f'it is no model: it does not say "format": "{FORMAT}"')
    if found.get("version") != VERSION:
        raise ModelError(
            f"it is a model of version {found.get('version')}; this program reads version {VERSION}"
        )
    try:
        return _model(found)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"the model is damaged: {type(error).__name__}: {error}") from None


def _model(found: Mapping[str, Any]) -> Model:
    shapes = tuple(_shape(entry) for entry in found["features"])
    places = {shape.name: place for place, shape in enumerate(shapes)}
    return Model(
        shapes=shapes,
        pairs=tuple(_pair(entry, places) for entry in found["pairs"]),
        base=float(found["base"]),
        prior=float(found["prior"]),
        thresholds={name: float(bits) for name, bits in found["thresholds"].items()},
        derived=tuple(_derived(entry) for entry in found["derived"]),
        made=found["made"],
    )


def _derived(entry: Mapping[str, Any]) -> Derived:
    how = next(key for key in entry if key != "name")
    if how not in FORMULAS:
        raise ValueError(f"unknown formula {how}")
    first, second = entry[how]
    return Derived(entry["name"], how, (first, second))


def _shape(entry: Mapping[str, Any]) -> Shape:
    edges = np.asarray(entry["from"], np.float64)
    tables = [np.asarray(entry[key], np.float64) for key in ("bits", "error", "lines", "frauds")]
    if any(table.shape != (len(edges) + 2,) for table in tables):
        raise ValueError(f"{entry['name']}: there must be two more bins than edges")
    if np.any(np.diff(edges) <= 0.0) or not all(np.isfinite(table).all() for table in (edges, *tables)):
        raise ValueError(f"{entry['name']}: edges must rise, and all figures be finite")
    bits, error, lines, frauds = tables
    name, en, zh, group = (str(entry[key]) for key in ("name", "en", "zh", "group"))
    return Shape(name, en, zh, group, edges, bits, error, lines.astype(np.int64), frauds.astype(np.int64))


def _pair(entry: Mapping[str, Any], places: Mapping[str, int]) -> Pair:
    first, second = (places[name] for name in entry["features"])
    edges: Sequence[Floats] = [np.asarray(part, np.float64) for part in entry["from"]]
    bits, lines = np.asarray(entry["bits"], np.float64), np.asarray(entry["lines"], np.int64)
    if not bits.shape == lines.shape == (len(edges[0]) + 2, len(edges[1]) + 2) or not np.isfinite(bits).all():
        raise ValueError(f"{entry['features']}: there must be two more bins than edges each way")
    return Pair(first, second, edges[0], edges[1], bits, lines)
