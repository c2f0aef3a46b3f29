"""The report's chapter on votes: how power is spread over voters, and which parameters votes have changed."""

from __future__ import annotations

from analysis import governance
from analysis.concentration import power_table
from analysis.load import Run
from analysis.page import Chapter, number, table, text
from analysis.plots import concentration

TITLE, PLACE = "Votes", 115
SHOWN = 12
"""Voters in the picture of power; the index counts coalitions of these, who have nearly all of it."""


def votes_chapter(chapter: Chapter, run: Run) -> None:
    """Lorenz curve of voting power, power indices of the largest voters, and the parameters that were changed.
    >>> votes_chapter(chapter, run)
    """
    power = governance.voting_power(run.votes)
    if len(power) > 1 and power.sum() > 0:
        chapter.figure(lambda axes: concentration.lorenz_curve(axes, power.to_numpy(), "voting power"),
                       "Power at the snapshot of the last proposal that ended, own tokens and delegated ones.",
                       over_time=False)
        largest = power.head(SHOWN)
        indices = power_table([str(name) for name in largest.index], largest.to_numpy())
        chapter.figure(lambda axes: concentration.power(axes, indices, "> 50 %"),
                       f"The {len(largest)} largest voters of that proposal: how often each would tip the vote.",
                       over_time=False, height=3.1, margins=(0.78, 0.14, 0.66, 0.34))
    changes = governance.parameter_changes(run.events)
    if len(changes):
        now: dict[str, str] = {}
        rows = []
        for day, path, value, proposal in changes.itertuples(index=False):
            before = now.get(path, f"{run.setting(path, float('nan')):g}")
            now[path] = f"{value:g}"
            rows.append([number(day), text(path), before.replace("nan", "default"), now[path], text(proposal)])
        chapter.below.append("<h3>Parameters changed by vote</h3>" + table(
            ["day", "parameter", "from", "to", "by"], rows, (0, 2, 3)))
