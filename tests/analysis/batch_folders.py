"""Writes batch folders in the layout of the store, for tests of what reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

World = Callable[[str, dict[str, float], np.random.Generator], dict[str, float]]
"""(variant, swept values, the world of the seed) -> metrics."""

DAYS = 40
SERIES = ("claims.paid_amount", "insurance.total_capital")


def seed_of(replication: int) -> int:
    """A seed for each replication, the same in every folder."""
    return int.from_bytes(hashlib.sha256(str(replication).encode()).digest()[:8], "big") >> 1


def _metrics(variant: str, _values: dict[str, float], world: np.random.Generator) -> dict[str, float]:
    """A world that moves premium and claims; "dear" adds to both, "apart" draws claims of its own."""
    premium = world.normal(1e6, 1e5)
    claims = 0.8 * premium + world.normal(0, 5e3)
    if variant == "dear":
        premium, claims = 1.05 * premium + world.normal(0, 500), claims + 2e4
    if variant == "apart":
        claims = np.random.default_rng(int(premium) + 1).normal(8e5, 8e4)
    ruin = float(claims > 0.85 * premium)
    return {"insurance.premium_earned": premium, "insurance.paid_claims": claims, "insurance.any_default": ruin,
            "insurance.incurred_loss_ratio": claims / premium,
            "claims.delay_p50": float("nan") if variant == "apart" else 2.0}


def write_batch(folder: Path, variants: Sequence[str] = ("main", "dear", "apart"), replications: int = 20,
                metrics: World = _metrics, points: Sequence[Mapping[str, float]] = (), design: str = "replications",
                failing: Sequence[int] = (), name: str = "made", question: str = "What happens?",
                more: Mapping[str, Any] | None = None) -> Path:
    """Write a finished batch folder and return it. ``failing`` are run indices recorded as failed."""
    (folder / "daily").mkdir(parents=True)
    (folder / "failed").mkdir()
    rows, daily = [], []
    swept = [dict(point) for point in points] or [{}]
    for replication in range(replications):
        for place, values in enumerate(swept):
            for variant in variants:
                index, seed = len(rows), seed_of(replication)
                figures = metrics(variant, values, np.random.default_rng(seed))
                failed = index in failing
                rows.append({"index": index, "scenario": name, "variant": variant, "point": place,
                             "replication": replication, "seed": seed, "status": "failed" if failed else "done",
                             **{f"param.{key}": float(value) for key, value in values.items()},
                             **{f"metric.{key}": float("nan") if failed else float(value)
                                for key, value in figures.items()}})
                if failed:
                    (folder / "failed" / f"{index}.json").write_text(json.dumps({
                        "index": index, "seed": seed, "stage": "day 3", "error": "Ruin", "message": "it broke <b>",
                        "traceback": "", "command": f"python run_sim.py run made.yaml --seed {seed}"}))
                else:
                    daily.append((index, variant, np.random.default_rng(seed)))
    plain = {"name": name, "stage": 3, "question": question, "horizon_days": DAYS,
             "population": {"patients": 2000}, "insurance": {"mcr_gate": 1.0}}
    resolved = {variant: {**plain, "insurance": {"mcr_gate": 1.0 if variant == "main" else 1.3}}
                for variant in variants}
    plan = {"format": 1, "design": design, "replications": replications, "master_seed": 1, "variants": list(variants),
            "metrics": [], "scenarios": [{"name": name, "file": "made.yaml", "config_hash": "abc", "question": question,
                                          "resolved": resolved}], **(more or {})}
    (folder / "plan.json").write_text(json.dumps(plan))
    pq.write_table(pa.Table.from_pylist(rows), folder / "runs.parquet")
    (folder / "manifest.jsonl").write_text("".join(json.dumps({
        "index": row["index"], "scenario": name, "variant": row["variant"], "point": row["point"],
        "replication": row["replication"], "seed": row["seed"], "status": row["status"], "stage": "",
        "config_hash": "abc"}) + "\n" for row in rows))
    writer = None
    for index, variant, rng in daily:
        level = 1e4 * (1.1 if variant == "dear" else 1.0)
        values = [level + np.cumsum(rng.normal(0, 100, DAYS)) for _ in SERIES]
        table = pa.table({"index": pa.array(np.full(DAYS * 2, index), pa.int64()),
                          "day": pa.array(np.tile(np.arange(DAYS), 2), pa.int32()),
                          "series": pa.array(np.repeat(SERIES, DAYS).tolist(), pa.string()),
                          "value": np.concatenate(values)})
        writer = writer or pq.ParquetWriter(folder / "daily" / "part-00000.parquet", table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return folder
