"""The committee's formulas on integers of any size, as published protocols state them.

Nothing here has state. What can never be: a share that makes or loses a unit (:func:`share_exactly`), a decision
carried by fewer votes than :func:`votes_needed`, a committee that an appeal makes smaller. Rounding: what a juror
loses is floored (in the juror's favour), shares of a pot are exact, a protocol's part of a bond is what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from sim.kernel.fixedpoint import BPS, mul_div

ApprovalRule = Literal["simple", "two_thirds"]

OCR_MAX_OBSERVERS = 31
"""Largest committee of an offchain-reporting aggregator."""


class CommitteeError(ValueError):
    """A report that the committee's rules do not accept."""


def votes_needed(rule: ApprovalRule, voters: int) -> int:
    """Votes that one side needs among ``voters``: more than half, or two thirds rounded up."""
    if rule == "simple":
        return voters // 2 + 1
    if rule == "two_thirds":
        return -(-2 * voters // 3)
    raise CommitteeError(f"unknown approval rule {rule!r}")


def appeal_size(seats: int) -> int:
    """Seats after an appeal: 2 n + 1, odd again (Kleros)."""
    return 2 * seats + 1


def upper_median(values: Sequence[int]) -> int:
    """Middle of the sorted values; of an even number the upper of the two middle ones, ``sorted[len // 2]``."""
    if not values:
        raise CommitteeError("the median of no reports is not defined")
    return sorted(values)[len(values) // 2]


def aggregate(observations: Sequence[int], observers: int, faulty: int, low: int, high: int) -> int:
    """Answer of an offchain-reporting round: the upper median of the observations.

    Args:
        observations: integer reports that arrived.
        observers: committee size n, at most 31 and above 3 ``faulty``.
        faulty: number f of dishonest observers that must do no harm; more than 2 f observations are needed, so that
            the median lies between two honest ones.
        low, high: the answer must lie inside these bounds.

    Raises:
        CommitteeError: where one of these conditions fails.
    """
    if not 0 < observers <= OCR_MAX_OBSERVERS:
        raise CommitteeError(f"a round has 1 .. {OCR_MAX_OBSERVERS} observers, not {observers}")
    if observers <= 3 * faulty:
        raise CommitteeError(f"{observers} observers do not withstand {faulty} faulty ones: n > 3 f is needed")
    if not 2 * faulty < len(observations) <= observers:
        raise CommitteeError(f"{len(observations)} observations: more than {2 * faulty}, at most {observers} needed")
    answer = upper_median(observations)
    if not low <= answer <= high:
        raise CommitteeError(f"answer {answer} is outside {low} .. {high}")
    return answer


def at_stake(minimum_stake: int, alpha_bps: int) -> int:
    """What a juror stands to lose per seat: minimum stake x alpha (Kleros), floored."""
    return mul_div(minimum_stake, alpha_bps, BPS)


def share_exactly(pot: int, weights: Sequence[int]) -> list[int]:
    """Split ``pot`` over ``weights`` in their order: differences of floor(pot C_k / C_n), C the prefix sums.

    The sum is exactly ``pot`` and each part is within one unit of its exact share. Without any weight nobody gets
    anything and the parts sum to zero.
    """
    total = sum(weights)
    parts, running, paid = [], 0, 0
    for weight in weights:
        running += weight
        upto = mul_div(pot, running, total) if total else 0
        parts.append(upto - paid)
        paid = upto
    return parts


def slash_and_share(
    stakes: Mapping[str, int], losers: Sequence[str], winners: Sequence[str], rate: int, one: int
) -> tuple[dict[str, int], int]:
    """Stakes after each loser lost ``rate / one`` of its stake to the winners, pro rata to their stakes (UMA voting).

    Returns the new stakes and the total slashed. Without winners nothing is taken.
    """
    taken = {name: mul_div(stakes[name], rate, one) for name in losers} if winners else {}
    pot = sum(taken.values())
    parts = share_exactly(pot, [stakes[name] for name in winners])
    after = dict(stakes)
    for name, loss in taken.items():
        after[name] -= loss
    for name, part in zip(winners, parts, strict=True):
        after[name] += part
    return after, pot


def dispute_payout(bond: int, burned: int, one: int) -> tuple[int, int]:
    """(winner, store) of a disputed assertion: the winner takes both bonds less ``burned / one`` of one bond (UMA).

    The store's part is floored, so that a unit of rounding stays with the winner; both sum to two bonds.
    """
    store = mul_div(bond, burned, one)
    return 2 * bond - store, store


def breakeven_match(reward: int, slash: int, cost: int = 0) -> Fraction:
    """Probability of voting with the majority from which q R - (1 - q) S >= c holds: (S + c) / (R + S)."""
    return Fraction(slash + cost, reward + slash)


def corruption_cost(stakes: Sequence[int]) -> int:
    """Stake that owns a majority of a committee at least cost: the floor(n/2)+1 smallest stakes of its members."""
    return sum(sorted(stakes)[: votes_needed("simple", len(stakes))])


@dataclass(frozen=True, slots=True)
class Bribe:
    """A promise to each juror who votes the bribed answer, kept only if that answer loses (p + epsilon).

    Let m be the majority of n jurors. If the truth wins, a true vote earns R and a bribed one -S + b; if the bribed
    answer wins, a bribed vote earns R and a true one -S, and nothing is promised. A juror whose vote decides earns R
    either way. So the bribed vote is never worse, and better but where it decides, if and only if b - S > R, hence
    b = R + S + epsilon: R alone or epsilon alone is not enough. Where losers' stakes are shared among the majority, a
    true vote earns more, most (``largest_share``) when n - m - 1 others vote the bribed answer, one short of deciding;
    the promise must cover that as well.

    The briber pays only when he loses, so that success costs him nothing. His promise is believed when he could keep
    it in every outcome that triggers it: at most n - m jurors can have voted the bribed answer and lost.
    ``largest_liability`` is that amount. ``budget`` takes one juror more (n odd), m (R + S + epsilon): the cost of
    bringing a whole majority to the bribed answer by paying each of them, which is the figure that a designer should
    hold against the briber's means.
    """

    reward: int
    slash: int
    epsilon: int
    seats: int
    shared: int = 0

    @property
    def majority(self) -> int:
        """ceil((n + 1) / 2) votes."""
        return (self.seats + 2) // 2

    @property
    def largest_share(self) -> int:
        """What a true vote can win of the losers' stakes while a promise is at issue: (n - m - 1) S / (m + 1)."""
        return mul_div(self.seats - self.majority - 1, self.slash, self.majority + 1)

    @property
    def promise(self) -> int:
        """Payment per juror that makes the bribed vote dominant: R + S + shared + epsilon."""
        return self.reward + self.slash + self.shared + self.epsilon

    @property
    def budget(self) -> int:
        """m (R + S + epsilon)."""
        return self.majority * self.promise

    @property
    def largest_liability(self) -> int:
        """The most that the contingent promise can ever cost."""
        return (self.seats - self.majority) * self.promise

    def payoff(self, votes_bribed: bool, others_bribed: int, promise: int) -> int:
        """A juror's payoff when ``others_bribed`` of the other n - 1 jurors vote the bribed answer, for ``promise``.

        Decided by simple majority; a tie pays and takes nothing.
        """
        bribed = others_bribed + int(votes_bribed)
        true = self.seats - bribed
        if bribed >= self.majority:
            return self.reward if votes_bribed else -self.slash
        if true >= self.majority:
            return promise - self.slash if votes_bribed else self.reward
        return 0
