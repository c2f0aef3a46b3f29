"""Schema of collateral auctions."""

from typing import ClassVar

from sim.scenario.types import Governable, Metric, Section, Series, param

FLIP = "Maker, Liquidations 1.2 (flip.sol) and its documentation"
DERIVATION = "Maker forum, Auction parameter derivations, 2019: lots of 50 ETH, about 10,000 dollars"


class CollateralAuctionsSection(Section):
    """Auctions of seized collateral with rising bids (Maker, Liquidations 1.2); needs lending.liquidation: auction."""

    implementation: ClassVar[str] = "sim.contracts.credit.auction:CollateralAuctions"
    requires: ClassVar[tuple[str, ...]] = ("lending",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("collateral_auctions.open", "Auctions under way at the end of the day", "count"),
        Series("collateral_auctions.settled", "Auctions settled so far", "count"),
        Series("collateral_auctions.zero_bids", "Auctions settled so far for at most 1 per cent of the sum wanted",
               "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("collateral_auctions.started", "Lots put up", "count"),
        Metric("collateral_auctions.settled", "Lots sold", "count"),
        Metric("collateral_auctions.restarted", "Auctions that began anew because nobody had bid", "count",
               "low"),
        Metric("collateral_auctions.zero_bid_share", "Lots sold for at most 1 per cent of the sum wanted, over all "
               "lots sold", better="low"),
        Metric("collateral_auctions.zero_value", "Value of these lots at the contract's price when they were sold",
               "USD", "low"),
        Metric("collateral_auctions.recovered_share", "Bids paid over the debts that they were to repay",
               better="high"),
        Metric("collateral_auctions.bids_per_lot", "Bids on a lot, mean", "count", "high"),
        Metric("collateral_auctions.bad_debt", "Debt that bids did not repay", "USD", "low"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("collateral_auctions.bid_minutes", 1.0, 10_080.0, "Minutes in which a bid may be answered"),
        Governable("collateral_auctions.auction_minutes", 1.0, 20_160.0, "Longest auction, minutes"),
        Governable("collateral_auctions.minimum_bid", 0.0, 1.0, "Least first bid, part of the sum wanted"),
    )

    lot_size: float = param(10_000.0, "Largest lot.", unit="tokens", gt=0.0, le=1e12, grade="M", source=DERIVATION)
    penalty: float = param(0.13, "Wanted on top of the debt.", ge=0.0, le=1.0, grade="M",
                           source="Maker, ETH-A vaults in March 2020: liquidation penalty 13 per cent")
    increment: float = param(0.03, "A bid must beat the last by this.", ge=0.0, le=1.0, grade="M", source=FLIP)
    bid_minutes: float = param(10.0, "A bid that nobody answers for so long wins. Ten minutes until March 2020, six "
                               "hours afterwards.", unit="minutes", ge=1.0, le=10_080.0)
    auction_minutes: float = param(1440.0, "Longest auction.", unit="minutes", ge=1.0, le=20_160.0, grade="M",
                                   source=FLIP)
    minimum_bid: float = param(0.0, "Least first bid, over the sum wanted.", ge=0.0, le=1.0)


SECTION = CollateralAuctionsSection
