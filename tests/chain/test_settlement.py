"""Queue and execution: order, atomic refusal, expiry, gas, and that no transaction is ever lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.mempool import Batch, Refused
from sim.kernel.fixedpoint import MICRO

Market = Callable[..., Any]
CASH = 10_000_000_000


class Calls:
    """A contract that notes what it executes, and refuses some rows after it has moved money for them."""

    def __init__(self, market: Any, senders: Any, refused: frozenset[int] = frozenset(), name: str = "") -> None:
        self.market, self.senders, self.refused, self.name = market, senders, refused, name
        self.rows: list[int] = []
        self.blocks: list[int] = []
        self.log: list[tuple[str, int]] = []
        self.dropped: list[int] = []
        self.reverted: list[int] = []

    def __call__(self, rows: np.ndarray, blocks: np.ndarray) -> None:
        ledger, mark = self.market.ledger, len(self.rows)
        log_mark = len(self.log)
        ledger.on_rollback(lambda: (self.rows.__delitem__(slice(mark, None)),
                                    self.blocks.__delitem__(slice(mark, None)),
                                    self.log.__delitem__(slice(log_mark, None))))
        for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
            ledger.transfer(self.market.usd, int(self.senders[row]), self.market.rest_of_world, 7, "test")
            self.rows.append(row)
            self.blocks.append(block)
            self.log.append((self.name, row))
            if row in self.refused:
                raise Refused(f"row {row}")

    def batch(self, kind: str = "swap", **more: Any) -> Batch:
        more.setdefault("dropped", lambda rows: self.dropped.extend(rows.tolist()))
        more.setdefault("reverted", lambda rows: self.reverted.extend(rows.tolist()))
        return Batch(kind, self.senders, self, **more)


def test_rows_that_commute_run_in_one_call_in_order_of_submission(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    sizes: list[tuple[str, int]] = []
    for name in ("b", "a"):
        market.chain.submit(Batch("premium", market.people, lambda rows, blocks, name=name: sizes.append(
            (name, rows.size)), keys=market.keys))
    market.close_day()
    assert sizes == [("b", 20), ("a", 20)]


def test_ordered_rows_run_by_block_then_tip_then_key(chain_market: Market) -> None:
    market = chain_market(people=60)
    market.open_day()
    log: list[tuple[int, int]] = []
    tips = np.where(np.arange(60) % 3 == 0, 30_000, 10_000)
    arrival = np.arange(60) // 20 * 100
    market.chain.submit(Batch("swap", market.people, lambda rows, blocks: log.extend(
        zip(blocks.tolist(), rows.tolist(), strict=True)), ordered=True, keys=market.keys, tip_bps=tips,
        arrival=arrival))
    rank = market.chain.pool["rank"].copy()
    market.close_day()
    assert len(log) == 60
    assert log == sorted(log, key=lambda item: (item[0], -tips[item[1]], rank[item[1]]))
    assert [row for _, row in log] != sorted(row for _, row in log)


def test_a_higher_tip_overtakes_in_its_block_across_batches(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    log: list[str] = []
    for name, tip in (("victim", 10_000), ("front", 20_000), ("back", 5_000)):
        market.chain.submit(Batch("swap", market.people[:1], lambda rows, blocks, name=name: log.append(name),
                                  ordered=True, tip_bps=tip, arrival=[50]))
    market.close_day()
    assert log == ["front", "victim", "back"]


def test_a_refused_row_leaves_no_trace_and_the_others_stand(chain_market: Market) -> None:
    market = chain_market(cash=CASH)
    market.open_day()
    calls = Calls(market, market.people, refused=frozenset({3, 11}))
    market.chain.submit(calls.batch(ordered=True, keys=market.keys))
    market.close_day()
    assert sorted(calls.rows) == [row for row in range(20) if row not in (3, 11)]
    assert sorted(calls.reverted) == [3, 11]
    assert market.chain.counts.reverted_by_kind == {"swap": 2}
    held = market.ledger.balance(market.usd, market.rest_of_world)
    assert held == 7 * 18
    assert market.ledger.balance(market.usd, market.chain.validators) == market.chain.gas_paid_today > 0
    assert sum(market.cash(i) for i in range(20)) == 20 * CASH - held - market.chain.gas_paid
    assert market.ledger.check_supplies() is None


def test_halves_are_tried_again_in_order(chain_market: Market) -> None:
    market = chain_market(people=9)
    market.open_day()
    calls = Calls(market, market.people, refused=frozenset({0, 4, 8}))
    market.chain.submit(calls.batch("premium", keys=market.keys))
    market.close_day()
    assert calls.rows == [1, 2, 3, 5, 6, 7]
    assert calls.reverted == [0, 4, 8]


def test_an_error_that_is_no_refusal_stops_the_run(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()

    def broken(rows: np.ndarray, blocks: np.ndarray) -> None:
        raise ZeroDivisionError

    market.chain.submit(Batch("swap", market.people, broken))
    with pytest.raises(ZeroDivisionError):
        market.chain.execute(market)


def test_a_contract_s_own_refusals_can_be_named(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()

    def decline(rows: np.ndarray, blocks: np.ndarray) -> None:
        raise LookupError

    market.chain.submit(Batch("swap", market.people[:2], decline, refusals=(LookupError,)))
    market.close_day()
    assert market.chain.counts.reverted == 2


def test_a_row_waits_until_fees_fall(chain_market: Market) -> None:
    market = chain_market(fee_sd=0.0, daily_cycle=0.0)
    market.open_day()
    limit = 2 * market.chain.fee("claim_filing")
    market.chain.start_spike(multiple=6.0, days=3, fee_market="layer_1")
    market.close_day()
    calls = Calls(market, market.people)
    market.open_day()
    market.chain.submit(calls.batch("claim_filing", max_fee=limit, keys=market.keys))
    market.close_day()
    assert calls.rows == []
    assert market.chain.pending("claim_filing") == market.chain.pending() == 20
    assert market.chain.fee("claim_filing") > limit
    market.run_day()
    assert calls.rows == []
    market.run_day()
    assert calls.rows == list(range(20))
    assert max(calls.blocks) < 300  # they have waited since before the day's first block
    assert market.chain.pending("claim_filing") == 0
    assert market.chain.gas_paid <= 20 * limit
    assert market.chain.counts.days_waited == 20 * 2


def test_rows_expire_after_their_last_day(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    calls = Calls(market, market.people)
    market.chain.submit(calls.batch("claim_filing", max_fee=0, keys=market.keys, expires=2))
    market.close_day()
    market.run_day()
    assert calls.dropped == []
    market.run_day()
    assert calls.dropped == list(range(20))
    assert market.chain.pool.size == 0
    assert market.chain.pool.batches == {}


def test_who_cannot_pay_gas_is_dropped_and_the_payer_pays_for_others(chain_market: Market) -> None:
    market = chain_market(people=4, cash=0)
    market.ledger.mint(market.usd, int(market.people[1]), 1000 * MICRO, "endowment")
    market.open_day()
    own, sponsored = Calls(market, market.people), Calls(market, market.people)
    market.ledger.mint_batch(market.usd, market.people, np.full(4, 7), "endowment")
    market.chain.submit(own.batch("swap", keys=market.keys))
    sponsored_batch = Batch("consent", market.people, lambda rows, blocks: sponsored.rows.extend(rows.tolist()),
                            payer=int(market.people[1]))
    market.chain.submit(sponsored_batch)
    market.close_day()
    assert own.rows == [1]
    assert own.dropped == [0, 2, 3]
    assert sponsored.rows == [0, 1, 2, 3]
    assert market.cash(0) == 7
    assert market.cash(1) == 1000 * MICRO - market.chain.gas_paid


def test_an_outage_builds_no_block_and_the_queue_waits(chain_market: Market) -> None:
    market = chain_market()
    market.run_day()
    base_fee = market.chain.base_fee
    market.day += 1
    market.chain.start_outage(days=2)
    market.day -= 1
    calls = Calls(market, market.people)
    for _ in range(2):
        market.open_day()
        if not market.chain.pool.size:
            market.chain.submit(calls.batch("claim_filing", keys=market.keys))
        market.close_day()
        assert (calls.rows, market.chain.base_fee, market.chain.congestion) == ([], base_fee, 1.0)
    market.run_day()
    assert len(calls.rows) == 20


def test_what_a_call_submits_executes_on_the_next_day(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    second = Calls(market, market.people)

    def first(rows: np.ndarray, blocks: np.ndarray) -> None:
        market.chain.submit(second.batch("premium", keys=market.keys))

    market.chain.submit(Batch("premium", market.people[:1], first))
    market.close_day()
    assert second.rows == []
    market.run_day()
    assert second.rows == list(range(20))
    assert max(second.blocks) > 1000  # spread over the day like any other


def test_arrivals_are_spread_over_the_day_and_by_key_alone(chain_market: Market) -> None:
    first, second = chain_market(people=2000), chain_market(people=2000)
    first.open_day()
    second.open_day()
    first.chain.submit(Batch("swap", first.people, lambda rows, blocks: None, keys=first.keys))
    second.chain.submit(Batch("vote", second.people, lambda rows, blocks: None, keys=second.keys))
    second.chain.submit(Batch("swap", second.people[5:], lambda rows, blocks: None, keys=second.keys[5:]))
    arrival = first.chain.pool["arrival"]
    assert arrival.min() >= 0
    assert arrival.max() < 7200
    assert np.histogram(arrival, bins=4, range=(0, 7200))[0].min() > 430
    assert np.array_equal(second.chain.pool["arrival"][2000:], arrival[5:])


def test_the_queue_shows_what_waits_and_cannot_be_written(chain_market: Market) -> None:
    market = chain_market()
    market.open_day()
    market.chain.submit(Batch("vote", market.people[:2], lambda rows, blocks: None))
    market.chain.submit(Batch("swap", market.people[:3], lambda rows, blocks: None, max_fee=[5, 6, 7],
                              payload={"amount": 12}))
    queue = market.chain.queue()
    swaps = queue.of_kind("swap")
    assert queue.max_fee[swaps].tolist() == [5, 6, 7]
    assert queue.batches[int(queue.batch[swaps[0]])].payload == {"amount": 12}
    assert queue.of_kind("claim_filing").size == 0
    with pytest.raises(ValueError):
        queue.tip[0] = 1


@pytest.mark.parametrize("wrong", [
    {"max_fee": -1}, {"tip_bps": [1, 2]}, {"keys": np.arange(3, dtype=np.uint64)}, {"gas": 30_000_001},
    {"arrival": [-1] * 20},
])
def test_columns_that_do_not_fit_are_refused(chain_market: Market, wrong: dict[str, Any]) -> None:
    market = chain_market()
    with pytest.raises(ValueError):
        market.chain.submit(Batch("swap", market.people, lambda rows, blocks: None, **wrong))
    assert market.chain.pool.size == market.chain.counts.submitted == 0


def test_an_unknown_kind_is_refused_and_can_be_registered(chain_market: Market) -> None:
    market = chain_market()
    with pytest.raises(KeyError, match="register_kind"):
        market.chain.submit(Batch("teleport", market.people, lambda rows, blocks: None))
    market.chain.register_kind("teleport", 77_000)
    market.chain.register_kind("claim_filing", 1)
    assert (market.chain.gas("teleport"), market.chain.gas("claim_filing")) == (77_000, 150_000)
    assert market.chain.proof_gas(32) == 354_000 + 32 * 13_500


def test_an_empty_batch_is_nothing(chain_market: Market) -> None:
    market = chain_market()
    assert market.chain.submit(Batch("swap", [], lambda rows, blocks: None)) == -1
    market.run_day()
    assert market.chain.counts.submitted == 0


plans = st.lists(st.tuples(
    st.booleans(),                                     # ordered
    st.sampled_from([None, 0, 3_000_000, 9_000_000]),  # max_fee
    st.integers(0, 3),                                 # days until it expires
    st.frozensets(st.integers(0, 5), max_size=3),      # rows that the contract refuses
    st.integers(0, 3),                                 # day of submission
), max_size=8)


@given(plans, st.sampled_from([0, 20 * MICRO, 10_000 * MICRO]))
def test_no_transaction_is_lost_or_executed_twice(chain_market: Market, plan: list[tuple[Any, ...]],
                                                  cash: int) -> None:
    market = chain_market(people=6, cash=cash, preset="custom", block_seconds=3600, base_fee_gwei=18.0)
    made: list[Calls] = []
    for _ in range(7):
        market.open_day()
        for ordered, max_fee, days, refused, start in plan:
            if start == market.day:
                calls = Calls(market, market.people, refused)
                made.append(calls)
                market.chain.submit(calls.batch(ordered=ordered, max_fee=max_fee, expires=market.day + days,
                                                keys=market.keys))
        market.close_day()
    for calls in made:
        assert sorted(calls.rows + calls.dropped + calls.reverted) == list(range(6))
        assert calls.refused.isdisjoint(calls.rows)
    counts = market.chain.counts
    assert counts.submitted == 6 * len(made)
    assert market.ledger.check_supplies() is None
    assert market.ledger.balance(market.usd, market.rest_of_world) == 7 * sum(len(calls.rows) for calls in made)


def test_rows_that_are_called_singly_have_the_same_effect(chain_market: Market) -> None:
    seen = []
    for singly in (False, True):
        market = chain_market()
        market.open_day()
        calls = Calls(market, market.people, refused=frozenset({3, 7, 8}))
        sizes: list[int] = []

        def counted(rows: np.ndarray, blocks: np.ndarray, calls: Calls = calls, sizes: list[int] = sizes) -> None:
            sizes.append(rows.size)
            calls(rows, blocks)

        batch = calls.batch(ordered=True, keys=market.keys, singly=singly)
        market.chain.submit(Batch(**{**{name: getattr(batch, name) for name in batch.__dataclass_fields__},
                                     "call": counted}))
        market.close_day()
        seen.append((calls.rows, calls.blocks, sorted(calls.reverted), market.ledger.balances(market.usd).tolist()))
        assert (max(sizes) == 1) == singly
    assert seen[0] == seen[1]
    assert sorted(seen[0][2]) == [3, 7, 8]
