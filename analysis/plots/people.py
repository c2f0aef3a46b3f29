"""Who is covered, by income; how concentrated spending is."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.plots.style import COLOURS, percent


def uninsured_by_decile(axes: Axes, metrics: dict[str, float]) -> Axes:
    """Bars of the share without any cover at the end of the run, by income decile (1 is the poorest)."""
    deciles = list(range(1, 11))
    shares = [metrics.get(f"patients.uninsured_decile_{d}", float("nan")) for d in deciles]
    axes.bar(deciles, shares, color=COLOURS[0], width=0.8)
    axes.set_xticks(deciles)
    axes.set_xlabel("income decile (1 = poorest)")
    axes.set_ylabel("share without cover")
    axes.yaxis.set_major_formatter(FuncFormatter(percent))
    axes.set_title("Uninsured by income, at the end")
    return axes


def concentration(axes: Axes, metrics: dict[str, float], published: dict[str, float]) -> Axes:
    """Share of a year's spending on the top 1, 5, 10 and 50 % of persons, beside published shares."""
    labels = ["1", "5", "10", "50"]
    simulated = [metrics.get(f"patients.top{label}_share", float("nan")) for label in labels]
    known = [published.get(label, float("nan")) for label in labels]
    places = list(range(len(labels)))
    axes.bar([p - 0.2 for p in places], simulated, width=0.38, color=COLOURS[0], label="simulated, first year")
    axes.bar([p + 0.2 for p in places], known, width=0.38, color=COLOURS[6], label="MEPS 2016")
    axes.set_xticks(places, [f"top {label} %" for label in labels])
    axes.set_ylabel("share of spending")
    axes.set_xlabel("persons by spending")
    axes.yaxis.set_major_formatter(FuncFormatter(percent))
    axes.set_ylim(0, 1.05)
    axes.set_title("Concentration of spending")
    axes.legend(loc="upper left")
    return axes
