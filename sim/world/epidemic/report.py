"""What is recorded of an epidemic: the day's figures, figures by region, and figures of the run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Market
from sim.scenario.sections.epidemic import QUARTER_DAYS, QUARTERS
from sim.world.care_process import Episodes
from sim.world.care_tables import Kind
from sim.world.epidemic.deferral import DeferredCare
from sim.world.epidemic.interventions import Interventions
from sim.world.epidemic.transmission import State, Transmission

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Day:
    """Sums of one day; money in base units."""

    weekly: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    diagnosed: int = 0
    episodes: Episodes = field(default_factory=Episodes.none)
    deferred: int = 0
    returned: int = 0
    lost_income: int = 0


class EpidemicReport:
    """Collects the figures of one epidemic."""

    def __init__(self, regions: tuple[str, ...], transmission: Transmission) -> None:
        self.regions = regions
        self.transmission = transmission
        self.began: int | None = None
        self.insured_at_start = 0
        self.insured_diagnosed = 0
        self.diagnosed = 0
        self.stays = self.intensive_stays = 0
        self.care_cost = 0
        self.lost_income = 0
        self.first_reproduction = math.nan
        self._ever: NDArray[np.bool_] | None = None
        self._peak = (0, -1)
        self._infected_yesterday = 0
        self._quarter_start = 0
        self._highest_quarter = 0
        self._books = (0, 0)
        self._loss_ratios: list[float] = []

    def begin(self, day: int, insured: int) -> None:
        """The first cases."""
        if self.began is None:
            self.began, self.insured_at_start = day, insured

    def note_infected(self, slots: Ints) -> None:
        """Who is infected, for the first time or again."""
        if slots.size:
            if self._ever is None:
                self._ever = np.zeros(self.transmission.keys.size, dtype=np.bool_)
            self._ever[slots] = True

    def record_day(self, market: Market, today: Day, interventions: Interventions, care: DeferredCare) -> None:
        """Record the day's series and advance the run's figures."""
        transmission, series = self.transmission, market.record.series
        persons = max(transmission.keys.size, 1)
        infections = int(transmission.infections.sum())
        infectious = transmission.counts[:, State.INFECTIOUS]
        stays = int((today.episodes.kind != Kind.INFECTION).sum())
        series("epidemic.infections", infections - self._infected_yesterday)
        series("epidemic.diagnoses", today.diagnosed)
        series("epidemic.stays", stays)
        series("epidemic.prevalence", int(infectious.sum()) / persons)
        series("epidemic.susceptible", int(transmission.counts[:, State.SUSCEPTIBLE].sum()) / persons)
        series("epidemic.contacts", float(interventions.contacts @ transmission.sizes) / persons)
        series("epidemic.deferred", today.deferred / MICRO)
        series("epidemic.returned", today.returned / MICRO)
        series("epidemic.pending", care.pending / MICRO)
        series("epidemic.lost_income", today.lost_income / MICRO)
        reproduction = transmission.reproduction_number
        if math.isfinite(reproduction):
            series("epidemic.reproduction_number", reproduction)
            if math.isnan(self.first_reproduction):
                self.first_reproduction = reproduction
        for index, region in enumerate(self.regions):
            size = max(int(transmission.sizes[index]), 1)
            market.record.institution(region, "epidemic.region_prevalence", int(infectious[index]) / size)
            market.record.institution(region, "epidemic.region_attack_rate",
                                      int(transmission.infections[index]) / size)
        self._infected_yesterday = infections
        self.diagnosed += today.diagnosed
        self.stays += stays
        self.intensive_stays += int((today.episodes.kind == Kind.INTENSIVE).sum())
        self.care_cost += int(today.episodes.cost.sum())
        self.lost_income += today.lost_income
        self._peak = max(self._peak, (int(infectious.sum()), -market.day))
        if market.day % QUARTER_DAYS == QUARTER_DAYS - 1:
            self._close_quarter(market, infections)

    def _close_quarter(self, market: Market, infections: int) -> None:
        self._highest_quarter = max(self._highest_quarter, infections - self._quarter_start)
        self._quarter_start = infections
        insurance: Any = market.find("insurance")
        if insurance is None:
            return
        earned = sum(pool.totals.earned for pool in insurance.pools)
        incurred = sum(insurance.report_figures.incurred(pool) for pool in insurance.pools)
        premium, claims = earned - self._books[0], incurred - self._books[1]
        self._books = (earned, incurred)
        self._loss_ratios.append(claims / premium if premium > 0 else math.nan)

    def record_run(self, market: Market, interventions: Interventions, care: DeferredCare) -> None:
        """Record the figures of the run."""
        transmission, metric = self.transmission, market.record.metric
        persons = max(transmission.keys.size, 1)
        infections = int(transmission.infections.sum())
        highest = max(self._highest_quarter, infections - self._quarter_start)
        metric("epidemic.attack_rate", infections / persons)
        metric("epidemic.final_size", 0.0 if self._ever is None else float(self._ever.mean()))
        metric("epidemic.attack_rate_highest_quarter", highest / persons)
        if self._peak[0] > 0:
            metric("epidemic.peak_day", -self._peak[1])
        metric("epidemic.peak_prevalence", self._peak[0] / persons)
        metric("epidemic.reproduction_number_first", self.first_reproduction)
        metric("epidemic.intervention_days", interventions.days)
        metric("epidemic.diagnosed", self.diagnosed / persons)
        if self.insured_at_start:
            metric("epidemic.insured_diagnosed", self.insured_diagnosed / self.insured_at_start)
        metric("epidemic.stays", self.stays)
        metric("epidemic.intensive_stays", self.intensive_stays)
        metric("epidemic.care_cost", self.care_cost / MICRO)
        metric("epidemic.deferred", care.deferred / MICRO)
        metric("epidemic.returned", care.returned / MICRO)
        metric("epidemic.lost", care.lost / MICRO)
        metric("epidemic.pending", care.pending / MICRO)
        metric("epidemic.lost_income", self.lost_income / MICRO)
        for quarter, ratio in enumerate(self._loss_ratios[:QUARTERS], start=1):
            metric(f"epidemic.loss_ratio_q{quarter}", ratio)
