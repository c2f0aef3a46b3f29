"""Schema of the data vault: consent, price and sale of patients' records."""

from typing import ClassVar

from sim.scenario.types import Governable, Metric, Section, Series, param


class DataVaultSection(Section):
    """Holds what patients allow to be done with their records, and sells access on their terms."""

    implementation: ClassVar[str] = "sim.contracts.research.data_vault:DataVault"
    requires: ClassVar[tuple[str, ...]] = ("population",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("data_vault.consents", "Patients whose consent is in force", "count"),
        Series("data_vault.sales", "Records sold today", "count"),
        Series("data_vault.revenue", "Paid for records today", "USD"),
        Series("data_vault.best_bid", "Highest price bid for a record", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("data_vault.consent_rate", "Mean share of patients whose consent is in force"),
        Metric("data_vault.sales", "Records sold in the whole run", "count"),
        Metric("data_vault.mean_price", "Mean price of a sold record", "USD"),
        Metric("data_vault.revenue_per_patient", "Paid to patients for records, per patient and year", "USD/year",
               "high"),
        Metric("data_vault.sellers", "Share of patients who sold a record at least once"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("data_vault.vault_share", 0.0, 0.2, "Share of a sale kept by the vault"),
        Governable("data_vault.treasury_share", 0.0, 0.2, "Share of a sale paid to the treasury"),
    )

    vault_share: float = param(0.05, "Share of a sale that the vault keeps for its costs.", ge=0.0, le=0.5)
    treasury_share: float = param(0.05, "Share of a sale that goes to the treasury; the patient gets the rest.", ge=0.0,
                                  le=0.5)
    breach_fear: float = param(10.0, "What a patient wants on top of the privacy cost for fear of a breach, before any "
                               "breach was seen.", unit="USD", ge=0.0, le=10_000.0)
    ask_margin: float = param(0.10, "Margin over the reservation price at which a patient offers a record.", ge=0.0,
                              le=10.0)
    validity_days: int = param(365, "Days for which a buyer may use a record; nobody sells it to the same buyer again "
                               "within them.", unit="days", ge=1, le=3650)
    bid_validity_days: int = param(60, "Days after which a posted bid lapses.", unit="days", ge=1, le=365)


SECTION = DataVaultSection
