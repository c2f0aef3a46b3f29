"""Line figures of daily series, shared by the report's pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.load import Run
from analysis.plots.style import COLOURS, year_axis


def series(
    axes: Axes, run: Run, names: Sequence[tuple[str, str]], title: str, unit: str,
    formatter: Callable[[float, object], str] | None = None, window: int = 1, from_zero: bool = True,
) -> Axes:
    """Draw the market series ``names`` (name, label) that the run has; ``window`` days of rolling mean."""
    for position, (name, label) in enumerate(names):
        values = run.series(name)
        if values is None:
            continue
        if window > 1:
            values = values.rolling(window, min_periods=1).mean()
        axes.plot(values.index, values, color=COLOURS[position], label=label)
    if from_zero:
        axes.set_ylim(bottom=0)
    if formatter is not None:
        axes.yaxis.set_major_formatter(FuncFormatter(formatter))
    axes.set_ylabel(unit if window == 1 else f"{unit} ({window}-day mean)")
    axes.set_title(title)
    if len(names) > 1:
        axes.legend(loc="best", ncols=min(4, len(names)))
    year_axis(axes, int(run.daily.index.max()) + 1)
    return axes
