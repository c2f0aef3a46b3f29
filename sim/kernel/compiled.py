"""The one way to compile: ``@kernel``. Import numba through this module, because its cache folder must be set before.

Rules for kernels: integers for money, one thread, no fastmath (a sum has one order, hence one value), few and large.
numba turns ``int64 + uint64`` into a float: give constants that meet a uint64 the type ``np.uint64``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from sim.kernel.cache import folder, is_cold

__all__ = ["is_cold", "kernel", "kernel_for", "types"]

os.environ["NUMBA_CACHE_DIR"] = str(folder())

import numba
from numba import types

numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # where somebody imported numba before us

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,
    "parallel": False,
}


def kernel(function: F) -> F:
    """Compile ``function`` when it is first called with arguments of new types."""
    return cast(F, numba.njit(**_OPTIONS)(function))


def kernel_for(*signatures: Any) -> Callable[[F], F]:
    """Compile a function at once, for these numba signatures and no others (arguments are converted to them)."""

    def decorate(function: F) -> F:
        return cast(F, numba.njit(list(signatures), **_OPTIONS)(function))

    return decorate


import sim.kernel.limbs  # noqa: E402, F401  (gives mul_div and its kin their compiled form)
