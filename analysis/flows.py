"""Where money went: the transactions-flow matrix of a run, exact to the base unit until it is shown."""

from __future__ import annotations

import pandas as pd

from analysis.load import MICRO


def flow_matrix(flows: pd.DataFrame, asset: str = "USDs", opening: bool = False) -> pd.DataFrame:
    """Sectors x sectors: what each row's sector paid to each column's over the run, base units (int64, exact).

    ``flows`` is :attr:`analysis.load.Run.flows`. The opening (day -1), in which stocks are endowed, is left out unless
    ``opening``. The diagonal holds payments inside a sector.

    >>> flow_matrix(run.flows).loc["households", "insurers"]
    np.int64(4000001)
    """
    table = flows[(flows["asset"] == asset) & (opening | (flows["day"] >= 0))]
    sums = table.groupby(["from_sector", "to_sector"], observed=True)["amount"].sum()
    sectors = sorted(set(sums.index.get_level_values(0)) | set(sums.index.get_level_values(1)))
    wide = sums.unstack("to_sector", fill_value=0)
    return wide.reindex(index=sectors, columns=sectors, fill_value=0).astype("int64")


def whole_units(amounts: pd.DataFrame) -> pd.DataFrame:
    """Amounts of base units as whole units of the asset (float64), for showing.

    ``amounts`` and the result are sectors x sectors, or of any shape.

    >>> whole_units(flow_matrix(run.flows)).loc["households", "insurers"]
    np.float64(4.000001)
    """
    return amounts.astype("float64") / MICRO


def sector_balance(matrix: pd.DataFrame) -> pd.DataFrame:
    """One row a sector: ``received``, ``paid`` and ``net`` (received less paid) without payments inside it.

    Units are those of ``matrix``; the column ``net`` sums to zero to the base unit.

    >>> sector_balance(flow_matrix(run.flows))["net"].tolist()
    [-4000001, 999999, 3000002]
    """
    inside = matrix.to_numpy().diagonal()
    received, paid = matrix.sum(axis=0) - inside, matrix.sum(axis=1) - inside
    return pd.DataFrame({"received": received, "paid": paid, "net": received - paid})


def by_kind(flows: pd.DataFrame, asset: str = "USDs") -> pd.DataFrame:
    """One row for each kind of payment and pair of sectors, largest first: kind, from_sector, to_sector, amount.

    ``amount`` in base units (int64) over the run, without the opening.

    >>> by_kind(run.flows)["kind"].tolist()
    ['premium', 'claim', 'premium_earned']
    """
    table = flows[(flows["asset"] == asset) & (flows["day"] >= 0)]
    sums = table.groupby(["kind", "from_sector", "to_sector"], observed=True)["amount"].sum().reset_index()
    return sums.sort_values(["amount", "kind", "from_sector", "to_sector"], ascending=[False, True, True, True],
                            ignore_index=True)
