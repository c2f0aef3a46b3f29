"""The claims contract: claims are filed, decided by a committee of staked oracles (or automatically), and paid.

Holds the table of claims, the docket of rounds, the account "oracle_fees" and, in optimistic mode, bonds. What can
never be: one episode of care claimed twice; more approved than claimed, or paid than approved; a claim before two
committees; a reward that is not in the fee account. The contract never knows the truth: only what was claimed and what
was reported.

A claim filed on day t is drawn for a committee on t + ``draw_days``, committed to from then for ``commit_days``,
revealed for ``reveal_days``, decided when the reveals are in, and paid ``payment_days`` later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.claims import report
from sim.contracts.claims.docket import Docket
from sim.contracts.claims.measures import Unfiled
from sim.contracts.claims.optimistic import Assertions
from sim.contracts.claims.payments import ClaimError, Payments, Totals
from sim.contracts.claims.rewards import Operators
from sim.contracts.claims.round import Round
from sim.contracts.claims.table import APPEALED, APPROVED, DENIED, DROPPED, FILED, OPEN, ClaimTable, episode_keys
from sim.contracts.oracle_committee.decision import APPROVE, NO_QUORUM, SPLIT, CommitteeRules
from sim.contracts.oracle_committee.payout import Tally, add_round
from sim.contracts.oracle_committee.rules import appeal_size
from sim.contracts.staking import Staking
from sim.kernel.fixedpoint import BPS, MICRO, mul_div
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.claims import ClaimsSection

NO_CLAIMS: NDArray[np.int64] = np.empty(0, dtype=np.int64)


class Claims(Mechanism):
    """The claims queue of all pools."""

    section: ClaimsSection
    hooks = (
        Hook(Phase.CLAIMS, "open_rounds"),
        Hook(Phase.SETTLEMENT, "decide", after=("chain",)),
        Hook(Phase.RECORD, "note_late_payments"),
    )
    shocks: Mapping[str, str] = {"claims_halt": "halt"}

    def setup(self, market: Market) -> None:
        self.ledger = market.ledger
        self.parameters = market.parameters
        self.usd: int = market.ledger.asset_id("USDs")
        self.fees: int = market.ledger.open_account("oracle_fees", "protocol")
        for entry in self.section.governable:
            value = float(getattr(self.section, entry.path.split(".", 1)[1]))
            market.parameters.register(entry.path, value, entry.low, entry.high, entry.integer)
        self.seating = market.draws.decision("claims.committee")
        self.table = ClaimTable()
        self.totals = Totals()
        self.unfiled = Unfiled()
        self.day = -1
        self.halted_until = -1
        self.today = Tally.empty(0)
        self.rewards_today = 0
        self._yesterday = Totals()
        self._automatic: list[NDArray[np.int64]] = []
        self._denied: dict[int, list[NDArray[np.int64]]] = {}
        self._ended: list[NDArray[np.int64]] = []
        self.closed: list[Round] = []
        """Rounds decided today."""
        self.reviewed = 0
        self.review_above = int(self.section.review_above * MICRO)

    def start(self, market: Market) -> None:
        self.insurance: Any = market.find("insurance")
        self.chain: Any = market.mechanism("chain")
        self.committees = self.section.mode != "automatic" and market.find("oracles") is not None
        staking = Staking(self.ledger, "oracle_stakes", self.ledger.asset_id(self.section.stake_asset), "oracles",
                          self.section.unstake_days, int(self.section.minimum_stake * MICRO))
        self.operators = Operators(self.ledger, self.usd, staking, self.fees)
        self.docket = Docket(self.ledger, self.table, self.operators, self.seating, self.seats,
                             self.section.commit_days, self.section.reveal_days, self.section.round_size)
        self.payments = Payments(self.ledger, self.table, self.totals, self.insurance, self.section.payment_days)
        self.slash_rest = self.fees if staking.asset == self.usd else market.treasury_account()
        self.assertions: Assertions | None = None
        if self.committees and self.section.mode == "optimistic":
            self.assertions = Assertions(self.ledger, self.usd, market.treasury_account(),
                                         round(self.section.burned_share * BPS))

    # Parameters as they stand ----------------------------------------------------------------------------------

    def rules(self) -> CommitteeRules:
        """The decision rule."""
        return CommitteeRules(round(self.parameters["claims.quorum"] * BPS), self.section.approval_rule,
                              round(self.section.amount_tolerance * BPS))

    def seats(self, level: int) -> int:
        """Committee size after ``level`` appeals."""
        size = int(self.parameters["claims.committee_size"])
        for _ in range(level):
            size = appeal_size(size)
        return size

    def vote_gas(self) -> int:
        """Base units of cash that the gas of one vote costs at the fees last quoted."""
        chain, total = self.chain, 0
        for kind, gas in (("commit", self.section.commit_gas_per_vote), ("reveal", self.section.reveal_gas_per_vote)):
            if fee := chain.fee(kind):
                total += mul_div(fee, gas, chain.gas(kind))
        return total

    def reward(self) -> int:
        """Base units per coherent vote."""
        pay = int(self.parameters["claims.reward_per_vote"] * MICRO)
        return pay + self.vote_gas() if self.section.gas_refund else pay

    def at_stake(self) -> NDArray[np.int64]:
        """Base units of stake at risk per seat, int64[operators]."""
        return self.operators.at_stake(self.section.slashing, round(self.parameters["claims.slash_share"] * BPS))

    def appeal_fee(self, level: int) -> int:
        """Base units that an appeal from ``level`` costs the claimant: the rewards of the larger committee."""
        return self.seats(level + 1) * self.reward()

    def halt(self, days: int) -> None:
        """Shock: nothing is decided or paid from today for ``days`` days."""
        self.halted_until = max(self.halted_until, self.day + 1 + days)  # shocks come before this contract's day begins

    # Filing ----------------------------------------------------------------------------------------------------

    def file(
        self,
        pools: NDArray[Any],
        slots: NDArray[Any],
        keys: NDArray[np.uint64],
        payees: NDArray[Any],
        amounts: NDArray[np.int64],
        incurred: NDArray[Any],
        day: int,
        serials: NDArray[np.int64] | None = None,
        plans: NDArray[Any] | None = None,
    ) -> NDArray[np.int64]:
        """File claims, all arrays of n.

        Args:
            pools: who is to pay. slots: the patients' storage slots. payees: ledger accounts.
            keys: uint64, with ``serials`` the patients' permanent keys; without them, keys of the episodes themselves.
            amounts: base units that the pool is asked for. incurred: days on which care was received.
            serials: number of the episode among the patient's episodes of that day.
            plans: the pool's plans under which care was received; the first where not given.

        Returns:
            int64[n] claim ids; -1 where the claim is refused: its episode was claimed before, nothing is asked for,
            no pool, a payee that is no account, care in the future or longer ago than the filing limit.
        """
        incurred = np.asarray(incurred, dtype=np.int64)
        pools = np.asarray(pools, dtype=np.int64)
        numbers = np.zeros(keys.size, dtype=np.int64) if serials is None else np.asarray(serials, dtype=np.int64)
        wanted = ((amounts > 0) & (pools >= 0) & (payees >= 0) & (incurred <= day)
                  & (incurred >= day - self.section.filing_limit_days))
        if self.ledger.in_atomic:
            size = self.table.size
            self.ledger.on_rollback(self._save_totals())
            self.ledger.on_rollback(lambda: self.table.truncate(size))
        rows, ids = self.table.append(
            episode_keys(np.ascontiguousarray(keys, dtype=np.uint64), incurred, numbers), wanted, slot=slots,
            pool=pools, payee=payees, claimed=amounts, incurred=incurred, filed=day,
            **({} if plans is None else {"plan": plans}))
        claim_ids = np.full(keys.size, -1, dtype=np.int64)
        claim_ids[rows] = ids
        self.totals.filed += rows.size
        self.totals.refused += keys.size - rows.size
        self.totals.claimed_amount += int(amounts[rows].sum())
        if rows.size:
            if self.insurance is not None:
                self.insurance.report(pools[rows], amounts[rows], incurred[rows], self.table["plan"][ids])
            self._admit(ids, day)
        return claim_ids

    def _admit(self, ids: NDArray[np.int64], day: int) -> None:
        """Send newly filed claims where they are decided."""
        if not self.committees:
            self._automatic.append(ids)
            self.ledger.on_rollback(self._automatic.pop)
            return
        if self.assertions is not None:
            bonds = np.maximum(np.floor(self.table["claimed"][ids] * self.section.bond_share).astype(np.int64),
                               int(self.section.minimum_bond * MICRO))
            accounts = self.ledger.person(self.table["slot"][ids].astype(np.int64))
            ids = ids[~self.assertions.open(ids, accounts, bonds, day + self.section.challenge_days)]
        if ids.size:
            self.docket.add(ids, day + self.section.draw_days)

    def hand_over(self, source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Undecided claims against one pool are from now on claims against another; (claimed amounts, days of care,
        plans) of them, each int64[n]. Reserves are for the caller to move."""
        table = self.table
        rows = np.flatnonzero((table["pool"] == source) & np.isin(table["status"], OPEN))
        table["pool"][rows] = target
        return (table["claimed"][rows].copy(), table["incurred"][rows].astype(np.int64),
                table["plan"][rows].astype(np.int64))

    def note_unfiled(self, amounts: NDArray[np.int64], incurred: NDArray[np.int64]) -> None:
        """Record claims that patients gave up before filing them: base units, and days on which care was received."""
        self.unfiled.add(amounts, incurred)

    def dispute(self, ids: NDArray[np.int64], disputers: NDArray[np.int64], day: int) -> NDArray[np.bool_]:
        """Dispute asserted claims, ``disputers`` (accounts) putting up bonds; bool[n] accepted, sent to a committee."""
        if self.assertions is None:
            raise ClaimError("claims can be disputed in optimistic mode only")
        accepted = self.assertions.dispute(ids, disputers)
        if accepted.any():
            self.docket.add(ids[accepted], day + self.section.draw_days)
        return accepted

    # Appeals ---------------------------------------------------------------------------------------------------

    def appealable(self, day: int) -> NDArray[np.int64]:
        """Claims denied the day before ``day`` that can be appealed, int64[n]."""
        denied = self._denied.get(day - 1)
        if not denied or not self.committees:
            return NO_CLAIMS
        ids = np.concatenate(denied)
        return ids[self.table["level"][ids] < self.section.maximum_appeals]

    def appeal(self, ids: NDArray[np.int64], payers: NDArray[np.int64], day: int) -> NDArray[np.bool_]:
        """Take denied claims (each once) to a larger committee against the fee, from accounts ``payers``; bool[n]."""
        table = self.table
        level = table["level"][ids].astype(np.int64)
        allowed = np.flatnonzero(
            (table["status"][ids] == DENIED) & (level < self.section.maximum_appeals)
            & (day <= table["decided"][ids] + self.section.appeal_days)) if self.committees else NO_CLAIMS
        accepted = np.zeros(ids.size, dtype=np.bool_)
        if not allowed.size:
            return accepted
        price = np.array([self.appeal_fee(one) for one in range(self.section.maximum_appeals)], dtype=np.int64)
        accepted[allowed] = self.ledger.collect(self.usd, payers[allowed], self.fees, price[level[allowed]],
                                                "appeal_fee", partial=True)
        heard = ids[accepted]
        if heard.size:
            if self.ledger.in_atomic:
                self.ledger.on_rollback(self._save_totals())
                self.ledger.on_rollback(lambda: self._unappeal(heard))
            table["status"][heard] = APPEALED
            table["level"][heard] += 1
            self.totals.appeals += heard.size
            self.totals.denied -= heard.size
            if self.insurance is not None:
                self.insurance.report(table["pool"][heard].astype(np.int64), table["claimed"][heard],
                                      table["incurred"][heard].astype(np.int64), table["plan"][heard])
            self.docket.add(heard, day + self.section.draw_days)
        return accepted

    def _unappeal(self, ids: NDArray[np.int64]) -> None:
        self.table["status"][ids] = DENIED
        self.table["level"][ids] -= 1

    def _save_totals(self) -> Callable[[], None]:
        old = self.totals.copy()

        def restore() -> None:
            for name in Totals.__slots__:
                setattr(self.totals, name, getattr(old, name))

        return restore

    # The day ---------------------------------------------------------------------------------------------------

    def open_rounds(self, market: Market) -> None:
        """Accept what nobody disputed, move rounds on, and draw committees for the claims whose time has come."""
        self.day = market.day
        self._yesterday = self.totals.copy()
        self._ended = []
        if self.assertions is not None:
            undisputed = self.assertions.expire(market.day)
            if undisputed.size:
                self._automatic.append(undisputed)
        self.docket.open_reveals(market.day)
        self.docket.draw(market.day)

    def decide(self, market: Market) -> None:
        """Decide the rounds that are over, settle stakes and rewards, and let the pools pay."""
        day = market.day
        self.today = Tally.empty(len(self.operators))
        self.rewards_today = 0
        self.closed = []
        self._end_denials(day)
        if day < self.halted_until:
            return
        if self._automatic:
            ids = np.concatenate(self._automatic)
            self._automatic = []
            self._conclude(ids, self.table["claimed"][ids], day)
        self.closed = over = self.docket.close(day)
        if over:
            stakes, at_stake = self.operators.staking.stakes(), self.at_stake()
            for round_ in over:
                self._judge(round_, at_stake, stakes, day)
            self.operators.staking.settle(self.today, self.slash_rest)
            self.totals.slashed += int(self.today.lost.sum())
        if over or self.operators.owed.any():
            self.rewards_today = self.operators.pay(self.today, self.reward())
            self.totals.rewards += self.rewards_today
        self._ended.append(self.payments.run(day))

    def _judge(self, round_: Round, at_stake: NDArray[np.int64], stakes: NDArray[np.int64], day: int) -> None:
        """Decide a round's claims; those without a decision go to another committee."""
        decisions = round_.decide(self.rules())
        add_round(self.today, round_.keys, round_.seats, decisions.verdicts, at_stake, stakes,
                  self.section.slashed_to == "majority")
        outcome, ids = decisions.outcome, round_.ids
        self.table["revealed"][ids] = day
        final = outcome <= APPROVE
        tied = outcome == SPLIT
        if round_.level >= self.section.maximum_appeals:
            final |= tied  # the last committee is split: what was not approved is denied
        elif tied.any():
            self.table["level"][ids[tied]] += 1
            self._redraw(ids[tied], day)
        if self.review_above and not round_.level and self.section.maximum_appeals:
            again = (outcome == APPROVE) & (round_.claimed >= self.review_above)
            final &= ~again
            self._review(ids[again], day)
        self._conclude(ids[final], decisions.approved[final], day)
        absent = outcome == NO_QUORUM
        if absent.any():
            self.totals.without_quorum += int(absent.sum())
            late = absent & (day - self.table["filed"][ids] > self.section.drop_after_days)
            self._drop(ids[late], day)
            self._redraw(ids[absent & ~late], day)

    def _review(self, ids: NDArray[np.int64], day: int) -> None:
        """Send claims that a first committee approved to a larger one, as if their pool had appealed."""
        if ids.size:
            self.table["status"][ids] = FILED
            self.table["level"][ids] += 1
            self.reviewed += ids.size
            self.docket.add(ids, day + self.section.draw_days)

    def _redraw(self, ids: NDArray[np.int64], day: int) -> None:
        self.table["status"][ids] = FILED
        self.totals.redrawn += ids.size
        if ids.size:
            self.docket.add(ids, day + self.section.draw_days)

    def _release(self, ids: NDArray[np.int64], day: int) -> None:
        """What every final decision does: the case reserve of the claims is given back to their pools."""
        self.table["decided"][ids] = day
        if self.insurance is not None:
            self.insurance.release(self.table["pool"][ids].astype(np.int64), self.table["claimed"][ids],
                                   self.table["incurred"][ids].astype(np.int64), self.table["plan"][ids])

    def _conclude(self, ids: NDArray[np.int64], approved: NDArray[np.int64], day: int) -> None:
        """Approve each claim for ``approved`` base units, or deny it where that is zero."""
        if not ids.size:
            return
        table, granted = self.table, approved > 0
        appealed = table["decided"][ids] >= 0  # it was decided before
        table["approved"][ids] = approved
        table["status"][ids] = np.where(granted, APPROVED, DENIED)
        self._release(ids, day)
        count = int(granted.sum())
        self.totals.approved += count
        self.totals.denied += ids.size - count
        self.totals.overturned += int((appealed & granted).sum())
        self.totals.approved_amount += int(approved.sum())
        if self.assertions is not None:
            claimed = table["claimed"][ids]
            self.assertions.resolve(ids, claimed - approved <= np.floor(claimed * self.section.amount_tolerance))
        if count < ids.size:
            self._deny(ids[~granted], day)
        if count:
            self.payments.add(ids[granted], day)

    def _deny(self, ids: NDArray[np.int64], day: int) -> None:
        """A denial ends the claim at once where no appeal is possible, else when the window for one has passed."""
        last = self.table["level"][ids] >= (self.section.maximum_appeals if self.committees else 0)
        self._ended.append(ids[last])
        if not last.all():
            self._denied.setdefault(day, []).append(ids[~last])

    def _end_denials(self, day: int) -> None:
        """End the denials that could be appealed until ``day`` and were not."""
        for when in [when for when in self._denied if when + self.section.appeal_days <= day]:
            ids = np.concatenate(self._denied.pop(when))
            stands = (self.table["status"][ids] == DENIED) & (self.table["decided"][ids] == when)
            self._ended.append(ids[stands])

    def _drop(self, ids: NDArray[np.int64], day: int) -> None:
        """Give up claims that no committee could decide in time."""
        if not ids.size:
            return
        self.table["status"][ids] = DROPPED
        self._release(ids, day)
        self._ended.append(ids)
        self.totals.dropped += ids.size
        if self.assertions is not None:
            self.assertions.resolve(ids, np.ones(ids.size, dtype=np.bool_))

    def ended_today(self) -> NDArray[np.int64]:
        """Claims for which today was the last day, int64[n]: their pool was asked to pay, they were denied and cannot
        be appealed (any more), or they were dropped."""
        return np.concatenate(self._ended) if self._ended else NO_CLAIMS

    def note_late_payments(self, market: Market) -> None:
        """Enter what pools paid since yesterday on claims that they could not pay in full before."""
        if self.insurance is not None:
            ids, amounts = self.insurance.drain_late_payments()
            self.payments.record_late(ids, amounts, market.day)

    # Observation -----------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        report.observe(self, self._yesterday, market.record)

    def finish(self, market: Market) -> None:
        providers = market.find("providers")
        report.finish(self, market.record, None if providers is None else providers.records)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        return report.invariants(self)
