"""What anybody may call: a generator of calls per entry point of each contract, with good, silly and hostile arguments.

To add a contract's entry points, write a function of (market, dice) that returns a call, and decorate it with the name
of the section that must be present:

    @entry("lending")
    def borrow(market, dice):
        desk = market.mechanism("lending")
        account = dice.account()
        return lambda: desk.borrow(account, dice.asset(), dice.amount(desk.room(account)))

Arguments are drawn before the call, so that a call can be repeated. Only what an outsider can reach belongs here: what
a contract's own owner, its governance or the day calls is not an entry point.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from sim.agents.adversary.false_claims import FIRST_SERIAL
from sim.contracts.amm import routing
from sim.contracts.claims.table import OPEN
from sim.kernel.fixedpoint import MAX_INT64, MICRO
from sim.world.clinical_records import _UNKNOWN

Call = Callable[[], object]
ENTRIES: dict[str, tuple[str, Callable[[Any, Dice], Call]]] = {}
"""Name of the entry point -> (section that must be present, generator of calls)."""

AGENTS = ("traders", "liquidity_providers", "oracles", "researchers", "adversaries", "providers")
"""Sectors whose accounts are agents' own wallets."""


def entry(section: str) -> Callable[[Callable[[Any, Dice], Call]], Callable[[Any, Dice], Call]]:
    """Register a generator of calls under "section.name"."""
    def register(make: Callable[[Any, Dice], Call]) -> Callable[[Any, Dice], Call]:
        ENTRIES[f"{section}.{make.__name__}"] = section, make
        return make
    return register


