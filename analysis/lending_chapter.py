"""The report's chapter on lending: debt and its collateral, rates, liquidations, auctions, flash loans."""

from __future__ import annotations

from analysis import lending
from analysis.load import Run
from analysis.market_figures import add_figures, add_lines, any_of
from analysis.page import Chapter
from analysis.plots import levels, lines
from analysis.plots.style import GREY, ORANGE, RED, percent, plain, short

TITLE, PLACE = "Lending", 72

FIGURES = (
    ("Debt repaid by liquidators, USD", "lending.liquidated", short),
    ("Liquidations", "lending.liquidations", plain),
    ("Liquidations that reverted", "liquidators.refused", plain),
    ("Profit of liquidators, USD", "liquidators.profit", short),
    ("Bad debt recorded, USD", "lending.bad_debt", short),
    ("Debt beyond its collateral at the end, not yet recorded, USD", "lending.shortfall", short),
    ("Loss, both together, USD", "lending.loss", short),
    ("Part that fell on suppliers, USD", "lending.loss_to_suppliers", short),
    ("Loss of borrowers, USD", "borrowers.loss", short),
    ("Lots sold", "collateral_auctions.settled", plain),
    ("Share of lots sold at zero (at most 1 % of the sum wanted)", "collateral_auctions.zero_bid_share", percent),
    ("Value of the lots sold at zero, USD", "collateral_auctions.zero_value", short),
    ("Bids paid over debts that they were to repay", "collateral_auctions.recovered_share", "{:.3f}".format),
    ("Bids on a lot, mean", "collateral_auctions.bids_per_lot", short),
    ("Calls of keepers that no block included", "keepers.dropped", plain),
    ("Profit of keepers, USD", "keepers.profit", short),
    ("Lent within single calls (flash loans), USD", "flash_loans.volume", short),
    ("Premiums of flash loans, USD", "flash_loans.premiums", short),
)
"""Label, metric, format of the chapter's table."""


def lending_chapter(chapter: Chapter, run: Run) -> None:
    """Debt and collateral, utilisation, rates, unhealthy borrowers, liquidations, bad debt, auctions, flash loans.
    >>> lending_chapter(chapter, run)
    """
    names = ("lending.debt", "collateral_auctions.settled", "flash_loans.available")
    if all(run.series(name) is None for name in names):
        return
    add_lines(chapter, run, {"lending.debt": "debt", "lending.collateral": "collateral"}, "Debt and its collateral",
              "USD at the contract's prices", "Of all borrowers in debt. Collateral is valued at the price that the "
              "contract reads, which need not be what it would fetch.", short)
    ratio = lending.collateral_ratio(run)
    if ratio is not None:
        chapter.figure(lambda axes: levels.levels(axes, ratio.to_frame("ratio"), {"worth the debt": 1.0},
                                                  "Collateral over debt", "all borrowers together", percent, run.days),
                       "Days with debt only. Below 100 % the collateral of all could not repay what they owe.")
    add_lines(chapter, run, {"lending.utilisation": "lent"}, "Utilisation", "share of what was supplied",
              "First market. Near 100 % suppliers cannot withdraw.", percent)
    add_lines(chapter, run, {"lending.borrow_rate": "borrowers pay", "lending.supply_rate": "suppliers earn"},
              "Interest rates", "a year", "First market. Both follow utilisation; past the kink the first rises "
              "steeply.", percent)
    add_lines(chapter, run, {"borrowers.in_debt": "in debt", "lending.unhealthy": "unhealthy"},
              "Borrowers", "borrowers at the end of the day", "Unhealthy: health factor below one, may be liquidated.",
              plain, steps=True, colours=(GREY, RED))
    if any_of(run, "lending.liquidations"):
        add_lines(chapter, run, {"lending.liquidations": "liquidations", "liquidators.refused": "reverted"},
                  "Liquidations", "a day", "Reverted: another was quicker, or it would not pay any more."
                  if run.series("liquidators.refused") is not None else "All borrowers; one may be so in parts.",
                  plain)
    if any_of(run, "lending.bad_debt"):
        add_lines(chapter, run, {"lending.bad_debt": "bad debt"}, "Bad debt", "USD since the start",
                  "Recorded as lost: nothing stands behind it any more.", short, colours=(RED,))
    _auctions(chapter, run)
    if any_of(run, "flash_loans.loans"):
        add_lines(chapter, run, {"flash_loans.loans": "loans"}, "Flash loans", "loans since the start",
                  "Taken and repaid within one call, one for each asset borrowed.", plain, steps=True)
        add_lines(chapter, run, {"flash_loans.premiums": "premiums"}, "Premiums of flash loans", "USD since the start",
                  "What lenders earned by them.", short, steps=True)
    add_lines(chapter, run, {"flash_loans.available": "cash"}, "Cash for flash loans", "USD",
              "What one call could borrow.", short)
    add_lines(chapter, run, {"liquidators.cash": "cash"}, "Cash of liquidators", "USD",
              "All liquidators: what they can repay in a fall of prices.", short)
    add_figures(chapter, run, "Losses, and who gained", FIGURES)


def _auctions(chapter: Chapter, run: Run) -> None:
    """Lots under way and sold, those sold at zero."""
    settled, zero = run.series("collateral_auctions.settled"), run.series("collateral_auctions.zero_bids")
    if settled is None or zero is None or not (settled > 0).any():
        run.series("collateral_auctions.open")  # nothing was ever put up
        return
    add_lines(chapter, run, {"collateral_auctions.settled": "sold", "collateral_auctions.zero_bids": "sold at zero",
                             "collateral_auctions.open": "under way"},
              "Auctions of collateral", "lots; sold: since the start", "At zero: for at most 1 % of the sum wanted.",
              plain, steps=True, styles=("-", "--", ":"), colours=(GREY, RED, ORANGE))
    share = lending.zero_bid_share(settled, zero)
    if len(share) > 1:
        chapter.figure(lambda axes: lines.lines(axes, share.to_frame("share"), "Lots won at zero",
                                                "share of lots sold so far", percent, run.days, steps=True),
                       "Keepers whose fee a congested chain does not take leave lots to whoever still bids.")
