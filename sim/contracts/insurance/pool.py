"""Insurance pool: premium in, claims out through the waterfall, capital in two tranches, and a gate on its exit.

Holds a pool's accounts (:class:`PoolAccounts`), its unearned premium, reserves, unpaid claims, tranches and withdrawal
queue. A day is: premium is earned and split; the day's approved claims are settled together; the queue is served.

What can never be:
- a claim is paid from unearned premium, or from money that the pool has not;
- parts by layer and the unpaid rest do not add up to the claims, to the unit;
- a withdrawal leaves less capital than gate x MCR, or completes while the pool is in run-off;
- a pool with unpaid claims goes on writing business.
Rounding: against shareholders and for policyholders (reserves up, shares down).
"""

from __future__ import annotations

import math
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.accounts import FeeAccounts, PoolAccounts, Totals
from sim.contracts.insurance.capital import NOTHING_CEDED, CapitalRegime
from sim.contracts.insurance.exchanges import Exchanges
from sim.contracts.insurance.plan_books import PlanBooks
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool_state import PoolConfig, PoolError, PoolState
from sim.contracts.insurance.premium import UnearnedPremium
from sim.contracts.insurance.reserves import Reserves
from sim.contracts.insurance.unpaid import Settling, UnpaidClaims
from sim.contracts.insurance.vault import Vault, VaultError, to_shares
from sim.contracts.insurance.waterfall import Breakdown, Layer, MoneyLayer, run_waterfall, sharing_order
from sim.contracts.insurance.withdrawals import WithdrawalQueue
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import mul_div, share_pot

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


REOPENS = 1.05
"""A shut gate opens at this multiple of its capital: at the very limit every claim would shut it again."""


