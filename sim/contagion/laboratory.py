"""The laboratory: what one failure does to a network, without the market. Experiments are lists of settings.

In a *threshold* run one institution fails and pays nothing (Gai & Kapadia 2010). In a *clearing* run its assets outside
the network are lost and all debts are cleared, deposits before debts within the network, so that creditors get what the
estates hold less the costs of bankruptcy (Rogers & Veraart 2013). A run is a function of (seed, its number, setting);
runs of one number share their random numbers across settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sim.contagion.cascade import Lending
from sim.contagion.clearing import clearing_vector
from sim.contagion.networks import TOPOLOGIES, Network, balance_sheets
from sim.kernel.draws import Draws, agent_key

SYSTEMIC = 0.05
"""A cascade is systemic where it fails at least this share of all institutions (Gai & Kapadia 2010)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of an experiment: position ``x`` of the curve ``series``, and what is run there.

    ``lent`` and ``capital`` are shares of total assets; with a network of one's own ``capital`` is a multiple of its
    institutions' capital. ``alpha`` and ``beta``: what bankruptcy leaves of cash and of receipts (clearing only).
    """

    series: str
    x: float
    topology: str = "erdos_renyi"
    count: int = 1000
    degree: float = 3.0
    lent: float = 0.2
    capital: float = 0.04
    spreads: Literal["threshold", "clearing"] = "threshold"
    alpha: float = 1.0
    beta: float = 1.0
    trigger: Literal["random", "most_owing"] = "random"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A question, the settings that answer it, what ``x`` is, and whether the analytic window applies."""

    name: str
    question: str
    x: str
    settings: tuple[Setting, ...]
    source: str
    runs: int = 1000
    analytic: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: who was shocked, how many of all failed, in how many rounds."""

    trigger: int
    failed: int
    depth: int
    count: int

    @property
    def share(self) -> float:
        """Share of institutions that failed."""
        return self.failed / self.count

    @property
    def systemic(self) -> bool:
        """Whether the share is that of a systemic failure."""
        return self.share >= SYSTEMIC


class Laboratory:
    """Runs settings on random networks, or on ``network`` where one is given."""

    def __init__(self, seed: int, network: Network | None = None) -> None:
        draws = Draws(seed)
        self.network = network
        self._links = draws.decision("laboratory.links")
        self._trigger = draws.decision("laboratory.trigger")
        self._lending: Lending | None = None

    def run(self, setting: Setting, number: int) -> Outcome:
        """Run ``number`` of ``setting``; on a given network the trigger is institution ``number``."""
        if self.network is None:
            links = TOPOLOGIES[setting.topology](setting.count, setting.degree, self._links, number)
            network = balance_sheets(links, setting.count, setting.lent, setting.capital)
            lending = None
            if setting.trigger == "most_owing":
                trigger = int(np.argmax(np.bincount(network.debtor, minlength=setting.count)))
            else:
                trigger = int(self._trigger.integers(number, int(agent_key("trigger")), setting.count))
        else:
            network = replace(self.network, capital=self.network.capital * setting.capital)
            trigger = number % network.count
            if self._lending is None:
                self._lending = Lending(network.debtor, network.creditor, network.amount, network.count)
            lending = self._lending
        if setting.spreads == "clearing":
            return clear_after(network, trigger, setting.alpha, setting.beta)
        lending = lending or Lending(network.debtor, network.creditor, network.amount, network.count)
        spread = lending.fail([trigger], network.capital)
        return Outcome(trigger, spread.size, spread.depth, network.count)


def clear_after(network: Network, trigger: int, alpha: float, beta: float) -> Outcome:
    """Clear all debts after ``trigger`` lost its assets outside the network; deposits rank before other debts."""
    count, deposits = network.count, network.deposits
    outside = network.outside.copy()
    outside[trigger] = 0.0
    depositors = np.full(count, count)  # one more position, which owes nothing
    found = clearing_vector(
        np.concatenate([network.debtor, np.arange(count)]), np.concatenate([network.creditor, depositors]),
        np.concatenate([network.amount, deposits]), np.append(outside, 0.0),
        np.concatenate([np.ones(network.debtor.size, dtype=np.int64), np.zeros(count, dtype=np.int64)]), alpha, beta)
    return Outcome(trigger, int(found.defaulted.sum()), max(0, int(found.wave.max(initial=0)) - 1), count)


# Experiments ----------------------------------------------------------------------------------------------------


def _grid(low: float, high: float, step: float) -> Iterable[float]:
    return (round(low + k * step, 10) for k in range(round((high - low) / step) + 1))


def _connectivity() -> Iterable[Setting]:
    for capital in (0.03, 0.04, 0.05):
        for degree in _grid(0.25, 11.0, 0.25):
            yield Setting(f"capital {100 * capital:g} %", degree, degree=degree, capital=capital)


def _capital() -> Iterable[Setting]:
    for degree in (2.0, 4.0, 7.0):
        for capital in _grid(0.005, 0.1, 0.0025):
            yield Setting(f"{degree:g} debtors on average", capital, degree=degree, capital=capital)


def _exposure() -> Iterable[Setting]:
    for degree in (2.0, 4.0, 7.0):
        for lent in _grid(0.02, 0.5, 0.02):
            yield Setting(f"{degree:g} debtors on average", lent, degree=degree, lent=lent)


def _costs() -> Iterable[Setting]:
    for degree in (2.0, 4.0, 7.0):
        for lost in _grid(0.0, 0.3, 0.02):
            yield Setting(f"{degree:g} debtors on average", lost, degree=degree, spreads="clearing",
                          alpha=1.0 - lost, beta=1.0 - lost)


def _topology() -> Iterable[Setting]:
    for degree in _grid(0.5, 11.0, 0.5):
        for topology, label in (("erdos_renyi", "random links"), ("core_periphery", "core and periphery"),
                                ("scale_free", "power-law degrees")):
            yield Setting(label, degree, topology=topology, degree=degree)
        yield Setting("power-law degrees, largest debtor fails", degree, topology="scale_free", degree=degree,
                      trigger="most_owing")


EXPERIMENTS: dict[str, Experiment] = {one.name: one for one in (
    Experiment("connectivity", "How often does one failure become systemic, and how far does it reach, as institutions "
               "have more debtors?", "debtors of an institution, mean", tuple(_connectivity()),
               "Gai & Kapadia 2010, figures 1 and 3", analytic=True),
    Experiment("capital", "How much capital stops a cascade?", "capital / total assets", tuple(_capital()),
               "after Nier, Yang, Yorulmazer & Alentorn 2007, figure 1; threshold rule of Gai & Kapadia 2010",
               analytic=True),
    Experiment("exposure", "How much lending among institutions makes a system fragile?",
               "claims on institutions / total assets", tuple(_exposure()),
               "after Nier, Yang, Yorulmazer & Alentorn 2007, figure 2; threshold rule of Gai & Kapadia 2010",
               analytic=True),
    Experiment("costs", "What share of an estate must bankruptcy destroy before losses spread without limit?",
               "share of estate lost", tuple(_costs()), "after Rogers & Veraart 2013", runs=200),
    Experiment("topology", "Do hubs make a system safer or more fragile?", "debtors of an institution, mean",
               tuple(_topology()), "after Caccioli, Catanach & Farmer 2012", runs=500),
)}


def own_experiments(network: Network) -> dict[str, Experiment]:
    """The experiments on a given network: each institution fails in turn."""
    everyone = network.count
    capital = tuple(Setting("each institution in turn", factor, capital=factor) for factor in _grid(0.1, 3.0, 0.1))
    costs = tuple(Setting("each institution in turn", lost, capital=1.0, spreads="clearing", alpha=1.0 - lost,
                          beta=1.0 - lost) for lost in _grid(0.0, 0.5, 0.05))
    return {
        "capital": Experiment("capital", "How much capital stops a cascade?", "capital / capital today", capital,
                              "the network given", everyone),
        "costs": Experiment("costs", "What share of an estate must bankruptcy destroy before losses spread?",
                            "share of estate lost", costs, "the network given", everyone),
    }
