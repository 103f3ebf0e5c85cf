"""The flat hash table against a dictionary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ringfence.detect.table import (
    GONE,
    STRONG,
    WEAK,
    Table,
    claim,
    claim_marked,
    find,
    find_marked,
    mix,
)

ROW = np.dtype([("key", "i8"), ("seen", "i8"), ("value", "i8")])


class TableIsADictionary(RuleBasedStateMachine):
    """Any order of claims, sweeps and growing."""

    @initialize()
    def begin(self) -> None:
        self.table = Table(ROW, 1 << 20)  # never reached here
        self.model: dict[int, int] = {}

    def make_room(self) -> None:
        if self.table.full:
            self.table.make_room(np.where(self.table.rows["key"] == 0, GONE, STRONG).astype(np.uint8))

    # few different keys, some of them neighbours: collisions and long probes
    @rule(key=st.integers(1, 60) | st.integers(-(2**62), 2**62).filter(bool), value=st.integers(-100, 100))
    def claim_key(self, key: int, value: int) -> None:
        self.make_room()
        place = claim(self.table.rows, self.table.count, key)
        assert self.table.rows[place]["key"] == key
        self.table.rows["value"][place] = value
        self.model[key] = value

    @rule(start=st.integers(1, 10**6), many=st.integers(1, 200))
    def claim_many(self, start: int, many: int) -> None:
        for key in range(start, start + many):
            self.claim_key(key, key)

    @rule(key=st.integers(1, 60))
    def look_for(self, key: int) -> None:
        assert (find(self.table.rows, key) >= 0) == (key in self.model)

    @rule()
    def sweep_negative_values(self) -> None:
        gone = (self.table.rows["key"] == 0) | (self.table.rows["value"] < 0)
        self.table.make_room(np.where(gone, GONE, STRONG).astype(np.uint8))
        self.model = {key: value for key, value in self.model.items() if value >= 0}

    @invariant()
    def same_content(self) -> None:
        rows = self.table.rows[self.table.rows["key"] != 0]
        assert dict(zip(rows["key"].tolist(), rows["value"].tolist(), strict=True)) == self.model
        assert self.table.count[0] == len(self.model)
        assert all(find(self.table.rows, key) >= 0 for key in list(self.model)[:100])


TestTableIsADictionary = TableIsADictionary.TestCase


def test_at_the_limit_the_oldest_weak_rows_are_forgotten_and_counted() -> None:
    table = Table(ROW, 1024)
    key = 0
    while table.forgotten == 0:
        key += 1
        place = claim(table.rows, table.count, key)
        table.rows["seen"][place] = key
        table.rows["value"][place] = int(key % 10 == 0)
        if table.full:
            ranks = np.where(table.rows["value"] == 0, WEAK, STRONG).astype(np.uint8)
            ranks[table.rows["key"] == 0] = GONE
            table.make_room(ranks)
        assert len(table.rows) <= 1024
    left = table.rows[table.rows["key"] != 0]
    assert len(left) + table.forgotten == key
    strong = left["key"][left["value"] == 1]
    assert len(strong) == key // 10  # every strong one is still there
    weak = np.sort(left["key"][left["value"] == 0])
    assert weak.min() > key - 2 * len(weak)  # of the weak ones, the newest


def test_marks_hide_no_row() -> None:
    table = Table(ROW, 1 << 14, marked=True)
    keys = [mix(n, 1) for n in range(1, 5_000)]
    for n, key in enumerate(keys):
        if table.full:
            table.make_room(np.where(table.rows["key"] == 0, GONE, STRONG).astype(np.uint8))
        claim_marked((table.rows, table.count, table.marks), key)
        assert find_marked((table.rows, table.count, table.marks), keys[n // 2]) >= 0
    arrays = (table.rows, table.count, table.marks)
    assert all(find_marked(arrays, key) == find(table.rows, key) >= 0 for key in keys)
    assert all(find_marked(arrays, mix(n, 2)) == -1 for n in range(1_000))


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_a_mixed_key_is_never_the_free_mark(a: int, b: int) -> None:
    assert mix(a, b) != 0


def test_mixing_tells_directions_apart() -> None:
    assert mix(1, 2) != mix(2, 1)


def test_a_snapshot_of_other_fields_is_refused() -> None:
    arrays = Table(np.dtype([("key", "i8"), ("seen", "i8")]), 1024).arrays()
    with pytest.raises(ValueError, match="other fields"):
        Table(ROW, 1024).restore(arrays)
