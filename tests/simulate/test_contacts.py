"""Who knows whom is one fact, told the same from both sides."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringfence.simulate.contacts import CLOSE, graph_of
from ringfence.simulate.stage import _contacts


@given(st.integers(0, 1_000), st.integers(300, 2_000))
def test_if_one_knows_another_the_other_knows_the_one(seed: int, lines: int) -> None:
    rng = np.random.default_rng(seed)
    degree = rng.integers(5, 40, lines).astype(np.int32)
    graph = graph_of(seed, degree, 0.4, np.arange(8613800, 8613900), 80)
    own = others = 0
    for line in rng.integers(0, lines, 5).tolist():
        for rank, party in enumerate(_contacts(graph, line, int(degree[line])).tolist()):
            if party > 0:
                others += 1
                continue
            own += 1
            other = -1 - party
            assert other != line
            assert -1 - line in _contacts(graph, other, int(degree[other])).tolist()
            if rank < CLOSE:
                assert other // 256 == line // 256  # family lives near
    assert own > 0
    assert others > 0


def test_people_of_other_networks_are_known_to_several() -> None:
    degree = np.full(2_000, 30, np.int32)
    graph = graph_of(3, degree, 0.5, np.arange(8613800, 8613900), 100)
    known = np.concatenate([_contacts(graph, line, 30) for line in range(500)])
    _, counts = np.unique(known[known > 0], return_counts=True)
    assert counts.mean() > 1.3
