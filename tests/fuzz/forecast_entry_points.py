"""Entry points of prediction markets and derivatives; see entry_points.py.

The market's own derivatives are traded and settled by the day and not by outsiders. Here random parties, with cash or
as insurance pools, write contracts of their own (:class:`Book`), and whoever marks or settles them does it with any
figure on any day.
"""

from __future__ import annotations

from entry_points import entry

from sim.contracts.derivatives.incidence_swap import IncidenceSwap, SwapTerms
from sim.contracts.derivatives.margin import MarginedContract, Side, Standing
from sim.contracts.derivatives.morbidity_forward import ForwardTerms, MorbidityForward
from sim.contracts.derivatives.pandemic_bond import BondClass, PandemicBond
from sim.contracts.derivatives.parties import CashParty
from sim.kernel.fixedpoint import MICRO

# Prediction markets ----------------------------------------------------------------------------------------------


def _question(market, dice):
    """A question, open ones first; None where none was ever asked."""
    questions = market.mechanism("prediction_markets").questions
    asked = [question for question in questions if question.maker.open]
    return dice.choice(asked if asked and dice.random() < 0.9 else questions) if questions else None


@entry("prediction_markets")
def trade_shares(market, dice):
    question = _question(market, dice)
    if question is None:
        return lambda: None
    maker = question.maker
    account = dice.one_of(maker.holders()) if dice.random() < 0.5 else dice.holder(market.usd)
    held = maker.shares_of(account)
    trade = [dice.choice([0, dice.amount(10**9), -dice.amount(one)]) for one in held]
    if dice.random() < 0.05:
        trade = trade[:-1]
    most = dice.choice([dice.part(market.usd, account), 10**12])
    return lambda: maker.trade(account, trade, most)


@entry("prediction_markets")
def trade_to_price(market, dice):
    question = _question(market, dice)
    if question is None:
        return lambda: None
    maker, account = question.maker, dice.holder(market.usd)
    outcome, price = dice.randrange(len(maker.sold)), dice.choice([dice.random(), 1e-12, 1.0 - 1e-12])

    def call():
        trade = [0] * len(maker.sold)
        trade[outcome] = maker.shares_to_price(outcome, price)
        maker.trade(account, trade, 10**12)

    return call


@entry("prediction_markets")
def redeem_shares(market, dice):
    question = _question(market, dice)
    if question is None:
        return lambda: None
    account = dice.one_of(question.maker.shares)
    return lambda: question.maker.redeem(account)


@entry("prediction_markets")
def stake_on_benchmark(market, dice):
    question, account = _question(market, dice), dice.holder(market.usd)
    if question is None:
        return lambda: None
    outcome, amount = dice.number(question.benchmark.outcomes), dice.part(market.usd, account) // 100
    return lambda: question.benchmark.stake(account, outcome, amount)


# Derivatives -----------------------------------------------------------------------------------------------------

MOST_CONTRACTS = 24


