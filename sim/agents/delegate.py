"""Delegates: those who read proposals, make them and vote, each in the interest of a class.

Interest follows the spatial model of voting (Downs 1957): a class has an ideal point in a parameter's range, and a
proposal is worth to it

    dU = stake x weight x (|old - ideal| - |new - ideal|) / range x horizon / 365 + noise,

where the stake is what anybody can read on the ledger (premiums, pool capital, own GOV ...). A delegate votes iff
|dU| times its pivotal weight exceeds gas and attention, and abstains by not voting otherwise. A bribe for a vote is
taken iff it exceeds |dU| times that weight, and gas and attention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents.delegate_interest import Interests
from sim.chain.mempool import Batch
from sim.contracts.governance.actions import ChangeParameter, FundProgramme
from sim.contracts.governance.governor import Proposal, ProposalState, Support
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Mechanism, Phase
from sim.parameters import Parameter

if TYPE_CHECKING:
    from sim.mechanism import Market

Kind = Literal["patients", "liquidity_providers", "researchers", "team", "whales"]
MOST_ATTEMPTS = 5
"""How often an agent tries to queue or execute a proposal before it gives up."""
RETRY_DAYS = 3
GRANTS = "grants"


class Delegate(mesa.Agent):
    """One delegate with an account, a voter's number and a class whose interest it follows."""

    def __init__(self, market: Any, name: str, kind: Kind, account: int, voter: int) -> None:
        super().__init__(market)
        self.name = name
        self.kind: Kind = kind
        self.account = account
        self.voter = voter
        self.key = agent_key(name)


MOST_FEE = 10**15
"""A billion dollars: no fee limit is higher, whatever a proposal promises to pay."""


@dataclass(slots=True)
class Ballot:
    """A delegate's decision on one proposal: when it votes, how, and what the vote is worth to it (micro-USD)."""

    delegate: Delegate
    day: int
    support: Support
    worth: int
    bribed: bool = False


