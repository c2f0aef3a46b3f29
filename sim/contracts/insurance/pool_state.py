"""States and fixed settings of a pool."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.chain.mempool import Refused
from sim.contracts.insurance.development import Reserving
from sim.contracts.insurance.premium import PremiumShares


class PoolState(StrEnum):
    """ACTIVE; GATED: capital below gate x MCR, nobody can leave; RUN_OFF: no business, claims are settled; CLOSED."""

    ACTIVE = "active"
    GATED = "gated"
    RUN_OFF = "run_off"
    CLOSED = "closed"


class PoolError(Refused):
    """A call that the pool refuses in its present state."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """What does not change in a pool's life."""

    shares: PremiumShares
    share_offset: int = 3
    report_lag_days: float = 2.0
    report_lag_claims: float = 200.0
    run_off_tail_days: int = 180
    reserving: Reserving = "geometric"
