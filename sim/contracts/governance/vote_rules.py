"""From voting power to votes: the rules a governor can count by, chosen by name.

A rule is a pure function of integers. Square roots are floored, which favours the status quo: nobody ever has more
votes than the exact rule would give.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isqrt
from typing import Protocol


class VoteRule(Protocol):
    """Votes cast by a voter whose power at the vote's reference is ``power``."""

    def __call__(self, power: int) -> int: ...


def token_weighted(power: int) -> int:
    """One token, one vote."""
    return power


def quadratic_votes(power: int) -> int:
    """Votes bought with ``power`` tokens when v votes cost v^2 (Lalley & Weyl 2018), floored."""
    return isqrt(power)


def quadratic_funding(contributions: Iterable[int]) -> int:
    """Total that a project receives under quadratic funding: (sum of square roots)^2, floored.

    Buterin, Hitzig & Weyl (2019). Exact for perfect squares; otherwise the roots are taken with 32 binary digits
    behind the point and floored, so that the matching pool is never overdrawn.
    """
    digits = 32
    roots = sum(isqrt(c << (2 * digits)) for c in contributions)
    return roots * roots >> (2 * digits)


VOTE_RULES: dict[str, VoteRule] = {"token_weighted": token_weighted, "quadratic": quadratic_votes,
                                   "conviction": token_weighted}
"""Rules that a scenario may name in ``governance.vote_rule``; conviction weighs tokens by how long they stay."""
