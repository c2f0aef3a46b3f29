"""Entry points of governance and its options; see entry_points.py. Which are on differs from market to market."""

from __future__ import annotations

import numpy as np
from entry_points import entry

from sim.contracts.governance.actions import ChangeParameter, FundProgramme, PayFromTreasury, SetBudget
from sim.contracts.governance.governor import Support
from sim.contracts.governance.voting_power import NOBODY


def _action(market, dice):
    paths = sorted(one.path for mechanism in market.active() for one in getattr(mechanism.section, "governable", ()))
    return dice.choice([
        ChangeParameter(dice.choice([*paths, "no.such"]), dice.choice([0.0, 1.0, -1.0, 1e9, dice.random() * 10])),
        PayFromTreasury(market.usd, dice.account(), dice.amount()),
        FundProgramme(dice.choice(["grants", "nothing"]), dice.number(3), dice.amount()),
        SetBudget(dice.choice(["grants", "rewards", "x"]), dice.amount()),
    ])


@entry("governance")
def propose(market, dice):
    governance = market.mechanism("governance")
    voter = dice.number(len(governance.power.voters))
    actions = tuple(_action(market, dice) for _ in range(dice.randint(0, 3)))
    return lambda: governance.propose(voter, actions, "fuzz")


@entry("governance")
def vote(market, dice):
    governance = market.mechanism("governance")
    number, voter = dice.number(len(governance.governor)), dice.number(len(governance.power.voters))
    support = dice.choice(list(Support))
    return lambda: governance.vote(number, voter, support)


@entry("governance")
def queue_or_execute(market, dice):
    governance = market.mechanism("governance")
    number = dice.number(len(governance.governor))
    return lambda: dice.choice([governance.queue, governance.execute])(number)


@entry("governance")
def delegate(market, dice):
    governance = market.mechanism("governance")
    voter, account, slots = dice.number(len(governance.power.voters)), dice.choice(dice.agents), dice.slots()
    voters = np.full(slots.size, np.int16(min(voter, 30_000)), dtype=np.int16)
    if dice.random() < 0.5:
        return lambda: governance.delegate(account, voter)
    return lambda: governance.delegate_people(slots, voters)


@entry("governance")
def spend_without_authority(market, dice):
    treasury, account, amount = market.mechanism("governance").treasury, dice.account(), dice.amount()
    return lambda: treasury.spend(market.usd, account, amount, "theft", "")


# Options -----------------------------------------------------------------------------------------------------------


def _number(governance, dice):
    """A proposal that is open mostly, else any or none."""
    going = governance.governor.open()
    return dice.choice(going).number if going and dice.random() < 0.9 else dice.number(len(governance.governor))


@entry("governance")
def propose_theft(market, dice):
    """A proposal by somebody who can make it, to pay himself."""
    governance = market.mechanism("governance")
    voter = dice.randrange(len(governance.power.voters))
    amount = dice.amount(governance.treasury.balance())
    action = PayFromTreasury(market.usd, governance.power.voters[voter], amount)
    if len(governance.governor.open()) >= 12:
        return lambda: None
    return lambda: governance.propose(voter, (action,), "theft")


@entry("governance")
def vote_on_what_is_open(market, dice):
    governance = market.mechanism("governance")
    number, voter = _number(governance, dice), dice.number(len(governance.power.voters))
    support = dice.choice([Support.FOR, Support.FOR, Support.FOR, *Support])
    return lambda: governance.vote(number, voter, support)


@entry("governance")
def emergency_commit(market, dice):
    governance = market.mechanism("governance")
    number = _number(governance, dice)
    return lambda: governance.emergency_commit(number)


@entry("governance")
def veto(market, dice):
    governance = market.mechanism("governance")
    number, guardian = _number(governance, dice), dice.one_of(governance.guardians if dice.random() < 0.3 else ())
    return lambda: governance.veto(number, guardian)


@entry("governance")
def cancel(market, dice):
    governance = market.mechanism("governance")
    number, voter = _number(governance, dice), dice.number(len(governance.power.voters))
    return lambda: governance.governor.cancel(number, voter, market.day)


@entry("governance")
def carry_out(market, dice):
    governance = market.mechanism("governance")
    number = _number(governance, dice)
    return lambda: dice.choice([governance.queue, governance.execute])(number)


@entry("governance")
def delegate_in_a_chain(market, dice):
    """Voters delegate to each other, in circles too, and nobody to somebody who is none."""
    governance = market.mechanism("governance")
    voters = governance.power.voters
    source, target = dice.randrange(len(voters)), dice.choice([NOBODY, dice.number(len(voters))])
    return lambda: governance.delegate(voters[source], target)


@entry("governance")
def voting_deposit(market, dice):
    governance = market.mechanism("governance")
    if governance.deposits is None:
        return lambda: None
    voter = dice.number(len(governance.power.voters))
    inside = 0 <= voter < len(governance.power.voters)
    amount = dice.part(market.usd, governance.power.voters[voter]) if inside else dice.amount()
    return lambda: governance.deposits.deposit(voter, amount)


@entry("governance")
def voting_withdrawal(market, dice):
    governance = market.mechanism("governance")
    if governance.deposits is None:
        return lambda: None
    held = governance.deposits.held
    voter = dice.choice(sorted(held)) if held and dice.random() < 0.9 else dice.number(len(governance.power.voters))
    amount = dice.amount(held.get(voter, 10**6))
    return lambda: governance.deposits.withdraw(voter, amount, market.day)


@entry("governance")
def offer_for_votes(market, dice):
    governance = market.mechanism("governance")
    offers, number, owner = governance.vote_market, _number(governance, dice), dice.holder(market.usd)
    price, budget = dice.amount(10**9), dice.part(market.usd, owner) // 1_000
    return lambda: offers.post(number, owner, dice.choice(list(Support)), price, budget)


@entry("governance")
def claim_for_a_vote(market, dice):
    governance = market.mechanism("governance")
    offers = governance.vote_market
    number = dice.choice(sorted(offers.offers)) if offers.offers else 0
    voter = dice.number(len(governance.power.voters))
    return lambda: offers.claim(governance.governor[number], voter)
