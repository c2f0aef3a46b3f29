"""Entry points of lending, collateral auctions and flash loans; see entry_points.py.

The program of a flash loan is a few other calls, chosen and drawn beforehand; some of them swallow a refusal and go on,
others let it end the whole loan, and most borrowers cannot repay.
"""

from __future__ import annotations

from entry_points import ENTRIES, entry

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import BPS
from sim.kernel.ledger import LedgerError


def _lent(market, dice):
    """An asset that is lent mostly, else any."""
    return dice.choice(sorted(market.mechanism("lending").pool.markets)) if dice.random() < 0.95 else dice.asset()


@entry("lending")
def supply(market, dice):
    pool, asset = market.mechanism("lending").pool, _lent(market, dice)
    account = dice.holder(asset)
    amount = dice.part(asset, account)
    return lambda: pool.supply(account, asset, amount)


@entry("lending")
def withdraw_supply(market, dice):
    pool, asset = market.mechanism("lending").pool, _lent(market, dice)
    lent = pool.markets.get(asset)
    account = dice.holder(lent.reserve.shares if lent else asset)
    amount = dice.part(lent.reserve.shares if lent else asset, account)
    return lambda: pool.withdraw(account, asset, amount)


@entry("lending")
def borrow(market, dice):
    pool, asset = market.mechanism("lending").pool, _lent(market, dice)
    account = dice.holder(dice.choice(list(pool.markets.values())).reserve.shares)
    amount = dice.amount(dice.choice([10**8, 10**10, 10**12]))
    return lambda: pool.borrow(account, asset, amount)


@entry("lending")
def borrow_all_one_can(market, dice):
    """Up to the loan to value at the price of now, or a unit beyond it."""
    pool, asset = market.mechanism("lending").pool, _lent(market, dice)
    account, extra = dice.holder(dice.choice(list(pool.markets.values())).reserve.shares), dice.choice([0, 0, 1, -1])

    def call():
        position, price = pool.position(account), pool.market(asset).price()
        pool.borrow(account, asset, (position.limit - position.debt) * 10**18 // max(price, 1) + extra)

    return call


@entry("lending")
def repay(market, dice):
    lending, asset = market.mechanism("lending"), _lent(market, dice)
    payer, account = dice.holder(asset), dice.one_of(lending.borrowers())
    amount = dice.part(asset, payer)
    return lambda: lending.pool.repay(payer, account, asset, amount)


@entry("lending")
def liquidate(market, dice):
    lending, debt, collateral = market.mechanism("lending"), _lent(market, dice), _lent(market, dice)
    liquidator = dice.holder(debt)
    account = dice.one_of(lending.unhealthy() or lending.borrowers())
    amount = dice.part(debt, liquidator)
    return lambda: lending.liquidate(liquidator, account, collateral, debt, amount)


@entry("lending")
def write_off(market, dice):
    lending = market.mechanism("lending")
    account = dice.one_of(lending.borrowers())
    return lambda: lending.pool.write_off(account)


@entry("lending")
def at_block(market, dice):
    """A call in a block of today: the clock goes on, and back with the call if it is refused."""
    lending, block, fails = market.mechanism("lending"), dice.randrange(1_000), dice.random() < 0.5
    nested = supply(market, dice)

    def call():
        lending.at_block(block)
        nested()
        if fails:
            raise Refused("the caller changes its mind")

    return call


@entry("collateral_auctions")
def bite(market, dice):
    lending, house = market.mechanism("lending"), market.mechanism("collateral_auctions")
    account, collateral = dice.one_of(lending.unhealthy() or lending.borrowers()), _lent(market, dice)
    return lambda: house.bite(account, collateral)


@entry("collateral_auctions")
def bid(market, dice):
    house = market.mechanism("collateral_auctions")
    number = dice.choice(sorted(house.open)) if house.open and dice.random() < 0.9 else dice.number(5)
    bidder = dice.holder(market.usd)
    auction = house.open.get(number)
    if auction is None or dice.random() < 0.2:
        amount, lot = dice.amount(), dice.amount()
        return lambda: house.bid(bidder, number, amount, lot)
    amount = dice.choice([house.least_bid(auction), auction.wanted, dice.amount(auction.wanted)])
    smaller = dice.choice([house.largest_lot(auction), dice.amount(auction.lot)])
    lot = auction.lot if amount < auction.wanted else smaller
    return lambda: house.bid(bidder, number, amount, lot)


@entry("collateral_auctions")
def settle_auction(market, dice):
    house = market.mechanism("collateral_auctions")
    number = dice.choice(sorted(house.open)) if house.open else dice.number(5)
    return lambda: house.settle(number)


# Flash loans -----------------------------------------------------------------------------------------------------


def _flash_asset(market, dice):
    return dice.choice(market.mechanism("flash_loans").pool.assets) if dice.random() < 0.95 else dice.asset()


@entry("flash_loans")
def flash_deposit(market, dice):
    pool, asset = market.mechanism("flash_loans").pool, _flash_asset(market, dice)
    account = dice.holder(asset)
    amount = dice.part(asset, account)
    return lambda: pool.deposit(account, asset, amount)


@entry("flash_loans")
def flash_withdraw(market, dice):
    pool, asset = market.mechanism("flash_loans").pool, _flash_asset(market, dice)
    token = pool._shares.get(asset, asset)
    account = dice.holder(token)
    shares = dice.part(token, account)
    return lambda: pool.withdraw(account, asset, shares)


def program(market, dice):
    """Some calls of other contracts, run one after another."""
    names = [name for name, (section, _) in sorted(ENTRIES.items()) if market.find(section) is not None]
    calls = [(ENTRIES[name][1](market, dice), dice.random() < 0.8)
             for name in dice.choices(names, k=dice.choice([0, 0, 1, 2, 3]))]

    def run():
        for call, swallows in calls:
            try:
                with market.ledger.atomic():
                    call()
            except (Refused, LedgerError):
                if not swallows:
                    raise

    return run


@entry("flash_loans")
def flash_loan(market, dice):
    loans, asset = market.mechanism("flash_loans"), _flash_asset(market, dice)
    account, amount, inside = dice.holder(asset), dice.amount(loans.available(asset)), program(market, dice)
    return lambda: loans.borrow(account, asset, amount, inside)


@entry("flash_loans")
def flash_loans_of_many(market, dice):
    loans = market.mechanism("flash_loans")
    wanted = [(asset, dice.amount(loans.available(asset)))
              for asset in (_flash_asset(market, dice) for _ in range(dice.randint(0, 3)))]
    account, inside = dice.holder(market.usd), program(market, dice)
    return lambda: loans.borrow_many(account, wanted, inside)


@entry("flash_loans")
def pledge_a_loan(market, dice):
    """What an attack is made of: borrow, pledge, borrow again, swap it back, repay what one can."""
    loans, lending = market.mechanism("flash_loans"), market.mechanism("lending").pool
    asset, debt, account = _flash_asset(market, dice), _lent(market, dice), dice.holder(market.usd)
    amount, share = dice.amount(loans.available(asset)), dice.randrange(BPS)
    pool = market.mechanism("amm").pool("HLT")
    back = dice.random() < 0.5

    def inside():
        lending.supply(account, asset, amount * share // BPS)
        lending.borrow(account, debt, amount // 10)
        pool.swap(account, pool.quote, amount // 100)
        if back:
            lending.repay(account, account, debt, amount)
            lending.withdraw(account, asset, amount * share // BPS)

    return lambda: loans.borrow(account, asset, amount, inside)
