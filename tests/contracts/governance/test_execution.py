"""Actions on real parameters and a real ledger: all or nothing, within bounds, from the treasury alone."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contracts.governance.actions import (
    ActionRefused,
    ChangeParameter,
    Executor,
    FundProgramme,
    PayFromTreasury,
    Programme,
    SetBudget,
)
from sim.contracts.governance.treasury import Treasury, TreasuryError
from sim.kernel.ledger import InsufficientFunds, Ledger, LedgerError
from sim.parameters import ParameterError, Parameters


class House:
    """A treasury with 1,000 units of cash, one parameter, one programme that refuses odd amounts."""

    def __init__(self) -> None:
        self.ledger = Ledger(institutions=16, people=0)
        self.usd = self.ledger.asset("USDs")
        self.safe = self.ledger.open_account("treasury", "protocol")
        self.other = self.ledger.open_account("other", "firms")
        self.grants = self.ledger.open_account("grants", "protocol")
        self.parameters = Parameters()
        self.parameters.register("pool.gate", 1.0, 0.5, 2.0)
        self.parameters.register("pool.days", 10, 1, 30, integer=True)
        self.treasury = Treasury(self.ledger, self.safe, self.usd)
        self.ledger.mint(self.usd, self.safe, 1000, "endowment")
        self.treasury.reconcile()
        self.executor = Executor(self.ledger, self.parameters, self.treasury)
        self.funded: list[tuple[int, int]] = []
        self.executor.programmes["grants"] = Programme(self.grants, self._fund)

    def _fund(self, reference: int, amount: int) -> None:
        if amount % 2:
            raise ActionRefused("odd")
        self.funded.append((reference, amount))

    def state(self) -> tuple[object, ...]:
        return (self.parameters["pool.gate"], self.parameters["pool.days"],
                [self.ledger.balance(self.usd, a) for a in (self.safe, self.other, self.grants)],
                dict(self.treasury.spent), dict(self.treasury.income), len(self.treasury.budgets))


@pytest.fixture
def house():
    return House()


def test_each_action_does_what_it_says(house):
    house.executor.run((ChangeParameter("pool.gate", 1.5), ChangeParameter("pool.days", 7),
                        PayFromTreasury(house.usd, house.other, 300, "award"), FundProgramme("grants", 4, 200),
                        SetBudget("audit", 50)), "proposal 0")
    assert house.state() == (1.5, 7, [500, 300, 200], {"award": 300, "programme_funding": 200}, {"fees": 1000}, 1)
    assert house.funded == [(4, 200)]
    assert house.treasury.reconcile() == 0
    assert house.treasury.unexplained_loss == 0


@pytest.mark.parametrize(("bad", "error"), [
    (ChangeParameter("pool.gate", 2.5), ParameterError),
    (ChangeParameter("pool.days", 7.5), ParameterError),
    (ChangeParameter("pool.unknown", 1.0), ParameterError),
    (PayFromTreasury(0, 1, 701, "award"), InsufficientFunds),
    (FundProgramme("grants", 1, 3), ActionRefused),
    (FundProgramme("space", 1, 2), ActionRefused),
    (SetBudget("audit", -1), TreasuryError),
])
def test_one_refusal_undoes_all(house, bad, error):
    before = house.state()
    with pytest.raises(error):
        house.executor.run((ChangeParameter("pool.gate", 1.5), PayFromTreasury(house.usd, house.other, 300), bad,
                            SetBudget("more", 1)), "proposal 0")
    assert house.state() == before
    assert house.treasury.reconcile() == 0


def test_an_enclosing_transaction_undoes_an_execution(house):
    before = house.state()

    def flash_loan() -> None:
        with house.ledger.atomic():
            house.executor.run((ChangeParameter("pool.gate", 1.5), PayFromTreasury(house.usd, house.other, 300)), "p")
            raise LedgerError("flash loan was not repaid")

    with pytest.raises(LedgerError):
        flash_loan()
    assert house.state() == before
    assert house.treasury.reconcile() == 0


def test_no_payment_without_authority(house):
    with pytest.raises(TreasuryError, match="authority"):
        house.treasury.spend(house.usd, house.other, 1, "award", "")


def test_theft_is_noticed(house):
    house.ledger.transfer(house.usd, house.safe, house.other, 10, "theft")
    house.treasury.reconcile()
    assert house.treasury.unexplained_loss == 10


def test_income_is_booked_by_kind(house):
    house.ledger.mint(house.usd, house.other, 100, "endowment")
    house.treasury.receive(house.other, 30, "data_fee")
    house.ledger.transfer(house.usd, house.other, house.safe, 20, "swap_fee")
    house.treasury.reconcile()
    assert dict(house.treasury.income) == {"fees": 1020, "data_fee": 30}
    assert house.treasury.total_income == 1050


def test_budget_is_paid_once_a_period_in_equal_parts(house):
    payees = np.array([house.other, house.grants], dtype=np.int64)
    house.treasury.set_budget("pay", 101, 30)
    assert house.treasury.pay_budget("pay", payees, 30, "delegate_pay") == 100
    assert house.treasury.pay_budget("pay", payees, 45, "delegate_pay") == 0
    assert house.treasury.pay_budget("pay", payees, 60, "delegate_pay") == 100
    assert [house.ledger.balance(house.usd, a) for a in payees] == [100, 100]


def test_what_the_purse_lacks_is_recorded_as_unpaid(house):
    house.treasury.set_budget("pay", 1500, 30)
    assert house.treasury.pay_budget("pay", np.array([house.other]), 30, "delegate_pay") == 1000
    assert house.treasury.budgets["pay"].unpaid == 500
    with pytest.raises(TreasuryError, match="no budget"):
        house.treasury.pay_budget("none", np.array([house.other]), 30, "x")
