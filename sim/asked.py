"""What commands have in common: exit codes, the scenario that was asked for, and how the program was called."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario

FINE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class UsageError(ValueError):
    """A command was asked for something impossible; the message is a sentence."""


def load(file: str, options: argparse.Namespace) -> Scenario:
    """The scenario ``file`` with the options ``--set`` and ``--seed`` laid over it."""
    from sim.scenario.library import find_scenario
    from sim.scenario.load import load_scenario
    from sim.scenario.overrides import split_setting

    settings = [split_setting(text) for text in getattr(options, "settings", [])]
    return load_scenario(find_scenario(file), settings, getattr(options, "seed", None))


def say_if_compiling() -> bool:
    """Whether kernels are still to be compiled, and if so, say it. Ask before anything is imported that compiles."""
    from sim.kernel.cache import is_cold

    cold = is_cold()
    if cold:
        print("Compiling the kernels, once; this takes up to 20 seconds.", file=sys.stderr, flush=True)
    return cold


def program() -> str:
    """How this program is called, for commands that it prints."""
    return "python run_sim.py" if Path(sys.argv[0]).name == "run_sim.py" else "salus"


def quoted(text: object) -> str:
    """``text`` as one word of a shell."""
    return shlex.quote(str(text))
