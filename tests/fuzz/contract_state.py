"""What contracts remember beside the ledger, as plain values: a refused call must leave all of it as it was."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any


def _proposal(one: Any) -> tuple[Any, ...]:
    return (one.number, dict(one.votes), dict(one.ballots), dict(one.powers), one.deadline, one.supply, one.quorum,
            one.eta, one.executed_on, one.passed_on, one.conviction, one.extended, one.canceled)


def _governance(market: Any) -> dict[str, Any]:
    governance = market.mechanism("governance")
    found = {
        "proposals": [_proposal(one) for one in governance.governor.open()], "number": len(governance.governor),
        "delegations": {account: voter for account, voter in enumerate(governance.power._institutions.tolist())
                        if voter >= 0},
        "people": market.people["delegate"].tobytes(), "parameters": {one.path: one.value for one in market.parameters},
        "treasury": (governance.treasury._booked, dict(governance.treasury.spent)), "issued": governance.issued,
        "book": (governance.book.largest_loss, governance.book.refused),
    }
    if governance.locks is not None:
        found["locks"] = dict(governance.locks.owners)
    if governance.deposits is not None:
        found["deposits"] = {voter: held for voter, held in governance.deposits.held.items() if held}
        found["locked"] = {voter: day for voter, day in governance.deposits.locked_until.items() if day >= 0}
    if governance.vote_market is not None:
        found["offers"] = {number: (o.owner, o.support, o.price, o.left, dict(o.paid))
                           for number, o in governance.vote_market.offers.items()}
    return found


def _credit(market: Any) -> dict[str, Any]:
    lending, flash = market.mechanism("lending"), market.mechanism("flash_loans").pool
    found: dict[str, Any] = {
        "reserves": [lent.reserve.state for lent in lending.pool.markets.values()],
        "liquidations": (lending.liquidations, lending.liquidated),
        "flash": (flash.loans, dict(flash.lent), dict(flash.premiums), flash._open),
    }
    house = market.find("collateral_auctions")
    if house is not None:
        found["auctions"] = (dict(house.open), dict(house.totals))
    debts, coin = market.mechanism("synthetics").debts, market.mechanism("stablecoin")
    found["synthetics"] = (dict(debts.positions), debts.shares, debts.totals)
    if coin.troves is not None:
        troves, pool = coin.troves, coin.troves.stability
        found["troves"] = (dict(troves.troves), dict(troves.surplus), troves.totals, troves.base_rate.rate,
                           troves.base_rate.time, troves.base_rate.floor, dict(pool.deposits), dict(pool.gains),
                           pool.total, pool.offset_debt)
    else:
        found["mint_redeem"] = (coin.mint_redeem.redeemed, coin.mint_redeem.shares_minted)
    return found


def state(market: Any, book: Any) -> dict[str, Any]:
    """All of it, by contract; ``book`` are the derivatives of outsiders or None."""
    amm, asked = market.mechanism("amm"), market.mechanism("prediction_markets")
    return {
        "clock": amm.clock.now,
        "pools": {name: (pool.state, len(pool.history), pool._in_call) for name, pool in amm.pools.items()},
        "questions": [(list(q.maker.sold), dict(q.maker.shares), dict(q.maker.paid), q.maker.open, q.maker.outcome,
                       q.maker.held(), dict(q.benchmark.stakes), q.benchmark.outcome) for q in asked.questions],
        "grants": [(one.state, list(one.scores), set(one.voters), list(one.stakes), list(one.awarded),
                    [astuple(a) for a in one.applications]) for one in market.mechanism("research").grants.rounds[-1:]],
        "derivatives": None if book is None else book.state(), "events": len(market.record.events),
    } | _credit(market) | _governance(market)
