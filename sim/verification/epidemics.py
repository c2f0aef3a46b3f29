"""Epidemics held against the final size, the chain binomial's own mean path, early growth, and extinction.

Simulated by the transmission that the market uses, among persons without a market. The mean path, the growth rate and
the chance of extinction are worked out here from the scheme alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from sim.verification.rows import Row
from sim.world.epidemic.laboratory import Path, run_epidemic
from sim.world.epidemic.transmission import Law, State

SEED = 20_261_122
LATENT_DAYS, INFECTIOUS_DAYS = 5.2, 5.0

SIZE_PERSONS, SIZE_RUNS, SIZE_CASES = 100_000, 24, 20
MAJOR = 0.02
"""Share infected above which an outbreak counts as major; after 20 cases hardly any other is."""
PATH_RUNS = 8
GROWTH_RUNS, GROWTH_CASES = 12, 200
EXTINCTION_RUNS, EXTINCTION_PERSONS, MAJOR_COUNT = 1000, 20_000, 120


@cache
def truths() -> dict[str, Any]:
    """The truths shipped with the package, by id."""
    text = files("sim.verification").joinpath("data/epidemics.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)["truths"]
    return content


def rows() -> list[Row]:
    """Every row of this topic."""
    return [*final_sizes(), *mean_paths(), *growth_rates(), *extinctions()]


def law(reproduction_number: float) -> Law:
    """Transmission with the periods of HLTH-24."""
    return Law(reproduction_number, LATENT_DAYS, INFECTIOUS_DAYS)


def error(values: np.ndarray) -> float:
    """Standard error of a mean."""
    return float(values.std(ddof=1) / math.sqrt(values.size))


# Final size ----------------------------------------------------------------------------------------------------


def final_sizes() -> Iterable[Row]:
    """HLTH-22: one closed region, no measures, conditional on a major outbreak."""
    truth = truths()["HLTH-22"]
    for text, expected in truth["expected"].items():
        number = float(text)
        sizes = np.array([
            run_epidemic(law(number), np.array([SIZE_PERSONS]), SIZE_CASES, SEED + run, 5_000).infected
            for run in range(SIZE_RUNS)]) / (SIZE_PERSONS - SIZE_CASES)
        major = sizes[sizes > MAJOR]
        allowed = 3.0 * error(major) + first_cases(number, expected)
        found = float(major.mean())
        yield Row("HLTH-22", f"Share infected in one closed region, R0 = {text}, of major outbreaks", f"{expected:.4f}",
                  f"{found:.4f} ({major.size} of {SIZE_RUNS} runs, {SIZE_PERSONS:,} persons)",
                  f"{allowed:.4f}: 3 SE, and what {SIZE_CASES} first cases add", abs(found - expected) <= allowed,
                  truth["source"])


def first_cases(number: float, size: float) -> float:
    """By how much the first cases raise the final size: z solves z = 1 - exp(-R0 (z + cases / N)), to first order."""
    escaped = 1.0 - size
    return number * escaped / (1.0 - number * escaped) * SIZE_CASES / SIZE_PERSONS


# Mean path -----------------------------------------------------------------------------------------------------


def mean_path(number: float, persons: int, cases: int, days: int) -> np.ndarray:
    """Infectious persons and susceptibles float64[days + 1, 2] of the chain binomial with its draws replaced by their
    means."""
    leave_latent, leave_infectious = -math.expm1(-1.0 / LATENT_DAYS), -math.expm1(-1.0 / INFECTIOUS_DAYS)
    beta = number * leave_infectious
    susceptible, exposed, infectious = float(persons - cases), 0.0, float(cases)
    path = np.empty((days + 1, 2))
    for day in range(days + 1):
        path[day] = infectious, susceptible
        infected = susceptible * -math.expm1(-beta * infectious / persons)
        onset, end = leave_latent * exposed, leave_infectious * infectious
        susceptible -= infected
        exposed += infected - onset
        infectious += onset - end
    return path


def mean_paths() -> Iterable[Row]:
    """HLTH-24: peak and attack among a million persons, against the scheme's own mean path."""
    truth = truths()["HLTH-24"]
    persons, cases = int(truth["persons"]), int(truth["cases"])
    for name, continuous in truth["expected"].items():
        number = float(name.removeprefix("R0="))
        days = 700 if number < 1.8 else 400
        path = mean_path(number, persons, cases, days)
        runs = [run_epidemic(law(number), np.array([persons]), cases, SEED + run, days) for run in range(PATH_RUNS)]
        yield from path_rows(name, path, [run for run in runs if run.infected > MAJOR * persons], continuous, persons,
                             cases, truth["source"])


def path_rows(
    name: str, path: np.ndarray, runs: list[Path], continuous: dict[str, float], persons: int, cases: int, source: str
) -> Iterable[Row]:
    """Height of the peak, attack rate, and days from 1 % of the population infectious to the peak.

    The day of the peak itself hangs on the luck of the first ten cases (several days); from 1 % on it is law.
    """
    top = float(path[:, 0].max())
    attack = (persons - cases - float(path[-1, 1])) / persons
    rise = climb(path[:, 0], persons)
    found_top = np.array([run.infectious.max() for run in runs], dtype=np.float64)
    found_attack = np.array([run.infected for run in runs]) / persons
    found_rise = np.array([climb(run.infectious.astype(np.float64), persons) for run in runs])
    scheme = f"{source}; continuous time has"
    yield row("HLTH-24", f"SEIR {name}: most infectious at once", top, found_top, 1.0, "{:,.0f}",
              f"{scheme} {continuous['peak_I']:,.0f}")
    yield row("HLTH-24", f"SEIR {name}: share infected by others", attack, found_attack, 1e-5, "{:.5f}",
              f"{scheme} {continuous['attack']:.5f}")
    yield row("HLTH-24", f"SEIR {name}: days from 1 % infectious to the peak (the mean path peaks on day "
              f"{int(path[:, 0].argmax())})", rise, found_rise, 0.5, "{:.2f}",
              f"{scheme} its peak on day {continuous['peak_day']:.0f}")


