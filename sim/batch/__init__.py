"""Many runs: what to run with which seeds, where to compute it, and how to judge the outcome."""

from __future__ import annotations

from typing import Any

__all__ = ["run_batch"]


def __getattr__(name: str) -> Any:
    if name == "run_batch":
        from sim.batch.check import run_batch

        return run_batch
    raise AttributeError(f"module 'sim.batch' has no attribute {name!r}")
