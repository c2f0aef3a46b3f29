"""Where runs are computed: in this process, or in long-lived workers of a process pool.

The loop is written to the ``concurrent.futures.Executor`` protocol, so that another executor needs a factory and
nothing else. A pool whose worker was killed is built anew and what was in flight is sent again, a few times at most.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from typing import Generic, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

MAX_ATTEMPTS = 3
"""How often a task is sent before it is given up as one that kills its worker."""


LOST = f"the worker process died in each of {MAX_ATTEMPTS} attempts"


class WorkerLost(RuntimeError):
    """The worker process that computed a task died each time it was tried."""


class Engine(Protocol):
    """Computes ``function(task)`` for every task. Tasks are taken as they are needed."""

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """(position, result or the exception it raised) for each task, in the order in which they finish."""
        ...


class InlineEngine:
    """Computes in this process, one task after the other. What a task raises goes up unchanged."""

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """See :class:`Engine`."""
        for position, task in enumerate(tasks):
            yield position, function(task)


class PoolEngine:
    """Computes on ``workers`` workers of the executor that ``start`` builds; a local process pool by default.

    ``function`` must be importable by the workers: a function at the top of a module.
    ``allowed`` may lower the number in flight at any time, where memory gets short.
    """

    def __init__(
        self, workers: int, start: Callable[[int], Executor] | None = None, allowed: Callable[[], int] | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers cannot compute anything")
        self.workers = workers
        self._start = start or local_pool
        self._allowed = allowed or (lambda: workers)

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """See :class:`Engine`."""
        queue = _Queue(tasks)
        earlier = set(multiprocessing.active_children())
        while queue.left():
            executor = self._start(self.workers)
            flying: dict[Future[Result], int] = {}
            try:
                while flying or queue.left():
                    # No more in flight than workers, so that a broken pool loses few; and those that were in flight
                    # when it broke go one at a time, so that the guilty one takes no other with it.
                    window = 1 if queue.suspects else max(1, min(self.workers, self._allowed()))
                    while len(flying) < window and queue.left():
                        position = queue.first()
                        future = executor.submit(function, queue.held[position])
                        queue.sent(position)
                        flying[future] = position
                    for future in wait(flying, return_when=FIRST_COMPLETED).done:
                        error = future.exception()
                        if isinstance(error, BrokenExecutor):
                            raise error
                        position = flying.pop(future)
                        queue.finished(position)
                        yield position, future.result() if error is None else error
                executor.shutdown()
            except BrokenExecutor:
                executor.shutdown(wait=False, cancel_futures=True)
                for position in queue.lost(flying.values()):
                    yield position, WorkerLost(LOST)
            except BaseException:  # Ctrl-C, or the caller stopped asking: do not wait for runs that nobody wants
                executor.shutdown(wait=False, cancel_futures=True)
                for worker in set(multiprocessing.active_children()) - earlier:
                    worker.terminate()
                raise


class _Queue(Generic[Task]):
    """Tasks by position: fresh ones, taken one at a time, after those that are to be sent again."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._fresh = enumerate(tasks)
        self._again: list[int] = []
        self._attempts: dict[int, int] = {}
        self.held: dict[int, Task] = {}
        self.suspects: set[int] = set()

    def left(self) -> bool:
        """Whether there is a task to send; makes sure that it is at hand."""
        if not self._again:
            for position, task in self._fresh:
                self.held[position] = task
                self._again.append(position)
                break
        return bool(self._again)

    def first(self) -> int:
        """The position to send next."""
        return self._again[-1]

    def sent(self, position: int) -> None:
        """Note that ``position`` is in flight."""
        self._again.pop()
        self._attempts[position] = self._attempts.get(position, 0) + 1

    def finished(self, position: int) -> None:
        """Forget ``position``."""
        self.suspects.discard(position)
        del self.held[position], self._attempts[position]

    def lost(self, positions: Iterable[int]) -> list[int]:
        """Put what was in flight back, in order; gives the positions that have been tried often enough."""
        guilty = []
        for position in sorted(positions, reverse=True):
            if self._attempts[position] < MAX_ATTEMPTS:
                self._again.append(position)
                self.suspects.add(position)
            else:
                self.finished(position)
                guilty.append(position)
        return guilty


def local_pool(workers: int) -> Executor:
    """A process pool whose workers are started afresh, as Mesa wants it, and leave Ctrl-C to the parent."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=workers, mp_context=context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A worker whose parent was killed would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local_engine(jobs: int | None = None, allowed: Callable[[], int] | None = None) -> Engine:
    """The engine for ``jobs`` runs at a time on this machine; all cores by default, fewer where ``allowed`` says so."""
    workers = jobs if jobs is not None else min(usable_cores(), allowed()) if allowed else usable_cores()
    return InlineEngine() if workers == 1 else PoolEngine(workers, allowed=allowed)
