"""The command line: exit codes, sentences, what is imported, what is written."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import sim
from sim import cli

TOY = """\
name: toy
question: Does it run?
horizon_days: 5
population: {patients: 50}
economy:
expect:
  - {metric: economy.unpaid_wages, op: "<=", value: 0}
variants:
  taxed: {set: {economy.tax_rate: 0.5}, expect: [{metric: economy.unpaid_wages, op: ">", value: 0, against: main}]}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small scenario; the current folder is a fresh one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(TOY, encoding="utf-8")
    return "toy.yaml"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A stand-in for the model; gives the keyword arguments of each run."""
    runs: list[dict[str, Any]] = []

    def run(scenario: Any, **options: Any) -> SimpleNamespace:
        runs.append({"scenario": scenario, **options})
        if options["out"] is not None:
            folder = Path(options["out"])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "manifest.json").write_text('{"format_name": "salus-run"}', encoding="utf-8")
        return SimpleNamespace(summary={"economy.unpaid_wages": float(scenario.variant == "taxed")})

    module = ModuleType("sim.model")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sim.model", module)
    return runs


def fresh(repository: Path, code: str) -> list[str]:
    """Lines that a fresh interpreter prints on running ``code``."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(repository)})
    return done.stdout.splitlines()


HEAVY = ("numpy", "mesa", "numba", "pandas", "scipy", "matplotlib", "pyarrow", "rich")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["list"], ["validate", "toy.yaml"],
                                       ["explain", "economy.tax_rate"], ["schema"], ["validate", "missing.yaml"]])
def test_light_commands_import_nothing_heavy(file: str, repository: Path, arguments: list[str]) -> None:
    code = (f"import sys; from sim.cli import main; main({arguments!r});"
            f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])")
    assert fresh(repository, code)[-1] == "HEAVY []"


@pytest.mark.parametrize("arguments", [["--help"], ["list"]])
def test_help_and_list_build_no_schema(file: str, repository: Path, arguments: list[str]) -> None:
    code = f"import sys; from sim.cli import main; main({arguments!r}); print('pydantic' in sys.modules)"
    assert fresh(repository, code)[-1] == "False"


def test_every_command_has_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    choices = next(action.choices for action in cli.grammar()._actions
                   if isinstance(action, argparse._SubParsersAction))
    assert set(choices) == {"list", "validate", "explain", "run", "check", "batch", "threshold", "verify",
                            "laboratory", "schema", "report", "compare", "sensitivity", "dashboard"}
    assert all(f"    {name} " in text for name in choices)


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"salus {sim.__version__}\n"


@pytest.mark.parametrize("arguments", [
    [], ["fly"], ["run"], ["run", "toy.yaml", "--seed", "x"], ["check", "toy.yaml", "-n", "0"],
    ["run", "toy.yaml", "--check-invariants", "often"], ["val", "toy.yaml"]])
def test_a_wrong_command_line_is_bad_input(file: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "words"), [
    (["validate", "tyo.yaml"], "tyo.yaml: there is no such file; did you mean 'toy.yaml'?"),
    (["validate", "."], ".: this is a folder, not a scenario file"),
    (["run", "toy.yaml", "--set", "economy.tax_rat=1"], "unknown key 'tax_rat'; did you mean 'tax_rate'?"),
    (["run", "toy.yaml", "--set", "economy.tax_rate"], "write it as path=value"),
    (["run", "toy.yaml", "--seed", "-4"], "--seed: -4 is not a seed"),
    (["explain", "economy.tax_rat"], "error: nothing is called 'economy.tax_rat'; did you mean 'economy.tax_rate'?"),
    (["list", "nowhere"], "error: nowhere is not a folder"),
    (["report", "nowhere"], "error: nowhere is not a folder"),
    (["report", "."], "error: "),
    (["verify", "astrology"], "error: there is no topic 'astrology'"),
])
def test_bad_input_is_a_sentence_and_no_traceback(
    file: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert len(captured.err.splitlines()) == 1
    assert [path.name for path in Path().iterdir()] == ["toy.yaml"]


def test_debug_shows_where(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "tyo.yaml"]) == 2
    assert cli.main(["--debug", "explain", "nothing.at.all"]) == 2
    assert cli.main(["explain", "nothing.at.all", "--debug"]) == 2
    assert capsys.readouterr().err.count("Traceback") == 2


def test_validate_says_what_a_file_holds_and_warns_of_too_few_runs(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["validate", file]) == 0
    assert capsys.readouterr().out == "toy.yaml: fine (2 sections, 0 shocks, 2 expectations, 1 variants)\n"
    assert cli.main(["validate", file, "--set", "replications=1"]) == 0
    assert "cannot be met by 1 runs; it takes 2" in capsys.readouterr().out


def test_validate_goes_on_after_a_bad_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "missing.yaml", file]) == 2
    captured = capsys.readouterr()
    assert "missing.yaml" in captured.err
    assert "toy.yaml: fine" in captured.out


def test_list_shows_name_stage_and_question(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "."]) == 0
    assert capsys.readouterr().out == "toy      3  Does it run?\n"


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "salus scenario"


