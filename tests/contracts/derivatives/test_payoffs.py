"""Payoffs of swap, bond and forward by hand, the trigger's conditions one by one, and the path of 2020."""

import math

import numpy as np
import pytest

from sim.chain.mempool import Refused
from sim.contracts.derivatives.incidence_swap import IncidenceSwap, SwapTerms
from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side, Standing
from sim.contracts.derivatives.morbidity_forward import ForwardTerms, MorbidityForward
from sim.contracts.derivatives.pandemic_trigger import Reported, TriggerRules, determine, growth_bound, trigger_day
from sim.contracts.derivatives.parties import CashParty
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.verification.derivatives import historic


def pair(long=10_000, short=10_000, initial=(100, 100)):
    ledger = Ledger(institutions=16, people=0)
    usd = ledger.asset("USDs")
    parties = [CashParty(ledger, usd, name, "investors") for name in ("L", "S")]
    for party, cash in zip(parties, (long, short), strict=True):
        ledger.mint(usd, party.account, cash, "x")
    contract = MarginedContract(ledger, usd, "C", *parties, initial)
    contract.enter()
    return parties, contract


def test_the_swap_pays_between_strike_and_exhaustion_and_floors():
    terms = SwapTerms(0, 0, 30, 3, 1000, 10, strike=300, exhaustion=600)
    assert [terms.payout(rate) for rate in (0, 300, 301, 450, 600, 10**9)] == [0, 0, 3, 500, 1000, 1000]
    assert (terms.period_of(-1), terms.period_of(0), terms.period_of(30), terms.end) == (-1, 0, 1, 90)


def test_a_swap_is_settled_by_the_difference_and_returns_margin():
    (buyer, seller), contract = pair()
    swap = IncidenceSwap(contract, SwapTerms(0, 0, 30, 3, 1000, 10, 300, 600))
    swap.settle_period(0, 30)
    assert (buyer.free_cash(), seller.free_cash()) == (9890, 9910)
    swap.settle_period(450, 60)
    swap.settle_period(300, 90)
    assert contract.standing is Standing.ENDED
    assert (buyer.free_cash(), seller.free_cash()) == (10_470, 9_530)
    with pytest.raises(MarginError):
        swap.settle_period(0, 120)


def test_a_seller_that_cannot_meet_a_call_is_closed_out_and_the_rest_recorded_and_paid_late():
    (buyer, seller), contract = pair(short=400)
    assert contract.mark(200, 1) is None
    assert (seller.free_cash(), contract.posted(Side.SHORT)) == (100, 300)
    assert contract.mark(900, 2) is Side.SHORT
    account = contract.accounts[Side.SHORT]
    assert (account.owed, account.paid, account.unpaid, seller.failed_on) == (900, 400, 500, 2)
    assert (buyer.free_cash(), seller.free_cash()) == (10_400, 0)
    contract.ledger.mint(contract.asset, seller.account, 200, "x")
    assert contract.pay_late(Side.SHORT) == 200
    assert (account.unpaid, buyer.free_cash()) == (300, 10_600)
    contract.ledger.mint(contract.asset, seller.account, 1_000, "x")
    assert contract.pay_late(Side.SHORT, 100) == 100
    assert contract.pay_late(Side.SHORT, 10_000) == 200  # never more than is left of the debt
    assert (account.unpaid, account.paid, seller.free_cash()) == (0, 900, 700)


