"""Schema of the health token."""

from typing import ClassVar

from sim.scenario.types import Governable, Metric, Section, Series, param


class HealthTokenSection(Section):
    """HLT, a care credit: minted at the medical price index against a cash reserve, redeemed by providers."""

    implementation: ClassVar[str] = "sim.contracts.health_token:HealthToken"
    requires: ClassVar[tuple[str, ...]] = ("reference_price",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("health_token.index", "Medical price index as posted: care that one token buys", "USD"),
        Series("health_token.supply", "Tokens outstanding", "tokens"),
        Series("health_token.reserve", "Cash in the reserve", "USD"),
        Series("health_token.reserve_ratio", "Reserve over what the tokens promise (supply x index)"),
        Series("health_token.fundamental", "What one token is sure to fetch: index x min(1, reserve ratio), less the "
               "redemption fee", "USD"),
        Series("health_token.minted", "Tokens minted today", "tokens"),
        Series("health_token.redeemed", "Tokens redeemed today", "tokens"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("health_token.reserve_ratio_end", "Reserve ratio at the end of the run", better="high"),
        Metric("health_token.reserve_ratio_min", "Least reserve ratio at the end of a day", better="high"),
        Metric("health_token.minted", "Tokens minted in the run", "tokens"),
        Metric("health_token.redeemed", "Tokens redeemed in the run", "tokens"),
        Metric("health_token.care_paid", "Care paid with tokens in the run, in tokens", "tokens"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("health_token.redemption_fee", 0.0, 0.10, "Fee on the redemption of health tokens"),
    )

    reserve_ratio: float = param(1.1, "Cash behind the tokens that are endowed before the first day, over what they "
                                 "promise; the target of the reserve.", ge=0.0, le=10.0)
    redemption_fee: float = param(0.02, "Share of the index that a redemption leaves in the reserve.", ge=0.0, le=0.5)
    primary_market_open: bool = param(
        True, "Whether arbitrageurs, here and at the external venue, may mint and redeem. Then prices stay between the "
        "value in redemption and the index. If not, only providers redeem, nobody mints, and the external price "
        "moves freely.")
    venue_tokens: float = param(1e6, "Tokens that the external venue holds at the start, beside cash of equal value.",
                                unit="tokens", ge=0.0, le=1e9)
    index_max_step: float = param(0.25, "Largest relative change of the index that one posting may make; a posting "
                                  "beyond it is cut to it.", gt=0.0, le=10.0)


SECTION = HealthTokenSection
