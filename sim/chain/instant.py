"""The chain of a market without the section ``chain``: everything is included the same day and costs nothing.

Order is kept all the same: rows that commute in order of submission, then ordered rows by tip and hashed key, as in one
block.
"""

from __future__ import annotations

import numpy as np

from sim.chain.settlement import Included, Settlement
from sim.mechanism import Hook, Market, Phase
from sim.scenario.types import Section

FREE_KIND_GAS = 0


class InstantChain(Settlement):
    """Same interface as :class:`sim.chain.chain.Chain`, with one block a day, no fees and no limit."""

    name = "chain"
    hooks = (Hook(Phase.SETTLEMENT, "execute"),)

    def __init__(self, section: Section | None = None) -> None:
        super().__init__(section if section is not None else Section())

    def gas(self, kind: str) -> int:
        return self._gas.get(kind, FREE_KIND_GAS)

    def fee(self, kind: str) -> int:
        return 0

    @property
    def suggested_tip(self) -> int:
        return 1_000_000_000

    def execute(self, market: Market) -> None:
        """Execute all that waits; an expired row that was submitted for a day past is dropped by the same rules."""
        pool = self.pool
        rows = np.lexsort((pool["rank"], -pool["tip"]))
        self._settle(Included(rows, np.zeros(rows.size, dtype=np.int64)), lambda positions: None)
