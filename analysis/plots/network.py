"""The network of claims: institutions sized by equity on a circle, claims as arrows from debtor to creditor."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from analysis.plots.style import BLUE, GREY, ORANGE, RED, head, short

MARGINS = (0.2, 0.2, 0.2, 0.34)
"""Inches left, right, below and above axes without ticks."""

MOST_EDGES = 300
"""Claims that are drawn, the largest first."""

MOST_LEVEL = 20
"""Institutions whose names are written level."""


def network(axes: Axes, nodes: pd.DataFrame, edges: pd.DataFrame) -> Axes:
    """Institutions on a circle: area by equity, blue those that owe nothing, orange those that owe, red rings where
    equity is not positive or not known; arrows run from debtor to creditor, as wide as the claim. ``nodes`` and
    ``edges`` are tables of :mod:`analysis.network` (USD). Use :data:`MARGINS` and a square figure.

    >>> network(axes, net.nodes(run), net.edges(run)).get_title(loc="left")
    'Claims between 3 institutions, day 199'
    """
    order = nodes.sort_values("owes", ascending=False, kind="stable").index
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(order)) / max(len(order), 1)
    places = {name: (float(np.cos(angle)), float(np.sin(angle))) for name, angle in zip(order, angles, strict=True)}
    known = float(nodes["equity"].fillna(0.0).clip(lower=0.0).max())
    most_equity = known or 1.0
    area = {name: 40 + 600 * max(float(nodes["equity"].fillna(0.0)[name]), 0.0) / most_equity for name in order}
    largest = float(edges["amount"].max()) if len(edges) else 1.0
    for debtor, creditor, amount in edges[["debtor", "creditor", "amount"]].head(MOST_EDGES).itertuples(index=False):
        share = amount / largest
        radii = [np.sqrt(area[name] / np.pi) + 2 for name in (debtor, creditor)]
        axes.add_patch(FancyArrowPatch(places[debtor], places[creditor], arrowstyle="-|>", mutation_scale=7,
                                       connectionstyle="arc3,rad=0.12", color=GREY, alpha=0.25 + 0.6 * share,
                                       linewidth=0.5 + 3.0 * share, shrinkA=radii[0], shrinkB=radii[1], zorder=1))
    for name, angle in zip(order, angles, strict=True):
        x, y = places[name]
        sound = float(nodes["equity"].fillna(0.0)[name]) > 0.0
        axes.scatter([x], [y], s=area[name], color=ORANGE if nodes["owes"][name] > 0 else BLUE, zorder=2,
                     edgecolors="white" if sound else RED, linewidths=0.8 if sound else 2.0)
        away = 1.0 + (np.sqrt(area[name] / np.pi) + 6) / 110
        right = np.cos(angle) > 0.0
        if len(order) > MOST_LEVEL:  # along the radius, or neighbours at the top and the bottom overlap
            axes.text(x * away, y * away, str(name)[:14], fontsize=6, va="center", ha="left" if right else "right",
                      rotation=np.degrees(angle) + (0.0 if right else 180.0), rotation_mode="anchor")
        else:
            axes.text(x * away, y * away, str(name)[:14], fontsize=7, va="center",
                      ha="center" if abs(np.cos(angle)) <= 0.2 else "left" if right else "right")
    axes.set_xlim(-1.6, 1.6)
    axes.set_ylim(-1.35, 1.35)
    if len(order) > MOST_LEVEL:
        axes.set_xlim(-1.9, 1.9)
        axes.set_ylim(-1.7, 1.7)
    axes.set_aspect("equal")
    axes.axis("off")
    marks = [Line2D([], [], linestyle="", marker="o", color=colour, markeredgecolor=edge, markeredgewidth=1.5,
                    markersize=7) for colour, edge in ((ORANGE, ORANGE), (BLUE, BLUE), ("white", RED))]
    left_out = f" (largest {MOST_EDGES} of {len(edges)})" if len(edges) > MOST_EDGES else ""
    sizes = f"area: equity, largest {short(most_equity)} USD\n" if known else ""
    axes.text(0.0, 0.0, f"{sizes}width: claim, largest {short(largest)} USD"
              + left_out, transform=axes.transAxes, fontsize=7, color="#444444", va="bottom")
    day = edges.attrs.get("day")
    return head(axes, f"Claims between {len(order)} institutions" + (f", day {day}" if day is not None else ""), marks,
                ["owes", "is owed only", "no equity, or unknown"])