def test_the_forward_pays_the_deviation_from_the_agreed_trend_within_its_limit():
    terms = ForwardTerms(0, 365, notional=1_000_000, trend=MICRO // 10, limit=MICRO // 4)
    assert terms.deviation(110, 100, 365) == 0
    assert terms.deviation(121, 100, 365) == MICRO // 10
    assert terms.deviation(1000, 100, 365) == MICRO // 4
    assert (terms.payment(MICRO // 10), terms.payment(-MICRO // 10)) == (100_000, -100_000)
    with pytest.raises(MarginError):
        terms.deviation(1, 0, 1)


def test_the_forward_calls_margin_by_the_share_of_its_term_and_settles_once():
    (buyer, seller), contract = pair(10**6, 10**6, (0, 0))
    forward = MorbidityForward(contract, ForwardTerms(0, 100, 1_000_000, 0, MICRO))
    assert forward.mark(MICRO // 10, 49) is None
    assert contract.posted(Side.SHORT) == 50_000
    assert forward.settle(-MICRO // 5, 100) == -200_000
    assert (buyer.free_cash(), seller.free_cash()) == (800_000, 1_200_000)


def test_the_path_of_2020_triggers_on_day_108_after_failing_on_growth_alone():
    rules, reported = historic()
    assert [trigger_day(rules, reported, deaths) for deaths in (250, 2500)] == [108, 108]
    first = determine(rules, reported, 83)
    assert (first.published, first.met, first.growth_met, first.spread_met, first.size_met) == (
        100, False, False, True, True)


def growing(days=120, rate=0.05):
    cases = np.floor(10 * np.exp(rate * np.arange(days))).astype(np.int64)
    deaths = np.stack([cases, cases], axis=1)
    return Reported(cases, cases, deaths)


def test_nothing_is_published_before_the_wait_and_each_condition_stops_it():
    rules, path = TriggerRules(), growing()
    assert trigger_day(rules, path, 250) == 83 + 17
    assert trigger_day(rules, growing(days=83), 1) is None
    assert trigger_day(rules, path, 10**9) is None
    late = TriggerRules(wait_days=90, check_days=1, lag_days=0)
    assert trigger_day(late, path, 1) == 89
    one = Reported(path.confirmed, path.cases, path.deaths * np.array([1, 0]))
    assert trigger_day(rules, one, 1) is None
    assert trigger_day(rules, Reported(path.cases // 6, path.cases, path.deaths), 1) is None
    flat = np.floor(10_000 * -np.expm1(-np.arange(120) / 20.0)).astype(np.int64)
    assert trigger_day(rules, Reported(flat, flat, path.deaths), 1) is None
    few = Reported(path.cases // 100, path.cases // 100, path.deaths)
    assert not determine(TriggerRules(least_cases=10**6), few, 83).size_met


def test_growth_is_that_of_an_exact_exponential_and_its_bound_falls_with_noise():
    exact = 100.0 * np.exp(0.3 * np.arange(6))
    assert math.isclose(growth_bound(exact, 1.533), 0.3, abs_tol=1e-9)
    noisy = exact * np.array([1.4, 0.6, 1.4, 0.6, 1.4, 0.6])
    assert growth_bound(noisy, 1.533) < 0.2
    assert growth_bound(exact[::-1].copy(), 1.533) < 0
    assert growth_bound(np.array([0.0, 0, 0, 0, 0, 5]), 1.533) == -math.inf


def test_a_refused_settlement_leaves_no_payout_behind():
    _, contract = pair()
    swap = IncidenceSwap(contract, SwapTerms(0, 0, 30, 3, 1000, 10, 300, 600))
    forward = MorbidityForward(contract, ForwardTerms(0, 30, 1000, 0, 100_000))
    contract.close_out(Side.SHORT, 1)
    with pytest.raises(MarginError):
        swap.settle_period(450, 30)
    with pytest.raises(MarginError):
        forward.settle(50_000, 30)
    assert (swap.payouts, swap.premiums, forward.payment) == ([], [], None)


def test_a_settlement_that_is_undone_leaves_no_payout_behind():
    _, contract = pair()
    swap = IncidenceSwap(contract, SwapTerms(0, 0, 30, 3, 1000, 10, 300, 600))

    def undone() -> None:
        with contract.ledger.atomic():
            swap.settle_period(450, 30)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert (swap.payouts, swap.premiums, contract.accounts[Side.SHORT].owed) == ([], [], 0)


def test_a_settlement_that_is_refused_or_rolled_back_leaves_no_period_and_no_payment():
    _, contract = pair()
    swap = IncidenceSwap(contract, SwapTerms(0, 0, 30, 3, 1000, 10, 300, 600))
    forward = MorbidityForward(contract, ForwardTerms(0, 30, 1000, 0, MICRO))

    def settle_and_fail(settle):
        with contract.ledger.atomic():
            settle()
            raise RuntimeError

    for settle in (lambda: swap.settle_period(450, 30), lambda: forward.settle(MICRO // 2, 30)):
        with pytest.raises(RuntimeError):
            settle_and_fail(settle)
        assert (swap.settled, forward.payment, contract.standing) == (0, None, Standing.OPEN)
    contract.expire(31)
    for settle in (lambda: swap.settle_period(450, 60), lambda: forward.settle(0, 60)):
        with pytest.raises(Refused):  # as any contract refuses, so that a block can roll it back
            settle()
    assert (swap.settled, forward.payment) == (0, None)
