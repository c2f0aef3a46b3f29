"""A scenario of two hundred patients, and the page served by a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SMALL = """\
extends: {base}
name: small
question: Does the dashboard show it?
horizon_days: 40
seed: 5
population: {{patients: 400}}
insurance: {{pools: 2}}
liquidity_providers: {{providers: 20}}
oracles: {{operators: 12}}
research: {{researchers: 4}}
shocks:
  - {{day: 8, kind: cost_inflation, size: 0.5, days: 10}}
variants:
  calm: {{set: {{shocks: []}}}}
"""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A small scenario with a shock and a variant without it."""
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / "base.yaml").write_text((repository / "scenarios" / "_s3_base.yaml").read_text())
    (folder / "small.yaml").write_text(SMALL.format(base="base.yaml"))
    return folder / "small.yaml"


@pytest.fixture(scope="session")
def address(small: Path, repository: Path) -> Iterator[str]:
    """Where the page is."""
    command = [sys.executable, str(repository / "run_sim.py"), "dashboard", str(small), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
        process.terminate()
