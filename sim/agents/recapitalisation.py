"""Mechanism "recapitalisation": capital for governance tokens, and takeover of failed books.

A pool below the trigger asks the protocol to sell new governance tokens for what it lacks. Liquidity providers buy,
each with part of its cash, at the market maker's price where GOV trades, else at the present value of net fees, less a
discount and the dilution that they foresee (:mod:`sim.contracts.governance.issue`). What comes in is surplus. After the
day's clearing, the book of a pool that has failed or is in run-off goes to the pool that carries it best, if any does;
that pool's insurer sees the estate's books, as a buyer does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch
from sim.contracts.governance.issue import market_value, proceeds, tokens_for
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.takeover import Takeover, best_acquirer, take_over
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, share_pot
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.recapitalisation import RecapitalisationSection

YEAR_DAYS = 365
ISSUE_GAS = 140_000


class Recapitalisation(Mechanism):
    """See the module. ``takeovers`` are those so far."""

    section: RecapitalisationSection
    hooks = (
        Hook(Phase.INSURERS, "offer", after=("insurers",)),
        Hook(Phase.CONTAGION, "rescue", after=("contagion", "reinsurance")),
    )

    def setup(self, market: Market) -> None:
        self.market = market
        self.ledger = market.ledger
        self.insurance: Any = market.mechanism("insurance")
        for entry in self.section.governable:
            market.parameters.register(entry.path, self.section.issue_cap, entry.low, entry.high, entry.integer)
        self.takeovers: list[Takeover] = []
        self.issues = 0
        self.raised = self.issued = self.missing = 0
        self.raised_today = self.issued_today = self.moved_today = 0
        self._discounts = 0.0
        self._issued_by_year: dict[int, int] = {}
        self._last = [-YEAR_DAYS] * len(self.insurance.pools)

    def start(self, market: Market) -> None:
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind("gov_issue", ISSUE_GAS)
        self.governance: Any = market.find("governance")
        self.providers: Any = market.find("liquidity_providers")
        self.claims: Any = market.find("claims")

    # New capital ----------------------------------------------------------------------------------------------

    def price(self) -> int:
        """Micro-USD per governance token: where it trades, else the present value of net fees; 0 while it has none."""
        amm = self.market.find("amm")
        for pool in amm.pools.values() if amm is not None else ():
            if pool.base == self.governance.gov and min(pool.reserves()) > 0:
                return int(pool.spot() * MICRO)
        return int(self.governance.fair_value() * MICRO)

    def room(self) -> int:
        """Tokens that may still be issued this year."""
        whole = round(self.governance.section.supply) * MICRO
        cap = int(whole * self.market.parameters["recapitalisation.issue_cap"])
        return max(cap - self._issued_by_year.get(self.market.day // YEAR_DAYS, 0), 0)

    def offer(self, market: Market) -> None:
        """Offer tokens for the pools that lack capital, those in greatest need first."""
        self.raised_today = self.issued_today = 0
        if not self.section.issues or self.governance is None or self.providers is None:
            return
        short = [(pool.scr_ratio(), index) for index, pool in enumerate(self.insurance.pools)
                 if pool.state in (PoolState.ACTIVE, PoolState.GATED)
                 and market.day - self._last[index] >= self.section.interval_days]
        room = self.room()
        for ratio, index in sorted(short):
            if ratio < self.section.trigger_scr_ratio:
                room -= self._offer(index, room)

    def _offer(self, index: int, room: int) -> int:
        """Offer up to ``room`` tokens for one pool; returns how many are offered."""
        pool: InsurancePool = self.insurance.pools[index]
        wanted = int(self.section.target_scr_ratio * pool.scr()) - pool.capital
        supply = self.ledger.supply(self.governance.gov)
        value = market_value(supply, self.price(), round(self.section.discount * BPS))
        self._last[index] = self.market.day
        if wanted <= 0:
            return 0
        self.missing += wanted
        cash = self.ledger.balances(self.providers.usd)[self.providers.accounts]
        fee = self.chain.fee("gov_issue")
        budgets = np.floor(np.maximum(cash - fee, 0) * self.section.budget_share).astype(np.int64)
        target = min(wanted, int(budgets.sum()), proceeds(room, supply, value) if room > 0 else 0)
        tokens = tokens_for(target, supply, value) if target > 0 else None
        if tokens is None:
            return 0
        parts = share_pot(target, budgets, self.providers.keys)
        self.issues += 1
        self._submit(pool, parts, target, tokens, supply, value)
        return tokens

    def _submit(
        self, pool: InsurancePool, parts: NDArray[np.int64], target: int, tokens: int, supply: int, value: int
    ) -> None:
        """Let each provider pay its part and receive tokens for it, in a block of today."""
        buyers = np.flatnonzero(parts)
        before = market_value(supply, self.price(), 0)
        discount = 1.0 - target * supply / (tokens * before) if before else 0.0
        year = self.market.day // YEAR_DAYS

        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row in rows.tolist():
                buyer, paid = int(self.providers.accounts[buyers[row]]), int(parts[buyers[row]])
                bought = mul_div(paid, tokens, target)  # floored for those who hold tokens already
                pool.exchange("recapitalisation", pool.accounts.surplus, buyer, paid)
                self.governance.issue(buyer, bought)
                self._count(paid, bought, year, discount)

        self.chain.submit(Batch("gov_issue", self.providers.accounts[buyers], execute, ordered=True,
                                keys=self.providers.keys[buyers], expires=self.market.day))

    def _count(self, paid: int, bought: int, year: int, discount: float) -> None:
        names = ("raised", "issued", "missing", "raised_today", "issued_today", "_discounts")
        old = {name: getattr(self, name) for name in names}
        of_year = self._issued_by_year.get(year, 0)

        def restore() -> None:
            for name, value in old.items():
                setattr(self, name, value)
            self._issued_by_year[year] = of_year

        self.ledger.on_rollback(restore)
        self.raised += paid
        self.raised_today += paid
        self.missing -= paid
        self.issued += bought
        self.issued_today += bought
        self._discounts += discount * paid
        self._issued_by_year[year] = of_year + bought

    # Takeover -------------------------------------------------------------------------------------------------

    def rescue(self, market: Market) -> None:
        """Give the books of pools in run-off to others that can carry them."""
        self.moved_today = 0
        if not self.section.takeovers:
            return
        pools: list[InsurancePool] = self.insurance.pools
        for index, pool in enumerate(pools):
            if pool.state is not PoolState.RUN_OFF or pool.members == 0:
                continue
            target = best_acquirer(pools, index, self.section.takeover_scr_ratio)
            if target is None:
                continue
            done = take_over(self.insurance, self.claims, index, target, market.day)
            self.takeovers.append(done)
            self.moved_today += done.members
            market.record.event("takeover", done.source, done.money / MICRO, target=done.target, members=done.members,
                                reserves=done.reserves / MICRO)

    # Observations ---------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        record.series("recapitalisation.raised", self.raised_today / MICRO)
        record.series("recapitalisation.issued", self.issued_today / MICRO)
        record.series("recapitalisation.moved", self.moved_today)

    def finish(self, market: Market) -> None:
        metric, section = market.record.metric, self.section
        metric("recapitalisation.issues", self.issues)
        metric("recapitalisation.raised", self.raised / MICRO)
        metric("recapitalisation.missing", self.missing / MICRO)
        if self.governance is not None:
            metric("recapitalisation.dilution", self.issued / MICRO / self.governance.section.supply)
        if self.raised:
            metric("recapitalisation.mean_discount", self._discounts / self.raised)
        metric("recapitalisation.takeovers", len(self.takeovers))
        metric("recapitalisation.members_moved", sum(done.members for done in self.takeovers))
        metric("recapitalisation.deficits", sum(done.reserves - done.money for done in self.takeovers) / MICRO)
        taken = {done.source for done in self.takeovers}
        failed = [pool.name for pool in self.insurance.pools if pool.defaulted_on is not None]
        metric("recapitalisation.run_offs", sum(name not in taken for name in failed) if section.takeovers
               else len(failed))

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "recapitalisation.tokens_tie_to_governance", self.check_issued

    def check_issued(self) -> str | None:
        """What was issued here is what governance says was issued."""
        if self.governance is None or self.governance.issued == self.issued:
            return None
        return f"{self.issued} governance tokens were sold and {self.governance.issued} issued"


