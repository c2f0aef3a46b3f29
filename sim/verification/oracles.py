"""Oracle committees held against their truths: juries, faulty and captured members, medians, bribes, vectors.

Everything here is decided by the committee's own compiled rules; only the members' votes are drawn. Probabilities and
variances are compared with closed forms within three standard errors of the simulation; the draws have one seed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.oracle_bribes import BribedVote, Honesty
from sim.agents.oracle_copying import match_copying, match_looking
from sim.agents.oracle_effort import majority_probability, match_probability
from sim.agents.oracle_reports import form_reports
from sim.contracts.oracle_committee import rules
from sim.contracts.oracle_committee.decision import APPROVE, COHERENT, CommitteeRules, Decisions, decide
from sim.contracts.oracle_committee.payout import Tally, add_round
from sim.contracts.oracle_committee.rules import Bribe
from sim.contracts.oracle_committee.seats import draw_seats
from sim.kernel.draws import Decision, Draws
from sim.kernel.fixedpoint import MICRO
from sim.verification.rows import Row

SEED = 1785
CHUNK = 20_000
POPULATION = 200_000
"""Stakers to draw committees from: so many that drawing without replacement is as good as with."""

MIXTURE = "derived here; votes under a common influence, as in Boland, Proschan & Tong 1989 and Ladha 1992 (recalled)"
DERIVED = "derived here; checked over all profiles of the others' votes"


def vectors() -> dict[str, Any]:
    """The truths shipped with the package."""
    text = files("sim.verification").joinpath("data/oracle_vectors.json").read_text(encoding="utf-8")
    result: dict[str, Any] = json.loads(text)
    return result


def decide_votes(valid: NDArray[np.bool_], rule: rules.ApprovalRule = "simple") -> Decisions:
    """Decisions on votes bool[claims, members], all revealed, with equal amounts."""
    claims, members = valid.shape
    seats = np.broadcast_to(np.arange(members, dtype=np.int32), valid.shape)
    ones = np.ones(valid.shape, dtype=np.int64)
    return decide(np.ascontiguousarray(seats), np.ones(valid.shape, dtype=np.bool_), ones, np.ascontiguousarray(valid),
                  np.ones(claims, dtype=np.int64), CommitteeRules(10_000, rule))


def approved_share(
    decision: Decision, members: int, p: float, runs: int, faulty: int = 0, rule: rules.ApprovalRule = "simple"
) -> float:
    """Share of valid claims that a committee approves, members right with probability ``p``, ``faulty`` never."""
    approved = 0
    for chunk in range(0, runs, CHUNK):
        keys = np.arange(CHUNK * members, dtype=np.uint64)
        votes = decision.bernoulli(chunk, keys, p).reshape(CHUNK, members)
        votes[:, :faulty] = False
        approved += int((decide_votes(votes, rule).outcome == APPROVE).sum())
    return approved / runs


def captured_share(decision: Decision, members: int, share: float, runs: int) -> float:
    """Share of committees, drawn by stake, in which captured members decide."""
    weights = np.full(POPULATION, MICRO, dtype=np.int64)
    lost = 0
    for chunk in range(0, runs, CHUNK):
        seats = draw_seats(decision.stream, chunk, np.arange(CHUNK, dtype=np.uint64), weights, members)
        lost += int((decide_votes(seats >= share * POPULATION).outcome != APPROVE).sum())
    return lost / runs


def median_variance(decision: Decision, members: int, runs: int) -> tuple[float, float]:
    """Variance of the approved amount when members report a normal around the truth, and its standard error."""
    centre = 1_000 * MICRO
    found = []
    for chunk in range(0, runs, CHUNK):
        noise = decision.normal(chunk, np.arange(CHUNK * members, dtype=np.uint64)).reshape(CHUNK, members)
        amounts = np.rint(centre + noise * MICRO).astype(np.int64)
        seats = np.ascontiguousarray(np.broadcast_to(np.arange(members, dtype=np.int32), amounts.shape))
        yes = np.ones(amounts.shape, dtype=np.bool_)
        made = decide(seats, yes, amounts, yes, np.full(CHUNK, 2 * centre, dtype=np.int64), CommitteeRules())
        found.append((made.approved - centre) / MICRO)
    values = np.concatenate(found)
    deviations = (values - values.mean()) ** 2
    return float(deviations.mean()), float(deviations.std() / math.sqrt(values.size))


def temptation(bribe: Bribe, share_losses: bool) -> int:
    """Largest gain from voting the truth over the bribed answer, over all numbers of others bribed, before any bribe.

    Both votes are played through the committee for each number x of the other members who vote the bribed answer
    ("invalid"), and only where the truth then wins if the member votes the bribed answer, so that a promise would fall
    due. A promise above the result makes the bribed vote better in each of these cases; where the bribed answer wins
    anyway it is better without one.
    """
    n = bribe.seats
    others = np.arange(n - bribe.majority)
    payoffs = []
    for votes_truth in (True, False):
        votes = np.zeros((others.size, n), dtype=np.bool_)
        votes[:, 0] = votes_truth
        for row, bribed in enumerate(others):
            votes[row, 1 + bribed:] = True
        made = decide_votes(votes)
        at_stake = np.full(n, bribe.slash, dtype=np.int64)
        seats = np.ascontiguousarray(np.broadcast_to(np.arange(n, dtype=np.int32), votes.shape))
        earned = []
        for row in range(others.size):
            part = slice(row, row + 1)
            tally = Tally.empty(n)
            add_round(tally, np.zeros(1, dtype=np.uint64), seats[part], made.verdicts[part], at_stake, at_stake,
                      share_losses)
            earned.append(int(tally.coherent[0]) * bribe.reward + int(tally.shared[0]) - int(tally.lost[0]))
        payoffs.append(earned)
    return max(truth - lie for truth, lie in zip(*payoffs, strict=True))


def within(id: str, statement: str, expected: float, simulated: float, error: float, source: str) -> Row:
    """A row that allows three standard errors."""
    return Row(id, statement, f"{expected:.8g}", f"{simulated:.8g}", f"3 SE = {3 * error:.2g} of the simulation",
               abs(simulated - expected) <= 3.0 * error, source)


def exact(id: str, statement: str, expected: object, simulated: object, source: str) -> Row:
    """A row whose two sides must be equal."""
    return Row(id, statement, str(expected), str(simulated), "exact", expected == simulated, source)


def binomial_error(p: float, runs: int) -> float:
    """Standard error of a share of ``runs`` whose expectation is ``p``."""
    return math.sqrt(p * (1.0 - p) / runs)


def rows() -> list[Row]:
    """All rows of this module."""
    data, draws = vectors(), Draws(SEED)
    return [*jury_rows(data, draws), *capture_rows(data, draws), *median_rows(data, draws), *match_rows(draws),
            *correlated_rows(draws), *copying_rows(draws), *bribe_rows(data["staking"]), *budget_rows(data["staking"]),
            *vector_rows(data)]


def jury_rows(data: Mapping[str, Any], draws: Draws, runs: int = 60_000) -> list[Row]:
    """ORA-03 and ORA-04."""
    found = []
    for case in data["jury"]["cases"]:
        n, p, expected = case["n"], case["p"], case["expected"]
        simulated = approved_share(draws.decision(f"verify.jury.{n}.{p}"), n, p, runs)
        found.append(within("ORA-03", f"Majority of {n} members, each right with probability {p}", expected, simulated,
                            binomial_error(expected, runs), data["jury"]["source"]))
    for case in data["byzantine"]["cases"]:
        n, f, p, rule, expected = (case[key] for key in ("n", "faulty", "p", "rule", "expected"))
        simulated = approved_share(draws.decision(f"verify.byzantine.{n}.{f}.{p}.{rule}"), n, p, runs, f, rule)
        words = "two thirds" if rule == "two_thirds" else "majority"
        found.append(within("ORA-04", f"Right decision by {words} of {n}, {f} always wrong, the others right with "
                            f"probability {p}", expected, simulated, binomial_error(expected, runs),
                            data["byzantine"]["source"]))
    return found


def capture_rows(data: Mapping[str, Any], draws: Draws, runs: int = 60_000) -> list[Row]:
    """ORA-05."""
    found = []
    for case in data["capture"]["cases"]:
        n, q, expected = case["n"], case["q"], case["expected"]
        simulated = captured_share(draws.decision(f"verify.capture.{n}.{q}"), n, q, runs)
        found.append(within("ORA-05", f"A committee of {n} drawn by stake is captured, {q} of the stake being so",
                            expected, simulated, binomial_error(expected, runs), data["capture"]["source"]))
    return found


def median_rows(data: Mapping[str, Any], draws: Draws, runs: int = 60_000) -> list[Row]:
    """ORA-07."""
    found = []
    for case in data["median"]["cases"]:
        n, expected = case["n"], case["expected"]
        variance, error = median_variance(draws.decision(f"verify.median.{n}"), n, runs)
        found.append(within("ORA-07", f"Variance of the median of {n} reports with unit normal noise", expected,
                            variance, error, data["median"]["source"]))
    return found


def correlated_rows(draws: Draws, runs: int = 60_000) -> list[Row]:
    """Committees whose members' errors are correlated, reporting as operators do, against the mixture of binomials."""
    found = []
    for n, p, correlation in ((5, 0.9, 0.2), (21, 0.9, 0.2), (21, 0.7, 0.5), (31, 0.6, 0.0)):
        decision = draws.decision(f"verify.correlated.{n}.{p}.{correlation}")
        _, valid = committee_reports(decision, n, p, correlation, runs, np.zeros(n, dtype=np.bool_))
        simulated = float((decide_votes(valid).outcome == APPROVE).mean())
        expected = majority_probability(p, n, correlation)
        found.append(within("oracle correlation", f"Majority of {n} members right, each with probability {p}, errors "
                            f"correlated by {correlation}: p P(Bin(n, f + (1-f)p) > n/2) + (1-p) P(Bin(n, (1-f)p) > "
                            "n/2), f = sqrt(correlation)", expected, simulated, binomial_error(expected, runs),
                            MIXTURE))
        first, second = (~valid[:, :2]).T.astype(np.float64)
        seen = float(np.corrcoef(first, second)[0, 1])
        found.append(within("oracle correlation", f"Correlation of the errors of two of {n} members, accuracy {p}",
                            correlation, seen, 1.5 / math.sqrt(runs), MIXTURE))
    return found


