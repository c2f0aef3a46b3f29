"""Researchers: groups that buy consented records, test for an effect, and apply for grants.

A group works on one condition. It collects records while they pay, V pi (power(n + dn) - power(n)) > their cost, then
analyses. Whether the effect exists is drawn when a project starts (prior pi) and is never seen; the test finds an
effect that exists with its power, and one that does not with probability alpha.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from sim.chain.mempool import Batch
from sim.contracts.governance.concentration import herfindahl
from sim.contracts.research.award import ConvictionAward
from sim.contracts.research.data_vault import ANY_CONDITION, Sale
from sim.contracts.research.grants import Application, Grants, Round
from sim.contracts.research.study import best_lot, records_needed, two_sample_power, value_of_records
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Mechanism, Phase

if TYPE_CHECKING:
    from sim.mechanism import Market

DAYS_PER_YEAR = 365
LARGEST_LOT = 400
"""Most records bought in one transaction, so that it fits a block."""


class Stage(Enum):
    """What a group is doing."""

    COLLECTING = "collecting"
    ANALYSING = "analysing"


@dataclass(frozen=True, slots=True)
class Discovery:
    """An effect that a study announced. ``true`` is known to the model only."""

    day: int
    researcher: str
    condition: int
    power: float
    true: bool


@dataclass(slots=True)
class Counts:
    """Sums over the run. Money in micro-USD."""

    projects: int = 0
    abandoned: int = 0
    successes: int = 0
    false_positives: int = 0
    power: float = 0.0
    records: int = 0
    data_spending: int = 0
    rounds_funded: int = 0
    grants: dict[int, int] = field(default_factory=dict)


class Researcher(mesa.Agent):
    """One research group with its account, condition and current project."""

    def __init__(self, market: Any, number: int, account: int, buyer: int, value: float) -> None:
        super().__init__(market)
        self.number = number
        self.name = f"researcher-{number + 1}"
        self.key = agent_key(self.name)
        self.account = account
        self.buyer = buyer
        self.value = value
        self.condition = ANY_CONDITION
        self.stage = Stage.COLLECTING
        self.started = 0
        self.serial = 0
        self.ends = 0
        self.sample = 0
        self.next_review = 0
        self.lots: list[tuple[int, int]] = []

    def records(self, day: int) -> int:
        """Records that the group may use on ``day``; lapsed lots are forgotten."""
        self.lots = [lot for lot in self.lots if lot[0] >= day]
        return sum(count for _, count in self.lots)


class Research(Mechanism):
    """All research groups of one market and their grant programme."""

    hooks = (Hook(Phase.RESEARCH, "act"),)

    def setup(self, market: Market) -> None:
        """Open accounts and admit the groups to the vault. Without payments research owns no parameter and no money."""
        section, ledger = self.section, market.ledger
        self.market, self.ledger = market, ledger
        self.cash = ledger.asset_id("USDs")
        self.vault = market.mechanism("data_vault")
        self.active = section.payments > 0.0
        self._truth = market.draws.decision("research.truth")
        self._finding = market.draws.decision("research.finding")
        self._value = market.draws.decision("research.value")
        self._field = market.draws.decision("research.condition")
        self.counts = Counts()
        self.listeners: list[Callable[[Discovery], None]] = []
        """Called with each announced effect; what it does to the world is theirs to say."""
        self._grants_today = 0
        self.groups: list[Researcher] = []
        for number in range(section.researchers):
            name = f"researcher-{number + 1}"
            account = ledger.open_account(name, "researchers")
            value = section.result_value * self._value.lognormal(
                0, agent_key(name), -0.5 * section.result_value_log_sd**2, section.result_value_log_sd)
            self.groups.append(Researcher(market, number, account, self.vault.register_buyer(account), value))
            market.endow(account, round(section.opening_cash * section.payments * MICRO))
        self.accounts = np.array([group.account for group in self.groups], dtype=np.int64)
        self.names = [group.name for group in self.groups]
        self.grants = Grants(ledger, self.cash, ledger.open_account("grants", "protocol"), self._refund, self._win)
        if self.active:
            for what in section.governable:
                market.parameters.register(what.path, getattr(section, what.path.removeprefix("research.")), what.low,
                                           what.high, what.integer)

    def start(self, market: Market) -> None:
        """Give each group a condition that people have, in turn, and stagger the groups' reviews."""
        chain, governance = market.mechanism("chain"), market.find("governance")
        chain.register_kind("data_purchase", 110_000)
        chain.register_kind("grant_application", 120_000)
        if governance is not None and self.section.award_rule == "conviction":
            self.grants.award = ConvictionAward(
                governance.conviction, governance.treasury.balance, governance.power.current_supply,
                lambda: self.market.day)
        if governance is not None:
            governance.register_programme("grants", self.grants.account, self._fund)
        conditions = self._conditions()
        for group in self.groups:
            if conditions:
                offset = self._field.integers(0, agent_key("research"), len(conditions))
                group.condition = conditions[(group.number + offset) % len(conditions)]
            group.next_review = group.number % self.section.review_days
            self._begin(group, 0)
        self._next_event = 0

    def _conditions(self) -> list[int]:
        """Bits of the conditions that anybody has."""
        people = self.market.people
        if "chronic" not in people or people.size == 0:
            return []
        bits = int(np.bitwise_or.reduce(people["chronic"]))
        return [bit for bit in range(bits.bit_length()) if bits >> bit & 1]

    # Grants ---------------------------------------------------------------------------------------------------

    def yearly_grants(self) -> float:
        """Dollars of grants that researchers can hope for in a year, from what the treasury holds today."""
        governance = self.market.find("governance")
        if governance is None or not self.active:
            return 0.0
        share = float(self.market.parameters["research.grants_share"])
        return share * governance.treasury.balance() / MICRO * DAYS_PER_YEAR / self.section.grant_round_days

    def _fund(self, number: int, amount: int) -> None:
        self.grants.funded(number, amount)
        self.counts.rounds_funded += 1
        self.ledger.on_rollback(lambda: setattr(self.counts, "rounds_funded", self.counts.rounds_funded - 1))

    def admit_applicant(self, name: str) -> int:
        """Let somebody who is no research group apply for grants (at set-up); returns the applicant's number."""
        self.names.append(name)
        return len(self.names) - 1

    def _refund(self, account: int, amount: int) -> None:
        self.market.mechanism("governance").treasury.receive(account, amount, "grant_return")

    def _win(self, application: Application) -> None:
        won = self.counts.grants
        before, today = won.get(application.applicant, 0), self._grants_today

        def undo() -> None:
            won[application.applicant] = before
            self._grants_today = today

        self.ledger.on_rollback(undo)
        won[application.applicant] = before + application.amount
        self._grants_today += application.amount
        self.market.record.event("research.grant", self.names[application.applicant], application.amount / MICRO)

    def _run_grant_rounds(self, day: int) -> None:
        """Open a round each quarter, have the groups apply, close applications."""
        section, grants = self.section, self.grants
        if day % section.grant_round_days == section.grant_round_days - 1:
            current = grants.open_round(day, day + section.application_days)
            for group in self.groups:
                self._apply(group, current, day)
        closed = grants.close_applications(day)
        if closed is not None:
            self.market.record.event("research.round_closed", f"round {closed.number}", closed.requested / MICRO,
                                     applications=len(closed.applications))

    def _apply(self, group: Researcher, current: Round, day: int) -> None:
        """Apply for what the group's next data and analysis would cost beyond the cash it has."""
        section = self.section
        wanted = records_needed(section.target_power, section.effect_size, section.significance)
        held = group.records(day)
        missing = max(wanted - held, 0)
        cost = self._expected_cost(group, missing) + self._micro(section.analysis_cost)
        amount = cost - max(self.ledger.balance(self.cash, group.account) - self._reserve(), 0)
        fee = self.market.mechanism("chain").fee("grant_application")
        value = self._gain(group, held, missing)
        if missing == 0 or amount <= fee or value * MICRO <= cost:
            return
        application = Application(group.number, group.account, group.condition, amount, value)
        self._submit("grant_application", group, lambda: self.grants.apply(application, self.market.day), fee * 10,
                     current.closes)

    def _expected_cost(self, group: Researcher, missing: int) -> int:
        """What ``missing`` records would cost at today's asks, micro-USD; scarce ones at the price of the dearest."""
        prices = self.market.people["consent_price"][self.vault.on_offer(group.buyer, group.condition, limit=missing)]
        if prices.size == 0:
            return missing * self.vault.best_bid(group.condition)
        return int(prices.sum()) + (missing - prices.size) * int(prices[-1])

    # Projects -------------------------------------------------------------------------------------------------

    def act(self, market: Market) -> None:
        """Review the groups whose day it is."""
        self._grants_today = 0
        if not self.active:
            return
        day = market.day
        if market.find("governance") is not None:
            self._run_grant_rounds(day)
        if day < self._next_event:
            return
        for group in self.groups:
            if group.next_review <= day:
                self._review(group, day)
        self._next_event = min(group.next_review for group in self.groups)

    def _begin(self, group: Researcher, day: int) -> None:
        group.stage, group.started = Stage.COLLECTING, day
        group.serial += 1

    def _review(self, group: Researcher, day: int) -> None:
        """Pay running costs; end an analysis that is due, else buy records, else go over to the analysis."""
        section = self.section
        group.next_review = day + section.review_days
        if group.stage is Stage.ANALYSING:
            if day >= group.ends:
                self._conclude(group, day)
            else:
                group.next_review = min(group.next_review, group.ends)
            return
        overhead = self._micro(section.overhead_per_month * section.review_days / 30.0)
        self._pay_firms(group, overhead, "research_overhead")
        held = group.records(day)
        wanted = records_needed(section.target_power, section.effect_size, section.significance)
        late = day - group.started >= section.collection_days
        if held < wanted and not late:
            self._collect(group, held, wanted, day)
            return
        self.vault.withdraw_bid(group.buyer)
        enough = two_sample_power(held / 2.0, section.effect_size, section.significance) >= section.least_power
        if enough and self._pay_firms(group, self._micro(section.analysis_cost), "research_analysis"):
            group.stage, group.sample, group.ends = Stage.ANALYSING, held, day + section.analysis_days
            group.next_review = min(group.next_review, max(group.ends, day + 1))
        elif late:
            self.counts.abandoned += 1
            self._begin(group, day)

    def _collect(self, group: Researcher, held: int, wanted: int, day: int) -> None:
        """Bid for the records still wanted, and buy the lot that is worth most beyond its cost."""
        section = self.section
        cash = max(self.ledger.balance(self.cash, group.account) - self._reserve(), 0)
        missing = wanted - held
        bid = min(self._gain(group, held, missing) / missing * MICRO, cash / missing) * section.payments
        self.vault.post_bid(group.buyer, group.condition, int(bid), missing)
        fee = self.market.mechanism("chain").fee("data_purchase")
        slots = self.vault.on_offer(group.buyer, group.condition, int(bid), min(missing, LARGEST_LOT))
        costs = np.cumsum(self.market.people["consent_price"][slots])
        costs = costs[:np.searchsorted(costs, cash - fee, side="right")]
        lot = best_lot(held, wanted, (costs / MICRO).tolist(), group.value, section.prior, section.effect_size,
                       section.significance)
        gain = self._gain(group, held, lot) * MICRO
        if lot and gain - float(costs[lot - 1]) > fee:
            highest = int(self.market.people["consent_price"][slots[lot - 1]])
            self._submit("data_purchase", group, lambda: self._buy(group, lot, highest), int(gain - costs[lot - 1]),
                         day + section.review_days - 1)

    def _buy(self, group: Researcher, lot: int, highest: int) -> None:
        """In a block: buy, and book what was bought."""
        sale: Sale = self.vault.buy(group.buyer, lot, highest, group.condition)
        counts, lots = self.counts, list(group.lots)
        before = (counts.records, counts.data_spending)

        def undo() -> None:
            group.lots = lots
            counts.records, counts.data_spending = before

        self.ledger.on_rollback(undo)
        group.lots.append((sale.valid_until, int(sale.slots.size)))
        counts.records += int(sale.slots.size)
        counts.data_spending += sale.total

    def _conclude(self, group: Researcher, day: int) -> None:
        """The analysis is done: draw its finding and start the next project."""
        section, counts = self.section, self.counts
        power = two_sample_power(group.sample / 2.0, section.effect_size, section.significance)
        exists = self._truth.bernoulli(0, group.key, section.prior, group.serial)
        found = self._finding.bernoulli(0, group.key, power if exists else section.significance, group.serial)
        counts.projects += 1
        counts.power += power
        if found:
            counts.successes += int(exists)
            counts.false_positives += int(not exists)
            discovery = Discovery(day, group.name, group.condition, power, exists)
            self.market.record.event("research.discovery", group.name, power, condition=group.condition)
            for listener in self.listeners:
                listener(discovery)
        self._begin(group, day)

    def _gain(self, group: Researcher, held: int, more: int) -> float:
        """Dollars that ``more`` records are expected to be worth."""
        section = self.section
        return value_of_records(held, more, group.value, section.prior, section.effect_size, section.significance)

    def _reserve(self) -> int:
        """Cash kept back for the analysis, micro-USD."""
        return self._micro(self.section.analysis_cost)

    def _micro(self, dollars: float) -> int:
        return round(dollars * self.section.payments * MICRO)

    def _pay_firms(self, group: Researcher, amount: int, kind: str) -> bool:
        """Pay a real cost to firms; false (and nothing moves) where the group lacks the cash."""
        if self.ledger.balance(self.cash, group.account) < amount:
            return False
        if self.ledger.has_account("firms"):
            self.ledger.transfer(self.cash, group.account, self.ledger.account("firms"), amount, kind)
        return True

    def _submit(self, kind: str, group: Researcher, call: Callable[[], object], max_fee: int, expires: int) -> None:
        def run(rows: Any, blocks: Any) -> None:
            call()

        self.market.mechanism("chain").submit(Batch(
            kind, np.array([group.account], dtype=np.int64), run, max_fee=max_fee, ordered=True,
            keys=np.array([group.key], dtype=np.uint64), expires=expires))

    # What is seen ---------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        """Record the day."""
        record = market.record
        record.series("research.cash", int(self.ledger.balances(self.cash)[self.accounts].sum()) / MICRO)
        record.series("research.active_projects",
                      sum(bool(group.lots) or group.stage is Stage.ANALYSING for group in self.groups))
        record.series("research.grants_paid", self._grants_today / MICRO)

    def finish(self, market: Market) -> None:
        """Record the run's figures."""
        counts, metric = self.counts, market.record.metric
        metric("research.projects", counts.projects)
        metric("research.abandoned", counts.abandoned)
        metric("research.successes", counts.successes)
        metric("research.false_positives", counts.false_positives)
        metric("research.mean_power", counts.power / counts.projects if counts.projects else float("nan"))
        metric("research.records_bought", counts.records)
        metric("research.data_spending", counts.data_spending / MICRO)
        metric("research.grants_paid", self.grants.paid / MICRO)
        metric("research.grant_rounds_funded", counts.rounds_funded)
        metric("research.hhi_grants", herfindahl(list(counts.grants.values())) if counts.grants else float("nan"))

    def invariants(self) -> list[tuple[str, Callable[[], str | None]]]:
        """The grant programme holds no money between rounds, and paid what it counted."""
        return [("grants_pass_through", self.grants_pass_through)]

    def grants_pass_through(self) -> str | None:
        """Grant money is paid out or returned in the transaction that funds it."""
        held = self.ledger.balance(self.cash, self.grants.account)
        if held:
            return f"the grant programme holds {held} base units"
        won = sum(self.counts.grants.values())
        return None if won == self.grants.paid else f"grants of {self.grants.paid} were paid, {won} were won"

