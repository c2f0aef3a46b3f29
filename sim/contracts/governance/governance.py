"""Governance: the GOV token's accounts, the governor over them, and the treasury, wired to the market.

Holds the asset GOV with its vesting and reward accounts, voting power, governor, executor and treasury. Agents call
:meth:`Governance.propose`, :meth:`~Governance.vote`, :meth:`~Governance.queue` and :meth:`~Governance.execute` from a
block; nothing here decides. Locks, voting deposits and a market for votes open accounts only where they are used.
What can never be: GOV beyond its first supply and what was issued, a release ahead of schedule, a change of a
parameter or a payment from the treasury that no passed proposal (or standing budget) ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused
from sim.contracts.governance import concentration, token
from sim.contracts.governance.actions import Action, Executor, Programme
from sim.contracts.governance.conviction import Conviction
from sim.contracts.governance.deposits import VotingDeposits
from sim.contracts.governance.genesis import hand_out
from sim.contracts.governance.governor import Governor, ProposalState, Support
from sim.contracts.governance.rewards import Rewards
from sim.contracts.governance.terms import GAS, REFUSALS, conviction_of, settings_in_force
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.treasury import Treasury
from sim.contracts.governance.vote_book import VoteBook
from sim.contracts.governance.vote_lock import VoteLock
from sim.contracts.governance.vote_market import VoteMarket
from sim.contracts.governance.vote_rules import VOTE_RULES
from sim.contracts.governance.voting_power import NOBODY, VOTES_FROM, UnknownVoter, VotingPower
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Mechanism, Phase

if TYPE_CHECKING:
    from sim.mechanism import Market

DAYS_PER_YEAR = 365
RELEASE_INTERVAL_DAYS = 30


class Governance(Mechanism):
    """The governance contracts of one market."""

    hooks = (Hook(Phase.SETTLEMENT, "end_day", after=("chain",)),)

    def setup(self, market: Market) -> None:
        """Register GOV, its accounts and the governable rules, and build the contracts."""
        section, ledger = self.section, market.ledger
        self.market, self.ledger = market, ledger
        self.cash = ledger.asset_id("USDs")
        self.gov = ledger.asset("GOV", span="all", valuer=self.fair_value)
        self.vesting = ledger.open_account("gov_vesting", "protocol")
        self.reserve = ledger.open_account("gov_rewards", "protocol")
        self.distributor = ledger.open_account("gov_distributor", "protocol")
        self.treasury = Treasury(ledger, market.treasury_account(), self.cash)
        market.people.add("delegate", np.int16, NOBODY)
        self.power = VotingPower(ledger, self.gov, lambda: market.people["delegate"], section.delegation_depth)
        self.locks = VoteLock(ledger, self.gov, self.power) if section.vote_lock_days else None
        self.deposits = None
        if section.votes_of_lp > 0.0:
            self.deposits = VotingDeposits(ledger, self.cash, self.power, round(section.votes_of_lp * MICRO))
        self.power.more.extend(source for source in (self.locks, self.deposits) if source is not None)
        self.vote_market: VoteMarket | None = None
        self.guardians: set[int] = set()
        self.stakes: dict[int, int] = {}
        self.book = VoteBook(market, self)
        for what in section.governable:
            field = what.path.removeprefix("governance.")
            market.parameters.register(what.path, getattr(section, field), what.low, what.high, what.integer)
        self.executor = Executor(ledger, market.parameters, self.treasury)
        self.governor = Governor(
            settings=lambda: settings_in_force(section, market.parameters), votes=self.power,
            timelock=Timelock(lambda: int(market.parameters["governance.timelock_days"]), section.grace_days),
            run=lambda proposal: self.executor.run(proposal.actions, f"proposal {proposal.number}"),
            refusals=REFUSALS, rule=VOTE_RULES[section.vote_rule], votes_from=VOTES_FROM[section.votes_from],
            requested=lambda proposal: (proposal.requested(self.cash), self.treasury.balance()),
            on_rollback=ledger.on_rollback)
        self.rewards = Rewards(ledger, self.gov, self.reserve)
        self.issued = 0
        self.whales: list[int] = []
        self.team: list[int] = []
        self._payroll: list[int] = []
        self.holds_gov = market.draws.decision("governance.holder")
        self.holding_size = market.draws.decision("governance.holding")
        self._released = 0
        self._income_seen = 0
        self._concentration = (0.0, 0.0, 0)

    # Who takes part (called at set-up) ------------------------------------------------------------------------

    def register_voter(self, account: int, *, whale: bool = False, team: bool = False, paid: bool = True) -> int:
        """Make an institution's account a voter and return its number.

        Whales are among the ten largest holders of the genesis; the team receives what vests; ``paid`` voters share
        the standing budget for delegates.
        """
        if whale:
            self.whales.append(account)
        if team:
            self.team.append(account)
        if paid:
            self._payroll.append(account)
        return self.power.register(account)

    def register_programme(self, name: str, account: int, funded: Callable[[int, int], None]) -> None:
        """Let proposals fund the programme ``name``; ``funded(round, amount)`` is called once it is paid."""
        if name in self.executor.programmes:
            raise ValueError(f"programme {name!r} is registered twice")
        self.executor.programmes[name] = Programme(account, funded)

    @property
    def conviction(self) -> Conviction:
        """The section's terms of conviction, in force or not; grants may use them too."""
        return conviction_of(self.section)

    def register_guardian(self, account: int) -> None:
        """Let ``account`` strike proposals before they are executed."""
        self.guardians.add(account)

    def reserve_stake(self, account: int, share: float) -> None:
        """Give ``account`` this share of the community's tokens at the start, ahead of all others."""
        self.stakes[account] = round(share * BPS)

    def open_vote_market(self) -> VoteMarket:
        """The market for votes, opened on first use (at set-up)."""
        if self.vote_market is None:
            self.vote_market = VoteMarket(self.ledger, self.cash, self.power)
        return self.vote_market

    def start(self, market: Market) -> None:
        """Mint the whole supply and hand out the community's part."""
        section, ledger = self.section, self.ledger
        for kind, gas in GAS.items():
            market.mechanism("chain").register_kind(kind, gas)
        shares = {name: round(getattr(section, f"{name}_share") * BPS)
                  for name in ("community", "treasury", "team", "rewards")}
        parts = token.genesis(round(section.supply) * MICRO, shares)
        targets = {"community": self.distributor, "treasury": self.treasury.account, "team": self.vesting,
                   "rewards": self.reserve}
        if section.treasury_cash > 0.0:
            market.endow(self.treasury.account, round(section.treasury_cash * MICRO))
        for name, amount in parts.items():
            ledger.mint(self.gov, targets[name], amount, "genesis")
        self._vesting_total, self.rewards.total = parts["team"], parts["rewards"]
        self.rewards.look_around()
        hand_out(self, parts["community"])
        self.rewards.add_default_streams()
        amount = round(section.delegate_pay * MICRO) * len(self._payroll)
        self.treasury.set_budget("delegate_pay", amount, RELEASE_INTERVAL_DAYS)
        self.treasury.reconcile()
        self._income_seen = self.treasury.total_income
        self._measure_concentration()

    # Calls from a block ---------------------------------------------------------------------------------------

    def propose(self, voter: int, actions: tuple[Action, ...], title: str) -> int:
        """Make a proposal today; :class:`~sim.contracts.governance.governor.GovernorError` where it is refused."""
        self._require_voter(voter)
        number = self.governor.propose(voter, actions, self.market.day, title)
        self._event("proposed", number, voter=voter, actions=[_described(action) for action in actions])
        return number

    def vote(self, number: int, voter: int, support: Support) -> int:
        """Cast a vote today and return the votes counted; where votes lock tokens, they are locked from now on."""
        self._require_voter(voter)
        votes = self.governor.cast_vote(number, voter, support, self.market.day)
        if self.locks is not None:
            until = max(self.market.day + self.section.vote_lock_days, self.governor.latest_deadline(number))
            self.locks.lock(voter, until)
            if self.deposits is not None:
                self.deposits.lock(voter, until)
        return votes

    def _require_voter(self, voter: int) -> None:
        """Numbers below zero would count from the end of the list: somebody else's power."""
        if not 0 <= voter < len(self.power.voters):
            raise UnknownVoter(f"no voter {voter}")

    def emergency_commit(self, number: int) -> bool:
        """Pass an open proposal by supermajority; true where it was executed at once."""
        before = self.treasury.balance()
        done = self.governor.emergency_commit(number, self.market.day)
        self._event("committed", number)
        self._note_execution(number, done, before)
        return done

    def veto(self, number: int, guardian: int) -> None:
        """Strike a proposal; :class:`Refused` unless ``guardian`` is one."""
        if guardian not in self.guardians:
            raise Refused(f"account {guardian} is no guardian")
        self.governor.veto(number, self.market.day)
        self._event("vetoed", number)

    def queue(self, number: int) -> int:
        """Queue a passed proposal; returns its first day of execution."""
        eta = self.governor.queue(number, self.market.day)
        self._event("queued", number, eta=eta)
        return eta

    def execute(self, number: int) -> bool:
        """Execute a queued proposal; false (and an event) where an action was refused."""
        before = self.treasury.balance()
        done = self.governor.execute(number, self.market.day)
        self._note_execution(number, done, before)
        return done

    def _note_execution(self, number: int, done: bool, before: int) -> None:
        proposal = self.governor[number]
        if done:
            self._event("executed", number, actions=[_described(action) for action in proposal.actions])
            self.book.executed(proposal, before)
        elif proposal.failure:
            self.book.refused += 1
            self._event("execution_refused", number, reason=proposal.failure)

    def delegate(self, account: int, voter: int) -> None:
        """Let ``voter`` vote an institution's tokens; NOBODY takes the delegation back."""
        self.power.delegate(account, voter)

    def delegate_people(self, slots: NDArray[np.int64], voters: NDArray[np.int16]) -> None:
        """The same for people, by slot."""
        self.power.delegate_people(slots, voters)

    def _event(self, what: str, number: int, **details: Any) -> None:
        self.market.record.event(f"governance.{what}", f"proposal {number}", **details,
                                 title=self.governor[number].title)

    def issue(self, account: int, amount: int) -> None:
        """Mint GOV beyond the first supply, for a buyer; the caller keeps to the cap that a vote has set."""
        before = self.issued
        self.ledger.on_rollback(lambda: setattr(self, "issued", before))
        self.issued += amount
        self.ledger.mint(self.gov, account, amount, "issue")

    # The day --------------------------------------------------------------------------------------------------

    def end_day(self, market: Market) -> None:
        """After the blocks: release what is due, take checkpoints that proposals refer to, close what is final."""
        day = market.day
        if day % RELEASE_INTERVAL_DAYS == 0:
            if day > 0:
                self._release(day)
            self.power.checkpoint(day)
            self.power.forget(day - 2 * RELEASE_INTERVAL_DAYS)
            self._measure_concentration()
        for proposal in self.governor.open():
            if proposal.snapshot == day:
                self.power.checkpoint(day)
        for proposal in self.governor.accrue(day):
            self._event("convinced", proposal.number, conviction=proposal.conviction)
        if self.locks is not None:
            self.locks.release(day + 1)
        for proposal, state in self.governor.close_finished(day + 1):
            if state is not ProposalState.EXECUTED:
                self._event(state.value, proposal.number)
            self.book.close(proposal, state)

    def _release(self, day: int) -> None:
        """Vest the team's tokens, pay rewards and the delegates' budget, as far as due by ``day``."""
        due = token.vested(self._vesting_total, day, round(self.section.vesting_years * DAYS_PER_YEAR))
        if self.team and due > self._released:
            part = (due - self._released) // len(self.team)
            team = np.array(self.team, dtype=np.int64)
            self.ledger.pay(self.gov, self.vesting, team, np.full(team.size, part, dtype=np.int64), "vesting")
            self._released += part * len(self.team)
        self.rewards.pay_due(day, round(self.section.halving_years * DAYS_PER_YEAR),
                             self.market.parameters["governance.emission_scale"])
        self.treasury.reconcile()
        self.treasury.pay_budget("delegate_pay", np.array(self._payroll, dtype=np.int64), day, "delegate_pay")

    # What is seen ---------------------------------------------------------------------------------------------

    @property
    def idle_accounts(self) -> tuple[int, ...]:
        """Accounts whose GOV nobody owns yet or that is the treasury's."""
        return self.treasury.account, self.vesting, self.reserve, self.distributor

    def circulating(self) -> int:
        """GOV held by anybody but the treasury and the protocol's own accounts, base units."""
        held = self.ledger.supply(self.gov)
        for account in self.idle_accounts:
            held -= self.ledger.balance(self.gov, account)
        return held

    def fair_value(self) -> float:
        """Dollars per GOV: the treasury's income a year so far, discounted for ever, over the supply."""
        income = self.treasury.total_income / MICRO * DAYS_PER_YEAR / max(self.market.day, 1)
        return income / self.section.discount_rate / (self.section.supply + self.issued / MICRO)

    def _measure_concentration(self) -> None:
        held = self.ledger.balances(self.gov).copy()
        held[list(self.idle_accounts)] = 0
        if self.locks is not None:  # what voters have locked is theirs
            held[self.locks.account] = 0
            for (account, _), (amount, _) in self.locks.owners.items():
                held[account] += amount
        held = held[held > 0]
        votes = self.power.live()
        self._concentration = (concentration.top_share(held, 10), concentration.gini(held),
                               concentration.nakamoto(votes) if votes.size else 0)

    def observe(self, market: Market) -> None:
        """Record the day."""
        record = market.record
        self.treasury.reconcile()
        income = self.treasury.total_income
        top, gini, nakamoto = self._concentration
        record.series("governance.treasury", self.treasury.balance() / MICRO)
        record.series("governance.treasury_income", (income - self._income_seen) / MICRO)
        record.series("governance.open_proposals", len(self.governor.open()))
        record.series("governance.circulating", self.circulating() / MICRO)
        record.series("governance.top10_share", top)
        record.series("governance.gini", gini)
        record.series("governance.nakamoto", nakamoto)
        self._income_seen = income

    def finish(self, market: Market) -> None:
        """Record the run's figures."""
        self._measure_concentration()
        metric = market.record.metric
        self.book.finish(len(self.governor))
        metric("governance.top10_share", self._concentration[0])
        metric("governance.gini", self._concentration[1])
        metric("governance.treasury", self.treasury.balance() / MICRO)
        metric("governance.treasury_income", self.treasury.total_income / MICRO)
        metric("governance.budget_unpaid", sum(b.unpaid for b in self.treasury.budgets.values()) / MICRO)
        metric("governance.emitted", self.rewards.paid / MICRO)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        """Votes within the snapshot's supply, one vote each, fixed GOV supply, treasury opened by authority alone."""
        yield "votes_within_snapshot_supply", self.votes_within_snapshot_supply
        yield "supply_is_fixed", self.supply_is_fixed
        yield "treasury_spends_by_authority", self.treasury_spends_by_authority
        if self.locks is not None:
            yield "vote_escrow_holds", self.locks.escrow_holds
        if self.deposits is not None:
            yield "voting_deposits_are_held", self.deposits.deposits_are_held
        if self.vote_market is not None:
            yield "vote_market_holds", self.vote_market.escrow_holds

    def votes_within_snapshot_supply(self) -> str | None:
        """No open proposal has more power behind it than there were votes at its snapshot, and its tally is the sum of
        its ballots. Power read at the vote may be counted twice, so then only the second holds."""
        for proposal in self.governor.open():
            if self.section.votes_from == "snapshot" and proposal.cast > (proposal.supply or 0):
                return f"proposal {proposal.number} has {proposal.cast} votes of a supply of {proposal.supply}"
            if sum(proposal.votes.values()) != sum(votes for _, votes in proposal.ballots.values()):
                return f"the tally of proposal {proposal.number} differs from its ballots"
        return None

    def supply_is_fixed(self) -> str | None:
        """The supply is what was minted before the first day and what was issued to recapitalise pools."""
        supply, wanted = self.ledger.supply(self.gov), round(self.section.supply) * MICRO + self.issued
        return None if supply == wanted else f"GOV supply is {supply}, not {wanted}"

    def treasury_spends_by_authority(self) -> str | None:
        """No cash left the treasury's account other than through a proposal or a budget."""
        self.treasury.reconcile()
        lost = self.treasury.unexplained_loss
        return f"{lost} base units left the treasury under no authority" if lost else None


def _described(action: Action) -> dict[str, Any]:
    return {"action": type(action).__name__, **asdict(action)}

