"""Networks of institutions: who owes whom, and the balance sheets around it.

Links are drawn by name (:mod:`sim.kernel.draws`): a network is a function of the seed and its number. A topology gives
links (debtor, creditor) without loops or doubles; ``degree`` is the expected number of links out of, and into, an
institution. Balance sheets follow Gai & Kapadia (2010): all institutions have the same total assets, a given share of
them lent within the network in equal parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.contagion.debts import BadDebts, totals
from sim.kernel.draws import Decision

Links = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Debtor and creditor of each link, int64[m]."""

Topology = Callable[[int, float, Decision, int], Links]
"""(institutions, expected degree, source of randomness, number of the network) -> links."""

MOST_SCALINGS = 10_000


@dataclass(frozen=True, slots=True)
class Network:
    """n institutions and the m debts between them, in any one unit of money.

    ``debtor``, ``creditor`` int64[m]; ``amount`` float64[m]; ``outside`` float64[n]: assets outside the network;
    ``capital`` float64[n]: equity; ``names`` of the institutions.
    """

    debtor: NDArray[np.int64]
    creditor: NDArray[np.int64]
    amount: NDArray[np.float64]
    outside: NDArray[np.float64]
    capital: NDArray[np.float64]
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of institutions."""
        return int(self.capital.size)

    @property
    def lent(self) -> NDArray[np.float64]:
        """float64[n]: claims of each within the network."""
        return totals(self.creditor, self.amount, self.count)

    @property
    def borrowed(self) -> NDArray[np.float64]:
        """float64[n]: debts of each within the network."""
        return totals(self.debtor, self.amount, self.count)

    @property
    def deposits(self) -> NDArray[np.float64]:
        """float64[n]: what each owes outside the network: what assets leave after debts and capital, or nothing."""
        return np.maximum(0.0, self.outside + self.lent - self.borrowed - self.capital)


# Topologies -----------------------------------------------------------------------------------------------------


def _pairs(numbers: NDArray[np.int64], count: int) -> Links:
    """Links by number, 0 .. n (n - 1) - 1: the debtor, then the creditor among the others."""
    debtor, other = numbers // (count - 1), numbers % (count - 1)
    return debtor, other + (other >= debtor)


def _distinct(total: int, share: float, draw: Decision, number: int, key: int) -> NDArray[np.int64]:
    """Each of 0 .. ``total`` - 1 with probability ``share``: geometric gaps between those that are taken."""
    if total <= 0 or share <= 0.0:
        return np.zeros(0, dtype=np.int64)
    if share >= 1.0:
        return np.arange(total)
    most = int(total * share + 12.0 * math.sqrt(total * share) + 40.0)
    keys = np.arange(most, dtype=np.uint64) + (np.uint64(key) << np.uint64(40))
    gaps = np.floor(np.log(draw.uniform(number, keys)) / math.log1p(-share)) + 1.0
    taken = np.cumsum(np.minimum(gaps, float(total))) - 1.0
    return taken[taken < total].astype(np.int64)


def erdos_renyi(count: int, degree: float, draw: Decision, number: int) -> Links:
    """Each of the n (n - 1) links with the same probability (Erdos & Renyi 1959, directed)."""
    return _pairs(_distinct(count * (count - 1), degree / (count - 1), draw, number, 0), count)


def scale_free(count: int, degree: float, draw: Decision, number: int, exponent: float = 2.5) -> Links:
    """Degrees with a power-law tail: ends chosen in proportion to weights i^(-1/(exponent - 1)) (Goh, Kahng & Kim
    2001, directed; an institution that borrows much lends much). Loops and doubles are drawn again, a few times."""
    weights = np.arange(1.0, count + 1.0) ** (-1.0 / (exponent - 1.0))
    upto = np.cumsum(weights / weights.sum())
    wanted = min(round(count * degree), count * (count - 1) // 2)
    found = np.zeros(0, dtype=np.int64)
    for attempt in range(64):
        missing = wanted - found.size
        if missing <= 0:
            break
        keys = np.arange(missing, dtype=np.uint64)
        ends = [np.minimum(np.searchsorted(upto, draw.uniform(number, keys, 2 * attempt + side)), count - 1)
                for side in (0, 1)]
        fresh = (ends[0] * count + ends[1])[ends[0] != ends[1]]
        found = np.unique(np.concatenate([found, fresh]))
    return found // count, found % count


def core_periphery(count: int, degree: float, draw: Decision, number: int, core: float = 0.1) -> Links:
    """A core in which all are linked as densely as the degree allows, and a periphery linked to the core alone
    (Craig & von Peter 2014): half of the links join periphery and core, each way, as far as there is room."""
    inner = max(2, round(core * count))
    within = inner * (inner - 1)
    between = 2 * inner * (count - inner)
    links = degree * count
    dense = min(1.0, 0.5 * links / within)
    debtor, creditor = _pairs(_distinct(within, dense, draw, number, 0), inner)
    cross = _distinct(between, min(1.0, (links - dense * within) / max(between, 1)), draw, number, 1)
    hub, spoke = cross // 2 % inner, inner + cross // 2 // inner
    lends = cross % 2 == 0
    return (np.concatenate([debtor, np.where(lends, spoke, hub)]),
            np.concatenate([creditor, np.where(lends, hub, spoke)]))


def complete(count: int, degree: float, draw: Decision, number: int) -> Links:
    """Everybody linked to everybody (Allen & Gale 2000); the degree is n - 1 whatever is asked for."""
    return _pairs(np.arange(count * (count - 1)), count)


def ring(count: int, degree: float, draw: Decision, number: int) -> Links:
    """Each owes the next ``degree`` institutions of a circle (Allen & Gale 2000 for degree 1)."""
    steps = min(max(1, round(degree)), count - 1)
    debtor = np.repeat(np.arange(count), steps)
    return debtor, (debtor + np.tile(np.arange(1, steps + 1), count)) % count


TOPOLOGIES: dict[str, Topology] = {
    "erdos_renyi": erdos_renyi, "scale_free": scale_free, "core_periphery": core_periphery, "ring": ring,
    "complete": complete,
}


def maximum_entropy(lent: NDArray[np.float64], borrowed: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[n, n], what i owes j, where only totals are known: as even as they allow, nobody owing itself (Upper &
    Worms 2004). Rows and columns are scaled in turn until both totals are met. Raises :class:`BadDebts`."""
    if lent.shape != borrowed.shape or abs(lent.sum() - borrowed.sum()) > 1e-9 * lent.sum():
        raise BadDebts("what is lent and what is borrowed must have one length and one sum")
    if (lent + borrowed > lent.sum() * (1.0 + 1e-12)).any():
        raise BadDebts("an institution lends and borrows more than the others can borrow and lend")
    owed = np.outer(borrowed, lent)
    np.fill_diagonal(owed, 0.0)
    for _ in range(MOST_SCALINGS):
        rows = owed.sum(axis=1)
        owed *= np.divide(borrowed, rows, out=np.zeros_like(rows), where=rows > 0.0)[:, None]
        columns = owed.sum(axis=0)
        owed *= np.divide(lent, columns, out=np.zeros_like(columns), where=columns > 0.0)
        if np.abs(owed.sum(axis=1) - borrowed).max() <= 1e-12 * lent.sum():
            break
    return owed


# Balance sheets -------------------------------------------------------------------------------------------------


def balance_sheets(links: Links, count: int, lent: float = 0.2, capital: float = 0.04) -> Network:
    """Total assets of 1 for each; ``lent`` of it within the network, in equal parts over its debtors (nothing where it
    has none); ``capital`` as a share of total assets. Deposits close the sheet; who borrows more than the rest of its
    sheet holds has the difference outside."""
    if not (0.0 <= lent <= 1.0 and 0.0 <= capital <= 1.0):
        raise BadDebts("the shares of total assets that are lent and that are capital lie between 0 and 1")
    debtor, creditor = links
    debtors_of = np.bincount(creditor, minlength=count)
    amount = lent / np.maximum(debtors_of, 1)[creditor]
    own = np.where(debtors_of > 0, lent, 0.0)
    borrowed = totals(debtor, amount, count)
    equity = np.full(count, capital)
    return Network(debtor, creditor, amount, np.maximum(1.0 - own, borrowed + equity - own), equity)
