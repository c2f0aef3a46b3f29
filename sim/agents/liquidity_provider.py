"""Mechanism "liquidity_providers": investors who buy senior shares of pools and run when they see losses or a queue.

All decide on the same day in one array operation; a provider's own object is touched only when it acts. Deposits and
requests go through the chain, so they cost gas and execute in fee order.
"""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents.provider_accounts import ProviderAccounts
from sim.agents.provider_beliefs import PoolRecord, exit_hazards, expected_yields, tail_losses
from sim.chain.mempool import Batch
from sim.contracts.insurance.pool_state import PoolState
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO, share_pot
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.liquidity_providers import LiquidityProvidersSection


class LiquidityProvider(mesa.Agent):
    """One investor; its money is on the ledger and its attributes in the mechanism's arrays."""

    def __init__(self, model: Any, providers: LiquidityProviders, index: int) -> None:
        super().__init__(model)
        self.providers = providers
        self.index = index
        self.account = int(providers.accounts[index])

    @property
    def informed(self) -> bool:
        """Whether it sees share values at once."""
        return bool(self.providers.informed[self.index])

    @property
    def outside_rate(self) -> float:
        """What it earns elsewhere, a year."""
        return float(self.providers.outside_rates[self.index])

    def shares(self, pool: int) -> int:
        """Senior shares of a pool that it holds, without those it has asked to redeem."""
        return self.providers.ledger.balance(self.providers.pools[pool].senior.share, self.account)

    def deposit(self, pool: int, amount: int) -> None:
        """Buy shares for ``amount``, or for the cash that is left."""
        providers = self.providers
        amount = min(amount, providers.ledger.balance(providers.usd, self.account))
        if amount > 0:
            providers.insurance.deposit(pool, self.account, amount)
            providers.books.deposit(self.index, amount)

    def leave(self, pool: int) -> None:
        """Ask for the redemption of all its shares of a pool."""
        shares = self.shares(pool)
        if shares > 0:
            value = self.providers.pools[pool].senior.preview_redeem(shares)
            self.providers.insurance.request_withdrawal(pool, self.account, shares)
            self.providers.books.request(value)


