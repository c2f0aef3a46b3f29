"""Mechanism "risk_models": what insurers believe about perils, each with a model that is blind to one category.

After isle (Heinrich, Sabuco and Farmer 2022). Model m knows the law of every category, but takes the events of
category m for smaller than they are. An insurer with that model

- adds to its first rate the expected cost of the perils that it sees (experience then corrects rates by credibility);
- sizes capital for a year whose common factor is 1 + the yearly cost of those perils, a compound Poisson law by FFT;
- protects its members from the categories that it sees, and not from the one that it does not.

Categories that are alike make all models equally bad, so that only who is wrong together differs between settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.aggregate_loss import Poisson, aggregate
from sim.contracts.insurance.capital import InternalModel, WithPerils
from sim.contracts.insurance.own_model import condensed
from sim.contracts.insurance.severity import Empirical, Floats, Layer, Mixture, Pareto, Severity, scaled
from sim.mechanism import Market, Mechanism
from sim.scenario.sections.perils import Peril
from sim.scenario.sections.risk_models import RiskModelsSection
from sim.world.care_tables import YEAR_DAYS
from sim.world.perils import KINDS

JOINT_DAYS = 90
"""Defaults within so many days of each other are joint."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What a model says of a year's perils, relative to expected claims without them: ``factors`` float64[k] (1 + what
    perils add) with ``weights`` float64[k], and the 99.5 % quantile of what they add."""

    factors: Floats
    weights: Floats
    quantile: float

    @property
    def load(self) -> float:
        """Expected cost of perils over expected claims without them."""
        return float(self.factors @ self.weights) - 1.0


def yearly_size(peril: Peril, regions: int, share_of_care: float) -> Severity:
    """Law of what one event adds to a year's claims of a member of any region, relative to a year without it."""
    # an event in one of several regions costs a pool with members in all of them that fraction of its size
    factor = peril.days / YEAR_DAYS * share_of_care / (regions if peril.regional else 1)
    return scaled(Layer(Pareto(peril.least_size, peril.tail_index), limit=peril.largest_size), factor)


def believe(severities: list[Severity], rates: Floats) -> Belief:
    """The belief that events of ``rates`` float64[c] a year with these ``severities`` come independently."""
    total = float(rates.sum())
    if total <= 0.0:
        return Belief(np.ones(1), np.ones(1), 0.0)
    mixture = Mixture(tuple(severities), tuple((rates / total).tolist()))
    loss = aggregate(Poisson(total), mixture, 5e-3, 0.9995)
    factors, weights = condensed(loss.grid, loss.masses)
    return Belief(1.0 + factors, weights, loss.quantile(0.995))


class RiskModels(Mechanism):
    """Beliefs of the insurers. ``models`` int64[pools]: the model of each, and so its blind category."""

    section: RiskModelsSection

    def setup(self, market: Market) -> None:
        section = self.section
        self.perils: Any = market.mechanism("perils")
        self.insurance: Any = market.mechanism("insurance")
        self.people = market.people
        categories: list[Peril] = self.perils.categories
        pools = len(self.insurance.pools)
        self.models: NDArray[np.int64] = (section.first_model + np.arange(pools) % section.models_in_use) % len(
            categories)
        shares = self._shares_of_care(market.mechanism("morbidity"))
        rates = np.array([peril.per_year for peril in categories])
        self.beliefs = {int(model): self._belief(int(model), categories, rates, shares)
                        for model in np.unique(self.models)}
        self._protects = np.full((pools + 1, len(categories)), section.protection)
        self._protects[np.arange(pools), self.models] = 0.0
        self._protects[pools] = 0.0  # who has no pool has no programme
        self.perils.protection = self.protection
        for index, pool in enumerate(self.insurance.pools):
            belief = self.belief(index)
            if isinstance(pool.regime, InternalModel):
                pool.regime.model.assume(belief.factors, belief.weights)
            else:
                pool.regime = WithPerils(pool.regime, max(belief.quantile - belief.load, 0.0))

    def _shares_of_care(self, morbidity: Any) -> list[float]:
        """Share of the cost of all care that each category hits, by published spending."""
        by_kind = morbidity.model.spending_by_kind()
        return [float(sum(by_kind[KINDS.index(kind)] for kind in set(peril.kinds)))
                for peril in self.perils.categories]

    def _belief(self, model: int, categories: list[Peril], rates: Floats, shares: list[float]) -> Belief:
        left = np.full(len(categories), 1.0 - self.section.protection)
        left[model] = 1.0 - self.section.blindness
        severities = [scaled(yearly_size(peril, self.perils.regions, share), max(kept, 1e-9))
                      if share > 0.0 else Empirical([0.0])
                      for peril, share, kept in zip(categories, shares, left, strict=True)]
        return believe(severities, rates)

    def belief(self, pool: int) -> Belief:
        """What the insurer of ``pool`` believes."""
        return self.beliefs[int(self.models[pool])]

    def protection(self, category: int, slots: NDArray[np.int64]) -> Floats:
        """Share of what an event of ``category`` adds that the insurers of these persons avert, float64[n]."""
        pools = self.people["pool"][slots]
        shares: Floats = self._protects[np.where(pools < 0, len(self._protects) - 1, pools), category]
        return shares

    def observe(self, market: Market) -> None:
        for index, pool in enumerate(self.insurance.pools):
            market.record.institution(pool.name, "risk_models.load", self.belief(index).load)

    def finish(self, market: Market) -> None:
        pools = self.insurance.pools
        days = np.sort(np.array([pool.defaulted_on for pool in pools if pool.defaulted_on is not None], dtype=np.int64))
        metric = market.record.metric
        metric("risk_models.default_rate", days.size / len(pools))
        together = np.searchsorted(days, days + JOINT_DAYS, side="right") - np.arange(days.size)
        metric("risk_models.joint_defaults", int(together.max()) if days.size else 0)
        metric("risk_models.joint_pairs", int((together - 1).sum()))
