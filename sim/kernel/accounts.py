"""Who may hold what: sectors, accounts and assets of the ledger, and the balances themselves.

Account ids: institutions take 0 .. capacity - 1, person slot s takes capacity + s. Institutions are opened by name and
freed only when they hold nothing; people's accounts exist from the start. An asset spans all accounts or the
institutions alone, so that a token which people cannot hold does not cost a balance for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.kernel.journal import Journal
from sim.kernel.ledger_errors import DuplicateName, LedgerError, UnknownAccount, UnknownAsset

MAX_SECTORS = 32

_CLOSED = -1

Span = Literal["all", "institutions"]


class Asset:
    """One asset's balances. ``cells`` and ``sectors`` are the same memory as the arrays: scalars read faster there."""

    __slots__ = ("array", "cells", "id", "issuer", "sectors", "slots", "span", "supply", "symbol", "valuer", "view")

    def __init__(
        self, id: int, symbol: str, issuer: int | None, span: Span, valuer: Callable[[], float] | None
    ) -> None:
        self.id = id
        self.symbol = symbol
        self.issuer = issuer
        self.span = span
        self.valuer = valuer
        self.supply = 0
        self.slots: dict[str, int] = {}
        """Kind of flow -> its matrix."""

    def hold(self, balances: NDArray[np.int64], sectors: NDArray[np.int8]) -> None:
        """Take these arrays for balances and for the sectors of all accounts."""
        self.array = balances
        self.view = balances.view()
        self.view.flags.writeable = False
        self.cells: Any = memoryview(balances.data)
        self.sectors: Any = memoryview(sectors.data)[: balances.size]


