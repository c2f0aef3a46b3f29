"""The report's chapter on governance, data and research: treasury, votes, proposals, data sales, projects."""

from __future__ import annotations

import pandas as pd

from analysis import governance
from analysis.load import Run
from analysis.market_figures import add_lines, window_of
from analysis.page import Chapter, folded, number, table, text
from analysis.plots.style import percent, plain

TITLE, PLACE = "Governance, data and research", 110


def governance_chapter(chapter: Chapter, run: Run) -> None:
    """Treasury, concentration of votes, proposals, consents, data sales and research.
    >>> governance_chapter(chapter, run)
    """
    window = window_of(run.days)
    add_lines(chapter, run, {"governance.treasury": "treasury", "research.cash": "researchers"},
              "Cash of treasury and researchers", "USD", "Fees and shares of premiums come in; grants go out.")
    add_lines(chapter, run, {"governance.top10_share": "ten largest holders", "governance.gini": "Gini"},
              "Concentration of governance tokens", "share; Gini coefficient", "Of tokens in circulation.",
              formatter=percent)
    add_lines(chapter, run, {"governance.nakamoto": "voters"}, "Voters who make a majority", "fewest voters",
              "Nakamoto coefficient of the delegated votes.", formatter=plain, steps=True)
    add_lines(chapter, run, {"data_vault.consents": "consents"}, "Consent to share records", "patients",
              "Patients whose consent, at some price, is in force.")
    add_lines(chapter, run, {"research.active_projects": "projects"}, "Research projects under way", "projects",
              "Collecting or analysing data.", formatter=plain, steps=True)
    add_lines(chapter, run, {"data_vault.sales": "records"}, "Data sales", "records a day",
              "Records bought by researchers.", window=window, formatter=plain)
    votes = governance.proposals(run.events)
    if len(votes):
        chapter.below.append(proposals_html(votes))


def proposals_html(votes: pd.DataFrame) -> str:
    """How proposals ended, with the table of :func:`analysis.governance.proposals` folded under it.
    >>> proposals_html(governance.proposals(run.events)).count("<tr>")
    3
    """
    counts = votes["outcome"].value_counts()
    ended = ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts.index, key=lambda o: (-counts[o], o)))
    rows = [[text(name), text(title), number(None if proposed is pd.NA else int(proposed)), text(outcome),
             number(None if closed is pd.NA else int(closed))]
            for name, title, proposed, closed, outcome in votes.to_numpy(dtype=object).tolist()]
    return (f"<h3>Proposals</h3><p>{len(votes)} proposals: {text(ended)}.</p>" + folded(
        "All proposals", table(["proposal", "what", "proposed, day", "outcome", "closed, day"], rows, (2, 4))))
