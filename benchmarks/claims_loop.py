"""What the exact ledger costs: a minimal claims loop four ways, with the same draws and the same int64 money.

Every day each patient pays a premium if he can; then some fall ill (Bernoulli), at a lognormal cost that a finite pool
pays in full while it can. The four forms end in the same balances, which is asserted:

- fused: one kernel written by hand for just this loop, on two bare arrays;
- batch: draws by name, one ``collect`` and one ``pay`` a day on the ledger (checks, supplies, sector flows included;
  it can pass the fused kernel, because draws in a loop of their own are vectorised by the compiler);
- calls: one kernel that makes a ledger call for every premium and every claim (``transfer_row``), each with all that
  ``ledger.transfer`` checks and records;
- Python calls: ``ledger.transfer`` from the interpreter, patient by patient, on fewer patients.

It then measures ``atomic()``: a million journalled transfers against the same without a journal, and the way back.

    python benchmarks/claims_loop.py [patients] [days]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sim.kernel.columns import person_keys
from sim.kernel.compiled import kernel
from sim.kernel.draws import Decision, Draws, draw_bits, hits, lognormal, to_unit
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.kernel.ledger_rows import transfer_row

PREMIUM = 12 * MICRO // 10
ILLNESS = 0.005
MU, SIGMA = 5.0, 1.1
CASH = 20 * MICRO
CAPITAL_PER_PATIENT = 2 * MICRO


@kernel
def fused(
    balances: Any, pool: Any, keys: Any, illness: np.uint64, severity: np.uint64, days: int, premium: int
) -> None:
    """The whole loop in one kernel; ``pool`` is int64[1]."""
    held = pool[0]
    for day in range(days):
        for i in range(balances.size):
            if balances[i] >= premium:
                balances[i] -= premium
                held += premium
        for i in range(balances.size):
            if hits(draw_bits(illness, day, keys[i], 0), ILLNESS):
                cost = np.int64(lognormal(to_unit(draw_bits(severity, day, keys[i], 0)), MU, SIGMA) * MICRO)
                if cost <= held:
                    held -= cost
                    balances[i] += cost
    pool[0] = held


def run_fused(keys: Any, days: int, illness: Decision, severity: Decision) -> tuple[float, Any]:
    balances = np.full(keys.size, CASH, dtype=np.int64)
    pool = np.full(1, CAPITAL_PER_PATIENT * keys.size, dtype=np.int64)
    start = time.thread_time()
    fused(balances, pool, keys, illness.stream, severity.stream, days, PREMIUM)
    return time.thread_time() - start, np.append(pool, balances)


def market(patients: int) -> tuple[Ledger, int, int, Any]:
    ledger = Ledger(institutions=1, people=patients)
    usd = ledger.asset("USDs")
    pool = ledger.open_account("pool", "insurers")
    people = ledger.person(np.arange(patients))
    ledger.mint(usd, pool, CAPITAL_PER_PATIENT * patients, "endowment")
    ledger.mint_batch(usd, people, CASH, "endowment")
    return ledger, usd, pool, people


def run_batch(keys: Any, days: int, illness: Decision, severity: Decision) -> tuple[float, Any]:
    ledger, usd, pool, people = market(keys.size)
    start = time.thread_time()
    for day in range(days):
        ledger.collect(usd, people, pool, PREMIUM, "premium", partial=True)
        ill = np.flatnonzero(illness.bernoulli(day, keys, ILLNESS))
        costs = (severity.lognormal(day, keys[ill], MU, SIGMA) * MICRO).astype(np.int64)
        ledger.pay(usd, pool, people[ill], costs, "claim", partial=True)
        ledger.end_day(day)
    return time.thread_time() - start, ledger.balances(usd)


@kernel
def pay_and_claim(
    premiums: Any, claims: Any, pool: int, first: int, keys: Any, illness: np.uint64, severity: np.uint64, day: int
) -> None:
    """One day, patient by patient; what cannot be paid is refused by the ledger."""
    for i in range(keys.size):
        transfer_row(premiums, first + i, pool, PREMIUM)
    for i in range(keys.size):
        if hits(draw_bits(illness, day, keys[i], 0), ILLNESS):
            cost = np.int64(lognormal(to_unit(draw_bits(severity, day, keys[i], 0)), MU, SIGMA) * MICRO)
            transfer_row(claims, pool, first + i, cost)


def run_calls(keys: Any, days: int, illness: Decision, severity: Decision) -> tuple[float, Any]:
    ledger, usd, pool, _ = market(keys.size)
    start = time.thread_time()
    for day in range(days):
        with ledger.rows((usd, "premium"), (usd, "claim")) as (premiums, claims):
            pay_and_claim(premiums, claims, pool, ledger.people_start, keys, illness.stream, severity.stream, day)
        ledger.end_day(day)
    return time.thread_time() - start, ledger.balances(usd)


def run_python_calls(keys: Any, days: int, illness: Decision, severity: Decision) -> tuple[float, Any]:
    ledger, usd, pool, people = market(keys.size)
    accounts = people.tolist()
    start = time.thread_time()
    for day in range(days):
        for account in accounts:
            if ledger.balance(usd, account) >= PREMIUM:
                ledger.transfer(usd, account, pool, PREMIUM, "premium")
        ill = np.flatnonzero(illness.bernoulli(day, keys, ILLNESS))
        costs = (severity.lognormal(day, keys[ill], MU, SIGMA) * MICRO).astype(np.int64)
        for account, cost in zip(people[ill].tolist(), costs.tolist(), strict=True):
            if ledger.balance(usd, pool) >= cost:
                ledger.transfer(usd, pool, account, cost, "claim")
        ledger.end_day(day)
    return time.thread_time() - start, ledger.balances(usd)


def race(runs: dict[str, Callable[..., tuple[float, Any]]], keys: Any, days: int, repeats: int) -> dict[str, float]:
    """Patient-days per second of each form's fastest repeat, taken in turns; all must end in the same balances."""
    draws = Draws(7)
    illness, severity = draws.decision("illness"), draws.decision("severity")
    seconds: dict[str, float] = {}
    ends: dict[str, Any] = {}
    for run in runs.values():
        run(keys[:100], 1, illness, severity)  # compile
    for _ in range(repeats):
        for name, run in runs.items():
            taken, ends[name] = run(keys, days, illness, severity)
            seconds[name] = min(taken, seconds.get(name, taken))
    first, *others = ends
    for name in others:
        assert np.array_equal(ends[first], ends[name]), f"{name!r} ends in other balances than {first!r}"
    return {name: keys.size * days / taken for name, taken in seconds.items()}


