"""Required capital: regimes behind one interface, chosen by name.

Each regime says what capital a pool's book requires over one year, in base units. The minimum (MCR, which shuts the
withdrawal gate) is a share of it. Rounding: requirements are rounded up.

fixed_ratio       a share of annual premium
standard_formula  3 sigma V, V = annual premium + claim reserves (Solvency II, premium and reserve risk of NSLT health),
                  with the pandemic add-on where one is given
lognormal_var     99.5 % quantile less mean of a lognormal year with the book's own mean and coefficient of variation
own_model         99.5 % VaR (or 99 % TVaR) less mean of the pool's own aggregate loss, by FFT: an internal model
nexus_cover       active cover / 4.8, moving at most 5 % a day and 1 % an update (Nexus Mutual)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sim.contracts.insurance.own_model import Measure, OwnModel
from sim.kernel.fixedpoint import BPS

DAY_SECONDS = 86_400
QUANTILE_995 = 2.5758293035489004
"""Standard normal quantile of 0.995."""

PANDEMIC_SHARE = 0.4
"""Share of the insured whom the pandemic of the standard formula makes ill (article 163)."""

LARGEST_CAP = 1e9
"""A sum assured of more than that many times the expected cost is no cap."""


@dataclass(frozen=True, slots=True)
class Ceded:
    """What reinsurance in force takes of a year's losses. ``share`` of expected claims goes to proportional and
    per-risk covers, which leave a member's cost with ``cv_factor`` times its coefficient of variation; of what is left,
    each of ``layers`` (attachment, limit, placed share, expected cession; base units) takes its part of the year."""

    share: float = 0.0
    cv_factor: float = 1.0
    layers: tuple[tuple[int, int, float, int], ...] = ()

    def net(self, mean: float, unexpected: float) -> float:
        """Unexpected loss (quantile less mean) after the layers, of a year with that ``mean`` and ``unexpected`` loss
        before them: a layer takes its part of the quantile, and its expected cession off the mean."""
        if not self.layers:
            return unexpected
        quantile = mean + unexpected
        taken = sum(share * min(max(quantile - attachment, 0.0), limit) - expected
                    for attachment, limit, share, expected in self.layers)
        return max(unexpected - taken, 0.0)


NOTHING_CEDED = Ceded()


class Book(NamedTuple):
    """What a regime looks at: one pool's business in force, and what of it is ceded. Money in base units."""

    members: int
    annual_premium: int
    expected_claims: int
    claim_reserves: int
    active_cover: int
    ceded: Ceded = NOTHING_CEDED


@dataclass(frozen=True, slots=True)
class CapitalParameters:
    """Parameters of all regimes; see the section "insurance" for meaning, range and source of each."""

    fixed_ratio: float = 0.25
    sigma: float = 0.05
    member_cv: float = 3.93846
    systemic_sd: float = 0.05
    gearing_bps: int = 48_000
    minimum_share: float = 0.45
    reserve_sigma: float = 0.0
    pandemic_cost: int = 0
    zero_share: float = 0.133297
    own_quantile: float = 0.995
    own_measure: Measure = "var"
    own_credibility: float = 10_000.0
    updates_per_day: int = 1
    lump_sum: bool = False


class CapitalRegime(Protocol):
    """A regime. ``minimum_share`` of what it requires is the MCR."""

    minimum_share: float

    def desired(self, book: Book) -> int:
        """Capital that ``book`` requires, base units. Changes nothing: books may be hypothetical."""
        ...

    def required(self, book: Book, day: int) -> int:
        """Capital in force on ``day`` for the book in force; a regime with speed limits remembers the day before."""
        ...


class _Immediate:
    """A regime without speed limits."""

    def __init__(self, parameters: CapitalParameters) -> None:
        self.parameters = parameters
        self.minimum_share = parameters.minimum_share

    def desired(self, book: Book) -> int:
        raise NotImplementedError

    def required(self, book: Book, day: int) -> int:
        return self.desired(book)


