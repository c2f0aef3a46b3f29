"""How long all kernels of the baseline take to compile, once: a run with an empty cache against the same run again.

    python -m benchmarks compilation
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
from pathlib import Path
from sim.model import run
from sim.scenario.load import load_scenario
settings = [("population.patients", "1000"), ("horizon_days", "40")]
run(load_scenario(Path("scenarios/baseline.yaml"), settings), check_invariants="off")
"""


def seconds(cache: str) -> float:
    """Processor seconds of the small run in a fresh interpreter whose user cache is ``cache``."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment | {"XDG_CACHE_HOME": cache}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Print both times."""
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = seconds(cache), seconds(cache)
    print(f"small run: {cold:.1f} s with an empty cache, {warm:.1f} s with a full one: {cold - warm:.1f} s to compile")


if __name__ == "__main__":
    main()
