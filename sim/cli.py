"""The command line: grammar, messages and exit codes. What the commands do is elsewhere.

Exit codes: 0 fine; 1 an expectation or a run failed; 2 bad input; 130 interrupted. An error is one readable sentence on
the error stream; ``--debug`` adds the traceback. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sim import __version__
from sim.analysis_commands import UsageError, add_compare, add_sensitivity, compare_command, sensitivity_command

if TYPE_CHECKING:
    from sim.batch.check import CheckResult
    from sim.scenario.scenario import Scenario

FINE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


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
        code: int = options.command(options)
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
    if isinstance(error, expected) or type(error).__name__ == "SetupError":
        print(f"error: {sentence}", file=sys.stderr)
        return BAD_INPUT
    hint = "" if debug else " (--debug shows where)"
    print(f"error: {type(error).__name__}: {sentence}{hint}", file=sys.stderr)
    return FAILED


# Grammar -------------------------------------------------------------------------------------------------------------


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

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text[0].upper() + text[1:] + ".",
                                  allow_abbrev=False)
        sub.set_defaults(command=command)
        return sub

    sub = add("list", list_command, "list scenarios: name, stage, question")
    sub.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="where to look (default: those shipped)")

    sub = add("validate", validate_command, "show all errors of scenario files at once, each with its line")
    sub.add_argument("files", nargs="+", metavar="FILE")
    _add_settings(sub)

    sub = add("explain", explain_command, "say what a parameter, metric, section or shock is, or print the day's plan")
    sub.add_argument("name", metavar="NAME", help="such as population.patients; 'day' prints who acts when")
    sub.add_argument("--scenario", metavar="FILE", default="baseline", help="whose day (default: baseline)")

    sub = add("run", run_command, "run a scenario once and write its folder")
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--seed", type=int, metavar="N", help="seed of the run (default: the scenario's)")
    _add_settings(sub)
    sub.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: runs/<name>-seed<seed>)")
    sub.add_argument("--check-invariants", choices=("every", "end", "off"), default="end", metavar="WHEN",
                     help="every day, at the end (default), or off")

    sub = add("check", check_command, "run a scenario's replications and test its expectations")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("-n", "--replications", type=_positive, metavar="N", help="runs per configuration")
    sub.add_argument("-j", "--jobs", type=_positive, metavar="N", help="runs at a time (default: one per core)")
    sub.add_argument("--seed", type=int, metavar="N", help="master seed (default: the scenario's)")
    _add_settings(sub)

    sub = add("batch", batch_command, "run replications, sweeps or samples of scenarios into one folder")
    sub.add_argument("files", nargs="*", metavar="FILE", help="without one: go on with the batch in --out")
    sub.add_argument("--plan", type=Path, metavar="FILE", help="YAML with scenarios, replications, sweep or sample")
    sub.add_argument("-n", "--replications", type=_positive, metavar="N", help="seeds per configuration")
    sub.add_argument("-j", "--jobs", type=_positive, metavar="N", help="runs at a time (default: what cores and memory "
                     "allow)")
    sub.add_argument("--engine", choices=("local", "dask"), default="local", help="where to compute (default: local)")
    sub.add_argument("--scheduler", metavar="ADDR", help="Dask scheduler, such as tcp://127.0.0.1:8786")
    sub.add_argument("--sweep", action="append", default=[], metavar="a.b=1,2,3", help="values of a parameter; "
                     "every combination, where it is repeated")
    sub.add_argument("--sample", nargs="+", metavar="WORD", help="lhs:N, sobol:N or morris:N, then a.b=lo:hi ...")
    sub.add_argument("--variant", dest="variants", action="append", metavar="NAME", help="only this variant ('main' is "
                     "the scenario itself); may be repeated")
    sub.add_argument("--seed", type=int, metavar="N", help="master seed (default: the scenario's)")
    _add_settings(sub)
    sub.add_argument("--metric", metavar="METRIC", help="whose running estimate is shown")
    sub.add_argument("--stop-when", metavar="METRIC", help="end once the mean of METRIC is known to --half-width")
    sub.add_argument("--half-width", type=float, metavar="X", help="half of the 95 %% interval, in METRIC's unit")
    sub.add_argument("--out", type=Path, metavar="DIR", help="batch folder (default: runs/<name>-batch)")

    sub = add("threshold", threshold_command, "find the value of a parameter at which a metric changes side")
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

    sub = add("verify", verify_command, "hold the model against closed forms and published figures")
    sub.add_argument("topics", nargs="*", metavar="TOPIC", help="only these topics (default: all)")
    sub.add_argument("--write", type=Path, metavar="FILE", help="also write the table to this Markdown file")

    sub = add("laboratory", laboratory_command, "spread failures through networks of institutions, without the market")
    sub.add_argument("experiment", nargs="?", metavar="EXPERIMENT", help="without one: those that there are")
    sub.add_argument("--network", type=Path, metavar="FILE", help="CSV of debts (debtor,creditor,amount) instead of "
                     "random networks")
    sub.add_argument("--institutions", type=Path, metavar="FILE", help="CSV of their sheets "
                     "(institution,outside,capital)")
    sub.add_argument("-n", "--runs", type=_positive, metavar="N", help="random networks per point")
    sub.add_argument("--seed", type=int, default=1, metavar="N", help="seed (default: 1)")
    sub.add_argument("--out", type=Path, metavar="DIR", help="result folder (default: runs/laboratory-EXPERIMENT)")

    sub = add("dashboard", dashboard_command, "open an interactive page: move parameters, watch the days, compare")
    sub.add_argument("file", nargs="?", metavar="FILE", help="scenario to begin with (default: baseline)")
    sub.add_argument("--port", type=int, default=8765, metavar="N", help="port on this machine (default: 8765; 0: any)")
    sub.add_argument("--no-browser", action="store_true", help="only print the address")

    add("schema", schema_command, "print the JSON Schema of scenario files, for editors")

    sub = add("compare", compare_command, "tell how two runs, batches or variants differ, seed by seed")
    add_compare(sub)

    sub = add("sensitivity", sensitivity_command, "tell which parameters matter: Morris' and Sobol' indices of a batch")
    add_sensitivity(sub)

    sub = add("report", report_command, "write one self-contained HTML page about a run, a batch or a comparison")
    sub.add_argument("folder", type=Path, metavar="DIR")
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="a.b=v",
                        help="replace a value of the scenario; may be repeated")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


# Commands ------------------------------------------------------------------------------------------------------------


def list_command(options: argparse.Namespace) -> int:
    """``list``"""
    from sim.scenario.library import list_scenarios, shipped_folder

    for folder in options.folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")
    found = list_scenarios(options.folders or [shipped_folder()])
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        print(f"{one.name:<{width}}  {one.stage:>5}  {one.question or one.fault}".rstrip())
    if not found:
        print("no scenarios here", file=sys.stderr)
    return BAD_INPUT if any(one.fault for one in found) else FINE


def validate_command(options: argparse.Namespace) -> int:
    """``validate``"""
    from sim.scenario.errors import ScenarioError, clean

    code = FINE
    for file in options.files:
        try:
            scenario = _load(file, options)
        except ScenarioError as error:
            print(error, file=sys.stderr)
            code = BAD_INPUT
            continue
        wishes = sum(len(one.expect) for one in scenario.configurations().values())
        print(f"{clean(scenario.file)}: fine ({len(scenario.sections)} sections, {len(scenario.shocks)} shocks, "
              f"{wishes} expectations, {len(scenario.variants)} variants)")
        for note in _notes(scenario):
            print(f"  note: {note}")
    return code


def _notes(scenario: Scenario) -> list[str]:
    from sim.scenario.expectations import runs_needed

    checked = scenario.check or scenario
    return [
        f"{one.label}: '{wish.text()}' cannot be met by {checked.replications} runs; it takes {runs_needed(wish)}"
        for one in checked.configurations().values() for wish in one.expect
        if runs_needed(wish) > checked.replications
    ]


def explain_command(options: argparse.Namespace) -> int:
    """``explain``"""
    if options.name == "day":
        scenario = _load(options.scenario, options)
        print(f"The day of {scenario.label}: phase, mechanism and call, in order")
        print("\n".join(_day_plan(scenario)))
        return FINE
    from sim.scenario.explain import explain

    print(explain(options.name))
    return FINE


def run_command(options: argparse.Namespace) -> int:
    """``run``"""
    from sim.run_folder import check_run_folder

    scenario = _load(options.file, options).alone()
    out = options.out if options.out is not None else Path("runs") / f"{scenario.name}-seed{scenario.seed}"
    check_run_folder(out)
    _say_if_compiling()  # before anything is imported that compiles
    from sim.model import run
    from sim.progress import Progress

    with Progress(scenario.name, scenario.horizon_days, "days") as bar:
        result = run(scenario, seed=scenario.seed, out=out, check_invariants=options.check_invariants,
                     progress=lambda done, total: bar.to(done), replace=True)
    for line in key_figures(scenario, result.summary):
        print(line)
    print(f"results: {out}")
    print(f"a page about them: {_program()} report {_quoted(out)}")
    return FINE


def check_command(options: argparse.Namespace) -> int:
    """``check``"""
    _say_if_compiling()
    from sim.batch.check import check, needed_variants
    from sim.batch.engine import local_engine
    from sim.progress import Progress

    scenarios = [_load(file, options) for file in options.files]
    engine = local_engine(options.jobs)
    passed = True
    for scenario in scenarios:
        names = needed_variants(scenario)
        if not names:
            print(f"{scenario.name}: states no expectations")
            continue
        count = options.replications or (scenario.check or scenario).replications
        with Progress(scenario.name, len(names) * count, "runs") as bar:
            result = check(scenario, count, engine, lambda record: bar.advance())
        _print_check(result, getattr(options, "debug", False))
        passed = passed and result.passed
    return FINE if passed else FAILED


def verify_command(options: argparse.Namespace) -> int:
    """``verify``"""
    _say_if_compiling()
    from sim.verification import TOPICS, run_all, write

    for topic in options.topics:
        if topic not in TOPICS:
            raise UsageError(f"there is no topic '{topic}'; choose from {', '.join(TOPICS)}")
    found = []
    for topic, row in run_all(tuple(options.topics), progress=lambda title: print(title, flush=True)):
        found.append((topic, row))
        print(f"  {'holds' if row.verdict else 'FAILS'}  {row.id:<10} {row.statement}: {row.simulated}, "
              f"truth {row.expected} ({row.tolerance})", flush=True)
    good = sum(row.verdict for _, row in found)
    print(f"{good} of {len(found)} truths hold")
    if options.write is not None:
        write(found, options.write)
        print(f"table: {options.write}")
    return FINE if good == len(found) else FAILED


def laboratory_command(options: argparse.Namespace) -> int:
    """``laboratory``"""
    from sim.laboratory_command import laboratory

    return laboratory(options)


def threshold_command(options: argparse.Namespace) -> int:
    """``threshold``"""
    _say_if_compiling()
    from sim.threshold_command import threshold

    return threshold(options)


def batch_command(options: argparse.Namespace) -> int:
    """``batch``"""
    from sim.batch.design import DesignError
    from sim.batch_command import batch

    try:
        return batch(options, _program())
    except DesignError as error:
        raise UsageError(str(error)) from error


def dashboard_command(options: argparse.Namespace) -> int:
    """``dashboard``"""
    if not 0 <= options.port <= 65_535:
        raise UsageError(f"{options.port} is not a port; allowed: 0 to 65535")
    _say_if_compiling()
    from sim.dashboard.server import serve

    serve(options.file, options.port, not options.no_browser)
    return FINE


def schema_command(options: argparse.Namespace) -> int:
    """``schema``"""
    import json

    from sim.scenario.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return FINE


def report_command(options: argparse.Namespace) -> int:
    """``report``"""
    if not options.folder.is_dir():
        raise UsageError(f"{options.folder} is not a folder")
    from sim.analysis_commands import report

    print(report(options.folder))
    return FINE


# Helpers -------------------------------------------------------------------------------------------------------------


def _load(file: str, options: argparse.Namespace) -> Scenario:
    from sim.scenario.library import find_scenario
    from sim.scenario.load import load_scenario
    from sim.scenario.overrides import split_setting

    settings = [split_setting(text) for text in getattr(options, "settings", [])]
    return load_scenario(find_scenario(file), settings, getattr(options, "seed", None))


def _day_plan(scenario: Scenario) -> list[str]:
    """Which mechanism acts when; the mechanisms are made but no world is built."""
    from sim.chain.instant import InstantChain
    from sim.day import DayPlan
    from sim.model import implementation

    mechanisms = {name: implementation(section.implementation)(section) for name, section in scenario.sections.items()}
    mechanisms.setdefault("chain", InstantChain())
    return DayPlan(mechanisms).lines()


def _say_if_compiling() -> None:
    from sim.kernel.cache import is_cold

    if is_cold():
        print("Compiling the kernels, once; this takes up to 20 seconds.", file=sys.stderr, flush=True)


def key_figures(scenario: Scenario, summary: dict[str, float], most: int = 12) -> list[str]:
    """The metrics that the scenario's expectations name, then those that are good or bad, one line each."""
    from sim.scenario.registry import metrics_of

    declared = metrics_of(scenario.sections)
    names = list(dict.fromkeys(wish.metric for wish in scenario.expect))
    names += [name for name in sorted(declared) if declared[name].better != "none" and name not in names]
    rows = [(name, summary[name], declared[name].unit) for name in names if name in summary][:most]
    width = max((len(name) for name, _, _ in rows), default=0)
    return [f"{name:<{width}}  {value:>14,.6g}  {unit if unit != '1' else ''}".rstrip() for name, value, unit in rows]


