"""Runs the invariants that the kernel and the mechanisms register, by name, at any time.

Each invariant is a small function, named for what it protects, that returns None when it holds and otherwise one
sentence saying what is broken. ``--check-invariants every`` runs all of them at the end of each day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger
    from sim.mechanism import Mechanism

Check = Callable[[], "str | None"]


class InvariantViolation(AssertionError):
    """An invariant does not hold: the model, not the scenario, is wrong."""


def sums_equal_supplies(ledger: Ledger) -> Check:
    """For each asset, the sum of all balances equals minted less burned, and no balance is negative."""
    return ledger.check_supplies


def flows_close(ledger: Ledger) -> Check:
    """For each asset and sector, opening stock + flows of the day == closing stock, to the last unit."""
    return ledger.check_flows


class Invariants:
    """The registry: names are "mechanism.what"."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Register ``check`` under a new ``name``."""
        if name in self._checks:
            raise ValueError(f"invariant {name!r} is registered twice")
        self._checks[name] = check

    def add_kernel(self, ledger: Ledger) -> None:
        """The two laws of the ledger itself."""
        self.add("ledger.sums_equal_supplies", sums_equal_supplies(ledger))
        self.add("ledger.flows_close", flows_close(ledger))

    def add_mechanism(self, name: str, mechanism: Mechanism) -> None:
        """Every invariant that a mechanism names."""
        for what, check in mechanism.invariants():
            self.add(what if what.startswith(f"{name}.") else f"{name}.{what}", check)

    @property
    def names(self) -> Iterable[str]:
        """Names in order of registration."""
        return self._checks.keys()

    def broken(self) -> list[tuple[str, str]]:
        """(name, sentence) of each invariant that does not hold now."""
        return [(name, sentence) for name, check in self._checks.items() if (sentence := check()) is not None]

    def require(self, day: int) -> None:
        """Raise :class:`InvariantViolation` naming every broken invariant."""
        if broken := self.broken():
            text = "; ".join(f"{name}: {sentence}" for name, sentence in broken)
            raise InvariantViolation(f"on day {day} {text}")
