"""What the command ``threshold`` does: find the value of a parameter at which a metric changes side."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sim.asked import UsageError, say_if_compiling

if TYPE_CHECKING:
    from sim.batch.threshold import Tried
    from sim.scenario.scenario import Scenario


def threshold_command(options: argparse.Namespace) -> int:
    """``threshold``: bisect what ``options`` name and print every point."""
    say_if_compiling()
    from sim.batch.engine import local_engine
    from sim.batch.threshold import NoCrossing, find_threshold
    from sim.scenario.library import find_scenario
    from sim.scenario.load import load_scenario
    from sim.scenario.overrides import split_setting
    from sim.scenario.registry import metrics_of

    path, low, high = bounds(options.move)
    file = find_scenario(options.file)
    settings = [split_setting(text) for text in options.settings]

    def load(value: float) -> Scenario:
        return load_scenario(file, [*settings, (path, repr(value))], options.seed)

    if options.metric not in metrics_of(load(low).sections):
        raise UsageError(f"no mechanism of this scenario reports a metric {options.metric!r}")

    def tell(tried: Tried) -> None:
        print(f"  {path} = {tried.value:<10.6g} {options.metric} >= {options.level:g} in {tried.hits} of {tried.runs} "
              f"runs ({tried.low:.0%} .. {tried.high:.0%})", flush=True)

    try:
        found = find_threshold(load, low, high, options.metric, options.level, options.replications, options.steps,
                               local_engine(options.jobs), tell)
    except NoCrossing as error:
        print(f"no threshold: {error}", file=sys.stderr)
        return 1
    print(f"critical value of {path}: {found.value:.4g}, between {found.low:.4g} and {found.high:.4g}")
    return 0


def bounds(text: str) -> tuple[str, float, float]:
    """``"a.b=lo:hi"`` as (path, lo, hi)."""
    path, sign, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    try:
        found = float(low), float(high)
    except ValueError:
        found = (0.0, 0.0)
    if not (sign and colon and path.strip() and found[0] < found[1]):
        raise UsageError(f"'{text}': write it as path=low:high, such as shocks.0.share=0.01:0.3")
    return path.strip(), *found
