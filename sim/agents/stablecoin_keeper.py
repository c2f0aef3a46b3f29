"""Those who keep a stablecoin near a dollar for gain: arbitrageurs, borrowers who buy their debt back, liquidators.

All sizes are worked out in the block, on the reserves and prices that are found there; an order that finds no gain is
refused. None of them lends, and none has more than its own cash: what they can absorb is bounded by it.
"""

from __future__ import annotations

from typing import Any

import mesa

from sim.chain.mempool import Refused
from sim.contracts.credit.stablecoin import Stablecoin
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO

PRECISION = 40
"""Steps of the search for the best size; each leaves two thirds of the bracket."""

CHEAP = 0.99
"""A borrower buys coins back below this price."""


class Keeper(mesa.Agent):
    """An account with cash."""

    def __init__(self, desk: Any, name: str, cash: int) -> None:
        super().__init__(desk.market)
        self.desk = desk
        self.name = name
        self.ledger = desk.ledger
        self.coin: Stablecoin = desk.stablecoin
        self.account: int = desk.ledger.open_account(name, "traders")
        self.key = agent_key(name)
        desk.market.endow(self.account, cash)

    @property
    def cash(self) -> int:
        return int(self.ledger.balance(self.coin.cash, self.account))


def best_size(most: int, gain: Any) -> tuple[int, int]:
    """(size, gain) where ``gain`` (concave in the size) is largest on 1 .. ``most``, by ternary search."""
    low, high = 1, most
    for _ in range(PRECISION):
        if high - low < 3:
            break
        third = (high - low) // 3
        left, right = low + third, high - third
        if gain(left) < gain(right):
            low = left
        else:
            high = right
    size = max(range(low, high + 1), key=gain) if high - low < 3 else (low + high) // 2
    return size, gain(size)


class Arbitrageur(Keeper):
    """Buys coins below what redeeming them brings, mints and sells them above what they cost, liquidates troves."""

    profit = 0

    def trade(self) -> None:
        """The better of both trades, at the block's prices."""
        coin, pool = self.coin, self.coin.pool
        cash = self.cash
        if cash < MICRO:
            raise Refused(f"{self.name} has no cash")

        def by_redeeming(spent: int) -> int:
            return coin.redemption_value(pool.quote_out(coin.cash, spent)) - spent

        def by_minting(coins: int) -> int:
            cost = coin.mint_cost(coins)
            if cost is None or cost > cash:
                return -coins
            return int(pool.quote_out(coin.coin, coins)) - cost

        cheap = pool.spot() < 1.0
        gain_of = by_redeeming if cheap else by_minting
        # Gains are concave in the size, so where the first dollar gains nothing no size does.
        if (not cheap and coin.mint_redeem is None) or gain_of(MICRO) <= 0:
            raise Refused(f"{self.name} finds no gain")
        size, gain = best_size(cash, gain_of)
        if gain <= self.desk.gas():
            raise Refused(f"{self.name} finds no gain")
        if cheap:
            bought = pool.swap(self.account, coin.cash, size)
            coin.redeem_for_cash(self.account, bought)
        else:
            coin.mint_for_cash(self.account, size, cash)
            pool.swap(self.account, coin.coin, size)
        before = self.profit
        self.ledger.on_rollback(lambda: setattr(self, "profit", before))
        self.profit += gain

    def liquidate(self, borrower: int) -> None:
        """Close a trove that may be closed, and sell the reward."""
        assert self.coin.troves is not None
        reward = self.coin.troves.liquidate(self.account, borrower)
        if reward:
            self.coin.outlet.swap(self.account, self.coin.collateral, reward)


class Borrower(Keeper):
    """Owner of a trove: buys coins back while they are cheap, or where its ratio nears the minimum."""

    bought = 0

    def repay(self) -> None:
        """Buy coins in their pool and repay, as far as cash, debt and a dollar's price allow."""
        coin, pool = self.coin, self.coin.pool
        troves = coin.troves
        if troves is None or self.account not in troves.troves:
            raise Refused(f"{self.name} has no trove")
        rules, debt = troves.rules, troves.troves[self.account].debt
        least = rules.reserve + rules.least_debt
        endangered = troves.ratio_of(self.account) < rules.minimum * 5 // 4
        if debt <= least or not (endangered or pool.spot() < CHEAP):
            raise Refused(f"{self.name} has no reason to repay")
        base, quote = pool.reserves()
        # To the price of a dollar, or all cash where the trove is in danger.
        wanted = self.cash if endangered else min(self.cash, max(0, int((base * quote) ** 0.5) - quote))
        if wanted < MICRO:
            raise Refused(f"{self.name} has no cash")
        amount = min(int(pool.quote_out(coin.cash, wanted)), debt - least)
        spent = pool.quote_in(coin.coin, amount)
        pool.swap(self.account, coin.cash, spent, amount)
        troves.repay(self.account, amount)
        before = self.bought
        self.ledger.on_rollback(lambda: setattr(self, "bought", before))
        self.bought += amount
