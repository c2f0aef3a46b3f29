"""Two markets that live the same days on the same seed: the one that was changed, and what it is compared with."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sim.model import HealthMarket
from sim.scenario.errors import clean
from sim.scenario.library import find_scenario
from sim.scenario.load import load_scenario
from sim.scenario.scenario import Scenario

UNCHANGED, BASELINE, NOTHING = "unchanged", "baseline", "nothing"

Changes = Iterable[tuple[str, str]]
"""(dotted path, YAML text) pairs, as ``--set`` takes them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A scenario with the changes laid on it, and the one that it is compared with, if any."""

    yours: Scenario
    other: Scenario | None
    label: str
    """Name of the comparison in legends."""


def comparisons(scenario: Scenario) -> list[tuple[str, str]]:
    """(name, meaning) of what ``scenario`` can be compared with: itself unchanged, its variants, the baseline."""
    found = [(UNCHANGED, "this scenario, unchanged")]
    found += [(f"variant:{name}", f"its variant {name}") for name in scenario.variants]
    if scenario.name != BASELINE:
        found.append((BASELINE, "the baseline scenario"))
    return [*found, (NOTHING, "nothing")]


def choose(file: Path, changes: Changes, against: str) -> Choice:
    """The scenario of ``file`` with ``changes`` and its comparison ``against`` (of :func:`comparisons`), which has the
    same seed, days and patients. Raises :class:`ScenarioError` with every fault of the changes."""
    laid = list(changes)
    yours = load_scenario(file, laid)
    if against == NOTHING:
        return Choice(yours.alone(), None, "")
    size = {"seed": str(yours.seed), "horizon_days": str(yours.horizon_days)}
    people = yours.sections.get("population")
    if people is not None:
        size["population.patients"] = str(getattr(people, "patients", 0))
    source = find_scenario(BASELINE) if against == BASELINE else file
    other = load_scenario(source, list(size.items()))
    if against.startswith("variant:"):
        name = against.removeprefix("variant:")
        return Choice(yours.alone(), other.variants[name].alone(), clean(name, 16))
    return Choice(yours.alone(), other.alone(), BASELINE if against == BASELINE else UNCHANGED)


class Session:
    """The markets of one page. At most one pair is alive: a new one frees the one before it."""

    def __init__(self) -> None:
        self.choice: Choice | None = None
        self.yours: HealthMarket | None = None
        self.other: HealthMarket | None = None

    def start(self, choice: Choice) -> None:
        """Build both markets of ``choice``, before their first day."""
        self.close()
        self.choice = choice
        self.yours = HealthMarket(choice.yours, choice.yours.seed)
        if choice.other is not None:
            self.other = HealthMarket(choice.other, choice.yours.seed)

    @property
    def day(self) -> int:
        """Days that have been lived."""
        return 0 if self.yours is None else self.yours.day + 1

    @property
    def days(self) -> int:
        """Days of the whole run."""
        return 0 if self.yours is None else self.yours.horizon_days

    def step(self, days: int) -> None:
        """Live ``days`` more days in both markets, or those that are left."""
        if self.yours is None:
            return
        for _ in range(min(days, self.days - self.day)):
            for market in (self.yours, self.other):
                if market is not None:
                    market.step()

    def close(self) -> None:
        """Free both markets: mesa keeps what it is not told to forget, and markets refer to themselves."""
        for market in (self.yours, self.other):
            if market is not None:
                market.close()
        self.yours = self.other = self.choice = None
        gc.collect()
