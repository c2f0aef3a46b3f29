"""The network of claims between institutions on one day: edges, and nodes with their equity."""

from __future__ import annotations

import pandas as pd

from analysis.load import MICRO, Run, natural


def edges(run: Run, day: int | None = None) -> pd.DataFrame:
    """Claims on the last recorded day up to ``day`` (default: the last): ``debtor``, ``creditor``, ``amount`` (USD),
    kinds added up, largest first; ``attrs["day"]`` is the day. Without rows where the run recorded none.

    >>> edges(run)[["debtor", "creditor", "amount"]].values.tolist()
    [['RE1', 'EAST', 3.0], ['RE1', 'WEST', 1.0]]
    """
    rows = run.exposures if day is None else run.exposures[run.exposures["day"] <= day]
    last = int(rows["day"].max()) if len(rows) else -1
    sums = rows[rows["day"] == last].groupby(["debtor", "creditor"])["amount"].sum().reset_index()
    sums["amount"] = sums["amount"] / MICRO
    found = sums.sort_values(["amount", "debtor", "creditor"], ascending=[False, True, True], ignore_index=True)
    found.attrs["day"] = last
    return found


def nodes(run: Run, day: int | None = None) -> pd.DataFrame:
    """Institutions with claims that day (index, natural order): ``equity`` (USD; NaN where unknown), ``owes`` and
    ``is_owed`` (USD).

    >>> nodes(run)["equity"].to_dict()
    {'EAST': 5.0, 'RE1': 9.0, 'WEST': -2.0}
    """
    found = edges(run, day)
    rows = run.exposures[run.exposures["day"] == found.attrs["day"]]
    equity = pd.concat([rows[[side, f"{side}_equity"]].set_axis(["name", "equity"], axis=1)
                        for side in ("debtor", "creditor")]).drop_duplicates("name").set_index("name")["equity"]
    names = sorted(equity.index, key=natural)
    return pd.DataFrame({"equity": equity.reindex(names).astype("float64") / MICRO,
                         "owes": found.groupby("debtor")["amount"].sum().reindex(names, fill_value=0.0),
                         "is_owed": found.groupby("creditor")["amount"].sum().reindex(names, fill_value=0.0)},
                        index=pd.Index(names, name="institution"))