class LiquidityProviders(Mechanism):
    """All liquidity providers. ``providers[i]`` is provider i, ``accounts`` int64[providers] their ledger accounts."""

    section: LiquidityProvidersSection
    hooks = (
        Hook(Phase.LIQUIDITY, "decide"),
        Hook(Phase.SETTLEMENT, "note_withdrawals", after=("chain", "claims", "insurance")),
    )
    shocks = {"capital_withdrawal": "withdraw_capital"}  # noqa: RUF012

    def setup(self, market: Market) -> None:
        section, ledger = self.section, market.ledger
        self.market = market
        self.ledger = ledger
        self.usd: int = ledger.asset_id("USDs")
        self.insurance: Any = market.mechanism("insurance")
        self.insurers: Any = market.mechanism("insurers")
        self.pools = self.insurance.pools
        names = [f"LP{i + 1}" for i in range(section.providers)]
        self.accounts: NDArray[np.int64] = np.array(
            [ledger.open_account(name, "liquidity_providers") for name in names], dtype=np.int64)
        self.first_account = int(self.accounts[0]) if names else 0
        self._serials = np.array([pool.permanent_id for pool in self.pools])
        self.keys: NDArray[np.uint64] = np.array([agent_key(name) for name in names], dtype=np.uint64)
        draws = market.draws
        self._exit = draws.decision("liquidity_providers.exit")
        self._choice = draws.decision("liquidity_providers.choice")
        person = draws.decision("liquidity_providers.person")
        self.informed = person.bernoulli(0, self.keys, section.informed_share, 0)
        spread = 2.0 * person.uniform(0, self.keys, 1) - 1.0
        self.outside_rates = section.outside_rate + section.outside_rate_spread * spread
        self._weights = person.lognormal(0, self.keys, 0.0, section.stake_log_sd, 2)
        self._person = person
        self._turn = (self.keys % np.uint64(section.decision_interval_days)).astype(np.int64)
        self.record = PoolRecord(self.pools, section.yield_window_days + 1 + section.informed_lead_days)
        self.books = ProviderAccounts(section.providers, ledger)
        self.providers = [LiquidityProvider(market, self, i) for i in range(section.providers)]
        self.yields: NDArray[np.float64] = np.zeros(len(self.pools))

    # Opening capital -----------------------------------------------------------------------------------------

    def start(self, market: Any) -> None:
        """Open each pool with its insurer's stake and the providers' deposits, at the opening SCR ratio."""
        section = self.section
        market.mechanism("chain").register_kind("deposit", 120_000)
        market.mechanism("chain").register_kind("withdraw", 130_000)
        chosen = self._opening_pools()
        staked = np.zeros(section.providers, dtype=np.int64)
        for index in range(len(self.pools)):
            target = round(section.opening_scr_ratio * self.insurers.opening_requirement(index))
            members = (chosen[:, index]).nonzero()[0]
            junior = target if members.size == 0 else round(self.insurers.section.junior_share * target)
            if junior:
                self.insurers.stake_junior(market, index, junior)
            weights = np.maximum((self._weights[members] * 1e6).astype(np.int64), 1)
            parts = share_scaled(target - junior, weights, self.keys[members]) if members.size else weights
            for member, amount in zip(members.tolist(), parts.tolist(), strict=True):
                if amount > 0:
                    market.endow(int(self.accounts[member]), amount)
                    self.insurance.deposit(index, int(self.accounts[member]), amount)
                    staked[member] += amount
        for member, amount in enumerate((staked * section.cash_ratio).astype(np.int64).tolist()):
            market.endow(int(self.accounts[member]), amount)
        self.books.open(staked)
        self.record.add()

    def _opening_pools(self) -> NDArray[np.bool_]:
        """bool[providers, pools]: the pools in which each provider starts, those with its highest draws."""
        count = len(self.pools)
        tastes = np.stack([self._person.uniform(1, self.keys, pool.permanent_id) for pool in self.pools], axis=1)
        wanted = min(self.section.pools_per_provider, count)
        rank = np.argsort(np.argsort(-tastes, axis=1, kind="stable"), axis=1, kind="stable")
        result: NDArray[np.bool_] = rank < wanted
        return result

    # The day -------------------------------------------------------------------------------------------------

    def decide(self, market: Market) -> None:
        """Exits by hazard, every day; entries of those whose turn it is."""
        self.books.new_day()
        if market.day == 0:
            self.books.opening_tokens = self._tokens()
        if self.section.providers == 0:
            return
        self.yields = expected_yields(self.record, self.section)
        self._exits(market)
        turn = (self._turn == market.day % self.section.decision_interval_days).nonzero()[0]
        if turn.size:
            self._entries(market, turn)

    def holdings(self) -> NDArray[np.int64]:
        """Senior shares int64[providers, pools], without those in the queue."""
        mine = slice(self.first_account, self.first_account + self.accounts.size)
        held = np.empty((self.accounts.size, len(self.pools)), dtype=np.int64)
        for index, pool in enumerate(self.pools):
            held[:, index] = self.ledger.balances(pool.senior.share)[mine]
        return held

    def _exits(self, market: Market) -> None:
        chances = exit_hazards(self.record, self.section)
        for index, pool in enumerate(self.pools):
            if pool.state is PoolState.CLOSED:
                chances[:, index] = 1.0  # nothing to wait for
        who, where = np.nonzero(self.holdings())
        if who.size:
            chance = chances[self.informed[who].astype(np.int64), where]
            leaving = self._exit.bernoulli(market.day, self.keys[who], chance, self._serials[where])
            if np.logical_or.reduce(leaving):
                self._submit_exits(market, who[leaving], where[leaving])

    def _submit_exits(self, market: Market, who: NDArray[np.int64], where: NDArray[np.int64]) -> None:
        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row in rows.tolist():
                self.providers[who[row]].leave(int(where[row]))

        market.mechanism("chain").submit(Batch("withdraw", self.accounts[who], execute, ordered=True,
                                               keys=self.keys[who]))

    def _entries(self, market: Market, turn: NDArray[np.int64]) -> None:
        section, settings = self.section, self.insurance.section
        tails = tail_losses(self.record.facts, settings.member_cv, settings.systemic_sd)
        open_to = np.array([pool.run_off_since is None for pool in self.pools])
        excess = (self.yields - section.tail_aversion * tails)[None, :] - self.outside_rates[turn][:, None]
        excess = np.where(open_to[None, :] & np.isfinite(excess), np.maximum(excess, 0.0), 0.0)
        total = excess.sum(axis=1)
        draw = self._choice.uniform(market.day, self.keys[turn]) * total
        choice = np.minimum((np.cumsum(excess, axis=1) <= draw[:, None]).sum(axis=1), len(self.pools) - 1)
        chain = market.mechanism("chain")
        cash = np.maximum(self.ledger.balances(self.usd)[self.accounts[turn]] - chain.fee("deposit"), 0)
        speed = np.minimum(section.decision_interval_days * section.entry_speed
                           * excess[np.arange(turn.size), choice], 1.0)
        amounts = np.floor(cash * speed).astype(np.int64)
        acting = ((total > 0.0) & (amounts >= max(section.smallest_deposit * MICRO, 1))).nonzero()[0]
        if not acting.size:
            return
        who, where, amounts = turn[acting], choice[acting], amounts[acting]

        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row in rows.tolist():
                self.providers[who[row]].deposit(int(where[row]), int(amounts[row]))

        chain.submit(Batch("deposit", self.accounts[who], execute, ordered=True, keys=self.keys[who],
                           expires=market.day + section.decision_interval_days))

    def withdraw_capital(self, share: float, pools: list[str]) -> None:
        """Shock ``capital_withdrawal``."""
        wanted = [not pools or pool.name in pools for pool in self.pools]
        asking = self._exit.bernoulli(self.market.day, self.keys, share, -1)
        who, where = np.nonzero((self.holdings() > 0) & np.array(wanted)[None, :] & asking[:, None])
        self._submit_exits(self.market, who, where)

    def note_withdrawals(self, market: Market) -> None:
        """Book what the pools paid out today."""
        first = self.first_account
        for _, owner, _, assets in self.insurance.withdrawals_today:
            if first <= owner < first + self.accounts.size:
                self.books.withdraw(owner - first, assets)

    # Observations --------------------------------------------------------------------------------------------

    def values(self) -> NDArray[np.float64]:
        """Worth of each provider's shares, held or queued, at the record's prices, base units, float64[providers]."""
        prices = self.record.facts.unit_value
        worth: NDArray[np.float64] = self.holdings() @ prices
        first = self.first_account
        for price, pool in zip(prices.tolist(), self.pools, strict=True):
            for request in pool.queue:
                if first <= request.owner < first + worth.size:
                    worth[request.owner - first] += request.shares * price
        return worth

    def observe(self, market: Market) -> None:
        self.record.add()
        if self.section.providers == 0:
            return
        books, series = self.books, market.record.series
        values = self.values()
        books.close_day(values, int(self.record.facts.senior.sum()))
        series("liquidity_providers.deposits", books.deposited_today / MICRO)
        series("liquidity_providers.requests", books.requested_today / MICRO)
        series("liquidity_providers.withdrawals", books.withdrawn_today / MICRO)
        series("liquidity_providers.value", float(values.sum()) / MICRO)
        series("liquidity_providers.cash", float(self.ledger.balances(self.usd)[self.accounts].sum()) / MICRO)
        finite = np.isfinite(self.yields)
        if finite.any():
            mean = self.yields.mean() if finite.all() else np.nanmean(self.yields)
            series("liquidity_providers.expected_yield", float(mean))

    def finish(self, market: Market) -> None:
        if self.section.providers == 0:
            return
        books, metric = self.books, market.record.metric
        values = self.values()
        every = np.ones(values.size, dtype=np.bool_)
        metric("liquidity_providers.yield", books.annual_return(values, every))
        metric("liquidity_providers.yield_with_emissions", books.annual_return(values, every, self._emissions()))
        metric("liquidity_providers.yield_informed", books.annual_return(values, self.informed))
        metric("liquidity_providers.yield_uninformed", books.annual_return(values, ~self.informed))
        metric("liquidity_providers.deposits", books.deposits_after_start / MICRO)
        metric("liquidity_providers.withdrawals", float(books.withdrawn.sum()) / MICRO)
        metric("liquidity_providers.requests", books.requested / MICRO)
        metric("liquidity_providers.peak_requests_30d", books.peak_requests)
        metric("liquidity_providers.exits", books.exits)
        queued = sum(pool.senior.preview_redeem(pool.queue.pending) for pool in self.pools if pool.queue.pending)
        metric("liquidity_providers.queued_end", queued / MICRO)

    def _emissions(self) -> float:
        """Worth in base units of the governance tokens that providers gained since the first day."""
        if not self.ledger.has_asset("GOV"):
            return 0.0
        price = self.ledger.price(self.ledger.asset_id("GOV")) or 0.0
        return (self._tokens() - self.books.opening_tokens) * price

    def _tokens(self) -> int:
        """Governance tokens that all providers hold."""
        if not self.ledger.has_asset("GOV"):
            return 0
        return int(self.ledger.balances(self.ledger.asset_id("GOV"))[self.accounts].sum())


def share_scaled(pot: int, weights: NDArray[np.int64], order: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Share the whole ``pot`` in proportion to ``weights`` int64[n], exactly."""
    scale = pot // int(weights.sum()) + 1
    return share_pot(pot, weights * scale, order)
