"""Pictures over the runs of a batch: fan charts, phase maps, tornado charts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.plots.style import BLACK, BLUE, GREY, ORANGE, Formatter, finish, percent, short, time_axis


def fan(axes: Axes, table: pd.DataFrame, runs: int, title: str, unit: str, formatter: Formatter | None = short) -> Axes:
    """Fan chart: bands between quantiles that stand opposite, the median as a line. ``table`` is that of
    :func:`analysis.over_runs.fan` (days x shares, odd in number), of ``runs`` replications.

    >>> quantiles = pd.DataFrame({0.25: [1.0, 1.0], 0.5: [2.0, 2.5], 0.75: [3.0, 4.0]})
    >>> fan(axes, quantiles, 9, "Capital", "USD").get_title(loc="left")
    'Capital (n = 9)'
    """
    shares = sorted(float(str(share)) for share in table.columns)
    for place in range(len(shares) // 2):
        low, high = shares[place], shares[-1 - place]
        axes.fill_between(table.index, table[low], table[high], color=BLUE, alpha=0.16 + 0.12 * place, linewidth=0,
                          label=f"{percent(high - low)} of runs")
    axes.plot(table.index, table[shares[len(shares) // 2]], color=BLUE, label="median")
    if float(table.min().min()) >= 0.0:
        axes.set_ylim(0, 1.06 * float(table.max().max()) or 1.0)
    time_axis(axes, int(table.index.max()) + 1)
    return finish(axes, f"{title} (n = {runs:,})", unit, formatter)


def phase_map(axes: Axes, table: pd.DataFrame, names: tuple[str, str], title: str, unit: str,
              level: float | None = None, formatter: Formatter = percent) -> Axes:
    """Map of a mean over two parameters, a cell for each pair, with its figure; the contour ``level`` in black, and
    cells whose 95 % interval holds the level in a frame. ``table`` is that of
    :func:`analysis.over_runs.phase_table`; ``names`` say what x and y are, with units; ``unit`` is of the mean.

    >>> cells = pd.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "mean": [0.0, 0.4, 0.6, 1.0], "low": 0.0,
    ...                       "high": 1.0, "n": 20})
    >>> phase_map(axes, cells, ("load, share", "gate, share"), "Ruin", "share of runs", 0.5).get_xlabel()
    'load, share'
    """
    wide = table.pivot(index="y", columns="x", values="mean")
    xs, ys = (np.asarray(values, dtype="float64") for values in (wide.columns, wide.index))
    drawn = axes.pcolormesh(np.arange(xs.size + 1) - 0.5, np.arange(ys.size + 1) - 0.5, np.ma.masked_invalid(wide),
                            cmap="cividis", edgecolors="white", linewidth=0.6)
    low, high = drawn.get_clim()
    for row, y in enumerate(wide.index):
        for column, x in enumerate(wide.columns):
            value = float(wide.loc[y, x])
            if np.isfinite(value) and wide.size <= 144:
                axes.text(column, row, formatter(value, None).removesuffix(" %"), ha="center", va="center",
                          fontsize=7, zorder=5, color="white" if value < (low + high) / 2 else BLACK)
    if level is not None:
        known = wide.to_numpy(dtype="float64")
        if min(known.shape) > 1 and np.nanmin(known) < level < np.nanmax(known):
            for colour, width in (("white", 3.4), (BLACK, 1.6)):
                axes.contour(np.arange(xs.size), np.arange(ys.size), known, levels=[level], colors=colour,
                             linewidths=width)
            axes.plot([], [], color=BLACK, linewidth=1.6, label=f"contour at {formatter(level, None)}")
        open_ = table[(table["low"] <= level) & (table["high"] >= level)]
        axes.scatter(np.searchsorted(xs, open_["x"]), np.searchsorted(ys, open_["y"]), s=520, facecolors="none",
                     edgecolors=ORANGE, linewidths=1.1, marker="s")
        axes.plot([], [], linestyle="", marker="s", markerfacecolor="none", markeredgecolor=ORANGE,
                  label=f"95 % interval holds {formatter(level, None)}")
    for axis, values in ((axes.xaxis, xs), (axes.yaxis, ys)):
        every = max(1, -(-values.size // 12))
        axis.set_ticks(np.arange(values.size)[::every], [f"{value:.4g}" for value in values[::every]])
    axes.grid(visible=False)
    axes.set_xlabel(names[0])
    sizes = sorted(set(table["n"].astype(int)))
    n = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    as_percent = f"{unit}, %" if formatter is percent else unit
    return finish(axes, f"{title}: {as_percent} (n = {n} a cell)", names[1])


def tornado(axes: Axes, table: pd.DataFrame, base: float, title: str, unit: str, runs: int,
            formatter: Formatter = short) -> Axes:
    """Tornado chart: a figure at the low and at the high end of each parameter's range, widest above, around ``base``.

    ``table`` is parameters x [``low``, ``high``] with optional intervals ``low_from``, ``low_to``, ``high_from``,
    ``high_to`` (95 %), all in ``unit``; ``runs`` is the number of runs behind each end.

    >>> ends = pd.DataFrame({"low": [1.0, 2.0], "high": [5.0, 3.0]}, index=["load", "gate"])
    >>> tornado(axes, ends, 2.5, "Loss ratio", "USD", 20).get_xlabel()
    'USD'
    """
    rows = table.loc[(table["high"] - table["low"]).abs().sort_values().index]
    places = np.arange(len(rows), dtype="float64")
    for side, colour, label in (("low", GREY, "parameter low"), ("high", BLUE, "parameter high")):
        axes.barh(places, rows[side] - base, left=base, height=0.62, color=colour, label=label)
        if f"{side}_from" in rows:
            error = np.vstack([rows[side] - rows[f"{side}_from"], rows[f"{side}_to"] - rows[side]]).clip(min=0.0)
            axes.errorbar(rows[side], places, xerr=error, fmt="none", ecolor=BLACK, elinewidth=0.9, capsize=2)
    axes.axvline(base, color=BLACK, linewidth=0.9)
    axes.set_yticks(places, [str(name) for name in rows.index])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(formatter))
    return finish(axes, f"{title} (n = {runs:,} an end)", "parameter")
