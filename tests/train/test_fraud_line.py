"""What is known of a feature beforehand, and how it limits what is learned of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringfence.detect.line_weights import BITS, FEATURES, STARTS_AT
from ringfence.train.fraud_line import rising

VALUES = st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 100)), min_size=1, max_size=30)


@given(VALUES)
def test_the_nearest_rising_values(pairs: list[tuple[float, float]]) -> None:
    values, weights = (np.array(part) for part in zip(*pairs, strict=True))
    fitted = rising(values, weights)
    assert (np.diff(fitted) >= 0).all()
    assert np.isclose((fitted * weights).sum(), (values * weights).sum())
    # the nearest of a convex set: no step towards another member of it comes nearer (Ayer et al. 1955)
    for other in (np.sort(values), np.full(len(values), np.median(values)), np.cumsum(np.abs(values))):
        assert ((values - fitted) * weights * (other - fitted)).sum() <= 1e-6 * len(values) * 1e4


def test_what_rises_is_left_alone() -> None:
    values = np.array([-2.0, 0.0, 0.5, 3.0])
    assert rising(values, np.ones(4)).tolist() == values.tolist()
    assert rising(values[::-1], np.ones(4)).tolist() == [0.375] * 4


def test_the_shipped_weights_keep_to_it() -> None:
    for place, feature in enumerate(FEATURES):
        missing, *bits = BITS[STARTS_AT[place] : STARTS_AT[place + 1]]
        assert missing == 0
        assert max(map(abs, bits)) <= feature.most
        if feature.rises:
            assert (feature.rises * np.diff(bits) >= 0).all(), feature.name
