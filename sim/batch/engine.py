"""Where runs are computed: in this process, or in long-lived workers of a process pool.

The loop is written to the ``concurrent.futures.Executor`` protocol, so that another executor needs a factory and
nothing else. A pool whose worker was killed is built anew and what was in flight is sent again, a few times at most.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

MAX_ATTEMPTS = 3
"""How often a task is sent before it is given up as one that kills its worker."""


class WorkerLost(RuntimeError):
    """The worker process that computed a task died each time it was tried."""


class Engine(Protocol):
    """Computes ``function(task)`` for every task."""

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """(position, result or the exception it raised) for each task, in the order in which they finish."""
        ...


class InlineEngine:
    """Computes in this process, one task after the other. What a task raises goes up unchanged."""

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """See :class:`Engine`."""
        for position, task in enumerate(tasks):
            yield position, function(task)


class PoolEngine:
    """Computes on ``workers`` workers of the executor that ``start`` builds; a local process pool by default.

    ``function`` must be importable by the workers: a function at the top of a module.
    """

    def __init__(self, workers: int, start: Callable[[int], Executor] | None = None) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers cannot compute anything")
        self.workers = workers
        self._start = start or local_pool

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """See :class:`Engine`."""
        waiting = list(range(len(tasks)))[::-1]
        attempts = [0] * len(tasks)
        suspects: set[int] = set()
        earlier = set(multiprocessing.active_children())
        while waiting:
            executor = self._start(min(self.workers, len(waiting)))
            flying: dict[Future[Result], int] = {}
            try:
                while waiting or flying:
                    # No more in flight than workers, so that a broken pool loses few; and those that were in flight
                    # when it broke go one at a time, so that the guilty one takes no other with it.
                    window = 1 if suspects else self.workers
                    while waiting and len(flying) < window:
                        position = waiting[-1]
                        future = executor.submit(function, tasks[position])
                        waiting.pop()
                        attempts[position] += 1
                        flying[future] = position
                    for future in wait(flying, return_when=FIRST_COMPLETED).done:
                        error = future.exception()
                        if isinstance(error, BrokenExecutor):
                            raise error
                        position = flying.pop(future)
                        suspects.discard(position)
                        yield position, future.result() if error is None else error
                executor.shutdown()
            except BrokenExecutor:
                executor.shutdown(wait=False, cancel_futures=True)
                for position in sorted(flying.values(), reverse=True):
                    if attempts[position] < MAX_ATTEMPTS:
                        waiting.append(position)
                        suspects.add(position)
                    else:
                        suspects.discard(position)
                        yield position, WorkerLost(f"the worker process died in each of {MAX_ATTEMPTS} attempts")
            except BaseException:  # Ctrl-C, or the caller stopped asking: do not wait for runs that nobody wants
                executor.shutdown(wait=False, cancel_futures=True)
                for worker in set(multiprocessing.active_children()) - earlier:
                    worker.terminate()
                raise


def local_pool(workers: int) -> Executor:
    """A process pool whose workers are started afresh, as Mesa wants it, and leave Ctrl-C to the parent."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=workers, mp_context=context, initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local_engine(jobs: int | None = None) -> Engine:
    """The engine for ``jobs`` runs at a time on this machine; all cores by default."""
    workers = usable_cores() if jobs is None else jobs
    return InlineEngine() if workers == 1 else PoolEngine(workers)
