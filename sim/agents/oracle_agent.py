"""One oracle operator as an agent: a view of its row in the columns of :class:`~sim.agents.oracle_operator.Oracles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import mesa

from sim.mechanism import Market

if TYPE_CHECKING:
    from sim.agents.oracle_operator import Oracles


class OracleOperator(mesa.Agent):
    """One operator; its figures live in the columns of :class:`Oracles`."""

    def __init__(self, market: Market, oracles: Oracles, name: str, number: int) -> None:
        super().__init__(cast(Any, market))
        self.name = name
        self.number = number
        self._oracles = oracles

    @property
    def effort(self) -> float:
        """Effort per vote."""
        return float(self._oracles.effort[self.number])

    @property
    def accuracy(self) -> float:
        """Probability of a correct report."""
        return float(self._oracles.accuracy[self.number])

    @property
    def stake(self) -> int:
        """Base units staked."""
        return int(self._oracles.claims.operators.staking.stakes()[self.number])

    @property
    def copies(self) -> bool:
        """Whether it copies instead of looking."""
        return bool(self._oracles.copies[self.number])