class Book:
    """The contracts that outsiders wrote among themselves."""

    def __init__(self, market, accounts):
        ledger = market.ledger
        self.market, self.written = market, 0
        self.parties = [CashParty(ledger, market.usd, f"fuzz_party_{number}", "traders") for number in range(4)]
        for party, source in zip(self.parties, accounts, strict=False):
            ledger.transfer(market.usd, source, party.account, ledger.balance(market.usd, source) // 2, "gift")
        self.swaps: list[IncidenceSwap] = []
        self.forwards: list[MorbidityForward] = []
        self.bonds: list[PandemicBond] = []

    def contracts(self):
        bonds = [bond.swap for bond in self.bonds if bond.swap is not None]
        return [one.contract for one in (*self.swaps, *self.forwards)] + bonds

    def check(self):
        """Owed is paid and unpaid; margin is there only while a contract is in force; trusts hold what is out."""
        for contract in self.contracts():
            for side in Side:
                account = contract.accounts[side]
                if account.owed != account.paid + account.unpaid or min(account.owed, account.paid, account.unpaid) < 0:
                    return f"{contract.name}: the {side.name} side owed {account.owed}, paid {account.paid}"
                if not contract.open and contract.posted(side):
                    return f"{contract.name} is {contract.standing} and holds margin"
        for swap in self.swaps:
            if swap.settled > swap.terms.periods or (
                    swap.contract.standing is Standing.NEW and swap.settled):
                return f"{swap.contract.name} has settled {swap.settled} periods"
        return next((broken for broken in (bond.check_trust() for bond in self.bonds) if broken), None)

    def state(self):
        """All that the contracts remember beside the ledger."""
        told = [(c.standing, c.value, c.defaulter, c.closed_on, *((a.owed, a.paid, a.unpaid) for a in c.accounts))
                for c in self.contracts()]
        bonds = [(b.outstanding, b.coupon_owed, b.coupon_paid, b.paid_out, b.swap_paid, b.triggered_on, b.matured)
                 for b in self.bonds]
        return (told, bonds, [(list(s.payouts), list(s.premiums)) for s in self.swaps],
                [f.payment for f in self.forwards], [p.failed_on for p in self.parties])


def _book(market, dice):
    if dice.book is None:
        rich = sorted(dice.agents, key=lambda account: -market.ledger.balance(market.usd, account))
        dice.book = Book(market, rich[:3])
    return dice.book


def derivative_entry(make):
    """Register a call on the book; the first one opens it."""
    def generator(market, dice):
        return make(_book(market, dice), dice)

    generator.__name__ = make.__name__
    return entry("outbreak_swap")(generator)


@derivative_entry
def write_contract(book, dice):
    ledger, usd, day = book.market.ledger, book.market.usd, book.market.day
    long, short = dice.sample(book.parties, 2)
    initial = (dice.amount(10**10), dice.amount(10**10)) if dice.random() < 0.9 else (10**17, 10**6)
    kind, notional = dice.choice(["swap", "forward", "bond"]), 1 + abs(dice.amount(10**11)) % 10**12
    if book.written >= MOST_CONTRACTS:
        return lambda: None

    def call():
        name = f"fuzz_{kind}_{book.written}"
        contract = MarginedContract(ledger, usd, name, long, short, initial)
        if kind == "swap":
            terms = SwapTerms(0, day, 7, 3, notional, notional // 20, 100, 1_000)
            swap = IncidenceSwap(contract, terms)
            contract.enter()
            book.swaps.append(swap)
        elif kind == "forward":
            contract.enter()
            book.forwards.append(MorbidityForward(contract, ForwardTerms(day, day + 30, notional, MICRO // 20, MICRO)))
        else:
            terms = BondClass(name, notional, notional // 2, 650, 2_500, dice.choice([5_000, 10_000, 1_667]))
            bond = PandemicBond(ledger, usd, terms, long, short, contract)
            bond.issue()
            book.bonds.append(bond)
        book.written += 1

    return call


@derivative_entry
def settle_period(book, dice):
    if not book.swaps:
        return lambda: None
    swap, incidence = dice.choice(book.swaps), dice.choice([0, 100, 500, 1_000, 10**7])
    left = dice.choice([0, dice.amount(10**9), -dice.amount(10**9)])
    return lambda: swap.settle_period(incidence, book.market.day, left)


@derivative_entry
def mark(book, dice):
    contracts = book.contracts()
    if not contracts:
        return lambda: None
    contract, value = dice.choice(contracts), dice.choice([-1, 1]) * dice.amount(10**10)
    return lambda: contract.mark(value, book.market.day)


@derivative_entry
def settle_forward(book, dice):
    if not book.forwards:
        return lambda: None
    forward, base = dice.choice(book.forwards), dice.choice([10**6, 1, 0])
    cost, final = dice.amount(2 * 10**6), dice.random() < 0.5
    day = book.market.day

    def call():
        deviation = forward.terms.deviation(cost, base, day - forward.terms.start)
        return forward.settle(deviation, day) if final else forward.mark(deviation, day)

    return call


@derivative_entry
def bond_event(book, dice):
    if not book.bonds:
        return lambda: None
    bond, day = dice.choice(book.bonds), book.market.day
    days = dice.choice([0, 30, 90, 365])
    return lambda: dice.choice([lambda: bond.pay_coupon(days, day), lambda: bond.trigger(day),
                                lambda: bond.mature(day), bond.issue])()


@derivative_entry
def pay_late(book, dice):
    contracts = book.contracts()
    if not contracts:
        return lambda: None
    contract, side, most = dice.choice(contracts), dice.choice(list(Side)), dice.choice([None, dice.amount()])
    return lambda: contract.pay_late(side, most)
