"""Clearing of 1,000 institutions with 20 debts each, as a share of a day of the baseline in the same run.

    python -m benchmarks clearing [INSTITUTIONS [LINKS [DAYS]]]

Three markets: nobody fails (the usual day), a tenth of all fails, half of all fails in several waves. Each is cleared
in base units, with the checks of its arguments; times are processor time of this thread, the least of several.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import thread_time

import numpy as np

from sim.contagion.clearing import Clearing, clear
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.library import shipped_folder
from sim.scenario.load import load_scenario

Market = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Debtors, creditors, amounts, cash."""

REPEATS = 20


def market(institutions: int, links: int, cash: float) -> Market:
    """Random debts of up to a million; cash uniform up to ``cash`` times what an institution owes on average."""
    numbers = np.random.default_rng(1)
    debtors = np.repeat(np.arange(institutions), links)
    creditors = (debtors + numbers.integers(1, institutions, debtors.size)) % institutions
    amounts = numbers.integers(1, 10**6 * MICRO, debtors.size)
    most = max(1, int(cash * links * 10**6 * MICRO / 2))
    return debtors, creditors, amounts, numbers.integers(0, most, institutions)


def least(call: Callable[[], object], repeats: int) -> float:
    """Seconds of processor time of the quickest of ``repeats`` calls."""
    best = float("inf")
    for _ in range(repeats):
        start = thread_time()
        call()
        best = min(best, thread_time() - start)
    return best


def day_of_baseline(days: int) -> float:
    """Mean seconds of processor time of a day of the shipped baseline, over ``days`` after a week."""
    model = HealthMarket(load_scenario(shipped_folder() / "baseline.yaml"), seed=1)
    for _ in range(7):
        model.step()
    start = thread_time()
    for _ in range(days):
        model.step()
    return (thread_time() - start) / days


def measure(institutions: int, links: int) -> dict[str, tuple[float, Clearing]]:
    """Seconds and result of each market."""
    found = {}
    for label, cash in (("nobody fails", 3.0), ("few fail", 0.9), ("many fail", 0.2)):
        arguments = market(institutions, links, cash)
        if label == "nobody fails":
            arguments[3][:] += arguments[2].sum() // institutions
        result = clear(*arguments)
        found[label] = (least(lambda given=arguments: clear(*given), REPEATS), result)
    return found


def main(institutions: int = 1000, links: int = 20, days: int = 60) -> None:
    """Print the table."""
    reference = day_of_baseline(days)
    print(f"a day of the baseline: {reference * 1e3:.2f} ms")
    for label, (seconds, found) in measure(institutions, links).items():
        print(f"{institutions:,} institutions x {links} debts, {label:<13}{seconds * 1e3:8.2f} ms   "
              f"{seconds / reference:6.3f} of a day   {int(found.defaulted.sum()):>5,} fail in "
              f"{len(found.waves)} waves")


if __name__ == "__main__":
    main(*(int(argument.replace("_", "")) for argument in sys.argv[1:]))
