"""The file of weights, as a person reads it: one line for each observation, with how often it was seen and how sure it is."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ringfence.detect.weights import CALLERS, CLUSTERS, ENDS, FORMAT, TALKS, VERSION, Weights
from ringfence.train.flood_estimate import Bits

_HEAD: Final = """\
# What the detector `flood` holds its observations worth, in bits: log2 P(seen | flood) / P(seen | ordinary life).
# Three figures are for the three forms: hang up, linger, borrowed numbers. `error` is the standard error of each
# (nan: chosen by hand, as is all that has none; `learned` is what was learned and not used); `attack` and `ordinary` are how many calls of floods and of ordinary life were seen to
# do so. See docs/weights.md.
"""


def to_toml(weights: Weights, tables: Mapping[tuple[str, int], Bits] | None = None) -> str:
    """The file.

    Args:
        weights: what goes into it.
        tables: what each figure was learned from, by (table, form); None: say nothing about it.
    """
    said = tables or {}
    parts = [
        _HEAD + f'format = "{FORMAT}"\nversion = {VERSION}\n',
        "[made]\n" + "".join(f"{key} = {value_text(value)}\n" for key, value in weights.made.items()),
        f"[prior]\nbits = {weights.prior:.2f}\nhandicap = {_list(weights.handicap)}\n",
        _table("first", ENDS, weights.ends[0], said),
        _table("again", ENDS, weights.ends[1], said),
        _caller(weights, said),
        f"[tries]\nagain = {weights.again:g}\nagain_dropped = {weights.again_dropped:g}\n",
        _talk(weights, said),
        _gaps(weights),
    ]
    return "\n".join(parts)


def _table(name: str, rows: tuple[str, ...], bits: Any, said: Mapping[tuple[str, int], Bits]) -> str:
    return f"[{name}]\n" + "".join(
        _row(row, bits[place], name, place, said) for place, row in enumerate(rows)
    )


def _row(row: str, bits: Any, table: str, place: int, said: Mapping[tuple[str, int], Bits]) -> str:
    found = [said.get((table, form)) for form in range(3)]
    text = f"bits = {_list(bits)}"
    if any(one is not None for one in found):
        error = [round(float(one.error[place]), 2) if one else np.nan for one in found]
        attack = [int(one.attack[place]) if one else 0 for one in found]
        ordinary = [int(one.ordinary[place]) if one else 0 for one in found]
        text += f", error = {_list(error)}, attack = {attack}, ordinary = {ordinary}"
        if np.isnan(error).any():
            text += (
                f", learned = {_list([round(float(one.bits[place]), 2) if one else np.nan for one in found])}"
            )
    return f"{row} = {{ {text} }}\n"


def _caller(weights: Weights, said: Mapping[tuple[str, int], Bits]) -> str:
    text = _table("caller", CALLERS, weights.callers, said)
    return text + _row("withheld", weights.withheld, "withheld", 1, said)


def _talk(weights: Weights, said: Mapping[tuple[str, int], Bits]) -> str:
    rows = [_row(TALKS[0], weights.talks[0], "first", len(ENDS), said)]
    rows += [_row(row, weights.talks[place], "", 0, {}) for place, row in enumerate(TALKS) if place]
    return "[talk]\n" + "".join(rows)


def _gaps(weights: Weights) -> str:
    lines = [f"means = {_list(weights.means)}", f"shares = {_list(weights.shares)}"]
    for name in CLUSTERS:
        one = weights.clusters[name]
        lines.append(f"{name} = {{ share = {one.share:g}, scale = {one.scale:g} }}")
    return "[gaps]\n" + "\n".join([*lines, f"heard = {weights.heard:g}"]) + "\n"


def _list(values: Any) -> str:
    return "[" + ", ".join(_number(value) for value in np.asarray(values, np.float64).tolist()) + "]"


def _number(value: float) -> str:
    text = f"{value + 0.0:.6g}"
    return text if any(letter in text for letter in ".en") else text + ".0"


def value_text(value: Any) -> str:
    """A value in TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        inner = ", ".join(value_text(one) for one in value)
        return f"[{inner}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {value_text(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