class Delegates(Mechanism):
    """All delegates of one market."""

    hooks = (Hook(Phase.GOVERNANCE, "act"),)

    def setup(self, market: Market) -> None:
        """Open accounts and register voters."""
        section, ledger = self.section, market.ledger
        self.market = market
        self.governance = market.mechanism("governance")
        self.agents: list[Delegate] = []
        groups: tuple[tuple[Kind, str, str, int], ...] = (
            ("patients", "advocate", "households", section.patient_advocates),
            ("liquidity_providers", "provider_delegate", "traders", section.provider_delegates),
            ("researchers", "research_delegate", "researchers", section.research_delegates),
            ("team", "team", "traders", section.team_members),
            ("whales", "whale", "traders", section.whales))
        for kind, name, sector, count in groups:
            for index in range(1, count + 1):
                account = ledger.open_account(f"{name}-{index}", sector)
                voter = self.governance.register_voter(account, whale=kind == "whales", team=kind == "team",
                                                       paid=kind not in ("whales", "team"))
                market.endow(account, round(section.opening_cash * MICRO))
                self.agents.append(Delegate(market, f"{name}-{index}", kind, account, voter))
        self.by_voter = {agent.voter: agent for agent in self.agents}
        draws = market.draws
        self._chosen = draws.decision("delegates.chosen")
        self._arrival = draws.decision("delegates.next_proposal")
        self._proposer = draws.decision("delegates.proposer")
        self._topic = draws.decision("delegates.topic")
        self._vote_day = draws.decision("delegates.vote_day")
        self.interests = Interests(market, section, draws.decision("delegates.opinion"),
                                   draws.decision("delegates.evaluation"))
        self._ballots: dict[int, list[Ballot]] = {}
        self._tries: dict[tuple[int, ProposalState], tuple[int, int]] = {}
        self._proposed_rounds: set[int] = set()
        self._next_proposal = self._draw_next(0)
        self._votes = self._votes_today = self._abstained = self._failed = self._bribed = 0

    def start(self, market: Market) -> None:
        """Holders of the genesis choose whom they delegate to."""
        section, people = self.section, market.people
        advocates, friends = self._voters("patients"), self._voters("researchers")
        held = market.ledger.person_balances(self.governance.gov)
        keys = people["key"]
        willing = np.flatnonzero((held > 0) & self._chosen.bernoulli(0, keys, section.delegating_patients))
        sympathetic = self._chosen.bernoulli(1, keys[willing], section.research_sympathy)
        for slots, voters in ((willing[~sympathetic], advocates), (willing[sympathetic], friends)):
            if voters.size and slots.size:
                choice = self._chosen.integers(2, keys[slots], voters.size)
                self.governance.delegate_people(slots, voters[choice].astype(np.int16))
        speakers = self._voters("liquidity_providers")
        if speakers.size:
            for account in self.governance.rewards.accounts_in("liquidity_providers").tolist():
                key = self.governance.rewards.key(account)
                if self._chosen.bernoulli(3, key, section.delegating_providers):
                    self.governance.delegate(account, int(speakers[self._chosen.integers(4, key, speakers.size)]))

    def _voters(self, kind: Kind) -> NDArray[np.int64]:
        return np.array([agent.voter for agent in self.agents if agent.kind == kind], dtype=np.int64)

    # The day --------------------------------------------------------------------------------------------------

    def act(self, market: Market) -> None:
        """Propose when it is time, vote on what is open, queue and execute what has passed."""
        self._votes_today = 0
        day = market.day
        if day >= self._next_proposal:
            self._next_proposal = self._draw_next(day)
            self._propose_change(day)
        self._propose_grants(day)
        for proposal in self.governance.governor.open():
            state = self.governance.governor.state(proposal.number, day)
            if state is ProposalState.ACTIVE:
                self._vote(proposal, day)
            elif state is ProposalState.SUCCEEDED or (
                    state is ProposalState.QUEUED and proposal.eta is not None and proposal.eta <= day):
                self._carry_on(proposal, state, day)

    def _draw_next(self, day: int) -> int:
        if self.section.proposals_per_year == 0.0 or not self.agents:
            return self.market.horizon_days + 1
        gap = self._arrival.exponential(day, self.agents[0].key) * 365.0 / self.section.proposals_per_year
        return day + 1 + int(gap)

    # Proposals ------------------------------------------------------------------------------------------------

    def _able(self, day: int) -> list[Delegate]:
        """Delegates with enough votes to propose, in shuffled order."""
        checkpoint = self.governance.power.before(day)
        if checkpoint is None:
            return []
        threshold = self.market.parameters["governance.proposal_threshold"] * checkpoint.supply
        able = [agent for agent in self.agents if checkpoint.of(agent.voter) >= threshold]
        order = self._proposer.order(day, np.array([agent.key for agent in able], dtype=np.uint64))
        return [able[index] for index in order]

    def _propose_change(self, day: int) -> None:
        """The first delegate of today who sees a change worth its while proposes it."""
        topics = {action.path for proposal in self.governance.governor.open() for action in proposal.actions
                  if isinstance(action, ChangeParameter)}
        for agent in self._able(day):
            choices = [(self.interests.gain_per_range(agent, entry.path) * abs(value - entry.value)
                        / (entry.high - entry.low), entry.path, value)
                       for entry in self.market.parameters if entry.path not in topics
                       for value in self._wanted(agent, entry)]
            choices = [choice for choice in choices if choice[0] > 0.0]
            if choices:
                weights = np.cumsum([weight for weight, _, _ in choices])
                drawn = self._topic.uniform(day, agent.key) * weights[-1]
                _, path, value = choices[min(int(np.searchsorted(weights, drawn, side="right")), len(choices) - 1)]
                old = self.market.parameters[path]
                self._submit_proposal(agent, (ChangeParameter(path, value),), f"{path}: {old:g} -> {value:g}", day)
                return

    def _wanted(self, agent: Delegate, entry: Parameter) -> tuple[float, ...]:
        """The value one step from the present one towards the agent's ideal; none where it stands close enough."""
        ideal = self.interests.ideal(agent.kind, entry)
        span = entry.high - entry.low
        step = min(self.section.step * span, abs(ideal - entry.value))
        if entry.integer:
            step = float(min(max(round(step), 1), abs(round(ideal) - round(entry.value))))
        if span == 0.0 or step < 0.01 * span:
            return ()
        value = entry.value + step if ideal > entry.value else entry.value - step
        return (float(min(max(round(value, 9), entry.low), entry.high)),)

    def _propose_grants(self, day: int) -> None:
        """When a grant round waits for money, somebody with enough votes asks the treasury for it."""
        research = self.market.find("research")
        waiting = research.grants.awaiting_funding() if research is not None else None
        if waiting is None or waiting.number in self._proposed_rounds:
            return
        able = sorted(self._able(day), key=lambda agent: agent.kind != "researchers")
        amount = min(waiting.requested,
                     int(self.market.parameters["research.grants_share"] * self.governance.treasury.balance()))
        if able and amount > 0:
            self._proposed_rounds.add(waiting.number)
            self._submit_proposal(able[0], (FundProgramme(GRANTS, waiting.number, amount),),
                                  f"grant round {waiting.number}", day)

    def _submit_proposal(self, agent: Delegate, actions: tuple[Any, ...], title: str, day: int) -> None:
        self._submit("propose", [agent], None, day + RETRY_DAYS,
                     lambda rows: self.governance.propose(agent.voter, actions, title))

    # Votes ----------------------------------------------------------------------------------------------------

    def _vote(self, proposal: Proposal, day: int) -> None:
        """Submit the votes that are due today; all decide on the first day of the vote."""
        if proposal.number not in self._ballots:
            self._ballots[proposal.number] = self._decide(proposal, day)
        due = [ballot for ballot in self._ballots[proposal.number] if ballot.day == day]
        if due:
            self._submit("vote", [ballot.delegate for ballot in due],
                         np.array([min(ballot.worth, MOST_FEE) for ballot in due], dtype=np.int64),
                         proposal.deadline,
                         lambda rows: self._cast(proposal, [due[row] for row in rows]))

    def _decide(self, proposal: Proposal, day: int) -> list[Ballot]:
        """Who votes, how and when. Pivotal weight is the share of all delegated votes."""
        checkpoint = self.governance.power.past(proposal.snapshot, day)
        total = float(checkpoint.power.sum())
        cost = round(self.section.attention_cost * MICRO)
        fee = self.market.mechanism("chain").fee("vote")
        ballots = []
        for agent in self.agents:
            power = checkpoint.of(agent.voter)
            if power == 0:
                continue
            gain = self.interests.gain(agent, proposal)
            own = round(abs(gain) * power / total * MICRO)
            worth, support, bribed = own - cost, Support.FOR if gain > 0 else Support.AGAINST, False
            offer = self._offer(proposal, power)
            if offer is not None and offer[1] > own + cost + fee:
                (support, bribe), bribed = offer, True
                worth = bribe - own - cost if support is Support.FOR and gain <= 0 else bribe - cost
                self._bribed += 1
            if worth <= fee:
                self._abstained += 1
                continue
            wait = self._vote_day.integers(proposal.number, agent.key, max(proposal.deadline - day, 1))
            ballots.append(Ballot(agent, day + wait, support, worth, bribed))
        return ballots

    def _offer(self, proposal: Proposal, power: int) -> tuple[Support, int] | None:
        """What the market for votes pays for ``power`` votes; None without such a market or an offer."""
        votes = self.governance.vote_market
        return votes.quote(proposal.number, power) if votes is not None else None

    def _cast(self, proposal: Proposal, ballots: list[Ballot]) -> None:
        """In a block: vote, and rank the applications where the vote is about grants."""
        for ballot in ballots:
            agent = ballot.delegate
            votes = self.governance.vote(proposal.number, agent.voter, ballot.support)
            if ballot.bribed:
                self.governance.vote_market.claim(proposal, agent.voter)
            for action in proposal.actions:
                if isinstance(action, FundProgramme) and action.programme == GRANTS:
                    grants = self.market.mechanism("research").grants
                    waiting = grants.awaiting_funding()
                    points = self.interests.points(agent, waiting) if waiting is not None else {}
                    grants.rank(action.reference, agent.voter, votes, points)
        before = (self._votes, self._votes_today)

        def undo() -> None:
            self._votes, self._votes_today = before

        self.market.ledger.on_rollback(undo)
        self._votes += len(ballots)
        self._votes_today += len(ballots)

    # After the vote -------------------------------------------------------------------------------------------

    def _carry_on(self, proposal: Proposal, state: ProposalState, day: int) -> None:
        """Queue or execute: first the proposer tries, then others, some days apart."""
        attempts, last = self._tries.get((proposal.number, state), (0, -RETRY_DAYS))
        if attempts >= MOST_ATTEMPTS or day - last < RETRY_DAYS:
            return
        self._tries[proposal.number, state] = (attempts + 1, day)
        first = self.agents.index(self.by_voter[proposal.proposer]) if proposal.proposer in self.by_voter else 0
        agent = self.agents[(first + attempts) % len(self.agents)]
        queueing = state is ProposalState.SUCCEEDED
        run = self.governance.queue if queueing else self.governance.execute
        self._submit("queue" if queueing else "execute", [agent], None, day + RETRY_DAYS - 1,
                     lambda rows: run(proposal.number))

    def _submit(self, kind: str, agents: list[Delegate], max_fee: NDArray[np.int64] | None, expires: int,
                call: Any) -> None:
        self.market.mechanism("chain").submit(Batch(
            kind, np.array([agent.account for agent in agents], dtype=np.int64), lambda rows, blocks: call(rows),
            max_fee=max_fee, ordered=True, keys=np.array([agent.key for agent in agents], dtype=np.uint64),
            expires=expires, dropped=self._count_failed, reverted=self._count_failed))

    def _count_failed(self, rows: NDArray[np.int64]) -> None:
        self._failed += int(rows.size)

    # What is seen ---------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        """Record the day."""
        market.record.series("delegates.votes", self._votes_today)

    def finish(self, market: Market) -> None:
        """Record the run's figures."""
        market.record.metric("delegates.votes", self._votes)
        market.record.metric("delegates.abstained", self._abstained)
        market.record.metric("delegates.failed_calls", self._failed)
        if self.governance.vote_market is not None:
            market.record.metric("delegates.bribed", self._bribed)