class InsurancePool(Exchanges):
    """One pool. Money is in base units of ``asset``; ``plans`` are the terms it writes, ``books`` their accounts;
    ``region`` -1 means all. Where ``plans`` int[n] of premiums or claims are not given, they are the first's."""

    def __init__(
        self, ledger: Ledger, asset: int, name: str, plans: list[Terms], config: PoolConfig, regime: CapitalRegime,
        fees: FeeAccounts, region: int = -1,
    ) -> None:
        self.ledger = ledger
        self.asset = asset
        self.name = name
        self.permanent_id = int(agent_key(f"pool:{name}") >> np.uint64(33))
        self.plans = plans
        self.config = config
        self.regime = regime
        self.fees = fees
        self.region = region
        self.accounts = PoolAccounts.open(ledger, name)
        self.unearned = UnearnedPremium(plans=len(plans))
        self.books = PlanBooks(len(plans))
        self.reserves = Reserves(config.report_lag_days, config.report_lag_claims, config.reserving)
        self.unpaid = UnpaidClaims.none()
        self.settling = Settling(-1, self.unpaid, 0)
        self.queue = WithdrawalQueue()
        self.totals = Totals()
        a = self.accounts
        self.layers: list[Layer] = [
            MoneyLayer(layer, ledger, asset, account)
            for layer, account in (("claims", a.claims), ("surplus", a.surplus), ("junior", a.junior),
                                   ("senior", a.senior))]
        self.junior = Vault(ledger, asset, a.junior, f"{name}-J", self.junior_value, config.share_offset)
        self.senior = Vault(ledger, asset, a.senior, f"{name}-S", self.senior_value, config.share_offset)
        self.admitted = {}
        self.owed = {}
        self.ceded = NOTHING_CEDED
        self.lent = 0
        self.state = PoolState.ACTIVE
        self.writing = True
        self.banned_until = -1
        self.cover_cut = False
        self.today = 0
        self.defaulted_on: int | None = None
        self.insolvency = ""
        self.run_off_since: int | None = None
        self.members = 0
        self.monthly_premium = 0
        self.active_cover = 0

    @property
    def offers(self) -> bool:
        """Whether the pool takes new members today."""
        return self.writing and self.state is PoolState.ACTIVE and self.today > self.banned_until

    # Premium -------------------------------------------------------------------------------------------------

    def write_premium(
        self, premiums: NDArray[np.int64], starts: NDArray[np.int64], days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """Schedule premiums that have just come into the unearned account, for ``days`` from ``starts``; int64[n]."""
        self._touch(self.unearned)
        self.unearned.write(premiums, starts, days, plans)
        self.totals.written += int(premiums.sum())

    def write_premiums(
        self, parts: tuple[NDArray[np.int64], ...], starts: NDArray[np.int64], days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """:meth:`write_premium` for several premiums of each person, which come from different payers."""
        if self.ledger.in_atomic:
            written, schedule = self.totals.written, self.unearned.state()

            def restore() -> None:
                self.totals.written = written
                self.unearned.restore(schedule)

            self.ledger.on_rollback(restore)
        for premiums in parts:
            self.unearned.write(premiums, starts, days, plans)
            self.totals.written += int(premiums.sum())

    def cancel_premium(
        self, premiums: NDArray[np.int64], starts: NDArray[np.int64], days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> NDArray[np.int64]:
        """Take the unearned parts of these off the schedule; returns them, int64[n]. The caller pays them back out of
        the unearned account, or writes them anew."""
        self._touch(self.unearned)
        parts = self.unearned.cancel(premiums, starts, days, plans)
        self.totals.written -= int(parts.sum())
        return parts

    def accrue(self, day: int) -> int:
        """Earn the premium of the days up to ``day`` and split it; returns what was earned. Once a day at most."""
        self.today = max(self.today, day)
        if day < self.unearned.next_day:
            return 0
        self._touch(self.unearned, self.reserves)
        self.totals.borne_today = {}
        earned = self.unearned.accrue(day)
        claims, administration, oracles, treasury, capital = self.config.shares.split(earned)
        junior, senior = self.junior_value(), self.senior_value()
        to_junior = mul_div(capital, junior, junior + senior) if junior + senior else 0
        to_senior = capital - to_junior if senior else 0
        a, t = self.accounts, self.totals
        if earned:
            self.ledger.pay(
                self.asset, a.unearned,
                np.array([a.claims, a.expenses, self.fees.oracles, self.fees.treasury, a.junior, a.senior, a.surplus]),
                np.array([claims, administration, oracles, treasury, to_junior, to_senior,
                          capital - to_junior - to_senior]), "premium_earned")
        t.earned += earned
        t.fees += administration + oracles + treasury
        t.capital_income += capital
        t.senior_income += to_senior
        self.reserves.expect(claims, day)
        return earned

    def release_profit(self) -> int:
        """Move what the claims fund holds above the claim reserves to surplus; returns it."""
        profit = self.cash(self.accounts.claims) - self.claim_reserves()
        if profit <= 0:
            return 0
        self.ledger.transfer(self.asset, self.accounts.claims, self.accounts.surplus, profit, "profit")
        return profit

    # Claims --------------------------------------------------------------------------------------------------

    def report(
        self, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """Claims int64[n] are filed: the case reserve rises today, and with it the share price falls today."""
        if self.ledger.in_atomic:
            before = self.reserves.counts()
            self.ledger.on_rollback(lambda: self.reserves.unreport(before, day, amounts, incurred_days))
            self.ledger.on_rollback(lambda: self.books.add("outstanding", amounts, plans, -1))
        self.reserves.report(day, amounts, incurred_days)
        self.books.add("outstanding", amounts, plans)

    def release(
        self, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """Reported claims int64[n] (as claimed) have been decided and leave the case reserve."""
        self._touch(self.reserves)
        self.reserves.release(day, amounts, incurred_days)
        self.books.add("outstanding", amounts, plans, -1)

    def settle(
        self, day: int, claim_ids: NDArray[np.int64], amounts: NDArray[np.int64], payees: NDArray[np.int64],
        kind: str = "claim", incurred_days: NDArray[np.int64] | None = None, plans: NDArray[np.integer] | None = None,
    ) -> NDArray[np.int64]:
        """Pay approved claims int64[n] of one day through the waterfall; returns what each receives, int64[n].

        Premium of the day is earned first. Claims that stayed unpaid before rank equally with today's. What cannot
        be paid is recorded as unpaid, and the pool goes into run-off: it has defaulted.
        """
        self.accrue(day)
        if claim_ids.size == 0 and self.unpaid.total == 0:
            return np.zeros(0, dtype=np.int64)
        self._touch(self.reserves)
        incurred = np.full(claim_ids.size, day, dtype=np.int64) if incurred_days is None else incurred_days
        first, wanted = self.layers[0], int(amounts.sum())
        self.totals.approved += wanted
        self.books.add("approved", amounts, plans)
        self.reserves.triangle.add_incurred(day, amounts, incurred)
        if not len(self.unpaid) and isinstance(first, MoneyLayer) and 0 < wanted <= self.cash(first.account):
            # As on most days, the first layer has it all.
            self.ledger.pay(self.asset, first.account, payees, amounts, kind)
            self.totals.bear(first.name, wanted)
            self.reserves.triangle.add_paid(day, amounts, incurred)
            return amounts
        new = UnpaidClaims(claim_ids, amounts, payees, incurred)
        due = self.unpaid.joined(new) if len(self.unpaid) else new
        self.settling = Settling(day, due, len(self.unpaid))
        breakdown = run_waterfall(self.layers, due.amounts, sharing_order(due.ids))
        self._pay(due, breakdown, kind)
        paid = breakdown.paid
        self.reserves.triangle.add_paid(day, paid, due.incurred)
        self.unpaid = due.reduced(breakdown.unpaid) if breakdown.unpaid_total else UnpaidClaims.none()
        self.advance(breakdown.by_layer[-1])
        if breakdown.unpaid_total and self.state in (PoolState.ACTIVE, PoolState.GATED):
            self.default(day)
        return paid[len(due) - claim_ids.size:]

    def _pay(self, due: UnpaidClaims, breakdown: Breakdown, kind: str) -> None:
        """Move the money; every layer's account holds what the layer said it bears."""
        with self.ledger.atomic():
            for layer, part, drawn in zip(self.layers, breakdown.parts, breakdown.by_layer, strict=True):
                if drawn:
                    self.ledger.pay(self.asset, layer.account, due.payees, part, kind)
                    self.totals.bear(layer.name, drawn)

    # Capital -------------------------------------------------------------------------------------------------

    def deposit(self, owner: int, assets: int, tranche: str = "senior") -> int:
        """Buy shares of the senior or junior tranche; returns the shares. PoolError in run-off."""
        if self.state in (PoolState.RUN_OFF, PoolState.CLOSED):
            raise PoolError(f"{self.name} is in {self.state} and takes no capital")
        self._touch()
        vault = self.senior if tranche == "senior" else self.junior
        shares = vault.deposit(owner, assets, f"{tranche}_deposit")
        self.totals.deposited += assets
        return shares

    def request_withdrawal(self, owner: int, shares: int, day: int) -> int:
        """Queue senior ``shares`` of ``owner`` for redemption; returns the request's number. The shares go to escrow
        and share in gains and losses until they are redeemed."""
        if shares <= 0:
            raise VaultError("a request needs shares")
        self._touch(self.queue)
        self.ledger.transfer(self.senior.share, owner, self.accounts.escrow, shares, "withdrawal_request")
        return self.queue.add(owner, shares, day).number

    def headroom(self, gate: float) -> int:
        """Capital that may leave: what is above gate x MCR; nothing while gated or in run-off, all once closed."""
        if self.state is PoolState.CLOSED:
            return self.cash(self.accounts.senior)
        if self.state is PoolState.RUN_OFF or (self.state is PoolState.GATED and gate > 0.0):
            return 0
        free = max(self.capital - math.ceil(gate * self.mcr()), 0)
        return min(free, self.cash(self.accounts.senior)) if self.lent else free

    def serve_withdrawals(self, day: int, cooldown_days: int, gate: float) -> list[tuple[int, int, int]]:
        """Redeem due requests in order while the gate allows; returns (owner, shares, assets) of each payment."""
        if not len(self.queue):
            return []
        self._touch(self.queue)
        closed = self.state is PoolState.CLOSED
        served: list[tuple[int, int, int]] = []
        while (head := self.queue.due(day, 0 if closed else cooldown_days)) is not None:
            headroom = self.headroom(gate)
            shares = head.shares
            cut = self.senior.preview_redeem(shares) > headroom
            if cut:
                shares = to_shares(headroom, self.senior.supply, self.senior.value(), self.senior.offset)
                if self.senior.preview_redeem(shares) == 0:
                    break
            if headroom == 0 and not closed:
                break
            assets = self.senior.redeem(self.accounts.escrow, shares, head.owner, "senior_withdrawal")
            self.queue.serve(shares)
            self.totals.withdrawn += assets
            served.append((head.owner, shares, assets))
            if cut:
                break
        return served

    def redeem_junior(self, owner: int, shares: int) -> int:
        """Redeem staked junior shares; only once the pool is closed."""
        if self.state is not PoolState.CLOSED:
            raise PoolError(f"junior capital of {self.name} is staked until the pool is closed")
        self._touch()
        assets = self.junior.redeem(owner, shares, owner, "junior_withdrawal")
        self.totals.withdrawn += assets
        return assets

    def pay_dividend(self, amount: int) -> None:
        """Pay ``amount`` of surplus to the holders of junior shares, pro rata and exactly. PoolError where surplus is
        short, or where capital would fall below the SCR."""
        if amount > self.cash(self.accounts.surplus):
            raise PoolError(f"{self.name} has less surplus than {amount}")
        if self.capital - amount < self.scr():
            raise PoolError(f"a dividend of {amount} would take {self.name} below its capital requirement")
        held = self.ledger.balances(self.junior.share)
        holders = np.flatnonzero(held)
        if holders.size == 0:
            raise PoolError(f"{self.name} has no junior shares")
        self._touch()
        parts = share_pot(amount, held[holders], sharing_order(holders.astype(np.int64)))
        self.ledger.pay(self.asset, self.accounts.surplus, holders, parts, "dividend")
        self.totals.dividends += int(parts.sum())

    def count_rebate(self, amount: int) -> None:
        """``amount`` of surplus went back to members."""
        self._touch()
        self.totals.rebates += amount

    # Life of the pool ----------------------------------------------------------------------------------------

    def count_members(self, members: int, monthly_premium: int, active_cover: int, plan: int = 0) -> None:
        """Members join a plan (or, negative, leave it) with their monthly premium and sums assured."""
        self._touch()
        self.members += members
        self.monthly_premium += monthly_premium
        self.active_cover += active_cover
        self.books.members[plan] += members
        self.books.monthly_premium[plan] += monthly_premium

    def transfer_risk(self, plan: int, amount: int) -> None:
        """A plan received ``amount`` for the risk of its members (negative: it paid); the caller has moved the money
        that went to or from other pools through the claims fund."""
        self._touch()
        self.totals.transfers += amount
        self.books.transfers[plan] += amount

    def incurred_by_plan(self) -> NDArray[np.int64]:
        """Claims incurred since the start int64[plans]: approved, reported, and unreported as premium is earned."""
        if len(self.plans) == 1:
            return self.books.approved + self.books.outstanding + self.reserves.ibnr
        scheduled = self.unearned.by_plan()
        unreported = share_pot(self.reserves.ibnr, scheduled, np.arange(scheduled.size, dtype=np.uint64)) \
            if 0 < self.reserves.ibnr <= int(scheduled.sum()) else np.zeros_like(scheduled)
        return self.books.approved + self.books.outstanding + unreported

    def set_writing(self, writing: bool) -> None:
        """Open or shut the pool to new members."""
        self._touch()
        self.writing = writing

    def ban(self, until: int) -> None:
        """A supervisor forbids new members up to and including day ``until``."""
        self._touch()
        self.banned_until = max(self.banned_until, until)

    def watch_gate(self, gate: float) -> None:
        """Gated once capital is below gate x MCR, active again when it is ``REOPENS`` above that."""
        if self.state in (PoolState.ACTIVE, PoolState.GATED):
            self._touch()
            margin = REOPENS if self.state is PoolState.GATED else 1.0
            short = self.capital < math.ceil(margin * gate * self.mcr())
            self.state = PoolState.GATED if short else PoolState.ACTIVE

    def default(self, day: int) -> None:
        """The pool is insolvent: cover is cut, unearned premium goes back, claims are settled as money lasts.

        ``insolvency`` says how: "cash" where claims are due that it cannot pay although its assets exceed its
        liabilities (hard), "balance_sheet" where they do not although it still pays, "both" where neither holds.
        """
        if self.defaulted_on is None:
            self._touch()
            self.defaulted_on = day
            short = self.unpaid.total > 0
            self.insolvency = ("both" if short else "balance_sheet") if self.capital < 0 else "cash"
        self.enter_run_off(day, cut_cover=True)

    def enter_run_off(self, day: int, cut_cover: bool) -> None:
        """Stop writing for good; with ``cut_cover`` covers in force end today, else with their paid term."""
        if self.state is PoolState.CLOSED:
            return
        self._touch()
        self.state = PoolState.RUN_OFF
        self.writing = False
        self.cover_cut = self.cover_cut or cut_cover
        if self.run_off_since is None:
            self.run_off_since = day

    def close_if_done(self, day: int) -> bool:
        """Close a pool in run-off that has no members, no open claim, and waited out the tail of late reports.

        What is left belongs to the junior tranche; both tranches can then be redeemed at once.
        """
        waited = self.run_off_since is not None and day - self.run_off_since >= self.config.run_off_tail_days
        if self.state is not PoolState.RUN_OFF or self.members or self.reserves.outstanding or not waited:
            return False
        if self.admitted_assets() or self.debts():
            return False
        self._touch(self.reserves)
        self.reserves.forget_unreported()
        self.state = PoolState.CLOSED
        if self.unpaid.total == 0:
            for account in (self.accounts.claims, self.accounts.surplus):
                self.ledger.transfer(self.asset, account, self.accounts.junior, self.cash(account), "residual")
        if self.lent:
            self.repay_senior()
            self.lend(-self.lent)  # nothing is left before it: the rest is lost
        return True

    # Rollback ------------------------------------------------------------------------------------------------

    def _touch(self, *parts: UnearnedPremium | WithdrawalQueue | Reserves) -> None:
        """Inside a transaction, remember the state (and that of ``parts``) so that a rollback restores it."""
        if not self.ledger.in_atomic:
            return
        kept, totals = _plain(self), self.totals.copy()
        states: list[tuple[Any, Any]] = [(part, part.state()) for part in (self.books, *parts)]

        def restore() -> None:
            for name, value in zip(_PLAIN, kept, strict=True):
                setattr(self, name, value)
            self.totals = totals
            for part, state in states:
                part.restore(state)

        self.ledger.on_rollback(restore)


_PLAIN = ("state", "writing", "banned_until", "cover_cut", "today", "defaulted_on", "insolvency", "run_off_since",
          "members", "monthly_premium", "active_cover", "unpaid", "lent")
_plain = attrgetter(*_PLAIN)
