"""Computing tasks here and in workers, with workers that die."""

from __future__ import annotations

import math
import operator
import os
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

import pytest

from sim.batch.engine import MAX_ATTEMPTS, InlineEngine, PoolEngine, WorkerLost, local_engine, usable_cores


@pytest.mark.parametrize("engine", [InlineEngine(), PoolEngine(2), PoolEngine(3, ThreadPoolExecutor)])
def test_every_engine_gives_every_result_once(engine: InlineEngine | PoolEngine) -> None:
    outcomes = dict(engine.outcomes(math.sqrt, [float(k * k) for k in range(7)]))
    assert outcomes == {k: float(k) for k in range(7)}
    assert list(engine.outcomes(math.sqrt, [])) == []


def test_workers_live_for_many_tasks() -> None:
    outcomes = dict(PoolEngine(1).outcomes(operator.call, [os.getpid] * 4))
    assert len(set(outcomes.values())) == 1
    assert os.getpid() not in outcomes.values()


def test_an_exception_in_a_worker_is_an_outcome() -> None:
    outcomes = dict(PoolEngine(2, ThreadPoolExecutor).outcomes(math.sqrt, [4.0, -1.0]))
    assert outcomes[0] == 2.0
    assert isinstance(outcomes[1], ValueError)


def test_a_task_that_kills_its_worker_is_given_up_and_takes_no_other_with_it() -> None:
    # The first is still at work whenever the second kills the pool, and would be given up with it.
    tasks = [partial(time.sleep, 1.0), partial(os._exit, 3), partial(math.sqrt, 9.0), partial(math.sqrt, 16.0)]
    outcomes = dict(PoolEngine(2).outcomes(operator.call, tasks))
    assert isinstance(outcomes.pop(1), WorkerLost)
    assert outcomes == {0: None, 2: 3.0, 3: 4.0}


def test_a_broken_pool_is_built_anew_a_few_times() -> None:
    pools: list[int] = []

    def start(workers: int) -> Executor:
        from sim.batch.engine import local_pool

        pools.append(workers)
        return local_pool(workers)

    outcomes = dict(PoolEngine(1, start).outcomes(operator.call, [partial(os._exit, 1)]))
    assert isinstance(outcomes[0], WorkerLost)
    assert len(pools) == MAX_ATTEMPTS


def test_stopping_early_stops_the_workers() -> None:
    started = time.monotonic()
    outcomes = PoolEngine(2).outcomes(time.sleep, [0.0, 3600.0, 3600.0])
    assert next(outcomes) == (0, None)
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 600  # an hour's sleep was not waited for


def test_one_job_is_computed_in_this_process() -> None:
    assert isinstance(local_engine(1), InlineEngine)
    assert isinstance(local_engine(2), PoolEngine)
    assert usable_cores() >= 1
    with pytest.raises(ValueError, match="cannot compute"):
        PoolEngine(0)
