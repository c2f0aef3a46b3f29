"""Executes the tutorials and stores their outputs: ``python docs/tutorials/execute.py [NOTEBOOK ...]``.

Each runs in an empty folder of its own, with the command ``salus`` of this interpreter; nothing of the machine is
stored. Needs nbclient, nbformat and ipykernel (the extra ``test``).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

PROGRAM = """import sys

from sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
"""


def tutorials() -> list[Path]:
    """The notebooks, in order."""
    return sorted(HERE.glob("*.ipynb"))


def executed(file: Path, place: Path) -> nbformat.NotebookNode:
    """The notebook ``file`` with fresh outputs, executed in ``place``; CellExecutionError where a cell fails."""
    notebook = nbformat.read(file, as_version=4)
    programs = place / ".programs"
    programs.mkdir(parents=True)
    (programs / "salus").write_text(f"#!{sys.executable}\n{PROGRAM}", encoding="utf-8")
    (programs / "salus").chmod(0o755)
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": path,
                   "MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONWARNINGS": "ignore"}
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(place)}})
    client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = whole([one for one in cell.outputs if one.get("name") != "stderr"])
    notebook.metadata = nbformat.from_dict({"kernelspec": {"display_name": "Python 3", "language": "python",
                                                           "name": "python3"}})
    return notebook


def whole(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """``outputs`` with neighbouring pieces of a stream, which come as the system cuts them, put together."""
    found: list[nbformat.NotebookNode] = []
    for one in outputs:
        if found and one.output_type == found[-1].output_type == "stream" and one.name == found[-1].name:
            found[-1].text += one.text
        else:
            found.append(one)
    return found


def main(files: list[Path]) -> None:
    """Execute ``files`` and write them."""
    for file in files:
        with tempfile.TemporaryDirectory() as place:
            nbformat.write(executed(file, Path(place) / "tutorial"), file)
        print(file)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or tutorials())
