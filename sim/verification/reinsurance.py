"""Reinsurance held against closed forms: what treaties do to ruin, reinstatements by hand, circles of covers.

The adjustment coefficient R is what the probability of ruin falls with: psi(u) ~ C exp(-R u). It is found twice: from
the Lundberg equation of what the treaty leaves of a claim, and from simulated pools, as the slope of log psi between
two capitals. Premiums follow the expected-value principle, with loadings theta of the insurer and xi of the reinsurer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.optimize import brentq

from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.batch import reinsured_ruins
from sim.contracts.insurance.capital import CapitalParameters, regime
from sim.contracts.insurance.policy import Terms as Policy
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig
from sim.contracts.insurance.premium import PremiumShares
from sim.contracts.insurance.treaties import SHARE, UNLIMITED, Layer, cede_in_order, retained
from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.parties import Party, PoolParty
from sim.contracts.reinsurance.treaty import Placement, Terms, Treaty
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.verification.rows import Row

SEED = 20260404
CLAIM = 10**12
"""Base units of the mean claim where the Lundberg equation is solved: rounding to a unit is then below 1e-11."""

CAPITALS = (3.0, 6.0, 9.0)
"""Opening surplus of the simulated pools, in mean claims; the first is no less than any retention."""


@cache
def truths() -> dict[str, Any]:
    """The truths shipped with the package, by id."""
    text = files("sim.verification").joinpath("data/reinsurance.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)["truths"]
    return content


def rows() -> list[Row]:
    """All rows of this module."""
    draws = Draws(SEED)
    return [*coefficients(), *simulated_coefficients(draws), *reinstatements(), *circles()]


# The adjustment coefficient -------------------------------------------------------------------------------------


def layer_of(id: str, parameter: str, unit: int) -> tuple[int, int, int]:
    """(retention, limit, ceded share in millionths) of a treaty, with ``unit`` base units to the mean claim: a quota
    share that keeps ``parameter``, or an unlimited layer above a retention of ``parameter`` mean claims."""
    if id == "RUIN-10":
        return 0, UNLIMITED, SHARE - round(float(parameter) * SHARE)
    if parameter == "inf":
        return 0, UNLIMITED, 0
    return round(float(parameter) * unit), UNLIMITED, SHARE


def expectation(function: Callable[[int], float], kink: float) -> float:
    """E f(X) for an exponential claim X of mean CLAIM base units, f smooth on both sides of ``kink`` mean claims."""
    inner, weights = np.polynomial.legendre.leggauss(60)
    outer, tail = np.polynomial.laguerre.laggauss(60)
    points = kink * (inner + 1.0) / 2.0
    below = sum(w * math.exp(-x) * function(round(x * CLAIM)) for x, w in zip(points, weights, strict=True))
    above = sum(w * function(round((kink + x) * CLAIM)) for x, w in zip(outer, tail, strict=True))
    return kink / 2.0 * below + math.exp(-kink) * above


def net_premium(id: str, parameter: str, truth: dict[str, Any]) -> float:
    """(1 + theta) less (1 + xi) times the expected cession, per claim, in mean claims."""
    layer = layer_of(id, parameter, CLAIM)
    kept = expectation(lambda loss: retained(loss, *layer) / CLAIM, layer[0] / CLAIM)
    return 1.0 + truth["theta"] - (1.0 + truth["xi"]) * (1.0 - kept)


def lundberg(id: str, parameter: str, truth: dict[str, Any]) -> float:
    """The positive root R of E exp(R h(X)) = 1 + c R, h(X) what the treaty leaves of a claim."""
    layer, premium = layer_of(id, parameter, CLAIM), net_premium(id, parameter, truth)

    def excess(r: float) -> float:
        grown = expectation(lambda loss: math.exp(r * retained(loss, *layer) / CLAIM), layer[0] / CLAIM)
        return grown - 1.0 - premium * r

    return float(brentq(excess, 0.02, 0.6, xtol=1e-13))


def coefficients() -> Iterable[Row]:
    """RUIN-10 and RUIN-11 by the Lundberg equation."""
    for id in ("RUIN-10", "RUIN-11"):
        truth = truths()[id]
        for parameter, expected in truth["expected"].items():
            got = lundberg(id, parameter, truth)
            yield Row(id, f"{truth['statement']}: {parameter}, from the Lundberg equation of what the treaty leaves",
                      f"{expected:.7f}", f"{got:.7f}", "1e-7", abs(got - expected) <= truth["tolerance"],
                      truth["source"])


def simulated_coefficients(draws: Draws, paths: int = 20_000, claims: int = 1_500) -> Iterable[Row]:
    """The same from ruined pools. Ruin at the higher capital implies ruin at the lower, so the share q of those ruined
    at the lower that are also ruined at the higher is binomial, and R = -ln q / (difference of capitals). Ruin after
    so many claims has a probability below 1e-3 of that before."""
    stream = draws.decision("verification.reinsured_ruin").stream
    capitals = np.array([round(capital * MICRO) for capital in CAPITALS], dtype=np.int64)
    for number, id in enumerate(("RUIN-10", "RUIN-11")):
        truth = truths()[id]
        for place, parameter in enumerate(truth["simulated"]):
            premium = net_premium(id, parameter, truth)
            ruined = reinsured_ruins(stream, paths, (10 * number + place) * paths, claims, capitals, 1.0,
                                     premium * MICRO, float(MICRO), *layer_of(id, parameter, MICRO))
            low, high = int(ruined[0]), int(ruined[-1])
            share, apart = high / low, CAPITALS[-1] - CAPITALS[0]
            got = -math.log(share) / apart
            error = math.sqrt((1.0 - share) / (share * low)) / apart
            expected = truth["expected"][parameter]
            yield Row(id, f"{truth['statement']}: {parameter}, from {paths:,} histories of pools with capitals of "
                      f"{CAPITALS[0]:g} and {CAPITALS[-1]:g} mean claims", f"{expected:.4f}", f"{got:.4f}",
                      f"{3.0 * error:.4f} (3 SE)", abs(got - expected) <= 3.0 * error, truth["source"])


# By hand --------------------------------------------------------------------------------------------------------


def reinstatements() -> Iterable[Row]:
    """A layer with a reinstatement, event by event, to the unit."""
    truth = truths()["reinstatement"]
    retention, limit, times, premium = truth["layer"]
    layer = Layer(retention, limit, SHARE, times, SHARE, premium)
    events = np.array(truth["events"], dtype=np.int64)
    taken, parts = np.zeros(1, dtype=np.int64), np.zeros((1, events.size), dtype=np.int64)
    terms = np.array([[layer.retention, layer.limit, layer.annual_limit, layer.share]], dtype=np.int64)
    cede_in_order(events, np.arange(events.size), np.zeros(events.size, dtype=np.int64), terms, taken, parts)
    got = parts[0].tolist()
    yield Row("Reinstatement", f"{truth['statement']}: ceded", str(truth["ceded"]), str(got), "exact",
              got == truth["ceded"], truth["source"])
    sums = [layer.reinstatement_premium(int(total)) for total in np.cumsum(parts[0])]
    yield Row("Reinstatement", f"{truth['statement']}: reinstatement premium after each", str(truth["premium"]),
              str(sums), "exact", sums == truth["premium"], truth["source"])
    used, expected = zip(*truth["partial"], strict=True)
    due = [layer.reinstatement_premium(amount) for amount in used]
    yield Row("Reinstatement", f"The same layer: premium due once {list(used)} is ceded", str(list(expected)), str(due),
              "exact", due == list(expected), truth["source"])


def circles() -> Iterable[Row]:
    """Losses ceded in all rounds by pools that reinsure each other in a circle."""
    truth = truths()["circle"]
    for limit, share, expected in truth["expected"]:
        got = circle(truth["retention"] * MICRO, limit * MICRO, round(share * SHARE), truth["hit"] * MICRO) / MICRO
        yield Row("Circle", f"{truth['statement']}; limit {limit}, {share:.0%} placed", str(expected), f"{got:.4f}",
                  "1e-4", abs(got - expected) <= 1e-4, truth["source"])


def circle(retention: int, limit: int, share: int, hit: int, pools: int = 3) -> int:
    """Base units ceded in all rounds by ``pools`` in a circle, each hit by a claim of ``hit``."""
    ledger = Ledger(institutions=64, people=0)
    usd = ledger.asset("USDs")
    outside = ledger.open_account("outside", "protocol")
    parties: list[Party] = [
        PoolParty(InsurancePool(ledger, usd, f"P{i}", [Policy()], PoolConfig(PremiumShares(0, 0, 0, 0)),
                                regime("fixed_ratio", CapitalParameters()), FeeAccounts(outside, outside)))
        for i in range(pools)]
    book = ReinsuranceBook(ledger, {party.name: party for party in parties}, 10_000)
    for place, party in enumerate(parties):
        terms = Terms(party.name, "excess_of_loss", "event", (Layer(retention, limit, share),), 0, 365, 30, 30, True)
        book.add(Treaty(terms, party, [[Placement(parties[(place + 1) % pools], share)]]))
    for party in parties:
        book.cede_claims(party, 0, np.array([hit]), np.array([0]), np.array([0]))
    book.run_rounds(0)
    return sum(account.ceded for account in book.accounts.values())
