
"""What the ledger refuses. All are ValueErrors, so that a contract can refuse a call for any of them alike."""

from __future__ import annotations


class LedgerError(ValueError):
    """A call that the ledger refuses; it has changed nothing."""


class InsufficientFunds(LedgerError):
    """More was asked for than the account holds."""


class LedgerOverflow(LedgerError):
    """A supply, or a day's flow, would reach 2**63."""


class UnknownAccount(LedgerError):
    """No such account, or one outside the asset's span."""


class UnknownAsset(LedgerError):
    """No asset of that id or symbol."""


class InvalidAmount(LedgerError):
    """A negative amount."""


class DuplicateName(LedgerError):
    """An account or asset of that name exists already."""


class OutOfRange(LedgerError, OverflowError):
    """Exact arithmetic with a negative amount, or without a positive divisor: the call reverts, as checked arithmetic
    on a chain does."""
