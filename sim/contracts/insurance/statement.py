"""A pool's balance sheet as others read it: cash by account, assets and liabilities by class, at market value.

It ties to the ledger: the accounts named here are all that the pool has, equity is its own funds, and
:func:`statement_ties_to_ledger` says so or what is wrong. The pool is named by its surplus account. Unearned premium
and the insurer's own money for administration stand on both sides: they belong to others. Reserves are rounded up.
"""

from __future__ import annotations

from sim.contracts.insurance.pool import InsurancePool
from sim.mechanism import Statement


def account_of(pool: InsurancePool) -> int:
    """The ledger account by which debts and claims name the pool."""
    return pool.accounts.surplus


def statement(pool: InsurancePool) -> Statement:
    """The pool's balance sheet now, base units."""
    a, reserves = pool.accounts, pool.reserves
    unearned, administration = pool.cash(a.unearned), pool.cash(a.expenses)
    assets = {"unearned_premium_cash": unearned, "administration_cash": administration}
    assets.update({name: value() for name, value in pool.admitted.items()})
    liabilities = {
        "unearned_premium": unearned, "administration": administration, "claims_reported": reserves.outstanding,
        "claims_unreported": reserves.ibnr, "claims_unpaid": pool.unpaid.total}
    liabilities.update({name: value() for name, value in pool.owed.items()})
    return Statement(pool.name, account_of(pool), pool.layer_money(), assets, liabilities, pool.defaulted_on)


def statement_ties_to_ledger(pool: InsurancePool) -> str | None:
    """Cash in the statement == balances of the pool's accounts; unearned premium == its schedule; equity == capital."""
    a, own = pool.accounts, statement(pool)
    held = sum(pool.ledger.balance(pool.asset, account)
               for account in (a.unearned, a.claims, a.surplus, a.junior, a.senior, a.expenses))
    stated = own.cash + own.assets["unearned_premium_cash"] + own.assets["administration_cash"]
    if stated != held:
        return f"states {stated} in cash and holds {held}"
    if own.liabilities["unearned_premium"] != pool.unearned.total:
        return f"owes {pool.unearned.total} of unearned premium and states {own.liabilities['unearned_premium']}"
    return None if own.equity == pool.capital else f"states own funds of {own.equity} and has {pool.capital}"
