"""Exact sharing of a pot over claims, compiled; see :func:`sim.kernel.fixedpoint.share_pot` for the rule."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel_for
from sim.kernel.fixedpoint import MAX_INT64, mul_div


@kernel_for("boolean(int64, int64[::1], int64[::1], int64[::1])")
def share_in_order(pot: int, claims: Any, order: Any, out: Any) -> bool:
    """Write into ``out`` the share of each claim, taken in ``order`` (positions). False: a bad claim; out is unused."""
    total = 0
    for k in range(claims.size):
        if claims[k] < 0 or claims[k] > MAX_INT64 - total:
            return False
        total += claims[k]
    if pot >= total:
        for k in range(claims.size):
            out[k] = claims[k]
        return True
    running = 0
    paid = 0
    for k in range(order.size):
        position = order[k]
        running += claims[position]
        upto = mul_div(pot, running, total)
        out[position] = upto - paid
        paid = upto
    return True


def share(pot: int, claims: Any, order: Any) -> NDArray[np.int64]:
    """The array form behind :func:`sim.kernel.fixedpoint.share_pot`."""
    pot = index(pot)
    if not 0 <= pot <= MAX_INT64:
        raise OverflowError("share_pot needs 0 <= pot < 2**63")
    rows = np.array(claims, dtype=np.int64, ndmin=1)
    keys = np.asarray(order)
    if keys.shape != rows.shape:
        raise ValueError(f"share_pot: {rows.size} claims but {keys.size} order keys")
    out = np.zeros(rows.size, dtype=np.int64)
    if not share_in_order(pot, rows, np.argsort(keys, kind="stable"), out):
        raise OverflowError("share_pot: a negative claim, or claims that sum to 2**63 or more")
    return out
