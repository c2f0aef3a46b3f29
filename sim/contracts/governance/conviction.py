"""Conviction voting: support counts the more the longer it stays, and dear requests need more of it.

A stake x that stays t days turns the conviction y into y a^t + x (1 - a^t) / (1 - a). A request for the share r of the
common funds passes at conviction rho S / ((1 - a) (beta - r)^2), with S the tokens staked on anything, at least a floor
of the supply; at r >= beta nothing passes it. Formulas: 1Hive, ConvictionVoting.sol and its trigger notebook.
Rounding: conviction is floored each day and the threshold rounded up, both in favour of the funds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

SCALE = 1_000_000


def conviction_after(start: Fraction, stake: Fraction, days: int, alpha: Fraction) -> Fraction:
    """Conviction ``days`` after it was ``start``, with ``stake`` unchanged: the closed form, exact."""
    kept = alpha**days
    return start * kept + stake * (1 - kept) / (1 - alpha)


def conviction_threshold(share: Fraction, supply: Fraction, alpha: Fraction, beta: Fraction,
                         rho: Fraction) -> Fraction | None:
    """Conviction at which a request for ``share`` of the funds passes; None where no conviction is enough."""
    return rho * supply / ((1 - alpha) * (beta - share) ** 2) if share < beta else None


@dataclass(frozen=True, slots=True)
class Conviction:
    """Terms in millionths: ``decay`` (alpha, a day), ``most`` (beta), ``weight`` (rho), ``floor`` of active supply."""

    decay: int
    most: int
    weight: int
    floor: int

    def next(self, conviction: int, stake: int) -> int:
        """Conviction a day later."""
        return conviction * self.decay // SCALE + stake

    def active(self, staked: int, supply: int) -> int:
        """S: what is staked on any proposal, at least the floor's share of the supply."""
        return max(staked, supply * self.floor // SCALE)

    def threshold(self, requested: int, funds: int, staked: int, supply: int) -> int | None:
        """Least whole conviction that carries a request; None where none does, as when there are no funds."""
        if requested and funds <= 0:
            return None
        found = conviction_threshold(Fraction(requested, max(funds, 1)), Fraction(self.active(staked, supply)),
                                     Fraction(self.decay, SCALE), Fraction(self.most, SCALE),
                                     Fraction(self.weight, SCALE))
        return None if found is None else -(-found.numerator // found.denominator)
