"""The clearing map, compiled: from what each institution receives to what it can pay, in floats and in base units.

Both maps are monotone: who receives less pays no more. Walked downwards from an upper bound they end in the greatest
fixed point (Tarski). A *failed* institution pays its groups in the order of seniority out of alpha x cash + beta x
receipts; the others pay in full.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import mul_div


@kernel
def from_solvent(debtor: Any, creditor: Any, amount: Any, wave: Any, out: Any) -> Any:
    """Add to ``out`` [n] what those with ``wave`` 0, who pay in full, pay to each; returns it."""
    for e in range(debtor.size):
        if wave[debtor[e]] == 0:
            out[creditor[e]] += amount[e]
    return out


@kernel
def pay_floats(
    failed: Any, node_group: Any, group_edge: Any, group_debt: Any, creditor: Any, amount: Any, cash: Any,
    alpha: float, beta: float, base: Any, due: Any, received: Any, sweeps: int, still: float, paid: Any,
) -> bool:
    """Walk ``received`` float64[n], an upper bound, down until it stands still or ``sweeps`` are done; which of them.

    ``failed`` int64[f]: positions of the failed; ``base`` [n]: what the others pay to each; ``due`` [n]: what all
    would; ``still``: relative fall that counts as none; ``paid`` [g], out: what the groups of the failed are paid.
    """
    following = np.empty_like(received)
    for _ in range(sweeps):
        following[:] = base
        for k in range(failed.size):
            i = failed[k]
            left = alpha * cash[i] + beta * received[i]
            for g in range(node_group[i], node_group[i + 1]):
                paid[g] = min(left, group_debt[g])
                left -= paid[g]
                if paid[g] > 0.0:
                    share = paid[g] / group_debt[g]
                    for e in range(group_edge[g], group_edge[g + 1]):
                        following[creditor[e]] += share * amount[e]
        moved = False
        for i in range(received.size):
            if following[i] < received[i]:  # rounding could lift it by a unit in the last place
                moved = moved or received[i] - following[i] > still * (received[i] + 1e-6 * due[i])
                received[i] = following[i]
        if not moved:
            return True
    return False


@kernel
def pay_units(
    failed: Any, node_group: Any, group_edge: Any, group_debt: Any, creditor: Any, amount: Any, cash: Any,
    alpha: int, beta: int, base: Any, received: Any, paid: Any, pot: Any,
) -> None:
    """The same in base units: walk ``received`` int64[n] down to the greatest fixed point, each debt rounded down.

    ``alpha`` and ``beta`` are parts per million. ``pot`` int64[f], out: what each of the failed pays in all; ``paid``
    int64[g], out: by group. Rounding down favours the debtor's estate, so nobody pays what it has not. Only those whose
    receipts fell are looked at again; the order does not matter, as the map is monotone.
    """
    given = amount.copy()
    stale = np.zeros(received.size, dtype=np.bool_)
    counted = base.copy()
    for k in range(failed.size):
        i = failed[k]
        stale[i] = True
        for e in range(group_edge[node_group[i]], group_edge[node_group[i + 1]]):
            counted[creditor[e]] += amount[e]
    moved = True
    while moved:
        moved = False
        for k in range(failed.size):
            i = failed[k]
            if not stale[i]:
                continue
            stale[i] = False
            left = mul_div(cash[i], alpha, 1_000_000) + mul_div(received[i], beta, 1_000_000)
            pot[k] = left
            for g in range(node_group[i], node_group[i + 1]):
                paid[g] = min(left, group_debt[g])
                left -= paid[g]
                if paid[g] == group_debt[g]:
                    continue
                for e in range(group_edge[g], group_edge[g + 1]):
                    part = mul_div(amount[e], paid[g], group_debt[g]) if paid[g] > 0 else 0
                    if part < given[e]:
                        j = creditor[e]
                        counted[j] -= given[e] - part
                        given[e] = part
                        if counted[j] < received[j]:
                            received[j] = counted[j]
                            stale[j] = moved = True
            pot[k] -= left


@kernel
def share_dust(at: Any, group: Any, amount: Any, group_debt: Any, paid_group: Any, paid: Any) -> None:
    """Split what each group is paid over its debts by the rule of :func:`sim.kernel.fixedpoint.share_pot`.

    ``at`` int64[k]: the debts of the groups that are paid in part, group by group, in the order in which units of
    rounding fall; ``paid`` int64[m], out.
    """
    current, running, before = -1, 0, 0
    for k in range(at.size):
        e = at[k]
        g = group[e]
        if g != current:
            current, running, before = g, 0, 0
        running += amount[e]
        upto = mul_div(paid_group[g], running, group_debt[g])
        paid[e] = upto - before
        before = upto
