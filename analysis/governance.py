"""Proposals and what their execution changed, read from a run's events."""

from __future__ import annotations

import pandas as pd

OUTCOMES = ("executed", "defeated", "expired", "canceled")
"""States in which a proposal ends."""


def proposals(events: pd.DataFrame) -> pd.DataFrame:
    """One row a proposal, in order: ``proposal``, ``title``, ``proposed`` and ``closed`` (days; <NA> while it is
    open), ``outcome`` (executed, defeated, expired, canceled, queued or open).

    ``events`` is :attr:`analysis.load.Run.events`.

    >>> proposals(run.events)["outcome"].tolist()
    ['executed', 'defeated']
    """
    rows: dict[str, dict[str, object]] = {}
    for day, kind, subject, details in zip(events["day"], events["kind"], events["subject"], events["details"],
                                           strict=True):
        area, _, what = str(kind).partition(".")
        if area != "governance":
            continue
        row = rows.setdefault(str(subject), {"proposal": str(subject), "title": str(details.get("title", "")),
                                             "proposed": pd.NA, "closed": pd.NA, "outcome": "open"})
        if what == "proposed":
            row["proposed"] = int(day)
        elif what == "queued":
            row["outcome"] = what
        elif what in OUTCOMES:
            row["outcome"], row["closed"] = what, int(day)
    table = pd.DataFrame(list(rows.values()), columns=["proposal", "title", "proposed", "closed", "outcome"])
    return table.astype({"proposed": "Int64", "closed": "Int64"})


def parameter_path(events: pd.DataFrame, path: str, start: float, days: int) -> pd.Series[float]:
    """The value of the governable parameter ``path`` on each of ``days`` days, in its own unit.

    It begins as ``start`` and takes each value that an executed proposal gave it, from the day of execution.

    >>> parameter_path(run.events, "insurance.mcr_gate", 1.0, 60).iloc[[0, -1]].tolist()
    [1.0, 0.9]
    """
    values = pd.Series(start, index=pd.RangeIndex(days, name="day"), dtype="float64")
    executed = events[events["kind"] == "governance.executed"]
    for day, details in zip(executed["day"], executed["details"], strict=True):
        for action in details.get("actions", []):
            if action.get("path") == path and isinstance(action.get("value"), (int, float)):
                values.loc[int(day):] = float(action["value"])
    return values
