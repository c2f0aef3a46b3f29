"""The chain: a fee market over the blocks of a day, and the settlement of what the blocks include.

It holds one account, "validators", that receives all gas in USDs, each fee rounded up, and once a month spends it in
the rest of the world. What can never be: a base fee that moves by more than its rule allows, a block above its gas
limit, a transaction above its own fee limit, or gas received that differs from the fees charged. A sender pays gas
out of the cash it holds before the day's calls are executed; whoever cannot is dropped, its block space is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from sim.chain import blocks
from sim.chain.fee_market import (
    GWEI,
    LARGEST_GAS,
    FeeMarket,
    balance,
    dollars_in_micro,
    noise_levels,
    stationary_path,
    transaction_fee,
)
from sim.chain.mempool import Batch, Rows
from sim.chain.settlement import Included, Settlement
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Phase
from sim.scenario.sections.chain import ChainSection

COST_INTERVAL_DAYS = 30
"""Validators spend their income this often."""


def mean_of(numbers: NDArray[np.int64]) -> float:
    """The mean of numbers that are not negative; where a float holds their sum exactly, by whole numbers: quicker."""
    if int(numbers.max()) * numbers.size < 2**53:
        return int(numbers.sum()) / numbers.size
    return float(numbers.mean())


class Chain(Settlement):
    """Mechanism ``chain``. See :class:`sim.chain.settlement.Settlement` for what agents may ask of it."""

    section: ChainSection
    hooks = (Hook(Phase.FEES, "open_day"), Hook(Phase.SETTLEMENT, "execute"))
    shocks: Mapping[str, str] = {"fee_spike": "start_spike", "chain_outage": "start_outage"}

    def setup(self, market: Market) -> None:
        super().setup(market)
        section, draws, days = self.section, market.draws, market.horizon_days
        self.usd: int = self.ledger.asset_id("USDs")
        self.validators: int = self.ledger.open_account("validators", "chain")
        for kind, gas in section.gas.model_dump().items():
            self.register_kind(kind, gas)
        self.fees = FeeMarket(
            section,
            level_path=stationary_path(draws.decision("chain.fee_level"), days, section.fee_sd,
                                       section.fee_half_life_days),
            data_path=stationary_path(draws.decision("chain.data_price"), days, section.data_price_sd,
                                      section.data_price_half_life_days),
        )
        self._most_gas = min(section.gas_target * section.elasticity_multiplier, LARGEST_GAS)
        self._demand = draws.decision("chain.block_demand")
        self._noise = noise_levels(section.block_noise)
        self._scale = balance(self._noise, section.elasticity_multiplier, self.fees.denominator)
        self.blocks_per_day = self.fees.steps_per_day
        self.base_fee = self.fees.opening_base_fee
        self.base_path = np.full(self.blocks_per_day + 1, self.base_fee, dtype=np.int64)
        self.gas_used = np.zeros(self.blocks_per_day, dtype=np.int64)
        self.halted_until = -1
        self._congestion = 1.0 / section.elasticity_multiplier
        self._quotes: dict[str, int] = {}
        self.coin_micro = MICRO
        self.data_wei = 0
        self.gas_paid = 0
        self.gas_paid_today = 0
        self.costs_paid = 0
        self._claim_fees: list[float] = []
        self._base_fees: list[float] = []

    def start(self, market: Market) -> None:
        self.reference_price = market.mechanism("reference_price")
        self.rest_of_world: int = self.ledger.account("rest_of_world")
        self.coin_micro = dollars_in_micro(self.reference_price.gas_coin_usd)
        self.data_wei = self.fees.data_wei(0) if market.horizon_days else 0

    # What agents may ask -------------------------------------------------------------------------------------

    def fee(self, kind: str) -> int:
        """Micro-USD for a transaction of ``kind`` at the base fee of the last block and the suggested tip."""
        quote = self._quotes.get(kind)
        if quote is None:
            quote = transaction_fee(self.gas(kind), self.base_fee + self.suggested_tip, self.data_wei, self.coin_micro)
            self._quotes[kind] = quote
        return quote

    def proof_gas(self, proofs: int) -> int:
        """Gas to verify one aggregated batch of ``proofs`` proofs; give it to a batch as its ``gas``."""
        return self.gas("proof_batch") + proofs * self.gas("proof")

    @property
    def congestion(self) -> float:
        return self._congestion

    @property
    def suggested_tip(self) -> int:
        return self.fees.tip

    @property
    def halted(self) -> bool:
        """Whether no blocks are built today."""
        return self.market.day <= self.halted_until

    def _check_gas(self, batch: Batch, gas: int | NDArray[np.int64]) -> None:
        most = gas if isinstance(gas, int) else int(gas.max())
        if most > self._most_gas:
            raise ValueError(f"a transaction of kind {batch.kind!r} needs {most} gas; it may have {self._most_gas}")

    # The day -------------------------------------------------------------------------------------------------

    def start_spike(self, multiple: float, days: int, fee_market: str) -> None:
        """Shock ``fee_spike``: from today's first block. A rollup feels a layer-1 spike in its data price only."""
        on_data = fee_market == "layer_1" and self.section.data_bytes > 0
        self.fees.add_spike(self.market.day, days, multiple, on_data)

    def start_outage(self, days: int) -> None:
        """Shock ``chain_outage``: no block is built from today for ``days`` days."""
        self.halted_until = max(self.halted_until, self.market.day + days - 1)

    def open_day(self, market: Market) -> None:
        """Take over the day's price of the gas coin and of layer-1 data; quotes are renewed."""
        self.coin_micro = dollars_in_micro(self.reference_price.gas_coin_usd)
        self.data_wei = self.fees.data_wei(market.day)
        self._quotes.clear()

    def execute(self, market: Market) -> None:
        """Build the day's blocks, collect gas and execute what they include."""
        pool = self.pool
        self.gas_paid_today = 0
        if self.halted:
            self._settle(Included(np.empty(0, np.int64), np.empty(0, np.int64)), lambda positions: None)
            self.base_path[:] = self.base_fee
            self.gas_used[:] = 0
            self._congestion = 1.0
        else:
            count = pool.size
            block, fee, sequence = np.empty(count, np.int64), np.zeros(count, np.int64), np.empty(count, np.int64)
            included = blocks.build_blocks(
                self.base_fee, self.fees.hourly_levels(market.day), self.section.demand_elasticity, self._scale,
                self._noise, self._demand.stream, market.day, self.fees.target, self.fees.limit,
                self.fees.denominator, self.fees.quote_every, self.fees.tip, self.data_wei, self.coin_micro,
                pool["gas"], pool["max_fee"], pool["tip"], pool["rank"], pool["arrival"],
                self.base_path, self.gas_used, block, fee, sequence)
            self.base_fee = int(self.base_path[-1])
            self._congestion = mean_of(self.gas_used) / self.fees.limit
            rows = sequence[:included]
            self._settle(Included(rows, block[rows]), lambda positions: self._collect_gas(positions, fee))
        self._quotes.clear()
        if market.day % COST_INTERVAL_DAYS == COST_INTERVAL_DAYS - 1:
            self._pay_costs()

    def _collect_gas(self, positions: Rows, fee: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Have the rows at ``positions`` pay their fees in order of submission; the mask of those that could."""
        if positions.size == 0:
            return None
        charged = fee[positions]
        paid = self.ledger.collect(self.usd, self.pool["payer"][positions], self.validators, charged, "gas",
                                   partial=True)
        assert paid is not None
        self.gas_paid_today = int(charged[paid].sum())
        self.gas_paid += self.gas_paid_today
        return paid

    def _pay_costs(self) -> None:
        """The validators spend what they hold."""
        held = self.ledger.balance(self.usd, self.validators)
        self.ledger.transfer(self.usd, self.validators, self.rest_of_world, held, "validator_costs")
        self.costs_paid += held

    # Observations --------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        path, record, today = self.base_path[:-1], market.record, self.today
        mean = mean_of(path)
        sample = path[::8]
        high = int(0.95 * (sample.size - 1))
        claim_fee = transaction_fee(self.gas("claim_filing"), round(mean) + self.suggested_tip, self.data_wei,
                                    self.coin_micro) / MICRO
        self._claim_fees.append(claim_fee)
        self._base_fees.append(mean / GWEI)
        record.series("chain.base_fee_gwei", mean / GWEI)
        record.series("chain.base_fee_p95_gwei", float(np.partition(sample, high)[high]) / GWEI)
        record.series("chain.claim_fee_usd", claim_fee)
        record.series("chain.congestion", self._congestion)
        record.series("chain.included", today.executed)
        record.series("chain.waiting", self.pool.size)
        record.series("chain.dropped", today.dropped)
        record.series("chain.reverted", today.reverted)
        record.series("chain.gas_paid_usd", self.gas_paid_today / MICRO)
        record.series("chain.validators_usd", self.ledger.balance(self.usd, self.validators) / MICRO)

    def finish(self, market: Market) -> None:
        record, counts = market.record, self.counts
        if self._base_fees:
            record.metric("chain.mean_base_fee_gwei", float(np.mean(self._base_fees)))
            record.metric("chain.mean_claim_fee_usd", float(np.mean(self._claim_fees)))
            record.metric("chain.peak_claim_fee_usd", max(self._claim_fees))
        record.metric("chain.transactions", counts.executed)
        record.metric("chain.dropped_transactions", counts.dropped)
        record.metric("chain.reverted_transactions", counts.reverted)
        record.metric("chain.total_gas_usd", self.gas_paid / MICRO)
        if counts.executed:
            record.metric("chain.mean_wait_days", counts.days_waited / counts.executed)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield from super().invariants()
        yield "chain.base_fee_moves_by_its_rule", self.check_base_fee
        yield "chain.blocks_within_gas_limit", self.check_gas_limit
        yield "chain.gas_paid_equals_fees", self.check_gas_paid

    def check_base_fee(self) -> str | None:
        """The base fee of no block differs from its parent's by more than the protocol allows."""
        before, after = self.base_path[:-1].astype(np.float64), self.base_path[1:].astype(np.float64)
        up = np.maximum(before * (self.section.elasticity_multiplier - 1) / self.fees.denominator, 1.0)
        wrong = np.flatnonzero((after - before > up) | (before - after > before / self.fees.denominator))
        if wrong.size == 0:
            return None
        at = int(wrong[0])
        return f"block {at} moved the base fee from {self.base_path[at]} to {self.base_path[at + 1]} wei"

    def check_gas_limit(self) -> str | None:
        """No block holds more gas than its limit."""
        most = int(self.gas_used.max())
        return None if most <= self.fees.limit else f"a block used {most} of {self.fees.limit} gas"

    def check_gas_paid(self) -> str | None:
        """What the validators hold and have spent is the sum of the fees charged."""
        held = self.ledger.balance(self.usd, self.validators)
        if held + self.costs_paid == self.gas_paid:
            return None
        return f"validators hold {held} and spent {self.costs_paid}, but fees of {self.gas_paid} were charged"
