"""Computes on the workers of a Dask cluster. Runs travel back through the scheduler: no shared disk is needed.

    dask scheduler --port 8786
    dask worker tcp://head:8786 --nthreads 1 --nworkers 8         on each machine, with salus installed
    salus batch baseline -n 1000 --engine dask --scheduler tcp://head:8786

The scheduler sends what a killed worker was computing to another one; a run that kills several is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any

from sim.batch.engine import LOST, Result, Task, WorkerLost

WAIT_SECONDS = 60
AHEAD = 1
"""Runs sent to each thread beyond the one it computes, so that it never waits for the next."""


class ClusterError(OSError):
    """The cluster cannot be used; the message is a sentence."""


class DaskEngine:
    """The engine for the cluster whose scheduler is at ``address``."""

    def __init__(self, address: str, wait_seconds: float = WAIT_SECONDS) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError("the engine dask needs the package distributed: pip install 'salus-sim[cluster]'"
                               ) from None
        try:
            self._client: Any = Client(address, timeout=wait_seconds)
        except (OSError, ValueError) as error:
            raise ClusterError(f"no Dask scheduler answers at {address}: {error}") from error
        try:
            self._client.wait_for_workers(1, timeout=wait_seconds)
        except TimeoutError:
            self._client.close()
            raise ClusterError(f"the scheduler at {address} has no workers; start some with 'dask worker {address} "
                               "--nthreads 1'") from None
        self._check_versions()

    def _check_versions(self) -> None:
        from sim import __version__

        try:
            found = set(self._client.run(_version).values())
        except Exception as error:
            self._client.close()
            raise ClusterError(f"a worker cannot import salus: {error}") from error
        if found - {__version__}:
            self._client.close()
            raise ClusterError(f"a worker has salus {sorted(found - {__version__})[0]}, and this is {__version__}")

    def _window(self) -> int:
        return max(1, sum(self._client.nthreads().values())) * (1 + AHEAD)

    def outcomes(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """See :class:`sim.batch.engine.Engine`."""
        from distributed import KilledWorker, wait

        fresh = enumerate(tasks)
        flying: dict[Any, int] = {}
        more = True
        try:
            while more or flying:
                window = self._window()
                while more and len(flying) < window:
                    position, task = next(fresh, (-1, None))
                    if position < 0:
                        more = False
                        break
                    # Earlier runs first: the store builds in order.
                    flying[self._client.submit(function, task, pure=False, priority=-position)] = position
                if not flying:
                    break
                for future in wait(list(flying), return_when="FIRST_COMPLETED").done:
                    position = flying.pop(future)
                    yield position, self._outcome(future, KilledWorker)
        finally:
            for future in flying:
                future.release()
            self._client.close()

    def _outcome(self, future: Any, killed: type[Exception]) -> Any:
        if future.status == "finished":
            return future.result()
        if future.cancelled() or future.status == "lost":
            raise ClusterError("the connection to the Dask scheduler was lost; the same command goes on from here")
        error = future.exception()
        if isinstance(error, CancelledError):
            raise ClusterError("the connection to the Dask scheduler was lost; the same command goes on from here")
        return WorkerLost(LOST) if isinstance(error, killed) else error


def _version() -> str:
    from sim import __version__

    return __version__
