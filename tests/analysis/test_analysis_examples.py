"""Every example in analysis/ runs, on a small run folder made by hand, and every public function has one."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import load_run
from analysis.page import Chapter
from analysis.plots.style import house_style, new_axes

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in (ROOT / "analysis").rglob("*.py") if path.name != "__init__.py")


WITHOUT = {
    "load_batch", "is_batch", "read_json", "groups", "key_names", "figures_table", "verdicts_html", "against_main",
    "render_batch", "write_batch_report", "resolved", "differs", "side", "compare_sides", "write_comparison",
    "is_comparison", "load_comparison", "headline", "render_comparison", "times", "write_comparison_report",
    "market_settings", "same", "shown", "document", "section", "write_page", "settings_html", "render", "write_report",
    "points", "indices_html", "sensitivity_chapter", "write_sensitivity_report"}
"""Loaders and writers of batches, comparisons and whole pages: tests of their own call them."""


def module_of(file: Path) -> ModuleType:
    """The module that ``file`` is."""
    return importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual run folder."""
    make = importlib.import_module("tests.analysis.conftest").make_folder
    made: Path = make(tmp_path_factory.mktemp("examples") / "run")
    write_laboratory(made.parent / "laboratory")
    return made


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


def names(module: ModuleType, folder: Path) -> dict[str, Any]:
    """What an example may use beside its module's own names: numpy, pandas, a run, axes, a chapter, other modules."""
    from analysis import concentration, hardship, market_making, network, survival, tail

    shared: dict[str, Any] = {"np": np, "pd": pd, "tail": tail, "net": network}
    for other in (concentration, hardship, market_making, survival):
        shared |= {name: value for name, value in vars(other).items() if not name.startswith("_")}
    return shared | vars(module) | {
        "run": load_run(folder), "run_folder": folder, "laboratory": folder.parent / "laboratory",
        "axes": new_axes()[1], "chapter": Chapter("Example", "e")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_run(file: Path, folder: Path) -> None:
    module = module_of(file)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report: list[str] = []
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        example.globs = names(module, folder)
        with house_style():
            runner.run(example, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def public_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Functions of a module that others may call."""
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_public_function_has_an_example(file: Path) -> None:
    bare = [node.name for node in public_functions(ast.parse(file.read_text(encoding="utf-8")))
            if node.name not in WITHOUT and ">>>" not in (ast.get_docstring(node) or "")]
    assert bare == []
