"""From a plan to a treaty: what it means in money for one cedant, what it costs, who takes which part of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sim.agents.reinsurance_pricing import Belief, Outlook, outlook
from sim.contracts.insurance.treaties import SHARE, UNLIMITED, Basis, Layer, share_lines
from sim.contracts.reinsurance.parties import Party
from sim.contracts.reinsurance.treaty import Placement, Terms
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.reinsurance import ScheduledTreaty, TreatyPlan

Quote = Callable[[Party, Outlook, bool], float]
"""Premium in dollars that a seller asks for the whole of an outlook; whether it has a limit."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A treaty as it is offered for signature. ``price`` a year less commission, ``expected`` cession and ``limit``
    (that of the layers which have one), dollars."""

    terms: Terms
    sellers: list[list[Placement]]
    price: float
    expected: float
    limit: float


def basis_of(plan: TreatyPlan) -> Basis:
    """What one loss is under the plan."""
    return plan.basis if plan.form == "excess_of_loss" else "year"


def layers_of(plan: TreatyPlan, premium: float, expected: float) -> tuple[Layer, ...]:
    """The plan's layers in base units for a cedant of this annual premium and these expected claims, dollars."""
    if plan.form == "quota_share":
        return (Layer(0, UNLIMITED, round(plan.quota * SHARE), -1),)
    unit = {"USD": 1.0, "premium": premium, "expected_claims": expected}[plan.unit] * MICRO
    return tuple(
        Layer(round(layer.retention * unit), round(layer.limit * unit) if layer.limit else UNLIMITED,
              round(layer.share * SHARE), 0 if plan.form == "stop_loss" else layer.reinstatements,
              round(layer.reinstatement_rate * SHARE))
        for layer in plan.layers)


def shared_equally(sellers: Sequence[Party], share: int) -> list[tuple[Party, int]]:
    """``share`` millionths in equal parts over sellers."""
    parts = share_lines(share, [1] * len(sellers))
    return [(seller, part) for seller, part in zip(sellers, parts, strict=True) if part]


def subscribed(
    asked: Sequence[tuple[float, float, Party]], exposure: float, largest: float
) -> list[tuple[Party, int]]:
    """Lines of a layer whose whole may cost ``exposure`` dollars: of (price, room, seller), cheapest first and then
    those with most room, each takes what it has room for, at most ``largest`` of the layer, until it is full."""
    lines, left = [], SHARE
    for _, free, seller in sorted(asked, key=lambda one: (one[0], -one[1], one[2].name)):
        part = min(left, round(largest * SHARE), math.floor(SHARE * free / exposure) if exposure > 0.0 else SHARE)
        if part > 0:
            lines.append((seller, part))
            left -= part
    return lines


def draw_up(
    name: str, plan: TreatyPlan, day: int, days: int, lag_days: int, premium: float, belief: Belief,
    layers: Sequence[Layer], lines: Sequence[Sequence[tuple[Party, int]]], quote: Quote,
) -> Slip:
    """Price a treaty whose layers are placed with ``lines``, rows of (seller, share in millionths)."""
    basis = basis_of(plan)
    placed, rows = [], []
    price = expected = limit = 0.0
    commission = 0
    for number, (layer, row) in enumerate(zip(layers, lines, strict=True)):
        whole = outlook(replace(layer, share=SHARE), basis, plan.event_days, belief)
        limited = not math.isinf(whole.limit)
        share = sum(part for _, part in row)
        asked = [(seller, part, quote(seller, whole, limited) * part / SHARE) for seller, part in row]
        cost = sum(one for _, _, one in asked)
        if plan.form == "quota_share":
            ceded = premium * share / SHARE
            rate = plan.commission if plan.commission >= 0.0 else min(max(1.0 - cost / max(ceded, 1e-9), 0.0), 0.9)
            commission = round(rate * SHARE)
            cost = ceded * (1.0 - rate)
        else:
            stated = plan.layers[number].rate_on_line
            if stated >= 0.0 and layer.limit < UNLIMITED:
                cost = stated * layer.limit / MICRO * share / SHARE
            cost *= days / 365
        weights = [max(round(one * MICRO), 1) for _, _, one in asked]
        most = whole.limit if limited else whole.quantile
        rows.append([Placement(seller, part, weight, round(most * MICRO * part / SHARE))
                     for (seller, part, _), weight in zip(asked, weights, strict=True)])
        placed.append(replace(layer, share=share, premium=0 if plan.form == "quota_share" else round(cost * MICRO)))
        price += cost
        expected += whole.mean * share / SHARE * days / 365
        limit += whole.limit * share / SHARE if limited else 0.0
    losses = round(belief.expected * MICRO)
    terms = Terms(name, plan.form, basis, tuple(placed), day, days, lag_days, plan.event_days,
                  plan.covers_inward and basis != "risk", commission,
                  expected / belief.expected if belief.expected > 0.0 else 0.0, losses)
    return Slip(terms, rows, price, expected, limit)


def named_sellers(
    plan: ScheduledTreaty, buyer: Party, pools: Sequence[Party], others: Sequence[Party]
) -> list[Party]:
    """Who takes a scheduled treaty of ``buyer``."""
    if plan.ring:
        names = [party.name for party in pools]
        place = names.index(buyer.name)
        return [pools[(place + step + 1) % len(pools)] for step in range(min(plan.ring, len(pools) - 1))]
    every = {party.name: party for party in (*pools, *others)}
    wanted = [every[name] for name in plan.sellers] if plan.sellers else list(others)
    return [party for party in wanted if party is not buyer]
