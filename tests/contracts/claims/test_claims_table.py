"""The table of claims: each episode once, growth, truncation, memory."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.claims.table import ClaimTable, episode_keys


def add(table, keys, wanted=None, **values):
    keys = np.array(keys, dtype=np.uint64)
    wanted = np.ones(keys.size, dtype=np.bool_) if wanted is None else np.array(wanted)
    return table.append(keys, wanted, **values)


def test_ids_are_rows_and_columns_keep_values():
    table = ClaimTable(capacity=1)
    rows, ids = add(table, [5, 6, 7], [True, False, True], claimed=np.array([10, 20, 30]), filed=3)
    assert rows.tolist() == [0, 2]
    assert ids.tolist() == [0, 1]
    assert table["claimed"].tolist() == [10, 30]
    assert table["filed"].tolist() == [3, 3]
    assert table["decided"].tolist() == [-1, -1]
    assert table["key"].tolist() == [5, 7]


def test_an_episode_is_claimed_once():
    table = ClaimTable()
    assert add(table, [5, 6, 5])[0].tolist() == [0, 1]
    assert add(table, [6, 8])[0].tolist() == [1]
    assert table.check() is None


def test_truncated_episodes_can_be_claimed_again():
    table = ClaimTable()
    add(table, [1, 2, 3])
    table.truncate(1)
    assert add(table, [1, 2])[0].tolist() == [1]
    assert table["key"].tolist() == [1, 2]


@given(st.lists(st.lists(st.integers(0, 60), max_size=30), max_size=12))
def test_table_equals_a_dictionary(batches):
    table, seen = ClaimTable(capacity=2), {}
    for batch in batches:
        new = [row for row, key in enumerate(batch) if key not in seen and key not in batch[:row]]
        rows, ids = add(table, batch)
        assert rows.tolist() == new
        assert ids.tolist() == list(range(len(seen), len(seen) + len(new)))
        seen.update({batch[row]: None for row in new})
    assert table["key"].tolist() == list(seen)


def test_index_grows_with_many_claims():
    table, keys = ClaimTable(capacity=1), np.arange(1, 50_001, dtype=np.uint64)
    for part in np.array_split(keys, 7):
        assert add(table, part)[0].size == part.size
    assert add(table, keys)[0].size == 0
    assert len(table) == keys.size


def test_five_million_claims_fit_in_400_megabytes():
    table = ClaimTable()
    add(table, np.arange(100_000))
    per_claim = sum(table[name].itemsize for name in table.names)
    index_bytes = 2**23 * 4  # the first power of two that holds 5 million at the largest load
    assert per_claim * 5_000_000 + index_bytes < 400_000_000
    assert table.nbytes < 100_000 * (per_claim + 14)


def test_episodes_of_one_person_differ_by_day_and_serial():
    people = np.array([9, 9, 9, 9], dtype=np.uint64)
    keys = episode_keys(people, np.array([1, 1, 2, 2]), np.array([0, 1, 0, 1]))
    assert len(set(keys.tolist())) == 4
    assert (keys == episode_keys(people, np.array([1, 1, 2, 2]), np.array([0, 1, 0, 1]))).all()
