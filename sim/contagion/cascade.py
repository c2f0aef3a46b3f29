"""Cascades: who failed, in which round, through which channel.

A *threshold* cascade is that of Gai & Kapadia (2010): a failed debtor pays nothing, and a creditor fails once its
losses reach its capital. A *clearing* cascade lets the estates of the failed pay what they have, and so knows the waves
of fictitious default. Round 0 holds what failed before anything spread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.contagion.clearing import Clearing
from sim.contagion.debts import money, positions
from sim.kernel.compiled import kernel

EQUAL = 1e-9
"""Relative difference under which a loss equals the capital: 20 % over 5 debtors is no less than 4 %."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: position of the institution, round, and the channel through which the loss came."""

    institution: int
    round: int
    channel: str


@dataclass(frozen=True, slots=True)
class Cascade:
    """Failures in the order in which they happened."""

    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, failures: Iterable[Failure]) -> Cascade:
        """Sorted by round; an institution fails once, at its first."""
        first: dict[int, Failure] = {}
        for failure in sorted(failures, key=lambda one: one.round):
            first.setdefault(failure.institution, failure)
        return cls(tuple(sorted(first.values(), key=lambda one: (one.round, one.institution))))

    @classmethod
    def of_clearing(cls, found: Clearing, channel: str = "clearing", cause: str = "shock") -> Cascade:
        """Wave 1 fails of its own losses, ``cause``, and is round 0; the later waves fail through ``channel``."""
        return cls.of(Failure(int(i), int(found.wave[i]) - 1, cause if found.wave[i] == 1 else channel)
                      for i in np.flatnonzero(found.wave))

    @property
    def size(self) -> int:
        """Number of failures."""
        return len(self.failures)

    @property
    def spread(self) -> int:
        """Failures after round 0: those that contagion caused."""
        return sum(failure.round > 0 for failure in self.failures)

    @property
    def depth(self) -> int:
        """Number of the last round, 0 where nothing spread."""
        return max((failure.round for failure in self.failures), default=0)

    def by_channel(self) -> dict[str, int]:
        """Number of failures through each channel, by name."""
        names = sorted({failure.channel for failure in self.failures})
        return {name: sum(failure.channel == name for failure in self.failures) for name in names}

    def joined(self, later: Cascade, after: int | None = None) -> Cascade:
        """This cascade followed by ``later``, whose rounds begin ``after`` (default: after this one's last)."""
        start = (self.depth + 1 if self.failures else 0) if after is None else after
        moved = (Failure(one.institution, one.round + start, one.channel) for one in later.failures)
        return Cascade.of((*self.failures, *moved))


@kernel
def spread_losses(first: Any, creditor: Any, loss: Any, capital: Any, seeds: Any, round_of: Any, lost: Any) -> int:
    """Let the ``seeds`` fail and follow the losses, breadth first; returns the number of failures.

    ``first`` int64[n + 1]: first debt of each debtor; ``creditor`` int64[m]; ``loss`` float64[m]: what the creditor of
    each debt loses; ``round_of`` int64[n], out: round of failure, -1 for none; ``lost`` float64[n], out.
    """
    queue = np.empty(capital.size, dtype=np.int64)
    tail = 0
    round_of[:] = -1
    lost[:] = 0.0
    for i in seeds:
        if round_of[i] < 0:
            round_of[i] = 0
            queue[tail] = i
            tail += 1
    head = 0
    while head < tail:
        i = queue[head]
        head += 1
        for e in range(first[i], first[i + 1]):
            j = creditor[e]
            lost[j] += loss[e]
            if round_of[j] < 0 and loss[e] > 0.0 and lost[j] >= capital[j] * (1.0 - EQUAL):
                round_of[j] = round_of[i] + 1
                queue[tail] = j
                tail += 1
    return tail


@dataclass(frozen=True, slots=True)
class Spread:
    """A threshold cascade: ``round_of`` int64[n] (-1: survived) and ``lost`` float64[n] of each."""

    round_of: NDArray[np.int64]
    lost: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of failures, seeds included."""
        return int((self.round_of >= 0).sum())

    @property
    def depth(self) -> int:
        """Number of the last round."""
        return max(0, int(self.round_of.max(initial=0)))

    def cascade(self, channel: str = "default", cause: str = "shock") -> Cascade:
        """The same as a list of failures."""
        return Cascade.of(Failure(int(i), int(self.round_of[i]), channel if self.round_of[i] else cause)
                          for i in np.flatnonzero(self.round_of >= 0))


class Lending:
    """Who loses how much when a debtor fails, sorted by debtor: prepared once, then shocked many times."""

    def __init__(self, debtors: ArrayLike, creditors: ArrayLike, amounts: ArrayLike, count: int,
                 loss_given_default: float = 1.0) -> None:
        debtor = positions(debtors, count, "debtors")
        order = np.argsort(debtor, kind="stable")
        self.count = count
        self.creditor = positions(creditors, count, "creditors")[order]
        self.loss = loss_given_default * money(amounts, debtor.size, "amounts", np.float64)[order]
        self.first = np.concatenate([[0], np.cumsum(np.bincount(debtor, minlength=count))]).astype(np.int64)

    def fail(self, seeds: ArrayLike, capital: ArrayLike) -> Spread:
        """The cascade that the failure of ``seeds`` (positions) starts among institutions of that ``capital`` [n].

        An institution whose losses reach its capital has failed: it is solvent only with equity above nothing.
        """
        round_of, lost = np.empty(self.count, dtype=np.int64), np.empty(self.count)
        spread_losses(self.first, self.creditor, self.loss, money(capital, self.count, "capitals", np.float64),
                      positions(seeds, self.count, "seeds"), round_of, lost)
        return Spread(round_of, lost)


def threshold_cascade(debtors: ArrayLike, creditors: ArrayLike, amounts: ArrayLike, capital: ArrayLike,
                      seeds: ArrayLike, loss_given_default: float = 1.0) -> Spread:
    """One threshold cascade; see :class:`Lending` for many of one network."""
    return Lending(debtors, creditors, amounts, np.size(capital), loss_given_default).fail(seeds, capital)


def survival_function(sizes: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Complementary cumulative distribution: the distinct sizes, rising, and the share of cascades of at least each."""
    found, counts = np.unique(np.asarray(sizes, dtype=np.float64), return_counts=True)
    return found, counts[::-1].cumsum()[::-1] / max(1, counts.sum())
