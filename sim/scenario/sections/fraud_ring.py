"""Schema of the claim fraud ring."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class FraudRingSection(Section):
    """Insured people and providers who file claims for care that never was, while detection does not deter them."""

    implementation: ClassVar[str] = "sim.agents.adversary.fraud_ring:FraudRing"
    requires: ClassVar[tuple[str, ...]] = ("claims", "oracles", "insurance", "providers", "population")
    series: ClassVar[tuple[Series, ...]] = (
        Series("fraud_ring.believed_detection", "Probability of a denial that the ring reckons with"),
        Series("fraud_ring.false_paid", "Paid today by pools on the ring's false claims", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("fraud_ring.filed", "False claims filed by the ring", "count", "low"),
        Metric("fraud_ring.decided", "False claims of the ring approved, or denied for good", "count"),
        Metric("fraud_ring.detection", "Share of the ring's decided claims that were denied", "1", "high"),
        Metric("fraud_ring.believed_detection", "Probability of a denial that the ring reckons with at the end"),
        Metric("fraud_ring.active_share", "Share of the occasions on which the ring filed claims", "1", "low"),
        Metric("fraud_ring.pool_loss", "Paid by pools on the ring's false claims", "USD", "low"),
        Metric("fraud_ring.loss_share", "The same as a share of all that pools paid on claims", "1", "low"),
        Metric("fraud_ring.penalties", "Penalties paid for denied false claims", "USD"),
        Metric("fraud_ring.penalties_unpaid", "Penalties for denied false claims that the ring could not pay", "USD"),
        Metric("fraud_ring.profit", "What the ring holds at the end less what it started with", "USD", "low"),
    )

    members: int = param(40, "Insured people who file claims for the ring.", unit="count", ge=1, le=100_000)
    first_day: int = param(30, "First day on which the ring may file.", unit="days", ge=0, le=36500)
    every_days: int = param(3, "Days between two occasions to file.", unit="days", ge=1, le=3650)
    claims_per_wave: int = param(3, "False claims on an occasion.", unit="count", ge=1, le=10_000)
    claim_size: float = param(2000.0, "Median of a false claim.", unit="USD", gt=0.0, le=1e9)
    claim_log_sd: float = param(0.5, "Log standard deviation of false claims.", ge=0.0, le=3.0)
    margin: float = param(0.7, "Part of what a pool pays that is the ring's gain; the rest is what providers and "
                          "members keep for their part.", gt=0.0, le=1.0)
    penalty: float = param(1000.0, "Penalty for a false claim that is denied for good, to the treasury.", unit="USD",
                           ge=0.0, le=1e9)
    cash: float = param(50_000.0, "Cash that the ring starts with, out of which it pays penalties.", unit="USD", ge=0.0,
                        le=1e9)
    prior_weight: float = param(10.0, "Decided claims of its own that count as much to the ring as what public "
                                "agreement of votes says about detection.", unit="count", gt=0.0, le=1e6)


SECTION = FraudRingSection
