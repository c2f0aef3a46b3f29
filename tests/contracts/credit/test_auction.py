"""Collateral auctions by their rules, in a market whose price the test moves; what is refused leaves no trace."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sim.contracts.credit.auction import AuctionRefused
from sim.contracts.credit.lending_reserve import LendingRefused
from sim.contracts.credit.price_source import PriceUnavailable
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import InsufficientFunds
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: auctions
question: Do auctions keep to their rules?
stage: 3
horizon_days: 3
reference_price: {}
health_token: {primary_market_open: false}
amm: {pools: [{name: HLT, base: HLT, opening_value: 1.0e+6, fee_bps: 0}]}
lending:
  liquidation: auction
  markets: [{asset: USDs, opening: 1.0e+6}, {asset: HLT, price: spot, bonus: 0.0}]
collateral_auctions: {lot_size: 400, minimum_bid: 0.1, bid_minutes: 10, auction_minutes: 60}
"""


class Bench:
    def __init__(self, folder: Path) -> None:
        file = folder / "auctions.yaml"
        file.write_text(SCENARIO, encoding="utf-8")
        self.market: Any = HealthMarket(load_scenario(file), 1)
        self.market.step()
        self.ledger = self.market.ledger
        self.lending, self.house = self.market.mechanism("lending"), self.market.mechanism("collateral_auctions")
        self.pool = self.market.mechanism("amm").pool("HLT")
        self.usd, self.hlt = self.market.usd, self.ledger.asset_id("HLT")
        self.accounts = [self.ledger.open_account(name, "traders") for name in ("borrower", "a", "b", "whale")]
        self.borrower, self.a, self.b, self.whale = self.accounts
        founder = self.ledger.account("amm_founder")
        self.pool.remove_liquidity(founder, self.ledger.balance(self.pool.shares, founder) // 2)
        self.ledger.transfer(self.hlt, founder, self.whale, 400_000 * MICRO, "x")
        self.ledger.transfer(self.hlt, founder, self.borrower, 1000 * MICRO, "x")
        for account in (self.a, self.b):
            self.ledger.mint(self.usd, account, 1000 * MICRO, "x")
        self.lending.pool.supply(self.borrower, self.hlt, 1000 * MICRO)
        self.lending.pool.borrow(self.borrower, self.usd, 700 * MICRO)
        self.ledger.transfer(self.usd, self.borrower, self.whale, 700 * MICRO, "x")

    def crash(self) -> None:
        self.pool.swap(self.whale, self.hlt, 400_000 * MICRO)

    def minutes(self, more: int) -> None:
        self.lending.clock.advance(self.lending.clock.now + 60 * more)

    def cash(self, account: int) -> int:
        return int(self.ledger.balance(self.usd, account))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_position_in_health_is_not_put_up(bench: Bench) -> None:
    with pytest.raises(LendingRefused):
        bench.house.bite(bench.borrower, bench.hlt)
    with pytest.raises(LendingRefused):  # and where auctions sell, nobody liquidates directly
        bench.lending.liquidate(bench.a, bench.borrower, bench.hlt, bench.usd, 1)


def test_a_position_is_cut_into_lots_that_sum_to_it(bench: Bench) -> None:
    bench.crash()
    assert bench.house.bite(bench.borrower, bench.hlt) == 3
    auctions = list(bench.house.open.values())
    assert sum(auction.lot for auction in auctions) == 1000 * MICRO
    assert sum(auction.claim for auction in auctions) == 700 * MICRO
    assert all(auction.wanted == -(-auction.claim * 113 // 100) for auction in auctions)
    assert bench.house.check_held() is None


def test_bids_rise_and_who_is_beaten_is_refunded(bench: Bench) -> None:
    bench.crash()
    bench.house.bite(bench.borrower, bench.hlt)
    first = bench.house.open[0]
    least = -(-first.wanted // 10)
    with pytest.raises(AuctionRefused):
        bench.house.bid(bench.a, 0, least - 1, first.lot)
    bench.house.bid(bench.a, 0, 100 * MICRO, first.lot)
    with pytest.raises(AuctionRefused):
        bench.house.bid(bench.b, 0, 103 * MICRO - 1, first.lot)
    with pytest.raises(AuctionRefused):  # less than the lot is asked for only when the whole sum is paid
        bench.house.bid(bench.b, 0, 110 * MICRO, first.lot - 1)
    before = bench.house.open[0]
    with pytest.raises(InsufficientFunds):
        bench.house.bid(bench.borrower, 0, first.wanted, first.lot)
    assert bench.house.open[0] == before
    bench.house.bid(bench.b, 0, 103 * MICRO, first.lot)
    assert (bench.cash(bench.a), bench.cash(bench.b)) == (1000 * MICRO, 897 * MICRO)
    assert bench.house.check_held() is None


def test_at_the_whole_sum_bidders_ask_for_less(bench: Bench) -> None:
    bench.crash()
    bench.house.bite(bench.borrower, bench.hlt)
    auction = bench.house.open[1]
    bench.house.bid(bench.a, 1, auction.wanted, auction.lot)
    with pytest.raises(AuctionRefused):
        bench.house.bid(bench.b, 1, auction.wanted, auction.lot * 99 // 100)
    smaller = bench.house.largest_lot(bench.house.open[1])
    bench.house.bid(bench.b, 1, auction.wanted, smaller)
    assert bench.ledger.balance(bench.hlt, bench.borrower) == auction.lot - smaller
    bench.minutes(10)
    bench.house.settle(1)
    assert bench.ledger.balance(bench.hlt, bench.b) == smaller
    assert bench.lending.pool.market(bench.usd).reserve.protocol_part() == auction.wanted - auction.claim
    assert bench.house.totals["zero"] == 0
    assert bench.house.check_held() is None


def test_a_bid_wins_when_nobody_answers_in_time_and_the_rest_is_lost(bench: Bench) -> None:
    bench.crash()
    bench.house.bite(bench.borrower, bench.hlt)
    auction = bench.house.open[2]
    least = bench.house.least_bid(auction)
    bench.house.bid(bench.a, 2, least, auction.lot)
    with pytest.raises(AuctionRefused):
        bench.house.settle(2)
    bench.minutes(10)
    with pytest.raises(AuctionRefused):
        bench.house.bid(bench.b, 2, auction.wanted, auction.lot)
    bench.house.settle(2)
    state = bench.lending.pool.market(bench.usd).reserve.state
    assert state.bad_debt == auction.claim - least
    assert bench.ledger.balance(bench.hlt, bench.a) == auction.lot


def test_without_a_bid_it_starts_anew(bench: Bench) -> None:
    bench.crash()
    bench.house.bite(bench.borrower, bench.hlt)
    bench.minutes(60)
    bench.house.settle(0)
    assert bench.house.totals["restarted"] == 1
    bench.house.bid(bench.a, 0, bench.house.least_bid(bench.house.open[0]), bench.house.open[0].lot)


def test_what_is_refused_or_rolled_back_leaves_no_trace(bench: Bench) -> None:
    bench.crash()

    def snapshot() -> tuple[Any, ...]:
        return (dict(bench.house.open), dict(bench.house.totals), bench.lending.liquidations,
                [bench.ledger.balances(asset).tobytes() for asset in range(len(bench.ledger.assets))],
                [lent.reserve.state for lent in bench.lending.pool.markets.values()], len(bench.market.record.events))

    before = snapshot()

    def doomed() -> None:
        with bench.ledger.atomic():
            bench.house.bite(bench.borrower, bench.hlt)
            auction = bench.house.open[0]
            bench.house.bid(bench.a, 0, auction.wanted // 2, auction.lot)
            bench.minutes(11)
            bench.house.settle(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        doomed()
    assert snapshot() == before
    bench.house.bite(bench.borrower, bench.hlt)
    bench.market.invariants.require(0)


def test_a_lot_is_handed_over_while_its_price_is_not_to_be_had(bench: Bench) -> None:
    """The price only says what a lot sold at zero was worth; midnight must not stop for it."""
    bench.crash()
    bench.house.bite(bench.borrower, bench.hlt)
    auction = bench.house.open[0]
    bench.house.open[0] = auction._replace(bid=MICRO, bidder=bench.a, last_bid=bench.house.now)
    bench.ledger.transfer(bench.usd, bench.a, bench.house.house, MICRO, "x")

    def no_price() -> int:
        raise PriceUnavailable("stale")

    market = bench.lending.pool.markets[bench.hlt]
    bench.lending.pool.markets[bench.hlt] = SimpleNamespace(reserve=market.reserve, terms=market.terms, price=no_price)
    bench.minutes(10)
    bench.house.settle(0)
    assert bench.ledger.balance(bench.hlt, bench.a) == auction.lot
    assert bench.house.totals["zero"] == 1


def test_cash_that_secures_a_debt_is_counted_beside_the_bids(bench: Bench) -> None:
    bench.ledger.mint(bench.usd, bench.borrower, 100 * MICRO, "x")
    bench.lending.pool.supply(bench.borrower, bench.usd, 100 * MICRO)
    bench.crash()
    bench.house.bite(bench.borrower, bench.usd)
    assert bench.house.check_held() is None
