"""The validation rows of weighted pools, StableSwap and the scoring rule hold, each by its own case."""

import pytest

from sim.contracts.amm import weighted_math
from sim.contracts.prediction import lmsr
from sim.verification import amm_curves


@pytest.mark.parametrize("truth", amm_curves.data()["truths"], ids=lambda truth: truth["id"])
def test_truth(truth):
    for row in (amm_curves.POOLS | amm_curves.MAKERS)[truth["id"]](truth):
        assert row.verdict, f"{row.statement}: expected {row.expected}, simulated {row.simulated} +- {row.tolerance}"


@pytest.mark.parametrize("case", amm_curves.data()["vectors"], ids=lambda case: case["id"])
def test_case(case):
    row = amm_curves.case_row(case)
    assert row.verdict, f"{case['inputs']}: expected {row.expected}, got {row.simulated} +- {row.tolerance}"


def test_a_wrong_formula_fails(monkeypatch):
    monkeypatch.setattr(weighted_math, "POWER_MARGIN", 0)
    cases = {case["id"]: case for case in amm_curves.data()["vectors"]}
    assert not amm_curves.case_row(cases["PV-47"]).verdict
    monkeypatch.setattr(lmsr, "SLACK", lmsr.Decimal("1e-3"))
    truth = next(truth for truth in amm_curves.data()["truths"] if truth["id"] == "ORA-01")
    assert not all(row.verdict for row in amm_curves.two_outcomes(truth))
