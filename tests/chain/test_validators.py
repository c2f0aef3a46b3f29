"""Gas on the ledger: who pays it, where it goes, and what the chain's invariants catch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.chain.fee_market import transaction_fee
from sim.chain.mempool import Batch

Market = Callable[..., Any]


def run_with_claims(market: Any, days: int) -> None:
    for _ in range(days):
        market.open_day()
        market.chain.submit(Batch("claim_filing", market.people, lambda rows, blocks: None, keys=market.keys))
        market.close_day()


def test_each_pays_the_price_of_its_block(chain_market: Market) -> None:
    market = chain_market(preset="layer_2")
    market.open_day()
    where: dict[int, int] = {}
    market.chain.submit(Batch("claim_filing", market.people, lambda rows, blocks: where.update(
        zip(rows.tolist(), blocks.tolist(), strict=True)), keys=market.keys))
    before = [market.cash(i) for i in range(20)]
    market.close_day()
    chain = market.chain
    for i in range(20):
        price = int(chain.base_path[where[i]]) + chain.suggested_tip
        assert before[i] - market.cash(i) == transaction_fee(150_000, price, chain.data_wei, chain.coin_micro)


def test_the_quoted_fee_is_near_what_is_paid(chain_market: Market) -> None:
    market = chain_market(fee_sd=0.0, daily_cycle=0.0)
    run_with_claims(market, 2)
    market.open_day()
    quote = market.chain.fee("claim_filing")
    market.close_day()
    assert market.chain.gas_paid / 40 == pytest.approx(quote, rel=0.5)


def test_the_quote_is_renewed_by_the_day_s_blocks(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    chain = market.chain
    before = chain.fee("claim_filing")
    market.close_day()
    assert chain.fee("claim_filing") != before
    assert chain.fee("claim_filing") == transaction_fee(150_000, chain.base_fee + chain.suggested_tip, 0, 3_000_000_000)


def test_fees_follow_the_gas_coin(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    quote = market.chain.fee("claim_filing")
    market.chain.execute(market)
    market.prices.gas_coin_usd *= 2
    market.chain.base_fee = market.chain.fees.opening_base_fee
    market.open_day()
    assert market.chain.fee("claim_filing") == 2 * quote


def test_validators_spend_once_a_month(chain_market: Market) -> None:
    market = chain_market()
    run_with_claims(market, 29)
    held = market.ledger.balance(market.usd, market.chain.validators)
    assert held == market.chain.gas_paid > 0
    run_with_claims(market, 1)
    assert market.ledger.balance(market.usd, market.chain.validators) == 0
    assert market.ledger.balance(market.usd, market.rest_of_world) == market.chain.gas_paid > held


def test_metrics_add_up(chain_market: Market) -> None:
    market = chain_market()
    run_with_claims(market, 3)
    market.chain.finish(market)
    metrics, series = market.record.metrics, market.record.values
    assert metrics["chain.transactions"] == 60 == sum(series["chain.included"])
    assert metrics["chain.total_gas_usd"] == pytest.approx(sum(series["chain.gas_paid_usd"]))
    assert metrics["chain.mean_wait_days"] == 0
    declared = {metric.name for metric in market.chain.section.metrics}
    assert set(metrics) == declared
    assert set(series) == {one.name for one in market.chain.section.series}


@pytest.mark.parametrize(("name", "spoil"), [
    ("chain.base_fee_moves_by_its_rule", lambda chain: chain.base_path.__setitem__(10, chain.base_path[9] * 8 // 7)),
    ("chain.blocks_within_gas_limit", lambda chain: chain.gas_used.__setitem__(3, 30_000_001)),
    ("chain.gas_paid_equals_fees", lambda chain: setattr(chain, "gas_paid", chain.gas_paid + 1)),
    ("chain.transactions_are_conserved", lambda chain: setattr(chain.counts, "executed", 19)),
])
def test_an_invariant_sees_what_is_broken(chain_market: Market, name: str, spoil: Callable[[Any], None]) -> None:
    market = chain_market()
    run_with_claims(market, 1)
    checks = dict(market.chain.invariants())
    assert checks[name]() is None
    spoil(market.chain)
    assert checks[name]() is not None


def test_a_gas_coin_beyond_the_range_of_fees_is_refused(chain_market: Market) -> None:
    market = chain_market()
    market.prices.gas_coin_usd = 1e12
    with pytest.raises(OverflowError, match="gas coin"):
        market.open_day()


def test_instant_chain_is_free_and_keeps_the_order(chain_market: Market) -> None:
    market = chain_market(instant=True)
    market.day = 0
    log: list[tuple[str, list[int]]] = []

    def note(name: str) -> Callable[[np.ndarray, np.ndarray], None]:
        return lambda rows, blocks: log.append((name, rows.tolist()))

    market.chain.submit(Batch("swap", market.people[:2], note("low"), ordered=True, tip_bps=5_000))
    market.chain.submit(Batch("swap", market.people[:2], note("high"), ordered=True, tip_bps=50_000, max_fee=0))
    market.chain.submit(Batch("anything", market.people[:3], note("commute")))
    market.chain.execute(market)
    assert [(name, sorted(rows)) for name, rows in log] == [("commute", [0, 1, 2]), ("high", [0, 1]), ("low", [0, 1])]
    assert market.chain.fee("claim_filing") == market.chain.gas("claim_filing") == market.chain.congestion == 0
    assert market.cash(0) == market.cash(5)
    assert [check() for _, check in market.chain.invariants()] == [None]
