"""What liquidity providers put in, took out and asked for: the books behind their flows and returns."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

RUN_DAYS = 30
YEAR_DAYS = 365


class ProviderAccounts:
    """Sums per provider, base units; and the day's flows. Calls inside a transaction roll back with it."""

    def __init__(self, providers: int, ledger: Ledger) -> None:
        self._ledger = ledger
        self.opening: NDArray[np.int64] = np.zeros(providers, dtype=np.int64)
        self.deposited: NDArray[np.int64] = np.zeros(providers, dtype=np.int64)
        self.withdrawn: NDArray[np.int64] = np.zeros(providers, dtype=np.int64)
        self.capital_days: NDArray[np.float64] = np.zeros(providers)
        self.opening_tokens = 0
        self.requested = 0
        self.exits = 0
        self.deposited_today = 0
        self.requested_today = 0
        self.withdrawn_today = 0
        self.peak_requests = 0.0
        self._recent: deque[tuple[int, int]] = deque(maxlen=RUN_DAYS)  # (asked for, senior capital before)
        self._senior = 0

    def open(self, staked: NDArray[np.int64]) -> None:
        """The deposits before the first day."""
        self.opening = staked.copy()

    def new_day(self) -> None:
        """Forget yesterday's flows."""
        self.deposited_today = self.requested_today = self.withdrawn_today = 0

    def deposit(self, provider: int, amount: int) -> None:
        """A deposit was made."""
        self.deposited[provider] += amount
        self.deposited_today += amount

        def undo() -> None:
            self.deposited[provider] -= amount
            self.deposited_today -= amount

        self._ledger.on_rollback(undo)

    def request(self, value: int) -> None:
        """Redemption of shares worth ``value`` was asked for."""
        self.requested += value
        self.requested_today += value
        self.exits += 1

        def undo() -> None:
            self.requested -= value
            self.requested_today -= value
            self.exits -= 1

        self._ledger.on_rollback(undo)

    def withdraw(self, provider: int, amount: int) -> None:
        """``amount`` was redeemed."""
        self.withdrawn[provider] += amount
        self.withdrawn_today += amount

    def close_day(self, values: NDArray[np.float64], senior: int) -> None:
        """End a day with shares worth ``values`` float64[providers] and ``senior`` capital in all pools."""
        self.capital_days += values
        self._recent.append((self.requested_today, self._senior or senior))
        self._senior = senior
        before = self._recent[0][1]
        if before > 0:
            asked = sum(requested for requested, _ in self._recent)
            self.peak_requests = max(self.peak_requests, asked / before)

    def annual_return(self, values: NDArray[np.float64], who: NDArray[np.bool_], extra: float = 0.0) -> float:
        """Gain a year over capital at work, of the providers ``who``; ``extra`` base units are added to the gain. NaN
        where no capital was at work."""
        gain = float((values + self.withdrawn - self.deposited - self.opening)[who].sum()) + extra
        years = float(self.capital_days[who].sum()) / YEAR_DAYS
        return gain / years if years > 0.0 else float("nan")

    @property
    def deposits_after_start(self) -> int:
        """Deposits since the first day."""
        return int(self.deposited.sum())
