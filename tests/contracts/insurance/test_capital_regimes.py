"""Capital regimes: Nexus Mutual's vectors, Solvency II multiples, pooling and its systemic floor."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from sim.contracts.insurance.capital import (
    REGIMES,
    Book,
    CapitalParameters,
    NexusCover,
    geared_cover,
    lognormal_multiple,
    mcr_ratio_bps,
    next_mcr,
    pool_cv,
    regime,
)
from sim.kernel.fixedpoint import MICRO

VECTORS = json.loads(resources.files("sim.verification").joinpath("data/insurance_nexus_mcr.json")
                     .read_text(encoding="utf-8"))["vectors"]
BOOK = Book(members=1000, annual_premium=6_000_000 * MICRO, expected_claims=5_000_000 * MICRO,
            claim_reserves=400_000 * MICRO, active_cover=10**9 * MICRO)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_nexus_vectors(vector: dict[str, object]) -> None:
    given = {name: int(value) for name, value in vector["inputs"].items()}  # type: ignore[attr-defined]
    if "stored" in given:
        got = next_mcr(given["stored"], given["desired"], given["elapsed"])
    elif "activeCover" in given:
        got = geared_cover(given["activeCover"], 48_000)
    else:
        got = mcr_ratio_bps(given["capital"], given["mcr"])
    assert got == int(str(vector["expected"])), vector


def test_all_vectors_are_there() -> None:
    assert [vector["id"] for vector in VECTORS] == list(range(77, 87))


def test_lognormal_multiples_of_the_standard_formula() -> None:
    for cv, multiple in ((0.05, 0.13594242776745946), (0.1, 0.2865539307745324), (0.15, 0.452232), (0.2, 0.633153)):
        assert lognormal_multiple(cv) == pytest.approx(multiple, abs=1e-6)


def test_three_sigma_of_volume() -> None:
    parameters = CapitalParameters(sigma=0.08)
    book = Book(1, 40_000_000, 0, 5_000_000, 0)
    assert regime("standard_formula", parameters).desired(book) == 10_800_000


def test_pooling_stops_at_the_systemic_floor() -> None:
    assert lognormal_multiple(pool_cv(3.93846, 0.05, 10_000)) == pytest.approx(0.175669, rel=1e-3)
    assert lognormal_multiple(pool_cv(3.93846, 0.05, 1_000_000)) == pytest.approx(0.136387, rel=1e-3)
    for sd, floor in ((0.02, 0.052651), (0.05, 0.135942), (0.1, 0.286554)):
        assert lognormal_multiple(pool_cv(3.93846, sd, 10**12)) == pytest.approx(floor, rel=1e-3)


def test_a_small_pools_quantile_lies_above_the_lognormals_and_the_normals() -> None:
    """Exact for 1,000 members without a systemic factor: 0.4565 above the mean; normal: 0.3208."""
    cv = pool_cv(3.93846, 0.0, 1000)
    assert 2.5758293 * cv == pytest.approx(0.3208, abs=1e-4)
    assert 0.3208 < lognormal_multiple(cv) < 0.4565


def test_each_regime_by_name() -> None:
    wanted = {"fixed_ratio": 1_500_000, "standard_formula": 960_000, "nexus_cover": 208_333_333.333333}
    for name, dollars in wanted.items():
        assert regime(name, CapitalParameters()).desired(BOOK) / MICRO == pytest.approx(dollars, rel=1e-9)
    var = regime("lognormal_var", CapitalParameters()).desired(BOOK)
    assert var == pytest.approx(lognormal_multiple(pool_cv(3.93846, 0.05, 1000)) * 5e12, rel=1e-12)
    assert set(REGIMES) == {*wanted, "lognormal_var", "own_model"}
    with pytest.raises(ValueError, match="there are fixed_ratio"):
        regime("none", CapitalParameters())


def test_an_empty_book_requires_nothing() -> None:
    empty = Book(0, 0, 0, 0, 0)
    assert [regime(name, CapitalParameters()).desired(empty) for name in REGIMES] == [0] * len(REGIMES)


def test_nexus_moves_one_per_cent_a_day_and_only_once() -> None:
    rule = NexusCover(CapitalParameters())
    assert rule.required(Book(1, 0, 0, 0, 480_000), 0) == 100_000
    larger = Book(2, 0, 0, 0, 960_000)
    assert rule.required(larger, 1) == 101_000
    assert rule.required(larger, 1) == 101_000
    assert rule.desired(larger) == 200_000, "what is asked of a plan is not slowed"
    assert rule.required(larger, 2) == 102_010
    assert rule.minimum_share == 1.0
