"""What the claims contract reports: the day's series, the run's metrics, and its invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.contracts.claims.measures import DECILES, delay_quantiles, errors, unpaid_by_decile
from sim.contracts.claims.table import APPROVED, PAID, PARTLY_PAID, Status
from sim.kernel.fixedpoint import MICRO

if TYPE_CHECKING:
    from sim.contracts.claims.mechanism import Claims
    from sim.contracts.claims.payments import Totals
    from sim.mechanism import Recorder


def observe(claims: Claims, yesterday: Totals, record: Recorder) -> None:
    """The day's series: differences of the totals since ``yesterday``, and what is open."""
    now = claims.totals
    record.series("claims.filed", now.filed - yesterday.filed)
    record.series("claims.approved", now.approved - yesterday.approved)
    record.series("claims.denied", now.denied - yesterday.denied)
    record.series("claims.paid", now.paid - yesterday.paid)
    record.series("claims.claimed_amount", (now.claimed_amount - yesterday.claimed_amount) / MICRO)
    record.series("claims.paid_amount", (now.paid_amount - yesterday.paid_amount) / MICRO)
    record.series("claims.undecided", now.filed - now.approved - now.denied - now.dropped)
    record.series("claims.without_quorum", now.without_quorum - yesterday.without_quorum)
    if claims.committees:
        record.series("claims.oldest_waiting", claims.day - claims.docket.oldest(claims.day))
    middle, high = claims.payments.delays.quantiles(claims.day)
    record.series("claims.delay_p50", middle)
    record.series("claims.delay_p95", high)
    record.series("claims.unpaid_amount", (now.approved_amount - now.paid_amount) / MICRO)
    record.series("claims.rewards", (now.rewards - yesterday.rewards) / MICRO)
    record.series("claims.slashed", (now.slashed - yesterday.slashed) / MICRO)
    record.series("claims.rewards_owed", int(claims.operators.owed.sum()) / MICRO)
    if claims.docket.corruption_ratios:
        record.series("claims.corruption_ratio", claims.docket.corruption_ratios[-1])


def finish(claims: Claims, record: Recorder, records: Any | None) -> None:
    """The run's metrics. ``records`` know the truth, by claim id; without them there are no error rates."""
    totals, table = claims.totals, claims.table
    record.metric("claims.filed", totals.filed)
    record.metric("claims.refused", totals.refused)
    record.metric("claims.unfiled", claims.unfiled.count)
    record.metric("claims.decided", totals.approved + totals.denied)
    record.metric("claims.approved", totals.approved)
    record.metric("claims.denied", totals.denied)
    record.metric("claims.dropped", totals.dropped)
    record.metric("claims.paid", totals.paid)
    record.metric("claims.paid_amount", totals.paid_amount / MICRO)
    record.metric("claims.unpaid_amount", (totals.approved_amount - totals.paid_amount) / MICRO)
    record.metric("claims.appeals", totals.appeals)
    record.metric("claims.overturned", totals.overturned)
    record.metric("claims.redrawn", totals.redrawn)
    record.metric("claims.without_quorum", totals.without_quorum)
    if claims.review_above:
        record.metric("claims.reviewed", claims.reviewed)
    record.metric("claims.rewards", totals.rewards / MICRO)
    record.metric("claims.slashed", totals.slashed / MICRO)
    if claims.docket.corruption_ratios:
        record.metric("claims.corruption_ratio_lowest", min(claims.docket.corruption_ratios))
        record.metric("claims.corruption_ratio_median", float(np.median(claims.docket.corruption_ratios)))
    middle, high = delay_quantiles(table)
    record.metric("claims.delay_p50", middle)
    record.metric("claims.delay_p95", high)
    shares = unpaid_by_decile(table, claims.unfiled, claims.day)
    for decile in range(DECILES):
        record.metric(f"claims.unpaid_day90_decile_{decile + 1}", float(shares[decile]))
    if records is not None and len(table):
        found = errors(table, records.true_amount(np.arange(len(table))))
        record.metric("claims.false_approvals", found.false_approvals)
        record.metric("claims.false_denials", found.false_denials)
        record.metric("claims.payment_accuracy", found.payment_accuracy)


def invariants(claims: Claims) -> Iterable[tuple[str, Callable[[], str | None]]]:
    """What must hold at any time."""
    yield "claims.episode_claimed_once", claims.table.check
    yield "claims.paid_at_most_approved_at_most_claimed", lambda: amounts_are_ordered(claims)
    yield "claims.sums_match_the_table", lambda: sums_match(claims)
    yield "claims.one_committee_at_a_time", claims.docket.check
    yield "claims.stakes_are_in_escrow", claims.operators.staking.check
    if claims.assertions is not None:
        yield "claims.bonds_are_covered", claims.assertions.check


def amounts_are_ordered(claims: Claims) -> str | None:
    """Nobody is paid twice, or more than was claimed: 0 <= paid <= approved <= claimed; money only on an approval."""
    table = claims.table
    claimed, approved, paid, status = table["claimed"], table["approved"], table["paid"], table["status"]
    wrong = (paid < 0) | (paid > approved) | (approved > claimed)
    payable = (status == APPROVED) | (status == PAID) | (status == PARTLY_PAID)
    wrong |= (approved > 0) & ~payable
    wrong |= (paid == approved) & payable & (status != PAID)
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    return (f"claim {row} ({Status(int(status[row])).name.lower()}) is for {claimed[row]}, approved {approved[row]}, "
            f"paid {paid[row]} base units")


def sums_match(claims: Claims) -> str | None:
    """The running totals are the sums of the table's columns."""
    table, totals = claims.table, claims.totals
    for name, total in (("claimed", totals.claimed_amount), ("approved", totals.approved_amount),
                        ("paid", totals.paid_amount)):
        if (found := int(table[name].sum())) != total:
            return f"claims sum to {found} base units {name}, the running total is {total}"
    return None
