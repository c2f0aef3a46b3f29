"""Two pools and a market maker under random programs: deposits, withdrawals, premium, claims, investments, sales at any
price, debts, failures, takeover, and transactions that are undone.

Properties, after every step: no pool pays what it has not, no unit of any asset is lost, statements tie to the ledger,
the market maker's product behind a share does not fall, and what the senior tranche lent is never more than the books
say. A sale of assets moves no value between tranches but for the price that the market gives.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.chain.mempool import Refused
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.capital import CapitalParameters, regime
from sim.contracts.insurance.checks import CHECKS
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig, PoolState
from sim.contracts.insurance.portfolio import Portfolio, largest_sale
from sim.contracts.insurance.premium import PremiumShares
from sim.contracts.insurance.takeover import best_acquirer, estate_payment, hand_over_claims
from sim.kernel.ledger import Ledger, LedgerError

LONG = bool(os.environ.get("SALUS_LONG"))
which = st.integers(0, 1)
amounts = st.one_of(st.integers(0, 10**9), st.integers(0, 10**10))
shares = st.floats(0.0, 1.0)


class Undo(Exception):
    """Ends a transaction."""


class InstitutionsMachine(RuleBasedStateMachine):
    """Pools A and B invest in one token and in each other."""

    @initialize(valuation=st.sampled_from(("spot", "liquidation")), depth=st.sampled_from((10**9, 10**11)))
    def begin(self, valuation: Any, depth: int) -> None:
        ledger = self.ledger = Ledger(institutions=64, people=0)
        self.usd, self.hlt = ledger.asset("USDs"), ledger.asset("HLT")
        oracles, treasury = (ledger.open_account(name, "protocol") for name in ("oracle_fees", "treasury"))
        self.payee = ledger.open_account("payee", "providers")
        self.owners = [ledger.open_account(f"owner{i}", "liquidity_providers") for i in range(2)]
        self.amm = ConstantProductPool(ledger, "HLT", self.hlt, self.usd)
        for asset in (self.usd, self.hlt):
            ledger.mint(asset, self.owners[0], depth, "endowment")
        self.amm.add_liquidity(self.owners[0], depth, depth)
        config = PoolConfig(PremiumShares.of(0.85, 0.07, 0.02, 0.02, 0.04), 0, 2.0, 200.0, 5)
        self.pools = [InsurancePool(ledger, self.usd, name, [Terms()], config,
                                    regime("fixed_ratio", CapitalParameters()), FeeAccounts(oracles, treasury))
                      for name in "AB"]
        self.published = [1.0, 1.0]
        self.books = [Portfolio(pool, self.amm, [self.pools[1 - i]], lambda i=i: [self.published[1 - i]], valuation,
                                1.0) for i, pool in enumerate(self.pools)]
        self.day, self.claims = 0, 0
        for owner in self.owners:
            ledger.mint(self.usd, owner, 10**11, "endowment")
        for pool in self.pools:
            pool.deposit(self.owners[0], 10**9, "senior")
            pool.deposit(self.owners[1], 2 * 10**8, "junior")
            pool.count_members(3, 10**7, 10**10)

    def tranches(self, pool: InsurancePool) -> tuple[int, int]:
        return pool.senior_value(), pool.junior_value()

    # Capital and business -------------------------------------------------------------------------------------

    @rule(pool=which, amount=amounts, tranche=st.sampled_from(("senior", "junior")))
    def deposit(self, pool: int, amount: int, tranche: str) -> None:
        with contextlib.suppress(Refused, LedgerError):
            self.pools[pool].deposit(self.owners[0], amount, tranche)

    @rule(pool=which, share=shares)
    def ask(self, pool: int, share: float) -> None:
        held = int(self.ledger.balance(self.pools[pool].senior.share, self.owners[0]) * share)
        if held:
            self.pools[pool].request_withdrawal(self.owners[0], held, self.day)

    @rule(pool=which, gate=st.sampled_from((0.0, 1.0)))
    def serve(self, pool: int, gate: float) -> None:
        one = self.pools[pool]
        held = one.cash(one.accounts.senior)
        served = one.serve_withdrawals(self.day, 2, gate)
        assert sum(assets for _, _, assets in served) <= held

    @rule(pool=which)
    def leave_while_money_is_out(self, pool: int) -> None:
        """All of the pool's own money but a little is invested, and everybody asks for his."""
        one = self.pools[pool]
        self.books[pool].fund(max(one.layer_money() - one.cash(one.accounts.claims) - 10**6, 0))
        self.ask(pool, 1.0)
        self.pass_days(3)
        self.serve(pool, 0.0)
        self.sweep(pool)

    @rule(pool=which, amount=amounts)
    def premium(self, pool: int, amount: int) -> None:
        self.ledger.mint(self.usd, self.pools[pool].accounts.unearned, amount, "premium")
        self.pools[pool].write_premium(np.array([amount]), np.array([self.day]), np.array([10]))

    @rule(pool=which, amount=amounts)
    def report(self, pool: int, amount: int) -> None:
        self.pools[pool].report(self.day, np.array([amount]), np.array([self.day]))

    @rule(pool=which, amount=amounts)
    def settle(self, pool: int, amount: int) -> None:
        one = self.pools[pool]
        one.accrue(self.day)
        held, owed, before = one.layer_money(), one.unpaid.total + amount, self.ledger.balance(self.usd, self.payee)
        self.claims += 1
        one.settle(self.day, np.array([self.claims]), np.array([amount]), np.array([self.payee]))
        assert self.ledger.balance(self.usd, self.payee) - before == min(held, owed)
        if owed > held:
            assert one.state in (PoolState.RUN_OFF, PoolState.CLOSED)
            if one.defaulted_on == self.day and one.insolvency == "cash":
                assert one.capital >= 0

    @rule(days=st.integers(1, 6))
    def pass_days(self, days: int) -> None:
        self.day += days
        self.published = [pool.senior.unit_value() for pool in self.pools]
        for pool in self.pools:
            pool.accrue(self.day)
            pool.watch_gate(1.0)
            pool.close_if_done(self.day)

    # Investments ----------------------------------------------------------------------------------------------

    @rule(pool=which, amount=amounts, liquidity=st.booleans())
    def invest(self, pool: int, amount: int, liquidity: bool) -> None:
        book, one = self.books[pool], self.pools[pool]
        before, positive = one.senior_value(), one.first_loss() >= 0
        cash = book.fund(amount)
        assert cash <= amount
        if positive:
            assert one.senior_value() == before, "buying assets takes nothing from the senior tranche"
        try:
            if liquidity:
                with self.ledger.atomic():
                    book.add_liquidity(book.buy_tokens(cash // 2, 0), cash - cash // 2)
            else:
                book.buy_tokens(cash, 0)
        except (Refused, LedgerError):
            pass
        book.return_cash(book.cash())

    @rule(pool=which, share=shares)
    def fire_sale(self, pool: int, share: float) -> None:
        book, one = self.books[pool], self.pools[pool]
        if not book.tokens():
            self.invest(pool, 10**8, False)
        money, losses = one.layer_money(), book.losses
        capital = one.capital
        try:
            proceeds = book.sell_tokens(int(book.tokens() * share), 0)
        except (Refused, LedgerError):
            return
        assert one.layer_money() == money + proceeds
        if not book.liquidity():  # else the price moves the worth of its market-maker shares as well
            assert one.capital == capital - (book.losses - losses)

    @rule(pool=which, share=shares)
    def leave_market_maker(self, pool: int, share: float) -> None:
        book = self.books[pool]
        try:
            with self.ledger.atomic():
                book.remove_liquidity(int(book.liquidity() * share), 0)
        except (Refused, LedgerError):
            return

    @rule(pool=which, amount=amounts)
    def invest_in_each_other(self, pool: int, amount: int) -> None:
        book = self.books[pool]
        cash = book.fund(amount)
        with contextlib.suppress(Refused, LedgerError):
            book.buy_pool_shares(self.pools[1 - pool], cash)
        book.return_cash(book.cash())

    @rule(pool=which, share=shares)
    def leave_each_other(self, pool: int, share: float) -> None:
        other = self.pools[1 - pool]
        held = int(self.ledger.balance(other.senior.share, self.books[pool].account) * share)
        if held:
            self.books[pool].leave_pool(other, held, self.day)

    @rule(pool=which)
    def sweep(self, pool: int) -> None:
        self.books[pool].return_cash(self.books[pool].cash())
        self.pools[pool].repay_senior()

    @rule(amount=amounts, buys=st.booleans())
    def stranger_trades(self, amount: int, buys: bool) -> None:
        asset = self.usd if buys else self.hlt
        self.ledger.mint(asset, self.payee, amount, "endowment")
        with contextlib.suppress(Refused, LedgerError):
            self.amm.swap(self.payee, asset, amount)

    # Debts, failure, takeover ---------------------------------------------------------------------------------

    @rule(pool=which, amount=amounts)
    def owe(self, pool: int, amount: int) -> None:
        one, other = self.pools[pool], self.pools[1 - pool]
        held = one.layer_money()
        try:
            one.pay_debt(other.accounts.surplus, amount, "debt")
        except Refused:
            assert amount > held
            return
        other.receive("debt", amount)
        assert one.layer_money() == held - amount

    @rule(pool=which)
    def default(self, pool: int) -> None:
        if self.pools[pool].capital < 0:
            self.pools[pool].default(self.day)

    @rule(pool=which, share=shares)
    def take_over(self, pool: int, share: float) -> None:
        """The other pool takes the reported and unreported claims of a pool in run-off, as far as it can."""
        old, new = self.pools[pool], self.pools[1 - pool]
        if old.state is not PoolState.RUN_OFF or best_acquirer(self.pools, pool, 0.0) is None:
            return
        moved = int(old.reserves.outstanding * share)
        reserves = moved + old.reserves.ibnr
        both = old.reserves.outstanding + new.reserves.outstanding
        money, held = estate_payment(old, reserves), old.layer_money()
        assert money <= min(reserves, held)
        hand_over_claims(old, new, self.day, np.array([moved]), np.array([self.day]), np.array([0]))
        old.pay_debt(new.accounts.claims, money, "takeover", claims_first=True)
        new.receive("takeover", money)
        assert old.reserves.outstanding + new.reserves.outstanding == both
        assert old.reserves.ibnr == 0

    @rule(pool=which, amount=amounts, share=shares)
    def undo(self, pool: int, amount: int, share: float) -> None:
        one, book = self.pools[pool], self.books[pool]

        def picture() -> tuple[Any, ...]:
            return (str(one.totals), one.lent, one.capital, self.tranches(one), one.insolvency, book.losses,
                    book.value(), self.amm.reserves(), str(self.pools[1 - pool].totals))

        before = picture()
        try:
            with self.ledger.atomic():
                book.fund(amount)
                try:
                    book.buy_tokens(book.cash(), 0)
                    book.sell_tokens(int(book.tokens() * share), 0)
                except (Refused, LedgerError):
                    pass
                one.settle(self.day, np.array([10**9]), np.array([amount]), np.array([self.payee]))
                raise Undo
        except Undo:
            pass
        assert picture() == before

    # What always holds ----------------------------------------------------------------------------------------

    @invariant()
    def laws_hold(self) -> None:
        if not hasattr(self, "books"):
            return
        for pool in self.pools:
            for name, check in CHECKS.items():
                assert check(pool) is None, f"{name}: {pool.name} {check(pool)}"
            assert pool.lent >= 0
            assert pool.senior_value() >= 0
            assert pool.junior_value() >= 0
        assert self.ledger.check_supplies() is None
        assert self.ledger.check_flows() is None
        base, quote = self.amm.reserves()
        assert self.ledger.balance(self.hlt, self.amm.account) == base
        assert self.ledger.balance(self.usd, self.amm.account) == quote
        assert largest_sale(self.amm, 0.5) <= base


TestInstitutionsMachine = InstitutionsMachine.TestCase
TestInstitutionsMachine.settings = settings(
    max_examples=250 if LONG else 25, stateful_step_count=100 if LONG else 40, deadline=None, derandomize=not LONG)
