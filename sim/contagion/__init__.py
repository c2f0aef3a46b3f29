"""Contagion between institutions: how losses travel along debts. Driven by the market, or by the laboratory without it.

Institutions are positions 0 .. n - 1; a debt is a row of three columns, debtor, creditor and amount.

- ``clearing.clear(debtors, creditors, amounts, cash, seniority=None, alpha=1.0, beta=1.0, order=None) -> Clearing``: in
  base units, for the ledger. ``.paid`` int64[m] by debt, ``.wave`` int64[n] (0: paid in full), ``.defaulted``,
  ``.waves``, ``.payment``, ``.received``, ``.cost``, ``.equity(cash)``. ``clearing.clearing_vector`` is the same in
  floats, for the analysis.
- ``debtrank.debtrank(debtors, creditors, amounts, equity, shock, weights=None, form="linear") -> Distress``:
  ``.distress``, ``.value`` (the DebtRank), ``.rounds``.
- ``fire_sale.fire_sale(liquid, holdings, liabilities, floor, impact) -> FireSale``: ``.price``, ``.sold``, ``.equity``;
  ``impact`` is any function from units sold to the price after it. ``fire_sale.tipping_point`` bisects.
- ``cascade.Cascade``: who failed, in which round, through which channel; ``Cascade.of_clearing(found)``, ``.joined``,
  ``.size``, ``.spread``, ``.depth``, ``.by_channel()``. ``cascade.threshold_cascade`` follows Gai & Kapadia.
- ``networks``: random networks with balance sheets, and your own from a file; ``laboratory``: experiments on them.

Arguments that describe no market raise ``debts.BadDebts``.
"""
