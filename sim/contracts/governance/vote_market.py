"""A market for votes: somebody offers cash per vote on one proposal, and a contract pays whoever has voted so.

Holds the offers and, in one account, the money behind them. A voter is paid once, after its vote was counted, and as
far as the money lasts; what is left goes back when the vote is over. What can never be: payment without a counted vote
of that answer, twice, or beyond the money put up. Rounding: payments are floored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import mul_div

if TYPE_CHECKING:
    from sim.contracts.governance.proposal import Proposal, Support
    from sim.contracts.governance.voting_power import VotingPower
    from sim.kernel.ledger import Ledger

PRICE_UNIT = 1_000_000_000_000
"""Prices are micro-USD per 10^12 base units of votes (a million GOV), so that cheap votes have a price at all."""


@dataclass(slots=True)
class Offer:
    """An offer on one proposal. ``left`` micro-USD are still in escrow; ``paid`` maps a voter to what it got."""

    owner: int
    support: Support
    price: int
    left: int
    paid: dict[int, int] = field(default_factory=dict)


class VoteMarket:
    """Offers by proposal; one offer a proposal."""

    def __init__(self, ledger: Ledger, cash: int, votes: VotingPower) -> None:
        self._ledger = ledger
        self._cash = cash
        self._votes = votes
        self.account = ledger.open_account("vote_market", "protocol")
        self.offers: dict[int, Offer] = {}

    def post(self, number: int, owner: int, support: Support, price: int, budget: int) -> None:
        """Put up ``budget`` from the account ``owner`` for votes on proposal ``number``."""
        if number in self.offers:
            raise Refused(f"there is an offer on proposal {number}")
        if price < 0:
            raise Refused(f"nobody sells a vote for {price}")
        self._ledger.transfer(self._cash, owner, self.account, budget, "bribe_escrow")
        self._ledger.on_rollback(lambda: self.offers.pop(number))
        self.offers[number] = Offer(owner, support, price, budget)

    def quote(self, number: int, power: int) -> tuple[Support, int] | None:
        """(answer asked for, micro-USD for ``power`` votes), or None where nobody offers."""
        offer = self.offers.get(number)
        return None if offer is None else (offer.support, min(mul_div(power, offer.price, PRICE_UNIT), offer.left))

    def claim(self, proposal: Proposal, voter: int) -> int:
        """Pay ``voter`` for its counted vote; returns what was paid. :class:`Refused` where nothing is due."""
        offer = self.offers.get(proposal.number)
        ballot = proposal.ballots.get(voter)
        if offer is None or ballot is None or ballot[0] is not offer.support or voter in offer.paid:
            raise Refused(f"nothing is due to voter {voter} on proposal {proposal.number}")
        amount = min(mul_div(ballot[1], offer.price, PRICE_UNIT), offer.left)
        left = offer.left

        def undo() -> None:
            offer.left = left
            del offer.paid[voter]

        self._ledger.on_rollback(undo)
        self._ledger.transfer(self._cash, self.account, self._votes.voters[voter], amount, "bribe")
        offer.left -= amount
        offer.paid[voter] = amount
        return amount

    def refund(self, number: int) -> int:
        """Give back what an offer did not spend, once its vote is over."""
        offer = self.offers[number]
        amount, offer.left = offer.left, 0
        self._ledger.on_rollback(lambda: setattr(offer, "left", amount))
        self._ledger.transfer(self._cash, self.account, offer.owner, amount, "bribe_refund")
        return amount

    def escrow_holds(self) -> str | None:
        """The escrow holds what its offers have left."""
        held, owed = self._ledger.balance(self._cash, self.account), sum(o.left for o in self.offers.values())
        return None if held == owed else f"the vote market holds {held} base units, its offers have {owed} left"
