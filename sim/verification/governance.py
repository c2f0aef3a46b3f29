"""Governance held against its truths: OpenZeppelin's vectors, power indices, concentration, quadratic rules."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from importlib.resources import files
from statistics import NormalDist
from typing import Any

import numpy as np

from sim.contracts.governance.actions import ChangeParameter
from sim.contracts.governance.concentration import HALF, gini, herfindahl, nakamoto
from sim.contracts.governance.governor import Governor, Settings, Support, quorum_votes
from sim.contracts.governance.power_index import banzhaf, shapley_shubik
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.vote_rules import quadratic_funding, quadratic_votes
from sim.contracts.governance.voting_power import Checkpoint
from sim.verification import governance_options
from sim.verification.rows import Row

TEXTBOOK = "definition (Shapley & Shubik 1954, Banzhaf 1965); enumerated by an independent package"
DEFINITION = "definition of the measure"
QUADRATIC = "Buterin, Hitzig & Weyl 2019; arithmetic"
HOLDINGS = (30, 20, 15, 10, 10, 5, 5, 3, 2)
THIRD = Fraction(33, 100)
FLOAT = 1e-12


def vectors() -> dict[str, Any]:
    """The vectors shipped with the package."""
    return json.loads(files("sim.verification").joinpath("data/governor_vectors.json").read_text(encoding="utf-8"))


class FixedVotes:
    """Voting power that stands still: base units per voter, and a supply."""

    def __init__(self, power: list[int], supply: int) -> None:
        # object dtype keeps amounts of 18 decimals exact
        self._state = (np.array(power, dtype=object), supply)

    def past(self, day: int, now: int) -> Checkpoint:
        """The same power on every past day."""
        return Checkpoint(day, *self._state)

    def before(self, now: int) -> Checkpoint:
        """The same power yesterday."""
        return self.past(now - 1, now)

    def current(self, voter: int) -> int:
        """The same now."""
        return int(self._state[0][voter])

    def current_supply(self) -> int:
        """The same now."""
        return self._state[1]


def outcome(supply: int, numerator: int, votes_for: int) -> str:
    """State of a proposal after one voter's votes for it and the end of its period."""
    governor = Governor(settings=lambda: Settings(1, 3, 0, numerator), votes=FixedVotes([votes_for], supply),
                        timelock=Timelock(lambda: 0, 0), run=lambda proposal: None)
    number = governor.propose(0, (ChangeParameter("none", 0.0),), 0)
    governor.cast_vote(number, 0, Support.FOR, 2)
    return governor.state(number, 5).value


def exact(id: str, statement: str, expected: object, simulated: object, source: str) -> Row:
    """A row whose two sides must be equal."""
    return Row(id, statement, _text(expected), _text(simulated), "exact", expected == simulated, source)


def close(id: str, statement: str, expected: float, simulated: float, tolerance: float = FLOAT,
          reason: str = "the same sum in another order") -> Row:
    """A row whose two sides may differ by ``tolerance``."""
    return Row(id, statement, f"{expected:.10g}", f"{simulated:.10g}", f"{tolerance:g}: {reason}",
               abs(expected - simulated) <= tolerance, DEFINITION)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)


def rows() -> list[Row]:
    """All rows of this module."""
    return [*governor_rows(), *power_rows(), *concentration_rows(), *quadratic_rows(), *governance_options.rows()]


def governor_rows() -> Iterable[Row]:
    """OpenZeppelin's quorum fraction."""
    data = vectors()
    for vector in data["quorum"]:
        supply, numerator = int(vector["supply"]), int(vector["numerator"])
        yield exact(f"vector {vector['id']}", f"quorum at {numerator} % of the past supply", int(vector["expected"]),
                    quorum_votes(supply, numerator), data["source"])
    for vector in data["outcome"]:
        found = outcome(int(vector["supply"]), int(vector["numerator"]), int(vector["for"]))
        yield exact(f"vector {vector['id']}", f"{int(vector['for']) // 10**18} votes for, quorum 8", vector["expected"],
                    found, data["source"])


