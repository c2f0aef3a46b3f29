"""What a proposal is worth to a delegate: stakes read off the ledger, ideal points, and grades for applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.contracts.governance.actions import ChangeParameter, FundProgramme, PayFromTreasury
from sim.kernel.fixedpoint import BPS, MICRO

if TYPE_CHECKING:
    from sim.agents.delegate import Delegate
    from sim.contracts.governance.governor import Proposal
    from sim.contracts.research.grants import Round
    from sim.kernel.draws import Decision
    from sim.mechanism import Market
    from sim.parameters import Parameter
    from sim.scenario.sections.delegates import DelegatesSection, Ideals

DAYS_PER_YEAR = 365.0
RANKED = 5
"""How many applications a delegate gives points to."""


class Interests:
    """Dollar values of proposals, by delegate."""

    def __init__(self, market: Market, section: DelegatesSection, opinion: Decision, evaluation: Decision) -> None:
        self._market = market
        self._section = section
        self._opinion = opinion
        self._evaluation = evaluation

    def _ideals(self, path: str) -> Ideals | None:
        return self._section.ideals.get(path)

    def ideal(self, kind: str, entry: Parameter) -> float:
        """Where the class wants a parameter, in the parameter's own unit; where it stands if there is no opinion."""
        ideals = self._ideals(entry.path)
        if ideals is None:
            return entry.value
        return entry.low + float(getattr(ideals, kind)) * (entry.high - entry.low)

    def stake(self, agent: Delegate) -> float:
        """Dollars that a delegate speaks for: the interest of its whole class, and the GOV it votes at fair value."""
        governance = self._market.mechanism("governance")
        checkpoint = governance.power.before(self._market.day)
        votes = checkpoint.of(agent.voter) / MICRO if checkpoint is not None else 0.0
        return self._class_stake(agent.kind) + votes * float(governance.fair_value())

    def _class_stake(self, kind: str) -> float:
        """Dollars a year (premiums, grants) or dollars at work (capital) of a whole class."""
        insurance, research = self._market.find("insurance"), self._market.find("research")
        if kind == "patients" and insurance is not None:
            written = sum(pool.totals.written for pool in insurance.pools)
            return written / MICRO * DAYS_PER_YEAR / max(self._market.day, 1)
        if kind == "liquidity_providers" and insurance is not None:
            return float(sum(pool.capital for pool in insurance.pools)) / MICRO
        if kind == "researchers" and research is not None:
            return float(research.yearly_grants())
        return 0.0

    def gain_per_range(self, agent: Delegate, path: str) -> float:
        """Dollars a year that a wanted move over the whole range of ``path`` is worth to a delegate."""
        ideals = self._ideals(path)
        return self.stake(agent) * (1.0 if ideals is None else ideals.weight) / 100.0

    def gain(self, agent: Delegate, proposal: Proposal) -> float:
        """Dollars that a delegate believes to gain (or lose) if ``proposal`` is carried out."""
        total = 0.0
        for serial, action in enumerate(proposal.actions):
            if isinstance(action, ChangeParameter):
                total += self._gain_of_change(agent, action, proposal.number, serial)
            elif isinstance(action, FundProgramme):
                total += self._gain_of_funding(agent, action, proposal.number, serial)
            elif isinstance(action, PayFromTreasury):
                total += self._gain_of_payment(agent, action, proposal.number, serial)
        return total

    def _gain_of_change(self, agent: Delegate, action: ChangeParameter, number: int, serial: int) -> float:
        if action.path not in self._market.parameters:
            return 0.0
        entry = self._market.parameters.get(action.path)
        span = entry.high - entry.low
        if span == 0.0:
            return 0.0
        ideal = self.ideal(agent.kind, entry)
        nearer = (abs(entry.value - ideal) - abs(action.value - ideal)) / span
        moved = abs(action.value - entry.value) / span
        error = self._opinion.normal(number, agent.key, serial) * self._section.opinion_noise / 100.0
        years = self._section.horizon_days / DAYS_PER_YEAR
        return (self.gain_per_range(agent, action.path) * nearer + self.stake(agent) * error * moved) * years

    def _gain_of_funding(self, agent: Delegate, action: FundProgramme, number: int, serial: int) -> float:
        governance = self._market.mechanism("governance")
        checkpoint = governance.power.before(self._market.day)
        own = checkpoint.of(agent.voter) / checkpoint.supply if checkpoint is not None else 0.0
        worth = float(getattr(self._section.grants, agent.kind))
        seen = worth * self._evaluation.lognormal(number, agent.key, 0.0, self._section.evaluation_noise, serial)
        return action.amount / MICRO * (seen - own)

    def _gain_of_payment(self, agent: Delegate, action: PayFromTreasury, number: int, serial: int) -> float:
        """The receiver gains it; everybody else loses a share of the treasury, and the grants it would have paid."""
        governance = self._market.mechanism("governance")
        if action.asset != governance.cash:
            return 0.0
        amount = action.amount / MICRO
        if action.account == agent.account:
            return amount
        checkpoint = governance.power.before(self._market.day)
        own = checkpoint.of(agent.voter) / checkpoint.supply if checkpoint is not None else 0.0
        grants = 0.0
        if "research.grants_share" in self._market.parameters:
            grants = self._market.parameters["research.grants_share"] * float(getattr(self._section.grants, agent.kind))
        seen = self._evaluation.lognormal(number, agent.key, 0.0, self._section.evaluation_noise, serial)
        return -amount * (own + grants) * float(seen)

    def points(self, agent: Delegate, current: Round) -> dict[int, int]:
        """Basis points for the applications a delegate thinks best: expected value per dollar asked for, with error."""
        count = len(current.applications)
        errors = self._evaluation.lognormal(-1 - current.number, np.full(count, agent.key, dtype=np.uint64), 0.0,
                                            self._section.evaluation_noise, np.arange(count))
        worth = errors * np.array([application.expected_value / application.amount
                                   for application in current.applications])
        best = np.argsort(-worth, kind="stable")[:RANKED]
        best = best[worth[best] > 0.0]
        if best.size == 0:
            return {}
        parts = np.floor(worth[best] / worth[best].sum() * BPS).astype(int)
        return dict(zip(best.tolist(), parts.tolist(), strict=True))
