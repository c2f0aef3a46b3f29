"""Schema of the chain: fee market, block capacity, gas of each kind of transaction, shocks."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param

EIP_1559 = "EIP-1559, parameters of the specification"
OP_STACK = "OP Mainnet since the Canyon upgrade: 2 s blocks, 30M gas limit, 5M target, denominator 250"

PRESETS: dict[str, dict[str, Any]] = {
    "layer_1": {
        "block_seconds": 12, "blocks_per_step": 1, "gas_target": 15_000_000, "elasticity_multiplier": 2,
        "change_denominator": 8, "base_fee_gwei": 20.0, "tip_gwei": 1.5, "data_bytes": 0,
    },
    "layer_2": {
        "block_seconds": 2, "blocks_per_step": 6, "gas_target": 5_000_000, "elasticity_multiplier": 6,
        "change_denominator": 250, "base_fee_gwei": 0.01, "tip_gwei": 0.001, "data_bytes": 150,
    },
    "custom": {},
}
"""What a preset sets where the scenario does not; ``custom`` leaves the field defaults, which are those of layer_1."""

PROTOCOL_FIELDS = ("block_seconds", "blocks_per_step", "gas_target", "elasticity_multiplier", "change_denominator")
"""Fields that are the preset's own: to change one of them, name the preset ``custom``."""


class GasTable(Model):
    """Gas of one transaction of each kind. Mechanisms may register further kinds."""

    transfer: int = param(65_000, "Transfer of a token.", unit="gas", ge=21_000, grade="L",
                          source="ERC-20 transfers cost about 65,000 gas in public fee guides")
    swap: int = param(120_000, "Swap on a constant product pool.", unit="gas", ge=21_000, grade="L",
                      source="swaps through a router cost about 110,000 to 190,000 gas in public fee guides")
    add_liquidity: int = param(180_000, "Deposit of both assets into a pool.", unit="gas", ge=21_000)
    remove_liquidity: int = param(160_000, "Withdrawal of both assets from a pool.", unit="gas", ge=21_000)
    mint: int = param(130_000, "Minting health tokens against reserve.", unit="gas", ge=21_000)
    redeem: int = param(120_000, "Redeeming health tokens.", unit="gas", ge=21_000)
    enrol: int = param(140_000, "Buying or changing cover: a policy record and a first payment.", unit="gas", ge=21_000)
    premium: int = param(80_000, "Paying a premium: a transfer and one storage slot.", unit="gas", ge=21_000)
    claim_filing: int = param(150_000, "Filing a claim: a new record of several storage slots.", unit="gas",
                              ge=21_000)
    appeal: int = param(150_000, "Appealing a decision: a bond and a new round.", unit="gas", ge=21_000)
    consent: int = param(60_000, "Giving or withdrawing consent to a record's sale.", unit="gas", ge=21_000)
    data_purchase: int = param(110_000, "Buying access to a set of records.", unit="gas", ge=21_000)
    commit: int = param(60_000, "An oracle's commitment: one storage slot.", unit="gas", ge=21_000)
    reveal: int = param(70_000, "An oracle's reveal: hash check and vote.", unit="gas", ge=21_000)
    stake: int = param(100_000, "Depositing stake.", unit="gas", ge=21_000)
    unstake: int = param(90_000, "Asking for stake back.", unit="gas", ge=21_000)
    deposit: int = param(120_000, "Depositing into a vault for shares.", unit="gas", ge=21_000)
    withdraw: int = param(130_000, "Requesting or completing a withdrawal from a vault.", unit="gas", ge=21_000)
    propose: int = param(250_000, "Putting a proposal to the vote.", unit="gas", ge=21_000)
    vote: int = param(90_000, "Casting a vote.", unit="gas", ge=21_000)
    delegate: int = param(95_000, "Delegating votes: two checkpoints.", unit="gas", ge=21_000)
    execute: int = param(200_000, "Executing a proposal that passed.", unit="gas", ge=21_000)
    proof_batch: int = param(354_000, "Verifying one batch of aggregated proofs, whatever its size.", unit="gas",
                             ge=21_000, grade="M", source="figure published by one proof aggregation vendor")
    proof: int = param(13_500, "Each proof of a batch, on top of the batch.", unit="gas", ge=0, grade="M",
                       source="figure published by one proof aggregation vendor")


