"""The report's chapter on where the money went: payments between sectors."""

from __future__ import annotations

from analysis import flows as money_flows
from analysis.load import MICRO, Run
from analysis.page import Chapter, folded, number, table, text
from analysis.plots import flows, sankey

TITLE, PLACE = "Where the money went", 120


def flows_chapter(chapter: Chapter, run: Run) -> None:
    """The flow matrix in dollars, the balance of each sector, and the largest kinds of payment.
    >>> flows_chapter(chapter, run)
    """
    matrix = money_flows.flow_matrix(run.flows)
    if not matrix.size:
        return
    shown = money_flows.whole_units(matrix)
    chapter.figure(lambda axes: flows.draw_flow_matrix(axes, shown),
                   "Every dollar that moved after the opening; the diagonal is inside a sector. flows.parquet has each "
                   "day and kind of payment, to a millionth of a dollar.", over_time=False, width=11.2,
                   height=2.0 + 0.33 * len(shown), margins=(1.5, 0.1, 1.25, 0.35))
    chapter.figure(lambda axes: sankey.sankey(axes, shown),
                   "The same as ribbons, as wide as the money: who paid on the left, who received on the right.",
                   over_time=False, width=11.2, height=5.6, margins=sankey.MARGINS)
    balance = money_flows.whole_units(money_flows.sector_balance(matrix))
    rows = [[text(str(sector).replace("_", " ")), *(number(round(row[column])) for column in balance.columns)]
            for sector, row in balance.iterrows()]
    kinds = money_flows.by_kind(run.flows)
    paid = [[*(text(str(name).replace("_", " ")) for name in names), number(round(amount / MICRO))]
            for *names, amount in kinds.head(25).to_numpy().tolist()]
    chapter.below.append(folded("Balance of each sector, USD", table(
        ["sector", *(text(column) for column in balance.columns)], rows, (1, 2, 3))))
    chapter.below.append(folded(f"The {len(paid)} largest of {len(kinds)} kinds of payment, USD", table(
        ["kind", "from", "to", "over the run"], paid, (3,))))
