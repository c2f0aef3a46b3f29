"""Invariants of reinsurance: each a small function, named for what it protects, that says what is broken or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.contracts.insurance.treaties import UNLIMITED
from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.parties import PoolParty


def ceded_and_retained_add_up(book: ReinsuranceBook) -> str | None:
    """Of each party's losses what was ceded and what was retained add up; what sellers assumed is what was ceded."""
    for name, own in book.accounts.items():
        if own.ceded + own.retained != own.losses:
            return f"{name} ceded {own.ceded} and retained {own.retained} of {own.losses}"
        assumed = sum(line.ceded for line in book.inward[name])
        if assumed != own.assumed:
            return f"{name} assumed {own.assumed}, its lines say {assumed}"
        ceded = sum(treaty.ceded for treaty in book.outward[name])
        lines = sum(line.ceded for treaty in book.outward[name] for line in treaty.every_line())
        if not ceded == lines == own.ceded:
            return f"{name} ceded {own.ceded}, its treaties say {ceded} and their lines {lines}"
    return None


def limits_are_kept(book: ReinsuranceBook) -> str | None:
    """No layer has taken more than its limit and its reinstatements, nor more than its subject losses."""
    for treaty in book.treaties:
        for layer, taken in zip(treaty.terms.layers, treaty.taken.tolist(), strict=True):
            if taken > layer.annual_limit < UNLIMITED:
                return f"{treaty.terms.name} took {taken} of an annual limit of {layer.annual_limit}"
        if treaty.ceded > treaty.subject:
            return f"{treaty.terms.name} ceded {treaty.ceded} of losses of {treaty.subject}"
    return None


def recoveries_match_cessions(book: ReinsuranceBook) -> str | None:
    """Of each line: paid, written off and waiting make up what was ceded; none is paid twice."""
    for treaty in book.treaties:
        for line in treaty.every_line():
            waiting = sum(amount for _, amount in line.waiting)
            if min(line.recovered, line.written_off) < 0 or line.owed != waiting:
                return (f"{line.seller.name} owes {waiting} under {treaty.terms.name}; of {line.ceded} it paid "
                        f"{line.recovered} and left {line.written_off}")
    return None


def nothing_is_in_transit(book: ReinsuranceBook) -> str | None:
    """No money stays in the account through which a pool's reinsurance passes."""
    for party in book.parties.values():
        if isinstance(party, PoolParty) and (held := party.pool.cash(party.transit)):
            return f"{party.name} has {held} of reinsurance money in transit"
    return None


def claims_went_through_treaties(book: ReinsuranceBook) -> str | None:
    """A pool's losses are the claims that it approved and what it assumed, as far as that has travelled."""
    for name, party in book.parties.items():
        if isinstance(party, PoolParty):
            arriving = sum(amount for _, amount in book.arriving[name])
            own = book.accounts[name]
            if own.losses != party.pool.totals.approved + own.assumed - arriving:
                return f"{name} approved {party.pool.totals.approved}, assumed {own.assumed} and counts {own.losses}"
    return None


CHECKS: dict[str, Callable[[ReinsuranceBook], str | None]] = {
    "ceded_and_retained_add_up": ceded_and_retained_add_up,
    "limits_are_kept": limits_are_kept,
    "recoveries_match_cessions": recoveries_match_cessions,
    "nothing_is_in_transit": nothing_is_in_transit,
    "claims_went_through_treaties": claims_went_through_treaties,
}


def book_checks(book: ReinsuranceBook) -> Iterable[tuple[str, Callable[[], str | None]]]:
    """(name, check) of every invariant."""
    for name, check in CHECKS.items():
        yield f"reinsurance.{name}", lambda check=check: check(book)  # type: ignore[misc]
