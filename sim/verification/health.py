"""Health spending held against MEPS and the RAND Health Insurance Experiment.

The population is the one that scenarios use, at the reference coinsurance; the targets stand with their sources in the
source tables (``spending_targets.csv``), so that another country's tables bring their own.
"""

from __future__ import annotations

import numpy as np

from sim.verification.rows import Row
from sim.world.spending import Spending, simulate_spending
from sim.world.spending_moments import Check

PERSONS = 100_000
YEARS = 3
SEED = 4_242
RAND_PERSONS = 30_000

STATEMENTS = {
    "mean": ("HLTH-03", "Mean annual spending per person, USD"),
    "median": ("HLTH-03", "Median annual spending, USD"),
    "zero_share": ("HLTH-03", "Share of persons without spending"),
    "top1_share": ("HLTH-01", "Share of spending on the top 1 % of persons"),
    "top5_share": ("HLTH-01", "Share of spending on the top 5 %"),
    "top10_share": ("HLTH-01", "Share of spending on the top 10 %"),
    "top50_share": ("HLTH-01", "Share of spending on the upper half"),
    "bottom50_share": ("HLTH-02", "Share of spending on the lower half"),
    "ratio_65_to_younger": ("HLTH-04", "Mean spending at 65 and older over that of the younger"),
    "ambulatory_any": ("HLTH-04", "Any ambulatory care in a year"),
    "prescription_any": ("HLTH-04", "Any prescribed medicine in a year"),
    "dental_any": ("HLTH-04", "Any dental care in a year"),
    "hospital_any": ("HLTH-04", "Any hospital stay in a year"),
    "spearman": ("HLTH-20", "Rank correlation of spending in successive years, below age 62 as in the experiment"),
    "top1_retained": ("HLTH-20", "Of the top 1 %, share who are there again next year"),
    "bottom50_retained": ("HLTH-20", "Of the lower half, share who stay there next year"),
}

SOURCES = {
    "HLTH-01": "AHRQ Statistical Brief 521 (MEPS 2016)",
    "HLTH-02": "AHRQ Statistical Briefs 533-560 (MEPS 2018-2022)",
    "HLTH-03": "AHRQ MEPS 2018, published output with design-based errors",
    "HLTH-04": "AHRQ MEPS 2015, published output; 2018 for the age ratio",
    "HLTH-17": "Manning et al. 1987; RAND R-3476: free care costs 45 % more than 95 % coinsurance",
    "HLTH-18": "Keeler & Rolph 1988 and the experiment's raw means",
    "HLTH-20": "RAND HIE person-years; MEPS Statistical Briefs 309, 354, 481",
}


def _moment_row(check: Check) -> Row:
    name, statement = STATEMENTS[check.quantity]
    digits = "{:,.0f}" if check.target > 100 else "{:.4g}"
    return Row(name, f"{statement}", digits.format(check.target), digits.format(check.simulated),
               f"+-{digits.format(check.tolerance)} (see spending_targets.csv)", check.holds, SOURCES[name])


def moment_rows(spending: Spending) -> list[Row]:
    """Concentration, level, use and persistence."""
    return [_moment_row(check) for check in spending.checks() if check.quantity in STATEMENTS]


def tail_row(spending: Spending) -> Row:
    """The tail is fitted on its own: a lognormal with the right mean, median and zero share overstates the top 1 %."""
    total = np.sort(spending.total.reshape(-1))[::-1]
    beyond = total[: total.size // 1000]
    share = float(beyond.sum() / total.sum())
    return Row("HLTH-02", "Mean spending of the top 1 % over the mean of all", "20.7 to 24",
               f"{float(total[: total.size // 100].mean() / total.mean()):.2f} (top 0.1 %: {share:.3f} of spending)",
               "range of the published years, +-1", 19.7 <= total[: total.size // 100].mean() / total.mean() <= 25.0,
               SOURCES["HLTH-02"])


def response_rows() -> list[Row]:
    """Demand by coinsurance: the same persons and needs under free care, 25 % and 95 %."""
    spending = {rate: simulate_spending(RAND_PERSONS, 1, rate, SEED) for rate in (0.0, 0.25, 0.95)}
    mean = {rate: float(found.total.mean()) for rate, found in spending.items()}
    visits = {rate: float(found.episodes[:, :, 0].mean()) for rate, found in spending.items()}
    low, high = mean[0.25], mean[0.95]
    arc = (high - low) / (high + low) / ((0.95 - 0.25) / (0.95 + 0.25))
    ratio = mean[0.0] / high
    return [
        Row("HLTH-18", "Arc elasticity of spending between coinsurance 25 % and 95 %", "-0.20", f"{arc:.3f}",
            "+-0.05: published estimates range from -0.17 to -0.22", abs(arc + 0.20) <= 0.05, SOURCES["HLTH-18"]),
        Row("HLTH-17", "Spending under free care over spending at 95 % coinsurance", "1.45 to 1.525", f"{ratio:.3f}",
            "between the published model and the raw means, +-0.05", 1.40 <= ratio <= 1.575, SOURCES["HLTH-17"]),
        Row("HLTH-17", "Ambulatory episodes under free care over those at 95 %", "1.68",
            f"{visits[0.0] / visits[0.95]:.3f}", "+-0.15: one demand curve serves all ambulatory care",
            abs(visits[0.0] / visits[0.95] - 1.683) <= 0.15, SOURCES["HLTH-17"]),
    ]


def rows() -> list[Row]:
    """Every row of this topic."""
    spending = simulate_spending(PERSONS, YEARS, seed=SEED)
    return [*moment_rows(spending), tail_row(spending), *response_rows()]
