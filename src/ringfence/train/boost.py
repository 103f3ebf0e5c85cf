"""Shape functions with jumps, and tables for pairs of features: boosted trees of depth two, added up into tables.

A tree of depth two asks one or two features, so the sum of any number of them is a table for each feature and one for each
pair: nothing is hidden in it (Lou, Caruana, Gehrke, Hooker 2013). Pairs are few: those whose trees gained most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringfence.compiled import entry, jit
from ringfence.train.bins import Codes, Floats

RATE: Final = 0.04
FEATURES_SHARE: Final = 0.3
LINES_SHARE: Final = 0.7
"""Each tree sees a random part of lines and features (stochastic gradient boosting, Friedman 2002)."""
LEAST_FEATURES: Final = 6
LEAST_LINES: Final = 20
SHRINK: Final = 1.0
EVERY: Final = 50
"""The log-odds are noted after so many trees, to see when to stop."""
_BINS: Final = 256

TREE: Final = np.dtype([
    ("feature", np.int64), ("cut", np.int64),
    ("child", np.int64, 2), ("child_cut", np.int64, 2), ("child_gain", np.float64, 2),
    ("leaf", np.float64, 4),
])  # fmt: skip


@dataclass(slots=True)
class Boosted:
    """Trees added up.

    Attributes:
        constant: log-odds every line begins with.
        single: a table (1 + bins,) for each feature; `pairs`: a table for each pair (smaller feature first).
        gain: what the second questions of each pair gained.
    """

    constant: float
    single: list[Floats]
    pairs: dict[tuple[int, int], Floats] = field(default_factory=dict)
    gain: dict[tuple[int, int], float] = field(default_factory=dict)


def grow(
    codes: Codes,
    label: Floats,
    used: NDArray[np.bool_],
    rounds: int,
    seed: int,
    partners: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[Any], Floats, float]:
    """Grow trees on the lines that are used.

    Args:
        codes: bins, shape (lines, features), of all lines.
        label: 0 or 1.
        used: which lines are learned from; the others only get their log-odds.
        rounds: how many trees.
        seed: of the random parts; the same seed gives the same trees.
        partners: shape (features, features), which two may be asked in one tree; by default any.

    Returns:
        the trees; the log-odds of all lines after every `EVERY` trees, shape (rounds // EVERY, lines); the constant.
    """
    features = codes.shape[1]
    if partners is None:
        partners = np.ones((features, features), np.bool_)
    prior = np.clip(label[used].mean(), 1e-6, 1 - 1e-6)
    constant = float(np.log(prior / (1.0 - prior)))
    trees = np.zeros(rounds, TREE)
    noted = np.zeros((rounds // EVERY, len(codes)))
    asked = max(min(features, LEAST_FEATURES), round(FEATURES_SHARE * features))
    by_feature = np.ascontiguousarray(codes.T)
    _grow(
        by_feature,
        label,
        used,
        partners | np.eye(features, dtype=np.bool_),
        asked,
        seed,
        constant,
        trees,
        noted,
    )
    return trees, noted, constant


def add_up(trees: NDArray[Any], constant: float, bins: Sequence[int]) -> Boosted:
    """Turn trees into tables: `bins` of each feature, besides the one for missing values."""
    summed = Boosted(constant, [np.zeros(1 + b) for b in bins])
    for tree in trees:
        first, cut = int(tree["feature"]), int(tree["cut"])
        if first < 0:
            continue
        root = np.arange(1 + bins[first]) >= cut
        for side in (0, 1):
            _add_side(summed, tree, first, root == bool(side), side, bins)
    return summed


def _add_side(
    summed: Boosted, tree: Any, first: int, here: NDArray[np.bool_], side: int, bins: Sequence[int]
) -> None:
    second = int(tree["child"][side])
    low, high = float(tree["leaf"][2 * side]), float(tree["leaf"][2 * side + 1])
    if second < 0:
        summed.single[first] += here * low
        return
    beyond = np.arange(1 + bins[second]) >= tree["child_cut"][side]
    values = np.where(beyond, high, low)
    if second == first:
        summed.single[first] += here * values
        return
    key = (min(first, second), max(first, second))
    table = np.outer(here, values) if first < second else np.outer(values, here)
    summed.pairs[key] = summed.pairs[key] + table if key in summed.pairs else table
    summed.gain[key] = summed.gain.get(key, 0.0) + float(tree["child_gain"][side])


def strongest(summed: Boosted, most: int) -> list[tuple[int, int]]:
    """The pairs that gained most."""
    return sorted(summed.gain, key=lambda pair: (-summed.gain[pair], pair))[:most]


# --- compiled --------------------------------------------------------------------------------------------------------


@jit
def _chance(seed: int, a: int, b: int) -> float:
    """A number in [0, 1) that depends on its arguments only (SplitMix64)."""
    mixed = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(a) * np.uint64(0xD1342543DE82EF95)
    mixed += np.uint64(b) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(0x632BE59BD9B4E019)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return float((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) / 9007199254740992.0


@jit
def _best_cut(codes: Any, rows: Any, count: int, slope: Any, bend: Any, hist: Any) -> tuple[float, int]:
    """The cut of one feature that gains most over the first `count` of `rows`, and its gain (0: none)."""
    hist[:] = 0.0
    most = 0
    for place in range(count):
        row = rows[place]
        code = codes[row]
        hist[code, 0] += slope[row]
        hist[code, 1] += bend[row]
        hist[code, 2] += 1.0
        most = max(most, code)
    all_slope, all_bend = hist[:, 0].sum(), hist[:, 1].sum()
    whole = all_slope * all_slope / (all_bend + SHRINK)
    gain, cut = 0.0, 0
    low_slope = low_bend = low = 0.0
    for code in range(1, most + 1):
        low_slope += hist[code - 1, 0]
        low_bend += hist[code - 1, 1]
        low += hist[code - 1, 2]
        if low < LEAST_LINES or count - low < LEAST_LINES:
            continue
        high_slope, high_bend = all_slope - low_slope, all_bend - low_bend
        found = (
            low_slope * low_slope / (low_bend + SHRINK)
            + high_slope * high_slope / (high_bend + SHRINK)
            - whole
        )
        if found > gain:
            gain, cut = found, code
    return gain, cut


@jit
def _best(
    codes: Any, asked: Any, allowed: Any, rows: Any, count: int, slope: Any, bend: Any, hist: Any
) -> Any:
    """The best question among the features asked that are allowed: feature (-1: none), cut, gain."""
    feature, cut, gain = -1, 0, 1e-9
    for f in asked:
        if allowed[f]:
            found, where = _best_cut(codes[f], rows, count, slope, bend, hist)
            if found > gain:
                feature, cut, gain = f, where, found
    return feature, cut, gain


@jit
def _leaf(rows: Any, count: int, slope: Any, bend: Any) -> float:
    top = bottom = 0.0
    for place in range(count):
        top += slope[rows[place]]
        bottom += bend[rows[place]]
    return RATE * top / (bottom + SHRINK)


@jit
def _split(codes: Any, cut: int, rows: Any, count: int, low: Any, high: Any) -> int:
    """Share rows out; returns how many are low, the rest is high."""
    lows = 0
    for place in range(count):
        row = rows[place]
        if codes[row] < cut:
            low[lows] = row
            lows += 1
        else:
            high[place - lows] = row
    return lows


@jit
def _choose(features: int, many: int, seed: int, turn: int, order: Any) -> None:
    """Put a random choice of features in front (Fisher and Yates)."""
    for place in range(many):
        other = place + int(_chance(seed, turn, -1 - place) * (features - place))
        order[place], order[other] = order[other], order[place]


@entry
def _grow(
    codes: Any,
    label: Any,
    used: Any,
    partners: Any,
    many: int,
    seed: int,
    constant: float,
    trees: Any,
    noted: Any,
) -> None:
    features, lines = codes.shape
    score = np.full(lines, constant)
    slope, bend = np.empty(lines), np.empty(lines)
    rows, half = np.empty(lines, np.int64), np.empty((2, lines), np.int64)
    low, high = np.empty(lines, np.int64), np.empty(lines, np.int64)
    hist = np.empty((_BINS, 3))
    order = np.arange(features)
    anything = np.ones(features, np.bool_)
    for turn in range(len(trees)):
        count = 0
        for line in range(lines):
            if used[line] and _chance(seed, turn, line) < LINES_SHARE:
                chance = 1.0 / (1.0 + np.exp(-score[line]))
                slope[line] = label[line] - chance
                bend[line] = chance * (1.0 - chance)
                rows[count] = line
                count += 1
        _choose(features, many, seed, turn, order)
        asked = order[:many]
        tree = trees[turn]
        first, cut, _ = _best(codes, asked, anything, rows, count, slope, bend, hist)
        tree.feature, tree.cut = first, cut
        if first >= 0:
            lows = _split(codes[first], cut, rows, count, half[0], half[1])
            for side in range(2):
                mine, some = half[side], lows if side == 0 else count - lows
                second, second_cut, gain = _best(codes, asked, partners[first], mine, some, slope, bend, hist)
                tree.child[side], tree.child_cut[side], tree.child_gain[side] = second, second_cut, gain
                if second < 0:
                    tree.leaf[2 * side] = tree.leaf[2 * side + 1] = _leaf(mine, some, slope, bend)
                else:
                    few = _split(codes[second], second_cut, mine, some, low, high)
                    tree.leaf[2 * side] = _leaf(low, few, slope, bend)
                    tree.leaf[2 * side + 1] = _leaf(high, some - few, slope, bend)
            for line in range(lines):
                side = int(codes[first, line] >= cut)
                second = tree.child[side]
                further = second >= 0 and codes[second, line] >= tree.child_cut[side]
                score[line] += tree.leaf[2 * side + int(further)]
        if (turn + 1) % EVERY == 0:
            noted[(turn + 1) // EVERY - 1] = score
