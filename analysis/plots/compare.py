"""Pictures of comparisons and batches: differences with their intervals, day by day bands, distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.intervals import Floats, interval
from analysis.plots.lines import in_days
from analysis.plots.style import BLUE, COLOURS, GREY, RED, SKY, Formatter, finish, head, short, time_axis


def paired_and_unpaired(axes: Axes, table: pd.DataFrame, labels: Sequence[str]) -> Axes:
    """Each figure's difference over its mean in A, with the paired interval (thick) and the unpaired one (thin).

    ``table`` is that of :func:`analysis.compare.compare` (its rows: the figures), ``labels`` their names. Rows whose
    mean in A is 0 are not drawn.

    Example
    -------
    >>> from analysis.compare import compare
    >>> from analysis.plots.style import new_axes
    >>> a, b = (pd.DataFrame({"cost": costs}) for costs in ([9.0, 10.0, 13.0], [9.5, 11.0, 14.2]))
    >>> axes = paired_and_unpaired(new_axes()[1], compare(a, b), ["cost"])
    >>> len(axes.get_yticks())
    1
    """
    shown = [(label, row) for label, (_, row) in zip(labels, table.iterrows(), strict=True)
             if row["mean_a"] != 0 and math.isfinite(row["low"]) and math.isfinite(row["unpaired_low"])]
    for place, (_, row) in enumerate(reversed(shown)):
        base = abs(row["mean_a"]) / 100.0
        apart = axes.plot([row["unpaired_low"] / base, row["unpaired_high"] / base], [place - 0.16] * 2, color=GREY,
                          linewidth=1.4, solid_capstyle="butt")
        paired = axes.plot([row["low"] / base, row["high"] / base], [place + 0.1] * 2, color=BLUE, linewidth=4,
                           solid_capstyle="butt")
        axes.plot([row["difference"] / base], [place + 0.1], "o", color="white", markeredgecolor=BLUE, markersize=4.5)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [label for label, _ in reversed(shown)])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.grid(visible=False, axis="y")
    pairs = sorted({int(row["pairs"]) for _, row in shown})
    told = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}" if pairs else "no"
    axes.set_xlabel(f"difference, % of A's mean; {told} pairs")
    handles = [paired[0], apart[0]] if shown else []
    return head(axes, "Difference with its 95 % interval", handles, ["paired", "unpaired"][:len(handles)])


def band(axes: Axes, table: pd.DataFrame, title: str, unit: str, window: int = 1,
         formatter: Formatter | None = short) -> Axes:
    """Day by day difference with its band, from :func:`analysis.compare.daily_difference` (index: day).

    Example
    -------
    >>> from analysis.compare import daily_difference
    >>> from analysis.plots.style import new_axes
    >>> a = pd.DataFrame({0: [1.0, 2.0], 1: [3.0, 3.0]})
    >>> band(new_axes()[1], daily_difference(a, a + 1.0), "Cost", "USD").get_ylabel()
    'USD'
    """
    known = table.dropna(subset=["difference"])
    pairs = int(known["pairs"].max()) if len(known) else 0
    edges = known.dropna(subset=["low", "high"])
    if len(edges):
        axes.fill_between(edges.index, edges["low"], edges["high"], color=SKY, alpha=0.4, linewidth=0,
                          label="95 % interval, each day")
    axes.plot(known.index, known["difference"], color=BLUE, label=f"mean difference, {pairs} pairs"
              if pairs != 1 else "difference, one pair")
    axes.axhline(0, color="#555555", linewidth=0.8)
    time_axis(axes, int(known.index.max()) + 1 if len(known) else 1)
    return finish(axes, title, in_days(unit, window), formatter)


def scatter(axes: Axes, pairs: pd.DataFrame, title: str, unit: str, labels: tuple[str, str]) -> Axes:
    """B against A of each pair (columns ``a``, ``b``), with the line of no difference.

    ``pairs`` is pairs x [``a``, ``b``], in ``unit``.

    Example
    -------
    >>> from analysis.plots.style import new_axes
    >>> scatter(new_axes()[1], pd.DataFrame({"a": [1.0, 2.0], "b": [1.5, 2.5]}), "Cost", "USD", ("x", "y")).get_xlabel()
    'x: USD'
    """
    edges = [float(pairs.to_numpy().min()), float(pairs.to_numpy().max())]
    axes.plot(edges, edges, color=GREY, linewidth=1.0, linestyle="--", label="no difference")
    axes.plot(pairs["a"], pairs["b"], "o", color=BLUE, markersize=4, alpha=0.7, label=f"{len(pairs)} pairs")
    axes.set_xlabel(f"{labels[0]}: {unit}")
    axes.xaxis.set_major_formatter(short)
    return finish(axes, title, f"{labels[1]}: {unit}", short)


def distributions(axes: Axes, samples: dict[str, pd.Series[float]], title: str, unit: str,
                  formatter: Formatter | None = short) -> Axes:
    """Each sample (label -> one figure a run) as a row of points, with its quartiles and the interval of its mean.

    Samples [runs] are in ``unit``.

    Example
    -------
    >>> from analysis.plots.style import new_axes
    >>> axes = distributions(new_axes()[1], {"main": pd.Series([1.0, 2.0, 4.0])}, "Cost", "USD")
    >>> [tick.get_text() for tick in axes.get_yticklabels()]
    ['main (n = 3)']
    """
    names = []
    for place, (label, sample) in enumerate(reversed(list(samples.items()))):
        values: Floats = np.sort(sample.dropna().to_numpy(dtype="float64"))
        names.append(f"{label} (n = {len(values)})")
        if not len(values):
            continue
        # points of one height are spread by their rank, the same way every time
        heights = place + 0.26 * (np.modf(np.arange(len(values)) * 0.618_033_988_75)[0] - 0.5)
        axes.plot(values, heights, ".", color=COLOURS[0], alpha=max(0.15, min(1.0, 80 / len(values))), markersize=5.5,
                  markeredgewidth=0, rasterized=len(values) > 1500)
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        axes.plot([low, high], [place - 0.25] * 2, color=GREY, linewidth=2.2, solid_capstyle="butt",
                  label="middle half of the runs" if place == 0 else None)
        axes.plot([middle], [place - 0.25], "|", color="#333333", markersize=8)
        least, most = interval(values, name=title)
        if math.isfinite(least):
            axes.plot([least, most], [place + 0.25] * 2, color=RED, linewidth=2.2, solid_capstyle="butt",
                      label="95 % interval of the mean" if place == 0 else None)
        axes.plot([values.mean()], [place + 0.25], "o", color=RED, markersize=3.5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(unit)
    if formatter is not None:
        axes.xaxis.set_major_formatter(formatter)
    handles, labels = axes.get_legend_handles_labels()
    return head(axes, title, handles, labels)


def response(axes: Axes, swept: pd.DataFrame, title: str, unit: str, parameter: str) -> Axes:
    """A figure over a swept parameter: each run as a point, and the mean of each value with its interval.

    ``swept`` has one row a run: ``x`` the parameter's value, ``y`` the figure in ``unit``.

    Example
    -------
    >>> from analysis.plots.style import new_axes
    >>> swept = pd.DataFrame({"x": [1.0, 1.0, 2.0, 2.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> response(new_axes()[1], swept, "Cost", "USD", "a.b").get_xlabel()
    'a.b'
    """
    known = swept.dropna()
    axes.plot(known["x"], known["y"], ".", color=GREY, alpha=0.45, markersize=4, markeredgewidth=0,
              label=f"{len(known)} runs")
    values = {float(x): known.loc[known["x"] == x, "y"].to_numpy(dtype="float64") for x in np.unique(known["x"])}
    each = {x: interval(one, name=title) for x, one in values.items() if len(one) > 1}
    if each:
        places = list(each)
        means = [float(values[x].mean()) for x in places]
        axes.vlines(places, [low for low, _ in each.values()], [high for _, high in each.values()], color=BLUE,
                    linewidth=2.4)
        axes.plot(places, means, "o-", color=BLUE, markersize=4, label="mean, 95 % interval")
    axes.set_xlabel(parameter)
    return finish(axes, title, unit, short)
