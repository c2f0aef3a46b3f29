"""An epidemic without a market: given persons in given regions, day by day, and what became of it.

The same :class:`~sim.world.epidemic.transmission.Transmission` that the market uses; here nobody is treated, pays or is
insured. For verification and for experiments on transmission alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.columns import FOUNDING_DAY, person_keys
from sim.kernel.draws import Draws
from sim.world.epidemic.transmission import Law, State, Transmission, uniform_mixing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Path:
    """``counts`` int64[days + 1, regions, states]: persons by state at the start of each day, and after the last;
    ``cases`` is the number of first cases."""

    counts: Ints
    cases: int

    @property
    def infected(self) -> int:
        """Persons infected by others; without waning."""
        return int(self.counts[0, :, State.SUSCEPTIBLE].sum() - self.counts[-1, :, State.SUSCEPTIBLE].sum())

    @property
    def infectious(self) -> Ints:
        """int64[days + 1]: infectious persons of all regions."""
        found: Ints = self.counts[:, :, State.INFECTIOUS].sum(axis=1)
        return found

    @property
    def peak_day(self) -> int:
        """The day at whose start most are infectious; the first of several."""
        return int(np.argmax(self.infectious))


def run_epidemic(
    law: Law, sizes: Ints, cases: int, seed: int, days: int, mobility: float = 0.0, contacts: Floats | None = None,
    first_region: int = 0, enough: int | None = None,
) -> Path:
    """Run one epidemic among ``sizes`` int64[regions] persons after ``cases`` in ``first_region``.

    Parameters
    ----------
    mobility: share of contacts with other regions, see :func:`~sim.world.epidemic.transmission.uniform_mixing`.
    contacts: float64[days] relative to normal in all regions; normal throughout where it is None.
    enough: stop after the day on which so many persons were infected, first cases included.

    A path ends when nobody is infected any more, or after ``days``.
    """
    sizes = np.asarray(sizes, dtype=np.int64)
    region = np.repeat(np.arange(sizes.size), sizes).astype(np.int16)
    transmission = Transmission(law, person_keys(FOUNDING_DAY, region.size), region, uniform_mixing(sizes, mobility),
                                Draws(seed))
    started = transmission.seed(0, cases, first_region).size
    counts = [transmission.counts.copy()]
    for day in range(days):
        if not transmission.alive or (enough is not None and transmission.infections.sum() >= enough):
            break
        level = None if contacts is None else np.full(sizes.size, contacts[day])
        transmission.advance(day, level)
        counts.append(transmission.counts.copy())
    return Path(np.array(counts), started)
