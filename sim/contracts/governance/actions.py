"""What a proposal can do: the governor's whole reach, one small class per kind of action.

Each action is data (frozen, printable in an event); :class:`Executor` alone gives it effect. What can never be: half a
proposal carried out, a parameter outside its bounds, money from anywhere but the treasury.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from sim.contracts.governance.treasury import Treasury
    from sim.kernel.ledger import Ledger
    from sim.parameters import Parameters


@dataclass(frozen=True, slots=True)
class ChangeParameter:
    """Set the governable parameter at ``path`` to ``value``."""

    path: str
    value: float


@dataclass(frozen=True, slots=True)
class PayFromTreasury:
    """Pay ``amount`` base units of ``asset`` to the ledger account ``account``."""

    asset: int
    account: int
    amount: int
    purpose: str = "grant"


@dataclass(frozen=True, slots=True)
class FundProgramme:
    """Pay ``amount`` base units of cash to a registered programme, for its round ``reference``."""

    programme: str
    reference: int
    amount: int


@dataclass(frozen=True, slots=True)
class SetBudget:
    """Let the treasury spend up to ``amount`` base units of cash a period under the standing budget ``budget``."""

    budget: str
    amount: int


Action = ChangeParameter | PayFromTreasury | FundProgramme | SetBudget


class ActionRefused(ValueError):
    """An action that cannot be carried out as voted."""


@dataclass(frozen=True, slots=True)
class Programme:
    """Who receives a programme's money (a ledger account), and what is called with (round, amount) once it is paid."""

    account: int
    funded: Callable[[int, int], None]


class Executor:
    """Gives actions their effect on parameters and treasury.

    ``programmes`` maps a name to a :class:`Programme`; whoever runs one registers it there at set-up.
    """

    def __init__(self, ledger: Ledger, parameters: Parameters, treasury: Treasury) -> None:
        self._ledger = ledger
        self._parameters = parameters
        self._treasury = treasury
        self.programmes: dict[str, Programme] = {}

    def run(self, actions: tuple[Action, ...], authority: str) -> None:
        """Carry out all ``actions`` or none; the refusal of one (ParameterError, LedgerError ...) is raised."""
        with self._ledger.atomic():
            for action in actions:
                self._apply(action, authority)

    def _apply(self, action: Action, authority: str) -> None:
        match action:
            case ChangeParameter(path, value):
                old = self._parameters.change(path, value)
                self._ledger.on_rollback(lambda: (self._parameters.change(path, old), None)[1])
            case PayFromTreasury(asset, account, amount, purpose):
                self._treasury.spend(asset, account, amount, purpose, authority)
            case FundProgramme(name, reference, amount):
                if name not in self.programmes:
                    raise ActionRefused(f"no programme {name!r}")
                programme = self.programmes[name]
                self._treasury.spend(self._treasury.cash, programme.account, amount, "programme_funding", authority)
                programme.funded(reference, amount)
            case SetBudget(name, amount):
                self._treasury.set_budget(name, amount)
            case _:
                assert_never(action)
