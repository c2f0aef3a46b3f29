"""A small market in which institutions can hurt each other, and a mechanism that makes them owe each other money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Exposure, Mechanism, Statement
from sim.model import HealthMarket
from sim.scenario.load import load_scenario
from sim.scenario.types import Section

SCENARIO = """
name: neighbours
question: Does what happens to one pool reach the others?
stage: 3
horizon_days: 60
population: {patients: 600}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
insurance: {pools: 3, withdrawal_cooldown_days: 3, mcr_gate: 0.0}
insurers: {writing_scr_ratio: 0.0}
liquidity_providers: {providers: 60, entry_speed: 0.0, exit_base: 0.0, informed_share: 0.5, pools_per_provider: 3,
                      opening_scr_ratio: 2.5}
claims: {mode: automatic}
health_token: {primary_market_open: false, venue_tokens: 0}
amm: {pools: [{name: HLT, base: HLT, opening_value: 4.0e+5}]}
investments: {INVESTS}
lapses: {level: 0.9}
contagion: {CHANNELS}
"""

INVESTS = "health_token_share: 0.3, selling_scr_ratio: 1.6, exit_scr_ratio: 1.0"

OFF = {"runs_on_losses": False, "runs_on_exits": False, "informed_exits": False, "fire_sales": False, "lapses": False,
       "clearing": False}


class Debts(Mechanism):
    """``owed[day]`` are rows (debtor, creditor, amount, seniority) by account; ``firms[account]`` is the cash of an
    institution of its own. What was paid and who failed is kept."""

    def __init__(self) -> None:
        super().__init__(Section())
        self.name = "debts"
        self.owed: dict[int, list[tuple[int, int, int, int]]] = {}
        self.paid: dict[int, list[int]] = {}
        self.firms: dict[int, str] = {}
        self.failed: dict[int, int] = {}
        self.standing: list[Exposure] = []

    def setup(self, market: Any) -> None:
        self.market, self.ledger, self.usd = market, market.ledger, market.usd
        self.by_account = {pool.accounts.surplus: pool for pool in market.mechanism("insurance").pools}

    def firm(self, name: str, cash: int) -> int:
        """An institution beside the pools, with that much money from nowhere."""
        account = int(self.ledger.open_account(name, "reinsurers"))
        self.ledger.mint(self.usd, account, cash, "endowment")
        self.firms[account] = name
        return account

    def due(self, day: int) -> list[Exposure]:
        return [Exposure(debtor, creditor, self.usd, amount, "test", seniority)
                for debtor, creditor, amount, seniority in self.owed.get(day, [])]

    def obligations_due(self, day: int) -> Sequence[Exposure]:
        return self.due(day)

    def exposures(self) -> list[Exposure]:
        return self.standing

    def settle_obligations(self, day: int, paid: Sequence[int]) -> None:
        self.paid[day] = list(paid)
        for debt, amount in zip(self.due(day), paid, strict=True):
            debtor, creditor = self.by_account.get(debt.debtor), self.by_account.get(debt.creditor)
            if debtor is not None:
                debtor.pay_debt(debt.creditor, amount, "test_debt")
            else:
                self.ledger.transfer(self.usd, debt.debtor, debt.creditor, amount, "test_debt")
            if creditor is not None:
                creditor.receive("test_debt", amount)
            if amount < debt.amount and debt.debtor in self.firms:
                self.failed.setdefault(debt.debtor, day)

    def statements(self) -> list[Statement]:
        owed = self.owed.get(self.market.day, []) if self.market.day not in self.paid else []
        return [Statement(name, account, self.ledger.balance(self.usd, account),
                          {"claims": sum(row[2] for row in owed if row[1] == account)},
                          {"debts": sum(row[2] for row in owed if row[0] == account)}, self.failed.get(account))
                for account, name in self.firms.items()]


@pytest.fixture
def neighbours(tmp_path: Path) -> Callable[..., Any]:
    """``neighbours(on=("clearing",), without=("lapses",))``: the market, those channels on and all others off,
    with a :class:`Debts` as ``market.debts``."""

    def build(on: Sequence[str] = (), without: Sequence[str] = (), seed: int = 1,
              invests: str = INVESTS) -> Any:
        text = SCENARIO.replace("INVESTS", invests)
        switches = {name: name in on for name in OFF}
        lines = [line for line in text.replace("CHANNELS", f"channels: {switches}".replace("'", "")
                                               .replace("True", "true").replace("False", "false")).splitlines()
                 if line.split(":")[0] not in without]
        file = tmp_path / "neighbours.yaml"
        file.write_text("\n".join(lines), encoding="utf-8")
        market = HealthMarket(load_scenario(file), seed)
        market.debts = Debts()  # type: ignore[attr-defined]
        market.debts.setup(market)  # type: ignore[attr-defined]
        market._mechanisms["debts"] = market.debts  # type: ignore[attr-defined]
        return market

    return build


def days(market: Any, count: int) -> None:
    """Pass days, every invariant checked."""
    for _ in range(count):
        market.step()
        market.invariants.require(market.day)


def fail(market: Any, pool: int, share: float = 1.5) -> None:
    """A claim of ``share`` x the pool's money falls due and is paid as far as that goes."""
    insurance = market.mechanism("insurance")
    chosen = insurance.pools[pool]
    amount = int(chosen.layer_money() * share)
    number = 10**6 + market.day * 10 + pool
    insurance.settle(pool, np.array([number]), np.array([amount]), np.array([market.ledger.account("firms")]))


def lose(market: Any, pool: int, share: float) -> None:
    """A claim of ``share`` x the pool's capital is reported."""
    insurance = market.mechanism("insurance")
    amount = int(insurance.pools[pool].capital * share)
    insurance.report(np.array([pool]), np.array([amount]), np.array([market.day]))


@pytest.fixture
def acts() -> Any:
    """The acts that tests perform on a market."""
    class Acts:
        pass

    Acts.days, Acts.fail, Acts.lose, Acts.micro = staticmethod(days), staticmethod(fail), staticmethod(lose), MICRO  # type: ignore[attr-defined]
    return Acts
