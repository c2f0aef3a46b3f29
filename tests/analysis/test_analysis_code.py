"""Analysis says what it does, and asks only for series and figures that a section declares."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sim.scenario.registry import section_types

FILES = sorted((Path(__file__).resolve().parents[2] / "analysis").rglob("*.py"))
PREFIXES = {"claims.unpaid_day90_decile_", "patients.uninsured_decile_", "patients.top"}
SETTINGS = {"insurance.mcr_gate", "insurance.premium_shares.claims", "population.patients",
            "stablecoin.critical_ratio", "stablecoin.minimum_ratio", "synthetics.issuance_ratio",
            "synthetics.liquidation_ratio"}


def names_used(tree: ast.Module) -> set[str]:
    """String constants that look like the name of a series, a metric or a parameter of some section."""
    sections = set(section_types())
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in constants if isinstance(text, str) and re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", text)
            and text.partition(".")[0] in sections}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_function_and_module_has_a_docstring(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    bare = [node.name for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not ast.get_docstring(node)]
    assert bare == []


def test_every_name_that_is_asked_for_is_declared() -> None:
    declared = {name for section in section_types().values()
                for name in [*(series.name for series in section.series), *(metric.name for metric in section.metrics)]}
    events = {"governance.executed"}
    used = {name for file in FILES for name in names_used(ast.parse(file.read_text(encoding="utf-8")))}
    assert "amm.depth" in used
    assert used - declared - PREFIXES - SETTINGS - events == set()
    assert all(any(name.startswith(prefix) for name in declared) for prefix in PREFIXES)
