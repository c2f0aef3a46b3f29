"""The core of the market on columns against the same rules as plain Mesa objects: patient-days per second, their ratio.

The rules: pay, tax and spending on a monthly payday; care of four services by Poisson draws with the person's own rates
and season, costs with a lognormal body and a Pareto tail; demand by coinsurance; the split of a bill by the policy's
terms, or by public cover, with charity care and debts; monthly premiums shared with a sponsor and earned by the day;
claims paid from the claims fund, surplus, junior and senior capital; trust. Money is whole base units in both.

The plain model is built from the state of a market of columns after its first day (the same persons, covers, premiums
and pools), so both start alike. It leaves out open enrolment, reserves, capital requirements, flows and observations;
the columns do all of it every day, and their year is shown with and without the first day, on which everybody compares
plans. The plan of the year's care, made on that day, counts in both. The plain model's lean form draws one Poisson
number for the four services together where the straightforward form draws four.

    python -m benchmarks plain_mesa
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._plain_model import YEAR, PlainMarket
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

CORE = """
name: core
stage: 3
population: {patients: 1000}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
insurance: {}
insurers: {}
claims: {mode: automatic}
"""
"""The part of a stage-3 market whose rules the plain model repeats; claims are approved as filed."""

JUNIOR, SENIOR = 0.4, 1.2
"""Opening capital of each pool, in multiples of what its regime will require."""


def core_market(patients: int, days: int) -> HealthMarket:
    """The market of :data:`CORE` with capital in its pools, before its first day."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "core.yaml"
        path.write_text(CORE, encoding="utf-8")
        scenario = load_scenario(path, [("population.patients", str(patients)), ("horizon_days", str(days))])
    market = HealthMarket(scenario, 1)
    insurers = market.mechanism("insurers")
    owner = market.ledger.open_account("investor", "liquidity_providers")
    for index, pool in enumerate(market.mechanism("insurance").pools):
        required = insurers.opening_requirement(index)
        insurers.stake_junior(market, index, int(JUNIOR * required))
        senior = int(SENIOR * required)
        market.endow(owner, senior)
        pool.deposit(owner, senior, "senior")
    return market


@dataclass(slots=True)
class Meter:
    """A market, of either form, and what its days since ``begin`` cost and brought."""

    market: Any
    people: int
    days: int = 0
    seconds: float = 0.0

    def run(self, days: int) -> None:
        """Advance ``days``; thread time counts."""
        start = time.thread_time()
        for _ in range(days):
            self.market.step()
        self.seconds += time.thread_time() - start
        self.days += days

    @property
    def rate(self) -> float:
        """Patient-days per second."""
        return self.people * self.days / self.seconds


def spending(meter: Meter, care: int) -> float:
    """Dollars per person and year."""
    return care / MICRO / meter.people / meter.days * YEAR


class ColumnSums:
    """Care and claims of a market of columns since this was made."""

    def __init__(self, market: HealthMarket) -> None:
        self.market = market
        self.pools = market.mechanism("insurance").pools
        self.care, self.approved, self.earned = self._now()

    def _now(self) -> tuple[int, int, int]:
        return (int(self.market.people["spent_this_year"].sum()), sum(pool.totals.approved for pool in self.pools),
                sum(pool.totals.earned for pool in self.pools))

    def figures(self, meter: Meter) -> tuple[float, float]:
        """(care per person and year in dollars, claims over earned premium)."""
        care, approved, earned = self._now()
        return spending(meter, care - self.care), (approved - self.approved) / (earned - self.earned)


def plain_figures(meter: Meter) -> tuple[float, float]:
    """The same of the plain model."""
    pools = meter.market.pools
    return (spending(meter, meter.market.care),
            sum(pool.incurred for pool in pools) / sum(pool.earned for pool in pools))


def require_same_work(figures: dict[str, tuple[float, float]]) -> None:
    """AssertionError unless care and loss ratio are of one size in all forms."""
    reference = figures["columns"]
    for name, form in figures.items():
        for what, one, other in zip(("spending", "loss ratio"), form, reference, strict=True):
            assert 0.5 < one / other < 2.0, f"{name} differs in {what}: {one:.3f}, columns {other:.3f}"


def main(people: int = 2_000, patients: int = 400_000, rounds: int = 7) -> None:
    """Print the table. The forms take turns, so that the machine's speed of the moment is the same for all."""
    small, large = core_market(people, YEAR), core_market(patients, YEAR)
    small.step()
    first = Meter(large, patients)
    first.run(1)
    planning = large.plan.hook_seconds["morbidity.onset"]
    meters = {"plain Mesa": Meter(PlainMarket(small, 1), people),
              "plain Mesa, lean draws": Meter(PlainMarket(small, 2, lean=True), people),
              "columns, the same people": Meter(small, people), "columns": Meter(large, patients, seconds=planning)}
    sums = {"columns, the same people": ColumnSums(small), "columns": ColumnSums(large)}
    for _ in range(rounds):
        for name, meter in meters.items():
            meter.run((YEAR - 1) // rounds if name == "columns" else 20)
    figures = {name: sums[name].figures(meter) if name in sums else plain_figures(meter)
               for name, meter in meters.items()}
    require_same_work(figures)

    columns = meters["columns"]
    seconds = columns.seconds - planning + first.seconds
    whole = {"columns, and open enrolment": patients * (columns.days + 1) / seconds}
    rates = {name: meter.rate for name, meter in meters.items()}
    print(f"{people:,} people as objects, {patients:,} in columns for {columns.days} days")
    print(f"{'':<32}{'patient-days/s':>15}{'x plain':>9}{'x lean':>8}{'care, $/year':>14}{'loss ratio':>12}")
    for name, rate in (rates | whole).items():
        ratios = f"{rate / rates['plain Mesa']:>9.1f}{rate / rates['plain Mesa, lean draws']:>8.1f}"
        rest = "".join(f"{value:>{width},.{digits}f}" for value, width, digits in
                       zip(figures[name], (14, 12), (0, 3), strict=True)) if name in figures else ""
        print(f"{name:<32}{rate:>15,.0f}{ratios}{rest}")


if __name__ == "__main__":
    main()