def _print_check(result: CheckResult, debug: bool) -> None:
    from sim.scenario.errors import clean

    scenario = result.scenario
    met = sum(verdict.met for verdict in result.verdicts)
    print(f"{scenario.name}: {met} of {len(result.verdicts)} expectations met, {result.replications} seeds, "
          f"{len(result.runs)} runs")
    for verdict in result.verdicts:
        print(f"  {verdict.status:<12}  {verdict.variant}: {verdict.expectation.text()}")
        print(f"  {'':<12}  {verdict.sentence}")
        if not verdict.met and verdict.expectation.note:
            print(f"  {'':<12}  note: {clean(verdict.expectation.note, 1000)}")
    for record in result.failed[:5]:
        planned = record.planned
        what = f"{planned.variant}, replication {planned.replication}, at {record.stage}"
        print(f"  run failed    {what}: {record.error}")
        print(f"  {'':<12}  again: {_rerun(scenario, planned.variant, planned.seed)}")
        if debug and record.details:
            print(record.details, file=sys.stderr)
    if len(result.failed) > 5:
        print(f"  run failed    {len(result.failed) - 5} more")


def _rerun(scenario: Scenario, variant: str, seed: int) -> str:
    """The command that repeats one run of a batch."""
    from sim.scenario.dump import flow

    one = scenario.configurations()[variant]
    settings = "".join(f" --set {_quoted(f'{path}={flow(value)}')}" for path, value in one.settings)
    return f"{_program()} run {_quoted(one.file)} --seed {seed}{settings}"


def _program() -> str:
    return "python run_sim.py" if Path(sys.argv[0]).name == "run_sim.py" else "salus"


def _quoted(text: object) -> str:
    import shlex

    return shlex.quote(str(text))
