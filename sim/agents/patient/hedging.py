"""Patients who buy health tokens: to prepay care at a discount, and to hedge its price.

A token pays for one index unit of care whatever that costs in dollars, so holding tokens for next year's own payments
removes the part of their variance that comes from the price of care. Once a month a patient who considers it wants

    q = min(beta E[own payments], share of cash) less the tokens it holds,

and buys when discount x q + (a/2) x variance removed exceeds fee, slippage and gas. beta is the slope of own payments
on the index: the cohort's prior, shrunk half towards the patient's own spending relative to what it expected.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.chain.mempool import Batch
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.hedging import HedgingSection

HISTORY_DAYS = 365
SHRINKAGE = 0.5


class Hedging(Mechanism):
    """The patients who ever consider a hedge are drawn once, by name."""

    section: HedgingSection
    hooks = (Hook(Phase.PATIENTS, "hedge", after=("patients",)),)

    def setup(self, market: Market) -> None:
        self.consider = market.draws.decision("hedging.considers")
        self.index_history: list[float] = []
        self.bought_today = 0
        self.bought = 0
        self.buyers = 0

    def start(self, market: Market) -> None:
        self.usd: int = market.ledger.asset_id("USDs")
        self.hlt: int = market.ledger.asset_id("HLT")
        self.amm: Any = market.mechanism("amm")
        self.pool: Any = self.amm.pool("HLT")
        self.prices: Any = market.mechanism("reference_price")
        self.morbidity: Any = market.mechanism("morbidity")
        self.economy: Any = market.mechanism("economy")
        self.patients: Any = market.mechanism("patients")
        self.chain: Any = market.mechanism("chain")
        keys = market.people["key"]
        candidates = self.consider.bernoulli(-1, keys, self.section.reviewers_share).nonzero()[0]
        turn = (keys[candidates] % np.uint64(self.section.interval_days)).astype(np.int64)
        self.turns = [candidates[turn == day] for day in range(self.section.interval_days)]

    def index_volatility(self) -> float:
        """Yearly standard deviation of the index's relative change, as observed; 0 before a month has passed."""
        if len(self.index_history) < 30:
            return 0.0
        logs = np.log(np.array(self.index_history))
        changes = logs[1:] - logs[:-1]
        apart = changes - np.add.reduce(changes) / changes.size
        return math.sqrt(float(np.add.reduce(apart * apart)) / changes.size) * math.sqrt(365.0)

    def own_payments_expected(self, market: Market, slots: np.ndarray) -> np.ndarray:
        """Dollars a year that each patient expects to pay itself: its share of its expected cost of care."""
        expected: np.ndarray = self.morbidity.expected_annual_cost(slots) * self.patients.coinsurance(market, slots)
        return expected

    def hedge(self, market: Market) -> None:
        """Submit the purchases of those whose turn it is."""
        self.bought_today = 0
        self.index_history.append(float(self.prices.medical_index))
        del self.index_history[:-HISTORY_DAYS]
        slots = self.turns[market.day % self.section.interval_days]
        if slots.size == 0:
            return
        people, ledger, section = market.people, market.ledger, self.section
        index, price = float(self.prices.medical_index), self.pool.spot()
        expected = self.own_payments_expected(market, slots)
        spent = people["own_spent_this_year"][slots] / MICRO * 365.0 / max(market.day % 365, 30)
        own_slope = np.where(expected > 0, spent / np.maximum(expected, 1.0), 0.0)
        beta = SHRINKAGE * section.cost_price_beta + (1.0 - SHRINKAGE) * np.minimum(own_slope, 2.0)
        cash = np.maximum(ledger.person_balances(self.usd)[slots] - self.economy.consumption_floor, 0) / MICRO
        held = ledger.person_balances(self.hlt)[slots] / MICRO * index
        wanted = np.maximum(np.minimum(beta * expected, section.wealth_share * cash) - held, 0.0)
        removed = people["risk_aversion"][slots] / 2.0 * (wanted * self.index_volatility()) ** 2
        depth = max(self.pool.depth(0.02) / MICRO, 1.0)
        slippage = np.minimum(wanted / depth * 0.02, 1.0)
        gain = wanted * (index / price - 1.0) + removed
        cost = wanted * (0.003 + slippage) + self.chain.fee("swap") / MICRO
        rows = ((wanted > 1.0) & (gain > cost)).nonzero()[0]
        if rows.size == 0:
            return
        amounts = np.floor(wanted[rows] * MICRO).astype(np.int64)
        accounts = slots[rows] + ledger.people_start
        limit = price * (1.0 + 0.003) * (1.0 + section.slippage_limit)
        least = np.floor(amounts / limit).astype(np.int64)

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            for row, block in zip(which.tolist(), blocks.tolist(), strict=True):
                self.amm.at_block(block)
                self.pool.swap(int(accounts[row]), self.usd, int(amounts[row]), int(least[row]))
            self.bought_today += int(amounts[which].sum())  # only once every swap of the call has succeeded
            self.buyers += which.size

        self.chain.submit(Batch("swap", accounts, execute, ordered=True, keys=people["key"][slots[rows]],
                                expires=market.day))

    def observe(self, market: Market) -> None:
        self.bought += self.bought_today
        market.record.series("hedging.bought", self.bought_today / MICRO)

    def finish(self, market: Market) -> None:
        market.record.metric("hedging.bought", self.bought / MICRO)
        market.record.metric("hedging.buyers", self.buyers)
