"""Schema of the delegates who propose and vote."""

from typing import ClassVar

from sim.scenario.types import Metric, Model, Section, Series, param


class Ideals(Model):
    """Where each class of voters wants a parameter: 0 is the lower bound of its range and 1 the upper."""

    weight: float = param(1.0, "What a move over the whole range is worth to a class that wants it, in percent of its "
                          "interest a year.", unit="percent/year", ge=0.0, le=1000.0)
    patients: float = param(0.5, "Ideal point of patients.", ge=0.0, le=1.0)
    liquidity_providers: float = param(0.5, "Ideal point of liquidity providers.", ge=0.0, le=1.0)
    researchers: float = param(0.5, "Ideal point of researchers.", ge=0.0, le=1.0)
    team: float = param(0.5, "Ideal point of the team.", ge=0.0, le=1.0)
    whales: float = param(0.5, "Ideal point of large holders.", ge=0.0, le=1.0)


def _ideals(weight: float, patients: float, liquidity_providers: float, researchers: float, team: float,
            whales: float) -> Ideals:
    return Ideals(weight=weight, patients=patients, liquidity_providers=liquidity_providers, researchers=researchers,
                  team=team, whales=whales)


class GrantInterest(Model):
    """What a dollar of research grants is worth to each class, before its share of the cost."""

    patients: float = param(0.5, "Worth to patients: hoped-for lower cost of illness.", ge=0.0, le=10.0)
    liquidity_providers: float = param(0.05, "Worth to liquidity providers.", ge=0.0, le=10.0)
    researchers: float = param(1.0, "Worth to researchers: the money itself.", ge=0.0, le=10.0)
    team: float = param(0.1, "Worth to the team.", ge=0.0, le=10.0)
    whales: float = param(0.05, "Worth to a large holder; its share of all tokens is its share of the cost.", ge=0.0,
                          le=10.0)


class DelegatesSection(Section):
    """Delegates of patients, liquidity providers and researchers, the team, and large holders."""

    implementation: ClassVar[str] = "sim.agents.delegate:Delegates"
    requires: ClassVar[tuple[str, ...]] = ("governance",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("delegates.votes", "Votes counted today", "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("delegates.votes", "Votes that were counted", "count"),
        Metric("delegates.abstained", "Votes that a delegate did not think worth the gas and the attention", "count"),
        Metric("delegates.bribed", "Votes that delegates agreed to sell (where there is a market for votes)", "count",
               "low"),
        Metric("delegates.failed_calls", "Calls to the governor that were refused or never included", "count", "low"),
    )

    patient_advocates: int = param(6, "Delegates who speak for patients.", unit="delegates", ge=0, le=200)
    provider_delegates: int = param(4, "Delegates who speak for liquidity providers.", unit="delegates", ge=0, le=200)
    research_delegates: int = param(2, "Delegates who speak for researchers.", unit="delegates", ge=0, le=200)
    team_members: int = param(2, "Members of the founding team; they receive what vests.", unit="delegates", ge=0,
                              le=200)
    whales: int = param(6, "Funds among the ten largest holders; they vote their own tokens.", unit="delegates", ge=0,
                        le=10)
    delegating_patients: float = param(0.30, "Share of patients with tokens who delegate; tokens of the others do not "
                                       "vote.", ge=0.0, le=1.0)
    delegating_providers: float = param(0.50, "Share of liquidity providers who delegate.", ge=0.0, le=1.0)
    research_sympathy: float = param(0.15, "Share of delegating patients who choose a researchers' delegate.",
                                     ge=0.0, le=1.0)
    proposals_per_year: float = param(18.0, "Mean number of proposals a year to change a parameter, by all delegates.",
                                      unit="1/year", ge=0.0, le=365.0)
    step: float = param(0.1, "Size of a proposed change, as a share of the parameter's allowed range.", gt=0.0, le=1.0)
    horizon_days: int = param(90, "Days over which a delegate counts the effect of a proposal.", unit="days", ge=1,
                              le=3650)
    opinion_noise: float = param(0.5, "Standard deviation of a delegate's error about the effect of a move over the "
                                 "whole range, in percent of its interest a year.", unit="percent/year", ge=0.0,
                                 le=100.0)
    evaluation_noise: float = param(0.5, "Log standard deviation of a delegate's estimate of the worth of grants.",
                                    ge=0.0, le=5.0)
    attention_cost: float = param(2.0, "What reading a proposal costs a delegate: some minutes of one who reads all of "
                                  "them. With more, few votes are worth it in a market of some thousand patients.",
                                  unit="USD", ge=0.0, le=10_000.0)
    opening_cash: float = param(5000.0, "Opening cash of each delegate, for gas.", unit="USD", ge=0.0, le=1e7)
    grants: GrantInterest = param(GrantInterest(), "What research grants are worth to each class, per dollar.")
    ideals: dict[str, Ideals] = param({
        "governance.quorum": _ideals(0.3, 0.1, 0.15, 0.05, 0.1, 0.0),
        "governance.emission_scale": _ideals(2.0, 0.5, 1.0, 0.5, 0.4, 0.3),
        "research.grants_share": _ideals(1.0, 0.5, 0.3, 1.0, 0.4, 0.25),
        "data_vault.vault_share": _ideals(0.5, 0.0, 0.2, 0.1, 0.4, 0.2),
        "data_vault.treasury_share": _ideals(0.5, 0.0, 0.4, 0.1, 0.3, 0.5),
        "health_token.redemption_fee": _ideals(0.5, 0.0, 0.3, 0.2, 0.2, 0.3),
        "insurance.mcr_gate": _ideals(3.0, 0.45, 0.25, 0.33, 0.35, 0.3),
        "insurance.withdrawal_cooldown_days": _ideals(1.5, 0.35, 0.1, 0.25, 0.25, 0.2),
        "claims.committee_size": _ideals(0.5, 0.25, 0.15, 0.13, 0.1, 0.13),
    }, "Ideal points by governable parameter. One that is not named here is wanted where it stands, at weight one.")


SECTION = DelegatesSection
