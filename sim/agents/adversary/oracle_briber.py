"""The briber of oracles: invented claims, and a public promise to the committee members who find them valid.

It knows what anybody can see: rewards, stakes at risk, committee sizes, how often votes agree, and how unequal honesty
is. From these it reckons how many members take the bribe, and files claims when the gain it expects exceeds bribes,
penalties and fees. A plain bribe is paid for the vote; p + epsilon (Buterin 2015) only to those who vote for the claim
and lose, so that it costs next to nothing when it succeeds, and needs only money that is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents.adversary.false_claims import FalseClaims
from sim.agents.oracle_bribes import BribedVote, Honesty
from sim.chain.mempool import Batch, Refused
from sim.contracts.bribe_escrow import BribeEscrow, Offer
from sim.contracts.claims.round import Round
from sim.contracts.oracle_committee.rules import Bribe
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.oracle_briber import OracleBriberSection

KIND = "bribed_claim"
GAS = 400_000
"""A claim, a deposit and a promise in one transaction."""


class Briber(mesa.Agent):
    """The adversary; its plans live in :class:`OracleBriber`."""


class OracleBriber(Mechanism):
    """The briber, its escrow, and the committee members' answer to it."""

    section: OracleBriberSection
    hooks = (
        Hook(Phase.ADVERSARIES, "act"),
        Hook(Phase.SETTLEMENT, "settle", after=("chain", "claims")),
    )

    def setup(self, market: Market) -> None:
        self.usd: int = market.ledger.asset_id("USDs")
        self.account: int = market.ledger.open_account("oracle_briber", "adversaries")
        self.recruiting = market.draws.decision("oracle_briber.members")
        self.sizing = market.draws.decision("oracle_briber.size")
        self.nature = market.draws.decision("oracles.honesty")
        self.budget = int(self.section.budget * MICRO)
        self.opening = self.budget * self.section.claims_per_wave + int(self.section.cash * MICRO)
        market.endow(self.account, self.opening)
        self.peak = self.penalties = self.penalties_unpaid = self.bribes_today = self.paid_before = 0
        self.offered_votes = self.taken_votes = 0
        self.expected_profit = 0.0
        self.promise = 0
        self._takers: dict[BribedVote, float] = {}

    def start(self, market: Market) -> None:
        self.claims: Any = market.mechanism("claims")
        self.oracles: Any = market.mechanism("oracles")
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind(KIND, GAS)
        self.treasury = market.treasury_account()
        self.escrow = BribeEscrow(market.ledger, self.usd, self.claims, self.account, "bribe_escrow", "adversaries")
        self.false = FalseClaims(market, self.recruiting, self.section.members, self.account,
                                 self.section.kept_share, 0)
        section = self.oracles.section
        self.conscience: NDArray[np.float64] = self.nature.lognormal(0, self.oracles.keys, 0.0, section.honesty_log_sd)
        self.oracles.ballots.influences.append(self.tempt)
        self.agent = Briber(cast(Any, market))

    # What a promise does -----------------------------------------------------------------------------------------

    def attack(self, level: int) -> Bribe:
        """The p + epsilon attack on a committee after ``level`` appeals, base units."""
        seats = self.claims.seats(level)
        slash = int(self.claims.at_stake().max(initial=0))
        attack = Bribe(self.claims.reward(), slash, int(self.section.epsilon * MICRO), seats)
        if self.claims.section.slashed_to == "majority":
            return Bribe(attack.reward, slash, attack.epsilon, seats, max(attack.largest_share, 0))
        return attack

    def new_offer(self, claim: int) -> Offer:
        """What would be promised on a claim."""
        levels = range(self.claims.section.maximum_appeals + 1)
        first = self.attack(0)
        promises = tuple(min(self.attack(level).promise, self.budget // self.attack(level).majority)
                         for level in levels)
        deposit = self.budget if self.section.bribe == "plain" else min(
            self.budget, max(one * self.attack(level).majority for level, one in zip(levels, promises, strict=True)))
        self.promise = min(first.promise, promises[0])
        return Offer(claim, deposit, promises, self.section.bribe == "p_plus_epsilon")

    def vote(self, offer: Offer, level: int) -> BribedVote:
        """How a member of a committee after ``level`` appeals sees its vote on a claim with that offer."""
        seats = self.claims.seats(level)
        promise, offered = offer.terms(level, seats)
        stakes = self.oracles.beliefs.expected(self.claims)
        return BribedVote(round(stakes.reward, 4), stakes.slash, promise / MICRO, seats, offered, offer.contingent,
                          self.claims.section.slashed_to == "majority", round(1.0 - float(self.oracles.others), 3))

    def believed_takers(self, vote: BribedVote) -> float:
        """Share of the members offered the bribe who are believed to take it."""
        if vote not in self._takers:
            section, reward = self.oracles.section, vote.reward
            honesty = Honesty(section.honesty * reward, section.honesty_log_sd, section.bribe_belief_noise * reward)
            self._takers[vote] = vote.believed_takers(honesty)
        return self._takers[vote]

    def tempt(self, round_: Round, amounts: NDArray[np.int64], valid: NDArray[np.bool_]) -> None:
        """Committee members who take the bribe on a claim of ``round_`` report it as valid, as claimed."""
        if not self.escrow.offers:
            return
        for row, claim in enumerate(round_.ids.tolist()):
            offer = self.escrow.offers.get(claim)
            if offer is None:
                continue
            vote = self.vote(offer, round_.level)
            if not vote.promise:
                continue
            gain = vote.expected_gain(self.believed_takers(vote))
            seats = round_.seats[row, :vote.offered]
            honesty = self.oracles.section.honesty * vote.reward * self.conscience[np.maximum(seats, 0)]
            takes = np.flatnonzero((seats >= 0) & (gain > honesty))
            valid[row, takes] = True
            amounts[row, takes] = round_.claimed[row]
            self.offered_votes += int((seats >= 0).sum())
            self.taken_votes += takes.size

    # Whether it pays ---------------------------------------------------------------------------------------------

    def expects(self, offer: Offer | None, claim: float) -> float:
        """Dollars of profit expected from a false claim of ``claim`` dollars with that offer, or without one."""
        chance, cost = 1.0, 0.0
        for level in range(2 if self.claims.review_above and claim * MICRO >= self.claims.review_above else 1):
            vote = self.vote(offer or Offer(0, 0, (1,), True), level)
            takers = self.believed_takers(vote)
            if vote.promise:
                cost += chance * vote.cost(takers)
            chance *= vote.success(takers) if vote.offered else BribedVote(
                vote.reward, vote.slash, 0.0, vote.seats, 1, True, vote.shared, vote.error).success(0.0)
        fee = self.chain.fee(KIND) / MICRO
        return chance * claim * self.section.kept_share - cost - (1.0 - chance) * self.section.penalty - fee

    def act(self, market: Market) -> None:
        """File a wave of false claims with promises on them, if it is due and pays."""
        section, day = self.section, market.day
        if day < section.first_day or (day - section.first_day) % section.every_days:
            return
        slots = self.false.willing(section.claims_per_wave)
        if not slots.size:
            return
        keys = market.people["key"][slots]
        sizes = self.sizing.lognormal(day, keys, np.log(section.claim_size), section.claim_log_sd)
        amounts = np.rint(sizes * MICRO).astype(np.int64)
        bribes = not self.claims.section.secret_ballots and self.budget > 0
        offer = self.new_offer(0) if bribes else None
        worth = np.array([self.expects(offer, float(size)) for size in sizes])
        chosen = np.ones(slots.size, dtype=np.bool_) if section.always_acts else worth > 0.0
        if not chosen.any():
            return
        slots, amounts, worth, keys = slots[chosen], amounts[chosen], worth[chosen], keys[chosen]

        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            ids = self.false.file(slots[rows], amounts[rows])
            if (ids < 0).any():
                raise Refused("the claims contract refused a false claim")
            if offer is not None:
                for claim in ids.tolist():
                    self.escrow.offer(claim, offer.deposit, offer.promises, offer.contingent)
            self.false.note(ids)
            self.expected_profit += float(worth[rows].sum())

        senders = np.full(slots.size, self.account, dtype=np.int64)
        self.chain.submit(Batch(KIND, senders, call, keys=keys, expires=day, singly=True))

    def settle(self, market: Market) -> None:
        """Bribes fall due, deposits come back, members hand over, penalties are paid."""
        self.peak = max(self.peak, self.escrow.locked)
        self.bribes_today = self.escrow.settle(self.claims.closed)
        self.paid_before = self.false.paid
        denied, _ = self.false.follow()
        for _ in denied:
            due = int(self.section.penalty * MICRO)
            paid = min(due, market.ledger.balance(self.usd, self.account))
            market.ledger.transfer(self.usd, self.account, self.treasury, paid, "fraud_penalty")
            self.penalties += paid
            self.penalties_unpaid += due - paid
        self.escrow.release(self.claims.ended_today().tolist())

    # Observation -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        record.series("oracle_briber.locked", self.escrow.locked / MICRO)
        record.series("oracle_briber.false_paid", (self.false.paid - self.paid_before) / MICRO)
        record.series("oracle_briber.bribes", self.bribes_today / MICRO)

    def finish(self, market: Market) -> None:
        record, false = market.record, self.false
        decided = false.approved + false.denied
        held = market.ledger.balance(self.usd, self.account) + self.escrow.locked
        record.metric("oracle_briber.filed", false.filed)
        record.metric("oracle_briber.decided", decided)
        record.metric("oracle_briber.accuracy", false.denied / decided if decided else float("nan"))
        record.metric("oracle_briber.taken", self.taken_votes / self.offered_votes if self.offered_votes
                      else float("nan"))
        record.metric("oracle_briber.bribes_paid", self.escrow.paid / MICRO)
        record.metric("oracle_briber.peak_locked", self.peak / MICRO)
        record.metric("oracle_briber.promise", self.promise / MICRO)
        record.metric("oracle_briber.needed_budget", self.attack(0).budget / MICRO)
        record.metric("oracle_briber.pool_loss", false.paid / MICRO)
        record.metric("oracle_briber.penalties", self.penalties / MICRO)
        record.metric("oracle_briber.penalties_unpaid", self.penalties_unpaid / MICRO)
        record.metric("oracle_briber.profit", (held - self.opening) / MICRO)
        record.metric("oracle_briber.cost_share", self.escrow.paid / false.paid if false.paid else float("nan"))
        record.metric("oracle_briber.expected_profit", self.expected_profit)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "oracle_briber.escrow_holds_the_deposits", self.escrow.check