def test_run_hands_over_what_was_asked(
    file: str, model: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", file, "--seed", "9", "--set", "economy.tax_rate=0.5", "--check-invariants", "every"]
    assert cli.main(arguments) == 0
    (run,) = model
    assert (run["seed"], run["out"], run["check_invariants"]) == (9, Path("runs/toy-seed9"), "every")
    assert run["scenario"].section("economy").tax_rate == 0.5
    assert run["scenario"].variants == {}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["economy.unpaid_wages", "0", "USD"]
    assert lines[1] == "results: runs/toy-seed9"
    assert lines[2].endswith(" report runs/toy-seed9")


def test_a_run_replaces_its_own_folder_and_no_other(
    file: str, model: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", file, "--out", "out"]) == 0
    assert cli.main(["run", file, "--out", "out"]) == 0
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("ten years", encoding="utf-8")
    assert cli.main(["run", file, "--out", "mine"]) == 2
    assert cli.main(["run", file, "--out", "toy.yaml"]) == 2
    assert Path("mine/thesis.tex").read_text(encoding="utf-8") == "ten years"
    assert len(model) == 2
    assert capsys.readouterr().err.count("choose another --out") == 2


@pytest.mark.parametrize(("error", "code", "words"), [
    (KeyboardInterrupt(), 130, "Interrupted"),
    (RuntimeError("the pool\nis empty"), 1, "error: RuntimeError: the pool is empty (--debug shows where)"),
    (PermissionError(13, "Permission denied", "/no"), 2, "error: /no: Permission denied"),
    (AssertionError(), 1, "error: AssertionError: AssertionError"),
])
def test_what_goes_wrong_in_a_run_is_a_sentence(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int,
    words: str,
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise error

    module = ModuleType("sim.model")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sim.model", module)
    assert cli.main(["run", file]) == code
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_check_judges_each_expectation(
    file: str, model: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", file, "-n", "3", "-j", "1", "--seed", "5"]) == 0
    out = capsys.readouterr().out
    assert "toy: 2 of 2 expectations met, 3 seeds, 6 runs" in out
    assert "taxed: economy.unpaid_wages - economy.unpaid_wages of main > 0 on average" in out
    assert [run["scenario"].variant for run in model] == ["main", "taxed"] * 3
    assert all(run["out"] is None for run in model)


def test_an_expectation_that_is_not_met_is_exit_code_1(
    file: str, model: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_text(TOY.replace("value: 0}", "value: -1, note: a known gap}"), encoding="utf-8")
    assert cli.main(["check", file, "-n", "3", "-j", "1"]) == 1
    out = capsys.readouterr().out
    assert "not met       main: economy.unpaid_wages <= -1 on average" in out
    assert "mean 0 over 3 runs, 95 % interval 0 to 0" in out
    assert "note: a known gap" in out


def test_a_failed_run_says_how_to_repeat_it(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(scenario: Any, **_: Any) -> SimpleNamespace:
        if scenario.variant == "taxed":
            raise OverflowError("too rich")
        return SimpleNamespace(summary={"economy.unpaid_wages": 0.0})

    module = ModuleType("sim.model")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sim.model", module)
    assert cli.main(["check", file, "-n", "1", "-j", "1", "--set", "economy.tax_rate=0.1"]) == 1
    out = capsys.readouterr().out
    assert "run failed    taxed, replication 0, at set-up: OverflowError: too rich" in out
    again = next(line for line in out.splitlines() if "again:" in line)
    assert "run toy.yaml --seed " in again
    assert again.endswith("--set economy.tax_rate=0.1 --set economy.tax_rate=0.5")


def test_a_scenario_without_expectations_has_nothing_to_check(
    file: str, model: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_text("population:\n", encoding="utf-8")
    assert cli.main(["check", file]) == 0
    assert capsys.readouterr().out == "toy: states no expectations\n"
    assert model == []


def test_the_script_runs_from_anywhere(repository: Path, tmp_path: Path) -> None:
    script = str(repository / "run_sim.py")
    done = subprocess.run([sys.executable, script, "explain", "horizon_days"], cwd=tmp_path, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0
    assert "Length of the run." in done.stdout
    broken = subprocess.run([sys.executable, script, "validate", "no.yaml"], cwd=tmp_path, capture_output=True,
                            text=True, check=False)
    assert (broken.returncode, broken.stdout) == (2, "")


def test_a_closed_pipe_is_no_error(repository: Path) -> None:
    command = f"{sys.executable} {repository / 'run_sim.py'} schema | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_an_asset_that_nobody_issues_is_bad_input(repository: Path, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lend.yaml"
    file.write_text("name: lend\nstage: 3\nhorizon_days: 5\npopulation: {patients: 50}\neconomy: {}\nmorbidity: {}\n"
                    "providers: {}\nreference_price: {}\nhealth_token: {}\namm: {}\n"
                    "lending: {markets: [{asset: USDs}, {asset: HTL}]}\n", encoding="utf-8")
    assert cli.main(["run", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "error: no asset 'HTL'; there are USDs, HLT" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
