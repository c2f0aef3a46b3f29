"""The rules of the governor as its section and the votes so far have made them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sim.chain.mempool import Refused
from sim.contracts.governance.actions import ActionRefused
from sim.contracts.governance.conviction import Conviction
from sim.contracts.governance.proposal import Settings
from sim.contracts.governance.treasury import TreasuryError
from sim.kernel.ledger import LedgerError
from sim.parameters import ParameterError

if TYPE_CHECKING:
    from sim.parameters import Parameters
    from sim.scenario.sections.governance import GovernanceSection

SHARE_UNIT = 1_000_000
"""Shares of supply (threshold, quorum) are counted in millionths."""

GAS = {"propose": 250_000, "vote": 90_000, "queue": 120_000, "execute": 200_000, "delegate": 95_000, "veto": 60_000}
"""Gas per call, of the order of GovernorBravo's on the main network."""

REFUSALS = (ParameterError, LedgerError, TreasuryError, ActionRefused, Refused)
"""What an action may be refused with; anything else is an error of the program."""


@lru_cache(maxsize=8)
def _in_millionths(*shares: float) -> Conviction:
    return Conviction(*(round(share * SHARE_UNIT) for share in shares))


def conviction_of(section: GovernanceSection) -> Conviction:
    """The section's decay, most, weight and floor."""
    return _in_millionths(section.conviction_decay, section.conviction_most, section.conviction_weight,
                          section.conviction_floor)


def settings_in_force(section: GovernanceSection, live: Parameters) -> Settings:
    """The section's rules with what votes have changed since."""
    cap = live["governance.vote_cap"]
    return Settings(
        int(live["governance.voting_delay_days"]), int(live["governance.voting_period_days"]),
        round(live["governance.proposal_threshold"] * SHARE_UNIT), round(live["governance.quorum"] * SHARE_UNIT),
        SHARE_UNIT, late_quorum_extension=int(live["governance.late_quorum_days"]),
        cap_numerator=None if cap >= 1.0 else round(cap * SHARE_UNIT),
        emergency_numerator=round(section.emergency_share * SHARE_UNIT) or None,
        emergency_after=section.emergency_after_days, recount=section.recount_at_execution,
        conviction=conviction_of(section) if section.vote_rule == "conviction" else None)
