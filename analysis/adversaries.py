"""What attacks brought: attempts, profit, victims' loss and cost of each adversary of a run, from its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis.load import Run


@dataclass(frozen=True)
class Adversary:
    """Where the metrics of one adversary tell what. ``tries`` are summed; ``denied`` is the share of ``decided`` that
    failed; ``spent`` names what it paid (metric -> words, an amount stands before them)."""

    name: str
    label: str
    tries: tuple[str, ...]
    went_through: str = ""
    decided: str = ""
    denied: str = ""
    expected: str = ""
    loss: str = "victims_loss"
    spent: Mapping[str, str] = field(default_factory=dict)


ADVERSARIES = (
    Adversary("flash_governor", "Governor with borrowed votes", ("strikes", "refused"), "strikes",
              expected="expected_profit", spent={"flash_governor.borrowed": "tokens borrowed at most",
                                                 "flash_loans.premiums": "USD premiums of flash loans"}),
    Adversary("whale", "Whale with a laboratory", ("applications",),
              spent={"whale.bought": "GOV bought", "sybil.cost": "USD for identities"}),
    Adversary("bribery", "Briber of voters", ("attempts",), expected="expected_profit",
              spent={"bribery.paid": "USD bribes"}),
    Adversary("price_manipulator", "Manipulator of a price", ("attacks", "failed_attacks"), "attacks",
              expected="estimate", spent={"flash_loans.premiums": "USD premiums of flash loans"}),
    Adversary("sandwich", "Sandwich trader", ("attempts",), "attacks"),
    Adversary("oracle_briber", "Briber of oracles", ("filed",), decided="decided", denied="accuracy",
              expected="expected_profit", loss="pool_loss",
              spent={"oracle_briber.bribes_paid": "USD bribes", "oracle_briber.penalties": "USD penalties",
                     "oracle_briber.peak_locked": "USD locked at most"}),
    Adversary("fraud_ring", "Ring of false claims", ("filed",), decided="decided", denied="detection",
              loss="pool_loss", spent={"fraud_ring.penalties": "USD penalties"}),
)
"""Adversaries that report profit and victims' loss."""

COLUMNS = ("adversary", "attempts", "went_through", "expected", "profit", "loss")


def outcomes(metrics: Mapping[str, float]) -> pd.DataFrame:
    """A row for each adversary of the run, index its section: ``adversary`` (label), ``attempts`` and ``went_through``
    (numbers), ``expected``, ``profit`` and ``loss`` (of victims), in USD; NaN where it was not reported.

    >>> outcomes({"sandwich.attempts": 3.0, "sandwich.profit": 5.0})[["attempts", "profit"]].values.tolist()
    [[3.0, 5.0]]
    """
    rows = {}
    for one in ADVERSARIES:
        def value(name: str, one: Adversary = one) -> float:
            """The metric of this adversary, NaN where absent."""
            return metrics.get(f"{one.name}.{name}", float("nan")) if name else float("nan")

        tries = [value(name) for name in one.tries if f"{one.name}.{name}" in metrics]
        if not tries and f"{one.name}.profit" not in metrics:
            continue
        passed = value(one.went_through)
        if one.denied:
            passed = value(one.decided) * (1.0 - value(one.denied)) if value(one.decided) > 0 else value(one.decided)
        rows[one.name] = (one.label, sum(tries) if tries else float("nan"), passed, value(one.expected),
                          value("profit"), value(one.loss))
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))


def spending(run: Run, name: str) -> list[tuple[float, str]]:
    """(amount, what) that the adversary of section ``name`` paid or put up, without what was zero; amounts in the unit
    that the words begin with. Outlays are those of its events "attack".

    >>> spending(run, "fraud_ring")
    []
    """
    attacks = run.events[(run.events["kind"] == "attack") & (run.events["subject"] == name)]
    outlay = float(attacks["amount"].sum())
    found = next(one for one in ADVERSARIES if one.name == name)
    return ([(outlay, "USD put into the market to move its price")] if outlay else []) + [
        (run.metrics[metric], words) for metric, words in found.spent.items() if run.metrics.get(metric)]
