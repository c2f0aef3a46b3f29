"""Oracle operators: they stake, choose how hard to look, commit and reveal reports on claims, and post the price index.

An operator knows its own cost of effort, the posted reward and penalty, what votes of the last period earned and how
many of them were with the majority. It sees the truth about a claim only through its accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sim.agents.oracle_agent import OracleOperator
from sim.agents.oracle_ballots import Ballots
from sim.agents.oracle_beliefs import Beliefs, Observed
from sim.agents.oracle_copying import copying_value, match_looking
from sim.agents.oracle_effort import Skill, Stakes, match_probability, settled_accuracy, vote_values
from sim.agents.oracle_index import IndexFeed
from sim.chain.mempool import Batch
from sim.kernel.draws import Decision, agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.oracles import OraclesSection

EFFORT_LEVELS: NDArray[np.float64] = np.linspace(0.0, 3.0, 61)
"""Efforts that operators choose among; beyond 3 accuracy no longer grows visibly."""

STAKE_MARGIN = 1.2
"""Operators hold at least this multiple of the minimum stake, so that one slashing does not exclude them."""

MONTH_DAYS = 30


class Oracles(Mechanism):
    """All operators, as columns; one agent object each."""

    section: OraclesSection
    hooks = (
        Hook(Phase.CLAIMS, "vote", after=("claims",)),
        Hook(Phase.SETTLEMENT, "learn", after=("chain", "claims")),
    )
    shocks: Mapping[str, str] = {"oracle_outage": "go_offline", "oracle_error": "see_badly"}

    @property
    def chooses_to_copy(self) -> bool:
        """Whether copying is a choice."""
        return bool(self.section.copying == "choice")

    def setup(self, market: Market) -> None:
        section, ledger, draws = self.section, market.ledger, market.draws
        names = [f"oracle_{number}" for number in range(1, section.operators + 1)]
        self.names = names
        self.keys: NDArray[np.uint64] = np.array([agent_key(name) for name in names], dtype=np.uint64)
        self.usd: int = ledger.asset_id("USDs")
        self.wallets = np.array([ledger.open_account(name, "oracles") for name in names], dtype=np.int64)
        self.reporting = draws.decision("oracles.report")
        self.salting = draws.decision("oracles.salt")
        self.choosing = draws.decision("oracles.effort_choice")
        self.watching = draws.decision("oracles.watcher")
        self.observing = draws.decision("oracles.index_observation")
        self.outages = draws.decision("oracles.outage")
        self.turning = draws.decision("oracles.turnover")
        nature = draws.decision("oracles.nature")
        self.skill = Skill(section.skill_floor, section.skill_gain, section.skill_rate)
        self.costs: NDArray[np.float64] = nature.lognormal(0, self.keys, np.log(section.effort_cost),
                                                           section.effort_cost_log_sd, 0)
        sizes = nature.lognormal(0, self.keys, -0.5 * section.stake_log_sd**2, section.stake_log_sd, 1)
        self.target_stake = np.rint(section.mean_stake * MICRO * sizes).astype(np.int64)
        self.copies: NDArray[np.bool_] = nature.bernoulli(0, self.keys, section.copier_share, 2)
        count = section.operators
        self.effort = np.zeros(count)
        self.skilled = np.full(count, section.skill_floor)
        self.vote_cost = np.zeros(count, dtype=np.int64)
        self.offline = np.zeros(count, dtype=np.bool_)
        self.offline_until = -1
        self.away = np.zeros(count, dtype=np.bool_)
        """Left because votes lost money."""
        self.accuracy_cap = 1.0
        self.capped_until = -1
        self.day = -1
        self.disputes = 0
        self.effort_paid = 0
        self.effort_paid_today = 0
        self.today = Observed()
        self.period = Observed()
        self.run_total = Observed()
        self.beliefs = Beliefs()
        self._watched = -1
        self.reconsidering: Decision | None = draws.decision("oracles.copying") if self.chooses_to_copy else None

    def start(self, market: Market) -> None:
        self.claims: Any = market.mechanism("claims")
        self.chain: Any = market.mechanism("chain")
        providers = market.find("providers")
        self.ballots = Ballots(self.section, self.reporting, self.salting, self.keys, self.wallets, self.copies,
                               self.claims, self.chain, None if providers is None else providers.records)
        token, prices = market.find("health_token"), market.find("reference_price")
        self.feed: IndexFeed | None = None
        if token is not None and prices is not None:
            self.feed = IndexFeed(self.section, self.observing, self.claims.operators, self.chain, token, prices)
        self.firms: int | None = None if market.find("economy") is None else market.mechanism("economy").firms
        self.chain.register_kind("dispute", 150_000)
        operators, staking = self.claims.operators, self.claims.operators.staking
        self.working_cash = int(self.section.cash * MICRO)
        self.target_stake = np.maximum(self.target_stake, int(staking.minimum * STAKE_MARGIN))
        self.agents: list[OracleOperator] = []
        for row, name in enumerate(self.names):
            number = operators.register(name, int(self.wallets[row]), self.keys[row])
            self.agents.append(OracleOperator(market, self, name, number))
            wallet = int(self.wallets[row])
            cash = self.working_cash + (int(self.target_stake[row]) if staking.asset == self.usd else 0)
            cast(Any, market).endow(wallet, cash)
            held = market.ledger.balance(staking.asset, wallet)
            staking.stake(number, wallet, min(int(self.target_stake[row]), held))
        self.opening_stake = int(staking.stakes().sum())
        seats = self.claims.seats(0)
        self.others = settled_accuracy(EFFORT_LEVELS, self.section.effort_cost, self.skill,
                                       self.beliefs.expected(self.claims), seats,
                                       self.section.error_correlation)

    # Shocks ----------------------------------------------------------------------------------------------------

    def go_offline(self, share: float, days: int) -> None:
        """Shock: a share of the operators is absent from today for ``days`` days."""
        today = self.day + 1  # shocks come before the operators' day begins
        gone = self.outages.order(today, self.keys)[: round(share * self.keys.size)]
        self.offline[:] = False
        self.offline[gone] = True
        self.offline_until = today + days

    def see_badly(self, accuracy: float, days: int) -> None:
        """Shock: nobody is more accurate than ``accuracy`` from today for ``days`` days."""
        self.accuracy_cap, self.capped_until = accuracy, self.day + 1 + days

    # Effort ----------------------------------------------------------------------------------------------------

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Probability of a correct report by operator, float64[operators]."""
        return np.minimum(self.skilled, self.accuracy_cap) if self.day < self.capped_until else self.skilled

    def choose_effort(self, market: Market) -> None:
        """Each operator picks the effort of the next period, and whether to stay."""
        section, period = self.section, self.period
        if period.coherent + period.deviating:
            self.others = 0.5 * (self.others + period.coherence)
        self.beliefs.learn(period)
        self.period = Observed()
        values = self._values(self.beliefs.expected(self.claims))
        chosen = values
        if section.choice_noise:
            gumbel = [-np.log(-np.log(self.choosing.uniform(market.day, self.keys, level)))
                      for level in range(EFFORT_LEVELS.size)]
            chosen = values + section.choice_noise * np.stack(gumbel, axis=1)
        best = chosen.argmax(axis=1)
        if self.reconsidering is not None:
            self._choose_to_copy(chosen.max(axis=1), self.reconsidering.bernoulli(market.day, self.keys,
                                                                                 section.turnover))
        self.effort = np.where(self.copies, 0.0, EFFORT_LEVELS[best])
        self.skilled = self.skill.accuracy(self.effort)
        self.vote_cost = np.floor(self.costs * self.effort * MICRO).astype(np.int64)
        if self.reconsidering is not None:
            self.vote_cost[self.copies] = int(section.copy_cost * MICRO)
        if section.exit_when_unprofitable:
            self._come_and_go(values.max(axis=1) < 0.0, market.day)
        self._adjust_stakes(self.away, market.day)

    def _values(self, stakes: Stakes) -> NDArray[np.float64]:
        """Expected dollars per vote, float64[operators, levels]."""
        match = partial(match_looking, copying=self.copying) if self.chooses_to_copy else match_probability
        return vote_values(EFFORT_LEVELS, self.costs, self.skill, stakes, self.others, self.claims.seats(0),
                           self.section.error_correlation, match)

    @property
    def copying(self) -> float:
        """Share of operators who copy."""
        return float(np.count_nonzero(self.copies)) / self.copies.size

    def _choose_to_copy(self, looking: NDArray[np.float64], turn: NDArray[np.bool_]) -> None:
        """Those whose ``turn`` it is copy from now on if that is worth more than ``looking`` dollars a vote."""
        worth = copying_value(self.beliefs.expected(self.claims), self.others, self.claims.seats(0),
                              self.section.error_correlation, self.copying, self.section.copy_cost)
        self.copies[turn] = worth > looking[turn]  # in place: ballots hold the same array

    def _come_and_go(self, losing: NDArray[np.bool_], day: int) -> None:
        """Some of those who lose money leave, and some of those away who no longer would return.

        Whether a vote pays depends on how many others vote: they share the fee account, and fewer of them have more
        votes in each transaction. Alike and unable to agree, each moves with the same probability (a mixed strategy).
        Nobody waits where a vote loses at its best, or half the working cash is lost, or to return where all is paid.
        """
        if not (losing.any() or self.away.any()):
            return
        hopeless = self._values(self.beliefs.posted(self.claims)).max(axis=1) < 0.0
        paid_up = not self.claims.operators.owed.any()
        moves = self.turning.bernoulli(day, self.keys, self.section.turnover)
        short = 2 * self.claims.ledger.balances(self.usd)[self.wallets] < self.working_cash
        leaving = ~self.away & losing & (hopeless | short | moves)
        returning = self.away & ~losing & (paid_up | moves)
        self.away = (self.away | leaving) & ~returning

    def _adjust_stakes(self, leaving: NDArray[np.bool_], day: int) -> None:
        """Ask for the stake of those who leave; the others fill theirs up from cash they can spare."""
        staking = self.claims.operators.staking
        stakes, unbonding = staking.stakes(), staking.unbonding()
        for number in (leaving & (stakes > unbonding)).nonzero()[0].tolist():
            staking.request_unstake(number, int(stakes[number] - unbonding[number]), day)
        held = staking.ledger.balances(staking.asset)[self.wallets]
        spare = held - (self.working_cash if staking.asset == self.usd else 0)
        more = np.minimum(self.target_stake - stakes, spare)
        for number in (~leaving & (unbonding == 0) & (more > 0)).nonzero()[0].tolist():
            staking.stake(number, int(self.wallets[number]), int(more[number]))

    # The day ---------------------------------------------------------------------------------------------------

    def vote(self, market: Market) -> None:
        """Look at the claims drawn today, commit to reports on them, and reveal those committed to before."""
        self.day = day = market.day
        self.effort_paid_today = 0
        self.today = Observed()
        if day >= self.offline_until:
            self.offline[:] = False
        staking = self.claims.operators.staking
        for number in staking.withdrawable(day).tolist():
            staking.withdraw(number, int(self.wallets[number]), day)
        if day % self.section.update_days == 0:
            self.choose_effort(market)
        if day % MONTH_DAYS == MONTH_DAYS - 1:
            self._pay_owners(market)
        docket, present = self.claims.docket, ~self.offline
        if opened := docket.to_commit(day):
            counts = [self.ballots.count(round_.seats, present) for round_ in opened]
            self.ballots.commit(opened, counts, self._look(market, sum(counts[1:], counts[0])), present, day)
        if revealing := docket.to_reveal(day):
            self.ballots.reveal(revealing, present)
        if self.claims.assertions is not None:
            self._watch(market)
        if self.feed is not None:
            self.feed.post(market, self.offline)

    def _look(self, market: Market, votes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pay for the effort of ``votes`` int64[operators]; the accuracy that results. No cash, no effort."""
        accuracy = self.accuracy
        if self.firms is None:
            return accuracy
        costs = votes * self.vote_cost
        rows = costs.nonzero()[0]
        if not rows.size:
            return accuracy
        paid = np.asarray(market.ledger.collect(self.usd, self.wallets[rows], self.firms, costs[rows], "oracle_effort",
                                                partial=True))
        self.effort_paid_today += int(costs[rows][paid].sum())
        if not paid.all():
            accuracy = accuracy.copy()
            accuracy[rows[~paid]] = np.minimum(self.section.skill_floor, accuracy[rows[~paid]])
        return accuracy

    def _watch(self, market: Market) -> None:
        """One operator looks at each newly asserted claim, and disputes it when the odds favour that."""
        claims, day = self.claims, market.day
        ids = claims.assertions.unchallenged()
        ids = ids[ids > self._watched]
        if not ids.size:
            return
        self._watched = int(ids.max())
        seats = claims.operators.staking.draw(self.watching.stream, day, claims.table["key"][ids], 1)
        present = ~self.offline
        accuracy = self._look(market, self.ballots.count(seats, present))
        amounts, valid = self.ballots.reports(ids, seats, accuracy, present, day)
        watcher = seats[:, 0].astype(np.int64)
        # Right: half a bond won. Wrong: a bond lost. So p (1 - burned) > 1 - p.
        burned = claims.section.burned_share
        sure = (watcher >= 0) & present[watcher] & (accuracy[watcher] * (2.0 - burned) > 1.0)
        claimed = claims.table["claimed"][ids]
        doubt = sure & (~valid[:, 0] | (amounts[:, 0] < claimed * (1.0 - claims.section.amount_tolerance)))
        if not doubt.any():
            return
        disputed, disputers = ids[doubt], self.wallets[watcher[doubt]]

        def call(which: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            self.disputes += int(claims.dispute(disputed[which], disputers[which], self.day).sum())

        self.chain.submit(Batch("dispute", disputers, call, keys=self.keys[watcher[doubt]], expires=day + 1))

    def _pay_owners(self, market: Market) -> None:
        """What an operator holds beyond its working cash goes to its owners, through firms."""
        if self.firms is None:
            return
        held = market.ledger.balances(self.usd)[self.wallets]
        staking = self.claims.operators.staking
        kept = self.working_cash
        if staking.asset == self.usd:  # stake withdrawn is kept for another day
            kept = kept + np.maximum(self.target_stake - staking.stakes(), 0)
        surplus = np.maximum(held - kept, 0)
        rows = surplus.nonzero()[0]
        if rows.size:
            market.ledger.collect(self.usd, self.wallets[rows], self.firms, surplus[rows], "oracle_profit")

    def learn(self, market: Market) -> None:
        """Note how the day's votes ended."""
        tally, today = self.claims.today, self.today
        today.coherent, today.deviating = int(tally.coherent.sum()), int(tally.deviating.sum())
        today.absent = int(tally.absent.sum())
        today.earned = int(tally.shared.sum()) + self.claims.rewards_today
        today.gas, today.further_gas = self.ballots.take_gas()
        self.effort_paid += self.effort_paid_today
        self.period.add(today)
        self.run_total.add(today)

    def observe(self, market: Market) -> None:
        record, today, staking = market.record, self.today, self.claims.operators.staking
        stakes = staking.stakes()
        record.series("oracles.active", int(np.count_nonzero(staking.weights())))
        record.series("oracles.away", int(np.count_nonzero(self.away)))
        record.series("oracles.gas", today.gas / MICRO)
        record.series("oracles.stake", int(stakes.sum()) / MICRO)
        looking = ~self.copies
        efforts = self.effort[looking]
        record.series("oracles.effort", float(np.add.reduce(efforts)) / efforts.size if efforts.size else 0.0)
        record.series("oracles.accuracy", float(np.add.reduce(self.accuracy)) / self.accuracy.size)
        if self.chooses_to_copy:
            record.series("oracles.copying", self.copying)
        record.series("oracles.votes", today.votes)
        if today.votes:
            record.series("oracles.coherence", today.coherence)
            record.series("oracles.absence", today.absent / today.votes)
        record.series("oracles.effort_cost", self.effort_paid_today / MICRO)
        if market.day % MONTH_DAYS == 0:
            cash = market.ledger.balances(self.usd)[self.wallets]
            for name, stake, held in zip(self.names, stakes.tolist(), cash.tolist(), strict=True):
                record.institution(name, "oracles.operator_stake", stake / MICRO)
                record.institution(name, "oracles.operator_cash", held / MICRO)

    def finish(self, market: Market) -> None:
        record, total, staking = market.record, self.run_total, self.claims.operators.staking
        record.metric("oracles.votes", total.votes)
        record.metric("oracles.coherence", total.coherence)
        record.metric("oracles.absence", total.absent / total.votes if total.votes else float("nan"))
        record.metric("oracles.accuracy", float(self.accuracy.mean()))
        record.metric("oracles.effort", float(self.effort.mean()))
        if self.chooses_to_copy:
            record.metric("oracles.copying", self.copying)
        record.metric("oracles.active", int(np.count_nonzero(staking.weights())))
        record.metric("oracles.stake_change", int(staking.stakes().sum()) / max(self.opening_stake, 1) - 1.0)
        record.metric("oracles.effort_cost", self.effort_paid / MICRO)
        record.metric("oracles.disputes", self.disputes)
