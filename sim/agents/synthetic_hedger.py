"""Mechanism "synthetic_hedgers": patients and insurers who are long sMED, which pays when care becomes dearer.

A patient's exposure is what it expects to pay itself in a year; an insurer's the claims to come at premiums that are
fixed already, for which the premium earned of late stands. Each holds sMED for that value, as far as it has money and
the pool is deep enough, and reviews it at intervals. What the index does to the exposure and the pool's price to the
holding is kept month by month: the hedge is as good as sMED's price follows the index, and no better.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch, Refused
from sim.contracts.credit.synthetics import Synthetics
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.mechanism import Exposure, Hook, Market, Mechanism, Phase
from sim.scenario.sections.synthetic_hedgers import SyntheticHedgersSection

MONTH = 30
GAS_ORDERS = 20
"""Orders whose gas an insurer keeps as money in its hedge account."""
KIND, GAS = "synthetic_hedge", 150_000


class Record:
    """Exposure in dollars at the index and tokens held, at the end of each month, with both prices of that day."""

    def __init__(self) -> None:
        self.months: list[tuple[float, float, float, float]] = []

    def note(self, exposure: float, tokens: float, index: float, price: float) -> None:
        """Add a month."""
        self.months.append((exposure, tokens, index, price))

    def effectiveness(self) -> float | None:
        """1 - sum (loss - gain)^2 / sum loss^2 over months; None without a month that had something to lose."""
        bare = hedged = 0.0
        for (exposure, tokens, index, price), after in zip(self.months, self.months[1:], strict=False):
            loss = exposure * (after[2] / index - 1.0)
            gain = tokens * (after[3] - price)
            bare += loss * loss
            hedged += (loss - gain) ** 2
        return 1.0 - hedged / bare if bare else None

    def basis_risk(self) -> float | None:
        """Deviation of the monthly change of price over index; None before there are two changes."""
        gaps = np.array([price / index for _, _, index, price in self.months])
        return float(np.std(np.diff(gaps))) if gaps.size > 2 else None


class PoolHedge:
    """One insurer's account of sMED; its holdings count among the pool's admitted assets."""

    def __init__(self, desk: SyntheticHedgers, pool: Any) -> None:
        self.desk = desk
        self.pool = pool
        self.ledger = pool.ledger
        self.account: int = pool.ledger.open_account(f"{pool.name}.hedge", "insurers")
        self.key = agent_key(f"{pool.name}.hedge")
        self.spent = self.brought = 0
        self._earned: list[int] = []
        pool.admitted["synthetic"] = self.value
        pool.admitted["hedge_cash"] = self.cash

    def cash(self) -> int:
        """Money for gas, or on its way."""
        return int(self.ledger.balance(self.pool.asset, self.account))

    def tokens(self) -> int:
        """sMED held."""
        return int(self.ledger.balance(self.desk.synthetics.asset, self.account))

    def value(self) -> int:
        """What it is worth at the pool's spot price, floored."""
        pool = self.desk.market_pool
        return mul_div(self.tokens(), *pool.price_ratio()) if pool.reserves()[0] else 0

    def exposure(self) -> int:
        """Claims to come at fixed premiums: premium earned in the last month, over the days until rates are new."""
        if len(self._earned) < 2:
            return 0
        days = len(self._earned) - 1
        return int((self._earned[-1] - self._earned[0]) / days * self.desk.section.rate_days)

    def close_day(self) -> None:
        """Remember what has been earned so far."""
        self._earned.append(self.pool.totals.earned)
        del self._earned[:-(MONTH + 1)]

    def wish(self) -> int:
        """Cash to spend on sMED (negative: sMED to sell for about so much) at this review, within its means."""
        section, held = self.desk.section, self.value()
        if self.pool.run_off_since is not None:
            return -held
        target = min(int(self.exposure() * section.hedge_ratio),
                     int((self.pool.layer_money() + held) * section.wealth_share))
        return target - held if abs(target - held) > section.band * target else 0


