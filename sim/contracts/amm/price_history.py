"""The accumulated price of a pool over time, from which an average over any past window is exact.

Holds the observations (seconds, accumulated UQ112 price of base and of quote) at each change of the reserves. Between
two of them the price is constant, so a value in between is on the straight line. What can never be: times that fall,
or a price that one trade can move before time has passed (it counts for the seconds that it stands).
"""

from __future__ import annotations

from bisect import bisect_right

KEEP_OBSERVATIONS = 50_000


class PriceHistory:
    """Observations in order of time; the oldest half is forgotten beyond ``keep``."""

    def __init__(self, keep: int = KEEP_OBSERVATIONS) -> None:
        self._times: list[int] = []
        self._base: list[int] = []
        self._quote: list[int] = []
        self._keep = keep

    def __len__(self) -> int:
        return len(self._times)

    def append(self, seconds: int, base: int, quote: int) -> None:
        """Record the accumulators at ``seconds``, later than any before."""
        self._times.append(seconds)
        self._base.append(base)
        self._quote.append(quote)

    def forget_last(self) -> None:
        """Undo the last :meth:`append`."""
        del self._times[-1], self._base[-1], self._quote[-1]

    def prune(self) -> None:
        """Drop the oldest half once there are more than ``keep``. Not inside an atomic block."""
        if len(self._times) > self._keep:
            half = len(self._times) // 2
            del self._times[:half], self._base[:half], self._quote[:half]

    def first_time(self) -> int:
        """Seconds of the oldest observation that is kept."""
        return self._times[0]

    def at(self, seconds: int) -> tuple[int, int]:
        """Accumulators at ``seconds``, between the oldest observation and the newest, floored."""
        after = bisect_right(self._times, seconds)
        before = max(after - 1, 0)
        if after == len(self._times) or after == 0:
            return self._base[before], self._quote[before]
        start, span = self._times[before], self._times[after] - self._times[before]
        passed = max(0, seconds - start)
        base = self._base[before] + (self._base[after] - self._base[before]) * passed // span
        quote = self._quote[before] + (self._quote[after] - self._quote[before]) * passed // span
        return base, quote
