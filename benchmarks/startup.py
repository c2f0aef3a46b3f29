"""How long the quick commands take, as multiples of importing numpy in a fresh interpreter.

Bytecode is written and kept, as it is by default, so that what is measured is not Python's own compiler. The commands
take turns, and the quickest of several turns counts, so that the ratio does not depend on what else the machine does.

    python -m benchmarks startup
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 9
COMMANDS = {
    "import numpy": ["-c", "import numpy"],
    "--help": ["run_sim.py", "--help"],
    "list": ["run_sim.py", "list"],
    "validate baseline": ["run_sim.py", "validate", "scenarios/baseline.yaml"],
}


def seconds(commands: dict[str, list[str]], repeats: int) -> dict[str, float]:
    """Least wall time of each command, in ``repeats`` turns after one that leaves the bytecode."""
    best = dict.fromkeys(commands, float("inf"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as bytecode:
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for turn in range(repeats + 1):
            for name, arguments in commands.items():
                start = perf_counter()
                subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True,
                               capture_output=True)
                if turn:
                    best[name] = min(best[name], perf_counter() - start)
    return best


def main() -> None:
    """Print the table."""
    best = seconds(COMMANDS, REPEATS)
    for name, spent in best.items():
        print(f"{name:<20}{spent * 1000:8.0f} ms{spent / best['import numpy']:8.2f}")


if __name__ == "__main__":
    main()
