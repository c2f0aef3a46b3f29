"""The model held against what is known: closed forms, published figures, protocols' own test vectors.

Each module of this package has ``rows()``, which simulates with the code that the market uses and returns
:class:`sim.verification.rows.Row`. ``run_sim.py verify`` prints them and writes ``docs/VALIDATION.md``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sim.verification.rows import Row

TOPICS = {
    "health": "Health spending",
    "insurance": "Ruin and solvency of pools",
    "capital": "Aggregate losses and capital models",
    "reinsurance": "Reinsurance",
    "contagion": "Contagion between institutions",
    "selection": "Adverse selection between plans",
    "amm": "Automated market makers",
    "synthetics": "Synthetics and stablecoins",
    "oracles": "Oracles and committees",
    "credit": "Lending and flash loans",
    "governance": "Governance",
    "epidemics": "Epidemics",
    "derivatives": "Health derivatives",
}


def topics(only: tuple[str, ...] = ()) -> list[str]:
    """Names of the topics, or those of ``only``; KeyError for an unknown one."""
    for name in only:
        if name not in TOPICS:
            raise KeyError(name)
    return [name for name in TOPICS if not only or name in only]


def run_all(only: tuple[str, ...] = (), progress: Callable[[str], None] | None = None) -> Iterator[tuple[str, Row]]:
    """(topic, row) of every truth, topic by topic."""
    for name in topics(only):
        if progress is not None:
            progress(TOPICS[name])
        for row in importlib.import_module(f"sim.verification.{name}").rows():
            yield name, row


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def page(found: list[tuple[str, Row]]) -> str:
    """``docs/VALIDATION.md``: a table by topic, with the count of what holds."""
    good = sum(row.verdict for _, row in found)
    lines = ["<!-- Written by `run_sim.py verify --write docs/VALIDATION.md`; never typed. -->", "# Validation", "",
             f"{good} of {len(found)} truths hold. Each is simulated by the code that the market uses; the source says "
             "where the truth comes from, the tolerance why it is wide or narrow."]
    for name, title in TOPICS.items():
        rows = [row for topic, row in found if topic == name]
        if not rows:
            continue
        lines += ["", f"## {title}", "", "| id | statement | truth | simulated | tolerance | verdict | source |",
                  "|---|---|---|---|---|---|---|"]
        lines += [f"| {row.id} | {_cell(row.statement)} | {_cell(row.expected)} | {_cell(row.simulated)} | "
                  f"{_cell(row.tolerance)} | {'holds' if row.verdict else '**fails**'} | {_cell(row.source)} |"
                  for row in rows]
    return "\n".join(lines) + "\n"


def write(found: list[tuple[str, Row]], path: Path) -> None:
    """Write the page to ``path``."""
    path.write_text(page(found), encoding="utf-8")
