"""A market with the claims contract, an insurer that pays, and votes that tests cast themselves."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.contracts.oracle_committee.commitment import commitment_of
from sim.kernel.draws import Draws, agent_key
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.parameters import Parameters
from sim.scenario.sections.claims import ClaimsSection

PEOPLE = 40
CASH = 1_000 * MICRO


class Insurer:
    """Pays claims as far as ``cash`` lasts, in order, and keeps the case reserve."""

    def __init__(self, ledger: Ledger, usd: int, pools: int = 3) -> None:
        self.ledger, self.usd = ledger, usd
        self.account = ledger.open_account("insurer", "insurers")
        self.outstanding = np.zeros(pools, dtype=np.int64)
        self.late: list[tuple[np.ndarray, np.ndarray]] = []
        self.settled: list[int] = []

    def report(self, pools: np.ndarray, amounts: np.ndarray, incurred: np.ndarray, plans: np.ndarray) -> None:
        before = self.outstanding.copy()
        self.ledger.on_rollback(lambda: self.outstanding.__setitem__(slice(None), before))
        np.add.at(self.outstanding, pools, amounts)

    def release(self, pools: np.ndarray, amounts: np.ndarray, incurred: np.ndarray, plans: np.ndarray) -> None:
        np.subtract.at(self.outstanding, pools, amounts)

    def settle(self, pool: int, ids: np.ndarray, amounts: np.ndarray, payees: np.ndarray, kind: str,
               incurred: np.ndarray, plans: np.ndarray) -> np.ndarray:
        assert not set(ids.tolist()) & set(self.settled)
        self.settled += ids.tolist()
        paid = np.zeros(ids.size, dtype=np.int64)
        for row in range(ids.size):
            paid[row] = min(int(amounts[row]), self.ledger.balance(self.usd, self.account))
            self.ledger.transfer(self.usd, self.account, int(payees[row]), int(paid[row]), kind)
        return paid

    def drain_late_payments(self) -> tuple[np.ndarray, np.ndarray]:
        late, self.late = self.late, []
        none = np.empty(0, dtype=np.int64)
        return (np.concatenate([none, *(ids for ids, _ in late)]), np.concatenate([none, *(paid for _, paid in late)]))


class Chain:
    """Quotes ``price`` base units per gas; nothing else is asked of it."""

    def __init__(self, price: int = 0) -> None:
        self.price = price

    def gas(self, kind: str) -> int:
        return 60_000

    def fee(self, kind: str) -> int:
        return 60_000 * self.price


class Record:
    """Keeps what is recorded, by name."""

    def __init__(self) -> None:
        self.today: dict[str, float] = {}
        self.metrics: dict[str, float] = {}

    def series(self, name: str, value: float) -> None:
        self.today[name] = value

    def metric(self, name: str, value: float) -> None:
        self.metrics[name] = value


class ClaimsMarket:
    """The claims contract with ``operators`` equal stakers; ``vote`` says what each of them reports."""

    def __init__(self, operators: int = 7, insurer_cash: int = 10**6 * MICRO, fees: int = 10**6 * MICRO,
                 stake: int = 10_000 * MICRO, **section: Any) -> None:
        from sim.contracts.claims.mechanism import Claims

        self.ledger = Ledger(institutions=64, people=PEOPLE)
        self.usd = self.ledger.asset("USDs", span="all")
        self.draws, self.parameters, self.record = Draws(5), Parameters(), Record()
        self.day, self.horizon_days = -1, 500
        self.insurer = Insurer(self.ledger, self.usd)
        self.ledger.mint(self.usd, self.insurer.account, insurer_cash, "endowment")
        self.claims = Claims(ClaimsSection(**section))
        self.providers: Any = None
        self.claims.setup(self)
        self.chain = Chain()
        self.present = {"insurance": self.insurer, "claims": self.claims, "chain": self.chain,
                        "oracles": object() if operators else None}
        self.claims.start(self)
        self.ledger.mint(self.usd, self.claims.fees, fees, "endowment")
        self.wallets = []
        for number in range(operators):
            wallet = self.ledger.open_account(f"operator_{number}", "oracles")
            self.ledger.mint(self.usd, wallet, stake + CASH, "endowment")
            self.claims.operators.register(f"operator_{number}", wallet, agent_key(f"operator_{number}"))
            self.claims.operators.staking.stake(number, wallet, stake)
            self.wallets.append(wallet)
        self.people = self.ledger.person(np.arange(PEOPLE))
        self.ledger.mint_batch(self.usd, self.people, np.full(PEOPLE, CASH, dtype=np.int64), "endowment")
        self._sealed: dict[int, tuple[np.ndarray, ...]] = {}

    def mechanism(self, name: str) -> Any:
        return self.present[name]

    def find(self, name: str) -> Any | None:
        return self.providers if name == "providers" else self.present.get(name)

    def treasury_account(self) -> int:
        return (self.ledger.account("treasury") if self.ledger.has_account("treasury")
                else self.ledger.open_account("treasury", "protocol"))

    @property
    def table(self) -> Any:
        return self.claims.table

    def file(self, amounts: list[int], keys: list[int] | None = None, pool: int = 0, incurred: int | None = None
             ) -> np.ndarray:
        """File one claim per amount (base units), each for the patient of its number, today."""
        count = len(amounts)
        numbers = np.arange(count) if keys is None else np.asarray(keys)
        if keys is None:
            numbers = numbers + 1_000 * (self.day + 2)
        return self.claims.file(np.full(count, pool), np.arange(count), numbers.astype(np.uint64), self.people[:count],
                                np.array(amounts, dtype=np.int64),
                                np.full(count, self.day if incurred is None else incurred), self.day)

    def run_day(self, vote: Callable[[int, int, int], tuple[int, bool] | None] | None = None,
                file: list[int] | None = None, then: Callable[[], None] | None = None) -> np.ndarray:
        """One day. ``vote(operator, claim id, claimed)`` gives (amount, valid), or None for silence; by default
        everybody finds every claim valid as claimed. ``file`` amounts are filed, ``then`` is run before deciding.
        """
        self.day += 1
        claims, docket = self.claims, self.claims.docket
        claims.open_rounds(self)
        everybody = np.ones(len(claims.operators), dtype=np.bool_)
        for round_ in docket.to_commit(self.day):
            amounts = np.zeros(round_.seats.shape, dtype=np.int64)
            valid = np.zeros(round_.seats.shape, dtype=np.bool_)
            salts = np.full(round_.seats.shape, 77, dtype=np.uint64)
            sealed = np.zeros(round_.seats.shape, dtype=np.uint64)
            for i, j in np.argwhere(round_.seats >= 0):
                operator, claimed = int(round_.seats[i, j]), int(round_.claimed[i])
                report = (claimed, True) if vote is None else vote(operator, int(round_.ids[i]), claimed)
                if report is not None:
                    amounts[i, j], valid[i, j] = report
                    sealed[i, j] = commitment_of(round_.keys[i], claims.operators.keys[operator], report[0], report[1],
                                                 np.uint64(77))
            docket.commit(round_, everybody, sealed)
            self._sealed[round_.serial] = (amounts, valid, salts)
        for round_ in docket.to_reveal(self.day):
            docket.reveal(round_, everybody, *self._sealed[round_.serial])
        ids = np.empty(0, dtype=np.int64) if file is None else self.file(file)
        if then is not None:
            then()
        claims.decide(self)
        claims.note_late_payments(self)
        claims.observe(self)
        self.ledger.end_day(self.day)
        self.check()
        return ids

    def check(self) -> None:
        """Every invariant of the contract and the ledger."""
        for name, invariant in self.claims.invariants():
            assert invariant() is None, f"{name}: {invariant()}"
        assert self.ledger.check_supplies() is None

    def truth(self, amounts: list[int]) -> None:
        """Let the records say what was truly due, by claim id."""
        true = np.array(amounts, dtype=np.int64)
        self.providers = SimpleNamespace(records=SimpleNamespace(true_amount=lambda ids: true[ids]))

    def cash(self, account: int) -> int:
        return self.ledger.balance(self.usd, int(account))


@pytest.fixture(scope="session")
def claims_market() -> type[ClaimsMarket]:
    """The class, so that a test builds the market it needs."""
    return ClaimsMarket
