"""Options: what a person may choose among, each one plan of one pool, numbered pool by pool.

Where every pool writes one plan, option j is pool j.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.policy import Terms


class Options:
    """``pool`` and ``plan`` int64[options] say whose plan an option is; ``first`` int64[pools] where a pool's begin."""

    def __init__(self, plans: Sequence[Sequence[Terms]]) -> None:
        counts = np.array([len(row) for row in plans], dtype=np.int64)
        self.first: NDArray[np.int64] = np.concatenate(([0], np.cumsum(counts)[:-1]))
        self.pool: NDArray[np.int64] = np.repeat(np.arange(counts.size), counts)
        self.plan: NDArray[np.int64] = np.arange(self.pool.size) - self.first[self.pool]
        self.terms: list[Terms] = [terms for row in plans for terms in row]

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def several(self) -> bool:
        """Whether any pool writes more than one plan."""
        return len(self) > self.first.size

    def of(self, pools: NDArray[np.integer], plans: NDArray[np.integer]) -> NDArray[np.int64]:
        """The option int64[n] of each pair; -1 where there is no pool."""
        options: NDArray[np.int64] = np.where(pools >= 0, self.first[np.maximum(pools, 0)] + plans, -1)
        return options
