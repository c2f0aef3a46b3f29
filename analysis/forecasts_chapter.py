"""The report's chapter on prediction markets: prices, calibration, Brier scores, who gained and lost."""

from __future__ import annotations

import pandas as pd

from analysis import forecasts
from analysis.load import Run
from analysis.market_figures import add_figures, add_lines, any_of, window_of
from analysis.page import Chapter, number, table, text
from analysis.plots import calibration
from analysis.plots import forecasts as plots
from analysis.plots.style import percent, plain, short

TITLE, PLACE = "Forecasts", 78

SHOWN = 4
"""Markets, the last ones settled, whose prices are drawn."""
LISTED = 30
"""Most markets of the table."""

FIGURES = (
    ("Mean Brier score of the closing prices (0 perfect, 2 worst)", "prediction_markets.brier", "{:.3f}".format),
    ("The same of equal chances", "prediction_markets.brier_uniform", "{:.3f}".format),
    ("Mean closing price of what happened", "prediction_markets.price_of_truth", percent),
    ("Result of informed traders, USD", "prediction_markets.informed_result", short),
    ("Result of noise traders, USD", "prediction_markets.noise_result", short),
    ("Result of manipulators, USD", "prediction_markets.manipulator_result", short),
    ("Loss of the sponsor, USD", "prediction_markets.sponsor_loss", short),
    ("Money that the sponsor put up, USD", "prediction_markets.funding", short),
    ("Stakes on benchmarks that were on what happened", "prediction_markets.stakes_right", percent),
)
"""Label, metric, format of the chapter's table."""


def outcome_names(run: Run, subject: str, count: int) -> list[str]:
    """Names of the ``count`` outcomes of a market on ``subject``, by the thresholds of the run's scenario; plain
    numbers where several of its markets ask different thresholds of one subject.

    >>> outcome_names(run, "cost_growth", 2)
    ['outcome 1', 'outcome 2']
    """
    section = run.scenario.get("prediction_markets")
    asked = section.get("markets") if isinstance(section, dict) else None
    found = {tuple(one.get("thresholds", ())) for one in asked or () if isinstance(one, dict)
             and one.get("subject") == subject}
    if len(found) == 1 and len(thresholds := found.pop()) == count - 1:
        return forecasts.outcome_labels([float(value) for value in thresholds])
    return [f"outcome {place + 1}" for place in range(count)]


def markets_html(scores: pd.DataFrame) -> str:
    """Table of the first :data:`LISTED` settled markets with their Brier scores; empty where there are none.

    ``scores`` are the rows of :func:`analysis.forecasts.scores` (scores 0 to 2).

    >>> markets_html(forecasts.scores(run.forecasts))
    ''
    """
    rows = [[text(str(subject).replace("_", " ")), number(int(opened)), number(int(day)), f"{row.figure:.4g}",
             f"{row.uniform:.3f}", f"{row.halfway:.3f}", f"{row.close:.3f}"]
            for (day, subject, opened), row in zip(scores.index[:LISTED], scores.itertuples(index=False), strict=False)]
    if not rows:
        return ""
    more = f'<p class="meta">{len(scores) - LISTED} more are in forecasts.parquet.</p>' if len(scores) > LISTED else ""
    return "<h3>Settled markets</h3>" + table(
        ["on", "opened, day", "settled, day", "measured", "Brier, equal chances", "half-way", "at the close"], rows,
        (1, 2, 3, 4, 5, 6)) + more


def forecasts_chapter(chapter: Chapter, run: Run) -> None:
    """Expected growth of prices, prices of the last settled markets, calibration, Brier scores, volume, results.
    >>> forecasts_chapter(chapter, run)
    """
    if run.series("prediction_markets.open") is None:
        return
    add_lines(chapter, run, {"prediction_markets.cost_growth": "expected"}, "Growth of medical prices that is expected",
              "a year", "By the prices of the newest market on it, on days on which one exists.", percent,
              from_zero=False)
    rows = run.forecasts
    scores = forecasts.scores(rows)
    for day, subject, opened in list(scores.index)[-SHOWN:]:
        market = rows[(rows["day"] == day) & (rows["subject"] == subject) & (rows["opened"] == opened)].sort_values(
            "outcome")
        names = outcome_names(run, str(subject), len(market))
        title = f"Market on {str(subject).replace('_', ' ')}, opened on day {opened}"
        chapter.figure(lambda axes, market=market, names=names, title=title: plots.prices(  # type: ignore[misc]
            axes, market, names, title),
            f"Settled on day {day} at {float(market['figure'].iloc[0]):.4g}. All outcomes open with the same price.",
            over_time=False)
    if len(rows):
        points = forecasts.calibration(rows["price_at_close"], rows["happened"])
        chapter.figure(lambda axes: calibration.calibration(axes, {"this run": points}),
                       "Closing prices of all outcomes in bins of ten points. On the diagonal, what was given a chance "
                       "happened as often. Bars are Wilson intervals; outcomes of one market are not independent.",
                       over_time=False)
    if len(scores) > 1:
        chapter.figure(lambda axes: plots.brier_scores(axes, scores, run.days),
                       "By the day of settlement. A forecast that knows nothing stands on the grey line.")
    add_lines(chapter, run, {"prediction_markets.open": "markets"}, "Markets open for trade", "markets",
              "At the end of the day.", plain, steps=True)
    if any_of(run, "prediction_markets.volume"):
        add_lines(chapter, run, {"prediction_markets.volume": "volume"}, "Volume", "USD a day", "Paid for shares, less "
                  "what sales brought.", short, min(window_of(run.days), 7))
    add_lines(chapter, run, {"prediction_markets.staked": "locked"}, "Stakes on benchmarks", "USD",
              "Locked until the benchmark is settled.", short, steps=True)
    if html := markets_html(scores):
        chapter.below.append(html)
    add_figures(chapter, run, "Accuracy, and who paid for it", FIGURES)
