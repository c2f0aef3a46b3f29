"""What can be typed: every command with its options, and the module that does it, which is not imported for that."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sim import __version__


def grammar() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")
    parser = argparse.ArgumentParser(
        prog="run_sim.py" if Path(sys.argv[0]).name == "run_sim.py" else "salus", parents=[common],
        description="Simulate markets of decentralized healthcare finance.",
        epilog="Exit codes: 0 fine; 1 an expectation or a run failed; 2 bad input.", allow_abbrev=False)
    parser.add_argument("-V", "--version", action="version", version=f"salus {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, module: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text[0].upper() + text[1:] + ".",
                                  allow_abbrev=False)
        sub.set_defaults(name_of_command=name, module=module)
        return sub

    sub = add("list", "scenario_commands", "list scenarios: name, stage, question")
    sub.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="where to look (default: those shipped)")

    sub = add("validate", "scenario_commands", "show all errors of scenario files at once, each with its line")
    sub.add_argument("files", nargs="+", metavar="FILE")
    _add_settings(sub)

    sub = add("explain", "scenario_commands",
              "say what a parameter, metric, section or shock is, or print the day's plan")
    sub.add_argument("name", metavar="NAME", help="such as population.patients; 'day' prints who acts when")
    sub.add_argument("--scenario", metavar="FILE", default="baseline", help="whose day (default: baseline)")

    sub = add("run", "run_commands", "run a scenario once and write its folder")
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--seed", type=int, metavar="N", help="seed of the run (default: the scenario's)")
    _add_settings(sub)
    sub.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: runs/<name>-seed<seed>)")
    sub.add_argument("--check-invariants", choices=("every", "end", "off"), default="end", metavar="WHEN",
                     help="every day, at the end (default), or off")

    sub = add("check", "run_commands", "run a scenario's replications and test its expectations")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("-n", "--replications", type=_positive, metavar="N", help="runs per configuration")
    sub.add_argument("-j", "--jobs", type=_positive, metavar="N", help="runs at a time (default: one per core)")
    sub.add_argument("--seed", type=int, metavar="N", help="master seed (default: the scenario's)")
    _add_settings(sub)

    sub = add("batch", "batch_command", "run replications, sweeps or samples of scenarios into one folder")
    _add_batch(sub)

    sub = add("threshold", "threshold_command", "find the value of a parameter at which a metric changes side")
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--move", required=True, metavar="a.b=lo:hi", help="the parameter and where it may lie")
    sub.add_argument("--metric", required=True, metavar="METRIC", help="whose share of runs crosses one half")
    sub.add_argument("--level", type=float, default=0.5, metavar="X", help="count runs in which it is at least X "
                     "(default: 0.5)")
    sub.add_argument("--steps", type=_positive, default=6, metavar="N", help="halvings of the interval (default: 6)")
    sub.add_argument("-n", "--replications", type=_positive, default=20, metavar="N", help="seeds per value "
                     "(default: 20)")
    sub.add_argument("-j", "--jobs", type=_positive, metavar="N", help="runs at a time (default: one per core)")
    sub.add_argument("--seed", type=int, metavar="N", help="master seed (default: the scenario's)")
    _add_settings(sub)

    sub = add("verify", "run_commands", "hold the model against closed forms and published figures")
    sub.add_argument("topics", nargs="*", metavar="TOPIC", help="only these topics (default: all)")
    sub.add_argument("--write", type=Path, metavar="FILE", help="also write the table to this Markdown file")

    sub = add("laboratory", "laboratory_command",
              "spread failures through networks of institutions, without the market")
    sub.add_argument("experiment", nargs="?", metavar="EXPERIMENT", help="without one: those that there are")
    sub.add_argument("--network", type=Path, metavar="FILE", help="CSV of debts (debtor,creditor,amount) instead of "
                     "random networks")
    sub.add_argument("--institutions", type=Path, metavar="FILE", help="CSV of their sheets "
                     "(institution,outside,capital)")
    sub.add_argument("-n", "--runs", type=_positive, metavar="N", help="random networks per point")
    sub.add_argument("--seed", type=int, default=1, metavar="N", help="seed (default: 1)")
    sub.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: runs/laboratory-EXPERIMENT)")

    sub = add("dashboard", "run_commands", "open an interactive page: move parameters, watch the days, compare")
    sub.add_argument("file", nargs="?", metavar="FILE", help="scenario to begin with (default: baseline)")
    sub.add_argument("--port", type=int, default=8765, metavar="N", help="port on this machine (default: 8765; 0: any)")
    sub.add_argument("--no-browser", action="store_true", help="only print the address")

    add("schema", "scenario_commands", "print the JSON Schema of scenario files, for editors")

    sub = add("compare", "analysis_commands", "tell how two runs, batches or variants differ, seed by seed")
    _add_compare(sub)

    sub = add("sensitivity", "sensitivity_command",
              "tell which parameters matter: Morris' or Sobol' indices of a scenario or of a batch")
    _add_sensitivity(sub)

    sub = add("report", "analysis_commands", "write one self-contained HTML page about a run, a batch or a comparison")
    sub.add_argument("folder", type=Path, metavar="DIR")
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=v",
                        help="replace a value of the scenario; may be repeated")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def _add_batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="without one: go on with the batch in --out")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="YAML with scenarios, replications, sweep or sample")
    parser.add_argument("-n", "--replications", type=_positive, metavar="N", help="seeds per configuration")
    _add_engine(parser)
    parser.add_argument("--sweep", action="append", default=[], metavar="a.b=1,2,3", help="values of a parameter; "
                        "every combination, where it is repeated")
    parser.add_argument("--sample", nargs="+", metavar="WORD", help="lhs:N, sobol:N or morris:N, then a.b=lo:hi ...")
    parser.add_argument("--variant", dest="variants", action="append", metavar="NAME", help="only this variant ('main' "
                        "is the scenario itself); may be repeated")
    parser.add_argument("--seed", type=int, metavar="N", help="master seed (default: the scenario's)")
    _add_settings(parser)
    parser.add_argument("--metric", metavar="METRIC", help="whose running estimate is shown")
    parser.add_argument("--stop-when", metavar="METRIC", help="end once the mean of METRIC is known to --half-width")
    parser.add_argument("--half-width", type=float, metavar="X", help="half of the 95 %% interval, in METRIC's unit")
    parser.add_argument("--retry-failed", action="store_true", help="run again what failed in the folder so far")
    parser.add_argument("--out", type=Path, metavar="DIR", help="batch folder (default: runs/<name>-batch)")


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-j", "--jobs", type=_positive, metavar="N", help="runs at a time (default: what cores and "
                        "memory allow)")
    parser.add_argument("--engine", choices=("local", "dask"), default="local",
                        help="where to compute (default: local)")
    parser.add_argument("--scheduler", metavar="ADDR", help="Dask scheduler, such as tcp://127.0.0.1:8786")


def _add_sensitivity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", metavar="FILE|DIR", help="scenario to sample and run, or a batch folder sampled with "
                        "the design morris or sobol")
    parser.add_argument("--vary", action="append", default=[], metavar="a.b=lo:hi", help="range of a parameter of the "
                        "scenario; may be repeated")
    parser.add_argument("--method", choices=("morris", "sobol"), default="morris", help="screening by Morris "
                        "(default), or the dearer shares of variance by Sobol'")
    parser.add_argument("--size", type=_positive, metavar="N", help="trajectories of morris (default: 10), base points "
                        "of sobol (default: 64); runs are N (k + 1) or N (k + 2) for k parameters")
    parser.add_argument("-n", "--replications", type=_positive, default=1, metavar="N", help="seeds per point, which "
                        "are averaged (default: 1)")
    _add_engine(parser)
    parser.add_argument("--variant", metavar="NAME", default="main", help="variant to sample (default: main)")
    parser.add_argument("--seed", type=int, metavar="N", help="master seed (default: the scenario's)")
    _add_settings(parser)
    parser.add_argument("--metric", dest="metrics", action="append", default=[], metavar="NAME",
                        help="figure to explain; may be repeated (default: the usual ones)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="batch folder (default: runs/<name>-<method>)")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR",
                        help="A and B: run or batch folders; or one batch folder with --variants")
    parser.add_argument("--variants", metavar="A,B", help="which variant of each side (default: main)")
    parser.add_argument("--scenarios", metavar="A,B", help="which scenario of each side, in batches of several")
    parser.add_argument("--points", metavar="A,B", help="which design point of each side, in swept batches")
    parser.add_argument("--interval", choices=("student", "bootstrap"), default="student",
                        help="of the mean difference (default: student)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: runs/compare-A-B)")
