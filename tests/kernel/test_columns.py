"""Columns, rows that look like agents, and keys that newcomers do not disturb."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kernel.columns import Columns, person_keys


@pytest.fixture
def people() -> Columns:
    table = Columns(4)
    table.add("age", np.int16, np.array([30, 40, 50, 60]))
    table.add("pool", np.int16, -1)
    return table


def test_item_and_attribute_are_the_same_memory(people: Columns) -> None:
    people["age"][1] = 41
    people.age[2] = 51
    assert people.age is people["age"]
    assert people.age.tolist() == [30, 41, 51, 60]
    people.age = people.age + 1
    people["pool"] += 3
    assert people["age"].tolist() == [31, 42, 52, 61]
    assert people.pool.tolist() == [2, 2, 2, 2]
    assert people.age.dtype == np.int16


def test_row_reads_like_an_agent(people: Columns) -> None:
    patient = people[2]
    assert (patient.slot, patient.age, patient.pool, patient.key) == (2, 50, -1, int(people.key[2]))
    assert type(patient.age) is int
    people.age[2] = 51
    assert patient.age == 51
    assert people[-1].age == 60
    assert "age=51" in repr(patient)
    assert "age" in dir(patient)


def test_row_cannot_be_written(people: Columns) -> None:
    with pytest.raises(AttributeError):
        people[0].age = 3
    with pytest.raises(AttributeError):
        people[0].ages  # noqa: B018


def test_select_by_mask_and_by_slots(people: Columns) -> None:
    old = people.select(people.age > 35)
    assert len(old) == 3
    assert old.age.tolist() == old["age"].tolist() == [40, 50, 60]
    assert [row.slot for row in old] == [1, 2, 3]
    assert [row.age for row in people.select([3, 0])] == [60, 30]
    with pytest.raises(ValueError):
        people.select(np.ones(3, dtype=bool))


def test_names_are_guarded(people: Columns) -> None:
    for name in ("age", "key", "size", "select", "_views", "two words"):
        with pytest.raises(ValueError):
            people.add(name, np.int64)
    with pytest.raises(KeyError):
        people["ages"]
    with pytest.raises(KeyError):
        people["ages"] = 1
    with pytest.raises(AttributeError):
        people.ages  # noqa: B018
    with pytest.raises(IndexError):
        people[4]
    assert people.names == ("key", "age", "pool")
    assert "age" in people
    assert "ages" not in people


def test_newcomers_take_the_next_slots_and_the_defaults(people: Columns) -> None:
    before = people.key.copy()
    assert people.grow(2, day=10).tolist() == [4, 5]
    assert people.grow(1, day=10).tolist() == [6]
    assert people.grow(1, day=11).tolist() == [7]
    assert people.size == len(people) == 8
    assert people.age.tolist() == [30, 40, 50, 60, 0, 0, 0, 0]
    assert people.pool.tolist() == [-1] * 8
    assert people.key[:4].tolist() == before.tolist()
    assert people.key[4:7].tolist() == person_keys(10, 3).tolist()
    assert people.key[7] == person_keys(11, 1)[0]
    people.pool[7] = 5
    assert people[7].pool == 5


def test_a_key_does_not_depend_on_how_many_there_are() -> None:
    assert Columns(10).key.tolist() == Columns(1000).key[:10].tolist()
    late = Columns(10)
    late.grow(5, day=3)
    other = Columns(20)
    other.grow(9, day=2)
    other.grow(5, day=3)
    assert late.key[10:].tolist() == other.key[29:].tolist()


def test_keys_are_distinct() -> None:
    keys = np.concatenate([Columns(100_000).key, *(person_keys(day, 1000) for day in range(50))])
    assert np.unique(keys).size == keys.size


def test_growth_keeps_what_was_written() -> None:
    table = Columns(0)
    table.add("x", np.int64, 7)
    for day in range(100):
        slots = table.grow(3, day)
        table.x[slots] = slots
    assert table.x.tolist() == list(range(300))
    assert np.unique(table.key).size == 300
