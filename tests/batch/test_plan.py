"""Seeds and order of the runs of a batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.batch.plan import plan_runs, run_seed


def test_adding_replications_or_variants_changes_no_earlier_run() -> None:
    few, more = plan_runs(["main", "low"], 5, 10), plan_runs(["main", "low"], 5, 30)
    assert more[: len(few)] == few
    alone = plan_runs(["main"], 5, 10)
    assert [run.seed for run in alone] == [run.seed for run in few if run.variant == "main"]


def test_variants_of_one_replication_share_its_seed() -> None:
    runs = plan_runs(["main", "low", "high"], 5, 4)
    assert [run.index for run in runs] == list(range(12))
    for replication in range(4):
        assert {run.seed for run in runs if run.replication == replication} == {run_seed(5, replication)}


def test_seeds_are_distinct_and_stay_what_they_are() -> None:
    seeds = {run_seed(master, replication) for master in range(40) for replication in range(50)}
    assert len(seeds) == 2000
    # Stored results refer to seeds, so their rule is part of the format.
    assert [run_seed(1, 0), run_seed(1, 1), run_seed(2, 0)] == [
        3556415141331025177, 3435091972692906873, 7398546385057684534]
    with pytest.raises(ValueError, match="negative"):
        run_seed(1, -1)


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_a_seed_is_63_bits(master: int, replication: int) -> None:
    assert 0 <= run_seed(master, replication) < 2**63
