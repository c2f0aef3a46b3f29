"""The compiled batch forms of the ledger: rows are taken in order, each as if it were a call of its own.

A row that asks for too much is skipped where ``partial`` is set (``paid`` then says which were paid); every other
refusal, and that one where it is not set, undoes what the rows before it did and names the row. So a batch either
stands or leaves no trace. Balances cannot overflow, because a supply below 2**63 bounds them all; flows can, and are
checked. The single side of a batch is held in a local variable and written once.

People come after ``first_person`` and share one sector, so their flow is what the institutions' leaves of the total.
A row between an account and itself moves nothing but counts as a flow; it has its own sum, because only such rows can
add up to more than the supply.

A kernel whose rows depend on one another takes :class:`Rows` instead and calls :func:`transfer_row` for each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from sim.kernel.compiled import kernel_for, types
from sim.kernel.fixedpoint import MAX_INT64

DONE, INSUFFICIENT, UNKNOWN, NEGATIVE, OVERFLOW = range(5)
"""What a batch or a row reports: done, or why the row was refused."""

OUTSIDE = -1
"""In place of an account: the units are created (as payer) or destroyed (as payee)."""

_CELLS = types.int64[::1]
_SECTORS = types.int8[::1]
_FLOWS = types.int64[:, :, ::1]
_MASK = types.boolean[::1]
_FLAG = types.boolean
_INT = types.int64
_RESULT = types.Tuple((_INT, _INT, _INT))


@kernel_for(_FLAG(_CELLS, _FLOWS, _INT, _INT, _FLAG))
def _add_flows(sums: Any, flows: Any, slot: int, single: int, single_receives: bool) -> bool:
    """Add the sums by sector to the flows from, or to, sector ``single``; False, and nothing done, on overflow."""
    for sector in range(sums.size):
        flow = flows[slot, sector, single] if single_receives else flows[slot, single, sector]
        if flow > MAX_INT64 - sums[sector]:
            return False
    for sector in range(sums.size):
        if single_receives:
            flows[slot, sector, single] += sums[sector]
        else:
            flows[slot, single, sector] += sums[sector]
    return True


@kernel_for(_RESULT(_CELLS, _SECTORS, _INT, _CELLS, _CELLS, _INT, _FLAG, _MASK, _FLOWS, _INT, _INT, _CELLS))
def collect_rows(
    balances: Any, sector_of: Any, first_person: int, sources: Any, amounts: Any, target: int, partial: bool,
    paid: Any, flows: Any, slot: int, to_sector: int, sums: Any,
) -> Any:  # fmt: skip
    """Many to one; returns (code, row, units that reached ``target``). ``sums`` is room to work in."""
    step = 0 if amounts.size == 1 else 1
    for sector in range(sums.size):
        sums[sector] = 0
    total = np.int64(0)
    from_institutions = np.int64(0)
    own = np.int64(0)
    code = DONE
    row = 0
    while row < sources.size:
        source = sources[row]
        amount = amounts[row * step]
        if source < 0 or source >= balances.size:
            code = UNKNOWN
            break
        if amount < 0:
            code = NEGATIVE
            break
        held = balances[source]
        if source == target:
            can_pay = amount <= held + total
            if can_pay:
                if own > MAX_INT64 - amount:
                    code = OVERFLOW
                    break
                own += amount
        elif source >= first_person:
            can_pay = amount <= held
            if can_pay:
                balances[source] = held - amount
                total += amount
        else:
            sector = sector_of[source]
            if sector < 0:
                code = UNKNOWN
                break
            can_pay = amount <= held
            if can_pay:
                balances[source] = held - amount
                total += amount
                from_institutions += amount
                sums[sector] += amount
        if partial:
            paid[row] = can_pay
        elif not can_pay:
            code = INSUFFICIENT
            break
        row += 1
    if code == DONE:
        if sector_of.size > first_person:
            sums[sector_of[first_person]] += total - from_institutions
        if own > 0:
            if sums[to_sector] > MAX_INT64 - own:
                code = OVERFLOW
            else:
                sums[to_sector] += own
        if code == DONE and not _add_flows(sums, flows, slot, to_sector, True):
            code = OVERFLOW
    if code != DONE:
        for done in range(row):
            if sources[done] != target and (not partial or paid[done]):
                balances[sources[done]] += amounts[done * step]
    elif target != OUTSIDE:
        balances[target] += total
    return code, row, total


@kernel_for(_RESULT(_CELLS, _SECTORS, _INT, _INT, _INT, _CELLS, _CELLS, _FLAG, _MASK, _FLOWS, _INT, _INT, _CELLS))
def pay_rows(
    balances: Any, sector_of: Any, first_person: int, payer: int, available: int, targets: Any, amounts: Any,
    partial: bool, paid: Any, flows: Any, slot: int, from_sector: int, sums: Any,
) -> Any:  # fmt: skip
    """One to many, out of ``available``; returns (code, row, units that left). ``sums`` is room to work in."""
    step = 0 if amounts.size == 1 else 1
    for sector in range(sums.size):
        sums[sector] = 0
    left = available
    to_institutions = np.int64(0)
    own = np.int64(0)
    code = DONE
    row = 0
    while row < targets.size:
        target = targets[row]
        amount = amounts[row * step]
        if target < 0 or target >= balances.size:
            code = UNKNOWN
            break
        if amount < 0:
            code = NEGATIVE
            break
        if target < first_person and sector_of[target] < 0:
            code = UNKNOWN
            break
        if amount > left:
            if not partial:
                code = INSUFFICIENT
                break
            paid[row] = False
        else:
            if target == payer:
                if own > MAX_INT64 - amount:
                    code = OVERFLOW
                    break
                own += amount
            else:
                balances[target] += amount
                left -= amount
                if target < first_person:
                    to_institutions += amount
                    sums[sector_of[target]] += amount
            if partial:
                paid[row] = True
        row += 1
    total = available - left
    if code == DONE:
        if sector_of.size > first_person:
            sums[sector_of[first_person]] += total - to_institutions
        if own > 0:
            if sums[from_sector] > MAX_INT64 - own:
                code = OVERFLOW
            else:
                sums[from_sector] += own
        if code == DONE and not _add_flows(sums, flows, slot, from_sector, False):
            code = OVERFLOW
    if code != DONE:
        for done in range(row):
            if targets[done] != payer and (not partial or paid[done]):
                balances[targets[done]] -= amounts[done * step]
    elif payer != OUTSIDE:
        balances[payer] = left
    return code, row, total


@kernel_for(_RESULT(_CELLS, _SECTORS, _CELLS, _CELLS, _CELLS, _FLAG, _MASK, _FLOWS, _INT))
def move_rows(
    balances: Any, sector_of: Any, sources: Any, targets: Any, amounts: Any, partial: bool,
    paid: Any, flows: Any, slot: int,
) -> Any:  # fmt: skip
    """Pairs; returns (code, row, 0): both sides are many."""
    step = 0 if amounts.size == 1 else 1
    span = balances.size
    code = DONE
    row = 0
    while row < sources.size:
        source = sources[row]
        target = targets[row]
        amount = amounts[row * step]
        if source < 0 or source >= span or target < 0 or target >= span:
            code = UNKNOWN
            break
        from_sector = sector_of[source]
        to_sector = sector_of[target]
        if from_sector < 0 or to_sector < 0:
            code = UNKNOWN
            break
        if amount < 0:
            code = NEGATIVE
            break
        if amount > balances[source]:
            if not partial:
                code = INSUFFICIENT
                break
            paid[row] = False
        else:
            if flows[slot, from_sector, to_sector] > MAX_INT64 - amount:
                code = OVERFLOW
                break
            flows[slot, from_sector, to_sector] += amount
            balances[source] -= amount
            balances[target] += amount
            if partial:
                paid[row] = True
        row += 1
    if code != DONE:
        for done in range(row):
            if not partial or paid[done]:
                source, target, amount = sources[done], targets[done], amounts[done * step]
                flows[slot, sector_of[source], sector_of[target]] -= amount
                balances[source] += amount
                balances[target] -= amount
    return code, row, 0


@kernel_for(types.void(_CELLS, _CELLS, _CELLS, _MASK, _INT))
def add_rows(balances: Any, accounts: Any, amounts: Any, paid: Any, sign: int) -> None:
    """Add ``sign`` times each amount (each paid one, unless ``paid`` is empty) without a check: to undo a batch."""
    step = 0 if amounts.size == 1 else 1
    for row in range(accounts.size):
        if paid.size == 0 or paid[row]:
            balances[accounts[row]] += sign * amounts[row * step]


class Rows(NamedTuple):
    """What ``ledger.rows`` lends to a kernel for one asset and one kind of flow. Write to it by ``transfer_row`` only.

    When the ledger takes it back the arrays turn read-only, and a kernel that is called with them no longer compiles.
    """

    balances: NDArray[np.int64]
    """int64[span]: by account."""
    sectors: NDArray[np.int8]
    """int8[span]: the sector of each account, negative where it is closed."""
    flows: NDArray[np.int64]
    """int64[payer's sector, payee's sector]: today's flow of this kind."""


