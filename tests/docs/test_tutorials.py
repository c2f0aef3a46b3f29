"""The tutorials: what is stored is whole, and what is written runs. `make tutorials` executes and stores them anew."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

nbformat = pytest.importorskip("nbformat", reason="the extra 'test' is not installed")
pytest.importorskip("nbclient", reason="the extra 'test' is not installed")

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
FILES = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """docs/tutorials/execute.py"""
    spec = importlib.util.spec_from_file_location("execute_tutorials", FOLDER / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_three() -> None:
    assert [file.stem for file in FILES] == ["1_first_run", "2_batch_and_comparison", "3_writing_a_mechanism"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_stored_was_executed_here_and_names_no_machine(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [one for cell in cells for one in cell.outputs]
    assert not [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"]
    assert sum("image/png" in one.get("data", {}) for one in outputs) >= 1
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users|builds?)/", text)
    assert len(text) < 400_000


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_cells_are_python_and_its_scenarios_fine(file: Path, tmp_path: Path) -> None:
    from sim.scenario.load import load_scenario

    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        first, _, rest = cell.source.partition("\n")
        if first.startswith("%%writefile"):
            target = tmp_path / first.split()[1]
            target.write_text(rest, encoding="utf-8")
            if target.suffix == ".yaml" and "\nrelief:" not in rest:  # that section is a plug-in of the tutorial
                load_scenario(target)
            source = rest if target.suffix == ".py" else ""
        else:
            lines = cell.source.replace("\\\n", " ").splitlines()
            source = "\n".join(line for line in lines if not line.startswith(("!", "%")))
        ast.parse(source)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_runs(file: Path, tool: ModuleType, tmp_path: Path) -> None:
    fresh = tool.executed(file, tmp_path / "place")
    assert all(cell.execution_count for cell in fresh.cells if cell.cell_type == "code")
    for old, new in zip(nbformat.read(file, as_version=4).cells, fresh.cells, strict=True):
        kinds = [[one.output_type for one in cell.get("outputs", [])] for cell in (old, new)]
        assert kinds[0] == kinds[1], old.source
