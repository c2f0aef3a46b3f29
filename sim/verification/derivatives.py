"""Health derivatives held against the PEF's published structure, payout and dates, and against arithmetic.

The trigger that reads the reported cases of 2020 is the contract's own; the price of a swap is held against the payouts
of epidemics that the price did not see.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from sim.agents.derivatives.pricing import Belief, case_paths
from sim.contracts.derivatives.incidence_swap import SwapTerms
from sim.contracts.derivatives.pandemic_bond import BondClass
from sim.contracts.derivatives.pandemic_trigger import Reported, TriggerRules, determine, trigger_day
from sim.kernel.fixedpoint import BPS, MICRO
from sim.scenario.sections.pandemic_bond import PandemicBondSection
from sim.verification.rows import Row
from sim.world.epidemic.laboratory import run_epidemic
from sim.world.epidemic.transmission import Law, State

MILLION = 1_000_000
TESTED = "Johns Hopkins CSSE, reported cases of 50 countries of IBRD and IDA; World Bank, 9 and 17 April 2020"
PATHS, PERSONS = 200, 2000


@cache
def data() -> dict[str, Any]:
    """Truths and the case path shipped with the package."""
    text = files("sim.verification").joinpath("data/derivatives.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def rows() -> list[Row]:
    """Every row of this topic."""
    return [*structure(), *payouts(), *timeline(), *triggers(), *prices()]


def classes() -> list[BondClass]:
    """The default classes at full size, in dollars' base units."""
    return [BondClass(one.name, round(one.bonds * MICRO), round(one.swaps * MICRO), round(one.spread * BPS),
                      one.deaths, round(one.share * BPS)) for one in PandemicBondSection().classes]


def historic() -> tuple[TriggerRules, Reported]:
    """The default rules, and what was reported in 2020 by day since 31 December 2019; all cases count as confirmed."""
    section, path = PandemicBondSection(), data()["case_path"]
    rules = TriggerRules(section.wait_days, section.check_days, section.lag_days, section.second_region_deaths,
                         section.least_cases, round(section.confirmation_ratio * BPS),
                         growth_quantile=section.growth_quantile)
    cases = np.array(path["cases"], dtype=np.int64)
    deaths = np.array([path["deaths"][name] for name in sorted(path["deaths"])], dtype=np.int64).T
    return rules, Reported(cases, cases, deaths)


def same(id: str, statement: str, expected: float | int | str, found: float | int | str, source: str,
         tolerance: float = 0.0) -> Row:
    """A row that holds where both are equal, or differ by at most ``tolerance``."""
    if isinstance(expected, str) or isinstance(found, str):
        return Row(id, statement, str(expected), str(found), "exact", expected == found, source)
    return Row(id, statement, f"{expected:,.10g}", f"{found:,.10g}", f"{tolerance:g}" if tolerance else "exact",
               abs(expected - found) <= tolerance + 1e-12, source)


def structure() -> Iterable[Row]:
    """PEF-01: sums and spreads of the default classes."""
    truth = data()["truths"]["PEF-01"]
    expected, source = truth["expected"], truth["source"]
    for one in classes():
        yield same("PEF-01", f"Class {one.name}, bonds in USD m", expected["bonds"][one.name],
                   one.bonds / MICRO / MILLION, source)
        yield same("PEF-01", f"Class {one.name}, swaps in USD m", expected["swaps"][one.name],
                   one.swaps / MICRO / MILLION, source)
        yield same("PEF-01", f"Class {one.name}, spread a year", expected["coupon_over_6m_LIBOR"][one.name],
                   one.spread_bps / BPS, source)
    total = sum(one.bonds + one.swaps for one in classes()) / MICRO / MILLION
    yield same("PEF-01", "Bonds and swaps together, USD m", expected["total_m"], total, source)


def payouts() -> Iterable[Row]:
    """PEF-02: what a trigger of both classes pays."""
    truth = data()["truths"]["PEF-02"]
    expected, source = truth["expected"], truth["source"]
    parts = [one.payout() for one in classes()]
    yield same("PEF-02", "Payout of bonds and swaps, USD m", expected["payout_m"],
               sum(map(sum, parts)) / MICRO / MILLION, source, 0.005)
    yield same("PEF-02", "Of which bonds, USD m", expected["bonds_only_m"],
               sum(bonds for bonds, _ in parts) / MICRO / MILLION, source, 0.05)


