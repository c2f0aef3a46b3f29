"""salus: an agent-based market simulator of decentralized healthcare finance.

The public names are loaded on first use, so that ``import sim`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "load_scenario": "sim.scenario.load",
    "HealthMarket": "sim.model",
    "RunResult": "sim.model",
    "run": "sim.model",
    "run_batch": "sim.batch",
}

__all__ = ["HealthMarket", "RunResult", "__version__", "load_scenario", "run", "run_batch"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")
