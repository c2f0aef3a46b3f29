"""Waterfall: which layer of a pool bears a claim, in order, and what is left unpaid.

    policy terms -> contractual reinsurance -> earned premium and claim reserves -> retained surplus
                 -> junior tranche -> senior capital -> shortfall shared pro rata

Policy terms are applied before a claim is made (:mod:`policy`); the other steps are *layers*, asked in the order of
the list. A layer says how much of each claim's remainder it bears. A money layer bears min(balance, sum of remainders),
shared over the claims pro rata and exactly; claims of one settlement have equal priority. Unearned premium is no layer.

What can never be: a layer bears more than it has or than is left of a claim; the parts of a claim and its unpaid rest
do not add up to the claim, to the unit. Rounding: the units of a shared layer fall in the order of the claims' hashed
numbers, so no claimant can choose his place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import share_pot

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

_HASH = np.uint64(0x9E3779B97F4A7C15)


@kernel
def draw(balance: int, wanted: int) -> int:
    """What a money layer gives: all that is wanted, or all it has. The compiled day (:mod:`batch`) uses it too."""
    return min(balance, wanted)


def sharing_order(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """uint64[n]: a place for each claim number that nobody chooses (a bijection, so no two claims tie)."""
    words = numbers.astype(np.uint64) * _HASH
    return (words ^ (words >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


class Layer(Protocol):
    """One step of the waterfall.

    ``account`` pays what the layer bears. A layer whose money must first be called in (reinsurance) collects it into
    its account inside :meth:`bear` and answers with what has really come.
    """

    name: str
    account: int

    def bear(self, remaining: NDArray[np.int64], order: NDArray[np.uint64]) -> NDArray[np.int64]:
        """int64[n]: the part of each claim's remainder that this layer pays now."""
        ...


class MoneyLayer:
    """A layer that bears claims from the balance of one account."""

    __slots__ = ("account", "asset", "ledger", "name")

    def __init__(self, name: str, ledger: Ledger, asset: int, account: int) -> None:
        self.name = name
        self.ledger = ledger
        self.asset = asset
        self.account = account

    def bear(self, remaining: NDArray[np.int64], order: NDArray[np.uint64]) -> NDArray[np.int64]:
        """All of it while the money lasts, else a pro-rata share of the balance."""
        wanted = int(remaining.sum())
        pot = draw(self.ledger.balance(self.asset, self.account), wanted)
        if pot == wanted:
            return remaining.copy()
        return share_pot(pot, remaining, order) if pot else np.zeros_like(remaining)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """How n claims were borne: ``parts`` int64[layers, n], ``unpaid`` int64[n], and their sums over the claims.

    Of each claim the parts and the unpaid rest add up to the claim.
    """

    layers: tuple[str, ...]
    parts: NDArray[np.int64]
    unpaid: NDArray[np.int64]
    by_layer: tuple[int, ...]
    unpaid_total: int

    @property
    def paid(self) -> NDArray[np.int64]:
        """int64[n]: what each claim receives."""
        total: NDArray[np.int64] = self.parts.sum(axis=0)
        return total


def run_waterfall(layers: list[Layer], claims: NDArray[np.int64], order: NDArray[np.uint64]) -> Breakdown:
    """Ask the layers in turn what they bear of ``claims`` int64[n]. Moves no money of the pool."""
    remaining = claims.copy()
    left = int(claims.sum())
    parts = np.zeros((len(layers), claims.size), dtype=np.int64)
    by_layer = [0] * len(layers)
    for place, layer in enumerate(layers):
        if left == 0:
            break
        part = layer.bear(remaining, order)
        if (part > remaining).any():
            raise AssertionError(f"layer {layer.name} bears more than was left of a claim")
        parts[place] = part
        remaining -= part
        by_layer[place] = int(part.sum())
        left -= by_layer[place]
    return Breakdown(tuple(layer.name for layer in layers), parts, remaining, tuple(by_layer), left)
