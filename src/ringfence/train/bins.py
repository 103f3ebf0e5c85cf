"""Bins: a measurement becomes a small number, 0 for a missing one, and a model becomes a table."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

MOST: Final = 32
"""Bins a feature, besides the one for missing values."""
_DIGITS: Final = 4


def edges_of(values: Floats, most: int = MOST) -> Floats:
    """Where bins begin: quantiles, rounded so that a person can read them.

    A bin holds the values from its edge (inclusive) to the next; the first begins at minus infinity and is not listed.
    Where a value is so frequent that several quantiles fall on it, there are fewer bins.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return np.empty(0)
    shares = np.unique(np.r_[0.01, np.arange(1, most) / most, 0.99])
    cuts = np.unique(rounded(np.quantile(known, shares, method="inverted_cdf")))
    inside: Floats = cuts[(cuts > known.min()) & (cuts <= known.max())]
    return inside


def rounded(values: Floats) -> Floats:
    """The values with four digits that count, whole numbers as they are."""
    return np.array(
        [v if v == np.rint(v) else float(f"{v:.{_DIGITS}g}") for v in values.tolist()], np.float64
    )


def codes_of(columns: Sequence[Floats], edges: Sequence[Floats]) -> Codes:
    """Bin of every value, shape (rows, features): 0 missing, 1 below the first edge, and so on."""
    codes = np.zeros((len(columns[0]) if columns else 0, len(columns)), np.uint8)
    for place, (column, cuts) in enumerate(zip(columns, edges, strict=True)):
        known = np.isfinite(column)
        codes[known, place] = 1 + np.searchsorted(cuts, column[known], side="right")
    return codes


def centres(values: Floats, codes: NDArray[Any], bins: int) -> Floats:
    """The median of the values in each bin, shape (bins,); what no value fell into lies between its neighbours."""
    found = np.array(
        [np.median(values[codes == b]) if np.any(codes == b) else np.nan for b in range(1, bins + 1)]
    )
    filled = np.isfinite(found)
    return np.asarray(np.interp(np.arange(bins), np.flatnonzero(filled), found[filled]), np.float64)
