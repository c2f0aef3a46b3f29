"""Truth by claim id."""

from __future__ import annotations

import numpy as np
import pytest

from sim.world.clinical_records import ClinicalRecords


def test_what_is_added_is_found() -> None:
    records = ClinicalRecords()
    ids = np.array([3, 0, 5_000])
    records.add(ids, np.array([30, 0, 70]))
    assert records.true_amount(ids).tolist() == [30, 0, 70]
    assert records.known(np.array([0, 1, 3, 9_999_999, -1])).tolist() == [True, False, True, False, False]
    assert len(records) == 3


@pytest.mark.parametrize(("ids", "amounts"), [([1], [5]), ([2, 2], [1, 1]), ([-1], [1]), ([7], [-1]), ([7, 8], [1])])
def test_a_claim_is_recorded_once_and_sensibly(ids: list[int], amounts: list[int]) -> None:
    records = ClinicalRecords()
    records.add(np.array([1]), np.array([5]))
    with pytest.raises(ValueError, match="claim"):
        records.add(np.array(ids), np.array(amounts))
    assert len(records) == 1


def test_an_unknown_claim_is_refused() -> None:
    records = ClinicalRecords()
    records.add(np.array([1]), np.array([5]))
    for unknown in (0, 10_000_000, -1):
        with pytest.raises(ValueError, match="no record"):
            records.true_amount(np.array([unknown]))
