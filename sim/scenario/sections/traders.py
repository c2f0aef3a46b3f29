"""Schema of the traders."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class TradersSection(Section):
    """Noise traders, a momentum trader and arbitrageurs in the health token's pool."""

    implementation: ClassVar[str] = "sim.agents.trader:Traders"
    requires: ClassVar[tuple[str, ...]] = ("amm", "health_token", "reference_price")
    series: ClassVar[tuple[Series, ...]] = (
        Series("traders.noise_volume", "Value swapped today by noise traders", "USD"),
        Series("traders.momentum_volume", "Value swapped today by momentum traders", "USD"),
        Series("traders.arbitrage_volume", "Value swapped today by arbitrageurs", "USD"),
        Series("traders.arbitrage_profit", "Profit of arbitrageurs today, after gas and the cost of the external "
               "venue", "USD"),
        Series("traders.failed_orders", "Orders of today that were refused in their block or dropped", "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("traders.arbitrage_profit", "Profit of arbitrageurs in the run, after gas and venue costs", "USD"),
        Metric("traders.noise_result", "Change in the wealth of noise traders, tokens at the external price", "USD"),
        Metric("traders.momentum_result", "Change in the wealth of momentum traders, tokens at the external price",
               "USD"),
        Metric("traders.orders", "Orders of traders that were executed", "count"),
        Metric("traders.failed_orders", "Orders of traders that were refused or dropped", "count", "low"),
    )

    noise_traders: int = param(4, "Number of noise traders.", unit="count", ge=0, le=1000)
    noise_orders_per_day: float = param(3.0, "Mean number of noise orders a day (Poisson), over all noise traders.",
                                        unit="1/day", ge=0.0, le=10000.0)
    noise_volume_share: float = param(0.005, "Mean value of all noise orders of a day over the pool's quote reserve.",
                                      unit="1/day", ge=0.0, le=10.0)
    noise_size_log_sd: float = param(1.0, "Standard deviation of the logarithm of an order's size.", ge=0.0, le=5.0)
    noise_inventory_share: float = param(0.1, "Opening holdings of each noise trader in each asset, over the pool's "
                                         "reserves.", ge=0.0, le=10.0)
    momentum_traders: int = param(1, "Number of momentum traders.", unit="count", ge=0, le=1000)
    momentum_strength: float = param(0.5, "k: the momentum trader holds (1 + k tanh(return/sigma))/2 of its wealth in "
                                     "tokens, return over the window and sigma its standard deviation.", ge=0.0, le=1.0)
    momentum_window_days: int = param(20, "Days over which the return is measured.", unit="days", ge=2, le=365)
    momentum_min_trade: float = param(0.02, "A momentum trader acts when its holding is off its target by more than "
                                      "this share of its wealth.", ge=0.0, le=1.0)
    momentum_wealth_share: float = param(0.05, "Opening wealth of each momentum trader, over the value of the pool.",
                                         ge=0.0, le=10.0)
    arbitrageurs: int = param(2, "Number of arbitrageurs.", unit="count", ge=0, le=100)
    arbitrage_inventory_share: float = param(0.25, "Opening holdings of each arbitrageur in each asset, over the "
                                             "pool's reserves.", ge=0.0, le=10.0)
    arbitrage_orders_per_day: int = param(2, "Orders that an arbitrageur may send in a day, each to its own part of "
                                          "the day. Those after the first are sent while their past gains cover the "
                                          "gas.", unit="1/day", ge=1, le=100)
    arbitrage_probe_days: int = param(20, "An arbitrageur whose later orders have not paid tries them again this "
                                      "often.", unit="days", ge=1, le=3650)
    venue_cost_bps: float = param(5.0, "Cost of a trade at the external venue, one way.", unit="bps", ge=0.0,
                                  le=1000.0)
    slippage_limit: float = param(0.02, "Noise and momentum orders are refused when they fetch less than the price at "
                                  "decision by more than this share.", ge=0.0, le=1.0)

    private_orders: bool = param(False, "Orders go to block builders directly, so that nobody who watches the queue "
                                 "can read what they say.")


SECTION = TradersSection
