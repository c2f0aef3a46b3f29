"""Which block includes what: the compiled kernel against a plain loop over blocks and candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.blocks import WAITING, build_blocks
from sim.chain.fee_market import NOISE_LEVELS, next_base_fee, noise_levels, transaction_fee
from sim.chain.mempool import ANY_FEE
from sim.kernel.draws import draw_bits

GWEI = 10**9
STREAM = np.uint64(987654321)
COIN = 3_000_000_000
UNIT_COIN = 10**12  # at 1,000,000 gas, one wei of gas price is one micro-USD


@dataclass
class Day:
    """Inputs of one day; demand does not answer to price, so that both sides multiply the same floats."""

    gas: list[int]
    max_fee: list[int]
    tip: list[int]
    rank: list[int]
    arrival: list[int]
    blocks: int = 24
    target: int = 15_000_000
    limit: int = 30_000_000
    denominator: int = 8
    base_fee: int = 20 * GWEI
    level: float = 0.9
    noise_sd: float = 0.5
    mean_tip: int = GWEI
    data_wei: int = 0
    elasticity: float = 0.0
    coin: int = COIN

    def compiled(self) -> tuple[np.ndarray, ...]:
        count = len(self.gas)
        base_path, used = np.zeros(self.blocks + 1, np.int64), np.zeros(self.blocks, np.int64)
        block, fee, sequence = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
        included = build_blocks(
            self.base_fee, np.full(24, float(self.base_fee)), self.elasticity, self.level, noise_levels(self.noise_sd),
            STREAM, 5, self.target, self.limit, self.denominator, 5, self.mean_tip, self.data_wei, self.coin,
            np.array(self.gas, np.int64), np.array(self.max_fee, np.int64), np.array(self.tip, np.int64),
            np.array(self.rank, np.uint64), np.array(self.arrival, np.int64), base_path, used, block, fee, sequence)
        return base_path, used, block, fee, sequence[:included]

    def plain(self) -> tuple[list[int], list[int], dict[int, int], dict[int, int], list[int]]:
        noise = noise_levels(self.noise_sd)
        waiting, base_fee = set(range(len(self.gas))), self.base_fee
        path, used, block, fee, sequence = [base_fee], [], {}, {}, []
        for t in range(self.blocks):
            bits = int(draw_bits(STREAM, 5, np.uint64(t - t % 4), 0)) >> (16 * (t % 4))
            wanted = self.target * self.level * float(noise[bits % NOISE_LEVELS])
            own = 0
            price = {i: transaction_fee(self.gas[i], base_fee + self.tip[i], self.data_wei, self.coin) for i in waiting}
            candidates = [i for i in waiting if self.arrival[i] <= t and price[i] <= self.max_fee[i]]
            for i in sorted(candidates, key=lambda i: (-self.tip[i], self.rank[i], i)):
                above = int(wanted * float(np.exp(-self.tip[i] / self.mean_tip)))
                if own + self.gas[i] + above > self.limit:
                    break
                own += self.gas[i]
                block[i], fee[i] = t, price[i]
                sequence.append(i)
                waiting.remove(i)
            used.append(min(self.limit, own + int(wanted)))
            base_fee = next_base_fee(base_fee, used[-1], self.target, self.denominator)
            path.append(base_fee)
        return path, used, block, fee, sequence


@st.composite
def days(draw: st.DrawFn) -> Day:
    count = draw(st.integers(0, 40))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    blocks = 24
    fee_now = transaction_fee(150_000, 20 * GWEI, 0, COIN)
    tight = numbers.integers(0, 3 * fee_now, count)
    return Day(
        gas=numbers.choice([60_000, 150_000, 4_000_000, 14_000_000], count).tolist(),
        max_fee=np.where(numbers.random(count) < 0.3, ANY_FEE, tight).tolist(),
        tip=numbers.choice([0, GWEI // 2, GWEI, 3 * GWEI], count).tolist(),
        rank=numbers.integers(0, 6, count).tolist(),  # ties on purpose
        arrival=numbers.integers(0, blocks, count).tolist(),
        blocks=blocks,
        level=draw(st.sampled_from([0.2, 0.9, 1.8, 6.0])),
        data_wei=draw(st.sampled_from([0, 10**12])),
    )


@given(days())
def test_equals_the_plain_loop(day: Day) -> None:
    path, used, block, fee, sequence = day.plain()
    got_path, got_used, got_block, got_fee, got_sequence = day.compiled()
    assert got_path.tolist() == path
    assert got_used.tolist() == used
    assert got_sequence.tolist() == sequence
    assert got_block.tolist() == [block.get(i, WAITING) for i in range(len(day.gas))]
    assert {i: int(got_fee[i]) for i in sequence} == fee


@given(days())
def test_laws_of_a_block(day: Day) -> None:
    _, used, block, fee, sequence = day.compiled()
    assert len(set(sequence.tolist())) == sequence.size == int((block != WAITING).sum())
    assert used.max() <= day.limit
    for t in range(day.blocks):
        inside = [i for i in sequence.tolist() if block[i] == t]
        assert sum(day.gas[i] for i in inside) <= used[t]
        assert inside == sorted(inside, key=lambda i: (-day.tip[i], day.rank[i], i))
    assert [int(block[i]) for i in sequence] == sorted(int(block[i]) for i in sequence)
    for i in sequence.tolist():
        assert block[i] >= day.arrival[i]
        assert fee[i] <= day.max_fee[i]


def test_a_fee_limit_is_met_to_the_last_wei() -> None:
    day = Day([10**6] * 2, [21 * GWEI, 21 * GWEI - 1], [GWEI] * 2, [0, 1], [0, 0], blocks=1, coin=UNIT_COIN)
    _, _, block, fee, _ = day.compiled()
    assert block.tolist() == [0, WAITING]
    assert fee[0] == 21 * GWEI


def test_it_goes_in_when_the_base_fee_has_fallen_to_its_limit_and_not_a_wei_before() -> None:
    falling = Day([], [], [], [], [], level=0.0).compiled()[0].tolist()
    day = Day([10**6] * 2, [falling[5], falling[5] - 1], [0] * 2, [0, 1], [0, 0], level=0.0, coin=UNIT_COIN)
    day.target = 10**12  # so large that our gas does not slow the fall
    day.limit = 2 * day.target
    assert day.compiled()[0][5] == falling[5]
    assert day.compiled()[2].tolist() == [5, 6]


def test_without_the_fee_for_data_nothing_is_included() -> None:
    fee = transaction_fee(150_000, 21 * GWEI, 10**15, COIN)
    day = Day([150_000] * 2, [fee, fee - 1], [GWEI] * 2, [0, 1], [0, 0], blocks=1, data_wei=10**15)
    assert day.compiled()[2].tolist() == [0, WAITING]
    assert day.compiled()[3][0] == fee


def test_a_dear_transaction_waits_until_the_base_fee_has_fallen() -> None:
    limit = transaction_fee(150_000, 15 * GWEI, 0, COIN)
    day = Day([150_000], [limit], [0], [0], [0], blocks=10, level=0.0)
    path, _, block, fee, _ = day.compiled()
    first = next(t for t in range(10) if path[t] <= 15 * GWEI)
    assert first > 0
    assert block.tolist() == [first]
    assert fee[0] == transaction_fee(150_000, int(path[first]), 0, COIN)


def test_in_a_congested_block_the_higher_tip_goes_first() -> None:
    """Demand of 4 limits at zero noise: exp(-tip) * 4 < 1 needs a tip above 1.39 means."""
    day = Day([150_000] * 2, [ANY_FEE] * 2, [GWEI, 2 * GWEI], [0, 1], [0, 0], blocks=3, level=8.0, noise_sd=0.0)
    assert day.compiled()[2].tolist() == [WAITING, 0]


def test_the_longest_fee_limit_has_no_overflow() -> None:
    day = Day([21_000], [ANY_FEE - 1], [0], [0], [0], blocks=1)
    assert day.compiled()[2].tolist() == [0]


@pytest.mark.parametrize("count", [0, 1])
def test_the_fee_path_does_not_depend_on_transactions_that_wait(count: int) -> None:
    day = Day([150_000] * count, [0] * count, [0] * count, [0] * count, [0] * count)
    assert day.compiled()[0].tolist() == Day([], [], [], [], []).compiled()[0].tolist()
