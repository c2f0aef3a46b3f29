"""The command line: messages and exit codes. What can be typed is in :mod:`sim.grammar`, what it does elsewhere.

Exit codes: 0 fine; 1 an expectation or a run failed; 2 bad input; 130 interrupted. An error is one readable sentence on
the error stream; ``--debug`` adds the traceback. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import cast

from sim.asked import BAD_INPUT, FAILED, FINE, INTERRUPTED, UsageError
from sim.grammar import grammar


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (without the program's name) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        options = grammar().parse_args(argv)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else BAD_INPUT
    try:
        code = _command(options)(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted; what was unfinished has not been written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `salus list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except Exception as error:  # noqa: BLE001  the one place where an error becomes a sentence
        return _report_error(error, getattr(options, "debug", False))
    return code


def _report_error(error: Exception, debug: bool) -> int:
    from sim.run_folder import OutputRefused
    from sim.scenario.errors import ScenarioError
    from sim.scenario.explain import UnknownName

    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, ScenarioError):
        print(error, file=sys.stderr)
        return BAD_INPUT
    sentence = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.filename is not None:
        sentence = f"{error.filename}: {error.strerror}"
    expected = (UsageError, OutputRefused, UnknownName, OSError)
    if isinstance(error, expected) or type(error).__name__ in ("SetupError", "UnknownAsset"):
        print(f"error: {sentence}", file=sys.stderr)
        return BAD_INPUT
    hint = "" if debug else " (--debug shows where)"
    print(f"error: {type(error).__name__}: {sentence}{hint}", file=sys.stderr)
    return FAILED


def _command(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    """The function ``<name>_command`` of the module that the grammar names."""
    module = importlib.import_module(f"sim.{options.module}")
    return cast(Callable[[argparse.Namespace], int], getattr(module, f"{options.name_of_command}_command"))
