"""Schema of the claims contract and its committees."""

from typing import ClassVar, Literal

from sim.scenario.types import Governable, Metric, Model, Section, Series, ShockKind, param

KLEROS = "Kleros v2, KlerosCore.sol and courts.v2.mainnet.json"
UMA = "UMA VotingV2 and OptimisticOracleV3, deployment scripts and settleAssertion"


class ClaimsHalt(Model):
    """Settlement of claims stops."""

    days: int = param(30, "Days for which nothing is decided or paid.", unit="days", ge=1, le=3650)


class ClaimsSection(Section):
    """How claims are filed, decided and paid. Without the section ``oracles`` they are decided automatically."""

    implementation: ClassVar[str] = "sim.contracts.claims.mechanism:Claims"
    series: ClassVar[tuple[Series, ...]] = (
        Series("claims.filed", "Claims filed today", "count"),
        Series("claims.approved", "Claims approved today", "count"),
        Series("claims.denied", "Claims denied today, less those taken to appeal", "count"),
        Series("claims.paid", "Claims paid in full today", "count"),
        Series("claims.claimed_amount", "Amount of the claims filed today", "USD"),
        Series("claims.paid_amount", "Paid on claims today", "USD"),
        Series("claims.undecided", "Claims that wait for a decision at the end of the day", "count"),
        Series("claims.without_quorum", "Claims whose committee found no quorum today: drawn again, or dropped",
               "count"),
        Series("claims.oldest_waiting", "Days since the oldest claim that is before committees was filed", "days"),
        Series("claims.delay_p50", "Median of the days from care to full payment, claims paid in the last 30 days",
               "days"),
        Series("claims.delay_p95", "95 % quantile of the same", "days"),
        Series("claims.unpaid_amount", "Approved and not paid at the end of the day", "USD"),
        Series("claims.rewards", "Paid to oracle operators from the fee account today", "USD"),
        Series("claims.slashed", "Stake that operators lost today", "USD"),
        Series("claims.rewards_owed", "Rewards owed to operators that the fee account could not pay", "USD"),
        Series("claims.corruption_ratio", "Cheapest majority of stake on the committee of the largest claim drawn "
               "last, over that claim"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("claims.filed", "Claims filed", "count"),
        Metric("claims.refused", "Filings refused: claimed before, too late, nothing asked for", "count"),
        Metric("claims.unfiled", "Claims that patients gave up before filing", "count", "low"),
        Metric("claims.decided", "Claims approved or denied", "count"),
        Metric("claims.approved", "Claims approved", "count"),
        Metric("claims.denied", "Claims denied for good", "count"),
        Metric("claims.dropped", "Claims given up because no committee could decide them in time", "count", "low"),
        Metric("claims.paid", "Claims paid in full", "count"),
        Metric("claims.paid_amount", "Paid on claims", "USD"),
        Metric("claims.unpaid_amount", "Approved and not paid at the end", "USD", "low"),
        Metric("claims.appeals", "Denials taken to a larger committee", "count"),
        Metric("claims.overturned", "Appeals that ended in approval", "count"),
        Metric("claims.redrawn", "Committees drawn again for want of a quorum or a majority", "count", "low"),
        Metric("claims.without_quorum", "Decisions put off, or claims dropped, because a committee found no quorum",
               "count", "low"),
        Metric("claims.reviewed", "Approvals sent to a second, larger committee (only with `review_above`)", "count"),
        Metric("claims.rewards", "Paid to oracle operators from the fee account", "USD"),
        Metric("claims.slashed", "Stake that operators lost", "USD"),
        Metric("claims.corruption_ratio_lowest", "Cost to corrupt over extractable value, lowest of all days: cheapest "
               "majority of stake on the committee of the day's largest claim, over that claim", "1", "high"),
        Metric("claims.corruption_ratio_median", "The same, median of all days", "1", "high"),
        Metric("claims.delay_p50", "Median of the days from care to full payment", "days", "low"),
        Metric("claims.delay_p95", "95 % quantile of the days from care to full payment", "days", "low"),
        *(Metric(f"claims.unpaid_day90_decile_{d}", "Share of claims, those never filed included, that were neither "
                 f"paid in full nor denied 90 days after care: size decile {d}", "1", "low") for d in range(1, 11)),
        Metric("claims.false_approvals", "Share of decided claims that were paid though nothing was due", "1", "low"),
        Metric("claims.false_denials", "Share of decided claims denied though something was due", "1", "low"),
        Metric("claims.payment_accuracy", "1 - sum of |approved - due| / sum of what was due", "1", "high"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("claims_halt", "Nothing is decided or paid for a number of days (a clearing outage)", ClaimsHalt),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("claims.committee_size", 1, 31, "Seats of a first committee", integer=True),
        Governable("claims.quorum", 0.1, 1.0, "Share of a committee that must reveal"),
        Governable("claims.reward_per_vote", 0.0, 100.0, "Pay of a coherent vote, USD"),
        Governable("claims.slash_share", 0.0, 1.0, "Share of stake at risk per vote"),
    )

    mode: Literal["committee", "optimistic", "automatic"] = param(
        "committee", "Who decides: a committee on each claim; a committee on disputed claims only, the others being "
        "paid after a challenge window (optimistic); or nobody, every claim being paid as filed (automatic).")
    committee_size: int = param(5, "Seats of a first committee; odd, so that votes are not tied. Small claims bear "
                                "few reporters; general courts of Kleros start with 3.", unit="count", ge=1, le=31)
    quorum: float = param(0.6, "Share of a committee's seats that must reveal for a decision.", gt=0.0, le=1.0)
    approval_rule: Literal["simple", "two_thirds"] = param(
        "simple", "Votes that a side needs among those revealed: more than half, or two thirds. Neither side having "
        "them, the claim goes to a larger committee.")
    amount_tolerance: float = param(0.05, "Distance from the median, as a share of it, up to which an amount counts "
                                    "as coherent.", ge=0.0, le=1.0)
    round_size: int = param(1000, "Most claims in one round of committees, so that an operator's votes on them fit "
                            "into one transaction of a 30M gas block.", unit="count", ge=1, le=100_000)
    draw_days: int = param(1, "Days from filing to the draw of a committee. Kleros allows 3.25 days for evidence.",
                           unit="days", ge=1, le=60)
    commit_days: int = param(1, "Days in which commitments are accepted.", unit="days", grade="M",
                             source=f"{UMA}: 24 hours", ge=1, le=60)
    reveal_days: int = param(1, "Days in which reveals are accepted.", unit="days", grade="M",
                             source=f"{UMA}: 24 hours", ge=1, le=60)
    payment_days: int = param(0, "Days from approval to payment.", unit="days", ge=0, le=365)
    appeal_days: int = param(4, "Days after a denial in which it can be appealed.", unit="days", grade="M",
                             source=f"{KLEROS}: 4.5 days", ge=0, le=365)
    maximum_appeals: int = param(2, "Appeals, each to a committee of 2 k + 1 (Kleros), after which a denial stands.",
                                 unit="count", ge=0, le=5)
    review_above: float = param(0.0, "Claims of at least this amount that a first committee approved go to a second "
                                "one of 2 k + 1 seats, whose decision counts, as if their pool appealed; 0: none.",
                                unit="USD", ge=0.0)
    secret_ballots: bool = param(False, "Whether nobody can prove, even after the reveal, how a member voted "
                                 "(receipt-free ballots, as in minimal anti-collusion infrastructure). Commit and "
                                 "reveal alone keep a vote secret only until it is revealed, and a bribe can wait.")
    filing_limit_days: int = param(365, "Days after care in which a claim can be filed; insurers allow 90 to 365.",
                                   unit="days", ge=0, le=3650)
    drop_after_days: int = param(365, "Days after filing at which a claim that finds no quorum is given up.",
                                 unit="days", ge=1, le=3650)
    stake_asset: str = param("USDs", "Asset that operators stake.")
    minimum_stake: float = param(5000.0, "Stake below which an operator is not drawn.", unit="asset units", ge=0.0)
    unstake_days: int = param(7, "Days from a request until stake can be withdrawn.", unit="days", grade="M",
                              source=f"{UMA}: 7 days", ge=0, le=365)
    slashing: Literal["at_stake", "share_of_stake"] = param(
        "at_stake", "What a wrong or missing vote costs: a share of the minimum stake (Kleros), or a share of what the "
        "operator has staked (UMA).")
    slash_share: float = param(0.001, "That share.", grade="M", source=f"{UMA}: 0.1 % per wrong or missing vote",
                               ge=0.0, le=1.0)
    slashed_to: Literal["majority", "fund"] = param(
        "majority", "Who receives slashed stake: the coherent votes on the same claim, or the oracle fee account.")
    reward_per_vote: float = param(2.0, "Pay of a coherent vote. Five votes on each of the five claims a member "
                                   "files in a year fit into 2 % of premium.", unit="USD", ge=0.0)
    gas_refund: bool = param(True, "Whether a coherent vote is also paid the gas of a vote, at the fee that the chain "
                             "last quoted, as aggregators refund their transmitters.")
    commit_gas_per_vote: int = param(24_000, "Gas of each further vote in a transaction of commitments: a new storage "
                                     "slot (22,100) and its call data.", unit="gas", ge=0)
    reveal_gas_per_vote: int = param(15_000, "Gas of each further vote in a transaction of reveals: a hash, one slot "
                                     "read and one updated, and call data.", unit="gas", ge=0)
    challenge_days: int = param(2, "Optimistic mode: days in which an asserted claim can be disputed.", unit="days",
                                ge=1, le=60)
    bond_share: float = param(0.02, "Optimistic mode: bond of the claimant, as a share of the claim.", ge=0.0, le=1.0)
    minimum_bond: float = param(10.0, "Optimistic mode: smallest bond.", unit="USD", gt=0.0)
    burned_share: float = param(0.5, "Optimistic mode: part of the loser's bond that goes to the treasury.", grade="M",
                                source=f"{UMA}: half, so that the winner gets 1.5 bonds", ge=0.0, le=1.0)


SECTION = ClaimsSection
