"""Insurance pools held against ruin theory, pooling, Solvency II multiples and Nexus Mutual's capital vectors.

Ruin is simulated with the pool's own rule: premium first, then the day's claims through the money layers, ruin where
something stays unpaid. Ensembles run its compiled form (:mod:`sim.contracts.insurance.batch`); some histories run the
contract on a ledger as well and must be ruined on the same days.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.batch import poisson_exponential_day, ruin_days, ruin_times
from sim.contracts.insurance.capital import (
    CapitalParameters,
    geared_cover,
    lognormal_multiple,
    mcr_ratio_bps,
    next_mcr,
    pool_cv,
    regime,
)
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig
from sim.contracts.insurance.premium import PremiumShares, loss_ratio_rebate
from sim.contracts.insurance.rating import FACTOR, SHIPPED_CURVE, age_curve_file, read_age_curve
from sim.kernel.compiled import kernel
from sim.kernel.draws import Draws, draw_bits, to_unit, unit_normal
from sim.kernel.fixedpoint import BPS, MICRO
from sim.kernel.ledger import Ledger
from sim.verification.rows import Row

SEED = 20260214
MEMBER_YEARS = 20_000


@cache
def truths() -> dict[str, Any]:
    """The truths shipped with the package, by id."""
    text = files("sim.verification").joinpath("data/insurance.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)["truths"]
    return content


def nexus_vectors() -> list[dict[str, Any]]:
    """Vectors of Nexus Mutual's minimum capital requirement."""
    text = files("sim.verification").joinpath("data/insurance_nexus_mcr.json").read_text(encoding="utf-8")
    content: list[dict[str, Any]] = json.loads(text)["vectors"]
    return content


def rows() -> list[Row]:
    """All rows of this module."""
    draws = Draws(SEED)
    return [*daily_ruin(draws), *continuous_ruin(draws), *pooling(draws), *multiples(), *age_rating(), *rebates(),
            *nexus()]


# Ruin ----------------------------------------------------------------------------------------------------------


def share_row(id: str, statement: str, expected: float, hits: int, runs: int, source: str, slack: float = 0.0) -> Row:
    """A row that compares a share of ``runs`` with a probability, within three standard errors and the truth's own."""
    allowed = 3.0 * math.sqrt(expected * (1.0 - expected) / runs) + slack
    return Row(id, statement, f"{expected:.4f}", f"{hits / runs:.4f}", f"{allowed:.4f} (3 SE of {runs:,} runs)",
               abs(hits / runs - expected) <= allowed, source)


def daily_ruin(draws: Draws, paths: int = 40_000, contract_paths: int = 200) -> Iterable[Row]:
    """RUIN-19 by the compiled day, and its first histories by the contract."""
    truth = truths()["RUIN-19"]
    stream = draws.decision("verification.ruin_daily").stream
    horizons = [int(day) for day in truth["expected"]]
    opening = np.array([0, round(truth["capital"] * MICRO), 0, 0], dtype=np.int64)
    days = ruin_days(stream, paths, 0, max(horizons), opening, round(truth["premium"] * MICRO), truth["claims_rate"],
                     truth["claim_mean"] * MICRO)
    for horizon in horizons:
        yield share_row("RUIN-19", f"{truth['statement']}: by day {horizon}", truth["expected"][str(horizon)],
                        int((days <= horizon).sum()), paths, truth["source"], truth["tolerance"])
    contract = [contract_ruin_day(stream, path, truth, max(horizons)) for path in range(contract_paths)]
    same = int((np.array(contract) == days[:contract_paths]).sum())
    yield Row("RUIN-19", "The same histories by the pool contract on a ledger: days of ruin that agree",
              str(contract_paths), str(same), "exact", same == contract_paths, "one rule, two forms")


def contract_ruin_day(stream: np.uint64, path: int, truth: dict[str, Any], horizon: int) -> int:
    """Day of ruin of one history by the pool contract; horizon + 1 where it survives. Settled daily, premium first, no
    gate, oracles or reinsurance."""
    ledger = Ledger(institutions=16, people=0)
    usd = ledger.asset("USDs")
    outside, payee = ledger.open_account("outside", "protocol"), ledger.open_account("payee", "providers")
    pool = InsurancePool(ledger, usd, "P", [Terms()], PoolConfig(PremiumShares(0, 0, 0, 0), report_lag_days=0.0),
                         regime("fixed_ratio", CapitalParameters()), FeeAccounts(outside, outside))
    ledger.mint(usd, pool.accounts.surplus, round(truth["capital"] * MICRO), "endowment")
    month, to = np.array([30 * round(truth["premium"] * MICRO)]), np.array([payee])
    for day in range(horizon):
        if day % 30 == 0:
            ledger.mint(usd, pool.accounts.unearned, int(month[0]), "premium")
            pool.write_premium(month, np.array([day]), np.array([30]))
        total = poisson_exponential_day(stream, day, np.uint64(path), truth["claims_rate"],
                                        truth["claim_mean"] * MICRO)
        pool.settle(day, np.array([day]), np.array([total]), to)
        if pool.defaulted_on is not None:
            return day + 1
    return horizon + 1


