"""A small scenario for real batches, and a plug-in mechanism that breaks it on chosen seeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

TOY = """\
name: toy
question: Does it run?
horizon_days: 4
replications: 60
population: {patients: 40}
economy:
expect:
  - {metric: population.mean_age, op: ">", value: 0}
variants:
  taxed: {set: {economy.tax_rate: 0.5}}
"""

TRAP = '''\
"""Fails in every run whose seed is divisible by seven, unless it is disarmed; slow where it is told to be. Notes each
set-up where it is told to."""
import os
import signal
import time
from pathlib import Path
from typing import ClassVar

from sim.mechanism import Mechanism
from sim.scenario.types import Section, param


class TrapSection(Section):
    """A mechanism that breaks."""

    implementation: ClassVar[str] = "salus_trap:Trap"
    divisor: int = param(7, "Seeds divisible by it fail.", ge=1)
    sleep: float = param(0.0, "Seconds that the set-up takes.", ge=0.0)
    deadly: bool = param(False, "Kills its process instead.")


SECTION = TrapSection


class Trap(Mechanism):
    name = "trap"

    def __init__(self, section):
        self.section = section

    def setup(self, market):
        if "SALUS_TRAP_LOG" in os.environ:
            with open(os.environ["SALUS_TRAP_LOG"], "a") as log:
                log.write(f"{os.getpid()} {market.seed_used}\\n")
        time.sleep(self.section.sleep)
        if market.seed_used % self.section.divisor == 0 and "SALUS_TRAP_DISARMED" not in os.environ:
            if self.section.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError(f"trapped by seed {market.seed_used}")
'''

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The file of the small scenario."""
    file = tmp_path / "toy.yaml"
    file.write_text(TOY, encoding="utf-8")
    return file


@pytest.fixture
def plugged(tmp_path: Path, repository: Path) -> dict[str, str]:
    """An environment in which the plug-in section "trap" is installed."""
    site = tmp_path / "site"
    info = site / "salus_trap-1.dist-info"
    info.mkdir(parents=True)
    (site / "salus_trap.py").write_text(TRAP, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: salus-trap\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[salus.sections]\ntrap = salus_trap\n", encoding="utf-8")
    return {**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{site}"}


def listen_to_interrupts() -> None:
    """In the child: a test run in the background would hand on that Ctrl-C is to be ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(plugged: dict[str, str], repository: Path, tmp_path: Path) -> Start:
    """Starts ``salus`` with arguments in its own process, in ``tmp_path``; more of the environment as keywords."""

    def run(*arguments: object, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, str(repository / "run_sim.py"), *map(str, arguments)], cwd=tmp_path,
                                env=plugged | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=listen_to_interrupts)

    return run


def data(folder: Path) -> dict[str, bytes]:
    """Every file of a batch but its log, by relative name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*"))
            if file.is_file() and file.name != "log.jsonl"}


def wait_for_progress(process: subprocess.Popen[str], folder: Path, runs: int) -> None:
    """Until ``runs`` more were logged, or the process has ended."""
    log = folder / "log.jsonl"

    def logged() -> int:
        return log.read_bytes().count(b'"run"') if log.exists() else 0

    before = logged()
    while process.poll() is None and logged() - before < runs:
        time.sleep(0.002)
