"""Award by conviction: an application is paid once the support behind it has lasted long enough for what it asks.

Holds no money. A ranking stakes its votes, by points, on applications from its day on; see
:mod:`sim.contracts.governance.conviction` for the formulas. What can never be: an award of a share beta of the funds.
Rounding: none; conviction and threshold are compared as fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from sim.contracts.governance.conviction import SCALE, Conviction, conviction_after, conviction_threshold
from sim.kernel.fixedpoint import BPS


class ConvictionAward:
    """Terms with what they are measured against: ``funds`` (base units of cash), ``supply`` of votes, ``today``."""

    def __init__(self, terms: Conviction, funds: Callable[[], int], supply: Callable[[], int],
                 today: Callable[[], int]) -> None:
        self._terms = terms
        self.funds = funds
        self._supply = supply
        self.today = today

    def convinced(self, amount: int, stakes: Iterable[tuple[int, int]], staked: int, funds: int) -> bool:
        """Whether ``stakes``, pairs (day of the ranking, votes x points), carry ``amount`` of ``funds`` today.

        ``staked`` is the sum of votes x points on all applications. The day of the ranking counts as one.
        """
        if funds <= 0:
            return False
        terms, alpha = self._terms, Fraction(self._terms.decay, SCALE)
        conviction = sum((conviction_after(Fraction(0), Fraction(votes, BPS), self.today() - day + 1, alpha)
                          for day, votes in stakes), Fraction(0))
        threshold = conviction_threshold(
            Fraction(amount, funds), Fraction(terms.active(staked // BPS, self._supply())), alpha,
            Fraction(terms.most, SCALE), Fraction(terms.weight, SCALE))
        return threshold is not None and conviction >= threshold
