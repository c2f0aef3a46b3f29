"""Every example in analysis/ runs, on a small run folder made by hand, and every public function has one."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from SALib.sample import sobol

from analysis import load_run
from analysis.batch import load_batch
from analysis.comparison import compare_sides, load_comparison, side, write_comparison
from analysis.page import Chapter
from analysis.plots.style import house_style, new_axes

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in (ROOT / "analysis").rglob("*.py") if path.name != "__init__.py")


def module_of(file: Path) -> ModuleType:
    """The module that ``file`` is."""
    return importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual run folder."""
    make = importlib.import_module("tests.analysis.conftest").make_folder
    made: Path = make(tmp_path_factory.mktemp("examples") / "run")
    write_laboratory(made.parent / "laboratory")
    batches = importlib.import_module("tests.analysis.batch_folders")
    both = batches.write_batch(made.parent / "batch", variants=("main", "apart"))
    designed = sobol.sample({"num_vars": 2, "names": SWEPT, "bounds": [[0.0, 1.0]] * 2}, 2, calc_second_order=False,
                            seed=1)
    batches.write_batch(made.parent / "sampled", variants=("main",), replications=1, design="sobol", metrics=plane,
                        points=[dict(zip(SWEPT, map(float, row), strict=True)) for row in designed])
    write_comparison(compare_sides(side(both), side(both, "apart")), made.parent / "comparison")
    return made


SWEPT = ("economy.tax_rate", "insurance.mcr_gate")


def plane(_variant: str, values: dict[str, float], _world: object) -> dict[str, float]:
    """A figure that depends on both swept parameters."""
    return {"insurance.paid_claims": values[SWEPT[0]] - values[SWEPT[1]]}


def write_laboratory(place: Path) -> None:
    """A folder of the laboratory with one curve of three points."""
    place.mkdir()
    curve: dict[str, Any] = {"series": "a", "x": [1.0, 2.0, 3.0]}
    for figure, values in (("frequency", [0.1, 0.5, 0.2]), ("extent", [0.9, 0.95, 1.0])):
        curve |= {figure: values, f"{figure}_low": values, f"{figure}_high": values, f"analytic_{figure}": np.nan}
    pd.DataFrame(curve).to_parquet(place / "summary.parquet")
    pd.DataFrame({"series": "a", "x": 2.0, "share": [0.1, 1.0], "at_least": [1.0, 0.5]}).to_parquet(
        place / "sizes.parquet")
    (place / "manifest.json").write_text(json.dumps({
        "format_name": "salus-laboratory", "x": "mean degree", "question": "How often?", "systemic": 0.05,
        "institutions": 1000, "runs": 100, "given_network": False, "source": "made by hand"}))


def names(module: ModuleType, folder: Path, fresh: Path) -> dict[str, Any]:
    """What an example may use beside its module's own names: numpy, pandas, folders and what they hold, axes, a
    chapter, other modules."""
    from analysis import concentration, hardship, market_making, network, survival, tail

    shared: dict[str, Any] = {"np": np, "pd": pd, "tail": tail, "net": network}
    for other in (concentration, hardship, market_making, survival):
        shared |= {name: value for name, value in vars(other).items() if not name.startswith("_")}
    return shared | vars(module) | {
        "run": load_run(folder), "run_folder": folder, "laboratory": folder.parent / "laboratory",
        "batch_folder": folder.parent / "batch", "batch": load_batch(folder.parent / "batch"),
        "sampled": load_batch(folder.parent / "sampled"), "comparison_folder": folder.parent / "comparison",
        "comparison": load_comparison(folder.parent / "comparison"), "fresh": fresh,
        "axes": new_axes()[1], "chapter": Chapter("Example", "e")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_run(file: Path, folder: Path, tmp_path: Path) -> None:
    module = module_of(file)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report: list[str] = []
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        example.globs = names(module, folder, tmp_path)
        with house_style():
            runner.run(example, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def public_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Functions of a module that others may call."""
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_public_function_has_an_example(file: Path) -> None:
    bare = [node.name for node in public_functions(ast.parse(file.read_text(encoding="utf-8")))
            if ">>>" not in (ast.get_docstring(node) or "")]
    assert bare == []


TABLES = re.compile(r"DataFrame|Series\b|ArrayLike|NDArray|Floats")
"""Types of which a docstring must tell the shape, and, as of every float, the unit."""

ELSEWHERE = r":(?:func|attr|mod|meth|data):`|"
"""A table may be told by the function that makes it."""

SHAPE = re.compile(ELSEWHERE + r"\[[\w ,.+=()]+\]|\w\b`* x [\w`\[(]|->|\bcolumns?\b|\brows?\b|\bindex(ed)?\b|"
                   r"\bby day\b|\bdays\b|any shape", re.IGNORECASE)
UNIT = re.compile(ELSEWHERE + r"\bunits?\b|\bUSD\b|\bshares?\b|\bratios?\b|\bdays?\b|\binches\b|percent|probabilit|"
                  r"dollar|%|\bnumber|coefficient|fraction|\b0 to 1\b|between 0 and 1", re.IGNORECASE)
"""Words that tell the shape of a table, and the unit of what is in it."""


def kinds(node: ast.FunctionDef) -> str:
    """The annotations of a function, as text."""
    given = [argument.annotation for argument in (*node.args.args, *node.args.kwonlyargs)]
    return " ".join(ast.unparse(one) for one in (*given, node.returns) if one is not None)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_docstrings_of_tables_and_numbers_tell_shapes_and_units(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = []
    for node in public_functions(tree):
        told = (ast.get_docstring(node) or "").partition(">>>")[0]
        if TABLES.search(kinds(node)) and not SHAPE.search(told):
            silent.append(f"{node.name}: shape")
        if re.search(f"float|{TABLES.pattern}", kinds(node)) and not UNIT.search(told):
            silent.append(f"{node.name}: unit")
    assert silent == []