class Book:
    """Accounts of ``institutions`` (how many may be open at once) and ``people``, and assets with their balances."""

    def __init__(self, institutions: int, people: int, people_sector: str, journal: Journal) -> None:
        self._capacity = self.people_start = index(institutions)
        """``people_start`` is the account of person slot 0."""
        self._people = index(people)
        self.people_sector = people_sector
        self._journal = journal
        self._sectors: dict[str, int] = {}
        self._people_sector = self.sector(people_sector)
        self._sector_of = np.full(self._capacity + self._people, self._people_sector, dtype=np.int8)
        self._sector_of[: self._capacity] = _CLOSED
        self._accounts: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._next = 0
        self._freed: list[int] = []
        self._asset_ids: dict[str, int] = {}
        self._assets: dict[int, Asset] = {}

    # Sectors and accounts

    def sector(self, name: str) -> int:
        """The id of sector ``name``, registered where it is new."""
        if name not in self._sectors:
            if len(self._sectors) == MAX_SECTORS:
                raise LedgerError(f"no room for sector {name!r}: {MAX_SECTORS} exist")
            self._sectors[name] = len(self._sectors)
        return self._sectors[name]

    @property
    def sectors(self) -> tuple[str, ...]:
        """Sector names by id."""
        return tuple(self._sectors)

    def open_account(self, name: str, sector: str) -> int:
        """Open an institution's account and return its id; the id freed last is taken first."""
        if name in self._accounts:
            raise DuplicateName(f"account {name!r} is open already")
        if not self._freed and self._next == self._capacity:
            raise LedgerError(f"no room for account {name!r}: {self._capacity} institutions are open")
        belongs_to = self.sector(sector)
        reused = bool(self._freed)
        if reused:
            account = self._freed.pop()
        else:
            account = self._next
            self._next += 1
        self._enter(name, account, belongs_to)
        self._journal.add(self._unopen, name, account, reused)
        return account

    def close_account(self, name: str) -> None:
        """Free an institution's account for another name. Refused unless it holds nothing of any asset."""
        account = self.account(name)
        for asset in self._assets.values():
            if asset.cells[account]:
                raise LedgerError(f"{name} still holds {asset.cells[account]} of {asset.symbol}")
            if asset.issuer == account and asset.supply:
                raise LedgerError(f"{name} still owes {asset.supply} of {asset.symbol}")
        sector = int(self._sector_of[account])
        self._strike(name, account)
        self._freed.append(account)
        self._journal.add(self._reopen, name, account, sector)

    def _enter(self, name: str, account: int, sector: int) -> None:
        self._accounts[name] = account
        self._names[account] = name
        self._sector_of[account] = sector

    def _strike(self, name: str, account: int) -> None:
        del self._accounts[name], self._names[account]
        self._sector_of[account] = _CLOSED

    def _unopen(self, name: str, account: int, reused: bool) -> None:
        self._strike(name, account)
        if reused:
            self._freed.append(account)
        else:
            self._next = account

    def _reopen(self, name: str, account: int, sector: int) -> None:
        self._freed.remove(account)
        self._enter(name, account, sector)

    def account(self, name: str) -> int:
        """The id of an open institution."""
        try:
            return self._accounts[name]
        except KeyError:
            raise UnknownAccount(f"no account {name!r}") from None

    def has_account(self, name: str) -> bool:
        """Whether an institution of that name is open."""
        return name in self._accounts

    def account_name(self, account: int) -> str:
        """The name behind an id; people are called "person <slot>"."""
        if account >= self._capacity:
            return f"person {account - self._capacity}"
        return self._names.get(int(account), f"closed account {account}")

    def account_sector(self, account: int) -> str:
        """The sector that an account belongs to."""
        if not 0 <= account < self._sector_of.size or self._sector_of[account] < 0:
            raise UnknownAccount(f"no open account {account}")
        return self.sectors[self._sector_of[account]]

    def institutions(self) -> dict[str, NDArray[np.int64]]:
        """The open institutions' accounts, in order, by sector."""
        belongs_to = self._sector_of[: self._capacity]
        return {name: (belongs_to == sector).nonzero()[0] for name, sector in self._sectors.items()}

    def person(self, slot: Any) -> Any:
        """The account of a person's slot; of each, where ``slot`` is an array."""
        return self._capacity + slot

    def grow_people(self, count: int) -> None:
        """Give ``count`` newcomers an account. Views taken before do not show them."""
        if self._journal.marks:
            raise LedgerError("people cannot be added inside atomic()")
        if index(count) < 0:
            raise LedgerError(f"people cannot grow by {count}")
        self._people += index(count)
        self._sector_of = np.append(self._sector_of, np.full(count, self._people_sector, dtype=np.int8))
        for asset in self._assets.values():
            added = count if asset.span == "all" else 0
            asset.hold(np.append(asset.array, np.zeros(added, dtype=np.int64)), self._sector_of)

    # Assets

    def asset(
        self,
        symbol: str,
        issuer: int | None = None,
        span: Span = "all",
        valuer: Callable[[], float] | None = None,
    ) -> int:
        """Register an asset and return its id.

        Args:
            symbol: its name; a second asset of that name is refused.
            issuer: the account whose liability it is, None for an outside asset.
            span: who may hold it; "institutions" saves a balance per person.
            valuer: dollars per whole unit now.
        """
        if symbol in self._asset_ids:
            raise DuplicateName(f"asset {symbol!r} is registered already")
        if span not in ("all", "institutions"):
            raise LedgerError(f"an asset spans 'all' or 'institutions', not {span!r}")
        asset = Asset(len(self._assets), symbol, issuer, span, valuer)
        size = self._capacity + (self._people if span == "all" else 0)
        asset.hold(np.zeros(size, dtype=np.int64), self._sector_of)
        self._assets[asset.id] = asset
        self._asset_ids[symbol] = asset.id
        self._journal.add(self._drop_asset, asset.id)
        return asset.id

    def _drop_asset(self, asset: int) -> None:
        del self._asset_ids[self._assets.pop(asset).symbol]

    def asset_id(self, symbol: str) -> int:
        """The id of an asset."""
        try:
            return self._asset_ids[symbol]
        except KeyError:
            raise UnknownAsset(f"no asset {symbol!r}; there are {', '.join(self._asset_ids)}") from None

    def has_asset(self, symbol: str) -> bool:
        """Whether an asset of that symbol is registered."""
        return symbol in self._asset_ids

    @property
    def assets(self) -> tuple[str, ...]:
        """Symbols by id."""
        return tuple(self._asset_ids)

    def symbol(self, asset: int) -> str:
        """The symbol of an asset."""
        return self._asset(asset).symbol

    def issuer(self, asset: int) -> int | None:
        """The account whose liability the asset is."""
        return self._asset(asset).issuer

    def price(self, asset: int) -> float | None:
        """Dollars per whole unit by the asset's valuer; None where it has none."""
        valuer = self._asset(asset).valuer
        return None if valuer is None else valuer()

    # Balances

    def balance(self, asset: int, account: int) -> int:
        """Base units of ``asset`` that ``account`` holds."""
        try:
            if account >= 0:
                units: int = self._assets[asset].cells[account]
                return units
        except (KeyError, IndexError):
            pass
        self._asset(asset)
        raise self._unknown(asset, account)

    def balances(self, asset: int) -> NDArray[np.int64]:
        """int64[span]: all balances by account id, a read-only live view."""
        return self._asset(asset).view

    def person_balances(self, asset: int) -> NDArray[np.int64]:
        """int64[people]: balances by person slot, a read-only live view; empty where people are outside the span."""
        return self._asset(asset).view[self._capacity :]

    def supply(self, asset: int) -> int:
        """Base units in existence."""
        return self._asset(asset).supply

    def sector_stocks(self, asset: int) -> NDArray[np.int64]:
        """int64[sectors]: what each sector holds, by sector id."""
        balances = self._asset(asset).array
        stocks = np.zeros(len(self._sectors), dtype=np.int64)
        opened = np.flatnonzero(self._sector_of[: self._capacity] >= 0)
        np.add.at(stocks, self._sector_of[opened], balances[opened])
        stocks[self._people_sector] += balances[self._capacity :].sum(dtype=np.int64)
        return stocks

    def _asset(self, asset: int) -> Asset:
        try:
            return self._assets[asset]
        except KeyError:
            raise UnknownAsset(f"no asset {asset!r}") from None

    def _sector_id(self, asset: Asset, account: int) -> int:
        """The sector of an account inside the asset's span."""
        sector: int = asset.sectors[account] if 0 <= account < len(asset.sectors) else _CLOSED
        if sector < 0:
            raise self._unknown(asset.id, account)
        return sector

    def _unknown(self, asset: int, account: int) -> UnknownAccount:
        return UnknownAccount(f"{self._assets[asset].symbol}: no open account {account} in its span")
