"""The day's plan: which mechanism's hook runs in which phase, and in what order.

Phases are fixed (:class:`sim.mechanism.Phase`). Inside a phase a hook runs after the mechanisms it names in
``after``; ties go by mechanism name. A mechanism that is absent is simply not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from sim.mechanism import Hook, Mechanism, Phase

if TYPE_CHECKING:
    from sim.mechanism import Market


class DayOrderError(ValueError):
    """Hooks of one phase wait for each other in a circle."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One hook with its owner, in the place where it will run."""

    phase: Phase
    mechanism: str
    call: str
    after: tuple[str, ...]
    run: Callable[[Market], None]


def order_phase(entries: Iterable[tuple[str, Hook]]) -> list[tuple[str, Hook]]:
    """Sort one phase's (mechanism name, hook) pairs so that ``after`` holds and ties go by name."""
    waiting = sorted(entries, key=lambda entry: entry[0])  # stable: one mechanism's hooks stay as it declares them
    present = {name for name, _ in waiting}
    done: list[tuple[str, Hook]] = []
    finished: set[str] = set()
    while waiting:
        left = [name for name, _ in waiting]
        for index, (name, hook) in enumerate(waiting):
            if all(other in finished or other not in present or other == name for other in hook.after):
                done.append(waiting.pop(index))
                if left.count(name) == 1:
                    finished.add(name)
                break
        else:
            names = ", ".join(sorted({name for name, _ in waiting}))
            raise DayOrderError(f"these mechanisms wait for each other in one phase: {names}")
    return done


class DayPlan:
    """All hooks of a market in order, with the time spent in each phase (seconds, for the log only)."""

    def __init__(self, mechanisms: dict[str, Mechanism]) -> None:
        self.hooks: dict[Phase, list[Planned]] = {phase: [] for phase in Phase}
        for phase in Phase:
            entries = [(name, hook) for name, mechanism in mechanisms.items()
                       for hook in mechanism.hooks if hook.phase is phase]
            for name, hook in order_phase(entries):
                run = getattr(mechanisms[name], hook.call)
                self.hooks[phase].append(Planned(phase, name, hook.call, hook.after, run))
        self._calls = [[(f"{planned.mechanism}.{planned.call}", planned.run) for planned in self.hooks[phase]]
                       for phase in Phase]
        self._names = [phase.name.lower() for phase in Phase]
        self.seconds: dict[str, float] = dict.fromkeys(self._names, 0.0)
        self.hook_seconds: dict[str, float] = {name: 0.0 for calls in self._calls for name, _ in calls}

    def run(self, phase: Phase, market: Market) -> None:
        """Run the hooks of ``phase`` in order."""
        calls = self._calls[phase]
        if not calls:
            return
        start = last = perf_counter()
        for name, call in calls:
            call(market)
            now = perf_counter()
            self.hook_seconds[name] += now - last
            last = now
        self.seconds[self._names[phase]] += last - start

    def lines(self) -> list[str]:
        """The plan as text, one line a hook, for ``explain day``."""
        rows = []
        for phase in Phase:
            for planned in self.hooks[phase]:
                wait = f"  (after {', '.join(planned.after)})" if planned.after else ""
                rows.append(f"{phase.name.lower():<12} {planned.mechanism}.{planned.call}{wait}")
        return rows