def timeline() -> Iterable[Row]:
    """PEF-03: on the path of 2020 the calculation of 23 March fails by growth alone, that of 31 March triggers."""
    truth = data()["truths"]["PEF-03"]
    expected, published = truth["expected"], data()["case_path"]["published"]
    rules, reported = historic()
    start = date.fromisoformat(expected["event_start"])
    yield same("PEF-03", "Days of waiting", expected["waiting_days"], rules.wait_days, truth["source"])
    for key, name in (("not_met", "fails"), ("met", "triggers")):
        day = (date.fromisoformat(published[key]["data"]) - start).days
        report = (date.fromisoformat(published[key]["report"]) - start).days
        found = determine(rules, reported, day)
        others = found.spread_met and found.size_met and found.confirmation_met and found.deaths >= 2500
        verdict = found.met if key == "met" else others and not found.growth_met
        yield Row("PEF-03", f"Calculation on the data of {published[key]['data']} {name}" +
                  (" by growth alone" if key == "not_met" else ""), f"published on day {report}",
                  f"day {found.published}, growth at least {found.growth:+.3f} a fortnight", "sign and day exact",
                  verdict and rules.calculated_on(day) and found.published == report, TESTED)
    for one in classes():
        yield same("PEF-03", f"Days from the event's start to the trigger, class {one.name}",
                   expected["days_to_trigger"], str_or_day(trigger_day(rules, reported, one.deaths)), TESTED)
    confirmed = (date.fromisoformat(expected["trigger_confirmed"]) - start).days
    yield same("PEF-03", "Days from 31 December 2019 to 17 April 2020", expected["days_to_trigger"], confirmed,
               truth["source"])


def str_or_day(day: int | None) -> int | str:
    """A day, or "never"."""
    return "never" if day is None else day


def triggers() -> Iterable[Row]:
    """PEF-04: thresholds, each of which stops a payout on its own, and the annual spread of the bonds."""
    truth = data()["truths"]["PEF-04"]
    expected, source = truth["expected"], truth["source"]
    rules, reported = historic()
    for one in classes():
        yield same("PEF-04", f"Deaths that trigger class {one.name}", expected["deaths"][one.name], one.deaths, source)
    yield same("PEF-04", "Deaths in a second region", expected["second_country_deaths"], rules.second_region_deaths,
               source)
    yield same("PEF-04", "Confirmation ratio", expected["confirmation_ratio"], rules.confirmation_bps / BPS, source)
    few = Reported(reported.cases * 19 // 100, reported.cases, reported.deaths)
    yield same("PEF-04", "The path of 2020 with 19 % of cases confirmed", "never",
               str_or_day(trigger_day(rules, few, 250)), source)
    alone = Reported(reported.confirmed, reported.cases, reported.deaths * np.array([1, 0]))
    yield same("PEF-04", "The same with deaths in one country only", "never",
               str_or_day(trigger_day(rules, alone, 250)), source)
    spread = sum(one.spread(one.bonds, 365) for one in classes()) / MICRO / MILLION
    yield same("PEF-04", "Spread of the bonds a year, USD m", expected["annual_spread_bonds_m"], spread, source, 0.005)
    swaps = sum(one.spread(one.bonds + one.swaps, 365) for one in classes()) / MICRO / MILLION
    yield same("PEF-04", "With the swaps at the same rates, USD m",
               expected["annual_spread_incl_swaps_m_if_same_rate"], swaps, source, 0.0005)


def prices() -> Iterable[Row]:
    """A swap's expected payout by the pricing paths, against epidemics of the same law on other draws."""
    law, section = Law(1.4, 5.2, 5.0), SwapTerms(0, 0, 180, 1, MICRO * MILLION, 0, 20_000, 600_000)
    belief = Belief(law, (PERSONS,), ((1.0,),), 1.0, 0, 0, 3, -1, 1.0, section.period_days, PATHS)
    priced = case_paths(belief)[:, :, 0].sum(axis=1) * MILLION // PERSONS
    price = np.array([section.payout(int(rate)) for rate in priced]) / section.notional
    seen = []
    for run in range(PATHS):
        path = run_epidemic(law, np.array([PERSONS]), 3, 5_000_000 + run, section.period_days - 1)
        ill = PERSONS - int(path.counts[-1, 0, State.SUSCEPTIBLE] + path.counts[-1, 0, State.EXPOSED])
        seen.append(section.payout(ill * MILLION // PERSONS) / section.notional)
    real = np.array(seen)
    allowed = 3.0 * float(np.hypot(price.std(), real.std())) / PATHS**0.5
    yield Row("DERIV-01", "Expected payout of an incidence swap, as a share of the notional, against other draws",
              f"{real.mean():.4f} ({PATHS} epidemics)", f"{price.mean():.4f} ({PATHS} pricing paths)",
              f"{allowed:.4f}: 3 SE of both", abs(price.mean() - real.mean()) <= allowed,
              "the same transmission without pricing")
    flat = np.linspace(0.0, 1.0, 1001)
    paid = np.array([section.payout(round(one * MILLION)) for one in flat]) / section.notional
    attach, exhaust = section.strike / MILLION, section.exhaustion / MILLION
    exact = 1.0 - (attach + exhaust) / 2.0
    yield Row("DERIV-02", "Mean payout where incidence is uniform on 0 to 1: 1 - (strike + exhaustion) / 2",
              f"{exact:.4f}", f"{np.trapezoid(paid, flat):.4f}", "0.001: the grid",
              abs(float(np.trapezoid(paid, flat)) - exact) <= 1e-3, "integral of the tranche")
