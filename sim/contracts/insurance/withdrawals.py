"""Withdrawal queue: requests wait out a cooldown and are served first come, first served, while the gate allows.

Holds the requests in order of arrival; the requested shares lie in an escrow account of the ledger.

What can never be: a younger request is served before an older one, a request is served before its cooldown, or the
escrow holds anything but the shares of open requests. A request that the gate cuts short is served in part; the rest
keeps its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """``shares`` that ``owner`` asked on ``day`` to redeem."""

    number: int
    owner: int
    shares: int
    day: int


class WithdrawalQueue:
    """First in, first out. ``pending`` is the sum of the shares waiting."""

    __slots__ = ("_requests", "made", "pending")

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()
        self.pending = 0
        self.made = 0

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    def add(self, owner: int, shares: int, day: int) -> Request:
        """Queue a request; returns it."""
        request = Request(self.made, owner, shares, day)
        self.made += 1
        self._requests.append(request)
        self.pending += shares
        return request

    def due(self, day: int, cooldown_days: int) -> Request | None:
        """The oldest request if its cooldown is over, else None."""
        if self._requests and day - self._requests[0].day >= cooldown_days:
            return self._requests[0]
        return None

    def serve(self, shares: int) -> None:
        """Take ``shares`` off the oldest request; a rest keeps its place."""
        head = self._requests[0]
        if not 0 < shares <= head.shares:
            raise ValueError(f"request {head.number} waits for {head.shares} shares, not {shares}")
        self.pending -= shares
        if shares == head.shares:
            self._requests.popleft()
        else:
            self._requests[0] = Request(head.number, head.owner, head.shares - shares, head.day)

    def state(self) -> tuple[deque[Request], int, int]:
        """A copy, for :meth:`restore`."""
        return self._requests.copy(), self.pending, self.made

    def restore(self, state: tuple[deque[Request], int, int]) -> None:
        """Go back to an earlier :meth:`state`."""
        requests, self.pending, self.made = state
        self._requests = requests.copy()