class FixedRatio(_Immediate):
    """A share of annual premium."""

    def desired(self, book: Book) -> int:
        return math.ceil(self.parameters.fixed_ratio * (1.0 - book.ceded.share) * book.annual_premium)


class StandardFormula(_Immediate):
    """Solvency II, NSLT health (Delegated Regulation (EU) 2015/35): premium and reserve risk 3 sigma V (articles 146
    to 148) and, where a pandemic's cost per insured is given, the pandemic sub-module 0.4 N M (article 163), joined
    with a correlation of one quarter (article 144).

    Lapse, mass accident and concentration are left out: contracts end within the year, and bills are of illness.
    """

    def desired(self, book: Book) -> int:
        p, kept = self.parameters, 1.0 - book.ceded.share
        premium, reserves = book.annual_premium, book.claim_reserves
        if not p.reserve_sigma:
            underwriting = 3.0 * p.sigma * kept * (premium + reserves)
        else:
            underwriting = 3.0 * kept * joined(p.sigma * premium, p.reserve_sigma * reserves, 0.5)
        if not p.pandemic_cost:
            return math.ceil(underwriting)
        return math.ceil(joined(underwriting, PANDEMIC_SHARE * book.members * p.pandemic_cost * kept, 0.25))


class LognormalVaR(_Immediate):
    """VaR 99.5 % less mean of a lognormal annual loss whose CV falls with pool size to a systemic floor.

    A small pool's true quantile lies above the lognormal's, and the normal's lies below both.
    """

    _last = ((0, 1.0), 0.0)
    """(members, factor on their CV), multiple of the book seen last: most books that follow each other are alike."""

    def desired(self, book: Book) -> int:
        seen, multiple = self._last
        if book.members <= 0:
            return 0
        ceded = book.ceded
        if (book.members, ceded.cv_factor) != seen:
            seen = book.members, ceded.cv_factor
            cv = pool_cv(self.parameters.member_cv * ceded.cv_factor, self.parameters.systemic_sd, book.members)
            multiple = lognormal_multiple(cv)
            self._last = seen, multiple
        kept = (1.0 - ceded.share) * book.expected_claims
        return math.ceil(ceded.net(kept, multiple * kept))


class InternalModel(_Immediate):
    """VaR (or TVaR) less mean of the pool's own aggregate loss (:class:`sim.contracts.insurance.own_model.OwnModel`):
    published member years, own experience by credibility, and a factor common to all."""

    def __init__(self, parameters: CapitalParameters) -> None:
        super().__init__(parameters)
        self.model = OwnModel(parameters.member_cv, parameters.zero_share, parameters.systemic_sd,
                              parameters.own_quantile, parameters.own_measure, parameters.own_credibility,
                              parameters.lump_sum)

    def desired(self, book: Book) -> int:
        if book.members <= 0 or book.expected_claims <= 0:
            return 0
        ceded = book.ceded
        cap = book.active_cover / book.expected_claims if book.active_cover else math.inf
        # a cover that leaves members with f times their CV does for the sum what 1 / f^2 as many members would
        alike = max(round(book.members / max(ceded.cv_factor, 0.01) ** 2), 1)
        kept = (1.0 - ceded.share) * book.expected_claims
        return math.ceil(ceded.net(kept, self.model.multiple(alike, min(cap, LARGEST_CAP)) * kept))


class WithPerils:
    """A regime, and on top of it what an insurer believes that perils of a bad year cost beyond their mean: a multiple
    of expected claims."""

    def __init__(self, inner: CapitalRegime, multiple: float) -> None:
        self.inner = inner
        self.multiple = multiple
        self.minimum_share = inner.minimum_share

    def desired(self, book: Book) -> int:
        return self.inner.desired(book) + self._perils(book)

    def required(self, book: Book, day: int) -> int:
        return self.inner.required(book, day) + self._perils(book)

    def _perils(self, book: Book) -> int:
        return math.ceil(self.multiple * (1.0 - book.ceded.share) * book.expected_claims)


