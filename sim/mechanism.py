"""The plug-in protocol: what a mechanism is, and what of the market it may see.

A mechanism is one class named by its section's ``implementation``. The market builds it with its frozen section,
calls ``setup`` once, then its hooks each day in the order that :mod:`sim.day` works out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sim.kernel.columns import Columns
    from sim.kernel.draws import Draws
    from sim.kernel.ledger import Ledger
    from sim.parameters import Parameters
    from sim.scenario.types import Section


class Phase(IntEnum):
    """The day, in order. Agents decide in the phases up to ADVERSARIES; SETTLEMENT is when the blocks execute.

    Decisions and moves are kept apart so that order inside a phase does not matter: what is decided is queued with
    a fee, and the blocks execute it in fee order. Adversaries come last before the blocks because they watch the queue.
    """

    SHOCKS = 0
    CARE = 1
    FEES = 2
    PATIENTS = 3
    CLAIMS = 4
    INSURERS = 5
    LIQUIDITY = 6
    MARKETS = 7
    RESEARCH = 8
    FORECASTS = 9
    GOVERNANCE = 10
    ADVERSARIES = 11
    SETTLEMENT = 12
    CONTAGION = 13
    RECORD = 14


@dataclass(frozen=True, slots=True)
class Hook:
    """One call in the day: the mechanism's method ``call`` in ``phase``, after the named mechanisms of that phase."""

    phase: Phase
    call: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What ``debtor`` owes ``creditor`` (ledger accounts), in base units of ``asset``.

    ``seniority`` orders debts of one debtor: 0 is paid first. Debts of equal seniority rank equally.
    """

    debtor: int
    creditor: int
    asset: int
    amount: int
    kind: str
    seniority: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """Balance sheet of one institution at market value, base units of USDs.

    ``account`` is the ledger account by which exposures name it, ``cash`` what it may pay debts with today (money that
    belongs to others, such as unearned premium, is not in it), ``assets`` and ``liabilities`` everything else by class.
    Debts and claims that exposures list stand in them too. ``failed_on`` is the day of its default, None before.
    """

    institution: str
    account: int
    cash: int
    assets: Mapping[str, int]
    liabilities: Mapping[str, int]
    failed_on: int | None = None

    @property
    def equity(self) -> int:
        """Assets less liabilities; negative: insolvent on its balance sheet, whatever cash it has."""
        return self.cash + sum(self.assets.values()) - sum(self.liabilities.values())


class Recorder(Protocol):
    """Where a mechanism's observations go. Names are declared in the section's ``series`` and ``metrics``."""

    def series(self, name: str, value: float) -> None: ...
    def institution(self, institution: str, name: str, value: float) -> None: ...
    def metric(self, name: str, value: float) -> None: ...
    def triangle(self, institution: str, paid: Any, incurred: Any) -> None: ...
    def row(self, table: str, *values: Any) -> None: ...
    def event(self, kind: str, subject: str = "", amount: float = 0.0, **details: Any) -> None: ...


class Market(Protocol):
    """What a mechanism may use of :class:`sim.model.HealthMarket`."""

    ledger: Ledger
    draws: Draws
    people: Columns
    parameters: Parameters
    record: Recorder
    day: int
    horizon_days: int

    def mechanism(self, name: str) -> Any:
        """The mechanism of that section; KeyError where it is absent."""
        ...

    def find(self, name: str) -> Any | None:
        """The mechanism of that section, or None where it is absent."""
        ...

    def endow(self, account: int, amount: int) -> None:
        """Mint ``amount`` base units of USDs as opening wealth, before day 0 only."""
        ...

    def treasury_account(self) -> int:
        """The protocol's treasury, opened on first use."""
        ...

    def register_agent(self, agent: Any) -> None: ...

    def exposures(self) -> list[Exposure]:
        """Claims between institutions, of all mechanisms."""
        ...

    def statements(self) -> list[Statement]:
        """Balance sheets of all institutions, of all mechanisms."""
        ...

    def active(self) -> Iterable[Mechanism]:
        """The mechanisms of this market, in the order in which they were built."""
        ...


class Mechanism:
    """Base class: a mechanism overrides what it needs.

    ``name`` is the section's name, set by the market before ``setup``.
    """

    name: str = ""
    hooks: tuple[Hook, ...] = ()
    shocks: Mapping[str, str] = {}
    """Shock kind -> name of the method that applies it, called with the validated arguments as keywords."""

    def __init__(self, section: Section) -> None:
        self.section: Any = section

    def setup(self, market: Market) -> None:
        """Open accounts, add columns, register parameters. Called once, in dependency order (``requires``)."""

    def start(self, market: Market) -> None:
        """Called once after every mechanism's ``setup``, before day 0, in the same order."""

    def observe(self, market: Market) -> None:
        """Record the day's series, through ``market.record``."""

    def finish(self, market: Market) -> None:
        """Record the run's metrics, through ``market.record``."""

    def exposures(self) -> Iterable[Exposure]:
        """Claims between institutions that this mechanism created."""
        return ()

    def statements(self) -> Iterable[Statement]:
        """Balance sheets of the institutions that this mechanism runs."""
        return ()

    def obligations_due(self, day: int) -> Sequence[Exposure]:
        """Debts between institutions that fall due today and are settled together, by clearing (phase CONTAGION)."""
        return ()

    def settle_obligations(self, day: int, paid: Sequence[int]) -> None:
        """Pay of each of :meth:`obligations_due`, in its order, what clearing found, and record the rest as unpaid.
        A debtor that cannot pay in full has defaulted."""

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        """Pairs (name, check); a check returns None when it holds, else one sentence saying what is broken."""
        return ()
