"""Schema of the oracle operators."""

from typing import ClassVar, Literal

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param

RULE = "Decision rule of the model: p(e) = 0.5 + 0.45 (1 - exp(-3 e))"


class OracleOutage(Model):
    """Operators go offline."""

    share: float = param(0.5, "Share of operators that neither commit nor reveal.", gt=0.0, le=1.0)
    days: int = param(7, "How long.", unit="days", ge=1, le=3650)


class OracleError(Model):
    """Operators cannot see well."""

    accuracy: float = param(0.5, "Accuracy that no operator exceeds, whatever its effort.", ge=0.0, le=1.0)
    days: int = param(7, "How long.", unit="days", ge=1, le=3650)


class OraclesSection(Section):
    """Operators who stake, judge claims in committees and post the medical price index."""

    implementation: ClassVar[str] = "sim.agents.oracle_operator:Oracles"
    requires: ClassVar[tuple[str, ...]] = ("claims",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("oracles.active", "Operators with enough stake to be drawn", "count"),
        Series("oracles.away", "Operators who left because votes lose money", "count"),
        Series("oracles.gas", "Gas of the votes submitted today, at the fees quoted", "USD"),
        Series("oracles.stake", "Stake of all operators, in units of the staked asset", "asset units"),
        Series("oracles.effort", "Mean effort per vote of the operators who look for themselves"),
        Series("oracles.accuracy", "Mean probability of a correct report"),
        Series("oracles.copying", "Share of operators who copy (only where copying is a choice)"),
        Series("oracles.votes", "Votes decided today", "count"),
        Series("oracles.coherence", "Share of today's revealed votes that were with the majority"),
        Series("oracles.absence", "Share of today's votes that were not revealed"),
        Series("oracles.effort_cost", "Spent on looking at claims today", "USD"),
        Series("oracles.operator_stake", "Stake of one operator, every 30 days", "asset units", per="institution"),
        Series("oracles.operator_cash", "Cash of one operator, every 30 days", "USD", per="institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("oracles.votes", "Votes decided", "count"),
        Metric("oracles.coherence", "Share of revealed votes that were with the majority", "1", "high"),
        Metric("oracles.absence", "Share of votes that were not revealed", "1", "low"),
        Metric("oracles.accuracy", "Probability of a correct report, mean over operators at the end", "1", "high"),
        Metric("oracles.effort", "Effort per vote, mean over operators at the end"),
        Metric("oracles.copying", "Share of operators who copy at the end (only where that is a choice)", "1", "low"),
        Metric("oracles.active", "Operators with enough stake at the end", "count"),
        Metric("oracles.stake_change", "Stake at the end over stake at the start, less 1"),
        Metric("oracles.effort_cost", "Spent on looking at claims", "USD", "low"),
        Metric("oracles.disputes", "Asserted claims that operators disputed", "count"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("oracle_outage", "A share of the operators goes offline", OracleOutage),
        ShockKind("oracle_error", "All operators see badly", OracleError),
    )

    operators: int = param(60, "Number of operators.", unit="count", ge=1, le=2000)
    mean_stake: float = param(20_000.0, "Mean stake that an operator starts with.", unit="asset units", gt=0.0)
    stake_log_sd: float = param(0.5, "Log standard deviation of stakes: operators are unequal.", ge=0.0, le=3.0)
    cash: float = param(5_000.0, "Cash that an operator starts with and keeps for gas and effort; what it earns beyond "
                        "goes to its owners.", unit="USD", ge=0.0)
    effort_cost: float = param(0.5, "Median cost of a unit of effort per vote (one unit finds 95 % of what can be "
                               "found): a minute of a reviewer's time.", unit="USD", gt=0.0)
    effort_cost_log_sd: float = param(0.3, "Log standard deviation of that cost between operators.", ge=0.0, le=2.0)
    skill_floor: float = param(0.5, f"Accuracy without effort. {RULE}.", ge=0.0, le=1.0)
    skill_gain: float = param(0.45, f"Accuracy that effort can add. {RULE}.", ge=0.0, le=1.0)
    skill_rate: float = param(3.0, f"How fast effort adds it. {RULE}.", gt=0.0, le=100.0)
    error_correlation: float = param(0.2, "Correlation of the errors of two operators on one claim.", ge=0.0, lt=1.0)
    invalid_share: float = param(0.5, "Share of errors on a valid claim that call it invalid; the others misjudge its "
                                 "amount.", ge=0.0, le=1.0)
    amount_log_sd: float = param(0.3, "Log standard deviation of a misjudged amount.", ge=0.0, le=3.0)
    copier_share: float = param(0.0, "Share of operators who copy another member's report, without effort.", ge=0.0,
                                le=1.0)
    copying: Literal["fixed", "choice"] = param(
        "fixed", "Who copies: always the same share of operators (fixed), or at each choice of effort those to whom "
        "copying is worth more than looking, given how many copied in the last period (choice; then `copier_share` is "
        "the share at the start).")
    copy_cost: float = param(0.3, "What it costs per vote to see another member's report before one's own is committed "
                             "to, where copying is a choice.", unit="USD", ge=0.0, le=1e6)
    honesty: float = param(0.5, "Median of what it is worth to an operator not to lie, as a multiple of the reward of "
                           "a vote. Decides who takes bribes.", ge=0.0, le=1000.0)
    honesty_log_sd: float = param(1.0, "Log standard deviation of that worth between operators.", ge=0.0, le=5.0)
    bribe_belief_noise: float = param(0.02, "Scale of the logit choice by which operators believe that others take "
                                      "bribes, as a multiple of the reward; 0 is an exact best response.", ge=0.0,
                                      le=10.0)
    update_days: int = param(30, "Days between two choices of effort.", unit="days", ge=1, le=3650)
    choice_noise: float = param(0.0, "Scale of the logit noise in the choice of effort; 0 is an exact best response.",
                                unit="USD", ge=0.0)
    exit_when_unprofitable: bool = param(True, "Whether operators withdraw their stake while a vote is expected to "
                                         "lose money, and return when it no longer does.")
    turnover: float = param(0.25, "Probability, at each choice of effort, that an operator to whom votes lose money "
                            "leaves, and that one away returns while votes pay but the fee account is behind. Where a "
                            "vote loses even if paid in full, or half the cash is gone, leaving is certain.", gt=0.0,
                            le=1.0)
    index_committee: int = param(31, "Operators who observe the medical price index each day (at most 31 in offchain "
                                 "reporting).", unit="count", ge=1, le=31)
    index_noise: float = param(0.01, "Log standard deviation of one operator's observation of the medical price index.",
                               ge=0.0, le=1.0)


SECTION = OraclesSection
