"""The report's chapter on an epidemic: who is infected where, what it does to care and to pay."""

from __future__ import annotations

from analysis.load import Run
from analysis.market_figures import add_lines, window_of
from analysis.page import Chapter
from analysis.plots import lines
from analysis.plots.style import COLOURS, percent, plain, short

TITLE, PLACE = "Epidemic", 80

MOST_REGIONS = len(COLOURS)


def epidemic_chapter(chapter: Chapter, run: Run) -> None:
    """Prevalence by region, infections and diagnoses, reproduction number and contacts, care put off, lost pay.
    >>> epidemic_chapter(chapter, run)
    """
    if run.series("epidemic.prevalence") is None:
        return
    week = min(window_of(run.days), 7)
    regions = run.by_institution("epidemic.region_prevalence")
    if regions is not None and len(regions) > 1 and regions.shape[1] <= MOST_REGIONS:
        chapter.figure(lambda axes: lines.lines(axes, regions, "Infectious persons", "share of a region's persons",
                                                percent, run.days),
                       "Prevalence by region. Regions mix, so that an outbreak in one reaches the others later.")
    else:
        add_lines(chapter, run, {"epidemic.prevalence": "prevalence"}, "Infectious persons", "share of persons",
                  "Prevalence in the whole population.", percent)
    add_lines(chapter, run, {"epidemic.infections": "infections", "epidemic.diagnoses": "diagnoses",
                             "epidemic.stays": "hospital stays"},
              "Infections and what is seen of them", "persons a day",
              "Insurers, liquidity providers and authorities see diagnoses and stays, never infections.", plain, week)
    add_lines(chapter, run, {"epidemic.reproduction_number": "reproduction number", "epidemic.contacts": "contacts"},
              "Spread", "infections by one infectious person; contacts over normal",
              "Effective reproduction number: below 1 the epidemic recedes. Contacts fall with interventions.", plain,
              week)
    add_lines(chapter, run, {"epidemic.deferred": "put off", "epidemic.returned": "returned"},
              "Elective care", "USD a day", "Care that is put off in an epidemic; a part of it is sought later, the "
              "rest never. At reference prices.", short, week)
    add_lines(chapter, run, {"epidemic.lost_income": "lost pay"}, "Lost pay", "USD a day",
              "Pay lost to illness and to interventions.", short, week)
