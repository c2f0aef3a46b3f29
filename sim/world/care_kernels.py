"""Compiled steps of a year's care: how many episodes, on which days, at what cost.

An episode has a code of 16 bits: 4 for the layer (0 is the ordinary intensity; further layers are independent
realisations from which a raised intensity draws), 2 for the service, 10 for its number in the year.
"""

from __future__ import annotations

import math

import numpy as np

from sim.kernel.compiled import kernel
from sim.kernel.draws import draw_bits, hits, poisson, to_unit
from sim.world.severity import severity_quantile

MOST_EPISODES = 1023
"""Of one service in one year and layer."""
MAX_LAYERS = 16
SERVICE_SHIFT = 10
LAYER_SHIFT = 12
HOSPITAL = 3
INTENSIVE = 3


@kernel
def day_of(u: float, cumulative: np.ndarray) -> int:
    """The day of the year whose cumulative share, float64[days + 1], contains ``u``."""
    low, high = 0, cumulative.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if u < cumulative[middle]:
            high = middle
        else:
            low = middle
    return low


@kernel
def count_episodes(
    keys: np.ndarray, log_health: np.ndarray, log_frailty: np.ndarray, shape: np.ndarray, season: np.ndarray,
    count_stream: np.uint64, day_stream: np.uint64, year_day: int, layer: int, counts: np.ndarray,
    per_day: np.ndarray,
) -> None:
    """Fill ``counts`` uint16[n, services] with the year's Poisson counts and ``per_day`` int64[days] with their sum.

    ``shape`` float64[services, >= 3]: rate, health exponent, frailty exponent.
    """
    services = shape.shape[0]
    for i in range(keys.size):
        for k in range(services):
            mean = shape[k, 0] * math.exp(shape[k, 1] * log_health[i] + shape[k, 2] * log_frailty[i])
            first = (layer << LAYER_SHIFT) | (k << SERVICE_SHIFT)
            count = min(poisson(to_unit(draw_bits(count_stream, year_day, keys[i], first)), mean), MOST_EPISODES)
            counts[i, k] = count
            for j in range(count):
                u = to_unit(draw_bits(day_stream, year_day, keys[i], first | j))
                per_day[day_of(u, season[k])] += 1


@kernel
def place_episodes(
    keys: np.ndarray, counts: np.ndarray, season: np.ndarray, day_stream: np.uint64, year_day: int, layer: int,
    next_place: np.ndarray, slots: np.ndarray, codes: np.ndarray,
) -> None:
    """Write slot and code of each episode, sorted by day (``next_place`` int64[days] is where each day's begin),
    within a day by slot, service and number."""
    for i in range(keys.size):
        for k in range(counts.shape[1]):
            first = (layer << LAYER_SHIFT) | (k << SERVICE_SHIFT)
            for j in range(counts[i, k]):
                u = to_unit(draw_bits(day_stream, year_day, keys[i], first | j))
                day = day_of(u, season[k])
                slots[next_place[day]] = i
                codes[next_place[day]] = first | j
                next_place[day] += 1


@kernel
def price_episodes(
    slots: np.ndarray, codes: np.ndarray, keys: np.ndarray, log_health: np.ndarray, log_frailty: np.ndarray,
    cost: np.ndarray, stay: np.ndarray, cost_stream: np.uint64, stay_stream: np.uint64, year_day: int, largest: float,
    kind_of: np.ndarray, kinds: np.ndarray, amounts: np.ndarray,
) -> None:
    """Fill ``kinds`` int8[m] and ``amounts`` int64[m] (millionths of a dollar) of each episode.

    ``cost`` float64[services, 6]: mean scale, exponent, log sd, tail share, tail index, tail start, with the scale
    divided by the severity's mean; ``stay`` float64[3]: share of intensive stays, cost factor on a ward, in intensive
    care; ``kind_of`` int8[services].
    """
    for e in range(slots.size):
        i = slots[e]
        code = int(codes[e])
        k = (code >> SERVICE_SHIFT) & 3
        u = to_unit(draw_bits(cost_stream, year_day, keys[i], code))
        amount = cost[k, 0] * math.exp(cost[k, 1] * (log_health[i] + log_frailty[i]))
        amount *= severity_quantile(u, cost[k, 2], cost[k, 3], cost[k, 4], cost[k, 5])
        kinds[e] = kind_of[k]
        if k == HOSPITAL:
            if hits(draw_bits(stay_stream, year_day, keys[i], code), stay[0]):
                kinds[e] = INTENSIVE
                amount *= stay[2]
            else:
                amount *= stay[1]
        amounts[e] = np.int64(min(amount, largest) * 1e6 + 0.5)


@kernel
def expected_costs(
    log_health: np.ndarray, log_frailty: np.ndarray, weight: np.ndarray, health: np.ndarray, frailty: np.ndarray,
) -> np.ndarray:
    """float64[n]: sum over services of weight x health^exponent x frailty^exponent."""
    result = np.zeros(log_health.size)
    for i in range(log_health.size):
        for k in range(weight.size):
            result[i] += weight[k] * math.exp(health[k] * log_health[i] + frailty[k] * log_frailty[i])
    return result