def claims(patients: int, days: int) -> None:
    keys = person_keys(-1, patients)
    forms = {"fused kernel": run_fused, "ledger batches": run_batch, "per-patient ledger calls, compiled": run_calls}
    rates = race(forms, keys, days, repeats=9)
    few = keys[: max(100, patients // 100)]
    calls = "per-patient ledger calls, Python"
    rates[calls] = race({"fused kernel": run_fused, calls: run_python_calls}, few, days, repeats=2)[calls]
    print(f"claims loop, {patients:,} patients x {days} days")
    for name, rate in rates.items():
        share = rate / rates["fused kernel"]
        print(f"  {name:34s}{rate / 1e6:9.2f} million patient-days/s   {share:7.4f} of the fused kernel")


def atomic(transfers: int) -> None:
    ledger, usd, pool, people = market(1000)
    ledger.mint(usd, pool, transfers, "endowment")
    accounts = people.tolist() * (transfers // 1000)
    ones = np.ones(len(accounts), dtype=np.int64)
    targets = np.array(accounts)

    def single() -> None:
        for account in accounts:
            ledger.transfer(usd, pool, account, 1, "payment")

    def batch() -> None:
        ledger.pay(usd, pool, targets, ones, "payment")

    print(f"atomic(), {len(accounts):,} transfers, seconds: plain, journalled, journalled and rolled back")
    for name, work in (("calls", single), ("batch", batch)):
        start = time.thread_time()
        work()
        plain = time.thread_time() - start
        ledger.collect(usd, targets, pool, 1, "back")
        before = ledger.balances(usd).copy()
        start = time.thread_time()
        with ledger.atomic():
            work()
        journalled = time.thread_time() - start
        ledger.collect(usd, targets, pool, 1, "back")
        start = time.thread_time()
        try:
            with ledger.atomic():
                work()
                raise KeyError
        except KeyError:
            rolled_back = time.thread_time() - start
        assert np.array_equal(before, ledger.balances(usd)), "a rollback left a trace"
        print(f"  {name:15s}{plain:9.4f} {journalled:9.4f} {rolled_back:9.4f}")


def main(patients: int = 200_000, days: int = 20) -> None:
    """Both measurements."""
    claims(patients, days)
    atomic(1_000_000)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
