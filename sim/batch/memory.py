"""How many runs fit into the memory of this machine at a time."""

from __future__ import annotations

import os
from pathlib import Path

BASE_BYTES = 450 * 2**20
"""A worker with its libraries and a small population, measured."""

BYTES_PER_PATIENT = 900
"""Measured on the baseline: a million patients for a year take 1.2 GiB."""

SHARE = 0.8
"""The rest is left to the page cache and to others."""


class MemoryGuard:
    """Estimates what a run needs from its population until runs have told their peak."""

    def __init__(self, patients: int) -> None:
        self.per_run = BASE_BYTES + BYTES_PER_PATIENT * patients
        self._available = available_bytes()

    def saw(self, peak_bytes: int) -> None:
        """Take note of the peak memory of a worker that computed a run."""
        self.per_run = max(self.per_run, peak_bytes)

    def allowed(self) -> int:
        """Runs that fit at a time, at least one, of the memory that was free when the batch began."""
        return max(1, int(SHARE * self._available / self.per_run))


def available_bytes() -> int:
    """Memory that this process may still take: what the machine has free, or what its control group leaves."""
    found: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    try:
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        if limit != "max":
            found.append(max(0, int(limit) - int((group / "memory.current").read_text(encoding="ascii"))))
    except (OSError, ValueError):
        pass
    return min(found)
