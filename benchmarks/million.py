"""The baseline with a million patients for a year on one core: seconds by phase and by hook, and memory.

The kernels are compiled (or loaded) by a small run first. Processor seconds say what the work costs on a machine that
is busy with other things; wall seconds are what one waits. Invariants are not checked, nothing is written.

    python -m benchmarks million
    python benchmarks/million.py [patients] [days]
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sim.model import RunResult, run
from sim.scenario.load import load_scenario

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = (1_000, 40)
"""Patients and days of the run that compiles: it reaches the first payment of every monthly rule."""

HOOKS = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """A run and its processor seconds, building included."""

    result: RunResult
    processor: float


def measure(patients: int, days: int) -> Measured:
    """Run the baseline with ``patients`` for ``days``."""
    settings = [("population.patients", str(patients)), ("horizon_days", str(days))]
    scenario = load_scenario(ROOT / "scenarios" / "baseline.yaml", settings)
    start = time.process_time()
    result = run(scenario, check_invariants="off")
    return Measured(result, time.process_time() - start)


def report(patients: int, days: int, measured: Measured) -> str:
    """The table of one run."""
    seconds, hooks = measured.result.seconds, measured.result.hook_seconds
    phases = {name: spent for name, spent in seconds.items() if name not in ("setup", "days")}
    rest = seconds["days"] - sum(phases.values())
    lines = [
        f"{patients:,} patients, {days} days: {seconds['setup'] + seconds['days']:.1f} s "
        f"({measured.processor:.1f} s of processor time)",
        "by phase",
        f"  {'(building)':<34}{seconds['setup']:8.2f} s",
        *(f"  {name:<34}{spent:8.2f} s" for name, spent in phases.items() if spent >= 0.005),
        f"  {'(observing, flows)':<34}{rest:8.2f} s",
        "by hook",
        *(f"  {name:<34}{spent:8.2f} s" for name, spent in sorted(hooks.items(), key=lambda item: -item[1])[:HOOKS]),
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB",
    ]
    return "\n".join(lines)


def main(patients: int = 1_000_000, days: int = 365) -> None:
    """Compile, then measure."""
    measure(*WARM_UP)
    print(report(patients, days, measure(patients, days)))


if __name__ == "__main__":
    main(*(int(argument.replace("_", "")) for argument in sys.argv[1:]))
