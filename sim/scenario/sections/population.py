"""Schema of the population: who there is, and what each person is like at the start."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class PopulationSection(Section):
    """The people: age, region, income, wealth, chronic conditions, frailty, tastes, public cover, work."""

    implementation: ClassVar[str] = "sim.world.population:Population"
    series: ClassVar[tuple[Series, ...]] = (
        Series("population.mean_age", "Mean age of all persons, on the first day of each year", "years"),
        Series("population.public_cover", "Share of persons with public cover, on the first day of each year"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("population.mean_age", "Mean age at the end", "years"),
        Metric("population.mean_income", "Mean money income per person at the end", "USD/year"),
        Metric("population.public_cover", "Share of persons with public cover at the end"),
        Metric("population.chronic_share", "Share of persons with at least one chronic condition at the end"),
    )

    patients: int = param(20_000, "Number of persons.", unit="persons", ge=1, le=5_000_000)
    tables: str = param("us", "Folder of the source tables on age, income, illness and care: the name of a shipped "
                        "folder, or a path (absolute, or relative to the scenario file).", min_length=1, max_length=300)
    ageing: bool = param(True, "Whether everybody is a year older on each anniversary of the start; off keeps ages, "
                         "and so mean spending, where they are. The cohort is closed: nobody is born or dies.")
    frailty_log_sd: float = param(
        0.753, "Standard deviation of the logarithm of permanent frailty, which age and diagnosed conditions do not "
        "explain. Set with the morbidity section's shapes so that shares of spending and the rank correlation of "
        "successive years come out.", ge=0.0, le=3.0)
    risk_aversion_times_income: float = param(2.0, "Relative risk aversion: absolute aversion is this over yearly "
                                              "income, within the bounds below.", ge=0.0, le=20.0)
    risk_aversion_least: float = param(1e-5, "Least absolute risk aversion.", unit="1/USD", gt=0.0, le=1e-2)
    risk_aversion_most: float = param(4e-4, "Largest absolute risk aversion.", unit="1/USD", gt=0.0, le=1e-2)
    privacy_cost_median: float = param(20.0, "Median worth of keeping one's health record to oneself.", unit="USD",
                                       gt=0.0, le=1e6)
    privacy_cost_log_sd: float = param(1.2, "Standard deviation of the logarithm of that worth.", ge=0.0, le=4.0)
    wealth_log_sd: float = param(
        1.4, "Standard deviation of the logarithm of liquid wealth among those of one age and income.", ge=0.0, le=4.0)
    wealth_income_elasticity: float = param(
        1.5, "Elasticity of median liquid wealth with respect to household income at given age; balances of the "
        "highest income tenth are about 70 times those of the lowest fifth.", grade="L",
        source="Survey of Consumer Finances 2019, recalled, rounded", ge=0.0, le=5.0)
    public_cover_age: int = param(65, "Age from which everybody has public cover.", unit="years", grade="M",
                                  source="US Medicare", ge=0, le=120)
    public_cover_poverty_ratio: float = param(
        1.38, "Household income, in multiples of the poverty line, below which a person has public cover.", grade="M",
        source="US Medicaid expansion: 138 % of the poverty guideline", ge=0.0, le=20.0)
    poverty_line_first_person: float = param(12_140.0, "Poverty line of a household of one.", unit="USD/year",
                                             grade="M", source="US HHS poverty guidelines 2018", ge=0.0)
    poverty_line_each_more: float = param(4_320.0, "Addition to the poverty line for each further person.",
                                          unit="USD/year", grade="M", source="US HHS poverty guidelines 2018", ge=0.0)
    home_chain_shares: list[float] = param(
        [0.6, 0.25, 0.15], "Shares of persons whose identity is kept on each chain; rescaled to sum to 1.",
        min_length=1, max_length=16)


SECTION = PopulationSection