class Dice(random.Random):
    """Random arguments for a market."""

    def __init__(self, market: Any, seed: int) -> None:
        super().__init__(seed)
        self.market = market
        self.book: Any = None
        ledger = market.ledger
        self.people = [int(one) for one in ledger.person(np.arange(market.people.size))]
        contracts = set(market.mechanism("claims").operators.staking.escrows.tolist())
        self.agents = [account for account in range(ledger.people_start) if _open(ledger, account)
                       and ledger.account_sector(account) in AGENTS and account not in contracts
                       and not ledger.account_name(account).startswith(("bribe_escrow",))]

    def account(self) -> int:
        """A wallet: an agent's, or a person's."""
        return self.choice(self.agents) if self.random() < 0.5 else self.choice(self.people)

    def asset(self) -> int:
        return self.randrange(len(self.market.ledger.assets))

    def amount(self, held: int = 10**9) -> int:
        """A part of ``held`` mostly; else nothing, a unit, too much, negative or absurd."""
        kind = self.random()
        if kind < 0.7:
            return int(held * self.random() ** 3)
        return self.choice([0, 1, 2, held, held + 1, 10 * held + 7, -1, -held, 10**15, MAX_INT64 // 2, MAX_INT64])

    def number(self, count: int) -> int:
        """An index below ``count`` mostly, else one that does not exist."""
        return self.randrange(count) if count and self.random() < 0.9 else self.choice([-1, count, count + 5, 10**6])

    def holder(self, asset: int) -> int:
        """A wallet that holds some of ``asset`` mostly, else any."""
        balances = self.market.ledger.balances(asset)
        holders = [account for account in self.agents if account < balances.size and balances[account]]
        return self.choice(holders) if holders and self.random() < 0.85 else self.account()

    def part(self, asset: int, account: int) -> int:
        """An amount by what ``account`` holds of ``asset``; ``account`` may be outside the asset's span."""
        balances = self.market.ledger.balances(asset)
        return self.amount(int(balances[account]) if 0 <= account < balances.size else 0)

    def one_of(self, members: Iterable[int]) -> int:
        """A member mostly, else any wallet."""
        known = sorted(members)
        return self.choice(known) if known and self.random() < 0.85 else self.account()

    def slots(self, most: int = 4) -> np.ndarray:
        return np.array(self.sample(range(self.market.people.size), self.randint(1, most)), dtype=np.int64)


def _open(ledger: Any, account: int) -> bool:
    try:
        ledger.account_sector(account)
    except ValueError:
        return False
    return True


# Ledger ----------------------------------------------------------------------------------------------------------


@entry("population")
def transfer(market, dice):
    source, target, asset = dice.account(), dice.account(), market.usd
    amount = dice.amount(market.ledger.balance(asset, source))
    return lambda: market.ledger.transfer(asset, source, target, amount, "gift")


# Market makers ---------------------------------------------------------------------------------------------------


def _pool(market, dice):
    return dice.choice([pool for _, pool in sorted(market.mechanism("amm").pools.items())])


@entry("amm")
def route(market, dice):
    """Sell along the best route over all pools; reserves may have moved since, and the least may be too much."""
    pools = [pool for _, pool in sorted(market.mechanism("amm").pools.items())]
    traded = sorted({asset for pool in pools for asset in (pool.base, pool.quote)})
    sold, bought = dice.choice(traded), dice.choice([*traded, dice.asset()])
    account = dice.holder(sold)
    amount, least = dice.part(sold, account), dice.choice([0, 0, 0, 10**6, MAX_INT64])
    return lambda: routing.swap(market.ledger, routing.best_route(pools, sold, bought, amount), account, sold, least)


@entry("amm")
def swap(market, dice):
    pool = _pool(market, dice)
    asset = dice.choice([pool.base, pool.quote])
    account = dice.holder(asset)
    amount, least = dice.part(asset, account), dice.choice([0, 0, 0, 10**6])
    return lambda: pool.swap(account, asset, amount, least)


@entry("amm")
def swap_for(market, dice):
    pool, account = _pool(market, dice), dice.account()
    asset, wanted, most = dice.choice([pool.base, pool.quote]), dice.amount(), dice.amount(10**12)
    return lambda: pool.swap_for(account, asset, wanted, most)


@entry("amm")
def add_liquidity(market, dice):
    pool = _pool(market, dice)
    account = dice.holder(pool.base)
    base, quote = (dice.part(asset, account) for asset in (pool.base, pool.quote))
    return lambda: pool.add_liquidity(account, base, quote)


@entry("amm")
def remove_liquidity(market, dice):
    pool = _pool(market, dice)
    holders = [account for account in dice.agents if market.ledger.balance(pool.shares, account)]
    account = dice.choice(holders) if holders and dice.random() < 0.7 else dice.choice(dice.agents)
    shares = dice.amount(market.ledger.balance(pool.shares, account))
    return lambda: pool.remove_liquidity(account, shares)


@entry("amm")
def flash_swap(market, dice):
    pool, account = _pool(market, dice), dice.account()
    base, quote = (dice.amount(reserve) for reserve in pool.reserves())
    back = dice.choice([1.0, 1.01, 0.9])

    def repay():
        market.ledger.transfer(pool.base, account, pool.account, int(base * back), "repay")
        market.ledger.transfer(pool.quote, account, pool.account, int(quote * back), "repay")

    return lambda: pool.flash_swap(account, base, quote, repay)


@entry("amm")
def sync(market, dice):
    pool = _pool(market, dice)
    return dice.choice([pool.sync, pool.collect_fee])


# Health token ----------------------------------------------------------------------------------------------------


@entry("health_token")
def subscribe(market, dice):
    token, account = market.mechanism("health_token"), dice.account()
    usd = dice.amount(market.ledger.balance(market.usd, account))
    return lambda: dice.choice([token.subscribe, token.mint])(account, usd)


@entry("health_token")
def redeem(market, dice):
    token, account = market.mechanism("health_token"), dice.account()
    tokens = dice.amount(market.ledger.balance(token.asset, account))
    return lambda: token.redeem(account, tokens)


# Insurance -------------------------------------------------------------------------------------------------------


@entry("insurance")
def deposit(market, dice):
    insurance, account = market.mechanism("insurance"), dice.choice(dice.agents)
    pool, assets = dice.randrange(len(insurance.pools)), dice.amount(market.ledger.balance(market.usd, account))
    tranche = dice.choice(["senior", "senior", "junior"])
    return lambda: insurance.deposit(pool, account, assets, tranche)


@entry("insurance")
def request_withdrawal(market, dice):
    insurance, account = market.mechanism("insurance"), dice.choice(dice.agents)
    pool = dice.randrange(len(insurance.pools))
    shares = dice.amount(market.ledger.balance(insurance.pools[pool].senior.asset, account))
    return lambda: insurance.request_withdrawal(pool, account, shares)


@entry("insurance")
def enrol(market, dice):
    insurance, slots = market.mechanism("insurance"), dice.slots()
    options = np.array([dice.randrange(len(insurance.options)) for _ in slots], dtype=np.int64)
    return lambda: insurance.enrol(slots, options, market.day)


@entry("insurance")
def lapse(market, dice):
    slots = dice.slots(1)
    return lambda: market.mechanism("insurance").lapse(slots)


# Claims and oracles ----------------------------------------------------------------------------------------------


def forget(records, ids):
    """What providers know of care is no contract and is written with the claim; here the claim may be undone."""
    records._true[ids] = _UNKNOWN
    records._count -= ids.size


@entry("claims")
def file_claims(market, dice):
    claims, records, slots = market.mechanism("claims"), market.mechanism("providers").records, dice.slots()
    people, count = market.people, slots.size
    amounts = np.array([min(dice.amount(), 10**11) for _ in slots], dtype=np.int64)
    days = market.day - np.array([dice.choice([0, 0, 1, 400, -1]) for _ in slots], dtype=np.int64)
    serials = np.full(count, 7 * FIRST_SERIAL + dice.randrange(3), dtype=np.int64)
    true = np.maximum(amounts, 0) * dice.randrange(2)

    def call():
        ids = claims.file(people["pool"][slots].astype(np.int64), slots, people["key"][slots],
                          slots + market.ledger.people_start, amounts, days, market.day, serials, people["plan"][slots])
        filed = ids[ids >= 0]
        records.add(filed, true[ids >= 0])
        market.ledger.on_rollback(lambda: forget(records, filed))
        return ids

    return call


@entry("claims")
def appeal(market, dice):
    claims = market.mechanism("claims")
    ids = np.array(sorted({dice.randrange(max(len(claims.table), 1)) for _ in range(3)}), dtype=np.int64)
    if not len(claims.table):
        return lambda: None
    payers = np.array([dice.account() for _ in ids], dtype=np.int64)
    return lambda: claims.appeal(ids, payers, market.day)


@entry("claims")
def dispute(market, dice):
    claims = market.mechanism("claims")
    ids = np.array([dice.randrange(max(len(claims.table), 1))], dtype=np.int64)
    disputer = np.array([dice.account()], dtype=np.int64)
    return lambda: claims.dispute(ids, disputer, market.day)


@entry("oracles")
def stake(market, dice):
    operators = market.mechanism("claims").operators
    number = dice.randrange(len(operators))
    amount = dice.amount(market.ledger.balance(operators.staking.asset, int(operators.wallets[number])))
    return lambda: operators.staking.stake(number, int(operators.wallets[number]), amount)


@entry("oracles")
def request_unstake(market, dice):
    staking = market.mechanism("claims").operators.staking
    number = dice.randrange(staking.escrows.size)
    amount = dice.amount(int(staking.stakes()[number]))
    return lambda: staking.request_unstake(number, amount, market.day)


@entry("oracles")
def withdraw_stake(market, dice):
    operators = market.mechanism("claims").operators
    number = dice.randrange(len(operators))
    return lambda: operators.staking.withdraw(number, int(operators.wallets[number]), market.day)


@entry("oracle_briber")
def promise(market, dice):
    escrow, claims = market.mechanism("oracle_briber").escrow, market.mechanism("claims")
    waiting = np.flatnonzero(np.isin(claims.table["status"], OPEN)).tolist()
    claim = dice.choice(waiting) if waiting and dice.random() < 0.8 else dice.number(len(claims.table))
    promises = tuple(dice.amount(10**7) for _ in range(dice.randint(0, 3)))
    deposit = dice.choice([3, 4, 2]) * max(promises, default=0) + dice.choice([0, 0, -1, 10**6])
    contingent = dice.random() < 0.5
    return lambda: escrow.offer(claim, deposit, promises, contingent)


# Data and research -----------------------------------------------------------------------------------------------


@entry("data_vault")
def consent(market, dice):
    vault, slots = market.mechanism("data_vault"), dice.slots()
    prices = np.array([dice.amount(50 * MICRO) for _ in slots], dtype=np.int64)
    until = market.day + dice.choice([0, 30, 365, -1])
    return lambda: vault.consent(slots, prices, until)


@entry("data_vault")
def withdraw_consent(market, dice):
    slots = dice.slots()
    return lambda: market.mechanism("data_vault").withdraw(slots)


@entry("data_vault")
def buy_data(market, dice):
    vault = market.mechanism("data_vault")
    buyer, quantity, price = dice.number(4), dice.amount(20), dice.amount(100 * MICRO)
    condition = dice.choice([-1, 0, 1, 2])
    return lambda: vault.buy(buyer, quantity, price, condition)


@entry("research")
def rank_grants(market, dice):
    grants = market.mechanism("research").grants
    number, voter, votes = dice.number(max(len(grants.rounds), 1)), dice.randrange(20), abs(dice.amount(1000))
    points = {dice.number(3): dice.choice([10_000, 5_000, -1, 20_000]) for _ in range(2)}
    return lambda: grants.rank(number, voter, votes, points)
