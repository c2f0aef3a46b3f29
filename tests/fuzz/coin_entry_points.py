"""Entry points of synthetics and of the stablecoin in both forms; see entry_points.py."""

from __future__ import annotations

from entry_points import entry

# Synthetics ------------------------------------------------------------------------------------------------------


def _synthetic(market, dice):
    """A synthetic mostly, else any asset."""
    listed = sorted(market.mechanism("synthetics").debts.prices)
    return dice.choice(listed) if dice.random() < 0.95 else dice.asset()


def _issuer(market, dice):
    return dice.one_of(market.mechanism("synthetics").debts.positions)


@entry("synthetics")
def deposit_collateral(market, dice):
    debts = market.mechanism("synthetics").debts
    account = dice.holder(debts.collateral)
    amount = dice.part(debts.collateral, account)
    return lambda: debts.deposit(account, amount)


@entry("synthetics")
def withdraw_collateral(market, dice):
    debts, account = market.mechanism("synthetics").debts, _issuer(market, dice)
    held = debts.positions[account].collateral if account in debts.positions else 10**6
    amount = dice.amount(held)
    return lambda: debts.withdraw(account, amount)


@entry("synthetics")
def issue(market, dice):
    debts, account, asset = market.mechanism("synthetics").debts, _issuer(market, dice), _synthetic(market, dice)
    held = debts.positions[account].collateral if account in debts.positions else 10**6
    amount = dice.amount(held)
    return lambda: debts.mint(account, asset, amount)


@entry("synthetics")
def burn(market, dice):
    debts, account, asset = market.mechanism("synthetics").debts, _issuer(market, dice), _synthetic(market, dice)
    amount = dice.part(asset, account)
    return lambda: debts.burn(account, asset, amount)


@entry("synthetics")
def exchange(market, dice):
    debts, sold, bought = market.mechanism("synthetics").debts, _synthetic(market, dice), _synthetic(market, dice)
    account = dice.holder(sold)
    amount = dice.part(sold, account)
    return lambda: debts.exchange(account, sold, amount, bought)


@entry("synthetics")
def flag(market, dice):
    debts, account = market.mechanism("synthetics").debts, _issuer(market, dice)
    return lambda: debts.flag(account)


@entry("synthetics")
def liquidate_issuer(market, dice):
    debts, account, asset = market.mechanism("synthetics").debts, _issuer(market, dice), _synthetic(market, dice)
    flagged = sorted(one for one, position in debts.positions.items() if position.flagged >= 0)
    account = dice.choice(flagged) if flagged and dice.random() < 0.9 else account
    liquidator = dice.holder(asset)
    most = dice.part(asset, liquidator)
    return lambda: debts.liquidate(liquidator, account, asset, most)


@entry("synthetics")
def liquidate_self(market, dice):
    debts, account = market.mechanism("synthetics").debts, _issuer(market, dice)
    return lambda: debts.liquidate_self(account)


# Stablecoin ------------------------------------------------------------------------------------------------------


@entry("stablecoin")
def redeem_for_cash(market, dice):
    coin = market.mechanism("stablecoin")
    account = dice.holder(coin.coin)
    amount = dice.part(coin.coin, account)
    return lambda: coin.redeem_for_cash(account, amount)


@entry("stablecoin")
def mint_for_cash(market, dice):
    coin, account = market.mechanism("stablecoin"), dice.holder(market.usd)
    amount, most = dice.part(market.usd, account), dice.part(market.usd, account)
    return lambda: coin.mint_for_cash(account, amount, most)


@entry("stablecoin")
def mint_or_redeem(market, dice):
    """The algorithmic form's own calls, or a redemption from troves."""
    mechanism = market.mechanism("stablecoin")
    account = dice.holder(dice.choice([mechanism.coin, mechanism.share if mechanism.mint_redeem else mechanism.coin]))
    amount, mints = dice.part(mechanism.coin, account), dice.random() < 0.5
    if mechanism.mint_redeem is None:
        return lambda: mechanism.troves.redeem(account, amount)
    return lambda: (mechanism.mint_redeem.mint if mints else mechanism.mint_redeem.redeem)(account, amount)


def troves_entry(make):
    """Register a call of troves; in a market without any it does nothing."""
    def generator(market, dice):
        troves = market.mechanism("stablecoin").troves
        return make(troves, dice) if troves is not None else lambda: None

    generator.__name__ = make.__name__
    return entry("stablecoin")(generator)


def _borrower(troves, dice):
    return dice.one_of(troves.troves)


@troves_entry
def open_trove(troves, dice):
    account = dice.holder(troves.collateral)
    collateral = dice.part(troves.collateral, account)
    amount = dice.choice([troves.rules.least_debt, dice.amount(max(collateral, 1)), collateral // 2])
    return lambda: troves.open(account, collateral, amount)


@troves_entry
def borrow_more(troves, dice):
    account, amount = _borrower(troves, dice), dice.amount()
    return lambda: troves.borrow(account, amount)


@troves_entry
def change_collateral(troves, dice):
    account = _borrower(troves, dice)
    held = troves.troves[account].collateral if account in troves.troves else 10**6
    amount = dice.choice([dice.amount(held), dice.part(troves.collateral, account)])
    return lambda: dice.choice([troves.add_collateral, troves.withdraw_collateral])(account, amount)


@troves_entry
def repay_trove(troves, dice):
    account = _borrower(troves, dice)
    amount = dice.part(troves.coin, account)
    return lambda: troves.repay(account, amount)


@troves_entry
def close_trove(troves, dice):
    account = _borrower(troves, dice)
    return lambda: troves.close(account)


@troves_entry
def claim(troves, dice):
    account = dice.one_of({*troves.surplus, *troves.stability.gains})
    return lambda: dice.choice([troves.claim_surplus, troves.stability.claim])(account)


@troves_entry
def liquidate_trove(troves, dice):
    liquidator = dice.account()
    risky = troves.by_risk()[:3] if dice.random() < 0.7 else troves.troves
    account = dice.one_of(risky)
    return lambda: troves.liquidate(liquidator, account)


@troves_entry
def stability_deposit(troves, dice):
    account = dice.holder(troves.coin)
    amount = dice.part(troves.coin, account)
    return lambda: troves.stability.deposit(account, amount)


@troves_entry
def stability_withdraw(troves, dice):
    account = dice.one_of(troves.stability.deposits)
    amount = dice.amount(troves.stability.deposits.get(account, 10**6))
    return lambda: troves.stability.withdraw(account, amount)