class SyntheticHedgers(Mechanism):
    """The desk of both kinds of hedgers."""

    section: SyntheticHedgersSection
    hooks = (Hook(Phase.MARKETS, "review"),)

    def setup(self, market: Market) -> None:
        self.market: Any = market
        self.ledger = market.ledger
        self.synthetics: Synthetics = market.mechanism("synthetics")
        self.consider = market.draws.decision("synthetic_hedgers.considers")
        self.hedges: list[PoolHedge] = []
        self.slots = np.empty(0, dtype=np.int64)
        self.turns = self.slots
        self.records = {"patients": Record(), "pools": Record()}
        self.bought = 0

    def start(self, market: Market) -> None:
        section = self.section
        self.amm: Any = market.mechanism("amm")
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind(KIND, GAS)
        self.market_pool: Any = self.synthetics.pool
        self.prices: Any = market.mechanism("reference_price")
        self.patients: Any = market.find("patients")
        self.morbidity: Any = market.find("morbidity")
        insurance: Any = market.find("insurance")
        pools = insurance.pools if insurance is not None else []
        unknown = set(section.pools) - {pool.name for pool in pools}
        if unknown:
            raise ValueError(f"there is no pool {sorted(unknown)[0]!r} that could hedge")
        self.hedges = [PoolHedge(self, pool) for pool in pools if not section.pools or pool.name in section.pools]
        if self.patients is not None:
            keys = market.people["key"]
            self.slots = self.consider.bernoulli(-1, keys, section.patients_share).nonzero()[0]
            self.turns = (keys[self.slots] % np.uint64(section.interval_days)).astype(np.int64)
            economy: Any = market.find("economy")
            self.floor = int(economy.consumption_floor) if economy is not None else 0

    # The review ----------------------------------------------------------------------------------------------

    def patients_exposure(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Dollars that each patient expects to pay itself in a year."""
        expected: NDArray[np.float64] = (self.morbidity.expected_annual_cost(slots)
                                         * self.patients.coinsurance(self.market, slots))
        return expected

    def review(self, market: Market) -> None:
        """Those whose turn it is adjust their hedge."""
        if market.day == 0:  # the market opens
            return
        for hedge in self.hedges:
            hedge.close_day()
        orders: list[tuple[int, np.uint64, int, PoolHedge | None]] = []
        if market.day % self.section.interval_days == 0:
            for hedge in self.hedges:
                self._prepare(hedge, orders)
        slots = self.slots[self.turns == market.day % self.section.interval_days]
        if slots.size:
            self._patients(slots, orders)
        if orders:
            self._submit(market, orders)

    def largest(self) -> int:
        """Cash whose purchase moves the price by the slippage limit."""
        return int(self.market_pool.reserves()[1] * self.section.slippage_limit / 2.0)

    def _prepare(self, hedge: PoolHedge, orders: list[tuple[int, np.uint64, int, PoolHedge | None]]) -> None:
        """Bring money for the order and its gas into the hedge account, and what is left over back to the pool."""
        gas = GAS_ORDERS * int(self.chain.fee(KIND))
        wish = max(-self.largest(), min(hedge.wish(), self.largest()))
        needed = gas + max(wish, 0) - hedge.cash()
        if needed > 0:
            hedge.pool.put_out("hedge", hedge.account, needed)
        elif needed < -MICRO:
            hedge.pool.take_back("hedge", hedge.account, -needed)
        if abs(wish) > MICRO:
            orders.append((hedge.account, hedge.key, wish, hedge))

    def _patients(self, slots: NDArray[np.int64], orders: list[tuple[int, np.uint64, int, PoolHedge | None]]) -> None:
        section, ledger = self.section, self.ledger
        price = self.market_pool.spot()
        cash = np.maximum(ledger.person_balances(self.synthetics.cash)[slots] - self.floor, 0)
        held = ledger.person_balances(self.synthetics.asset)[slots] * price
        target = np.minimum(self.patients_exposure(slots) * MICRO * section.hedge_ratio,
                            (cash + held) * section.wealth_share)
        off = target - held
        keys = self.market.people["key"][slots]
        for at in (np.abs(off) > np.maximum(section.band * target, MICRO)).nonzero()[0].tolist():
            wish = max(-self.largest(), min(int(off[at]), self.largest()))
            orders.append((int(ledger.person(int(slots[at]))), keys[at], wish, None))

    def _submit(self, market: Market, orders: list[tuple[int, np.uint64, int, PoolHedge | None]]) -> None:
        pool, coin, asset = self.market_pool, self.synthetics.cash, self.synthetics.asset
        price, keep = pool.spot(), 1.0 - self.section.slippage_limit

        def trade(account: int, wish: int, hedge: PoolHedge | None) -> None:
            before = (self.bought, hedge.spent, hedge.brought) if hedge is not None else (self.bought, 0, 0)
            self.ledger.on_rollback(lambda: self._restore(hedge, before))
            if wish > 0:
                paid = min(wish, self.ledger.balance(coin, account))
                pool.swap(account, coin, paid, int(paid / price * keep))
                self.bought += paid
                if hedge is not None:
                    hedge.spent += paid
                return
            sold = min(int(-wish / price), self.ledger.balance(asset, account))
            if sold == 0:
                raise Refused("there is nothing to sell")
            brought = pool.swap(account, asset, sold, int(sold * price * keep))
            if hedge is not None:
                hedge.brought += brought

        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                self.amm.at_block(block)
                account, _, wish, hedge = orders[row]
                trade(account, wish, hedge)

        self.chain.submit(Batch(
            KIND, np.array([one[0] for one in orders]), call, ordered=True, singly=True, expires=market.day,
            keys=np.array([one[1] for one in orders], dtype=np.uint64)))

    def _restore(self, hedge: PoolHedge | None, before: tuple[int, int, int]) -> None:
        self.bought = before[0]
        if hedge is not None:
            hedge.spent, hedge.brought = before[1:]

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record, price = market.record, float(self.market_pool.spot())
        index = float(self.prices.medical_index)
        of_patients = float(self.ledger.person_balances(self.synthetics.asset)[self.slots].sum()) / MICRO
        of_pools = sum(hedge.tokens() for hedge in self.hedges) / MICRO
        record.series("synthetic_hedgers.patients_held", of_patients)
        record.series("synthetic_hedgers.pools_held", of_pools)
        for hedge in self.hedges:
            record.institution(hedge.pool.name, "synthetic_hedgers.held", hedge.tokens() / MICRO)
        if market.day % MONTH == MONTH - 1:
            ratio = self.section.hedge_ratio
            exposed = float(self.patients_exposure(self.slots).sum()) * ratio if self.slots.size else 0.0
            self.records["patients"].note(exposed, of_patients, index, price)
            self.records["pools"].note(sum(hedge.exposure() for hedge in self.hedges) / MICRO * ratio, of_pools, index,
                                       price)

    def finish(self, market: Market) -> None:
        metric = market.record.metric
        for name, kept in self.records.items():
            metric(f"synthetic_hedgers.{name}_effectiveness", _or_nan(kept.effectiveness()))
        metric("synthetic_hedgers.basis_risk", _or_nan(self.records["pools"].basis_risk()))
        metric("synthetic_hedgers.pools_gain",
               sum(one.value() + one.brought - one.spent for one in self.hedges) / MICRO)
        metric("synthetic_hedgers.bought", self.bought / MICRO)

    def exposures(self) -> list[Exposure]:
        """sMED that insurers hold: all issuers together owe it; nothing falls due."""
        vault = self.synthetics.debts.vault
        return [Exposure(vault, hedge.pool.accounts.surplus, hedge.pool.asset, worth, "synthetic", 9)
                for hedge in self.hedges if (worth := hedge.value())]


def _or_nan(figure: float | None) -> float:
    return math.nan if figure is None else figure
