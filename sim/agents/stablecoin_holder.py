"""Mechanism "stablecoin_holders": who holds the coin, when they are afraid, and how they leave.

A holder looks on some days, the larger the oftener. It sees the coin's price; an informed one also sees what all coins
together could fetch (reserve and cash in the share's pool, or collateral) and how far that has fallen from its highest
of late. It leaves when the larger of both losses exceeds its tolerance. Whoever leaves takes the better way out, coin
by coin: the coin's pool, or redemption and the sale of what that gives. So an exit lowers the price that the next
holder sees, and the fear is theirs; no threshold of the whole stands anywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.stablecoin_keeper import Arbitrageur, Borrower
from sim.chain.mempool import Batch, Refused
from sim.contracts.credit.stablecoin import Stablecoin
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.stablecoin_holders import StablecoinHoldersSection

EXIT_GAS, ARBITRAGE_GAS, TROVE_GAS, LIQUIDATION_GAS = 300_000, 350_000, 250_000, 400_000
PIECES = 8
"""Parts in which an exit chooses its way."""
GAS_MONEY = 100 * MICRO


class StablecoinHolders(Mechanism):
    """Holders as columns, keepers as agents."""

    section: StablecoinHoldersSection
    hooks = (Hook(Phase.MARKETS, "decide"),)
    shocks: Mapping[str, str] = {"redemption_wave": "wave"}

    def setup(self, market: Market) -> None:
        section, ledger, draws = self.section, market.ledger, market.draws
        self.market, self.ledger = market, ledger
        self.stablecoin: Stablecoin = market.mechanism("stablecoin")
        names = [f"coin_holder_{i + 1}" for i in range(section.holders)]
        self.accounts = np.array([ledger.open_account(name, "traders") for name in names])
        self.keys = np.array([agent_key(name) for name in names], dtype=np.uint64)
        sizes = draws.decision("stablecoin_holders.size").lognormal(-1, self.keys, 0.0, section.size_log_sd)
        self.opening = np.floor(sizes / sizes.sum() * section.coins * MICRO).astype(np.int64)
        self.tolerance = draws.decision("stablecoin_holders.tolerance").lognormal(
            -1, self.keys, float(np.log(section.tolerance_median)), section.tolerance_log_sd)
        rank = np.empty(section.holders)
        rank[np.argsort(-self.opening, kind="stable")] = np.arange(section.holders)
        self.informed = rank < section.informed_share * section.holders
        fall = rank / max(section.holders - 1, 1)
        self.attention = section.attention_most + (section.attention_least - section.attention_most) * fall
        self._looks = draws.decision("stablecoin_holders.looks")
        self._leavers = draws.decision("stablecoin_holders.wave")
        self._arrival = draws.decision("stablecoin_holders.arrival")
        self.arbitrageurs: list[Arbitrageur] = []
        self.borrowers: list[Borrower] = []
        self.coverage: deque[float] = deque(maxlen=section.reference_days)
        self.wave_share = 0.0
        self.leaving: set[int] = set()
        """Holders with an exit on its way."""
        self.exits: list[tuple[int, int, int, int, bool]] = []
        """(day, holder, coins, cash, for fear) of each exit."""
        self._profit_before = 0

    def start(self, market: Market) -> None:
        section, coin = self.section, self.stablecoin
        self.chain: Any = market.mechanism("chain")
        self.amm: Any = market.mechanism("amm")
        for kind, gas in (("stablecoin_exit", EXIT_GAS), ("stablecoin_arbitrage", ARBITRAGE_GAS),
                          ("trove", TROVE_GAS), ("liquidation", LIQUIDATION_GAS)):
            self.chain.register_kind(kind, gas)
        self.arbitrageurs = [Arbitrageur(self, f"coin_arbitrageur_{i + 1}", int(section.arbitrage_cash * MICRO))
                             for i in range(section.arbitrageurs)]
        for account in self.accounts.tolist():
            market.endow(account, GAS_MONEY)
        if coin.troves is None:
            for account, coins in zip(self.accounts.tolist(), self.opening.tolist(), strict=True):
                coin.endow_tokens(account, coins)
            return
        self._open_troves(market)
        for account, coins in zip(self.accounts.tolist(), self.opening.tolist(), strict=True):
            if int(coins * section.stability_share):
                coin.troves.stability.deposit(account, int(coins * section.stability_share))

    def _open_troves(self, market: Market) -> None:
        """Borrowers mint the coins of the holders, who have bought them before the first day."""
        section = self.section
        each = -(-int(self.opening.sum()) // section.troves)
        place, left = 0, self.opening.tolist()
        for number in range(section.troves):
            part = number / max(section.troves - 1, 1)
            ratio = section.trove_ratio_low + (section.trove_ratio_high - section.trove_ratio_low) * part
            cash = int(each * section.borrower_cash_share) + GAS_MONEY
            borrower = Borrower(self, f"coin_borrower_{number + 1}", cash)
            self.borrowers.append(borrower)
            self.stablecoin.endow_backed(borrower.account, each, ratio)
            to_sell = each
            while to_sell and place < len(left):
                sold = min(to_sell, left[place])
                self.ledger.transfer(self.stablecoin.coin, borrower.account, int(self.accounts[place]), sold,
                                     "endowment")
                to_sell -= sold
                left[place] -= sold
                place += left[place] == 0

    # What holders do -----------------------------------------------------------------------------------------

    def wave(self, share: float) -> None:
        """Shock ``redemption_wave``."""
        self.wave_share = share

    def gas(self) -> int:
        """Cash that the gas of one arbitrage costs now."""
        return int(self.chain.fee("stablecoin_arbitrage"))

    def held(self, holder: int) -> int:
        """Coins of one holder, deposits included."""
        account = int(self.accounts[holder])
        coins = self.ledger.balance(self.stablecoin.coin, account)
        troves = self.stablecoin.troves
        return coins + (troves.stability.deposits.get(account, 0) if troves is not None else 0)

    def decide(self, market: Market) -> None:
        """Those of the wave leave, then those who look and are afraid; keepers send their orders."""
        if market.day == 0:  # the market opens
            return
        self.coverage.append(self.stablecoin.coverage())
        leaving = self._wave(market.day)
        if self.section.runs:
            chosen = {holder for holder, _, _ in leaving}
            leaving += [(holder, self.held(holder), True) for holder in self.afraid(market.day) if holder not in chosen]
        leaving = [one for one in leaving if one[1] > 0 and one[0] not in self.leaving]
        if leaving:
            self._submit_exits(market.day, leaving)
        self._submit_keepers(market.day)

    def _wave(self, day: int) -> list[tuple[int, int, bool]]:
        """(holder, coins, False) of those who leave on the scheduled day, drawn until their coins are the share."""
        wanted = int(self.opening.sum() * self.wave_share)
        self.wave_share = 0.0
        leaving = []
        for holder in np.argsort(self._leavers.uniform(day, self.keys), kind="stable").tolist() if wanted else []:
            coins = min(self.held(holder), wanted)
            if coins:
                leaving.append((holder, coins, False))
            wanted -= coins
            if wanted == 0:
                break
        return leaving

    def afraid(self, day: int) -> list[int]:
        """Holders who look today and see a loss beyond their tolerance."""
        depeg = max(0.0, 1.0 - self.stablecoin.price())
        erosion = 1.0 - self.coverage[-1] / max(self.coverage)
        looks = self._looks.uniform(day, self.keys) < self.attention
        seen = np.where(self.informed, max(depeg, erosion), depeg)
        found: list[int] = (looks & (seen > self.tolerance)).nonzero()[0].tolist()
        return found

    def leave(self, holder: int, coins: int) -> int:
        """Give up ``coins``, each part by the way that brings more; returns the cash."""
        coin, account = self.stablecoin, int(self.accounts[holder])
        deposit = coin.troves.stability.deposits.get(account, 0) if coin.troves is not None else 0
        free = self.ledger.balance(coin.coin, account)
        if coin.troves is not None and deposit and coins > free and not coin.troves.stability.held_back():
            coin.troves.stability.withdraw(account, min(deposit, coins - free))
        coins = min(coins, self.ledger.balance(coin.coin, account))
        if coins == 0:
            raise Refused("this holder has no coins")
        cash, left = 0, coins
        for piece in range(PIECES, 0, -1):
            part = left // piece
            if part == 0:
                continue
            if coin.redemption_value(part) > coin.pool.quote_out(coin.coin, part):
                cash += coin.redeem_for_cash(account, part)
            else:
                cash += coin.pool.swap(account, coin.coin, part)
            left -= part
        return cash

    def _submit_exits(self, day: int, leaving: list[tuple[int, int, bool]]) -> None:
        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                self.amm.at_block(block)
                holder, coins, fear = leaving[row]
                cash = self.leave(holder, coins)
                mark = len(self.exits)
                self.ledger.on_rollback(lambda mark=mark: self.exits.__delitem__(slice(mark, None)))  # type: ignore[misc]
                self.exits.append((self.market.day, holder, coins, cash, fear))
                self.leaving.discard(holder)

        def failed(rows: NDArray[np.int64]) -> None:
            self.leaving.difference_update(leaving[row][0] for row in rows.tolist())

        holders = np.array([holder for holder, _, _ in leaving])
        self.leaving.update(holders.tolist())
        arrivals = self._arrival.uniform(day, self.keys[holders])
        self.chain.submit(Batch(
            "stablecoin_exit", self.accounts[holders], call, ordered=True, singly=True, keys=self.keys[holders],
            arrival=(arrivals * self.chain.blocks_per_day).astype(np.int64), dropped=failed, reverted=failed))

    # What keepers do -----------------------------------------------------------------------------------------

    def _submit_keepers(self, day: int) -> None:
        slices = self.section.arbitrage_orders_per_day
        self._submit("stablecoin_arbitrage", [(one, one.trade) for one in self.arbitrageurs for _ in range(slices)],
                     day, slices)
        troves = self.stablecoin.troves
        if troves is None:
            return
        times = self.section.borrower_orders_per_day
        borrowers = [one for one in self.borrowers if one.account in troves.troves]
        self._submit("trove", [(one, one.repay) for one in borrowers for _ in range(times)], day, times)
        weak = [account for account in troves.by_risk() if troves.may_liquidate(account)]
        if self.arbitrageurs and weak:
            turns = [(self.arbitrageurs[i % len(self.arbitrageurs)], account) for i, account in enumerate(weak)]
            self._submit("liquidation", [(one, lambda one=one, account=account: one.liquidate(account))
                                         for one, account in turns], day, 1)

    def _submit(self, kind: str, orders: list[tuple[Any, Any]], day: int, slices: int) -> None:
        """Queue calls of keepers, ``slices`` in a row of one keeper spread over the day."""
        if not orders:
            return

        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                self.amm.at_block(block)
                orders[row][1]()

        keys = np.array([one.key for one, _ in orders], dtype=np.uint64)
        turns = np.arange(len(orders)) % slices
        arrivals = (turns + self._arrival.uniform(day, keys, turns + 1)) / slices
        self.chain.submit(Batch(
            kind, np.array([one.account for one, _ in orders]), call, ordered=True, singly=True, keys=keys,
            expires=day, arrival=(arrivals * self.chain.blocks_per_day).astype(np.int64)))

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        today = [one for one in self.exits if one[0] == market.day]
        record.series("stablecoin_holders.exits", sum(one[2] for one in today) / MICRO)
        record.series("stablecoin_holders.run_exits", sum(one[2] for one in today if one[4]) / MICRO)
        record.series("stablecoin_holders.held", sum(map(self.held, range(len(self.accounts)))) / MICRO)
        profit = sum(one.profit for one in self.arbitrageurs)
        record.series("stablecoin_holders.arbitrage_profit", (profit - self._profit_before) / MICRO)
        self._profit_before = profit

    def finish(self, market: Market) -> None:
        metric = market.record.metric
        fear = [one for one in self.exits if one[4]]
        informed = [one for one in fear if self.informed[one[1]]]
        others = [one for one in fear if not self.informed[one[1]]]
        metric("stablecoin_holders.run_share", sum(one[2] for one in fear) / int(self.opening.sum()))
        for name, some in (("exit_price", self.exits), ("informed_exit_price", informed),
                           ("other_exit_price", others)):
            if some:
                metric(f"stablecoin_holders.{name}", sum(one[3] for one in some) / sum(one[2] for one in some))
        if informed and others:
            metric("stablecoin_holders.informed_lead_days", _mean_day(others) - _mean_day(informed))
        if (area := _concavity(fear)) is not None:
            metric("stablecoin_holders.run_concavity", area)
        metric("stablecoin_holders.arbitrage_profit", sum(one.profit for one in self.arbitrageurs) / MICRO)
        metric("stablecoin_holders.defended", sum(one.bought for one in self.borrowers) / MICRO)


def _mean_day(exits: list[tuple[int, int, int, int, bool]]) -> float:
    return sum(one[0] * one[2] for one in exits) / sum(one[2] for one in exits)


def _concavity(exits: list[tuple[int, int, int, int, bool]]) -> float | None:
    """Area under the cumulative share of exits from the first day to the last; None where there are no two days."""
    if not exits or exits[0][0] == exits[-1][0]:
        return None
    first, last = exits[0][0], exits[-1][0]
    by_day = np.zeros(last - first + 1)
    for day, _, coins, _, _ in exits:
        by_day[day - first] += coins
    return float((np.cumsum(by_day) / by_day.sum()).mean())
