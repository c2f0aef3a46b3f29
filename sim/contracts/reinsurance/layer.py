"""Layer 0 of a pool's waterfall: what treaties take of the claims that are being settled.

All new claims of a settlement go through the pool's treaties; claims that stayed unpaid before were ceded when they
were approved. What is due at once is called from the sellers and pays the claims together with the pool's own layers.
The rest is a recoverable: the pool pays from its own money meanwhile. What can never be: the layer pays more than has
come.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.parties import CALL, PoolParty
from sim.kernel.fixedpoint import share_pot


class ReinsuranceLayer:
    """The treaties of one pool as a layer. ``insured_of`` gives the insured person of each claim number, int64[n]."""

    name = "reinsurance"

    def __init__(
        self, book: ReinsuranceBook, party: PoolParty, insured_of: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    ) -> None:
        self.book = book
        self.party = party
        self.account = party.transit
        self.insured_of = insured_of

    def bear(self, remaining: NDArray[np.int64], order: NDArray[np.uint64]) -> NDArray[np.int64]:
        """int64[n]: what sellers pay of each claim now."""
        settling = self.party.pool.settling
        borne = np.zeros_like(remaining)
        first = settling.first_new
        if first == remaining.size:
            return borne
        rows = first + np.argsort(order[first:], kind="stable")
        due = settling.due
        at_once, calls = self.book.cede_claims(self.party, settling.day, remaining[rows], due.incurred[rows],
                                               self.insured_of(due.ids[rows]))
        if not calls:
            return borne
        wanted, got = int(at_once.sum()), sum(self.book.collect(calls, CALL))
        parts = at_once if got >= wanted else share_pot(got, at_once, order[rows])
        borne[rows] = parts
        return borne