class NexusCover:
    """Active cover over the gearing, under the speed limits; the first requirement is taken at once. It is itself the
    minimum. Anybody may update it once an hour: at one update a day it moves by 1 %, at five or more by up to 5 %."""

    minimum_share = 1.0

    def __init__(self, parameters: CapitalParameters) -> None:
        self.gearing_bps = parameters.gearing_bps
        self.updates_per_day = parameters.updates_per_day
        self.stored = 0
        self.updated = 0

    def desired(self, book: Book) -> int:
        return geared_cover(book.active_cover, self.gearing_bps)

    def required(self, book: Book, day: int) -> int:
        desired = self.desired(book)
        if self.stored == 0:
            self.stored = desired
        elif day > self.updated and self.updates_per_day == 1:
            self.stored = next_mcr(self.stored, desired, (day - self.updated) * DAY_SECONDS)
        elif day > self.updated:
            for _ in range((day - self.updated) * self.updates_per_day):
                self.stored = next_mcr(self.stored, desired, DAY_SECONDS // self.updates_per_day)
        self.updated = day
        return self.stored


REGIMES: dict[str, Callable[[CapitalParameters], CapitalRegime]] = {
    "fixed_ratio": FixedRatio,
    "standard_formula": StandardFormula,
    "lognormal_var": LognormalVaR,
    "own_model": InternalModel,
    "nexus_cover": NexusCover,
}


def regime(name: str, parameters: CapitalParameters) -> CapitalRegime:
    """The regime of that name; ValueError naming the known ones where there is none."""
    if name not in REGIMES:
        raise ValueError(f"no capital regime {name!r}; there are {', '.join(REGIMES)}")
    return REGIMES[name](parameters)


def joined(first: float, second: float, correlation: float) -> float:
    """Two requirements together: sqrt(a^2 + 2 r a b + b^2)."""
    return math.sqrt(first * first + 2.0 * correlation * first * second + second * second)


def pool_cv(member_cv: float, systemic_sd: float, members: int) -> float:
    """CV of the total of ``members`` independent costs of CV ``member_cv`` times one common factor of sd
    ``systemic_sd``: cv^2 / N + s^2 (1 + cv^2 / N), square root."""
    own = member_cv**2 / members
    return math.sqrt(own + systemic_sd**2 * (1.0 + own))


def lognormal_multiple(cv: float, quantile: float = QUANTILE_995) -> float:
    """(quantile - mean) / mean of a lognormal with coefficient of variation ``cv``:
    exp(z sqrt(ln(1 + cv^2))) / sqrt(1 + cv^2) - 1."""
    variance = math.log1p(cv * cv)
    return math.exp(quantile * math.sqrt(variance)) / math.sqrt(1.0 + cv * cv) - 1.0


def geared_cover(active_cover: int, gearing_bps: int) -> int:
    """floor(active cover x 10000 / gearing); big integers welcome."""
    return active_cover * BPS // gearing_bps


def next_mcr(stored: int, desired: int, elapsed_seconds: int, daily_bps: int = 500, update_bps: int = 100) -> int:
    """The minimum capital requirement after ``elapsed_seconds``: towards ``desired``, by at most ``daily_bps`` a day
    (whole basis points) and ``update_bps`` in one update. Big integers welcome."""
    change = min(daily_bps * elapsed_seconds // DAY_SECONDS, update_bps)
    if desired > stored:
        return min(stored * (BPS + change) // BPS, desired)
    return max(stored * (BPS - change) // BPS, desired)


def mcr_ratio_bps(capital: int, mcr: int) -> int:
    """floor(capital x 10000 / MCR), the MCR % in basis points; ZeroDivisionError where nothing is required."""
    return capital * BPS // mcr
