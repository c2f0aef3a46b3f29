"""Tables of a run with several plans: by plan over pools or one by one, and each plan's end."""

from __future__ import annotations

import pandas as pd

from analysis.load import Run
from analysis.plots.style import COLOURS

MOST_LINES = len(COLOURS)


def plan_of(institution: object) -> str:
    """The plan in a name such as "POOL1/generous"; the whole name where there is no plan in it.

    >>> plan_of("POOL1/generous")
    'generous'
    """
    return str(institution).rpartition("/")[2]


def by_plan(run: Run, name: str, weight: str = "") -> pd.DataFrame | None:
    """Days x plans of one institution series of plans; None where the run has none, or only one plan.

    Sums over pools, or means weighted by the series ``weight``. Up to eight institutions are shown one by one.

    >>> by_plan(run, "selection.members") is None
    True
    """
    table = run.by_institution(name)
    if table is None or table.shape[1] < 2:
        return None
    if table.shape[1] <= MOST_LINES:
        return table
    plans = [plan_of(column) for column in table.columns]
    if not weight:
        return table.T.groupby(plans).sum(min_count=1).T.iloc[:, :MOST_LINES]
    weights = run.by_institution(weight)
    if weights is None:
        return None
    weights = weights.where(table.notna())
    shown = (table * weights).T.groupby(plans).sum(min_count=1).T / weights.T.groupby(plans).sum(min_count=1).T
    return shown.iloc[:, :MOST_LINES]


def ends(run: Run) -> pd.DataFrame | None:
    """Plans x [members, rate, loss_ratio, care_cost, transfers]: their last values, and transfers over the run, USD.

    >>> ends(run) is None
    True
    """
    names = {"members": "selection.members", "rate": "selection.base_rate", "loss_ratio": "selection.loss_ratio",
             "care_cost": "selection.care_cost"}
    tables = {column: run.by_institution(name) for column, name in names.items()}
    members = tables["members"]
    if members is None or members.shape[1] < 2:
        return None
    last = {column: table.ffill().iloc[-1] for column, table in tables.items() if table is not None}
    transfers = run.by_institution("selection.transfers")
    if transfers is not None and bool((transfers != 0).any(axis=None)):
        last["transfers"] = transfers.sum()
    return pd.DataFrame(last).reindex(members.columns)
