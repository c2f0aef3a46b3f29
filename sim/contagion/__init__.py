"""Contagion between institutions: how losses travel along debts. Driven by the market, or by the laboratory without it.

Institutions are positions 0 .. n - 1; a debt is a row of three columns, debtor, creditor and amount.

- :func:`sim.contagion.clearing.clear` ``(debtors, creditors, amounts, cash, seniority=None, alpha=1.0, beta=1.0,
  order=None) -> Clearing``: in base units, for the ledger. ``Clearing.paid`` int64[m] by debt, ``.wave`` int64[n] (0:
  paid in full), ``.defaulted``, ``.waves``, ``.payment``, ``.received``, ``.cost``, ``.equity(cash)``.
- :func:`sim.contagion.clearing.clearing_vector`: the same in floats, for the analysis.
"""
