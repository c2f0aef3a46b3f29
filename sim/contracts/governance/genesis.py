"""Who gets the community's tokens on the first day, as concentrated as the section asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.contracts.governance import token
from sim.kernel.fixedpoint import BPS

if TYPE_CHECKING:
    from sim.contracts.governance.governance import Governance

LARGEST = 10


def hand_out(governance: Governance, pot: int) -> None:
    """Hand ``pot`` base units to reserved stakes, whales, liquidity providers and some of the people."""
    section, ledger, rewards = governance.section, governance.ledger, governance.rewards
    people, gov, source = governance.market.people, governance.gov, governance.distributor
    whole = pot
    for account, share in sorted(governance.stakes.items()):
        amount = whole * share // BPS
        ledger.transfer(gov, source, account, amount, "genesis")
        pot -= amount
    providers = rewards.accounts_in("liquidity_providers")
    keys = np.array([rewards.key(account) for account in providers], dtype=np.uint64)
    if providers.size:
        providers = providers[governance.holds_gov.order(0, keys)]
    whales = governance.whales
    first = np.concatenate([np.array(whales, dtype=np.int64), providers])[:LARGEST]
    rest = providers[max(first.size - len(whales), 0):]
    slots = np.flatnonzero(governance.holds_gov.bernoulli(1, people["key"], section.holder_share))
    persons = ledger.person(slots)
    missing = min(LARGEST - first.size, persons.size)
    first = np.concatenate([first, persons[:missing]])
    if first.size == 0:
        ledger.transfer(gov, source, governance.treasury.account, pot, "genesis")
        return
    rest_keys = np.array([rewards.key(account) for account in rest], dtype=np.uint64)
    size_keys = np.concatenate([rest_keys, people["key"][slots[missing:]]])
    sizes = governance.holding_size.lognormal(0, size_keys, 0.0, section.holding_log_sd)
    holdings = token.concentrated_holdings(pot, first.size, section.top10_share, sizes)
    ledger.pay(gov, source, np.concatenate([first, rest, persons[missing:]]), holdings, "genesis")
