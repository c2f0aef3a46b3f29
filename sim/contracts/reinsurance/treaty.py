"""A treaty in force: what it has ceded, to whom, and what each seller owes and has paid of it.

Holds, for one cedant and one term, the subject losses so far, what each layer has taken, and one *line* for every
seller of every layer. It covers losses incurred in its term, whenever they are approved ("losses occurring"), and pays
what the cedant has accepted, whether or not the cedant could pay it (insolvency clause). What can never be: a layer
takes more than its limit and its reinstatements; lines add up to anything but what was ceded; a line is paid more than
it owes.
Rounding: see :mod:`sim.contracts.insurance.treaties`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.treaties import (
    SHARE,
    UNLIMITED,
    Basis,
    Layer,
    cede_in_order,
    commission,
    layer_part,
    share_lines,
)
from sim.kernel.fixedpoint import mul_div

if TYPE_CHECKING:
    from sim.contracts.reinsurance.parties import Party

NOBODY = -1
"""Insured person of a loss that is no claim of a person: one assumed from another cedant."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a treaty says. ``commission`` is of ceded premium, in millionths, for a quota share; ``expected_share`` the
    part of subject losses that was expected to be ceded when it was priced, ``expected_losses`` those losses."""

    name: str
    form: str
    basis: Basis
    layers: tuple[Layer, ...]
    start: int
    days: int
    lag_days: int = 0
    event_days: int = 30
    covers_inward: bool = False
    commission: int = 0
    expected_share: float = 0.0
    expected_losses: int = 0

    @property
    def end(self) -> int:
        """First day that is not covered."""
        return self.start + self.days

    @property
    def proportional(self) -> bool:
        """Whether it shares premium and losses alike."""
        return self.form == "quota_share"


@dataclass(slots=True)
class Line:
    """One seller's part of one layer. ``share`` in millionths of the layer; ``premium`` is its weight in the treaty's
    premium, ``exposure`` what it may have to pay of a bad year, base units; ``waiting`` are the amounts that it owes,
    each with the day on which it falls due, in the order of those days."""

    treaty: Treaty
    layer: int
    seller: Party
    share: int
    premium: int
    exposure: int
    ceded: int = 0
    recovered: int = 0
    written_off: int = 0
    waiting: deque[tuple[int, int]] = field(default_factory=deque)

    @property
    def owed(self) -> int:
        """Ceded, not yet paid, and not given up."""
        return self.ceded - self.recovered - self.written_off

    def take(self, day: int, amount: int) -> None:
        """It takes ``amount`` of a loss approved today and owes it after the lag, never before what it took earlier."""
        self.ceded += amount
        due = day + self.treaty.terms.lag_days + self.seller.extra_lag_days
        if self.waiting:
            due = max(due, self.waiting[-1][0])
        self.waiting.append((due, amount))

    def due(self, day: int) -> int:
        """What has fallen due by ``day`` and is unpaid."""
        total = 0
        for when, amount in self.waiting:
            if when > day:
                break
            total += amount
        return total

    def pay(self, amount: int) -> None:
        """Take note of a payment, oldest debt first. AssertionError above what is owed."""
        self._strike(amount)
        self.recovered += amount

    def write_off(self, amount: int) -> None:
        """Give up what will not be paid."""
        self._strike(amount)
        self.written_off += amount

    def _strike(self, amount: int) -> None:
        if amount > self.owed:
            raise AssertionError(f"a line of {self.treaty.terms.name} is paid more than it owes")
        while amount > 0:
            when, first = self.waiting.popleft()
            if first > amount:
                self.waiting.appendleft((when, first - amount))
            amount -= min(first, amount)


@dataclass(frozen=True, slots=True)
class Placement:
    """A seller's part of a layer before it is in force; fields as of :class:`Line`."""

    seller: Party
    share: int
    premium: int = 1
    exposure: int = 0