def power_rows() -> Iterable[Row]:
    """Shapley-Shubik and Banzhaf indices of small games."""
    f = Fraction
    yield exact("GOV-01", "Shapley-Shubik index of [51; 50, 49, 1]", [f(2, 3), f(1, 6), f(1, 6)],
                shapley_shubik(51, (50, 49, 1)), TEXTBOOK)
    yield exact("GOV-01", "Banzhaf index of [51; 50, 49, 1], normalised", [f(3, 5), f(1, 5), f(1, 5)],
                banzhaf(51, (50, 49, 1)), TEXTBOOK)
    yield exact("GOV-01", "Banzhaf index of [51; 50, 49, 1], absolute", [f(3, 4), f(1, 4), f(1, 4)],
                banzhaf(51, (50, 49, 1), normalised=False), TEXTBOOK)
    yield exact("GOV-04", "Shapley-Shubik index of [67; 40, 30, 20, 10]", [f(7, 12), f(1, 4), f(1, 12), f(1, 12)],
                shapley_shubik(67, (40, 30, 20, 10)), TEXTBOOK)
    yield exact("GOV-04", "Banzhaf index of [67; 40, 30, 20, 10]", [f(1, 2), f(3, 10), f(1, 10), f(1, 10)],
                banzhaf(67, (40, 30, 20, 10)), TEXTBOOK)
    yield exact("GOV-04", "Shapley-Shubik index of [51; 26, 25, 25, 24]", [f(5, 12), f(1, 4), f(1, 4), f(1, 12)],
                shapley_shubik(51, (26, 25, 25, 24)), TEXTBOOK)


def concentration_rows() -> Iterable[Row]:
    """Gini, Herfindahl-Hirschman and Nakamoto of given holdings; Gini of quantile grids against closed forms."""
    for name, threshold, expected in (("1/2", HALF, 3), ("33 %", THIRD, 2), ("67 %", Fraction(67, 100), 4)):
        yield exact("GOV-05", f"Nakamoto coefficient above {name}", expected, nakamoto(HOLDINGS, threshold), DEFINITION)
    yield close("GOV-05", "Herfindahl-Hirschman index", 0.1788, herfindahl(HOLDINGS))
    yield close("GOV-05", "Gini coefficient", 0.4177777777777778, gini(HOLDINGS))
    yield close("GOV-05", "Gini coefficient of [1, 2, 3, 4]", 0.25, gini((1, 2, 3, 4)))
    yield close("GOV-05", "Gini coefficient of [0, 0, 0, 1]", 0.75, gini((0, 0, 0, 1)))
    zipf = 1.0 / np.arange(1, 101)
    yield close("GOV-05", "Gini coefficient of a Zipf law over 100", 0.6244487280520798, gini(zipf))
    yield exact("GOV-05", "Nakamoto coefficient of a Zipf law over 100, above 1/2 and 33 %", [8, 3],
                [nakamoto(zipf), nakamoto(zipf, THIRD)], DEFINITION)
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    lognormal = np.exp([NormalDist().inv_cdf(u) for u in quantiles.tolist()])
    yield close("GOV-05", "Gini coefficient of a lognormal law, sigma 1: 2 Phi(1/sqrt 2) - 1", 0.5204998778130465,
                gini(lognormal), 2e-4, "20,000 equally likely quantiles cut off the tail")


def quadratic_rows() -> Iterable[Row]:
    """Quadratic voting and funding."""
    yield exact("GOV-06", "quadratic votes of 100 tokens: one holder, 100 holders, four of 25", [10, 100, 20],
                [quadratic_votes(100), 100 * quadratic_votes(1), 4 * quadratic_votes(25)], QUADRATIC)
    yield exact("GOV-06", "quadratic funding of contributions [1, 4, 9]: total and match", [36, 22],
                [quadratic_funding((1, 4, 9)), quadratic_funding((1, 4, 9)) - 14], QUADRATIC)
    yield exact("GOV-06", "quadratic funding of four contributions of 1, and of one of 4", [16, 4],
                [quadratic_funding((1, 1, 1, 1)), quadratic_funding((4,))], QUADRATIC)
