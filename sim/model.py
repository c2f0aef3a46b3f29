"""HealthMarket: builds the market from a scenario and runs it day by day."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import mesa

from sim.chain.instant import InstantChain
from sim.day import DayPlan
from sim.invariants import Invariants
from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.ledger import Ledger
from sim.mechanism import Exposure, Mechanism, Phase, Statement
from sim.parameters import Parameters
from sim.recorder import Recorder
from sim.scenario.expectations import one_run

if TYPE_CHECKING:
    import numpy as np

    from sim.scenario.load import Scenario

INSTITUTION_ACCOUNTS = 4096
"""Ledger accounts kept for institutions; people's accounts follow."""

COLLECT_AFTER = 50_000
"""Objects made, and not freed, between two rounds of the garbage collector; Python's 700 are a fraction of a day."""

NETWORK_EVERY_DAYS = 30
"""Days between two records of the network of claims between institutions; the last day is one too."""

CheckInvariants = Literal["every", "end", "off"]


class SetupError(ValueError):
    """The scenario names mechanisms that cannot be built together."""


def build_order(requires: dict[str, tuple[str, ...]]) -> list[str]:
    """Names so that each comes after those it requires; ties by name."""
    done: list[str] = []
    waiting = sorted(requires)
    while waiting:
        ready = [name for name in waiting if all(other in done or other not in requires for other in requires[name])]
        if not ready:
            raise SetupError(f"these sections require each other in a circle: {', '.join(waiting)}")
        done.append(ready[0])
        waiting.remove(ready[0])
    return done


def implementation(path: str) -> type[Mechanism]:
    """The class that "package.module:Class" names."""
    module, _, name = path.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not issubclass(found, Mechanism):
        raise SetupError(f"{path} is not a mechanism")
    return found


class HealthMarket(mesa.Model):
    """A market of patients, insurers, liquidity providers, oracles and researchers on one ledger.

    Read :meth:`step`: it is the day. ``explain day`` prints which mechanism does what in each phase.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        super().__init__(rng=seed)
        self.scenario = scenario
        self.seed_used = seed
        self.horizon_days: int = scenario.horizon_days
        self.day = -1
        sections = scenario.sections
        patients = getattr(sections.get("population"), "patients", 0)
        self.ledger = Ledger(institutions=INSTITUTION_ACCOUNTS, people=patients)
        self.usd = self.ledger.asset("USDs", issuer=None, span="all")
        self.draws = Draws(seed)
        self.people = Columns(patients)
        self.parameters = Parameters()
        self.record = Recorder(self.horizon_days, sections.values(), self.ledger)
        self.invariants = Invariants()
        self.invariants.add_kernel(self.ledger)
        self.shocks_due: dict[int, list[tuple[str, Callable[..., None], dict[str, Any]]]] = {}
        self._mechanisms: dict[str, Mechanism] = {}
        self._instant_chain: InstantChain | None = None

        order = build_order({name: section.requires for name, section in sections.items()})
        for name in order:
            mechanism = implementation(sections[name].implementation)(sections[name])
            mechanism.name = name
            self._mechanisms[name] = mechanism
        if "chain" not in self._mechanisms:
            self._mechanisms["chain"] = InstantChain()
        for mechanism in self._mechanisms.values():
            mechanism.setup(self)
        for mechanism in self._mechanisms.values():
            mechanism.start(self)
        for name, mechanism in self._mechanisms.items():
            self.invariants.add_mechanism(name, mechanism)
        self._schedule_shocks()
        self.plan = DayPlan(self._mechanisms)
        self.record.close_day()

    # What mechanisms may ask of the market -------------------------------------------------------------------

    def mechanism(self, name: str) -> Any:
        """The mechanism of section ``name``; KeyError where it is absent."""
        return self._mechanisms[name]

    def find(self, name: str) -> Any | None:
        """The mechanism of section ``name``, or None where it is absent."""
        return self._mechanisms.get(name)

    def active(self) -> list[Mechanism]:
        """The mechanisms of this market, in the order in which they were built."""
        return list(self._mechanisms.values())

    def exposures(self) -> list[Exposure]:
        """Claims between institutions, of all mechanisms."""
        return [exposure for mechanism in self._mechanisms.values() for exposure in mechanism.exposures()]

    def statements(self) -> list[Statement]:
        """Balance sheets of all institutions, of all mechanisms."""
        return [statement for mechanism in self._mechanisms.values() for statement in mechanism.statements()]

    def endow(self, account: int, amount: int) -> None:
        """Mint ``amount`` base units of USDs as opening wealth; only before the first day."""
        if self.day >= 0:
            raise SetupError("opening wealth is given before day 0 only")
        self.ledger.mint(self.usd, account, amount, "endowment")

    def treasury_account(self) -> int:
        """The protocol's treasury, opened on first use."""
        if self.ledger.has_account("treasury"):
            return self.ledger.account("treasury")
        return self.ledger.open_account("treasury", "protocol")

    # The day -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One day, in order."""
        self.day += 1
        self.record.day = self.day
        run = self.plan.run

        self.apply_shocks()              # scheduled events of the scenario
        run(Phase.CARE, self)            # people fall ill; wages, taxes, spending; prices of the outside world
        run(Phase.FEES, self)            # the chain's base fee as the day opens

        run(Phase.PATIENTS, self)        # choose cover, seek care, pay, claim, consent, hedge
        run(Phase.CLAIMS, self)          # committees are drawn; oracles commit and reveal
        run(Phase.INSURERS, self)        # rates, capital, dividends
        run(Phase.LIQUIDITY, self)       # deposits and withdrawal requests
        run(Phase.MARKETS, self)         # traders, arbitrage
        run(Phase.RESEARCH, self)        # data purchases, grants, projects
        run(Phase.FORECASTS, self)       # prediction markets and derivatives
        run(Phase.GOVERNANCE, self)      # proposals and votes
        run(Phase.ADVERSARIES, self)     # they have seen the queue

        run(Phase.SETTLEMENT, self)      # blocks execute in fee order; claims are decided and paid
        run(Phase.CONTAGION, self)       # losses travel along contracts
        run(Phase.RECORD, self)

        for mechanism in self._mechanisms.values():
            mechanism.observe(self)
        if self.day % NETWORK_EVERY_DAYS == 0 or self.day == self.horizon_days - 1:
            self.record_network()
        self.record.close_day()

    def record_network(self) -> None:
        """Record who owes whom how much today, summed by pair and kind, in sorted order, with the equity of both."""
        exposures = self.exposures()
        if not exposures:
            return
        statements = self.statements()
        names = {one.account: one.institution for one in statements}
        equity = {one.institution: one.equity for one in statements}
        owed: dict[tuple[str, str, str], int] = {}
        for one in exposures:
            debtor, creditor = (names.get(account) or self.ledger.account_name(account)
                                for account in (one.debtor, one.creditor))
            owed[debtor, creditor, one.kind] = owed.get((debtor, creditor, one.kind), 0) + one.amount
        for debtor, creditor, kind in sorted(owed):
            self.record.row("exposures", self.day, debtor, creditor, kind, owed[debtor, creditor, kind],
                            equity.get(debtor), equity.get(creditor))

    def apply_shocks(self) -> None:
        """Apply the scenario's events of today, then what mechanisms themselves do in that phase."""
        for kind, apply, arguments in self.shocks_due.get(self.day, ()):
            apply(**arguments)
            self.record.event("shock", kind, **arguments)
        self.plan.run(Phase.SHOCKS, self)

    def finish(self) -> dict[str, float]:
        """Let each mechanism report its figures of the run."""
        for mechanism in self._mechanisms.values():
            mechanism.finish(self)
        return dict(sorted(self.record.metrics.items()))

    def _schedule_shocks(self) -> None:
        owners = {kind: getattr(mechanism, method)
                  for mechanism in self._mechanisms.values() for kind, method in mechanism.shocks.items()}
        for shock in self.scenario.shocks:
            if shock.kind not in owners:
                raise SetupError(f"no mechanism of this scenario understands the shock {shock.kind!r}")
            self.shocks_due.setdefault(shock.day, []).append((shock.kind, owners[shock.kind], dict(shock.arguments)))

    def close(self) -> None:
        """Free what mesa 3.3 keeps of a model after its life."""
        ids = getattr(mesa.Agent, "_ids", None)
        if ids is not None:
            ids.pop(self, None)


