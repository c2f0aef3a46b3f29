"""A pool's investments: health tokens, shares of the automated market maker, and senior shares of other pools.

Holds one account, "<pool>.investments", and says what is in it by class, at market value. Money comes out of the pool's
layers when something is bought and goes back when it is sold (:mod:`exchanges`); whatever the market gives is taken,
and the difference from the value before is recorded as loss.

Tokens are valued at the market maker's spot price, its average price over a window, or at what selling all of it would
bring now; shares of the market maker accordingly. Shares of another pool are worth their last published price: two
pools that hold each other's shares would otherwise have no value that can be worked out in a day.

What can never be: a sale brings more or less than the market maker paid; a holding counts that the account has not.
Rounding: values down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from sim.contracts.amm import constant_product as curve
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import PoolError as MarketRefused
from sim.contracts.insurance.pool import InsurancePool
from sim.kernel.fixedpoint import mul_div

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

Valuation = Literal["spot", "twap", "liquidation"]

CLASSES = ("investment_cash", "health_token", "liquidity_shares", "pool_shares")
"""Classes of investments, as they stand among a pool's admitted assets."""


class Portfolio:
    """The investments of ``pool``. ``market`` trades the token against the pool's asset; ``others`` are pools whose
    senior shares it may hold, worth ``published()`` each (assets per share, by position).

    ``losses`` is value lost by selling: mark before less proceeds, and the gas of orders; ``marked`` value lost (or,
    negative, gained) by marking to market, both base units since the start.
    """

    def __init__(
        self, pool: InsurancePool, market: ConstantProductPool, others: Sequence[InsurancePool],
        published: Callable[[], Sequence[float]], valuation: Valuation, window_days: float,
    ) -> None:
        self.pool = pool
        self.market = market
        self.others = others
        self.published = published
        self.valuation: Valuation = valuation
        self.window_days = window_days
        self.ledger: Ledger = pool.ledger
        self.account = self.ledger.open_account(f"{pool.name}.investments", "insurers")
        self.losses = 0
        self.marked = 0
        pool.admitted["investment_cash"] = self.cash
        pool.admitted["health_token"] = self.token_value
        pool.admitted["liquidity_shares"] = self.liquidity_value
        pool.admitted["pool_shares"] = self.pool_share_value

    # What it holds, and what that is worth --------------------------------------------------------------------

    def cash(self) -> int:
        """Money in the account: for gas, and on its way."""
        return self.ledger.balance(self.pool.asset, self.account)

    def tokens(self) -> int:
        """Health tokens held."""
        return self.ledger.balance(self.market.base, self.account)

    def liquidity(self) -> int:
        """Shares of the market maker held."""
        return self.ledger.balance(self.market.shares, self.account)

    def shares_of(self, other: InsurancePool) -> int:
        """Senior shares of another pool, those whose redemption was asked for included."""
        waiting = sum(request.shares for request in other.queue if request.owner == self.account)
        return self.ledger.balance(other.senior.share, self.account) + waiting

    def worth_of_tokens(self, tokens: int) -> int:
        """Value of so many tokens, base units."""
        base, quote = self.market.reserves()
        if tokens <= 0 or base == 0 or quote == 0:
            return 0
        if self.valuation == "spot":
            return mul_div(tokens, quote, base)
        if self.valuation == "twap":
            return int(tokens * self.market.twap(self.window_days))
        return self.market.quote_out(self.market.base, tokens)

    def token_value(self) -> int:
        """Value of the health tokens."""
        return self.worth_of_tokens(self.tokens())

    def liquidity_value(self) -> int:
        """Value of the shares of the market maker.

        At the average price P the reserves are taken as arbitrage would leave them, 2 sqrt(k P) of cash in all, so
        that a price pushed for a moment moves nothing.
        """
        shares = self.liquidity()
        if shares == 0:
            return 0
        base, quote = self.market.reserves()
        supply = self.market.supply_with_pending_fee()
        if self.valuation == "spot":
            return mul_div(shares, 2 * quote, supply)
        if self.valuation == "twap":
            fair = math.isqrt(int(base * quote * self.market.twap(self.window_days)))
            return mul_div(shares, 2 * fair, supply)
        own_base, own_quote = mul_div(shares, base, supply), mul_div(shares, quote, supply)
        if own_base == 0 or base == own_base or quote == own_quote:
            return own_quote
        sold = curve.amount_out(own_base, base - own_base, quote - own_quote, self.market.keep, self.market.scale)
        return own_quote + sold

    def pool_share_value(self) -> int:
        """Value of the shares of other pools, at their last published prices."""
        return sum(int(self.shares_of(other) * price)
                   for other, price in zip(self.others, self.published(), strict=True))

    def value(self) -> int:
        """All of it."""
        return self.cash() + self.token_value() + self.liquidity_value() + self.pool_share_value()

    def holds_anything(self) -> bool:
        """Whether there is anything but money."""
        return bool(self.tokens() or self.liquidity() or any(self.shares_of(other) for other in self.others))

    # Money in and out of the pool -----------------------------------------------------------------------------

    def fund(self, amount: int) -> int:
        """Take money of the pool's layers; returns what there was of it."""
        return self.pool.put_out("investment", self.account, amount)

    def return_cash(self, amount: int) -> None:
        """Give money back to the pool's layers."""
        if amount > 0:
            self.pool.take_back("investment", self.account, amount)

    # Orders, executed in a block ------------------------------------------------------------------------------

    def buy_tokens(self, cash: int, least: int) -> int:
        """Buy tokens for ``cash`` of the account, at least ``least``; returns them."""
        return self.market.swap(self.account, self.pool.asset, cash, least)

    def sell_tokens(self, tokens: int, least: int) -> int:
        """Sell tokens for at least ``least`` and hand the proceeds to the pool; returns them."""
        tokens = min(tokens, self.tokens())
        before = self.worth_of_tokens(self.tokens())
        proceeds = self.market.swap(self.account, self.market.base, tokens, least)
        self.return_cash(proceeds)
        self._lose(before - self.worth_of_tokens(self.tokens()) - proceeds)
        return proceeds

    def add_liquidity(self, tokens: int, cash: int) -> int:
        """Turn tokens and money into shares of the market maker, at its ratio; returns the shares."""
        return self.market.add_liquidity(self.account, tokens, cash)[2]

    def remove_liquidity(self, shares: int, least: int) -> int:
        """Redeem shares of the market maker, sell the tokens that come out for at least ``least`` and hand all of the
        money to the pool; returns it."""
        shares = min(shares, self.liquidity())
        before = self.liquidity_value()
        tokens, cash = self.market.remove_liquidity(self.account, shares)
        proceeds = cash + self.market.swap(self.account, self.market.base, tokens, least)
        self.return_cash(proceeds)
        self._lose(before - self.liquidity_value() - proceeds)
        return proceeds

    def buy_pool_shares(self, other: InsurancePool, cash: int) -> int:
        """Deposit ``cash`` of the account as senior capital of another pool; returns the shares."""
        return other.deposit(self.account, cash)

    def leave_pool(self, other: InsurancePool, shares: int, day: int) -> None:
        """Ask for the redemption of senior shares of another pool; the money comes when its queue serves it."""
        other.request_withdrawal(self.account, shares, day)

    def _lose(self, amount: int) -> None:
        before = self.losses
        self.ledger.on_rollback(lambda: setattr(self, "losses", before))
        self.losses += amount


def largest_sale(market: ConstantProductPool, limit: float) -> int:
    """Most tokens whose sale gives on average not less than (1 - ``limit``) of the spot price: from
    y / x = p B / (B + x) (the fee aside), x = B limit / (1 - limit)."""
    return int(market.reserves()[0] * limit / (1.0 - limit))


__all__ = ["CLASSES", "MarketRefused", "Portfolio", "Valuation", "largest_sale"]
