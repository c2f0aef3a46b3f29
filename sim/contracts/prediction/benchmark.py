"""Stakes on a health benchmark: lock money on an outcome; those who were wrong pay those who were right.

Holds the stakes by outcome and staker. Nothing can be taken out before the benchmark is reported. What can never be: a
payment of more than was staked in all; a staker who was right and gets back less than the stake. Where nobody was right
everybody is refunded. What was lost is shared pro rata to the stakes that were right, to the unit.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from sim.contracts.prediction.maker import MarketRefused
from sim.kernel.fixedpoint import mul_div

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class Benchmark:
    """``account`` holds the stakes, and may hold those of other benchmarks as well."""

    def __init__(self, ledger: Ledger, asset: int, name: str, outcomes: int, account: int) -> None:
        self.ledger = ledger
        self.asset = asset
        self.name = name
        self.outcomes = outcomes
        self.account = account
        self.stakes: dict[tuple[int, int], int] = {}
        """Base units by (outcome, staker's account)."""
        self.outcome: int | None = None

    def staked(self) -> int:
        """All stakes that wait."""
        return sum(self.stakes.values())

    def staked_on(self, outcome: int) -> int:
        """Stakes on one outcome."""
        return sum(amount for (place, _), amount in self.stakes.items() if place == outcome)

    def stake(self, account: int, outcome: int, amount: int) -> None:
        """Lock ``amount`` on ``outcome``."""
        if self.outcome is not None or not 0 <= outcome < self.outcomes or amount <= 0:
            raise MarketRefused(f"benchmark {self.name} takes no {amount} on {outcome}")
        self.ledger.transfer(self.asset, account, self.account, amount, "benchmark_stake")
        before = dict(self.stakes)
        self.ledger.on_rollback(lambda: setattr(self, "stakes", before))
        self.stakes[outcome, account] = self.stakes.get((outcome, account), 0) + amount

    def settle(self, outcome: int) -> dict[int, int]:
        """Pay everybody who was right; returns what each account received."""
        if self.outcome is not None:
            raise MarketRefused(f"benchmark {self.name} has been settled")
        right = sorted(account for place, account in self.stakes if place == outcome)
        own = [self.stakes[outcome, account] for account in right]
        lost = self.staked() - sum(own)
        paid: dict[int, int] = {}
        if right:
            # Cumulative floors: t_k = floor(lost x C_k / C_n), so that the gains add up to what was lost.
            sums = [0, *itertools.accumulate(own)]
            marks = [mul_div(lost, total, sums[-1]) for total in sums]
            gains = [high - low for low, high in itertools.pairwise(marks)]
            for account, stake, gain in zip(right, own, gains, strict=True):
                paid[account] = stake + gain
        else:
            for (_, account), stake in sorted(self.stakes.items()):
                paid[account] = paid.get(account, 0) + stake
        state = self.stakes, self.outcome
        self.ledger.on_rollback(lambda: self._restore(state))
        self.stakes, self.outcome = {}, outcome
        for account, amount in sorted(paid.items()):
            self.ledger.transfer(self.asset, self.account, account, amount, "benchmark_payout")
        return paid

    def _restore(self, state: tuple[dict[tuple[int, int], int], int | None]) -> None:
        self.stakes, self.outcome = state