@dataclass(slots=True)
class RunResult:
    """What a run leaves: its figures, and the folder it was written to, if any."""

    summary: dict[str, float]
    seed: int
    days: int
    folder: Path | None = None
    expectations: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    hook_seconds: dict[str, float] = field(default_factory=dict)
    daily: dict[str, np.ndarray] = field(default_factory=dict)
    """The market's daily series: name -> float64[days], NaN where nothing was recorded."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Let the garbage collector leave alone what is there already, and look less often at what comes; a day makes few
    cycles. What a run leaves behind is collected at the end, where no other run has to walk over it."""
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    if not frozen:
        gc.freeze()
    if gc.isenabled():
        gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.collect()
        gc.set_threshold(*thresholds)
        if not frozen:
            gc.unfreeze()


def run(
    scenario: Scenario,
    seed: int | None = None,
    out: Path | str | None = None,
    check_invariants: CheckInvariants = "end",
    progress: Callable[[int, int], None] | None = None,
    replace: bool = False,
) -> RunResult:
    """Run ``scenario`` to its horizon and write its folder, if one is given.

    Parameters
    ----------
    scenario: from :func:`sim.scenario.load.load_scenario`.
    seed: the run's seed; the scenario's own by default.
    out: folder to write; it appears whole or not at all.
    check_invariants: "every" day, at the "end", or "off".
    progress: called with (days done, days in all).

    Raises :class:`sim.invariants.InvariantViolation` where the model breaks its own laws.
    """
    used = scenario.seed if seed is None else seed
    with collecting_seldom():
        return _run(scenario, used, out, check_invariants, progress, replace)


def _run(
    scenario: Scenario, used: int, out: Path | str | None, check_invariants: CheckInvariants,
    progress: Callable[[int, int], None] | None, replace: bool,
) -> RunResult:
    started = perf_counter()
    market = HealthMarket(scenario, used)
    built = perf_counter()
    try:
        for done in range(market.horizon_days):
            market.step()
            if check_invariants == "every":
                market.invariants.require(market.day)
            if progress is not None:
                progress(done + 1, market.horizon_days)
        if check_invariants != "off":
            market.invariants.require(market.day)
        summary = market.finish()
        seconds = {"setup": built - started, "days": perf_counter() - built, **market.plan.seconds}
        result = RunResult(summary, used, market.horizon_days, None, one_run(scenario.expect, summary), seconds,
                           dict(market.plan.hook_seconds), market.record.daily)
        if out is not None:
            from sim.results import write_run
            result.folder = write_run(market, result, Path(out), replace=replace)
        return result
    finally:
        market.close()
