"""A prediction market: one market maker by the logarithmic scoring rule, funded before the first trade.

Holds money in ``account``, the shares that each trader holds of each outcome, and their sum. A share of the outcome
that happens pays one base unit. What can never be: a trader who is short; shares that do not add up to what was sold;
a maker that holds less than the most it may owe, so that its sponsor loses at most the funding (b ln n). Costs are
rounded up, for the maker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.chain.mempool import Refused
from sim.contracts.prediction import lmsr

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class MarketRefused(Refused):
    """A call that the market declines; nothing has moved."""


class MarketMaker:
    """See the module.

    Args:
        ledger, asset: what shares are paid in.
        name: of the market; ``account`` is opened under it where none is given.
        outcomes: how many, at least 2; exactly one of them happens.
        sponsor: pays ``funding`` base units now and takes back what is left. InsufficientFunds where it cannot.
        account: shared by many markets; each counts its own part (:meth:`held`).
    """

    def __init__(
        self, ledger: Ledger, asset: int, name: str, outcomes: int, sponsor: int, funding: int,
        account: int | None = None,
    ) -> None:
        if outcomes < 2 or funding < 1:
            raise MarketRefused(f"market {name} needs two outcomes and some funding")
        self.ledger = ledger
        self.asset = asset
        self.name = name
        self.sponsor = sponsor
        self.funding = funding
        self.account = ledger.open_account(f"prediction.{name}", "protocol") if account is None else account
        self.b = lmsr.liquidity(funding, outcomes)
        self.sold = [0] * outcomes
        self.shares: dict[int, tuple[int, ...]] = {}
        self.paid: dict[int, int] = {}
        self.open = True
        self.outcome: int | None = None
        self.returned = 0
        self._cash = funding
        ledger.transfer(asset, sponsor, self.account, funding, "prediction_funding")

    # What anybody can read -----------------------------------------------------------------------------------

    def held(self) -> int:
        """Money of this market."""
        return self._cash

    def prices(self) -> list[float]:
        """Probability of each outcome by the market; they sum to 1."""
        return [float(price) for price in lmsr.prices(self.sold, self.b)]

    def shares_of(self, account: int) -> tuple[int, ...]:
        """Shares of each outcome that ``account`` holds."""
        return self.shares.get(account, (0,) * len(self.sold))

    def taken_from(self, account: int) -> int:
        """What ``account`` has paid for its shares, less what its sales brought."""
        return self.paid.get(account, 0)

    def quote(self, trade: Sequence[int]) -> int:
        """Cost of buying ``trade`` shares of each outcome (negative: selling); negative: what it brings."""
        return lmsr.cost(self.sold, trade, self.b)

    def shares_to_price(self, outcome: int, price: float) -> int:
        """Shares of ``outcome`` whose purchase brings its price to ``price``."""
        return lmsr.shares_to_price(self.sold, outcome, price, self.b)

    # Trades --------------------------------------------------------------------------------------------------

    def trade(self, account: int, trade: Sequence[int], max_cost: int) -> int:
        """Buy ``trade`` shares of each outcome for at most ``max_cost``; returns the cost."""
        if not self.open:
            raise MarketRefused(f"market {self.name} is closed")
        if len(trade) != len(self.sold):
            raise MarketRefused(f"market {self.name} has {len(self.sold)} outcomes, not {len(trade)}")
        before = self.shares_of(account)
        after = tuple(held + bought for held, bought in zip(before, trade, strict=True))
        if min(after) < 0:
            raise MarketRefused(f"market {self.name} sells no share short")
        cost = self.quote(trade)
        if cost > max_cost:
            raise MarketRefused(f"market {self.name} asks {cost}, more than {max_cost}")
        ledger = self.ledger
        if cost >= 0:
            ledger.transfer(self.asset, account, self.account, cost, "prediction_trade")
        else:
            ledger.transfer(self.asset, self.account, account, -cost, "prediction_trade")
        self._remember()
        self.sold = [held + bought for held, bought in zip(self.sold, trade, strict=True)]
        self.shares[account] = after
        self.paid[account] = self.taken_from(account) + cost
        self._cash += cost
        return cost

    def close(self) -> None:
        """No more trades."""
        self._remember()
        self.open = False

    def settle(self, outcome: int) -> int:
        """``outcome`` has happened: the sponsor takes back what is not owed. Returns that."""
        if self.outcome is not None or not 0 <= outcome < len(self.sold):
            raise MarketRefused(f"market {self.name} cannot settle on {outcome}")
        left = self._cash - self.sold[outcome]
        self.ledger.transfer(self.asset, self.account, self.sponsor, left, "prediction_funding")
        self._remember()
        self.open, self.outcome, self.returned = False, outcome, left
        self._cash -= left
        return left

    def redeem(self, account: int) -> int:
        """Pay ``account`` its shares of what happened; returns that."""
        if self.outcome is None:
            raise MarketRefused(f"market {self.name} has not been settled")
        won = self.shares_of(account)[self.outcome]
        self.ledger.transfer(self.asset, self.account, account, won, "prediction_payout")
        self._remember()
        self.shares[account] = (0,) * len(self.sold)
        self._cash -= won
        return won

    def holders(self) -> list[int]:
        """Accounts that hold any share, in order."""
        return sorted(account for account, shares in self.shares.items() if any(shares))

    def check(self) -> str | None:
        """Shares add up, nobody is short, and the maker holds the most that it may owe."""
        if self.outcome is not None:
            owed = sum(self.shares_of(account)[self.outcome] for account in self.holders())
            return None if self._cash == owed else f"market {self.name} holds {self._cash} and owes {owed}"
        for place, sold in enumerate(self.sold):
            held = [shares[place] for shares in self.shares.values()]
            if sum(held) != sold or min(held, default=0) < 0:
                return f"market {self.name}: shares of outcome {place} do not add up"
        if self._cash < max(self.sold):
            return f"market {self.name} holds {self._cash} and may owe {max(self.sold)}"
        return None

    def _remember(self) -> None:
        """Inside an atomic block: restore what stands outside the ledger if it is rolled back."""
        if not self.ledger.in_atomic:
            return
        state = self.sold, dict(self.shares), dict(self.paid), self.open, self.outcome, self.returned, self._cash

        def undo() -> None:
            (self.sold, self.shares, self.paid, self.open, self.outcome, self.returned, self._cash) = state

        self.ledger.on_rollback(undo)
