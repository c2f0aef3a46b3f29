"""Batch folders: reading them, sensitivity held against functions with known indices, and the page of a batch."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from SALib.sample import morris, sobol
from SALib.test_functions import Ishigami

from analysis.batch import load_batch
from analysis.batch_report import write_batch_report
from analysis.glossary import Glossary
from analysis.load import FolderError
from analysis.sensitivity import sensitivity, told
from sim.analysis_commands import glossary
from sim.cli import main


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("batch_folders", Path(__file__).with_name("batch_folders.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


write_batch = _writer().write_batch
NAMES = ["economy.tax_rate", "insurance.mcr_gate", "population.patients"]
PROBLEM = {"num_vars": 3, "names": NAMES, "bounds": [[-np.pi, np.pi]] * 3}


def ishigami(_variant: str, values: dict[str, float], _world: object) -> dict[str, float]:
    """The usual test function, as a metric."""
    return {"insurance.paid_claims": float(Ishigami.evaluate(np.array([[values[name] for name in NAMES]]))[0])}


def sampled(folder: Path, design: str, X: np.ndarray, **more: Any) -> Path:
    """A batch of one run at each row of ``X``."""
    return write_batch(folder, variants=("main",), replications=1, metrics=more.pop("metrics", ishigami), design=design,
                       points=[dict(zip(NAMES, map(float, row), strict=True)) for row in X], **more)


@pytest.mark.parametrize("second", [True, False])
def test_sobol_indices_are_those_of_the_function(second: bool, tmp_path: Path) -> None:
    X = sobol.sample(PROBLEM, 256, calc_second_order=second, seed=1)
    found = sensitivity(load_batch(sampled(tmp_path / "b", "sobol", X)), "insurance.paid_claims")
    first, total = found.table["first"], found.table["total"]
    assert [first[name] for name in NAMES] == pytest.approx([0.314, 0.442, 0.0], abs=0.1)
    assert [total[name] for name in NAMES] == pytest.approx([0.558, 0.442, 0.244], abs=0.1)
    assert found.used == found.planned == 256
    assert (found.table["total_low"] < total).all()
    assert "economy.tax_rate accounts for most" in told(found)


def test_morris_screens_and_leaves_out_broken_trajectories(tmp_path: Path) -> None:
    unit = {**PROBLEM, "bounds": [[0.0, 1.0]] * 3}

    def plain(_variant: str, values: dict[str, float], _world: object) -> dict[str, float]:
        a, b, _ = (values[name] for name in NAMES)
        return {"insurance.paid_claims": 4 * a - 2 * b}

    X = morris.sample(unit, 10, num_levels=4, seed=1)
    found = sensitivity(load_batch(sampled(tmp_path / "b", "morris", X, metrics=plain, failing=(0,))),
                        "insurance.paid_claims")
    assert found.table["mu_star"].to_dict() == pytest.approx(dict(zip(NAMES, (4.0, 2.0, 0.0), strict=True)))
    assert found.table.loc["insurance.mcr_gate", "mu"] == pytest.approx(-2.0)
    assert found.table["sigma"].max() == pytest.approx(0.0, abs=1e-9)
    assert (found.used, found.planned) == (9, 10)
    assert told(found) == "economy.tax_rate moves insurance.paid_claims most."


def test_sensitivity_refuses_what_was_not_sampled_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_batch(tmp_path / "b", replications=2)
    with pytest.raises(FolderError, match="sampled as 'replications'"):
        sensitivity(load_batch(folder), "insurance.paid_claims")
    assert main(["sensitivity", str(folder)]) == 2
    assert "morris" in capsys.readouterr().err


def test_the_command_tells_indices_and_writes_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sampled(tmp_path / "b", "sobol", sobol.sample(PROBLEM, 16, calc_second_order=False, seed=1))
    assert main(["sensitivity", str(folder), "--metric", "insurance.paid_claims"]) == 0
    assert "16 of 16 blocks" in capsys.readouterr().out
    page = (folder / "sensitivity.html").read_text(encoding="utf-8")
    assert "What moves insurance.paid_claims" in page
    assert main(["report", str(folder)]) == 0
    assert "What moves insurance.paid_claims" in (folder / "report.html").read_text(encoding="utf-8")


def test_daily_series_are_read_run_by_run(tmp_path: Path) -> None:
    batch = load_batch(write_batch(tmp_path / "b", replications=3))
    assert batch.series == ["claims.paid_amount", "insurance.total_capital"]
    days = batch.daily("claims.paid_amount", [0, 3])
    assert days.shape == (40, 2)
    assert batch.daily("nothing", [0]).empty


def test_the_page_of_a_batch(tmp_path: Path) -> None:
    folder = write_batch(tmp_path / "b", failing=(4,))
    wishes = [{"variant": "dear", "metric": "insurance.paid_claims", "statement": "claims > <1>", "status": "not met",
               "sentence": "mean 1", "source": "a book", "note": ""}]
    page = write_batch_report(folder, Glossary(defaults={"population.patients": 1000}), wishes).read_text("utf-8")
    assert "1 not met" in page
    assert "claims &gt; &lt;1&gt;" in page
    assert "n = 19" in page
    assert "population.patients" in page
    assert "1 of 60 runs failed" in page
    assert "it broke &lt;b&gt;" in page
    assert "python run_sim.py batch scenarios/made.yaml -n 20 --seed 1" in page
    for figure in ("insurance.paid_claims", "insurance.any_default"):
        assert f'aria-label="{figure}"' in page
    again = write_batch_report(folder, Glossary(defaults={"population.patients": 1000}), wishes)
    assert again.read_text("utf-8") == page


def test_a_swept_parameter_is_drawn_against(tmp_path: Path) -> None:
    def answer(_variant: str, values: dict[str, float], world: np.random.Generator) -> dict[str, float]:
        return {"insurance.paid_claims": values["economy.tax_rate"] + world.normal()}

    folder = write_batch(tmp_path / "b", variants=("main",), replications=4, metrics=answer, design="grid",
                         points=[{"economy.tax_rate": value} for value in (0.1, 0.2, 0.3)])
    page = write_batch_report(folder).read_text("utf-8")
    assert "by economy.tax_rate" in page
    assert "3 values from 0.1 to 0.3" in page


@pytest.mark.parametrize(("break_it", "message"), [
    (lambda folder: (folder / "plan.json").unlink(), "not a batch folder"),
    (lambda folder: (folder / "plan.json").write_text("{"), "not valid JSON"),
    (lambda folder: (folder / "plan.json").write_text(json.dumps({"format": 99})), "layout 99"),
    (lambda folder: (folder / "runs.parquet").unlink(), "no finished runs"),
    (lambda folder: (folder / "runs.parquet").write_text("x"), "damaged"),
])
def test_what_is_wrong_with_a_folder_is_said_in_a_sentence(break_it: Any, message: str, tmp_path: Path) -> None:
    folder = write_batch(tmp_path / "b", replications=2)
    break_it(folder)
    with pytest.raises(FolderError, match=message):
        write_batch_report(folder)


def test_defaults_are_plain_data_that_a_page_can_show() -> None:
    known = glossary()
    assert json.loads(json.dumps(dict(known.defaults)))["insurance.plan.deductible"] == 250
    assert known.unit("insurance.premium_earned") == "USD"
