"""Collateral auctions by Maker's Liquidations 1.2 (flip): rising bids for a lot, then falling lots for the debt.

Holds the lots under the hammer and the standing bids, in one account. What can never be: a lot sold below the standing
bid; two bidders who have paid for one lot; a debt that is neither repaid nor recorded as lost. A bid is paid at once,
and the one it beats is refunded. First bids rise by at least ``increment`` up to the sum wanted, debt and penalty; from
there bidders pay that sum for ever smaller lots, and what they leave goes back to the borrower. An auction ends when
nobody has answered the last bid for ``bid_seconds``, or after ``auction_seconds``; one without any bid starts anew.

Nothing in these rules asks for more than one bidder: a lot goes for the least bid where only one gets through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sim.chain.mempool import Refused
from sim.contracts.credit.lending import PRICE_UNIT
from sim.contracts.credit.price_source import PriceUnavailable
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.collateral_auctions import CollateralAuctionsSection

NOBODY = -1
DAY_SECONDS = 86_400
ZERO_BID_BPS = 100
"""A lot sold for at most this part of the sum wanted counts as sold at zero."""


class AuctionRefused(Refused):
    """A call that the auction house declines."""


class Auction(NamedTuple):
    """One lot. ``wanted`` is debt and penalty, ``claim`` the debt, base units of cash; times are seconds."""

    number: int
    borrower: int
    collateral: int
    lot: int
    wanted: int
    claim: int
    bid: int
    bidder: int
    last_bid: int
    ends: int
    bidders: int = 0


class CollateralAuctions(Mechanism):
    """Mechanism ``collateral_auctions``; see the module."""

    section: CollateralAuctionsSection
    hooks = (Hook(Phase.SETTLEMENT, "close_day", after=("chain",)),)

    def setup(self, market: Market) -> None:
        ledger, section = market.ledger, self.section
        self._market, self._ledger = market, ledger
        self.cash: int = ledger.asset_id("USDs")
        self.house: int = ledger.open_account("auction_house", "protocol")
        for what in section.governable:
            field = what.path.removeprefix("collateral_auctions.")
            market.parameters.register(what.path, getattr(section, field), what.low, what.high)
        self.increment_bps = round(section.increment * BPS)
        self.penalty_bps = round(section.penalty * BPS)
        self.lot_size = round(section.lot_size * MICRO)
        self.open: dict[int, Auction] = {}
        self.totals = dict.fromkeys(("started", "settled", "zero", "claims", "proceeds", "zero_value", "lost",
                                     "restarted", "bids"), 0)

    def start(self, market: Market) -> None:
        self.lending: Any = market.mechanism("lending")
        market.mechanism("chain").register_kind("auction", 250_000)

    # What anybody can read -----------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Seconds since the start."""
        return int(self.lending.clock.now)

    @property
    def bid_minutes(self) -> float:
        """How long a bid may be answered."""
        return self._market.parameters["collateral_auctions.bid_minutes"]

    def _seconds(self, name: str) -> int:
        return round(self._market.parameters[f"collateral_auctions.{name}"] * 60)

    def ended(self, auction: Auction) -> bool:
        """Whether no further bid is taken."""
        if auction.bidder == NOBODY:
            return self.now >= auction.ends
        return self.now >= min(auction.last_bid + self._seconds("bid_minutes"), auction.ends)

    def least_bid(self, auction: Auction) -> int:
        """The lowest bid that is taken now, for the whole lot; never above the sum wanted."""
        least = mul_div_up(auction.wanted, round(self._market.parameters["collateral_auctions.minimum_bid"] * BPS), BPS)
        if auction.bidder != NOBODY:
            least = mul_div_up(auction.bid, BPS + self.increment_bps, BPS)
        return min(max(least, 1), auction.wanted)

    def largest_lot(self, auction: Auction) -> int:
        """The largest lot that a bid of the whole sum may ask for now, floored."""
        if auction.bid < auction.wanted:
            return auction.lot
        return mul_div(auction.lot, BPS, BPS + self.increment_bps)

    # Calls ---------------------------------------------------------------------------------------------------

    def bite(self, borrower: int, collateral: int) -> int:
        """Put the collateral of a position out of health up for auction, in lots; returns how many."""
        with self._ledger.atomic():
            lot, debt = self.lending.pool.hand_over(borrower, collateral, self.cash, self.house)
            parts = max(1, -(-lot // self.lot_size))
            first = self.totals["started"]
            for i in range(parts):
                size = lot * (i + 1) // parts - lot * i // parts
                claim = debt * (i + 1) // parts - debt * i // parts
                self._put(Auction(
                    first + i, borrower, collateral, size, claim + mul_div_up(claim, self.penalty_bps, BPS), claim, 0,
                    NOBODY, self.now, self.now + self._seconds("auction_minutes")))
            self._add(started=parts)
        return parts

    def bid(self, bidder: int, number: int, amount: int, lot: int) -> None:
        """Offer ``amount`` for ``lot``: the whole of it while that is below the sum wanted, less of it at the sum."""
        auction = self._find(number)
        if self.ended(auction):
            raise AuctionRefused(f"auction {number} has ended")
        if amount > auction.wanted or amount < self.least_bid(auction):
            raise AuctionRefused(f"a bid of {amount} in auction {number}")
        if amount < auction.wanted and lot != auction.lot:
            raise AuctionRefused("the lot is smaller only for the whole sum")
        if not 0 < lot <= (self.largest_lot(auction) if amount == auction.wanted else auction.lot):
            raise AuctionRefused(f"a lot of {lot} in auction {number}")
        ledger = self._ledger
        with ledger.atomic():
            ledger.transfer(self.cash, bidder, self.house, amount, "auction_bid")
            if auction.bidder != NOBODY:
                ledger.transfer(self.cash, self.house, auction.bidder, auction.bid, "auction_refund")
            ledger.transfer(auction.collateral, self.house, auction.borrower, auction.lot - lot, "auction_leftover")
            self._put(auction._replace(bid=amount, lot=lot, bidder=bidder, last_bid=self.now,
                                       bidders=auction.bidders + 1))
            self._add(bids=1)

    def settle(self, number: int) -> None:
        """Hand an ended lot to its buyer and the bid to the reserve; or start anew where nobody has bid."""
        auction = self._find(number)
        if not self.ended(auction):
            raise AuctionRefused(f"auction {number} goes on")
        ledger = self._ledger
        with ledger.atomic():
            if auction.bidder == NOBODY:
                self._put(auction._replace(ends=self.now + self._seconds("auction_minutes")))
                self._add(restarted=1)
                return
            ledger.transfer(auction.collateral, self.house, auction.bidder, auction.lot, "auction_lot")
            lost = self.lending.pool.settle(self.cash, self.house, auction.claim, auction.bid)
            zero = auction.bid * BPS <= auction.wanted * ZERO_BID_BPS
            self._add(settled=1, zero=int(zero), claims=auction.claim, proceeds=auction.bid, lost=lost,
                      zero_value=self._worth(auction) if zero else 0)
            self.lending.note_liquidation(auction.borrower, auction.bid, lost=lost, bids=auction.bidders)
            self._take(number)

    def _worth(self, auction: Auction) -> int:
        """What a lot is worth, for the records: a sale must not wait for a price."""
        try:
            return mul_div(auction.lot, self.lending.pool.market(auction.collateral).price(), PRICE_UNIT)
        except PriceUnavailable:
            return int(auction.lot * (self._ledger.price(auction.collateral) or 0.0))

    def close_day(self, market: Market) -> None:
        """Settle what has ended by midnight; winners would call for it at once."""
        if not self.open:
            return
        self.lending.clock.advance((market.day + 1) * DAY_SECONDS)
        for number in sorted(self.open):
            if self.ended(self.open[number]):
                self.settle(number)

    # State that goes back with a refused call -------------------------------------------------------------------

    def _find(self, number: int) -> Auction:
        if number not in self.open:
            raise AuctionRefused(f"no auction {number}")
        return self.open[number]

    def _put(self, auction: Auction) -> None:
        before = self.open.get(auction.number)
        self._ledger.on_rollback(lambda: self._undo(auction.number, before))
        self.open[auction.number] = auction

    def _take(self, number: int) -> None:
        before = self.open.pop(number)
        self._ledger.on_rollback(lambda: self._undo(number, before))

    def _undo(self, number: int, before: Auction | None) -> None:
        if before is None:
            del self.open[number]
        else:
            self.open[number] = before

    def _add(self, **amounts: int) -> None:
        before = dict(self.totals)
        self._ledger.on_rollback(lambda: self.totals.update(before))
        for name, amount in amounts.items():
            self.totals[name] += amount

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        market.record.series("collateral_auctions.open", len(self.open))
        market.record.series("collateral_auctions.settled", self.totals["settled"])
        market.record.series("collateral_auctions.zero_bids", self.totals["zero"])

    def finish(self, market: Market) -> None:
        record, totals = market.record, self.totals
        for name in ("started", "settled", "restarted"):
            record.metric(f"collateral_auctions.{name}", totals[name])
        record.metric("collateral_auctions.zero_value", totals["zero_value"] / MICRO)
        record.metric("collateral_auctions.bad_debt", totals["lost"] / MICRO)
        if totals["settled"]:
            record.metric("collateral_auctions.zero_bid_share", totals["zero"] / totals["settled"])
            record.metric("collateral_auctions.recovered_share", totals["proceeds"] / max(totals["claims"], 1))
            record.metric("collateral_auctions.bids_per_lot", totals["bids"] / totals["started"])

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "collateral_auctions.lots_and_bids_are_held", self.check_held

    def check_held(self) -> str | None:
        """The house holds exactly the open lots and, in cash, the standing bids."""
        ledger = self._ledger
        for asset in sorted({self.cash, *(auction.collateral for auction in self.open.values())}):
            held = sum(auction.lot for auction in self.open.values() if auction.collateral == asset)
            if asset == self.cash:  # which may be pledged too
                held += sum(auction.bid for auction in self.open.values())
            if ledger.balance(asset, self.house) != held:
                return f"the auction house does not hold its lots and bids in {ledger.symbol(asset)}"
        claims = sum(auction.claim for auction in self.open.values())
        if claims != self.lending.pool.market(self.cash).reserve.state.auctioned:
            return "the reserve claims another sum than the auctions are to bring"
        return None
