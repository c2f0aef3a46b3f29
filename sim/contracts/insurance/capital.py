"""Required capital: regimes behind one interface, chosen by name.

Each regime says what capital a pool's book requires over one year, in base units. The minimum (MCR, which shuts the
withdrawal gate) is a share of it. Rounding: requirements are rounded up.

fixed_ratio       a share of annual premium
standard_formula  3 sigma V, V = annual premium + claim reserves (Solvency II, premium and reserve risk)
lognormal_var     99.5 % quantile less mean of a lognormal year with the book's own mean and coefficient of variation
nexus_cover       active cover / 4.8, moving at most 5 % a day and 1 % an update (Nexus Mutual)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sim.kernel.fixedpoint import BPS

DAY_SECONDS = 86_400
QUANTILE_995 = 2.5758293035489004
"""Standard normal quantile of 0.995."""


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
    """3 sigma V (Delegated Regulation (EU) 2015/35, articles 115 and 146)."""

    def desired(self, book: Book) -> int:
        volume = book.annual_premium + book.claim_reserves
        return math.ceil(3.0 * self.parameters.sigma * (1.0 - book.ceded.share) * volume)


class LognormalVaR(_Immediate):
    """VaR 99.5 % less mean of a lognormal annual loss whose CV falls with pool size to a systemic floor.

    A small pool's true quantile lies above the lognormal's, and the normal's lies below both.
    """

    _last = (0, 0.0, 0.0)
    """(members, factor of what is ceded, multiple) of the book seen last: most that follow each other have the same."""

    def desired(self, book: Book) -> int:
        members, factor, multiple = self._last
        if book.members <= 0:
            return 0
        ceded = book.ceded
        if (book.members, ceded.cv_factor) != (members, factor):
            cv = pool_cv(self.parameters.member_cv * ceded.cv_factor, self.parameters.systemic_sd, book.members)
            multiple = lognormal_multiple(cv)
            self._last = (book.members, ceded.cv_factor, multiple)
        kept = (1.0 - ceded.share) * book.expected_claims
        return math.ceil(ceded.net(kept, multiple * kept))


class NexusCover:
    """Active cover over the gearing, under the speed limits; the first requirement is taken at once. It is itself the
    minimum."""

    minimum_share = 1.0

    def __init__(self, parameters: CapitalParameters) -> None:
        self.gearing_bps = parameters.gearing_bps
        self.stored = 0
        self.updated = 0

    def desired(self, book: Book) -> int:
        return geared_cover(book.active_cover, self.gearing_bps)

    def required(self, book: Book, day: int) -> int:
        desired = self.desired(book)
        if self.stored == 0:
            self.stored = desired
        elif day > self.updated:
            self.stored = next_mcr(self.stored, desired, (day - self.updated) * DAY_SECONDS)
        self.updated = day
        return self.stored


REGIMES: dict[str, Callable[[CapitalParameters], CapitalRegime]] = {
    "fixed_ratio": FixedRatio,
    "standard_formula": StandardFormula,
    "lognormal_var": LognormalVaR,
    "nexus_cover": NexusCover,
}


def regime(name: str, parameters: CapitalParameters) -> CapitalRegime:
    """The regime of that name; ValueError naming the known ones where there is none."""
    if name not in REGIMES:
        raise ValueError(f"no capital regime {name!r}; there are {', '.join(REGIMES)}")
    return REGIMES[name](parameters)


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