def copying_rows(draws: Draws, runs: int = 60_000) -> list[Row]:
    """Committees with members who copy the first who looks, against the closed form that operators choose by."""
    found = []
    n, p, correlation = 5, 0.9, 0.2
    for share in (0.3, 0.7):
        decision = draws.decision(f"verify.copying.{share}")
        crowd = 1_000 * n  # members to draw committees from, a fixed share of whom copy
        copies = np.arange(crowd) < share * crowd
        drawn = draw_seats(decision.stream, 1, np.arange(runs, dtype=np.uint64), np.full(crowd, MICRO), n)
        seats, valid = committee_reports(decision, crowd, p, correlation, runs, copies, drawn)
        coherent = decide_votes(valid).verdicts == COHERENT
        for copier, words in ((False, "looks"), (True, "copies")):
            simulated = float(coherent[copies[seats] == copier].mean())
            expected = (match_copying(p, n, correlation, share) if copier
                        else float(match_looking(np.array([p]), p, n, correlation, share)[0]))
            found.append(within("oracle copying", f"A member of {n} who {words} is with the majority, others copying "
                                f"with probability {share}", expected, simulated, binomial_error(expected, runs),
                                "derived here: binomial over the number of copiers"))
    return found


def committee_reports(
    decision: Decision, members: int, accuracy: float, correlation: float, runs: int, copies: NDArray[np.bool_],
    seats: NDArray[np.int32] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Seats and votes [runs, k] on valid claims that operators form as in the market; without ``seats`` all sit."""
    keys = np.arange(1, members + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if seats is None:
        seats = np.ascontiguousarray(np.broadcast_to(np.arange(members, dtype=np.int32), (runs, members)))
    amounts, valid = np.zeros(seats.shape, dtype=np.int64), np.zeros(seats.shape, dtype=np.bool_)
    one = np.full(runs, MICRO, dtype=np.int64)
    form_reports(decision.stream, 0, np.arange(runs, dtype=np.uint64), seats, keys, np.full(members, accuracy), copies,
                 np.ones(members, dtype=np.bool_), one, one, math.sqrt(correlation), 1.0, 0.0, amounts, valid)
    return seats, valid


def budget_rows(case: Mapping[str, Any]) -> list[Row]:
    """ORA-09: where a committee falls as the credible budget grows, members choosing by logit best response."""
    reward, slash, n, epsilon = (float(case[key]) for key in ("reward", "slash", "seats", "epsilon"))
    seats = int(n)
    honesty = Honesty(0.5 * reward, 1.0, 0.02 * reward)
    m = seats // 2 + 1
    full = reward + slash + epsilon

    def falls(multiple: float, contingent: bool = True) -> tuple[bool, float]:
        vote = BribedVote(reward, slash, min(full, multiple * full), seats, seats, contingent)
        takers = vote.believed_takers(honesty)
        return vote.success(takers) > 0.5, vote.cost(takers) / (m * full)

    multiples = (0.5, 0.9, 1.1, 2.0)
    return [
        exact("ORA-09", f"p + epsilon: does a committee of {seats} fall at 0.5, 0.9, 1.1, 2 times the budget "
              "m (R + S + epsilon)?", [False, False, True, True], [falls(one)[0] for one in multiples], DERIVED),
        Row("ORA-09", "Cost of a p + epsilon attack that succeeds over its budget", "0",
            f"{falls(1.1)[1]:.2g}", "0.001", falls(1.1)[1] < 0.001, DERIVED),
        Row("ORA-09", "Cost of a plain bribe to all that succeeds, over the same budget", f"{seats / m:.6g}",
            f"{falls(1.1, False)[1]:.6g}", "5 %: some are too honest",
            abs(falls(1.1, False)[1] * m / seats - 1.0) < 0.05, DERIVED),
    ]


def match_rows(draws: Draws, runs: int = 60_000, correlation: float = 0.2) -> list[Row]:
    """The probability of matching the majority that operators reckon with, against committees of such operators."""
    found = []
    for n, p in ((5, 0.93), (11, 0.8)):
        decision = draws.decision(f"verify.match.{n}.{p}")
        keys = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        seats = np.ascontiguousarray(np.broadcast_to(np.arange(n, dtype=np.int32), (runs, n)))
        amounts, valid = np.zeros(seats.shape, dtype=np.int64), np.zeros(seats.shape, dtype=np.bool_)
        one = np.full(runs, MICRO, dtype=np.int64)
        form_reports(decision.stream, 0, np.arange(runs, dtype=np.uint64), seats, keys, np.full(n, p),
                     np.zeros(n, dtype=np.bool_), np.ones(n, dtype=np.bool_), one, one, math.sqrt(correlation), 1.0,
                     0.0, amounts, valid)
        made = decide(seats, np.ones(seats.shape, dtype=np.bool_), amounts, valid, one, CommitteeRules())
        first = float((made.verdicts[:, 0] == COHERENT).mean())
        expected = float(match_probability(np.array([p]), p, n, correlation)[0])
        found.append(within("oracle match", f"A vote is with the majority of {n}, accuracy {p}, errors correlated by "
                            f"{correlation}", expected, first, binomial_error(expected, runs),
                            "derived here: binomial given what everybody sees"))
    return found


def bribe_rows(case: Mapping[str, Any]) -> list[Row]:
    """ORA-09: break-even, cost to corrupt, and the p + epsilon condition derived anew."""
    reward, slash, n = case["reward"], case["slash"], case["seats"]
    plain = Bribe(reward * MICRO, slash * MICRO, case["epsilon"] * MICRO, n)
    gain = temptation(plain, share_losses=False)
    shared = temptation(plain, share_losses=True)
    m = plain.majority
    return [
        exact("ORA-09", f"Match probability from which honest reporting pays, R = {reward}, S = {slash}, c = 0",
              Fraction(case["breakeven"]), rules.breakeven_match(reward, slash, case["cost"]), case["source"]),
        exact("ORA-09", f"Stake that owns a majority of {n} equal members of {case['stake']} each",
              case["corruption_cost"], rules.corruption_cost([case["stake"]] * n), case["source"]),
        exact("ORA-09", "p + epsilon attack: the smallest contingent promise that makes the bribed vote dominant is "
              "R + S + epsilon (micro-units)", plain.promise, gain + plain.epsilon, DERIVED),
        exact("ORA-09", "The same where losers' stakes are shared among the majority: (n - m - 1) S / (m + 1) more",
              replace(plain, shared=plain.largest_share).promise, shared + plain.epsilon, DERIVED),
        exact("ORA-09", f"Budget m (R + S + epsilon) for n = {n}; m epsilon = {m * case['epsilon']} is only what they "
              "would net", case["bribe_budget"] * MICRO, m * (gain + plain.epsilon), DERIVED),
        exact("ORA-09", "Largest sum that can fall due on the contingent promise: n - m members vote the bribed answer "
              "and lose", case["bribe_liability"] * MICRO, plain.largest_liability, DERIVED),
    ]


def vector_rows(data: Mapping[str, Any]) -> list[Row]:
    """Protocols' own vectors; those marked derived are advisory, and say so."""
    found = []
    slashing = data["uma_slashing"]
    for case in slashing["cases"]:
        stakes = {name: int(stake) for name, stake in case["stakes"].items()}
        after, pot = rules.slash_and_share(stakes, case["wrong"], case["correct"], int(case["slashPerToken"]), 10**18)
        expected = {name: int(case["expected"][name]) for name in sorted(stakes)}
        found.append(exact("vector 137", "UMA: stakes after a vote, and the total slashed",
                           (expected, int(case["expected"]["totalSlashed"])),
                           ({name: after[name] for name in sorted(after)}, pot), slashing["source"]))
    for name, statement, rule in (
        ("uma_dispute", "UMA: winner and store of a disputed bond",
         lambda case: rules.dispute_payout(int(case["bond"]), int(case["burned"]), 10**18)),
        ("kleros_at_stake", "Kleros: stake at risk per juror",
         lambda case: rules.at_stake(int(case["minStake"]), int(case["alpha"]))),
        ("ocr_median", "Offchain reporting: median of the observations",
         lambda case: rules.upper_median([int(one) for one in case["sorted"]])),
    ):
        for case in data[name]["cases"]:
            given = case["expected"]
            wanted = (int(given["winner"]), int(given["store"])) if isinstance(given, dict) else int(given)
            found.append(exact(f"vector {case['id']}", f"{statement} ({data[name]['kind']})", wanted, rule(case),
                               data[name]["source"]))
    return found
