"""The margined contracts of one mechanism: what they owe, late payments, balance sheets of investors, invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sim.contracts.derivatives.margin import MarginedContract, Side, Standing
from sim.contracts.derivatives.parties import CashParty, Party
from sim.mechanism import Exposure, Mechanism, Statement

KIND = "derivative"


class Desk:
    """Contracts in the order in which they were made."""

    def __init__(self, asset: int) -> None:
        self.asset = asset
        self.contracts: list[MarginedContract] = []
        self._due: list[tuple[MarginedContract, Side]] = []
        self._by_account: dict[int, list[tuple[MarginedContract, Side]]] = {}

    def add(self, contract: MarginedContract) -> None:
        """Take a contract into the books."""
        self.contracts.append(contract)
        for side in Side:
            self._by_account.setdefault(contract.parties[side].account, []).append((contract, side))

    def total(self, what: str, side: Side | None = None) -> int:
        """Sum of "owed", "paid" or "unpaid" over contracts, of one side as debtor or of both."""
        sides = Side if side is None else (side,)
        return sum(int(getattr(contract.accounts[one], what)) for contract in self.contracts for one in sides)

    def margin(self) -> int:
        """Margin posted on all contracts."""
        return sum(contract.posted(side) for contract in self.contracts for side in Side)

    def defaults(self) -> int:
        """Contracts closed out because a side failed."""
        return sum(contract.standing is Standing.DEFAULTED for contract in self.contracts)

    # Debts ---------------------------------------------------------------------------------------------------

    def unpaid(self) -> list[tuple[MarginedContract, Side]]:
        """(contract, debtor) of what stayed unpaid."""
        return [(contract, side) for contract in self.contracts for side in Side if contract.accounts[side].unpaid]

    def collect(self) -> int:
        """Debtors pay what they left unpaid, as far as they have cash; returns it."""
        return sum(contract.pay_late(side) for contract, side in self.unpaid())

    def exposures(self) -> list[Exposure]:
        """What is unpaid, one entry for each contract and debtor."""
        return [Exposure(contract.parties[side].account, contract.parties[side.other].account, self.asset,
                         contract.accounts[side].unpaid, KIND) for contract, side in self.unpaid()]

    def obligations_due(self) -> list[Exposure]:
        """The same, to be cleared with other debts today."""
        self._due = self.unpaid()
        return self.exposures()

    def settle_obligations(self, paid: Sequence[int]) -> None:
        """Pay what clearing has found of each of :meth:`obligations_due`."""
        for (contract, side), amount in zip(self._due, paid, strict=True):
            contract.pay_late(side, amount)

    # Balance sheets ------------------------------------------------------------------------------------------

    def claim(self, party: Party) -> int:
        """What a party has in contracts: its margin, their value to it, and what it is owed."""
        return sum(contract.posted(side) + max(worth(contract, side), 0) + contract.accounts[side.other].unpaid
                   for contract, side in self._sides(party))

    def debt(self, party: Party) -> int:
        """What contracts are worth to others, and what it left unpaid."""
        return sum(max(-worth(contract, side), 0) + contract.accounts[side].unpaid
                   for contract, side in self._sides(party))

    def statement(self, party: CashParty) -> Statement:
        """Balance sheet of a party that has cash and contracts only."""
        return Statement(party.name, party.account, party.free_cash(), {KIND: self.claim(party)},
                         {KIND: self.debt(party)}, party.failed_on)

    def _sides(self, party: Party) -> list[tuple[MarginedContract, Side]]:
        return self._by_account.get(party.account, [])

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        """Pairs (name, check)."""

        def debts_add_up() -> str | None:
            for contract in self.contracts:
                for side in Side:
                    account = contract.accounts[side]
                    if account.owed != account.paid + account.unpaid:
                        return f"{contract.name}: owed {account.owed}, paid {account.paid}, unpaid {account.unpaid}"
            return None

        def closed_contracts_hold_no_margin() -> str | None:
            for contract in self.contracts:
                if not contract.open and any(contract.posted(side) for side in Side):
                    return f"{contract.name} is {contract.standing} and holds margin"
            return None

        return [("derivative_debts_add_up", debts_add_up), ("closed_contracts_hold_no_margin",
                                                            closed_contracts_hold_no_margin)]


def worth(contract: MarginedContract, side: Side) -> int:
    """Marked value of a contract to a side."""
    return contract.value if side is Side.LONG else -contract.value


class DeskMechanism(Mechanism):
    """A mechanism whose debts are those of its ``desk``; a subclass says whose balance sheets it states."""

    desk: Desk

    def stated(self) -> Sequence[CashParty]:
        """Parties that are institutions of this mechanism alone."""
        return ()

    def exposures(self) -> list[Exposure]:
        """What stayed unpaid."""
        return self.desk.exposures()

    def obligations_due(self, day: int) -> Sequence[Exposure]:
        """The same, for clearing."""
        return self.desk.obligations_due()

    def settle_obligations(self, day: int, paid: Sequence[int]) -> None:
        """Pay what clearing found."""
        self.desk.settle_obligations(paid)

    def statements(self) -> list[Statement]:
        """Balance sheets of :meth:`stated`."""
        return [self.desk.statement(party) for party in self.stated()]

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield from self.desk.invariants()