def continuous_ruin(draws: Draws, paths: int = 20_000) -> Iterable[Row]:
    """RUIN-01 and RUIN-02: one step per claim is continuous monitoring."""
    finite, infinite = truths()["RUIN-02"], truths()["RUIN-01"]
    stream = draws.decision("verification.ruin_continuous").stream
    cases = [("RUIN-02", finite, capital, horizon, psi) for capital, horizon, psi in finite["expected"]]
    # a thousand expected claims stand for ever: ruin after them has a probability below 1e-4
    cases += [("RUIN-01", infinite, float(capital), 1000, psi) for capital, psi in infinite["expected"].items()]
    for number, (id, truth, capital, horizon, psi) in enumerate(cases):
        opening = np.array([0, round(capital * MICRO), 0, 0], dtype=np.int64)
        times = ruin_times(stream, paths, number * paths, float(horizon), opening, truth["claims_rate"],
                           truth["premium_rate"] * MICRO, truth["claim_mean"] * MICRO)
        until = "ever" if id == "RUIN-01" else f"by time {horizon}"
        yield share_row(id, f"{truth['statement']}: capital {capital:g}, {until}", psi, int(np.isfinite(times).sum()),
                        paths, truth["source"], 1e-4)


# Pooling and capital --------------------------------------------------------------------------------------------


@kernel
def annual_losses(
    stream: np.uint64, years: int, members: int, zero: float, mu: float, sigma: float
) -> NDArray[np.float64]:
    """Total cost of ``members`` in each of ``years`` independent years, float64[years]: of each member nothing with
    probability ``zero``, else lognormal."""
    totals = np.zeros(years)
    for year in range(years):
        for member in range(members):
            u = (to_unit(draw_bits(stream, year, np.uint64(member), 0)) - zero) / (1.0 - zero)
            if u > 0.0:
                totals[year] += math.exp(mu + sigma * unit_normal(u))
    return totals


def pooling(draws: Draws) -> Iterable[Row]:
    """RUIN-20: the law of a pool's year, and why the lognormal regime holds a multiple of its requirement."""
    truth = truths()["RUIN-20"]
    stream = draws.decision("verification.pooling").stream
    mean = truth["members"] * (1.0 - truth["zero"]) * math.exp(truth["mu"] + truth["sigma"] ** 2 / 2.0)
    years = annual_losses(stream, MEMBER_YEARS, truth["members"], truth["zero"], truth["mu"], truth["sigma"]) / mean
    for above in (1.1, 1.2):
        yield share_row("RUIN-20", f"{truth['statement']}: {truth['members']} members exceed {above} x the mean",
                        truth["expected"][f"above_{above}"], int((years > above).sum()), years.size, truth["source"])
    exact = truth["expected"]["quantile_995"]
    yield share_row("RUIN-20", f"The same pool exceeds its 99.5 % quantile of {exact} x the mean", 0.005,
                    int((years > exact).sum()), years.size, truth["source"])
    lognormal = 1.0 + lognormal_multiple(pool_cv(3.93846, 0.0, truth["members"]))
    yield Row("RUIN-20", "99.5 % quantile by the lognormal regime lies between the normal's and the exact one",
              f"{truth['normal_quantile']} .. {exact}", f"{lognormal:.4f}", "inside",
              truth["normal_quantile"] < lognormal < exact, truth["source"])


def multiples() -> Iterable[Row]:
    """RUIN-15 and RUIN-21: the capital regime's own functions."""
    for id, values in (("RUIN-15", {float(s): lognormal_multiple(float(s)) for s in truths()["RUIN-15"]["expected"]}),
                       ("RUIN-21", {int(n): lognormal_multiple(pool_cv(truths()["RUIN-21"]["member_cv"],
                                                                       truths()["RUIN-21"]["systemic_sd"], int(n)))
                                    for n in truths()["RUIN-21"]["expected"]})):
        truth = truths()[id]
        for (at, got), expected in zip(values.items(), truth["expected"].values(), strict=True):
            what = f"CV {at}" if id == "RUIN-15" else f"{at:,} members"
            yield Row(id, f"{truth['statement']}: {what}", f"{expected:.6f}", f"{got:.6f}", "1e-6",
                      abs(got - expected) <= 1.5e-6, truth["source"])


# Rating, rebates, vectors ---------------------------------------------------------------------------------------


def age_rating() -> Iterable[Row]:
    """HLTH-08: the shipped table as pools read it."""
    truth = truths()["HLTH-08"]
    factors = read_age_curve(age_curve_file(SHIPPED_CURVE))
    expected = {int(age): round(factor * FACTOR) for age, factor in truth["expected"].items()}
    got = {age: int(factors[min(age, factors.size - 1)]) for age in expected}
    yield Row("HLTH-08", f"{truth['statement']}, thousandths at {len(expected)} ages", str(list(expected.values())),
              str(list(got.values())), "exact", got == expected, truth["source"])


def rebates() -> Iterable[Row]:
    """HLTH-10."""
    truth = truths()["HLTH-10"]
    for premium, claims, threshold, expected in truth["expected"]:
        got = loss_ratio_rebate(premium, claims, round(threshold * BPS))
        yield Row("HLTH-10", f"{truth['statement']}: premium {premium:,}, claims {claims:,}, threshold {threshold}",
                  str(expected), str(got), "exact", got == expected, truth["source"])


def nexus_answer(vector: dict[str, Any]) -> int:
    """What our functions answer to one vector."""
    given = {name: int(value) for name, value in vector["inputs"].items()}
    if "stored" in given:
        return next_mcr(given["stored"], given["desired"], given["elapsed"])
    if "activeCover" in given:
        return geared_cover(given["activeCover"], 48_000)
    return mcr_ratio_bps(given["capital"], given["mcr"])


def nexus() -> Iterable[Row]:
    """Minimum capital requirement, wei by wei."""
    for vector in nexus_vectors():
        got = nexus_answer(vector)
        note = "" if vector["kind"] == "executed" else " (derived, advisory)"
        yield Row(f"Nexus {vector['id']}", vector["function"] + note, vector["expected"], str(got), "exact",
                  str(got) == vector["expected"], vector["source"])