class Treaty:
    """One treaty of ``buyer`` in force; ``lines[k]`` are the sellers of layer k, whose shares make up its share."""

    def __init__(self, terms: Terms, buyer: Party, sellers: list[list[Placement]], people: int = 0) -> None:
        self.terms = terms
        self.buyer = buyer
        self.lines = [[Line(self, k, one.seller, one.share, one.premium, one.exposure) for one in row]
                      for k, row in enumerate(sellers)]
        for layer, row in zip(terms.layers, self.lines, strict=True):
            if sum(line.share for line in row) != layer.share:
                raise ValueError(f"lines of {terms.name} do not add up to what is placed of its layer")
        windows = -(-terms.days // terms.event_days)
        size = {"year": 1, "event": windows, "risk": people}[terms.basis]
        self.used: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self.taken: NDArray[np.int64] = np.zeros(len(terms.layers), dtype=np.int64)
        self.subject = 0
        self.ceded = 0
        self.premium_paid = 0
        self.earned_from = buyer.earned
        self._table = np.array([[layer.retention, layer.limit, layer.annual_limit, layer.share]
                                for layer in terms.layers], dtype=np.int64)

    # Losses --------------------------------------------------------------------------------------------------

    def covers(self, incurred: NDArray[np.int64], insured: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64[n]: the place of each loss among the subject losses, -1 where it is not covered."""
        terms = self.terms
        places = np.zeros_like(incurred)
        if terms.basis == "event":
            places = (incurred - terms.start) // terms.event_days
        elif terms.basis == "risk":
            places = insured.copy()
        inside = (incurred >= terms.start) & (incurred < terms.end)
        if not terms.covers_inward:
            inside &= insured != NOBODY
        places[~inside] = -1
        return places

    def cede(
        self, day: int, amounts: NDArray[np.int64], incurred: NDArray[np.int64], insured: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[tuple[Line, int, int]]]:
        """Cede losses int64[n], approved today, in row order.

        Returns what is ceded of each, int64[n], and (line, day incurred, amount) of what each line takes.
        """
        places = self.covers(incurred, insured)
        rows = np.flatnonzero(places >= 0)
        total = np.zeros_like(amounts)
        if rows.size == 0:
            return total, []
        parts = np.zeros((len(self.lines), rows.size), dtype=np.int64)
        subject = np.ascontiguousarray(amounts[rows])
        cede_in_order(subject, places[rows], self.used, self._table, self.taken, parts)
        total[rows] = parts.sum(axis=0)
        self.subject += int(subject.sum())
        self.ceded += int(parts.sum())
        taken: list[tuple[Line, int, int]] = []
        for row, part in zip(self.lines, parts, strict=True):
            if row and part.any():
                days, which = np.unique(incurred[rows], return_inverse=True)
                sums = np.zeros(days.size, dtype=np.int64)
                np.add.at(sums, which, part)
                for when, amount in zip(days.tolist(), sums.tolist(), strict=True):
                    for line, own in zip(row, share_lines(amount, [line.share for line in row]), strict=True):
                        if own:
                            line.take(day, own)
                            taken.append((line, when, own))
        return total, taken

    def estimate(self, day: int, reserves: int) -> list[int]:
        """Best estimate of what each layer will take (its placed share) of ``reserves`` not yet approved, floored.

        Those of a year or window join its losses as they stand; of losses per insured the expected share is taken,
        corrected by experience with the weight of a year's expected losses.
        """
        terms = self.terms
        if terms.basis == "risk":
            weight = terms.expected_losses
            share = (self.ceded + terms.expected_share * weight) / max(self.subject + weight, 1)
            whole = int(reserves * min(share, 1.0))
            expected = [max(line_share, 1) for line_share in self._table[:, 3].tolist()]
            return share_lines(whole, expected)
        place = 0
        if terms.basis == "event":
            place = min(max(day - terms.start, 0) // terms.event_days, self.used.size - 1)
        used = int(self.used[place])
        result = []
        for layer, taken in zip(terms.layers, self.taken.tolist(), strict=True):
            part = (layer_part(used + reserves, layer.retention, layer.limit)
                    - layer_part(used, layer.retention, layer.limit))
            result.append(mul_div(min(part, layer.annual_limit - taken), layer.share, SHARE))
        return result

    # Premium -------------------------------------------------------------------------------------------------

    def premium_until(self, day: int) -> tuple[int, int]:
        """(gross premium, ceding commission) that the term up to and including ``day`` has cost, reinstatements
        included. A quota share takes its share of the premium that the cedant earned meanwhile."""
        terms = self.terms
        if terms.proportional:
            gross = mul_div(max(self.buyer.earned - self.earned_from, 0), terms.layers[0].share, SHARE)
            return gross, commission(gross, terms.commission)
        elapsed = min(max(day + 1 - terms.start, 0), terms.days)
        gross = sum(mul_div(layer.premium, elapsed, terms.days) + layer.reinstatement_premium(taken)
                    for layer, taken in zip(terms.layers, self.taken.tolist(), strict=True))
        return gross, 0

    # Figures and rollback ------------------------------------------------------------------------------------

    def limit(self) -> int:
        """Placed limit over the year of all layers that have one."""
        return sum(mul_div(layer.annual_limit, layer.share, SHARE)
                   for layer in self.terms.layers if layer.annual_limit < UNLIMITED)

    def every_line(self) -> list[Line]:
        """The lines of all layers."""
        return [line for row in self.lines for line in row]

    def state(self) -> Any:
        """A copy, for :meth:`restore`."""
        lines = [(line.ceded, line.recovered, line.written_off, line.waiting.copy()) for line in self.every_line()]
        return self.used.copy(), self.taken.copy(), self.subject, self.ceded, self.premium_paid, lines

    def restore(self, state: Any) -> None:
        """Go back to an earlier :meth:`state`."""
        used, taken, self.subject, self.ceded, self.premium_paid, lines = state
        self.used, self.taken = used.copy(), taken.copy()
        for line, (ceded, recovered, written_off, waiting) in zip(self.every_line(), lines, strict=True):
            line.ceded, line.recovered, line.written_off, line.waiting = ceded, recovered, written_off, waiting.copy()
