"""The baseline with a million patients for a year on one core: seconds by phase, and memory."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from sim.model import run
from sim.scenario.load import load_scenario

ROOT = Path(__file__).resolve().parent.parent


def measure(patients: int, days: int) -> tuple[dict[str, float], dict[str, float]]:
    """(seconds by phase, seconds by hook) of the baseline with ``patients`` for ``days``."""
    settings = [("population.patients", str(patients)), ("horizon_days", str(days))]
    result = run(load_scenario(ROOT / "scenarios" / "baseline.yaml", settings), check_invariants="off")
    return result.seconds, result.hook_seconds


def main() -> None:
    """Compile with a small run first, then measure."""
    patients = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    measure(2_000, 40)
    seconds, hooks = measure(patients, 365)
    print(f"{patients:,} patients, 365 days: {seconds['setup']:.1f} s to build, {seconds['days']:.1f} s to run")
    for name, spent in sorted(hooks.items(), key=lambda item: -item[1])[:12]:
        print(f"  {name:<38} {spent:6.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
