"""Which runs a batch consists of, and with which seeds.

Replication k has the same seed in every variant, so that runs are paired, and that seed does not depend on how many
replications there are, so that adding some never changes the earlier ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of a batch: its position in the plan, the variant it runs, and the replication with its seed; in a
    batch of several scenarios or design points also which of them."""

    index: int
    variant: str
    replication: int
    seed: int
    scenario: str = ""
    point: int = 0


def run_seed(master: int, replication: int) -> int:
    """The seed of a replication: the first 63 bits of the SHA-256 of master seed and replication."""
    if replication < 0:
        raise ValueError(f"replication {replication} is negative")
    digest = hashlib.sha256(f"salus:run:{master}:{replication}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def plan_runs(variants: Iterable[str], master: int, replications: int) -> list[PlannedRun]:
    """All runs, replication by replication, so that any prefix of whole replications is a smaller batch."""
    names = list(variants)
    return [
        PlannedRun(replication * len(names) + position, name, replication, run_seed(master, replication))
        for replication in range(replications)
        for position, name in enumerate(names)
    ]
