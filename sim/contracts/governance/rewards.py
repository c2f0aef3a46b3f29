"""Rewards: the token's emission account and the streams among which each release is divided.

Holds the schedule's total and what was paid so far. A stream says whom it rewards and in proportion to what; a stream
without claimants leaves its part in the account. What can never be: more paid than the halving schedule has released.
Rounding: each part is floored and shared exactly among the claimants of its stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.contracts.governance import token
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, share_pot

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

Claims = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(accounts, claims): both int64[n], claims non-negative and in any unit common to the stream."""


@dataclass(frozen=True, slots=True)
class RewardStream:
    """One group that is rewarded: its part of each release in basis points, and its claims when asked."""

    name: str
    part_bps: int
    claims: Callable[[], Claims]


class Rewards:
    """Pays GOV from ``reserve`` by the halving schedule."""

    def __init__(self, ledger: Ledger, asset: int, reserve: int) -> None:
        self._ledger = ledger
        self._asset = asset
        self._reserve = reserve
        self._streams: dict[str, RewardStream] = {}
        self._by_sector: dict[str, NDArray[np.int64]] = {}
        self._scheduled = 0
        self.total = 0
        self.paid = 0

    def add_stream(self, stream: RewardStream) -> None:
        """Add a stream, or replace the one of that name; parts may sum to 10,000 bps at most."""
        parts = sum(other.part_bps for name, other in self._streams.items() if name != stream.name) + stream.part_bps
        if parts > BPS:
            raise ValueError(f"reward streams sum to {parts} bps")
        self._streams[stream.name] = stream

    def add_default_streams(self) -> None:
        """Pool capital 6,000, market makers 2,000, oracles 2,000 bps, where nobody registered a stream of that name."""
        for stream in (
            RewardStream("liquidity_providers", 6_000, lambda: self._holders(("-S", "-J"))),
            RewardStream("market_makers", 2_000, lambda: self._holders(("-LP",))),
            RewardStream("oracles", 2_000, self._oracles),
        ):
            if stream.name not in self._streams:
                self.add_stream(stream)

    def pay_due(self, day: int, halving_days: int, scale: float) -> int:
        """Pay what the schedule released since the last call, times ``scale``; returns what was paid.

        What ``scale`` holds back, and what found no claimant, stays in the account for good.
        """
        self.look_around()
        due = token.emitted(self.total, day, halving_days) - self._scheduled
        self._scheduled += due
        pot = due * round(scale * BPS) // BPS
        paid = 0
        for stream in self._streams.values():
            accounts, claims = stream.claims()
            shares = _pro_rata(pot * stream.part_bps // BPS, claims, accounts)
            amount = int(shares.sum())
            if amount > 0:
                self._ledger.pay(self._asset, self._reserve, accounts, shares, "reward")
                paid += amount
        self.paid += paid
        return paid

    def look_around(self) -> None:
        """Note which institutions have an account now, by sector. Goes over all of them: done once a release."""
        self._by_sector = self._ledger.institutions()

    def accounts_in(self, *sectors: str) -> NDArray[np.int64]:
        """Institutions' accounts of these sectors when last looked, by account id."""
        found = [self._by_sector[sector] for sector in sectors if sector in self._by_sector]
        return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)

    def key(self, account: int) -> np.uint64:
        """Permanent key of an institution's account, from its name."""
        return agent_key(self._ledger.account_name(account))

    def _holders(self, suffixes: tuple[str, ...]) -> Claims:
        """Institutions outside the protocol that hold an asset whose symbol ends so, by units held."""
        accounts = self.accounts_in("liquidity_providers", "traders")
        claims = np.zeros(accounts.size, dtype=np.int64)
        for asset, symbol in enumerate(self._ledger.assets):
            if symbol.endswith(suffixes):
                claims += self._ledger.balances(asset)[accounts]
        return accounts, claims

    def _oracles(self) -> Claims:
        accounts = self.accounts_in("oracles")
        return accounts, np.ones(accounts.size, dtype=np.int64)


def _pro_rata(pot: int, claims: NDArray[np.int64], accounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share the whole ``pot`` in proportion to ``claims``; nothing where there are none."""
    total = int(claims.sum())
    if total == 0 or pot <= 0:
        return np.zeros(claims.size, dtype=np.int64)
    if pot > total:
        # sharing never pays above a claim, so claims in small units are scaled up first
        claims = claims * (pot // total + 1)
    return share_pot(pot, claims, accounts.astype(np.uint64))
