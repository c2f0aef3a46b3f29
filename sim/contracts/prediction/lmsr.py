"""Hanson's logarithmic market scoring rule, as pure functions whose digits are the same on every machine.

Holds nothing. ``sold`` are the shares of each outcome that traders hold (net, base units; negative where they are
short); a share of the outcome that happens pays one unit. What can never be: a maker that began with ``funding`` = b ln
n and charged :func:`cost` for each trade owes more than it holds, since C(q) >= max(q). Costs are rounded up, for the
maker; Decimals carry 60 digits (:mod:`sim.contracts.amm.power`).

Formulas: Hanson 2003; Gnosis LMSRMarketMaker: C(q) = b ln sum exp(q_i / b), p_i = exp(q_i / b) / sum, b = funding / ln
n.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sim.contracts.amm.power import CONTEXT, SLACK, whole


def liquidity(funding: int, outcomes: int) -> Decimal:
    """b: the funding over ln n, so that the most that the maker can lose is the funding."""
    return CONTEXT.divide(Decimal(funding), CONTEXT.ln(Decimal(outcomes)))


def _weights(sold: Sequence[int], b: Decimal) -> tuple[int, list[Decimal]]:
    """(the largest of ``sold``, exp((q_i - largest) / b)): no exponential exceeds 1."""
    most = max(sold)
    return most, [CONTEXT.exp(CONTEXT.divide(Decimal(amount - most), b)) for amount in sold]


def _sum(weights: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for weight in weights:
        total = CONTEXT.add(total, weight)
    return total


def cost_function(sold: Sequence[int], b: Decimal) -> Decimal:
    """C(q), base units: what the maker must hold."""
    most, weights = _weights(sold, b)
    return CONTEXT.add(Decimal(most), CONTEXT.multiply(b, CONTEXT.ln(_sum(weights))))


def cost(sold: Sequence[int], trade: Sequence[int], b: Decimal) -> int:
    """What ``trade`` (shares bought of each outcome, negative: sold) costs, rounded up; negative: what it brings."""
    after = [held + bought for held, bought in zip(sold, trade, strict=True)]
    now, before = cost_function(after, b), cost_function(sold, b)
    # The error of each is relative to itself: the difference is widened by theirs, not by its own.
    error = CONTEXT.multiply(CONTEXT.add(abs(now), abs(before)), SLACK)
    if list(after) == list(sold):
        return 0
    charged = whole(CONTEXT.add(CONTEXT.subtract(now, before), error), up=True)
    return min(charged, 0) if max(trade) <= 0 else charged  # a sale never costs, however little it brings


def prices(sold: Sequence[int], b: Decimal) -> list[Decimal]:
    """p_i, the price of a share of each outcome and the market's probability of it; they sum to 1."""
    weights = _weights(sold, b)[1]
    total = _sum(weights)
    return [CONTEXT.divide(weight, total) for weight in weights]


def shares_to_price(sold: Sequence[int], outcome: int, price: float, b: Decimal) -> int:
    """Shares of ``outcome`` whose purchase brings its price to ``price`` in (0, 1), floored; negative: a sale.

    From exp(q / b) = p / (1 - p) x the weights of the others.
    """
    most, weights = _weights(sold, b)
    others = _sum([weight for place, weight in enumerate(weights) if place != outcome])
    target = CONTEXT.create_decimal_from_float(price)
    odds = CONTEXT.divide(target, CONTEXT.subtract(Decimal(1), target))
    wanted = CONTEXT.multiply(b, CONTEXT.ln(CONTEXT.multiply(odds, others)))
    return most + whole(wanted, up=False) - sold[outcome]
