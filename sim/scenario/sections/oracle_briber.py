"""Schema of the briber of oracles."""

from typing import ClassVar, Literal

from sim.scenario.types import Metric, Section, Series, param


class OracleBriberSection(Section):
    """An adversary who has invented claims filed and bribes the committees that judge them, through a public escrow."""

    implementation: ClassVar[str] = "sim.agents.adversary.oracle_briber:OracleBriber"
    requires: ClassVar[tuple[str, ...]] = ("claims", "oracles", "insurance", "providers", "population")
    series: ClassVar[tuple[Series, ...]] = (
        Series("oracle_briber.locked", "Deposits of the briber behind open promises at the end of the day", "USD"),
        Series("oracle_briber.false_paid", "Paid today by pools on the briber's false claims", "USD"),
        Series("oracle_briber.bribes", "Bribes paid today", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("oracle_briber.filed", "False claims filed by the briber", "count"),
        Metric("oracle_briber.decided", "False claims of the briber approved, or denied for good", "count"),
        Metric("oracle_briber.accuracy", "Share of the briber's decided false claims that were denied", "1", "high"),
        Metric("oracle_briber.taken", "Share of the votes that were offered a bribe whose holders took it", "1", "low"),
        Metric("oracle_briber.bribes_paid", "Bribes paid", "USD"),
        Metric("oracle_briber.peak_locked", "Largest sum of deposits behind open promises", "USD"),
        Metric("oracle_briber.promise", "Promise per vote of a first committee, when last made", "USD"),
        Metric("oracle_briber.needed_budget", "Budget m (R + S + epsilon) that makes the full promise credible to a "
               "first committee, when last looked at", "USD", "high"),
        Metric("oracle_briber.pool_loss", "Paid by pools on the briber's false claims", "USD", "low"),
        Metric("oracle_briber.penalties", "Penalties paid for denied false claims", "USD"),
        Metric("oracle_briber.penalties_unpaid", "Penalties for denied false claims that the briber could not pay",
               "USD"),
        Metric("oracle_briber.profit", "What the briber holds at the end, deposits included, less what it started with",
               "USD", "low"),
        Metric("oracle_briber.cost_share", "Bribes paid over what pools paid on its false claims; not defined where "
               "they paid nothing"),
        Metric("oracle_briber.expected_profit", "Profit that the briber expected from the claims it filed", "USD"),
    )

    bribe: Literal["p_plus_epsilon", "plain"] = param(
        "p_plus_epsilon", "What is promised: a payment to members who vote for the claim and lose (p + epsilon), or to "
        "members who vote for it whatever the result (plain).")
    budget: float = param(25.0, "What the briber can deposit behind the promise on one claim: its credible budget.",
                          unit="USD", ge=0.0, le=1e9)
    epsilon: float = param(0.5, "What is promised beyond reward and stake at risk, per vote.", unit="USD", ge=0.0,
                           le=1e6)
    first_day: int = param(30, "Day of the first false claims.", unit="days", ge=0, le=36500)
    every_days: int = param(5, "Days between two waves of false claims.", unit="days", ge=1, le=3650)
    claims_per_wave: int = param(2, "False claims in a wave, each with a budget of its own.", unit="count", ge=1,
                                 le=1000)
    claim_size: float = param(5000.0, "Median of a false claim.", unit="USD", gt=0.0, le=1e9)
    claim_log_sd: float = param(0.2, "Log standard deviation of false claims.", ge=0.0, le=3.0)
    members: int = param(30, "Insured people who file claims for the briber.", unit="count", ge=1, le=100_000)
    kept_share: float = param(0.7, "Part of what a pool pays that the briber collects; the member keeps the rest.",
                              gt=0.0, le=1.0)
    penalty: float = param(500.0, "Penalty for a false claim that is denied for good, to the treasury.", unit="USD",
                           ge=0.0, le=1e9)
    cash: float = param(20_000.0, "Cash that the briber starts with beside its budgets.", unit="USD", ge=0.0, le=1e9)
    always_acts: bool = param(False, "Whether claims are filed also when no profit is expected: an experiment on "
                              "committees, not a briber.")


SECTION = OracleBriberSection