def transfer_row(rows: Rows, sender: int, receiver: int, amount: int) -> int:
    """``ledger.transfer`` as a kernel calls it: DONE, or why nothing was moved (INSUFFICIENT, UNKNOWN, ...).

    Both accounts are looked at before the amount. Balances cannot overflow, because the supply bounds them all; the
    day's flow can. Accounts and amount are integers; a float does not compile.
    """
    payer, payee, units = np.int64(sender), np.int64(receiver), np.int64(amount)
    code = UNKNOWN
    if 0 <= payer < rows.balances.size and 0 <= payee < rows.balances.size:
        from_sector, to_sector = rows.sectors[payer], rows.sectors[payee]
        if from_sector >= 0 and to_sector >= 0:
            held, flow = rows.balances[payer], rows.flows[from_sector, to_sector]
            if units < 0:
                code = NEGATIVE
            elif units > held:
                code = INSUFFICIENT
            elif flow > MAX_INT64 - units:
                code = OVERFLOW
            else:
                rows.flows[from_sector, to_sector] = flow + units
                rows.balances[payer] = held - units
                rows.balances[payee] += units
                code = DONE
    # Naming rows here lets the compiler see that one reference is taken and given back on every path, and drop both.
    return code if rows.flows.size else UNKNOWN


@overload(transfer_row, jit_options={"forceinline": True, "error_model": "numpy"})
def _transfer_row_form(rows: Rows, sender: int, receiver: int, amount: int) -> Any:
    # the body above, put into its caller; numba wants the same parameters here, annotations included
    integers = all(isinstance(argument, types.Integer) for argument in (sender, receiver, amount))
    return transfer_row if integers else None
