"""A shard makes room exactly where the pass would stop."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.detect.evidence import KEPT
from ringfence.detect.memory import DAY
from ringfence.detect.shard import Limits, Shard, _has_room

NOW = 20_000 * DAY


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1000), st.integers(1024, 10**9))
def test_late_observations_in_the_way_do_not_stop_the_pass_for_ever(ahead: int, number: int) -> None:
    """Few observations are fresh, but those of a detector that looks at a later moment may stand where the next would go."""
    shard = Shard(Limits(observations=1 << 14))
    rows, ends = shard.notebook
    rows["at"] = NOW - 2 * KEPT
    rows["at"][(number + ahead + np.arange(100)) % len(rows)] = NOW + DAY
    ends[0] = number
    for _ in range(5):
        if _has_room(shard.notebook, NOW):
            break
        shard.make_room(NOW)
    assert _has_room(shard.notebook, NOW)
    kept = shard.notebook.rows
    assert np.isin(NOW + DAY, kept["at"])
