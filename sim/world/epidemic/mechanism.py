"""Mechanism "epidemic": infections of the day, and what they do to care, work and elective treatment.

Order of a day: authorities look at the diagnoses of the last seven days; infections; diagnoses and stays that begin;
elective care that is put off or returns. Patients, insurers and liquidity providers see nothing of it but the care, the
claims and the pay that follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.epidemic import EpidemicSection, InterventionShock
from sim.world.epidemic.deferral import DeferredCare
from sim.world.epidemic.illness import Illness
from sim.world.epidemic.interventions import PER, Interventions
from sim.world.epidemic.report import Day, EpidemicReport
from sim.world.epidemic.transmission import NEVER, Law, Transmission, uniform_mixing

YEAR_DAYS = 365
WEEK = 7

Ints = NDArray[np.int64]


class Epidemic(Mechanism):
    """Columns ``infection`` (see :class:`~sim.world.epidemic.transmission.State`) and ``infection_change``, the day on
    which it changes next. ``transmission`` holds counts by region, ``deferred`` the care that waits."""

    section: EpidemicSection
    hooks = (Hook(Phase.CARE, "spread", after=("population", "morbidity")),)
    shocks = {"epidemic_seed": "seed", "intervention": "intervene"}  # noqa: RUF012

    def setup(self, market: Market) -> None:
        section, people, draws = self.section, market.people, market.draws
        self.market = market
        self.regions: tuple[str, ...] = market.mechanism("population").regions
        count = len(self.regions)
        law = Law(section.reproduction_number, section.latent_days, section.infectious_days, section.immunity_days)
        sizes = np.bincount(people["region"], minlength=count)
        if section.mixing and len(section.mixing) != count:
            raise ValueError(f"epidemic.mixing has {len(section.mixing)} rows for {count} regions")
        mixing = np.array(section.mixing) if section.mixing else uniform_mixing(sizes, section.mobility)
        self.transmission = Transmission(
            law, people["key"], people["region"], mixing, draws, people.add("infection", np.int8, 0),
            people.add("infection_change", np.int32, NEVER))
        self.interventions = Interventions(section.interventions, count, section.deferral.half_life_days)
        self.illness = Illness(section, people["key"], people["age"], draws)
        self.deferred = DeferredCare(section.deferral, draws)
        self._job = draws.decision("epidemic.job")
        self._idle: dict[int, Ints] = {}
        self._recent: Ints = np.zeros((WEEK, count), dtype=np.int64)
        self.report = EpidemicReport(self.regions, self.transmission)
        self.today = Day()

    def start(self, market: Market) -> None:
        self.morbidity: Any = market.mechanism("morbidity")
        self.economy: Any = market.find("economy")
        self.insurance: Any = market.find("insurance")

    # Shocks --------------------------------------------------------------------------------------------------

    def seed(self, region: int, cases: int, share: float) -> None:
        """Shock ``epidemic_seed``."""
        sizes = self.transmission.sizes
        if region >= sizes.size:
            raise ValueError(f"there is no region {region}; there are {sizes.size}, numbered from 0")
        day = self.market.day
        total = int(sizes.sum() if region < 0 else sizes[region])
        slots = self.transmission.seed(day, cases + round(share * total), region)
        self.illness.begin(day, slots)
        self.report.begin(day, self._insured())
        self.report.note_infected(slots)

    def intervene(self, days: int, **measure: Any) -> None:
        """Shock ``intervention``."""
        self.interventions.impose(InterventionShock(days=days, **measure), self.market.day, days)

    # The day -------------------------------------------------------------------------------------------------

    def spread(self, market: Market) -> None:
        """All of today."""
        day, transmission, interventions = market.day, self.transmission, self.interventions
        weekly = self._recent.sum(axis=0) * (PER / np.maximum(transmission.sizes, 1))
        interventions.update(day, weekly)
        changes = transmission.advance(day, interventions.contacts, interventions.mixing(transmission.mixing))
        self.illness.begin(day + 1, changes.infectious)  # infectious from tomorrow on
        self.report.note_infected(changes.exposed)
        diagnosed = self.illness.diagnosed_on(day)
        sick = self.illness.today(day, diagnosed)
        self._recent[day % WEEK] = np.bincount(transmission.region[diagnosed], minlength=len(self.regions))
        self.today = Day(weekly=weekly, diagnosed=diagnosed.size, episodes=sick.episodes)
        self._defer(day, weekly)
        self.morbidity.add(sick.episodes)
        self._lose_pay(sick.slots, sick.days)
        if diagnosed.size and self.insurance is not None:
            self.report.insured_diagnosed += int((market.people["pool"][diagnosed] >= 0).sum())

    def _defer(self, day: int, weekly: NDArray[np.float64]) -> None:
        """Put off elective care of today, and bring back what returns."""
        care, morbidity, region = self.deferred, self.morbidity, self.transmission.region
        level = care.level(weekly, self.interventions.deferring)
        deferred, returned = care.deferred, care.returned
        if level.any() and len(morbidity.today):
            morbidity.keep(care.put_off(day, morbidity.today, region, level))
        morbidity.add(care.due(day, region, level))
        self.today.deferred, self.today.returned = care.deferred - deferred, care.returned - returned

    def _lose_pay(self, slots: Ints, days: Ints) -> None:
        """Pay lost to illness that begins today, and to today's interventions."""
        if self.economy is None:
            return
        people = self.market.people
        working = people["employed"][slots] & self.economy.paid_by_firms[slots]
        slots, days = slots[working], days[working]
        unpaid = 1.0 - self.section.sick_pay_share
        lost = np.floor(people["income"][slots] * days / YEAR_DAYS * unpaid).astype(np.int64)
        total = self.economy.withhold(slots, lost)
        for number, rule in enumerate(self.interventions.rules):
            active = rule.since >= 0
            if rule.measure.job_loss_share > 0.0 and active.any():
                idle = self._idle_by(number, rule.measure.job_loss_share)
                idle = idle[active[self.transmission.region[idle]] & people["employed"][idle]]
                total += self.economy.withhold(idle, people["income"][idle] // YEAR_DAYS)
        self.today.lost_income = total

    def _idle_by(self, number: int, share: float) -> Ints:
        """Who loses its pay while measure ``number`` is in force, slots int64[n]: the same persons on every day."""
        if number not in self._idle:
            hit = self._job.bernoulli(0, self.transmission.keys, share, number)
            self._idle[number] = np.flatnonzero(hit & self.economy.paid_by_firms)
        return self._idle[number]

    def _insured(self) -> int:
        return int((self.market.people["pool"] >= 0).sum()) if self.insurance is not None else 0

    # Observation ---------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        self.report.record_day(market, self.today, self.interventions, self.deferred)

    def finish(self, market: Market) -> None:
        self.report.record_run(market, self.interventions, self.deferred)

    def invariants(self) -> list[tuple[str, Any]]:
        """Everybody is in one state, and no care that was put off is forgotten."""

        def everybody_counted() -> str | None:
            found = np.zeros_like(self.transmission.counts)
            np.add.at(found, (self.transmission.region, self.transmission.state), 1)
            if not np.array_equal(found, self.transmission.counts):
                return "persons by region and state are not what was counted"
            return None

        return [("everybody_counted", everybody_counted), ("deferred_care_balances", self.deferred.balance)]
