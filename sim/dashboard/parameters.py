"""The main parameters of a scenario as fields of a form: meaning, unit, range and value, read off the schema."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sim.scenario.dump import flow
from sim.scenario.fields import document, spot
from sim.scenario.head import Head
from sim.scenario.scenario import Scenario, plain_data

MAIN = (
    "seed", "horizon_days", "population.patients", "patients.inertia", "insurance.pools", "insurance.capital_regime",
    "insurance.mcr_gate", "insurance.withdrawal_cooldown_days", "insurers.margin", "insurers.rate_change_limit",
    "insurers.target_scr_ratio", "liquidity_providers.providers", "liquidity_providers.opening_scr_ratio",
    "liquidity_providers.outside_rate", "liquidity_providers.exit_loss", "liquidity_providers.exit_queue",
    "claims.mode", "claims.committee_size", "claims.appeal_days", "oracles.operators", "oracles.copier_share",
    "chain.preset", "health_token.reserve_ratio", "health_token.redemption_fee",
)
"""What is offered, where the scenario has it; anything else can be set by its path."""

REACH = 4.0
"""A slider reaches this many times the present value, where the schema's range is wider."""


def form(scenario: Scenario) -> list[dict[str, Any]]:
    """One entry for each of :data:`MAIN` that ``scenario`` has.

    Keys: ``path``, ``description``, ``allowed`` (type, range and unit in words), ``evidence``, ``value`` (YAML text),
    ``choices`` and ``slider`` (None, or its low and high end and step).
    """
    found = (_field(scenario, path) for path in MAIN)
    return [entry for entry in found if entry is not None]


def _field(scenario: Scenario, path: str) -> dict[str, Any] | None:
    owner, _, inside = path.partition(".")
    model: type[BaseModel] = Head
    holder: Any = scenario
    if inside:
        holder = scenario.sections.get(owner)
        if holder is None:
            return None
        model = type(holder)
    place = spot(model, (inside or owner).split("."))
    if place is None or place.info is None:
        return None
    about = document(path, place.info)
    value: Any = holder
    for step in (inside or owner).split("."):
        value = getattr(value, step)
    evidence = {"M": "measured", "L": "published", "A": "assumed"}.get(about.grade, about.grade)
    return {"path": path, "description": about.description, "allowed": about.allowed, "value": flow(plain_data(value)),
            "evidence": f"{evidence}: {about.source}" if about.source else evidence,
            "choices": list(about.choices), "slider": None if path == "seed" else _slider(place.info.metadata, value)}


def _slider(metadata: list[Any], value: Any) -> dict[str, float] | None:
    """Ends and step of a slider for ``value``, within the bounds of the schema; None where it is no bounded number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    bounds = {name: bound for part in metadata for name in ("ge", "gt", "le", "lt")
              if (bound := getattr(part, name, None)) is not None}
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if low is None or high is None:
        return None
    if value > 0:
        high = min(high, REACH * value)
    step: float = max(1, round((high - low) / 400)) if isinstance(value, int) else (high - low) / 400
    return {"low": low, "high": high, "step": step}
