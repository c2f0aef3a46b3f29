"""Schema of the governance token, governor, timelock and treasury."""

from typing import ClassVar, Literal

from pydantic import model_validator

from sim.scenario.types import Governable, Metric, Section, Series, param


class GovernanceSection(Section):
    """The governance token with its genesis, the governor with its timelock, and the treasury."""

    implementation: ClassVar[str] = "sim.contracts.governance.governance:Governance"
    series: ClassVar[tuple[Series, ...]] = (
        Series("governance.treasury", "Cash in the treasury", "USD"),
        Series("governance.treasury_income", "Cash that the treasury received today", "USD"),
        Series("governance.open_proposals", "Proposals that are not yet in a final state", "count"),
        Series("governance.circulating", "GOV held outside treasury, vesting and reward accounts", "GOV"),
        Series("governance.top10_share", "Share of circulating GOV held by the ten largest holders"),
        Series("governance.gini", "Gini coefficient of circulating GOV over its holders"),
        Series("governance.nakamoto", "Fewest voters who together have more than half of the delegated votes", "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("governance.proposals", "Proposals made", "count"),
        Metric("governance.executed", "Proposals executed", "count"),
        Metric("governance.defeated", "Proposals voted down or without quorum", "count"),
        Metric("governance.quorum_failures", "Proposals closed without a quorum", "count", "low"),
        Metric("governance.executions_refused", "Attempts at execution in which an action was refused", "count", "low"),
        Metric("governance.expired", "Passed proposals whose grace ended before they were executed", "count", "low"),
        Metric("governance.turnout", "Mean over closed votes of votes cast over the supply at the snapshot"),
        Metric("governance.top10_share", "Share of circulating GOV held by the ten largest holders at the end"),
        Metric("governance.gini", "Gini coefficient of circulating GOV over its holders at the end"),
        Metric("governance.nakamoto", "Fewest voters with more than half of the votes cast, median over closed votes",
               "count", "high"),
        Metric("governance.treasury", "Cash in the treasury at the end", "USD"),
        Metric("governance.treasury_income", "Cash that the treasury received in the whole run", "USD"),
        Metric("governance.budget_unpaid", "Standing budgets that the treasury could not meet", "USD", "low"),
        Metric("governance.emitted", "GOV paid out as rewards", "GOV"),
        Metric("governance.treasury_loss_share", "Largest share of the treasury's cash that one executed proposal paid "
               "to its own proposer (reported where an adversary of the governor takes part)", "1", "low"),
        Metric("governance.vetoed", "Proposals struck by a guardian or withdrawn (where an adversary takes part)",
               "count"),
        Metric("governance.hhi_votes", "Mean Herfindahl-Hirschman index of the votes cast (where an adversary takes "
               "part)", "1", "low"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("governance.proposal_threshold", 0.0005, 0.02, "Share of supply needed to make a proposal"),
        Governable("governance.quorum", 0.01, 0.3, "Share of supply that must vote for or abstain"),
        Governable("governance.voting_delay_days", 0, 14, "Days from proposal to snapshot", integer=True),
        Governable("governance.voting_period_days", 1, 30, "Days on which a vote is open", integer=True),
        Governable("governance.timelock_days", 0, 30, "Days from queueing to execution", integer=True),
        Governable("governance.vote_cap", 0.01, 1.0, "Most of the supply that one voter's power may count"),
        Governable("governance.late_quorum_days", 0, 14, "Days that a vote stays open after a late quorum",
                   integer=True),
        Governable("governance.emission_scale", 0.0, 1.0, "Part of the scheduled rewards that is paid out"),
    )

    supply: float = param(100_000_000.0, "Whole supply, minted before the first day.", unit="GOV", gt=0.0, le=1e9)
    community_share: float = param(0.40, "Share of the supply given to patients, liquidity providers and funds.",
                                   ge=0.0, le=1.0)
    treasury_share: float = param(0.25, "Share of the supply given to the treasury; it does not vote.", ge=0.0, le=1.0)
    team_share: float = param(0.20, "Share of the supply for the team; unvested tokens do not vote.", ge=0.0, le=1.0)
    rewards_share: float = param(0.15, "Share of the supply paid out as rewards over time.", ge=0.0, le=1.0)
    vesting_years: float = param(4.0, "Years over which the team's tokens vest, linearly.", unit="years", gt=0.0,
                                 le=20.0)
    halving_years: float = param(2.0, "Years after which the rate of rewards halves.", unit="years", gt=0.0, le=20.0)
    emission_scale: float = param(1.0, "Part of the scheduled rewards that is paid out; the rest stays. Zero shows "
                                  "yields without emissions.", ge=0.0, le=1.0)
    top10_share: float = param(0.52, "Share of the community's tokens that its ten largest holders get at the start.",
                               grade="M", source="Holdings in large DAOs: the ten largest hold 45-58 %",
                               ge=0.0, le=1.0)
    holder_share: float = param(0.20, "Share of patients who get tokens at the start.", ge=0.0, le=1.0)
    holding_log_sd: float = param(1.5, "Log standard deviation of the smaller holdings at the start.", ge=0.0, le=4.0)

    proposal_threshold: float = param(0.0025, "Share of the supply needed to make a proposal.", grade="M",
                                      source="Compound governance: 25,000 of 10,000,000 COMP", ge=0.0, le=1.0)
    voting_delay_days: int = param(2, "Days from a proposal to its snapshot.", unit="days", grade="M",
                                   source="Compound governance: two days of review", ge=0, le=60)
    voting_period_days: int = param(3, "Days on which a vote is open.", unit="days", grade="M",
                                    source="Compound governance: three days of voting", ge=1, le=90)
    quorum: float = param(0.04, "Share of the supply at the snapshot that for and abstain must reach.", grade="M",
                          source="Compound governance: 400,000 of 10,000,000 COMP", ge=0.0, le=1.0)
    timelock_days: int = param(2, "Days from queueing to the first day of execution.", unit="days", grade="M",
                               source="Compound Timelock: 2 to 30 days", ge=0, le=60)
    grace_days: int = param(14, "Days after which an unexecuted proposal is stale.", unit="days", grade="M",
                            source="Compound Timelock: 14 days", ge=0, le=365)
    vote_rule: Literal["token_weighted", "quadratic", "conviction"] = param(
        "token_weighted", "How voting power becomes votes: a vote a token, the square root of the tokens, or support "
        "that grows with the days it stays and must reach more for a larger request.", grade="L",
        source="Lalley and Weyl 2018 (quadratic); 1Hive ConvictionVoting.sol (conviction)")
    votes_from: Literal["snapshot", "live_balance"] = param(
        "snapshot", "From which balances voting power is read: those of the snapshot, or those at the moment of the "
        "vote.", grade="M", source="OpenZeppelin Governor (snapshot); Beanstalk before April 2022 (live)")
    recount_at_execution: bool = param(False, "Whether a vote counts at execution no more than its voter holds then.")
    vote_lock_days: int = param(0, "Days for which a vote locks the tokens and deposits behind it, at least until it "
                                "is over; 0: not at all.", unit="days", ge=0, le=365)
    vote_cap: float = param(1.0, "Most of the supply that one voter's power may count.", grade="M",
                            source="Nexus Mutual: 5 %; most DAOs: none", gt=0.0, le=1.0)
    votes_of_lp: float = param(0.0, "Votes that a dollar of liquidity gives while it is deposited with the governor; "
                               "0: liquidity does not vote.", unit="GOV/USD", grade="M",
                               source="Beanstalk's silo: deposits vote by their value", ge=0.0, le=1e6)
    emergency_share: float = param(0.0, "Share of all votes that passes a proposal before its deadline; 0: none does.",
                                   grade="M", source="Beanstalk emergencyCommit: two thirds", ge=0.0, le=1.0)
    emergency_after_days: int = param(1, "Days after the proposal before an emergency commit is possible.", unit="days",
                                      grade="M", source="Beanstalk emergencyCommit: 86,400 seconds", ge=0, le=60)
    late_quorum_days: int = param(0, "Days that a vote stays open at least after the ballot that reached the quorum; "
                                  "0: no extension.", unit="days", grade="M",
                                  source="OpenZeppelin GovernorPreventLateQuorum", ge=0, le=60)
    delegation_depth: int = param(1, "Steps that power travels along delegations: 1 passes on own tokens only.",
                                  grade="M", source="OpenZeppelin Votes: 1", ge=1, le=16)
    conviction_decay: float = param(0.9, "Part of conviction that is left after a day (alpha).", unit="1/day",
                                    grade="M", source="1Hive conviction-voting-app, test values", gt=0.0, lt=1.0)
    conviction_most: float = param(0.2, "Share of the treasury that no request may reach (beta).", grade="M",
                                   source="1Hive conviction-voting-app, test values", gt=0.0, le=1.0)
    conviction_weight: float = param(0.002, "Weight of the threshold of conviction (rho).", grade="M",
                                     source="1Hive conviction-voting-app, test values", gt=0.0, lt=1.0)
    conviction_floor: float = param(0.2, "Share of the supply that counts as active at least.", grade="M",
                                    source="1Hive conviction-voting-app, test values", ge=0.0, le=1.0)
    treasury_cash: float = param(0.0, "Opening cash of the treasury.", unit="USD", ge=0.0, le=1e12)
    discount_rate: float = param(0.20, "Rate at which net fees are discounted, for ever, to value GOV.", unit="1/year",
                                 gt=0.0, le=2.0)
    delegate_pay: float = param(100.0, "Standing budget: what each delegate is paid a month from the treasury.",
                                unit="USD/month", ge=0.0, le=100_000.0)

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "GovernanceSection":
        total = self.community_share + self.treasury_share + self.team_share + self.rewards_share
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"community_share, treasury_share, team_share and rewards_share sum to {total:g}, not 1")
        if self.emergency_share > 0.0 and self.vote_rule != "token_weighted":
            raise ValueError("an emergency commit counts tokens: it needs vote_rule token_weighted")
        if self.vote_lock_days > 0 and self.delegation_depth > 1:
            raise ValueError("votes lock the tokens of those who delegate directly: vote_lock_days needs "
                             "delegation_depth 1")
        return self


SECTION = GovernanceSection
