"""The governor's options held against their truths: conviction, emergency commit, Compound's shares, late quorum.

Rows of the topic ``governance``; :mod:`sim.verification.governance` collects them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from importlib.resources import files
from math import isqrt
from typing import Any

import numpy as np

from sim.contracts.governance.actions import ChangeParameter
from sim.contracts.governance.conviction import Conviction, conviction_after, conviction_threshold
from sim.contracts.governance.governor import Governor, GovernorError, ProposalState, Settings, Support, quorum_votes
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.voting_power import Checkpoint, from_live
from sim.scenario.sections.governance import GovernanceSection
from sim.verification.rows import Row

NOTEBOOK = "1Hive, Trigger_Function_Explanation.ipynb, stored output"
COMPOUND = "Compound: 25,000 of 10,000,000 COMP to propose, 400,000 for a quorum; docs.compound.finance/v2/governance"
BEANSTALK = "Beanstalk GovernanceFacet.sol: emergencyCommit at two thirds of all votes, 86,400 s after the proposal"
OZ_LATE = "OpenZeppelin GovernorPreventLateQuorum.sol"
MILLION = 1_000_000


def vectors() -> dict[str, Any]:
    """The vectors shipped with the package."""
    path = files("sim.verification").joinpath("data/conviction_vectors.json")
    return json.loads(path.read_text(encoding="utf-8"))


def _row(id: str, statement: str, expected: object, simulated: object, source: str) -> Row:
    return Row(id, statement, str(expected), str(simulated), "exact", expected == simulated, source)


def _near(id: str, statement: str, expected: float, simulated: float, source: str) -> Row:
    return Row(id, statement, f"{expected:.12g}", f"{simulated:.12g}", "1e-9, relative: alpha is a root of 1/2",
               abs(simulated - expected) <= 1e-9 * abs(expected), source)


class Powers:
    """Voting power that may change from one moment to the next: base units per voter, and all votes there are."""

    def __init__(self, power: list[int], supply: int) -> None:
        self.power, self.votes = power, supply

    def past(self, day: int, now: int) -> Checkpoint:
        """What is held now, as of that day."""
        return Checkpoint(day, np.array(self.power, dtype=np.int64), self.votes)

    def before(self, now: int) -> Checkpoint:
        """The same yesterday."""
        return self.past(now - 1, now)

    def current(self, voter: int) -> int:
        """Power now."""
        return self.power[voter]

    def current_supply(self) -> int:
        """All votes now."""
        return self.votes


def governor(powers: Powers, settings: Settings, wait: int = 0) -> Governor:
    """A governor with live votes over ``powers`` whose actions do nothing."""
    return Governor(settings=lambda: settings, votes=powers, timelock=Timelock(lambda: wait, 14),
                    run=lambda proposal: None, votes_from=from_live)


def commit_at(votes_for: int, age_days: int) -> str:
    """What becomes of an emergency commit of ``votes_for`` of 300 votes at this age: a state, or "refused"."""
    found = governor(Powers([votes_for], 300), Settings(0, 7, 0, 1, 3, emergency_numerator=2, emergency_after=1))
    number = found.propose(0, (ChangeParameter("none", 0.0),), 0)
    # a proposal of day 0 has its first votes on day 1, so a younger commit needs the clock of the rule set ahead
    found.cast_vote(number, 0, Support.FOR, 1)
    found[number].created = 1 - age_days
    try:
        found.emergency_commit(number, 1)
    except GovernorError:
        return "refused"
    return found.state(number, 1).value


def late_deadline(extension: int) -> int:
    """Deadline of a vote of days 1 to 5 whose quorum is reached on day 5."""
    found = governor(Powers([50, 1], 100), Settings(0, 5, 0, 10, late_quorum_extension=extension))
    number = found.propose(0, (ChangeParameter("none", 0.0),), 0)
    found.cast_vote(number, 1, Support.AGAINST, 1)
    found.cast_vote(number, 0, Support.FOR, 5)
    return found[number].deadline


def rows() -> Iterable[Row]:
    """All rows of this module."""
    yield from conviction_rows()
    yield from trigger_rows()
    section = GovernanceSection()
    supply = 10 * MILLION
    yield _row("Compound", "Votes to propose and quorum at the default shares, of 10,000,000", (25_000, 400_000),
               (quorum_votes(supply, round(section.proposal_threshold * MILLION), MILLION),
                quorum_votes(supply, round(section.quorum * MILLION), MILLION)), COMPOUND)
    yield _row("Beanstalk", "Emergency commit with 200 and 199 of 300 votes after a day, and with 200 too early",
               ["executed", "refused", "refused"], [commit_at(200, 1), commit_at(199, 1), commit_at(200, 0)], BEANSTALK)
    yield _row("late quorum", "Last day of a vote of days 1 to 5, quorum on day 5: no extension, 2 days, 3 days",
               [5, 7, 8], [late_deadline(days) for days in (0, 2, 3)], OZ_LATE)
    yield _row("live votes", "Timelock of two days, votes gone after the vote: executed; recounted: refused",
               ["executed", "refused"], [outlived(recount=False), outlived(recount=True)],
               "PROTOCOLS: Beanstalk used live votes; votes stay counted after the tokens have gone")


def outlived(recount: bool) -> str:
    """A vote by borrowed power, executed after a timelock of two days in which the power has gone."""
    powers = Powers([250], 300)
    found = governor(powers, Settings(0, 7, 0, 1, 3, emergency_numerator=2, recount=recount), wait=2)
    number = found.propose(0, (ChangeParameter("none", 0.0),), 0)
    found.cast_vote(number, 0, Support.FOR, 1)
    found.emergency_commit(number, 1)
    powers.power[0] = 0
    try:
        found.execute(number, 3)
    except GovernorError:
        return "refused" if found.state(number, 3) is ProposalState.QUEUED else "?"
    return found.state(number, 3).value


def conviction_rows() -> Iterable[Row]:
    """1Hive's vectors, by the contract's integer threshold and the exact closed form."""
    data = vectors()
    for vector in data["threshold"]:
        terms = Conviction(*(round(float(vector[name]) * MILLION) for name in ("alpha", "beta", "rho", "floor")))
        found = terms.threshold(int(vector["requested"]), int(vector["funds"]), int(vector["active"]),
                                int(vector["supply"]))
        yield _row(f"vector {vector['id']}", "Threshold of 1,000 of 15,000, nothing staked, floor a fifth of 45,000",
                   int(vector["expected"]), found, data["source"])
    for vector in data["conviction"]:
        found_after = conviction_after(Fraction(vector["start"]), Fraction(vector["stake"]), vector["days"],
                                       Fraction(vector["alpha"]))
        yield _row(f"vector {vector['id']}", f"Conviction of 15,000 tokens after {vector['days']} days, alpha 0.9",
                   vector["expected"].rstrip("0").rstrip("."), _decimal(found_after), f"{data['source']} (formula)")


def _decimal(value: Fraction) -> str:
    """A fraction whose denominator divides a power of ten, in full."""
    digits = 0
    while value.denominator != 1:
        value, digits = value * 10, digits + 1
    text = str(value.numerator).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def trigger_rows() -> Iterable[Row]:
    """GOV-08: the trigger function at a half-life of three days."""
    supply, funds, beta, rho = Fraction("22392.22"), Fraction("4867.21"), Fraction("0.2"), Fraction("0.0025")
    alpha = Fraction(2.0 ** (-1.0 / 3.0))
    most = supply / (1 - alpha)
    yield _near("GOV-08", "Most conviction, all tokens for ever: S / (1 - alpha)", 108542.30291578037, float(most),
                NOTEBOOK)

    def threshold(share: Fraction) -> Fraction:
        found = conviction_threshold(share, supply, alpha, beta, rho)
        assert found is not None
        return found

    yield _near("GOV-08", "Conviction for the smallest request", 6783.893932236271, float(threshold(Fraction(0))),
                NOTEBOOK)
    for share, expected in ((Fraction(0), 0.0625), (Fraction(1, 20), 0.1111111111111111), (Fraction(1, 10), 0.25)):
        yield _near("GOV-08", f"Share of all tokens for a request of {float(share):.0%} of the funds", expected,
                    float(threshold(share) / most), NOTEBOOK)
    # rho S / ((1 - alpha) (beta - r)^2) = S / (1 - alpha) at r = beta - sqrt(rho)
    largest = beta - Fraction(isqrt(rho.numerator), isqrt(rho.denominator))
    yield _row("GOV-08", "Largest request, which needs all tokens for ever", 730.0815, float(largest * funds), NOTEBOOK)
    yield _row("GOV-08", "Share of all tokens that it needs; none is enough at beta", (1, None),
               (threshold(largest) / most, conviction_threshold(beta, supply, alpha, beta, rho)), NOTEBOOK)