class FeeSpike(Model):
    """Arguments of the shock ``fee_spike``."""

    multiple: float = param(6.0, "Fees settle near this multiple of what they would have been.", gt=0, le=1000,
                            grade="M", source="gas price on 12 March 2020: about 6 times the days before")
    days: int = param(3, "How long demand stays shifted, from the day of the shock.", unit="days", ge=1)
    fee_market: Literal["layer_1", "this_chain"] = param(
        "layer_1", "Where demand shifts. On a layer-2 chain a layer-1 spike raises only the cost of posting data.")


class ChainOutage(Model):
    """Arguments of the shock ``chain_outage``."""

    days: int = param(1, "Days without a block, from the day of the shock; transactions wait.", unit="days", ge=1)


class ChainSection(Section):
    """Blocks, their fee market and what each transaction costs."""

    implementation: ClassVar[str] = "sim.chain.chain:Chain"
    requires: ClassVar[tuple[str, ...]] = ("economy", "reference_price")

    preset: Literal["layer_1", "layer_2", "custom"] = param(
        "layer_1", "Which chain: layer_1 (12 s blocks of 15M target gas), layer_2 (a rollup with 2 s blocks that pays "
        "for data on layer 1), or custom, where each field below holds.")
    block_seconds: int = param(12, "Time between blocks (layer_2: 2).", unit="seconds", ge=1, le=3600, grade="M",
                               source="Ethereum slot time since the Merge; " + OP_STACK)
    blocks_per_step: int = param(
        1, "Blocks simulated as one of as many times the gas (layer_2: 6, so that a day has 7,200 steps on either). In "
        "a step the base fee then moves by at most the sum of what it moves in its blocks.", unit="blocks", ge=1)
    gas_target: int = param(15_000_000, "Gas per block at which the base fee rests (layer_2: 5M).", unit="gas",
                            ge=1_000_000, le=1_000_000_000, grade="M",
                            source="Ethereum with a 30M gas limit, 2021-2024; " + OP_STACK)
    elasticity_multiplier: int = param(2, "Gas limit of a block over its target (layer_2: 6).", ge=2, le=20, grade="M",
                                       source=EIP_1559 + "; " + OP_STACK)
    change_denominator: int = param(
        8, "The base fee moves by 1/this when a block uses nothing or twice its target (layer_2: 250).", ge=2, le=1000,
        grade="M", source=EIP_1559 + "; " + OP_STACK)
    base_fee_gwei: float = param(20.0, "Mean base fee that demand by other users supports (layer_2: 0.01).",
                                 unit="gwei", gt=0, le=1000)
    tip_gwei: float = param(1.5, "Mean tip of other users, and the tip suggested to ours (layer_2: 0.001).",
                            unit="gwei", gt=0, le=1000)
    data_bytes: int = param(
        0, "Bytes that each transaction posts to layer 1, after compression (layer_2: 150).", unit="bytes", ge=0)
    data_gas_per_byte: float = param(1.0, "Layer-1 data gas per posted byte.", unit="gas/byte", ge=0, grade="M",
                                     source="EIP-4844: 131,072 blob gas for a blob of 131,072 bytes")
    data_price_gwei: float = param(5.0, "Median price of layer-1 data gas.", unit="gwei", ge=0, le=10_000)
    data_price_sd: float = param(0.5, "Stationary deviation of the log price of layer-1 data gas.", ge=0, le=2)
    data_price_half_life_days: float = param(20.0, "Half-life of its deviations.", unit="days", gt=0)

    demand_elasticity: float = param(
        0.5, "Price elasticity of other users' demand for block space. Stationary fees do not depend on it; how long "
        "a step in demand takes to pass into the fee does.", gt=0, le=3)
    quote_seconds: int = param(60, "Other users answer the base fee they saw when they last looked: they look this "
                                   "often.", unit="seconds", ge=1, le=3600)
    block_noise: float = param(0.5, "Deviation of log demand from block to block.", ge=0, le=2)
    daily_cycle: float = param(0.15, "Amplitude of the daily cycle in the log fee.", ge=0, le=2)
    peak_hour: int = param(15, "Hour of the day with the highest demand.", unit="hour", ge=0, le=23)
    fee_sd: float = param(0.3, "Stationary deviation of the log fee level from day to day.", ge=0, le=2)
    fee_half_life_days: float = param(10.0, "Half-life of the fee level's deviations.", unit="days", gt=0)
    gas: GasTable = param(GasTable(), "Gas of one transaction, by kind.", unit="gas")

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        """Put the preset's values where the scenario gives none."""
        if not isinstance(data, dict):
            return data
        preset = data.get("preset", "layer_1")
        return {**PRESETS.get(preset, {}), **data} if isinstance(preset, str) else data

    @model_validator(mode="after")
    def _keep_to_preset(self) -> Self:
        """Refuse a protocol constant that contradicts the named preset."""
        for name in PROTOCOL_FIELDS:
            wanted = PRESETS[self.preset].get(name, getattr(self, name))
            if getattr(self, name) != wanted:
                raise ValueError(f"{name} is {wanted} on preset {self.preset}, not {getattr(self, name)}: "
                                 "leave it out, or use preset: custom")
        if self.change_denominator < self.blocks_per_step * 2:
            raise ValueError("change_denominator must be at least twice blocks_per_step, or a step could move the base "
                             "fee below nothing")
        return self

    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("chain.mean_base_fee_gwei", "Base fee, mean over all blocks of the run.", "gwei", "low"),
        Metric("chain.mean_claim_fee_usd", "Fee to file a claim, mean over days.", "USD", "low"),
        Metric("chain.peak_claim_fee_usd", "Fee to file a claim on the dearest day.", "USD", "low"),
        Metric("chain.transactions", "Transactions included in blocks.", "transactions", "none"),
        Metric("chain.dropped_transactions", "Transactions that expired, or could not pay for gas.", "transactions",
               "low"),
        Metric("chain.reverted_transactions", "Transactions included but refused by the contract.", "transactions",
               "low"),
        Metric("chain.mean_wait_days", "Days from submission to inclusion, mean over included transactions.", "days",
               "low"),
        Metric("chain.total_gas_usd", "Gas paid over the run.", "USD", "low"),
    )
    series: ClassVar[tuple[Series, ...]] = (
        Series("chain.base_fee_gwei", "Base fee, mean over the day's blocks.", "gwei"),
        Series("chain.base_fee_p95_gwei", "Base fee, 95th percentile over every eighth block of the day.", "gwei"),
        Series("chain.claim_fee_usd", "Fee to file a claim at the day's mean base fee.", "USD"),
        Series("chain.congestion", "Share of the gas limit that was used.", "1"),
        Series("chain.included", "Transactions included in blocks.", "transactions"),
        Series("chain.waiting", "Transactions that wait at the end of the day.", "transactions"),
        Series("chain.dropped", "Transactions that expired, or could not pay for gas.", "transactions"),
        Series("chain.reverted", "Transactions included but refused by the contract.", "transactions"),
        Series("chain.gas_paid_usd", "Gas paid.", "USD"),
        Series("chain.validators_usd", "Balance of the validators at the end of the day.", "USD"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("fee_spike", "Demand for block space shifts, so that fees settle at a multiple.", FeeSpike),
        ShockKind("chain_outage", "No blocks are built for some days.", ChainOutage),
    )


SECTION = ChainSection
