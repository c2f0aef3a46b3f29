"""What the page shows of a day: pictures with both markets in each, their latest figures, and the events."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.claims import waiting_days
from analysis.plots.lines import lines
from analysis.plots.style import (
    BLUE,
    GREY,
    RED,
    Formatter,
    finish,
    head,
    house_style,
    make_room,
    mark_days,
    new_axes,
    percent,
    short,
)

if TYPE_CHECKING:
    from sim.dashboard.session import Session
    from sim.model import HealthMarket

WIDTH, HEIGHT = 4.4, 2.75
"""Inches: small enough that the labels can be read where a phone shows the picture."""

SHOWN_EVENTS = 12

_drawing = Lock()
"""The house style is laid on matplotlib's global settings while a picture is drawn."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity: its name in the legend and how it is read from a market's record."""

    label: str
    read: Callable[[HealthMarket], pd.Series[float] | None]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of curves over the days."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    formatter: Formatter = short
    most: float | None = None
    """Where the axis ends at the latest."""
    from_zero: bool = True


# Reading ---------------------------------------------------------------------------------------------------------


def series(market: HealthMarket, name: str) -> pd.Series[float] | None:
    """A market series up to today, or None where the market has none."""
    found = market.record.daily.get(name)
    return None if found is None else pd.Series(found[:market.day + 1])


def across_pools(market: HealthMarket, name: str, how: Callable[..., Any]) -> pd.Series[float] | None:
    """An institution series up to today, put together over the institutions by ``how`` (such as ``np.nansum``)."""
    rows = [table[name][:market.day + 1] for table in market.record.institutions.values() if name in table]
    if not rows or not rows[0].size:
        return None
    stacked = np.vstack(rows)
    known = ~np.isnan(stacked).all(axis=0)
    together = np.full(stacked.shape[1], np.nan)
    if known.any():
        together[known] = how(stacked[:, known], axis=0)
    return pd.Series(together)


def window_of(market: HealthMarket) -> int:
    """Days over which daily flows are averaged: a week in a run of up to a year, else a month."""
    return 7 if market.horizon_days <= 366 else 30


def _mean(values: pd.Series[float] | None, market: HealthMarket) -> pd.Series[float] | None:
    return None if values is None else values.rolling(window_of(market), min_periods=1).mean()


def _plain(name: str) -> Callable[[HealthMarket], pd.Series[float] | None]:
    return lambda market: series(market, name)


def _smooth(name: str) -> Callable[[HealthMarket], pd.Series[float] | None]:
    return lambda market: _mean(series(market, name), market)


def _pools(name: str) -> Callable[[HealthMarket], pd.Series[float] | None]:
    return lambda market: _mean(across_pools(market, name, np.nansum), market)


def claim_delay(market: HealthMarket) -> pd.Series[float] | None:
    """Mean days from filing a claim to its decision, from stocks and flows of the last days."""
    waiting, yes, no = (series(market, f"claims.{what}") for what in ("undecided", "approved", "denied"))
    if waiting is None or yes is None or no is None:
        return None
    return waiting_days(waiting, yes + no, min(window_of(market), len(waiting)))


def events_so_far(market: HealthMarket) -> pd.Series[float]:
    """Number of events up to each day."""
    days = np.array([day for day, *_ in market.record.events if day >= 0], dtype=np.int64)
    return pd.Series(np.bincount(days, minlength=market.day + 1).cumsum().astype(np.float64))


PICTURES = (
    Picture("Capital of the pools", "USD", (Curve("own funds", _plain("insurance.total_capital")),
                                            Curve("required", _plain("insurance.total_required")))),
    Picture("MCR % of the weakest pool", "capital / MCR", (
        Curve("lowest", lambda market: across_pools(market, "insurance.mcr_ratio", np.nanmin)),), percent, 10.0),
    Picture("Premiums against claims", "USD a day, {window}-day mean", (
        Curve("earned premium", _pools("insurance.earned_premium")),
        Curve("incurred claims", _pools("insurance.incurred")))),
    Picture("Claim delay", "days, {window}-day mean", (Curve("filing to decision", claim_delay),)),
    Picture("Price of the health token", "USD", (
        Curve("market price", _plain("amm.price")), Curve("fundamental", _plain("health_token.fundamental"))),
            from_zero=False),
    Picture("Depth of the token's market", "USD that lift the price by 2 %", (Curve("depth", _plain("amm.depth")),)),
    Picture("Liquidity provider flows", "USD a day, {window}-day mean", (
        Curve("deposits", _smooth("liquidity_providers.deposits")),
        Curve("withdrawals", _smooth("liquidity_providers.withdrawals")))),
    Picture("Uninsured", "share of all patients", (Curve("uninsured", _plain("patients.uninsured")),), percent),
    Picture("Events so far", "events", (Curve("events", events_so_far),)),
)


# Drawing ---------------------------------------------------------------------------------------------------------


def draw(axes: Axes, picture: Picture, yours: HealthMarket, other: HealthMarket | None, label: str) -> bool:
    """Draw ``picture``: the changed market solid, the other dashed in the same colours. False where the market has
    no such series."""
    colours: list[str] = []
    columns: dict[str, pd.Series[float]] = {}
    handles: list[Line2D] = []
    for market, style in ((other, "--"), (yours, "-")):
        for colour, curve in zip((BLUE, RED), picture.curves, strict=False):
            values = None if market is None else curve.read(market)
            if values is not None and values.notna().any():
                columns[f"{curve.label}{style}"] = values
                colours.append(colour)
                if style == "-":
                    handles.append(Line2D([], [], color=colour, label=curve.label))
    if not columns:
        if all(curve.read(yours) is None for curve in picture.curves):
            return False
        axes.set_xlim(0, max(yours.day, 29))
        axes.set_yticks([])
        axes.text(0.5, 0.5, "nothing to show yet", transform=axes.transAxes, ha="center", color=GREY)
        finish(axes, picture.title, picture.unit.format(window=window_of(yours)))
        return True
    lines(axes, pd.DataFrame(columns), picture.title, picture.unit.format(window=window_of(yours)), picture.formatter,
          max(yours.day + 1, 30), picture.from_zero, ["--" if name.endswith("--") else "-" for name in columns],
          colours=colours)
    for (name, values), colour in zip(columns.items(), colours, strict=True):  # today, so that one day shows too
        last = values.dropna().iloc[-1:]
        axes.plot(last.index, last, color="white" if name.endswith("--") else colour, markeredgecolor=colour,
                  marker="o", markersize=4, linestyle="", clip_on=False, zorder=4)
    if picture.most is not None and axes.get_ylim()[1] > picture.most:
        axes.set_ylim(top=picture.most)
    shocks = {day: kind.replace("_", " ")[:14] for day, found in yours.shocks_due.items() if day <= yours.day
              for kind, *_ in found}
    if shocks:
        mark_days(axes, shocks)
    if other is not None:
        handles.append(Line2D([], [], color=GREY, linestyle="--", label=label))
    head(axes, picture.title, handles, [str(handle.get_label()) for handle in handles])
    return True


def draw_uninsured(axes: Axes, yours: HealthMarket, other: HealthMarket | None, label: str) -> bool:
    """Bars of the share without cover by income decile, at its latest count; False where nobody counts."""
    known = [(name, colour, found) for name, colour, market in (("yours", BLUE, yours), (label, GREY, other))
             if market is not None and (found := uninsured_by_income(market)) is not None]
    width = 0.8 / max(1, len(known))
    for place, (_, colour, shares) in enumerate(known):
        axes.bar(np.arange(1, 11) + (place - (len(known) - 1) / 2) * width, shares, width=width, color=colour)
    axes.set_xticks(range(1, 11))
    axes.set_xlabel("decile of income, poorest first")
    axes.grid(visible=False, axis="x")
    finish(axes, "Uninsured by income", "share of the decile", percent)
    head(axes, "Uninsured by income", [Patch(color=colour) for _, colour, _ in known], [name for name, *_ in known])
    return bool(known)


def uninsured_by_income(market: HealthMarket) -> np.ndarray | None:
    """Share without cover by income decile, float64[10]; None before the first count."""
    patients = market.find("patients")
    if patients is None or not patients.statistics.observed_days:
        return None
    return np.asarray(patients.statistics.last_uninsured)


def _svg(draw_it: Callable[[Axes], bool]) -> str | None:
    with _drawing, house_style():
        figure, axes = new_axes(WIDTH, HEIGHT)
        if not draw_it(axes):
            return None
        make_room(axes, HEIGHT)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


# The frame -------------------------------------------------------------------------------------------------------


def frame(session: Session) -> dict[str, Any]:
    """Everything the page shows of today, as plain data: ``day``, ``days``, ``label`` of the comparison, ``pictures``
    (title, image, and what it says in words), ``figures`` (name, unit, yours, other) and ``events``."""
    yours, other, choice = session.yours, session.other, session.choice
    if yours is None or choice is None:
        return {"day": 0, "days": 0, "label": "", "pictures": [], "figures": [], "events": [], "more_events": 0}
    pictures: list[dict[str, str]] = []
    figures: list[dict[str, str]] = []
    if yours.day >= 0:
        for picture in PICTURES:
            image = _svg(partial(draw, picture=picture, yours=yours, other=other, label=choice.label))
            if image is None:
                continue
            rows = [_figure(picture, curve, yours, other) for curve in picture.curves]
            figures += rows
            said = "; ".join(f"{row['name']} {row['yours']}" + (f", {choice.label} {row['other']}" if other else "")
                             for row in rows)
            pictures.append({"title": picture.title, "image": image,
                             "words": f"{picture.title}, day {session.day}: {said}"})
        image = _svg(partial(draw_uninsured, yours=yours, other=other, label=choice.label))
        if image is not None:
            pictures.append({"title": "Uninsured by income", "image": image,
                             "words": f"Uninsured by income, day {session.day}"})
    return {"day": session.day, "days": session.days, "label": choice.label, "pictures": pictures, "figures": figures,
            "events": _events(yours), "more_events": max(0, len(yours.record.events) - SHOWN_EVENTS)}


def _figure(picture: Picture, curve: Curve, yours: HealthMarket, other: HealthMarket | None) -> dict[str, str]:
    def latest(market: HealthMarket | None) -> str:
        values = None if market is None else curve.read(market)
        known = None if values is None else values.dropna()
        if known is None or known.empty:
            return "–"
        value = float(known.iloc[-1])  # of a mean over days, whose sum leaves a trace of what has left the window
        return picture.formatter(round(value, 2) if picture.unit.startswith("USD") else value, None)

    unit = "" if picture.formatter is percent else picture.unit.format(window=window_of(yours))
    return {"name": f"{picture.title}: {curve.label}" if len(picture.curves) > 1 else picture.title, "unit": unit,
            "yours": latest(yours), "other": latest(other)}


def _events(market: HealthMarket) -> list[dict[str, Any]]:
    """The latest events, the last first."""
    return [{"day": day, "kind": kind.replace("_", " ").replace(".", ": "), "subject": subject,
             "amount": short(amount) if amount else ""}
            for day, kind, subject, amount, _ in market.record.events[:-SHOWN_EVENTS - 1:-1]]
