"""How long the quick commands take, as multiples of importing numpy in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 7


def seconds(arguments: list[str]) -> float:
    """Least wall time of ``REPEATS`` runs of the interpreter with ``arguments``."""
    best = float("inf")
    for _ in range(REPEATS):
        start = perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
        best = min(best, perf_counter() - start)
    return best


def main() -> None:
    """Print the table."""
    numpy = seconds(["-c", "import numpy"])
    print(f"import numpy          {numpy * 1000:6.0f} ms  1.00")
    for name, arguments in (("--help", ["--help"]), ("list", ["list"]),
                            ("validate baseline", ["validate", "scenarios/baseline.yaml"])):
        spent = seconds(["run_sim.py", *arguments])
        print(f"{name:<20}  {spent * 1000:6.0f} ms  {spent / numpy:.2f}")


if __name__ == "__main__":
    main()
