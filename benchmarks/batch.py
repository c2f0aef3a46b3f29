"""Batches: processor seconds per run of two processes against one, and the parent's memory by the number of runs.

The first is a ratio of the same runs in the same minute; 1 means that the second process costs nothing. Memory is the
peak of a parent that leaves the runs to one worker, for a batch and one four times as long.

    python -m benchmarks batch
    python -c "from benchmarks.batch import main; main(2000, 2000, 365)"      runs, patients, days
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import json, resource, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from sim.batch.batch import run_to_folder
from sim.batch.batch_plan import plan_batch
from sim.batch.engine import PoolEngine
if __name__ == "__main__":
    settings = [("population.patients", "{patients}"), ("horizon_days", "{days}")]
    plan = plan_batch([Path({scenario!r})], settings, {runs}, variants=["main"])
    run_to_folder(plan, Path({out!r}), PoolEngine({jobs}))
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps([own.ru_maxrss / 1024, sum(one.ru_utime + one.ru_stime for one in (own, workers))]))
"""


def measure(runs: int, jobs: int, patients: int, days: int, scenario: str = "baseline") -> tuple[float, float, float]:
    """Peak memory of the parent (MiB), processor seconds of all, wall seconds."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "batch.py"
        script.write_text(PROGRAM.format(
            root=str(ROOT), scenario=str(ROOT / "scenarios" / f"{scenario}.yaml"), patients=patients, days=days,
            runs=runs, jobs=jobs, out=str(Path(folder) / "out")), encoding="utf-8")
        start = time.perf_counter()
        done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
        memory, processor = json.loads(done.stdout)
        return memory, processor, time.perf_counter() - start


def main(runs: int = 40, patients: int = 2_000, days: int = 365) -> None:
    """Print the table."""
    measure(1, 1, 100, 10)  # compiles
    short = measure(max(1, runs // 4), 1, patients, days)
    one, two = measure(runs, 1, patients, days), measure(runs, 2, patients, days)
    print(f"{runs} runs of {patients:,} patients for {days} days")
    for label, (memory, processor, wall) in (("one process", one), ("two processes", two)):
        print(f"  {label:<15}{processor / runs:8.2f} processor seconds a run{3600 * runs / wall:10,.0f} runs an hour"
              f"{memory:8.0f} MiB in the parent")
    print(f"  processor efficiency of two against one: {one[1] / two[1]:.2f}; of wall time: {one[2] / two[2] / 2:.2f}")
    print(f"  parent's memory, {runs} runs against {max(1, runs // 4)}: {one[0] / short[0]:.2f}")


if __name__ == "__main__":
    main()
