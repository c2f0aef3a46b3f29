"""A small run folder made by hand: what analysis promises to read, without the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.report import write_report

DAYS, POOLS = 200, ("EAST", "WEST")

EVENTS: list[tuple[int, str, str, float, dict[str, Any]]] = [
    (20, "shock", "fee_spike", 0.0, {"multiple": 6}),
    (30, "governance.proposed", "proposal 0", 0.0, {"title": "insurance.mcr_gate: 1 -> 0.9"}),
    (35, "governance.queued", "proposal 0", 0.0, {"title": "insurance.mcr_gate: 1 -> 0.9", "eta": 37}),
    (40, "governance.executed", "proposal 0", 0.0, {
        "title": "insurance.mcr_gate: 1 -> 0.9",
        "actions": [{"action": "ChangeParameter", "path": "insurance.mcr_gate", "value": 0.9}]}),
    (50, "governance.proposed", "proposal 1", 0.0, {"title": "claims.committee_size: 5 -> 7"}),
    (55, "governance.defeated", "proposal 1", 0.0, {"title": "claims.committee_size: 5 -> 7"}),
    (60, "gate_shut", "EAST", 1000.0, {}),
    (70, "research.grant", "researcher-1", 5000.0, {}),
]

MARKET = ("amm.price", "amm.depth", "amm.lp_value_over_hold", "chain.claim_fee_usd", "claims.approved", "claims.denied",
          "claims.filed", "claims.paid", "claims.undecided", "claims.corruption_ratio", "data_vault.consents",
          "data_vault.sales", "governance.gini", "governance.nakamoto", "governance.top10_share", "governance.treasury",
          "health_token.fundamental", "health_token.index", "health_token.reserve_ratio", "health_token.supply",
          "insurance.mean_premium", "insurance.total_queue", "liquidity_providers.cash", "liquidity_providers.deposits",
          "liquidity_providers.expected_yield", "liquidity_providers.requests", "liquidity_providers.value",
          "liquidity_providers.withdrawals", "oracles.accuracy", "oracles.coherence", "patients.charity_care",
          "patients.own_payments", "patients.uninsured", "reference_price.hlt_external", "research.cash",
          "traders.noise_volume", "traders.arbitrage_volume")

POOL = ("borne_claims", "borne_junior", "borne_senior", "borne_surplus", "capital", "combined_ratio", "earned_premium",
        "ibnr", "incurred", "junior", "junior_price", "loss_ratio", "mcr_ratio", "members", "outstanding", "paid",
        "required_capital", "scr_ratio", "senior", "share_price", "unearned_premium", "unpaid")

FLOWS = [(-1, "endowment", "USDs", "issuance", "households", 9_000_000_001),
         (0, "premium", "USDs", "households", "insurers", 2_500_001),
         (1, "premium", "USDs", "households", "insurers", 1_500_000),
         (1, "claim", "USDs", "insurers", "providers", 3_000_002),
         (1, "premium_earned", "USDs", "insurers", "insurers", 700_000),
         (2, "swap", "HLT", "traders", "protocol", 5_000_000)]


def _events_table(events: list[tuple[int, str, str, float, dict[str, Any]]]) -> pa.Table:
    columns = list(zip(*events, strict=True)) or [()] * 5
    return pa.table({"day": pa.array(columns[0], pa.int32()), "kind": pa.array(columns[1], pa.string()),
                     "subject": pa.array(columns[2], pa.string()), "amount": pa.array(columns[3], pa.float64()),
                     "details": pa.array([json.dumps(details) for details in columns[4]], pa.string())})


def _flows_table(flows: list[tuple[int, str, str, str, str, int]]) -> pa.Table:
    names = ("day", "kind", "asset", "from_sector", "to_sector", "amount")
    kinds = (pa.int32(), pa.string(), pa.string(), pa.string(), pa.string(), pa.int64())
    columns = list(zip(*flows, strict=True)) or [()] * 6
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, kinds, strict=True)})


def make_folder(folder: Path, days: int = DAYS, pools: tuple[str, ...] = POOLS, market: tuple[str, ...] = MARKET,
                question: str = "What happens?", events: Any = None, flows: Any = None,
                expectations: Any = ()) -> Path:
    """Write a run folder and return it; the arguments replace parts of the usual content."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    daily: dict[str, Any] = {"day": np.arange(days, dtype=np.int32)}
    daily |= {name: 1.0 + rng.random(days) for name in market}
    pq.write_table(pa.table(daily), folder / "daily.parquet")
    each: dict[str, Any] = {"day": np.tile(np.arange(days, dtype=np.int32), len(pools)),
                            "institution": pa.array(np.repeat(pools, days).tolist(), pa.string())}
    if pools:
        each |= {f"insurance.{name}": 1.0 + rng.random(days * len(pools)) for name in POOL}
        each["insurance.state"] = (rng.random(days * len(pools)) < 0.1).astype(np.float64)
    pq.write_table(pa.table(each), folder / "institutions.parquet")
    pq.write_table(_flows_table(FLOWS if flows is None else flows), folder / "flows.parquet")
    pq.write_table(_events_table(EVENTS if events is None else events), folder / "events.parquet")
    if pools:
        months = np.arange(days // 30 + 1, dtype=np.int32)
        cells = len(pools) * months.size
        pq.write_table(pa.table({
            "institution": pa.array(np.repeat(pools, months.size).tolist(), pa.string()),
            "accident_month": np.tile(months, len(pools)), "development_month": np.zeros(cells, dtype=np.int32),
            "paid": np.full(cells, 700_000_000), "incurred": np.full(cells, 900_000_000)}),
            folder / "triangles.parquet")
    deciles = np.tile(np.arange(1, 11), 2)
    counts = {name: np.full(20, share) for name, share in (
        ("persons", 200), ("income", 200 * 40_000_000_000), ("own_payments", 200 * 900_000_000), ("uninsured", 40),
        ("above_10", 60), ("above_25", 20), ("above_40_of_capacity", 10))}
    pq.write_table(pa.table({"year": np.repeat(np.arange(2, dtype=np.int32), 10),
                             "income_decile": deciles.astype(np.int32)} | counts), folder / "people.parquet")
    owed = [(0, "RE1", "EAST", 1_000_000), (days - 1, "RE1", "EAST", 3_000_000), (days - 1, "RE1", "WEST", 1_000_000)]
    pq.write_table(pa.table({
        "day": pa.array([row[0] for row in owed], pa.int32()), "debtor": [row[1] for row in owed],
        "creditor": [row[2] for row in owed], "kind": ["reinsurance"] * 3, "amount": [row[3] for row in owed],
        "debtor_equity": [9_000_000] * 3, "creditor_equity": [5_000_000, 5_000_000, -2_000_000]}),
        folder / "exposures.parquet")
    pq.write_table(pa.table({
        "day": pa.array([40] * 3 + [55] * 3, pa.int32()), "proposal": pa.array([0] * 3 + [1] * 3, pa.int32()),
        "voter": ["a", "b", "c"] * 2, "power": [60_000_000, 25_000_000, 15_000_000, 20_000_000, 50_000_000, 30_000_000],
        "support": ["for", "against", ""] * 2, "votes": [60_000_000, 25_000_000, 0, 20_000_000, 50_000_000, 0]}),
        folder / "votes.parquet")
    metrics = {f"patients.uninsured_decile_{d}": d / 50 for d in range(1, 11)}
    metrics |= {f"patients.top{top}_share": 0.2 for top in (1, 5, 10, 50)}
    metrics |= {f"claims.unpaid_day90_decile_{d}": 0.0 for d in range(1, 11)}
    metrics |= {"insurance.lowest_mcr_ratio": 1.234, "claims.delay_p50": 2.0}
    (folder / "summary.json").write_text(json.dumps({"metrics": metrics, "expectations": list(expectations)}))
    (folder / "scenario.yaml").write_text(json.dumps({
        "name": "made", "stage": 3, "question": question, "population": {"patients": 2000},
        "insurance": {"mcr_gate": 1.0, "premium_shares": {"claims": 0.85}}}))
    (folder / "manifest.json").write_text(json.dumps({
        "format_name": "salus-run", "format": 1, "name": "made", "seed": 7, "days": days, "commit": None,
        "config_hash": "0123456789abcdef0", "versions": {"salus": "0.1.0"}}))
    return folder


@pytest.fixture
def write_folder(tmp_path: Path) -> Callable[..., Path]:
    """:func:`make_folder` for a folder of the test's own."""
    return partial(make_folder, tmp_path / "run")


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the usual folder."""
    return write_report(make_folder(tmp_path_factory.mktemp("report") / "run"))