def climb(infectious: np.ndarray, persons: int) -> float:
    """Days from the first with at least 1 % of ``persons`` infectious to the middle of the stretch above 99 % of the
    peak, which chance moves less than the peak day itself."""
    above = np.flatnonzero(infectious >= 0.99 * infectious.max())
    return float((above[0] + above[-1]) / 2.0 - np.argmax(infectious >= 0.01 * persons))


def row(id: str, statement: str, expected: float, found: np.ndarray, grain: float, form: str, source: str) -> Row:
    """A row that compares a mean over runs with the truth within three standard errors and the truth's grain."""
    allowed = 3.0 * error(found) + grain
    return Row(id, statement, form.format(expected), f"{form.format(float(found.mean()))} ({found.size} runs)",
               f"{form.format(allowed)}: 3 SE and the grain", abs(float(found.mean()) - expected) <= allowed, source)


# Early growth --------------------------------------------------------------------------------------------------


def growth_rate(number: float) -> float:
    """Growth a day of the mean path while nearly all are susceptible: log of the dominant eigenvalue of the day's step
    of exposed and infectious."""
    leave_latent, leave_infectious = -math.expm1(-1.0 / LATENT_DAYS), -math.expm1(-1.0 / INFECTIOUS_DAYS)
    step = np.array([[1.0 - leave_latent, number * leave_infectious], [leave_latent, 1.0 - leave_infectious]])
    return math.log(float(np.linalg.eigvals(step).real.max()))


def growth_rates() -> Iterable[Row]:
    """HLTH-24: growth between 0.1 % and 1 % ever infected, after the first cases' stages have mixed."""
    truth = truths()["HLTH-24"]
    persons = int(truth["persons"])
    for name, continuous in truth["expected"].items():
        number = float(name.removeprefix("R0="))
        path = mean_path(number, persons, GROWTH_CASES, 400)
        infected = persons - path[:, 1]
        first, last = int(np.argmax(infected >= 0.001 * persons)), int(np.argmax(infected >= 0.01 * persons))
        rates = np.array([
            rate(run_epidemic(law(number), np.array([persons]), GROWTH_CASES, SEED + run, last + 1), first, last)
            for run in range(GROWTH_RUNS)])
        # susceptibles fall by up to 1 % on the way, and growth with them: the mean path says by how much
        own = math.log(infected[last] / infected[first]) / (last - first)
        yield row("HLTH-24", f"Growth a day, {name}, days {first} to {last} (dominant eigenvalue "
                  f"{growth_rate(number):.5f})", own, rates, 0.0, "{:.5f}",
                  f"linearised chain binomial; continuous time has {continuous['growth']:.5f}")


def rate(path: Path, first: int, last: int) -> float:
    """Growth a day of the number ever infected between two days."""
    infected = path.counts[:, 0].sum(axis=1) - path.counts[:, 0, State.SUSCEPTIBLE]
    return math.log(infected[last] / infected[first]) / (last - first)


# Extinction ----------------------------------------------------------------------------------------------------


def extinction(number: float) -> float:
    """Chance that one case's line dies out in a large population: least root of q = f(q).

    A case is infectious for D days, geometric with p = 1 - exp(-1 / infectious_days), and infects Poisson(beta) persons
    on each: f(s) = p x / (1 - (1 - p) x) with x = exp(-beta (1 - s)).
    """
    end = -math.expm1(-1.0 / INFECTIOUS_DAYS)
    beta = number * end
    q = 0.0
    for _ in range(10_000):
        x = math.exp(-beta * (1.0 - q))
        q = end * x / (1.0 - (1.0 - end) * x)
    return q


def extinctions() -> Iterable[Row]:
    """Share of runs in which one or three first cases come to nothing."""
    for number, cases in ((1.5, 1), (1.5, 3), (3.0, 1)):
        expected = extinction(number) ** cases
        gone = sum(
            run_epidemic(law(number), np.array([EXTINCTION_PERSONS]), cases, SEED + run, 2_000,
                         enough=MAJOR_COUNT).infected < MAJOR_COUNT - cases
            for run in range(EXTINCTION_RUNS))
        allowed = 3.0 * math.sqrt(expected * (1.0 - expected) / EXTINCTION_RUNS)
        found = gone / EXTINCTION_RUNS
        yield Row("HLTH-22", f"An outbreak comes to nothing, first cases {cases}, R0 = {number:g}",
                  f"{expected:.4f}", f"{found:.4f} ({EXTINCTION_RUNS:,} runs of {EXTINCTION_PERSONS:,} persons)",
                  f"{allowed:.4f}: 3 SE", abs(found - expected) <= allowed,
                  "branching process with geometric lifetime and Poisson births, least root of q = f(q)")
