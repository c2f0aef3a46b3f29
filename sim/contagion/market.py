"""Mechanism "contagion": clears what institutions owe each other, measures how they hang together, traces failures.

It decides nothing for anybody: it pays what is due as far as money reaches, and observes. But for clearing, the
channels are elsewhere - fire sales with the investments, runs with the liquidity providers, lapses with the patients -
and each can be switched off there, or here for all of them in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np

from sim.contagion.debtrank import debtrank
from sim.contagion.settlement import Clearinghouse, Settled
from sim.contagion.tracing import Failure, Tracer
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.portfolio import CLASSES
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Exposure, Hook, Market, Mechanism, Phase, Statement
from sim.scenario.sections.contagion import CHANNELS, ContagionSection

FORMS: tuple[Literal["linear", "single_hit"], ...] = ("linear", "single_hit")

SWITCHES = {
    "runs_on_losses": ("liquidity_providers", "reacts_to_losses"),
    "runs_on_exits": ("liquidity_providers", "reacts_to_exits"),
    "informed_exits": ("liquidity_providers", "informed_exits"),
    "fire_sales": ("investments", "fire_sales"),
    "lapses": ("lapses", "acting"),
}
"""Switch of this section -> (section, parameter) that it overrides."""


class Contagion(Mechanism):
    """See the module. ``tracer.failures`` are the failures so far."""

    section: ContagionSection
    hooks = (Hook(Phase.CONTAGION, "clear"),)

    def setup(self, market: Market) -> None:
        self.market = market
        self.ledger = market.ledger
        self.usd: int = market.ledger.asset_id("USDs")
        self.insurance: Any = market.mechanism("insurance")
        self.pools: dict[str, InsurancePool] = {pool.name: pool for pool in self.insurance.pools}
        self._place = {name: place for place, name in enumerate(self.pools)}
        self.tracer = Tracer(self.section.window_days)
        self.today = Settled()
        self.total = Settled()
        self.costs_paid = 0
        self._clearing_losses: dict[int, int] = {}
        self._opening_equity: dict[str, int] = {}
        self._forced: dict[str, int] = {}
        self._failed: set[str] = set()
        self._statements: list[Statement] = []
        self._concentrations: list[float] = []
        self.ranks = (0.0, 0.0)
        self._highest = (0.0, 0.0)

    def start(self, market: Market) -> None:
        channels = self.section.channels
        for switch, (name, parameter) in SWITCHES.items():
            wanted, mechanism = getattr(channels, switch), market.find(name)
            if wanted is not None and mechanism is not None:
                mechanism.section = mechanism.section.model_copy(update={parameter: wanted})
        self.investments: Any = market.find("investments")
        self.lapses: Any = market.find("lapses")
        economy = market.find("economy")
        self.costs_payee: int = market.treasury_account() if economy is None else economy.firms
        guarantor = None
        if not channels.clearing:
            guarantor = market.treasury_account() if economy is None else economy.government
        by_account = {pool.accounts.surplus: pool for pool in self.insurance.pools}
        self.house = Clearinghouse(self.ledger, by_account, self.section.alpha, self.section.beta,
                                   self.section.policyholders_first, guarantor)

    # The day --------------------------------------------------------------------------------------------------

    def clear(self, market: Market) -> None:
        """Settle what is due; see who has failed, and through what."""
        before = {statement.account: statement for statement in market.statements()}
        others = [mechanism for mechanism in market.active() if mechanism is not self]
        self.today = today = self.house.settle(market.day, others, before)
        self.costs_paid += self.house.pay_costs(today.costs, self.costs_payee, self.usd)
        for account, missing in today.unpaid_to.items():
            self._clearing_losses[account] = self._clearing_losses.get(account, 0) + missing
        self.total.owed += today.owed
        self.total.unpaid += today.unpaid
        self.total.guaranteed += today.guaranteed
        self._statements = list(market.statements())
        self._note_losses()
        failures = self._new_failures(market.day)
        for failure in failures:
            market.record.event("failure", failure.institution, channel=failure.channel, cascade=failure.cascade,
                                round=failure.round, hard=failure.hard, insolvent=failure.insolvent)
        market.record.series("contagion.failures", len(failures))

    def _note_losses(self) -> None:
        """Cumulated losses of every institution by channel."""
        forced = self.investments is not None and any(one.stressed_today for one in self.investments.investors)
        portfolios = {} if self.investments is None else {one.pool.name: one for one in self.investments.investors}
        for statement in self._statements:
            name = statement.institution
            losses = {"clearing": self._clearing_losses.get(statement.account, 0)}
            pool = self.pools.get(name)
            if pool is None:
                opening = self._opening_equity.setdefault(name, statement.equity)
                losses["claims"] = opening - statement.equity - losses["clearing"]
            else:
                t = pool.totals
                losses["run"] = t.withdrawn
                losses["claims"] = (t.approved + pool.reserves.outstanding + pool.reserves.ibnr
                                    - round(t.earned * pool.config.shares.claims))
                if name in portfolios:
                    investor = portfolios[name]
                    if forced:  # today's fall of prices has a seller behind it
                        self._forced[name] = self._forced.get(name, 0) + investor.mark_loss()
                    losses["fire_sale"] = investor.portfolio.losses + self._forced.get(name, 0)
                if self.lapses is not None:
                    losses["lapse"] = int(self.lapses.lost_premium[self._place[name]])
            self.tracer.note_losses(name, losses)

    def _new_failures(self, day: int) -> list[Failure]:
        """Those that have failed since the last look, by their round in today's clearing."""
        fallen = [statement for statement in self._statements
                  if statement.failed_on is not None and statement.institution not in self._failed]
        fallen.sort(key=lambda statement: (self.today.wave.get(statement.account, 0), statement.institution))
        failures = []
        for statement in fallen:
            pool, wave = self.pools.get(statement.institution), self.today.wave.get(statement.account, 0)
            if pool is None:
                hard, insolvent = wave > 0, statement.equity < 0
            else:
                hard = wave > 0 or pool.insolvency in ("cash", "both")
                insolvent = pool.insolvency in ("balance_sheet", "both")
            self._failed.add(statement.institution)
            failures.append(self.tracer.fail(statement.institution, day, hard, insolvent, wave))
        return failures

    # How they hang together -----------------------------------------------------------------------------------

    def concentration(self, exposures: Iterable[Exposure]) -> float:
        """Herfindahl index of claims over the institutions that owe them; 0 without claims."""
        owed: dict[int, float] = {}
        for exposure in exposures:
            owed[exposure.debtor] = owed.get(exposure.debtor, 0.0) + exposure.amount
        total = sum(owed.values())
        return sum((amount / total) ** 2 for amount in owed.values()) if total else 0.0

    def debtranks(self, exposures: Iterable[Exposure]) -> tuple[float, float]:
        """(linear, single-hit) DebtRank of the worst single failure: share of the other institutions' equity that it
        destroys along claims. Institutions that have failed or have no statement take no part."""
        standing = [one for one in self._statements if one.failed_on is None and one.equity > 0]
        place = {one.account: position for position, one in enumerate(standing)}
        rows = [(place[one.debtor], place[one.creditor], float(one.amount)) for one in exposures
                if one.debtor in place and one.creditor in place and one.debtor != one.creditor]
        if not rows:
            return 0.0, 0.0
        debtors, creditors, amounts = (list(column) for column in zip(*rows, strict=True))
        equity = np.array([float(one.equity) for one in standing])
        worst = [0.0, 0.0]
        for debtor in sorted(set(debtors)):
            shock, weights = np.zeros(equity.size), equity.copy()
            shock[debtor], weights[debtor] = 1.0, 0.0
            for which, form in enumerate(FORMS):
                found = debtrank(debtors, creditors, amounts, equity, shock, weights, form)
                worst[which] = max(worst[which], found.value)
        return worst[0], worst[1]

    # Observations ---------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record, exposures = market.record, list(market.exposures())
        concentration = self.concentration(exposures)
        if exposures:
            self._concentrations.append(concentration)
        if market.day % self.section.debtrank_days == 0:
            self.ranks = self.debtranks(exposures)
            self._highest = max(self._highest[0], self.ranks[0]), max(self._highest[1], self.ranks[1])
        record.series("contagion.obligations", self.today.owed / MICRO)
        record.series("contagion.unpaid", self.today.unpaid / MICRO)
        record.series("contagion.exposures", sum(exposure.amount for exposure in exposures) / MICRO)
        record.series("contagion.concentration", concentration)
        record.series("contagion.debtrank", self.ranks[0])
        record.series("contagion.debtrank_single_hit", self.ranks[1])
        record.series("contagion.equity", sum(one.equity for one in self._statements if one.failed_on is None) / MICRO)
        for one in self._statements:
            record.institution(one.institution, "contagion.institution_equity", one.equity / MICRO)
            record.institution(one.institution, "contagion.institution_cash", one.cash / MICRO)
            record.institution(one.institution, "contagion.institution_other_assets", sum(one.assets.values()) / MICRO)
            record.institution(one.institution, "contagion.institution_liabilities",
                               sum(one.liabilities.values()) / MICRO)

    def finish(self, market: Market) -> None:
        metric, failures = market.record.metric, self.tracer.failures
        metric("contagion.failures", len(failures))
        metric("contagion.any_failure", float(bool(failures)))
        for channel in CHANNELS:
            metric(f"contagion.failures_{channel}", sum(failure.channel == channel for failure in failures))
        metric("contagion.hard_insolvencies", sum(failure.hard and not failure.insolvent for failure in failures))
        metric("contagion.balance_sheet_insolvencies", sum(failure.insolvent for failure in failures))
        metric("contagion.cascade_size", self.tracer.size())
        metric("contagion.cascade_depth", self.tracer.depth())
        metric("contagion.obligations", self.total.owed / MICRO)
        metric("contagion.unpaid_obligations", self.total.unpaid / MICRO)
        metric("contagion.bankruptcy_costs", self.costs_paid / MICRO)
        metric("contagion.guaranteed", self.total.guaranteed / MICRO)
        metric("contagion.debtrank", self._highest[0])
        metric("contagion.debtrank_single_hit", self._highest[1])
        if self._concentrations:
            metric("contagion.concentration", float(np.mean(self._concentrations)))
        for layer, amount in self.waterfall().items():
            metric(f"contagion.waterfall_{layer}", amount / MICRO)

    def waterfall(self) -> dict[str, int]:
        """What stands behind claims in all pools, base units, in the order in which it is drawn upon."""
        pools = list(self.pools.values())

        def cash(layer: str) -> int:
            return sum(pool.cash(getattr(pool.accounts, layer)) for pool in pools)

        def admitted(invested: bool) -> int:
            return sum(value() for pool in pools for name, value in pool.admitted.items()
                       if (name in CLASSES) == invested)

        return {"reinsurance": admitted(False), "claims_fund": cash("claims"), "surplus": cash("surplus"),
                "junior": cash("junior"), "senior": cash("senior"), "investments": admitted(True)}

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "contagion.debts_stand_on_balance_sheets", self.check_exposures
        yield "contagion.failures_are_counted", self.check_failures

    def check_exposures(self) -> str | None:
        """No institution owes more on exposures that are debts than its balance sheet states as liabilities."""
        owed: dict[int, int] = {}
        for exposure in self.market.exposures():
            if exposure.kind != "pool_shares":
                owed[exposure.debtor] = owed.get(exposure.debtor, 0) + exposure.amount
        for one in self.market.statements():
            if owed.get(one.account, 0) > sum(one.liabilities.values()):
                return f"{one.institution} owes {owed[one.account]} and states {sum(one.liabilities.values())}"
        return None

    def check_failures(self) -> str | None:
        """Every institution whose statement says that it failed stands once among the failures."""
        named = [failure.institution for failure in self.tracer.failures]
        stated = {one.institution for one in self._statements if one.failed_on is not None}
        return None if len(named) == len(set(named)) and set(named) == stated else "failures and statements disagree"
