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


def parameter_changes(events: pd.DataFrame) -> pd.DataFrame:
    """One row a parameter that an executed proposal set, in order: ``day``, ``parameter`` (its path), ``value`` (in its
    own unit), ``proposal``. ``events`` is :attr:`analysis.load.Run.events`.

    >>> parameter_changes(run.events)["parameter"].tolist()
    ['insurance.mcr_gate']
    """
    executed = events[events["kind"] == "governance.executed"]
    rows = [(int(day), str(action["path"]), float(action["value"]), str(subject))
            for day, subject, details in zip(executed["day"], executed["subject"], executed["details"], strict=True)
            for action in details.get("actions", []) if isinstance(action.get("value"), (int, float))]
    return pd.DataFrame(rows, columns=["day", "parameter", "value", "proposal"])


def voting_power(votes: pd.DataFrame) -> pd.Series[float]:
    """Power of each voter at the last proposal that ended, in whole tokens, largest first; empty where none ended.

    ``votes`` is :attr:`analysis.load.Run.votes`.

    >>> voting_power(run.votes).tolist()
    [50.0, 30.0, 20.0]
    """
    if not len(votes):
        return pd.Series(dtype="float64")
    last = votes[votes["proposal"] == votes.sort_values("day", kind="stable")["proposal"].iloc[-1]]
    return (last.set_index("voter")["power"] / 1e6).sort_values(ascending=False, kind="stable")
